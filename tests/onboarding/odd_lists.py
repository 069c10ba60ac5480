"""Portals whose lists, or whose ways to them, are the oddity: services, pagers without an end, noise around them."""

# ruff: noqa: E501 - markup as portals write it

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from tests.onboarding.odd import FOLDER, name_of, row, static_portal
from tests.onboarding.replica import Doc, Portal, make_docs


def beside_news() -> Portal:
    """The list has no dates; a box of news beside it, of the same shape, has."""
    portal = static_portal(
        "www.pangbian.example", "庞汴县", write_row=lambda doc: f"<li><a href='./{name_of(doc)}'>{doc.title}</a></li>"
    )
    news = "".join(
        f"<li><a href='/xw/202503/t202503{day}_77{day}.html'>庞汴县召开会议第{day}次</a><span>2025-03-{day}</span></li>"
        for day in range(10, 16)
    )
    for path in [path for path in portal.pages if path.startswith(FOLDER) and path.count("/") == 4]:
        portal.pages[path] = str(portal.pages[path]).replace(
            "<ul class='list'>", f"<div class='r'><ul>{news}</ul></div><ul class='list'>"
        )
    return portal


def promised_for_ever() -> Portal:
    """The counter promises 400 pages; behind the third stand stubs without a row."""
    portal = static_portal("www.xuduo.example", "许铎县")
    for path in [path for path in portal.pages if path.startswith(FOLDER) and path.count("/") == 4]:
        portal.pages[path] = str(portal.pages[path]).replace("createPageHTML(3", "createPageHTML(400")
    for number in range(3, 400):
        portal.pages[f"{FOLDER}index_{number}.html"] = (
            "<html><head><title>列表</title></head><body><ul></ul></body></html>"
        )
    return portal


def round_and_round() -> Portal:
    """The last page's next link leads back to the first."""
    portal = static_portal("www.xunhuan.example", "旬环县")
    for number in range(3):
        path = f"{FOLDER}index_{number}.html" if number else FOLDER
        following = f"index_{number + 1}.html" if number < 2 else "index.html"
        page = str(portal.pages[path])
        start = page.index("<script>createPageHTML")
        portal.pages[path] = (
            f"{page[:start]}<a href='{following}'>下一页</a>{page[page.index('</script>', start) + 9 :]}"
        )
    portal.pages[f"{FOLDER}index.html"] = portal.pages[FOLDER]
    return portal


def art(doc: Doc) -> str:
    year, month, day = (int(part) for part in doc.day.split("-"))
    return f"/art/{year}/{month}/{day}/art_88_{doc.number}.html"


def record(doc: Doc) -> str:
    return f"<record><![CDATA[\n<li><a href='{art(doc)}' title='{doc.title}'>{doc.title}</a><span>{doc.day}</span></li>]]></record>"


def jpage_for_ever() -> Portal:
    """Hanweb: every answer names a next group, the total is a lie, what lies behind the end repeats the last group."""
    portal = Portal("www.wuduan.example", "吴端县", make_docs("吴端县"))
    portal.add_home("/col/col88/index.html")
    proxy = "/module/web/jpage/dataproxy.jsp"

    def store(number: int) -> str:
        groups = [portal.docs[start : start + 10] for start in range(0, len(portal.docs), 10)]
        part = groups[min(number, len(groups)) - 1]
        more = (
            f'<nextgroup><![CDATA[<a href="{proxy}?page={number + 1}&webid=3&columnid=88&unitid=5"></a>]]></nextgroup>'
        )
        return f"<datastore>{more}<recordset>{''.join(map(record, part))}</recordset><totalrecord>99999</totalrecord><totalpage>10000</totalpage></datastore>"

    portal.pages["/col/col88/index.html"] = portal.frame(
        "法治政府建设", f"<div id='5'><script type='text/xml'>{store(1)}</script></div>", portal.site_metas()
    )
    portal.pages[proxy] = lambda query: "<?xml version='1.0' encoding='UTF-8'?>" + store(int(query["page"]))
    for doc in portal.docs:
        inner = (
            f"<h1>{doc.title}</h1><p>发布日期：{doc.date} 信息来源：{doc.source}</p><div id='zoom'>{doc.html()}</div>"
        )
        portal.add_detail(art(doc), doc, portal.frame(doc.title, inner, portal.metas(doc)))
    return portal


def jpage_in_column() -> Portal:
    """Hanweb: first rows in the column page, further ones by page numbers; behind the end an empty recordset."""
    portal = Portal("www.zuming.example", "祖明区", make_docs("祖明区"))
    portal.add_home("/col/col88/index.html")
    proxy = "/module/web/jpage/dataproxy.jsp"

    def service(query: Mapping[str, str]) -> str:
        per = int(query.get("perpage", "15"))
        page = int(query.get("page", "0"))
        first = (page - 1) * per + 1 if page else int(query.get("startrecord", "1"))
        last = page * per if page else int(query.get("endrecord", str(first + per - 1)))
        return answer(first, last)

    def answer(first: int, last: int) -> str:
        records = "\n".join(map(record, portal.docs[first - 1 : last]))
        return (
            "<?xml version='1.0' encoding='UTF-8'?>\n<datastore>\n<nextgroup><![CDATA["
            f'<a href="{proxy}?page={last // 15 + 1}&webid=3&columnid=88&unitid=5"></a>]]></nextgroup>\n<recordset>\n{records}\n'
            f"</recordset>\n<totalrecord>{len(portal.docs)}</totalrecord>\n<totalpage>2</totalpage>\n</datastore>"
        )

    portal.pages["/col/col88/index.html"] = portal.frame(
        "法治政府建设", f"<script type='text/xml'>{answer(1, 15).partition('?>')[2]}</script>", portal.site_metas()
    )
    portal.pages[proxy] = service
    for doc in portal.docs:
        inner = f"<div class='bt'>{doc.title}</div><!--ZJEG_RSS.content.begin--><div>{doc.html()}</div><!--ZJEG_RSS.content.end-->"
        portal.add_detail(art(doc), doc, portal.frame(doc.title, inner, portal.metas(doc)))
    return portal


def noisy() -> Portal:
    """Every page has sixty links; departments have catalogues of their own, without reports."""
    portal = static_portal("www.fanza.example", "樊匝市")
    names = ("教育局", "民政局", "财政局", "水利局", "交通运输局", "住建局", "审计局", "统计局", "文旅局", "农业农村局")
    links = "".join(
        f"<li><a href='/bm/{number}/{kind}/'>{name}{said}</a></li>"
        for number, name in enumerate(names)
        for kind, said in (
            ("zn", "信息公开指南"),
            ("ml", "法定主动公开内容"),
            ("nb", "政府信息公开年报"),
            ("gk", "政务公开"),
        )
    )
    for number, name in enumerate(names):
        for kind in ("ml", "gk"):
            rows = "".join(
                f"<li><a href='./202401/t20240101_{number}{n}.html'>{name}召开第{n}次会议</a><span>2024-01-01</span></li>"
                for n in range(8)
            )
            portal.pages[f"/bm/{number}/{kind}/"] = portal.frame(name, f"<ul>{rows}</ul>", portal.site_metas())
    for path in ("/", "/zwgk/", "/zwgk/fdzdgk.html"):
        portal.pages[path] = str(portal.pages[path]).replace(
            "<div class='footer'>", f"<ul>{links}</ul><div class='footer'>"
        )
    return portal


def by_click() -> Portal:
    """Navigation without links: elements that a click leads on from."""
    portal = static_portal("www.dianji.example", "滇积县")
    portal.pages["/zwgk/"] = portal.frame(
        "政务公开", "<ul><li onclick=\"location.href='/zwgk/fdzdgk.html'\"><span>法定主动公开内容</span></li></ul>"
    )
    portal.pages["/zwgk/fdzdgk.html"] = portal.frame(
        "法定主动公开内容", f"<div class='item' data-url='{FOLDER}'>法治政府建设</div><a data-href='/zwgk/gh/'>规划</a>"
    )
    return portal


def in_a_table() -> Portal:
    """An openness catalogue: a table with index number, title, number and day."""
    return static_portal(
        "www.biaoge.example",
        "标鸽县",
        write_row=lambda doc: (
            f"<tr><td>0002/{doc.day[:4]}-{doc.number}</td><td><a href='./{name_of(doc)}' target='_blank'>{doc.title}</a></td>"
            f"<td>无</td><td>{doc.day.replace('-', '年', 1).replace('-', '月')}日</td></tr>"
        ),
        wrap="<table><tr><th>索引号</th><th>名称</th><th>文号</th><th>发布日期</th></tr>%s</table>",
    )


def on_a_bureau_host() -> Portal:
    """The rows lead to the host of the bureau of justice, below the portal's name."""
    host = "sfj.sifa.example"
    return static_portal(
        "www.sifa.example", "思珐县", write_row=lambda doc: row(doc, f"http://{host}{FOLDER}"), aliases=(host,)
    )


def unit_data() -> Portal:
    """gkmlpt: the tree leads to a list service whose answers are cut in pages of fifteen."""
    portal = Portal("www.gangwan.example", "港蔓区", make_docs("港蔓区"), code="4403990001")
    portal.pages["/"] = portal.frame("港蔓区人民政府", "<a href='/gkmlpt/index'>政府信息公开</a>", portal.site_metas())
    tree = [{"id": 1, "name": "法定主动公开内容", "children": [{"id": 77, "name": "法治政府建设", "children": []}]}]
    portal.pages["/gkmlpt/index"] = portal.frame(
        "政府信息公开",
        f"<script>window._CONFIG = {{ SID: '7551', TREE: {json.dumps(tree)} }};</script><div id='app'></div><p>请在目录中选择栏目。</p>",
    )

    def service(query: Mapping[str, str]) -> str:
        page = max(1, int(query.get("page", "1")))
        rows = [
            {"id": doc.number, "title": doc.title, "display_publish_time": f"{doc.date}:00", "publisher": doc.source,
             "url": f"http://{portal.host}/gkmlpt/content/1/{doc.number}/post_{doc.number}.html#77"}
            for doc in portal.docs[(page - 1) * 15 : page * 15]
        ]  # fmt: skip
        return json.dumps(
            {"classify": {"id": 77, "name": "x", "post_count": len(portal.docs)}, "page": page, "articles": rows}
        )

    portal.pages["/gkmlpt/api/all/77"] = service
    for doc in portal.docs:
        detail = json.dumps(
            {
                "id": doc.number,
                "title": doc.title,
                "publisher": doc.source,
                "display_publish_time": f"{doc.date}:00",
                "content": doc.html(),
            }
        ).replace("<", "\\u003C")
        page = portal.frame(
            doc.title,
            f"<script>window._CONFIG = {{ SID: '7551', DETAIL: {detail} }};</script><div id='app'></div><p>本页由平台生成。</p>",
        )
        portal.add_detail(f"/gkmlpt/content/1/{doc.number}/post_{doc.number}.html", doc, page)
    return portal


ODD_LISTS: dict[str, Callable[[], Portal]] = {
    one.__name__: one
    for one in (
        beside_news, promised_for_ever, round_and_round, jpage_for_ever, jpage_in_column, noisy, by_click, in_a_table,
        on_a_bureau_host, unit_data,
    )
}  # fmt: skip
