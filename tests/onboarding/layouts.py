"""How each family writes documents as pages: addresses, lists, details, with the quirks that portals have."""

# ruff: noqa: E501, UP031 - markup as portals write it

from __future__ import annotations

from collections.abc import Mapping

from tests.onboarding.layouts_services import (
    UUID,
    gkmlpt,
    hanweb_jpaas,
    hanweb_ranges,
    hanweb_store,
    ucap_shell,
    webims,
)
from tests.onboarding.replica import Doc, Portal, make_docs


def chunks(docs: list[Doc], size: int) -> list[list[Doc]]:
    return [docs[start : start + size] for start in range(0, len(docs), size)]


def nfcms() -> Portal:
    """Static 1-based lists, pages that repeat the last one for ever, home page by meta refresh."""
    portal = Portal("www.nanyao.example", "南瑶区", make_docs("南瑶区"))
    portal.add_home("/zwgk/fzzf/index.html")
    portal.pages["/zwgk/index_home.html"] = portal.pages["/"]
    portal.pages["/"] = "<html><head><meta http-equiv=refresh content='0; url=/zwgk/index_home.html'></head></html>"
    groups = chunks(portal.docs, 10)
    for number, part in enumerate(groups, start=1):
        rows = "".join(
            f"<li><a href='http://{portal.host}/zwgk/fzzf/content/post_{doc.number}.html'>{doc.title}</a><span class='time'>{doc.day}</span></li>"
            for doc in part
        )
        pager = "<div class='page'><a class='next' href='/zwgk/fzzf/index_%d.html'>下一页</a></div>" % (number + 1)
        name = "index.html" if number == 1 else f"index_{number}.html"
        portal.pages[f"/zwgk/fzzf/{name}"] = portal.frame(
            "法治政府建设", f"<ul class='news'>{rows}</ul>{pager}", portal.site_metas()
        )
    for number in range(len(groups) + 1, len(groups) + 40):  # a list that never ends
        portal.pages[f"/zwgk/fzzf/index_{number}.html"] = str(
            portal.pages[f"/zwgk/fzzf/index_{len(groups)}.html"]
        ).replace(f"index_{len(groups) + 1}.html", f"index_{number + 1}.html")
    for doc in portal.docs:
        inner = (
            f"<script>window.NFCMS_SITE_ID='1';window.NFCMS_POST_ID='{doc.number}';</script><div class='m-con'><h1>{doc.title}</h1>"
            f"<div class='info'>发布日期：{doc.date} 来源：{doc.source}</div><div class='xl-nr'>{doc.html()}</div></div>"
        )
        portal.add_detail(
            f"/zwgk/fzzf/content/post_{doc.number}.html", doc, portal.frame(doc.title, inner, portal.metas(doc))
        )
    return portal


def lonsun() -> Portal:
    """Columns by catId, pages by pageIndex with the count in a script; a generation time years off in the metas."""
    portal = Portal("www.huanshan.example", "皖山县", make_docs("皖山县"), has_metas=False)
    column = "/public/column/6596211?type=4&catId=6710881&action=list"
    portal.add_home(column.replace("&", "&amp;"))
    groups = chunks(portal.docs, 10)

    def listing(query: Mapping[str, str]) -> str:
        number = int(query.get("pageIndex", "1"))
        part = groups[min(number, len(groups)) - 1]
        rows = "".join(
            f"<li class='odd'><a href='/public/6596211/{doc.number + 100000}.html' title='{doc.title}'>{doc.title}</a><span class='date'>{doc.day}</span></li>"
            for doc in part
        )
        script = f"<script>var pageIndex={number};var pageSize={len(groups)};initPage();</script>"
        return portal.frame("法治政府建设", f"<!--StartLabelHtml_lb--><ul class='doc_list'>{rows}</ul>{script}")

    portal.pages["/public/column/6596211"] = listing
    for doc in portal.docs:
        inner = (
            f"<div class='newsinfo'><h1 class='newstitle'>{doc.title}</h1><span class='fbsj'>发布时间：{doc.date}</span>"
            f"<span>来源：{doc.source}</span><span>浏览量：<i class='cs'>12</i></span></div>"
            f"<div class='j-fontContent newscontnet'>{doc.html()}</div><div data-setting='{{infoId:{doc.number}}}'></div>"
        )
        page = portal.frame(doc.title, inner, "<meta name='HtmlGenerateTime' content='2025-02-02 02:02:02'>")
        portal.add_detail(f"/public/6596211/{doc.number + 100000}.html", doc, page)
    return portal


def epoint() -> Portal:
    """ewb classes, numeric categories, pages as bare numbers."""
    portal = Portal("www.yanzhou.example", "雁洲区", make_docs("雁洲区"), has_metas=False)
    folder = "/zwgk/003001/003001003"
    portal.add_home(f"{folder}/about.html")
    groups = chunks(portal.docs, 10)
    for number, part in enumerate(groups, start=1):
        rows = "".join(
            f"<li class='ewb-list-node'><a class='ewb-list-name' href='{folder}/{doc.day.replace('-', '')}/{UUID.format(doc.number)}.html'>"
            f"{doc.title}</a><span class='ewb-list-date'>{doc.day}</span></li>"
            for doc in part
        )
        following = f"<a href='{folder}/{number + 1}.html'>下页 &gt;</a>" if number < len(groups) else ""
        name = "about.html" if number == 1 else f"{number}.html"
        portal.pages[f"{folder}/{name}"] = portal.frame(
            "法治政府建设", f"<ul class='ewb-list'>{rows}</ul><div>{following}</div>"
        )
    for doc in portal.docs:
        inner = (
            f"<div class='ewb-article'><h3>{doc.title}</h3><div class='ewb-article-sources'><p>信息来源：{doc.source}</p>"
            f"<p>发布日期：{doc.date}</p></div><div class='ewb-article-info'>{doc.html()}</div></div>"
        )
        portal.add_detail(
            f"{folder}/{doc.day.replace('-', '')}/{UUID.format(doc.number)}.html",
            doc,
            portal.frame(portal.place, inner),
        )
    return portal


def vsb() -> Portal:
    """info/<column>/<id>.htm, further pages in a folder counted downwards; gbk."""
    portal = Portal("www.boshan.example", "博杉县", make_docs("博杉县"), charset="gbk", has_metas=False)
    portal.add_home("/zwgk/fzzfjs.htm")
    groups = chunks(portal.docs, 10)
    for number, part in enumerate(groups):
        up = "../" if number else ""
        rows = "".join(
            f"<li id='line_u9_{row}'><a href='{up}../info/1055/{doc.number}.htm' title='{doc.title}'>{doc.title[:16]}...</a><span>{doc.day}</span></li>"
            for row, doc in enumerate(part)
        )
        left = len(groups) - 1 - number
        href = f"{'' if number else 'fzzfjs/'}{left}.htm"
        following = f"<a href='{href}' class='Next'>下页</a>" if left else ""
        path = "/zwgk/fzzfjs.htm" if not number else f"/zwgk/fzzfjs/{len(groups) - number}.htm"
        portal.pages[path] = portal.frame(
            "法治政府建设", f"<ul>{rows}</ul><div>共{len(portal.docs)}条 {following}</div>"
        )
    for doc in portal.docs:
        inner = (
            f"<form name='_newscontent_fromname'><h3>{doc.title}</h3><div>发布时间：{doc.date}&nbsp;&nbsp;来源：{doc.source}&nbsp;&nbsp;点击数："
            f"<script>_showDynClicks()</script></div><div id='vsb_content_500'><div class='v_news_content'>{doc.html()}</div></div></form>"
            "<p>上一条：<a href='1.htm'>没有了</a></p>"
        )
        portal.add_detail(f"/info/1055/{doc.number}.htm", doc, portal.frame(f"{doc.title}-{portal.place}", inner))
    return portal


def empire() -> Portal:
    """EmpireCMS in a frameset: index_2.html, no mandated metas, date of migration in the address."""
    portal = Portal("www.diqiu.example", "荻秋县", make_docs("荻秋县"), has_metas=False)
    portal.add_home("/zwgk/fzzf/")
    portal.pages["/main.html"] = portal.pages["/"]
    portal.pages["/"] = (
        "<html><head><title>荻秋县</title></head><frameset rows='*'><frame src='main.html' name='m'></frameset></html>"
    )
    groups = chunks(portal.docs, 10)
    for number, part in enumerate(groups, start=1):
        rows = "".join(
            f"<li><a href='/zwgk/fzzf/2018-07-1{doc.number % 9}/{doc.number}.html'>{doc.title}</a><span class='time'>\n {doc.day} </span></li>"
            for doc in part
        )
        links = "".join(
            f"<a href='/zwgk/fzzf/index_{one}.html'>{one}</a>" for one in range(2, len(groups) + 1) if one != number
        )
        pager = f"<a title='Total record'>&nbsp;<b>{len(portal.docs)}</b></a>{links}"
        name = "" if number == 1 else f"index_{number}.html"
        portal.pages[f"/zwgk/fzzf/{name}"] = portal.frame(
            "法治政府建设", f"<div class='news_list'><ul>{rows}</ul><div>{pager}</div></div>"
        )
    for doc in portal.docs:
        inner = (
            f"<script src='/e/public/ViewClick/?id={doc.number}'></script><h1 class='content_title'>{doc.title}</h1><div class='content_attr'>"
            f"<span class='time'>发布日期：<b>{doc.date}:00</b></span><span class='ly'>来源：<b>{doc.source}</b></span><span>作者：<b></b></span></div>"
            f"<div class='content_article' id='zoomcon'>{doc.html()}</div>"
        )
        portal.add_detail(
            f"/zwgk/fzzf/2018-07-1{doc.number % 9}/{doc.number}.html", doc, portal.frame(doc.title, inner)
        )
    return portal


def trs_script() -> Portal:
    """TRS with rows that a script writes, pages from 0, details that differ in the day of the address."""
    portal = Portal("www.linjiang.example", "霖江区", make_docs("霖江区"))
    portal.add_home("/zwgk/fzzf/", direct=True)
    groups = chunks(portal.docs, 10)

    def name(doc: Doc) -> str:
        return f"{doc.day[:4]}{doc.day[5:7]}/t{doc.day[:4]}0101_{doc.number}.shtml"

    for number, part in enumerate(groups):
        rows = "\n".join(
            f'url="./{name(doc)}"; title="{doc.title}"; FILENUM=""; document.writeln("<li><a href=\'"+url+"\'>"+title+"</a><span>{doc.day}</span></li>");'
            for doc in part
        )
        counter = f'<script>createPageHTML({len(groups)}, {number}, "index", "shtml");</script>'
        path = "" if not number else f"index_{number}.shtml"
        portal.pages[f"/zwgk/fzzf/{path}"] = portal.frame(
            "法治政府建设", f"<ul><script>{rows}</script></ul>{counter}", portal.site_metas()
        )
    for doc in portal.docs:
        inner = f"<h1>{doc.title}</h1><div class='view TRS_UEDITOR trs_paper_default trs_word'>{doc.html()}</div>"
        portal.add_detail(f"/zwgk/fzzf/{name(doc)}", doc, portal.frame("法治政府建设", inner, portal.metas(doc)))
    return portal


def unknown() -> Portal:
    """No known family: a JSP of its own, body without any telling name; only a feed and a site map lead there."""
    portal = Portal("www.wuming.example", "吴茗县", make_docs("吴茗县"), has_metas=False)
    portal.add_home("/nowhere.html")
    portal.pages["/zwgk/"] = portal.frame("政务公开", "<p>栏目调整之中，请通过网站地图查找。</p>")
    column = "/lm/list.jsp?cat_id=31"
    portal.pages["/wzdt.html"] = portal.frame(
        "网站地图", f"<a href='{column}'>依法行政</a><a href='/lm/list.jsp?cat_id=9'>乡村旅游</a>"
    )
    groups = chunks(portal.docs, 10)

    def listing(query: Mapping[str, str]) -> str:
        number = int(query.get("cur_page", "1"))
        rows = "".join(
            f"<tr><td><a href='/lm/show.jsp?id={doc.number}'>{doc.title}</a></td><td>{doc.day}</td></tr>"
            for doc in (groups[number - 1] if query.get("cat_id") == "31" and number <= len(groups) else [])
        )
        pager = "".join(
            f"<a href='/lm/list.jsp?cat_id=31&cur_page={one}'>{one}</a>" for one in range(1, len(groups) + 1)
        )
        return portal.frame("依法行政", f"<table>{rows}</table><div>{pager}</div>")

    portal.pages["/lm/list.jsp"] = listing
    by_number = {str(doc.number): doc for doc in portal.docs}

    def show(query: Mapping[str, str]) -> str:
        doc = by_number[query["id"]]
        return portal.frame(
            portal.place,
            f"<div class='a1'><h2>{doc.title}</h2><div class='a2'>发布时间：{doc.date} 来源：{doc.source}</div>"
            f"<div class='a3'>{doc.html()}</div></div>",
        )

    portal.pages["/lm/show.jsp"] = show
    portal.expected = {f"/lm/show.jsp?id={doc.number}": doc for doc in portal.docs}
    return portal


LAYOUTS = {
    "hanweb_store": (hanweb_store, "hanweb"),
    "hanweb_ranges": (hanweb_ranges, "hanweb"),
    "hanweb_jpaas": (hanweb_jpaas, "hanweb"),
    "nfcms": (nfcms, "nfcms"),
    "gkmlpt": (gkmlpt, "gkmlpt"),
    "lonsun": (lonsun, "lonsun"),
    "webims": (webims, "webims"),
    "epoint": (epoint, "epoint"),
    "vsb": (vsb, "vsb"),
    "empire": (empire, "empire"),
    "ucap_shell": (ucap_shell, "ucap"),
    "trs_script": (trs_script, "trs"),
    "unknown": (unknown, "generic"),
}
