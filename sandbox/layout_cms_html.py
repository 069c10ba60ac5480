"""The old `/cms/` column CMS: GBK with the charset in a meta tag only, and an RSS feed with broken dates.

The folder of a page is its time of publication to the second; the page itself prints the day only.
The feed formats its channel date with minutes in the month's place and a 12-hour clock, and gives every
item the time of the feed's own build.
"""

from __future__ import annotations

from html import escape

from sandbox.markup import footer, header, render_body
from sandbox.model import Doc, Resource, Service, Site

_FEED_ITEMS = 8
_CHANNEL_DATE = "2020-37-18 02:37:05"
_ITEM_DATE = "18 Jun 2020 06:30:00 GMT"
_INDENT = "&nbsp;&nbsp;&nbsp; "


def detail_path(site: Site, doc: Doc) -> str:
    name = f"{doc.stamp}{doc.number(9)}"
    return f"/cms/html/{site.column_id}/{doc.date[:4]}/{name}/{name}_1.html"


def attachment_path(site: Site, doc: Doc) -> str:
    assert doc.attachment
    return f"/cms/html/files/{doc.date[:7]}/{doc.stamp}{doc.number(7)}.{doc.attachment.kind}"


def build_pages(site: Site) -> tuple[dict[str, Resource], dict[str, Service]]:
    out: dict[str, Resource] = {}
    for number, docs in enumerate(site.pages, 1):
        html = _render_list(site, docs, number)
        out[_list_path(site, number)] = Resource(html.encode("gbk"), "text/html", site.lists_modified)
    for doc in site.docs:
        html = _render_detail(site, doc)
        out[detail_path(site, doc)] = Resource(html.encode("gbk"), "text/html", doc.modified)
    feed = _render_feed(site).encode()
    out[_feed_path(site)] = Resource(feed, "text/xml;charset=UTF-8", site.lists_modified)
    return out, {}


def _list_path(site: Site, number: int) -> str:
    return f"/cms/html/{site.column_id}/column_{site.column_id}_{number}.html"


def _feed_path(site: Site) -> str:
    return f"/cms/jsp/rss.jsp?ColumnID={site.column_id}"


def _render_list(site: Site, docs: tuple[Doc, ...], number: int) -> str:
    last = len(site.pages)
    rows = "\n".join(
        f'<tr><td class="list_t">·<a href="{detail_path(site, doc)}" target=_blank>{escape(doc.title)}</a></td>'
        f'<td width="90" class="date">[{doc.date}]</td></tr>'
        for doc in docs
    )
    before = f'<a href="{_list_path(site, number - 1)}">上一页</a>' if number > 1 else "上一页"
    after = f'<a href="{_list_path(site, number + 1)}">下一页</a>' if number < last else "下一页"
    return f"""<html><head><meta http-equiv="Content-Type" content="text/html; charset=gb2312">
<title>{site.column}</title><link rel="stylesheet" href="/css/style.css">
<link rel="alternate" type="application/rss+xml" href="{_feed_path(site)}"></head><body>
{header(site)}
<div class="main"><div class="position">您现在的位置：<a href="/">首页</a> &gt;&gt; {site.column}</div>
<table width="100%" class="list">{rows}</table>
<div class="page">共{len(site.docs)}条记录 第{number}/{last}页 <a href="{_list_path(site, 1)}">首页</a> {before} {after}
<a href="{_list_path(site, last)}">尾页</a></div></div>
{footer(site)}
</body></html>"""


def _render_content(site: Site, doc: Doc) -> str:
    attached = ""
    if doc.attachment:
        attached = f'<P>附件：<A href="{attachment_path(site, doc)}">{doc.attachment.name}</A></P>'
    return render_body(doc.body, word=False, indent=_INDENT) + attached


def _render_detail(site: Site, doc: Doc) -> str:
    related = "".join(
        f'<TR><TD>·<A href="{detail_path(site, d)}">{escape(d.title)}</A></TD></TR>' for d in site.related(doc)
    )
    return f"""<HTML><HEAD><META http-equiv=Content-Type content="text/html; charset=gb2312">
<TITLE>{escape(doc.title)}</TITLE>
<META name=keywords content="{site.place}"><LINK href="/css/style.css" type=text/css rel=stylesheet></HEAD>
<BODY>
{header(site)}
<DIV class=main>
<TABLE cellSpacing=0 width="100%" border=0>
<TR><TD class=position>您现在的位置：<A href="/">首页</A> &gt;&gt;
<A href="{site.column_path}">{site.column}</A></TD></TR>
<TR><TD align=middle class=title id=ArticleTitle>{escape(doc.title)}</TD></TR>
<TR><TD align=middle class=info>发布时间：{doc.date} &nbsp; 来源：{doc.source} &nbsp; 浏览次数：
&nbsp; 【字号：<A href="#">大</A> <A href="#">中</A> <A href="#">小</A>】</TD></TR>
<TR><TD class=content id=ContentBox><!--content begin-->{_render_content(site, doc)}<!--content end--></TD></TR>
<TR><TD align=right>【<A href="javascript:window.print()">打印本页</A>】
【<A href="javascript:window.close()">关闭窗口</A>】
</TD></TR></TABLE>
<DIV class=ewm>扫一扫在手机上查看当前页面</DIV>
<TABLE width="100%"><TR><TD><B>相关新闻</B></TD></TR>{related}</TABLE>
</DIV>
{footer(site)}
</BODY></HTML>"""


def _render_feed(site: Site) -> str:
    items = "\n".join(
        f"<item>\n<title>{escape(doc.title)}</title>\n<link>{site.origin}{detail_path(site, doc)}</link>\n"
        f"<description><![CDATA[{_render_content(site, doc)}]]></description>\n"
        f"<pubDate>{_ITEM_DATE}</pubDate>\n</item>"
        for doc in site.docs[:_FEED_ITEMS]
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0"><channel>
<title>{site.column}</title>
<link>{site.origin}{_feed_path(site)}</link>
<description>{site.column}</description>
<pubDate>{_CHANNEL_DATE}</pubDate>
{items}
</channel></rss>
"""
