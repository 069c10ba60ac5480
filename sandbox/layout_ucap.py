"""UCAP: lists `xxgk_list_k.shtml` (1-based), details under a 32-hex id, a `channelid`, its own tags."""

from __future__ import annotations

import hashlib
from html import escape

from sandbox.markup import footer, header, render_body, render_metas
from sandbox.model import Doc, Resource, Service, Site

_META = '<meta name="{name}"content="{value}">'
_HTML = "text/html; charset=UTF-8"


def _hex(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def _base(site: Site) -> str:
    return site.column_path.rsplit("/", 1)[0]


def detail_path(site: Site, doc: Doc) -> str:
    return f"{_base(site)}/{doc.date[:7].replace('-', '')}/{_hex(site.id + doc.key)}.shtml"


def attachment_path(site: Site, doc: Doc) -> str:
    assert doc.attachment
    folder = f"{_base(site)}/{doc.date[:7].replace('-', '')}/files"
    return f"{folder}/{_hex('file' + site.id + doc.key)}.{doc.attachment.kind}"


def build_pages(site: Site) -> tuple[dict[str, Resource], dict[str, Service]]:
    out: dict[str, Resource] = {}
    for number, docs in enumerate(site.pages, 1):
        name = "xxgk_list" if number == 1 else f"xxgk_list_{number}"
        html = _render_list(site, docs, number)
        out[f"{_base(site)}/{name}.shtml"] = Resource(html.encode(), _HTML, site.lists_modified)
    for doc in site.docs:
        out[detail_path(site, doc)] = Resource(_render_detail(site, doc).encode(), _HTML, doc.modified)
    return out, {}


def _channel(site: Site, generated: str) -> str:
    """The channel's key, and the time of page generation, which is not a date of publication."""
    return (
        f'<meta name="channelid" content="{site.column_id}">\n<meta name="others" content="页面生成时间 {generated}" />'
    )


def _render_list(site: Site, docs: tuple[Doc, ...], number: int) -> str:
    rows = "\n".join(
        f'<li><a href="{detail_path(site, doc)}" title="{escape(doc.title)}" target="_blank">'
        f'{escape(doc.title)}</a><span class="time">{doc.date}</span></li>'
        for doc in docs
    )
    return f"""<!DOCTYPE html>
<html><head><meta charset="utf-8">
{render_metas(site, None, _META)}
{_channel(site, "2025-06-30 02:10:40")}
<title>{site.column}_{site.government}</title><link rel="stylesheet" href="/css/style.css" /></head><body>
{header(site)}
<div class="main"><div class="crumb">当前位置：<a href="/">首页</a>&gt;{site.column}</div>
<ul class="pageList newsList">
{rows}
</ul>
<div id="page_div" class="page"></div>
<script>createPageHTML('page_div',{len(site.pages)}, {number},'xxgk_list','shtml',{len(site.docs)});</script></div>
{footer(site)}
</body></html>"""


def _render_detail(site: Site, doc: Doc) -> str:
    attached = ""
    if doc.attachment:
        attached = f'<p><a href="\n{attachment_path(site, doc)}\n">{doc.attachment.name}</a></p>'
    return f"""<!DOCTYPE html>
<html lang="zh"><head>
<meta charset="utf-8">
{render_metas(site, doc, _META)}
{_channel(site, doc.date + " 23:50:00")}
<title>{escape(doc.title)}_{site.government}</title>
<link rel="stylesheet" href="/css/style.css" /></head><body>
{header(site)}
<div class="main"><div class="crumb">当前位置：<a href="/">首页</a>&gt;
<a href="{site.column_path}">{site.column}</a></div>
<div class="xxgkml-content"><table class="xxgk">
<tr><td><label><font>索&nbsp;引&nbsp;号：</font></label><div class="display-block">{doc.index_no}</div></td>
<td><label><font>发布机构：</font></label><div class="display-block">{doc.source}</div></td></tr>
<tr><td><label><font>发文日期：</font></label><div class="display-block">{doc.date}</div></td>
<td><label><font>文　　号：</font></label><div class="display-block">{doc.document_no or ""}</div></td></tr>
</table></div>
<div class="article"><h1><UCAPTITLE>{escape(doc.title)}</UCAPTITLE></h1>
<div class="info"><span>发布时间：<PUBLISHTIME>{doc.published}</PUBLISHTIME></span> <span>来源：{doc.source}</span>
<span>浏览量：<em id="hits">--</em></span> <span class="print">打印</span></div>
<div class="article-content" id="zoomcon"><UCAPCONTENT>
{render_body(doc.body)}
</UCAPCONTENT></div>
<div class="fj" id="fj"><strong>附件：</strong>{attached}</div>
<div class="ewm"><p>扫一扫在手机上查看当前页面</p></div>
<div class="share">分享到：<a class="icon-weixin"></a></div></div></div>
{footer(site)}
</body></html>"""
