"""TRS WCM: static lists `index_N.html` (0-based), an index-number table above the body, `P0…` attachments."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from sandbox.markup import footer, header, render_body, render_metas
from sandbox.model import Doc, Resource, Service, Site

_META = '<meta name="{name}" content="{value}"/>'


def folder(site: Site, doc: Doc) -> str:
    return f"{site.column_path}{(doc.created or doc.date)[:7].replace('-', '')}/"


def detail_path(site: Site, doc: Doc) -> str:
    """The day in the address is the day of creation, not always that of publication."""
    return f"{folder(site, doc)}t{(doc.created or doc.date).replace('-', '')}_{doc.number(7)}.html"


def attachment_path(site: Site, doc: Doc) -> str:
    assert doc.attachment
    return f"{folder(site, doc)}P02{doc.number(18)}.{doc.attachment.kind}"


def build_pages(site: Site) -> tuple[dict[str, Resource], dict[str, Service]]:
    return build_static(site, _render_list, _render_detail)


def build_static(
    site: Site,
    render_list: Callable[[Site, tuple[Doc, ...], int], str],
    render_detail: Callable[[Site, Doc], str],
) -> tuple[dict[str, Resource], dict[str, Service]]:
    """The pages of a TRS column, whatever its templates. No charset in the header: the page's meta has it."""
    out: dict[str, Resource] = {}
    for number, docs in enumerate(site.pages):
        page = Resource(render_list(site, docs, number).encode(), "text/html", site.lists_modified)
        out[f"{site.column_path}index{f'_{number}' if number else ''}.html"] = page
        if number == 0:
            out[site.column_path] = page
    for doc in site.docs:
        out[detail_path(site, doc)] = Resource(render_detail(site, doc).encode(), "text/html", doc.modified)
    return out, {}


def _render_list(site: Site, docs: tuple[Doc, ...], number: int) -> str:
    rows = "\n".join(
        f'<li><a href=".{detail_path(site, doc)[len(site.column_path) - 1 :]}" target="_blank" '
        f'title="{escape(doc.title)}">{_shorten(doc.title)}</a><span>{doc.date}</span></li>'
        for doc in docs
    )
    return f"""<!DOCTYPE html>
<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8" />
<title>{site.column}_{site.government}</title>
{render_metas(site, None, _META)}
<link rel="stylesheet" href="/css/style.css" /></head><body>
{header(site)}
<div class="main"><div class="dqwz">当前位置：<a href="/">首页</a> &gt; {site.column}</div>
<ul class="list">
{rows}
</ul>
<div class="page"><script>createPageHTML({len(site.pages)}, {number}, "index", "html");</script></div></div>
{footer(site)}
</body></html>"""


def _shorten(title: str) -> str:
    """The list cuts long titles; the whole one stands in the title attribute."""
    return escape(title if len(title) <= 24 else title[:23] + "…")


def _render_detail(site: Site, doc: Doc) -> str:
    attached = ""
    if doc.attachment:
        name = doc.attachment.name
        href = "./" + attachment_path(site, doc).rsplit("/", 1)[1]
        attached = f'<p><a href="{href}" title="{name}">{name}</a></p>'
    related = "".join(f'<li><a href="{detail_path(site, d)}">{escape(d.title)}</a></li>' for d in site.related(doc))
    return f"""<!DOCTYPE html>
<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8" />
<title>{escape(doc.title)}_{site.government}</title>
{render_metas(site, doc, _META)}
<meta name="Url" content="{site.origin}{detail_path(site, doc)}"/>
<link rel="stylesheet" href="/css/style.css" /></head><body>
{header(site)}
<div class="main"><div class="dqwz">当前位置：<a href="/">首页</a>&nbsp;&gt;&nbsp;<a href="../">{site.column}</a></div>
<table class="xxgk"><tbody>
<tr><th>索 引 号</th><td>{doc.index_no}</td><th>发文时间</th><td>{doc.date}</td></tr>
<tr><th>发布机构</th><td>{doc.source}</td><th>文&nbsp;&nbsp;&nbsp;号</th><td>{doc.document_no or ""}</td></tr>
<tr><th>公开方式</th><td>主动公开</td><th>有&nbsp;效&nbsp;性</th><td>有效</td></tr>
<tr><th>标&nbsp;&nbsp;&nbsp;题:</th><td colspan="3">{escape(doc.title)}</td></tr>
</tbody></table>
<div class="xl_tool"><span>【字体：<a href="#">大</a> <a href="#">中</a> <a href="#">小</a>】</span>
<span class="bdsharebuttonbox">分享到：<a href="#">微信</a></span></div>
<div id="zoom" class="zoom"><div class="view TRS_UEDITOR trs_paper_default trs_word"><div class="TRS_Editor">
<!--[if gte mso 9]><xml><w:WordDocument><w:View>Normal</w:View></w:WordDocument></xml><![endif]-->
{render_body(doc.body)}
</div></div></div>
<div class="fj"><b>附件下载:</b>{attached}</div>
<div class="ewm"><p>扫一扫在手机上查看当前页面</p></div>
<div class="xgwd"><h3>相关文档</h3><ul>{related}</ul></div>
</div>
{footer(site)}
</body></html>"""
