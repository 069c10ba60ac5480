"""TrueCMS: the first rows in `#initData`, more from `getMessage.do`; the header claims ISO-8859-1, the bytes
are UTF-8. Some rows open their page by script (`name2('…')`)."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from html import escape

from sandbox.markup import footer, header, render_body, render_metas
from sandbox.model import Doc, Resource, Service, Site

_META = "<meta name='{name}' content='{value}'/>"
_HTML = "text/html;charset=ISO-8859-1"
_SERVICE = "/TrueCMS/messageController/getMessage.do"


def _base(site: Site) -> str:
    return site.column_path.rsplit("/", 1)[0]


def _uuid(site: Site, key: str) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_URL, f"{site.origin}/{key}")


def detail_path(site: Site, doc: Doc) -> str:
    return f"{_base(site)}/content/{_uuid(site, doc.key)}.html"


def attachment_path(site: Site, doc: Doc) -> str:
    assert doc.attachment
    folder = f"{_base(site)}/attachment/{doc.date.replace('-', '')}"
    return f"{folder}/{_uuid(site, 'file/' + doc.key)}.{doc.attachment.kind}"


def build_pages(site: Site) -> tuple[dict[str, Resource], dict[str, Service]]:
    out = {site.column_path: Resource(_render_list(site).encode(), _HTML, site.lists_modified)}
    for doc in site.docs:
        out[detail_path(site, doc)] = Resource(_render_detail(site, doc).encode(), _HTML, doc.modified)
    return out, {_SERVICE: lambda query: _answer(site, query)}


def _answer(site: Site, query: Mapping[str, str]) -> Resource:
    """Rows `startrecord` to `endrecord`, 1-based and inclusive; nothing for another column."""
    try:
        start, end = int(query.get("startrecord", "1")), int(query.get("endrecord", str(site.per_page)))
    except ValueError:
        start, end = 1, 0
    docs = site.docs[max(start, 1) - 1 : max(end, 0)] if query.get("columnId") == site.column_id else ()
    rows = "".join(f"<record><![CDATA[\n{_render_row(site, doc)}]]></record>" for doc in docs)
    xml = f"<datastore><totalrecord>{len(site.docs)}</totalrecord><recordset>{rows}</recordset></datastore>"
    text = json.dumps({"result": xml}, ensure_ascii=False)
    if query.get("callback"):
        text = f"{''.join(c for c in query['callback'] if c.isalnum() or c in '_$')}({text})"
    return Resource(text.encode(), "application/json;charset=UTF-8", site.lists_modified)


def _render_row(site: Site, doc: Doc) -> str:
    path = detail_path(site, doc)
    link = f'href="{path}"' if doc.number(2) % 3 else f"""href="javascript:void(0)" onclick="name2('{path}')\""""
    title = escape(doc.title)
    return f'<li><a {link} title="{title}" target="_blank">{title}</a><span>{doc.date}</span></li>'


def _render_list(site: Site) -> str:
    rows = "\n".join(_render_row(site, doc) for doc in site.pages[0])
    return f"""<!DOCTYPE html>
<html><head><meta charset="utf-8" /><title>{site.column}</title>
{render_metas(site, None, _META)}
<link href="/css/style.css" rel="stylesheet" /></head><body>
{header(site)}
<div class="main"><div class="position">您当前的位置: <a href="/">首页</a> &gt; {site.column}</div>
<div id="initData" style="display:none"><ul>
{rows}
</ul></div>
<div class="list-ul" id="dataList"></div><div class="page" id="pageBar"></div>
<script>
function name2(u){{window.open(u);}}
document.getElementById('dataList').innerHTML=document.getElementById('initData').innerHTML;
var pageCfg={{columnId:'{site.column_id}',
contentTemplate:'list_li',perpage:{site.per_page},totalRecord:{len(site.docs)},
url:'{_SERVICE}'}};
</script></div>
{footer(site)}
</body></html>"""


def _render_detail(site: Site, doc: Doc) -> str:
    attached = ""
    if doc.attachment:
        attached = f'<p>附件：<a href="{attachment_path(site, doc)}">{doc.attachment.name}</a></p>'
    return f"""<!DOCTYPE html>
<html><head><meta charset="utf-8" /><title>{escape(doc.title)}</title>
{render_metas(site, doc, _META)}
<link href="/css/style.css" rel="stylesheet" /></head><body>
{header(site)}
<div class="main">
<div class="position">您当前的位置: <a href="/">首页</a> &gt;
<a href="{site.column_path}">{site.column}</a> &gt; 正文</div>
<table class="xxgk" border="0"><tbody>
<tr><td><b>索 引 号</b></td><td>{doc.index_no}</td><td><b>分&nbsp;&nbsp;类</b></td><td> / 其他</td></tr>
<tr><td><b>发布机构</b></td><td>{doc.source}</td><td><b>发文日期</b></td><td></td></tr>
<tr><td><b>标&nbsp;&nbsp;题</b></td><td colspan="3">{escape(doc.title)}</td></tr>
<tr><td><b>文&nbsp;&nbsp;号</b></td><td>{doc.document_no or "无号"}</td><td><b>主 题 词</b></td><td></td></tr>
</tbody></table>
<h1 class="title">{escape(doc.title)}</h1>
<div class="info">信息来源:{doc.source} 发布日期:{doc.published} 阅读次数:<span id="hits"></span></div>
<div class="content" id="zoom">
{render_body(doc.body, indent="　　")}
</div>
<div class="fj">{attached}</div>
<div class="ewm"><p>手机扫一扫查看当前页面</p></div>
<div class="bdsharebuttonbox">分享到：<a href="#"></a></div><p><a href="javascript:window.print()">打印本页</a></p>
</div>
{footer(site)}
</body></html>"""
