"""Portals of known families, each with an oddity between its home page and its reports."""

# ruff: noqa: E501, UP031 - markup as portals write it

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from tests.connectors.attachment_files import docx, par
from tests.onboarding.layouts_services import HEX, UUID
from tests.onboarding.replica import MOVED, Doc, Portal, make_docs

FOLDER = "/zwgk/fdzdgk/fz/"


def name_of(doc: Doc) -> str:
    return f"{doc.day[:4]}{doc.day[5:7]}/t{doc.day.replace('-', '')}_{doc.number}.html"


def row(doc: Doc, folder: str = "./") -> str:
    return f"<li><a href='{folder}{name_of(doc)}' title='{doc.title}'>{doc.title}</a><span>{doc.day}</span></li>"


def static_portal(
    host: str,
    place: str,
    *,
    folder: str = FOLDER,
    named: str = "法治政府建设",
    write_row: Callable[[Doc], str] = row,
    wrap: str = "<ul class='list'>%s</ul>",
    **more: object,
) -> Portal:
    """Static lists counted from 0, details beside them: what each oddity changes."""
    portal = Portal(host, place, make_docs(place), **more)  # type: ignore[arg-type]
    portal.add_home(folder)
    portal.pages["/zwgk/fdzdgk.html"] = str(portal.pages["/zwgk/fdzdgk.html"]).replace("法治政府建设", named)
    groups = [portal.docs[start : start + 10] for start in range(0, len(portal.docs), 10)]
    for number, part in enumerate(groups):
        counter = f'<script>createPageHTML({len(groups)}, {number}, "index", "html");</script>'
        page = portal.frame(named, wrap % "".join(map(write_row, part)) + counter, portal.site_metas())
        portal.pages[f"{folder}{f'index_{number}.html' if number else ''}"] = page
    for doc in portal.docs:
        add_detail(portal, folder, doc)
    return portal


def add_detail(portal: Portal, folder: str, doc: Doc) -> None:
    info = f"<div class='info'>发布时间：{doc.date} 来源：{doc.source}</div>"
    inner = f"<h1>{doc.title}</h1>{info}<div class='TRS_Editor'>{doc.html()}</div>"
    portal.add_detail(f"{folder}{name_of(doc)}", doc, portal.frame(doc.title, inner, portal.metas(doc)))


def year_folders() -> Portal:
    """The column is a shell: each year has a folder of its own."""
    portal = static_portal("www.heqing.example", "鹤青县", named="法治政府建设年度报告")
    for name in [path for path in portal.pages if path.startswith(FOLDER) and path.count("/") == 4]:
        del portal.pages[name]
    years = sorted({doc.day[:4] for doc in portal.docs}, reverse=True)
    portal.pages[FOLDER] = portal.frame(
        "法治政府建设年度报告", "<ul class='years'>" + "".join(f"<li><a href='{FOLDER}{y}/'>{y}年</a></li>" for y in years) + "</ul>"
    )  # fmt: skip
    for year in years:
        rows = "".join(row(doc, "../") for doc in portal.docs if doc.day.startswith(year))
        portal.pages[f"{FOLDER}{year}/"] = portal.frame(f"{year}", f"<ul>{rows}</ul>", portal.site_metas())
    return portal


def undeclared() -> Portal:
    """gb18030 bytes of which nobody says so."""
    portal = static_portal("www.yaoxi.example", "䶮溪县", charset="gb18030")
    for path, page in portal.pages.items():
        portal.pages[path] = str(page).replace("<meta charset=gb18030>", "")
    return portal


def map_for_engines() -> Portal:
    """No link leads to the column; only sitemap.xml names its address, which says nothing."""
    portal = static_portal("www.tujing.example", "图径县", folder="/a/b7/")
    portal.pages["/zwgk/fdzdgk.html"] = portal.frame("法定主动公开内容", "<p>栏目调整之中。</p>")
    urls = ["/", "/zwgk/", "/a/b1/", "/a/b2/", "/a/b7/", *(path for path in portal.expected)]
    locs = "".join(f"<url><loc>http://{portal.host}{path}</loc><lastmod>2025-01-01</lastmod></url>" for path in urls)
    portal.pages["/sitemap.xml"] = (
        f'<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{locs}</urlset>'
    )
    return portal


def scripted_home() -> Portal:
    """The home page is a stub that sends phones and others apart; a script file writes the navigation."""
    portal = static_portal("www.jiaoben.example", "皎本县")
    home = str(portal.pages["/"])
    for path in ("/pc/index.shtml", "/zwgk/"):
        page = home if path.startswith("/pc") else str(portal.pages[path])
        start, end = page.index("<ul class='nav'>"), page.index("</ul></div>")
        page = page[:start] + "<script src='/js/nav.js'></script>" + page[end + 5 :]
        portal.pages[path] = page.replace("<a href='/zwgk/fdzdgk.html'>法定主动公开内容</a>", "")
    portal.pages["/"] = (
        "<html><head><script>if(/android|iphone/i.test(navigator.userAgent)){window.location.href='/wap/';}"
        "else{window.location.href='/pc/index.shtml';}</script></head><body></body></html>"
    )
    portal.pages["/js/nav.js"] = (
        "var h='';h+='<li><a href=\"/zwgk/zn.html\">政府信息公开指南</a></li>';\n"
        "document.write('<ul><li><a href=\"/zwgk/fdzdgk.html\">法定主动公开内容</a></li></ul>');"
    )
    return portal


def in_a_template() -> Portal:
    """Rows stand in a template that a script unpacks."""
    return static_portal(
        "www.muban.example", "沐坂县", wrap="<div id='list'></div><script type='text/template' id='t'>%s</script>"
    )


def in_a_textarea() -> Portal:
    return static_portal(
        "www.wenben.example", "汶奔县", wrap="<div id='list'></div><textarea style='display:none'>%s</textarea>"
    )


def undated() -> Portal:
    """The list has no dates, pages have them in words only."""
    return static_portal(
        "www.wuri.example",
        "乌日县",
        write_row=lambda doc: f"<li>·<a href='./{name_of(doc)}'>{doc.title}</a></li>",
        has_metas=False,
    )


def based() -> Portal:
    """Relative addresses that count from <base href>."""
    portal = static_portal("www.jidi.example", "基棣县", write_row=lambda doc: row(doc, "fdzdgk/x/../fz/"))
    for path in [path for path in portal.pages if path.startswith(FOLDER) and path.count("/") == 4]:
        page = str(portal.pages[path]).replace("</title>", f"</title><base href='http://{portal.host}/zwgk/'>")
        links = "".join(f"<a href='fdzdgk/fz/index_{number}.html'>{number + 1}</a>" for number in (1, 2))
        portal.pages[path] = page.replace("<script>createPageHTML", f"{links}<script>notUsed")
    return portal


def two_names() -> Portal:
    """http leads to https, the bare name to www, and links are absolute with either."""
    portal = static_portal(
        "www.liangming.example", "梁茗县", write_row=lambda doc: row(doc, f"http://liangming.example{FOLDER}"),
        aliases=("liangming.example",),
    )  # fmt: skip
    portal.pages["/zwgk/fdzdgk.html"] = str(portal.pages["/zwgk/fdzdgk.html"]).replace(
        f"href='{FOLDER}'", f"href='https://liangming.example{FOLDER}'"
    )
    return portal


def renamed(named: str, host: str, place: str) -> Callable[[], Portal]:
    return lambda: static_portal(host, place, folder="/zwgk/zdly/c31/", named=named)


def script_pager() -> Portal:
    """Further pages by a function of the page: `javascript:go(2)`."""
    portal = static_portal("www.hanshu.example", "函术县")
    groups = [portal.docs[start : start + 10] for start in range(0, len(portal.docs), 10)]
    for number, part in enumerate(groups):
        name = f"list_{number + 1}.html" if number else ""
        pager = "".join(f"<a href='javascript:go({one})'>{one}</a>" for one in range(1, len(groups) + 1))
        script = "<script>function go(n){location.href = n==1 ? './' : 'list_' + n + '.html';}</script>"
        portal.pages[f"{FOLDER}{name}"] = portal.frame(
            "法治政府建设", f"<ul>{''.join(map(row, part))}</ul><div>共{len(portal.docs)}条 {pager}</div>{script}"
        )
    return portal


def form_pager() -> Portal:
    """Further pages by a form; the server takes its fields from the query as well."""
    portal = static_portal("www.biaodan.example", "彪丹县")

    def listing(query: Mapping[str, str]) -> str:
        number = int(query.get("pageNo", "1"))
        part = portal.docs[(number - 1) * 10 : number * 10]
        pager = "".join(f"<a href='javascript:void(0)' onclick='turn({one})'>{one}</a>" for one in range(1, 5))
        form = (
            "<form id='f' method='post' action='/zwgk/list.jsp'><input type='hidden' name='cid' value='31'>"
            f"<input type='hidden' name='pageNo' value='{number}'></form>"
            "<script>function turn(n){document.forms['f'].pageNo.value=n;document.forms['f'].submit();}</script>"
        )
        return portal.frame("法治政府建设", f"<ul>{''.join(row(doc, FOLDER) for doc in part)}</ul>{pager}{form}")

    portal.pages["/zwgk/fdzdgk.html"] = str(portal.pages["/zwgk/fdzdgk.html"]).replace(FOLDER, "/zwgk/list.jsp?cid=31")
    portal.pages["/zwgk/list.jsp"] = listing
    return portal


def in_files() -> Portal:
    """The reports are files; their pages hold a title and a link."""
    portal = static_portal("www.fujian2.example", "阜建县")
    for path, doc in portal.expected.items():
        if doc.is_report:
            folder = path.rpartition("/")[0]
            portal.pages[f"{folder}/P0{doc.number}.docx"] = docx("".join(map(par, doc.paragraphs)))
            inner = f"<h1>{doc.title}</h1><div class='TRS_Editor'><p>{doc.title}</p><p><a href='./P0{doc.number}.docx'>{doc.title}.docx</a></p></div>"
            portal.pages[path] = portal.frame(doc.title, inner, portal.metas(doc))
    return portal


def message_service() -> Portal:
    """TrueCMS: #initData holds the first rows, the message service the others."""
    portal = Portal("www.haizhu.example", "海竹区", make_docs("海竹区"))
    column = "/hzqrmzf/fzzf/fzzf.html"
    portal.add_home(column)

    def path(doc: Doc) -> str:
        return f"/hzqrmzf/fzzf/content/{UUID.format(doc.number)}.html"

    def item(doc: Doc) -> str:
        return f"<li><a onclick=\"name2('{path(doc)}')\" href='javascript:void(0)' title='{doc.title}'>{doc.title}</a><span>{doc.day}</span></li>"

    def service(query: Mapping[str, str]) -> str:
        first, last = int(query["startrecord"]), int(query["endrecord"])
        records = "".join(f"<record><![CDATA[\n{item(doc)}]]></record>" for doc in portal.docs[first - 1 : last])
        total = f"<totalrecord>{len(portal.docs)}</totalrecord>"
        return json.dumps(
            {"result": f"<datastore>{total}<recordset>{records}</recordset></datastore>"}, ensure_ascii=False
        )

    script = (
        "<script>$.get('/truecms/messageController/getMessage.do?columnId=c9&startrecord=1&endrecord=15',f);"
        "var p={columnId:'c9',perpage:15,totalRecord:%d,contentTemplate:'t1'};</script>" % len(portal.docs)
    )
    rows = "".join(map(item, portal.docs[:15]))
    portal.pages[column] = portal.frame(
        "法治政府建设", f"<div id='initData' style='display:none'><ul>{rows}</ul></div>{script}", portal.site_metas()
    )
    portal.pages["/truecms/messageController/getMessage.do"] = service
    for doc in portal.docs:
        info = f"<div>信息来源:{doc.source} 发布日期:{doc.date} 阅读次数:</div>"
        portal.add_detail(
            path(doc),
            doc,
            portal.frame(
                doc.title, f"<h1>{doc.title}</h1>{info}<div class='content'>{doc.html()}</div>", portal.metas(doc)
            ),
        )
    return portal


def catalogue_by_script() -> Portal:
    """The openness catalogue is a tree that a script loads as data."""
    portal = static_portal("www.shuzhuang.example", "述庄县")
    portal.pages["/zwgk/fdzdgk.html"] = portal.frame(
        "法定主动公开内容",
        "<div id='tree'></div><script>$.getJSON('/zwgk/data/tree.json',function(d){draw(d);});</script>",
    )
    tree = [
        {"name": "规划计划", "url": "/zwgk/gh/"},
        {"name": "重点领域", "children": [{"name": "法治政府建设", "url": FOLDER}]},
    ]
    portal.pages["/zwgk/data/tree.json"] = json.dumps({"data": tree}, ensure_ascii=False)
    return portal


def ucap_pages() -> Portal:
    """UCAP lists counted from 1, with its counter; bodies of old pages without the tag."""
    portal = Portal("www.kaizhou2.example", "恺舟区", make_docs("恺舟区"))
    folder = "/kzqrmzf/ndbg/"
    portal.add_home(f"{folder}zfxxgk_list.shtml")
    groups = [portal.docs[start : start + 10] for start in range(0, len(portal.docs), 10)]
    for number, part in enumerate(groups, start=1):
        rows = "".join(
            f"<li><a title='{d.title}' href='{folder}{d.day[:4]}{d.day[5:7]}/{HEX.format(d.number)}.shtml'>{d.title[:12]}…</a><span class='time'>{d.day}</span></li>"
            for d in part
        )
        counter = f"<script>createPageHTML('page_div',{len(groups)}, {number},'zfxxgk_list','shtml',{len(portal.docs)});</script>"
        name = "zfxxgk_list.shtml" if number == 1 else f"zfxxgk_list_{number}.shtml"
        portal.pages[f"{folder}{name}"] = portal.frame(
            "法治政府建设", f"<ul class='pageList newsList'>{rows}</ul>{counter}", portal.site_metas()
        )
    for doc in portal.docs:
        table = f"<div class='xxgkml-content'><label><font>索 引 号：</font></label><div class='display-block'>kz-{doc.number}</div></div>"
        inner = f"{table}<h1>{doc.title}</h1><div class='article-content' id='zoomcon'>{doc.html()}</div>"
        portal.add_detail(
            f"{folder}{doc.day[:4]}{doc.day[5:7]}/{HEX.format(doc.number)}.shtml",
            doc,
            portal.frame("栏目", inner, portal.metas(doc)),
        )
    return portal


def led_away() -> Portal:
    """The bare name answers with a move to https and www."""
    portal = static_portal("www.zhuanxiang.example", "砖湘县", aliases=("zhuanxiang.example",))
    portal.pages["//zhuanxiang.example"] = f"{MOVED}https://{portal.host}/"
    return portal


ODD: dict[str, Callable[[], Portal]] = {
    "year_folders": year_folders,
    "undeclared": undeclared,
    "map_for_engines": map_for_engines,
    "scripted_home": scripted_home,
    "in_a_template": in_a_template,
    "in_a_textarea": in_a_textarea,
    "undated": undated,
    "based": based,
    "two_names": two_names,
    "named_fzjs": renamed("法治建设", "www.fajian.example", "珐涧县"),
    "named_pufa": renamed("普法依法治理", "www.pufa.example", "朴珐县"),
    "named_fzqk": renamed("法治政府建设情况", "www.fzqk.example", "枋庄县"),
    "named_yfxz": renamed("依法行政", "www.yfxz.example", "翼坊县"),
    "script_pager": script_pager,
    "form_pager": form_pager,
    "in_files": in_files,
    "message_service": message_service,
    "catalogue_by_script": catalogue_by_script,
    "ucap_pages": ucap_pages,
    "led_away": led_away,
}
