"""TRS WCM as Chongqing's platform uses it: meta names in lower case, the source written by script."""

from __future__ import annotations

from html import escape

from sandbox.layout_trs import attachment_path, build_static, detail_path
from sandbox.markup import footer, header, render_body, render_metas
from sandbox.model import Doc, Resource, Service, Site

_LIST_META = '<meta name="{name}" content="{value}"/>'
_META = '<META NAME="{name}" CONTENT="{value}">'
_NAMES = {"PubDate": "pubdate", "ContentSource": "contentsource", "ArticleTitle": "articletitle"}

__all__ = ["attachment_path", "build_pages", "detail_path"]


def build_pages(site: Site) -> tuple[dict[str, Resource], dict[str, Service]]:
    return build_static(site, _render_list, _render_detail)


def _render_list(site: Site, docs: tuple[Doc, ...], number: int) -> str:
    rows = "\n".join(
        f'<li class="clearfix"><a href=".{detail_path(site, doc)[len(site.column_path) - 1 :]}" target="_blank" '
        f'title="{escape(doc.title)}">{escape(doc.title)}</a><span>{doc.date}</span></li>'
        for doc in docs
    )
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="UTF-8" />
{render_metas(site, None, _LIST_META)}
<title>{site.column}_{site.government}</title><link href="/css/style.css" rel="stylesheet" /></head><body>
{header(site)}
<div class="position">您当前位置: <a href="/">首页</a>/{site.column}</div>
<div class="main"><ul class="tab-item list">
{rows}
</ul><div class="page"><script>createPage({len(site.pages)}, {number}, "index", "html");</script></div></div>
{footer(site)}
</body></html>"""


def _render_detail(site: Site, doc: Doc) -> str:
    attached = ""
    if doc.attachment:
        name = doc.attachment.name
        attached = f'<p><a href="{attachment_path(site, doc)}" title="{name}">{name}</a></p>'
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="UTF-8" />
<!--文章类-->
{render_metas(site, doc, _META, _NAMES)}
<title>{site.column}_{site.government}</title>
<link href="/css/style.css" rel="stylesheet" />
</head>
<body>
{header(site)}
<div class="position">您当前位置: <a href="/">首页</a><span>/</span><a href="../">{site.column}</a></div>
<div class="main">
<div class="zwxl-content">
<div class="zwxl-title"><p class="tit">{escape(doc.title)}</p>
<div class="zwxl-bar"><span class="tit">日期:</span><span class="con">{doc.date}</span>
<script>if("{doc.source}"!=""){{
document.write('<span class="tit">来源：</span><span class="con">{doc.source}</span>');}}</script>
<div class="zwxl-share"><span>分享：</span><a href="#"></a></div></div></div>
<div class="zwxl-article"><div style="display:none" id="a1"><script>var size="";</script></div>
<div class="view TRS_UEDITOR trs_paper_default trs_word">
{render_body(doc.body)}{attached}
</div></div>
<div class="zwxl-ewm ewm"><p>扫一扫在手机打开当前页</p></div>
<div class="zwxl-btn"><a href="javascript:window.print();">打印</a><a href="javascript:window.close();">关闭</a></div>
</div></div>
{footer(site)}
</body></html>"""
