"""How the families whose rows come from a service write documents as pages."""

# ruff: noqa: E501, UP031 - markup as portals write it

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from connectors.engines.dates import CHINA
from tests.onboarding.replica import Doc, Portal, make_docs

UUID = "7c1d2e3f-0a4b-4c5d-8e6f-{:012d}"
HEX = "{:032x}"


def hanweb_store() -> Portal:
    """Datastore in the page, next group by dataproxy.jsp, for ever named; metas in single quotes; Maketime."""
    portal = Portal("www.qinghe.example", "青禾县", make_docs("青禾县"), attributes="'")
    column = "/col/col1229/index.html"
    portal.add_home(column)

    def row(doc: Doc) -> str:
        return f'<li><a href="{path(doc)}" title="{doc.title}" target="_blank">{doc.title[:18]}...</a><b>{doc.day}</b></li>'

    def path(doc: Doc) -> str:
        year, month, day = (int(part) for part in doc.day.split("-"))
        return f"/art/{year}/{month}/{day}/art_1229_{doc.number}.html"

    def store(number: int) -> str:
        part = portal.docs[(number - 1) * 10 : number * 10]
        records = "\n".join(f"<record><![CDATA[\n{row(doc)}]]></record>" for doc in part)
        return (
            f'<datastore>\n<nextgroup><![CDATA[<a href="/module/web/jpage/dataproxy.jsp?page={number + 1}&webid=1'
            f'&path=/&columnid=1229&unitid=77&webname=x&permissiontype=0"></a>]]></nextgroup>\n<recordset>{records}'
            f"</recordset><totalrecord>{len(portal.docs)}</totalrecord><totalpage>{-(-len(portal.docs) // 10)}</totalpage></datastore>"
        )

    portal.pages[column] = portal.frame(
        "法治政府建设",
        f'<div class="list"><div id="77"><script type="text/xml">{store(1)}</script></div></div>',
        portal.site_metas(),
    )
    portal.pages["/module/web/jpage/dataproxy.jsp"] = lambda query: (
        "<?xml version='1.0' encoding='UTF-8'?>\n" + store(int(query.get("page", "1")))
    )
    for doc in portal.docs:
        inner = (
            f"<div class='position'>当前位置：<a href='/'>首页</a> &gt; <a href='{column}'>法治政府建设</a></div>"
            f"<table class='xxgk'><tr><td>索引号: 002482082/{doc.day[:4]}-{doc.number}</td><td>发布机构: {doc.source}</td></tr>"
            f"<tr><td>文件编号: </td><td>生成日期: {doc.day}</td></tr></table><h1 class='tit'>{doc.title}</h1>"
            f"<div class='artile_zw'><!--<$[信息内容]>begin--><meta name='ContentStart'>{doc.html()}<meta name='ContentEnd'>"
            "<!--<$[信息内容]>end--></div><div class='share'>分享到：</div><a href='javascript:window.print()'>打印本页</a>"
        )
        head = portal.metas(doc) + "<meta name='Maketime' content='2025-06-01 03:00:00'>"
        portal.add_detail(path(doc), doc, portal.frame(doc.title, inner, head))
    return portal


def hanweb_ranges() -> Portal:
    """Rows by ranges of dataproxy.jsp, parameters in the page's script, nothing in the page itself."""
    portal = Portal("www.dongling.example", "东岭县", make_docs("东岭县"), has_metas=False)
    column = "/col/col88/index.html"
    portal.add_home(column)

    def path(doc: Doc) -> str:
        return f"/art/{doc.day[:4]}/art_{HEX.format(doc.number)}.html"

    def service(query: Mapping[str, str]) -> str:
        first, last = int(query["startrecord"]), int(query["endrecord"])
        records = "".join(
            f"<record><![CDATA[<li><span>{doc.day}\n</span><a href='{path(doc)}'>{doc.title}</a></li>]]></record>"
            for doc in portal.docs[first - 1 : last]
            if query.get("unitid") == "4077" and query.get("columnid") == "88"
        )
        return f"<datastore><totalrecord>{len(portal.docs)}</totalrecord><recordset>{records}</recordset></datastore>"

    script = (
        "<script>$('#4077').jpage({perPage:5,totalRecord:%d,proxyUrl:'/module/web/jpage/dataproxy.jsp',"
        "proxyParam:{'col':'1','appid':'1','webid':'12','path':'/','columnid':'88','sourceContentType':'1',"
        "'unitid':'4077','webname':'东岭县','permissiontype':'0'}});</script>" % len(portal.docs)
    )
    portal.pages[column] = portal.frame("法治政府建设", f"<div id='4077'></div>{script}")
    portal.pages["/module/web/jpage/dataproxy.jsp"] = service
    for doc in portal.docs:
        inner = (
            f"<div>您的位置：<a href='/'>首页</a>&gt;<a href='{column}'>法治政府建设</a></div><div class='title'>{doc.title}</div>"
            f"<div class='info'>发布时间：{doc.date} 来源：{doc.source} 浏览次数：<script>visit()</script></div><div id='zoom'>"
            f"{doc.html('div')}</div>"
        )
        portal.add_detail(path(doc), doc, portal.frame(f"{portal.place}人民政府 {doc.title}", inner))
    return portal


def hanweb_jpaas() -> Portal:
    """Rows by the unit service, JSON with markup, page by page; the column is reached by a script redirect."""
    portal = Portal("www.xiliu.example", "溪柳区", make_docs("溪柳区"))
    portal.add_home("/zwgk/fzzf.html")
    portal.pages["/zwgk/fzzf.html"] = "<html><script>window.location.href = '/col/col7/index.html';</script></html>"
    unit = "/api-gateway/jpaas-publish-server/front/page/build/unit"

    def path(doc: Doc) -> str:
        return f"/col/col7/art/{doc.day[:4]}/art_{UUID.format(doc.number)}.html"

    def service(query: Mapping[str, str]) -> str:
        page = json.loads(query["paramJson"])
        part = portal.docs[(page["pageNo"] - 1) * 10 : page["pageNo"] * 10] if query.get("tagId") == "列表" else []
        rows = "".join(
            f"<li><a href='{path(doc)}' title='{doc.title}'>{doc.title}</a><span>{doc.day}</span></li>" for doc in part
        )
        return json.dumps({"success": True, "data": {"html": f"<ul>{rows}</ul>"}}, ensure_ascii=False)

    query = "{'parseType':'bulidstatic','webId':'9','tplSetId':'abc','pageType':'column','tagId':'列表','pageId':'7'}"
    portal.pages["/col/col7/index.html"] = portal.frame(
        "法治政府建设", f'<div id="main"><script url="{unit}" queryData="{query}"></script></div>', portal.site_metas()
    )
    portal.pages[unit] = service
    for doc in portal.docs:
        inner = f"<h1>{doc.title}</h1><div class='con'><div id='zoom' class='zoom'>{doc.html()}</div></div>"
        portal.add_detail(path(doc), doc, portal.frame(doc.title, inner, portal.metas(doc)))
    return portal


def gkmlpt() -> Portal:
    """The catalogue tree leads to a JSON list; bodies are JSON in _CONFIG.DETAIL."""
    portal = Portal("www.haitang.example", "海棠区", make_docs("海棠区"), code="4405990001")
    portal.add_home("/gkmlpt/index")
    tree = [
        {"id": 5, "name": "概况", "children": [{"id": 6, "name": "机构职能", "children": []}]},
        {"id": 8, "name": "工作动态", "children": [{"id": 4312, "name": "法治政府建设年度报告", "children": []}]},
    ]
    portal.pages["/zwgk/fdzdgk.html"] = portal.frame("法定主动公开内容", "<a href='/gkmlpt/index'>政府信息公开目录</a>")
    config = json.dumps(tree)
    portal.pages["/gkmlpt/index"] = portal.frame(
        "政府信息公开",
        f"<script>window._CONFIG = {{ SID: '440599', TREE: {config}, APP: 1 }};</script><div id='app'></div>"
        "<p>政府信息公开平台提供目录检索服务，公众可以在左侧目录中选择栏目。</p>",
    )

    def path(doc: Doc) -> str:
        return f"/gkmlpt/content/9/{doc.number // 1000}/post_{doc.number}.html"

    def stamp(doc: Doc) -> int:
        return int(datetime.strptime(doc.date, "%Y-%m-%d %H:%M").replace(tzinfo=CHINA).timestamp())

    def service(query: Mapping[str, str]) -> str:
        page = int(query["page"])
        rows = [
            {"id": doc.number, "title": doc.title, "date": stamp(doc), "publisher": doc.source,
             "url": f"http://{portal.host}{path(doc)}#4312", "document_number": ""}
            for doc in portal.docs[(page - 1) * 12 : page * 12]
        ]  # fmt: skip
        return json.dumps({"classify": {"id": 4312, "post_count": len(portal.docs)}, "page": page, "articles": rows})

    portal.pages["/gkmlpt/api/all/4312"] = service
    for doc in portal.docs:
        detail = json.dumps(
            {"id": doc.number, "title": doc.title, "publisher": doc.source, "date": stamp(doc), "identifier": f"11440599/{doc.number}",
             "document_number": "无", "content": doc.html()}
        ).replace("<", "\\u003C")  # fmt: skip
        page = portal.frame(
            "政府信息公开",
            f"<script>window._CONFIG = {{ SID: '440599', DETAIL: {detail} }};</script><div id='app'></div>"
            "<p>本页由政府信息公开平台生成，如有疑问请联系主办单位。</p>",
        )
        portal.add_detail(path(doc), doc, page)
    return portal


def ucap_shell() -> Portal:
    """A column page without rows: they come from the JSON search by channel id."""
    portal = Portal("www.kaiyun.example", "开昀区", make_docs("开昀区"))
    channel = HEX.format(77)
    portal.add_home("/kyqrmzf/fzzf/xxgk_list.shtml")
    portal.pages["/kyqrmzf/fzzf/xxgk_list.shtml"] = portal.frame(
        "法治政府建设",
        "<div class='list' id='page_div'></div><script src='/kyqrmzf/xhtml/js/list.js'></script>",
        portal.site_metas()
        + f'<meta name="channelid" content="{channel}"><meta name="others" content="页面生成时间 2025-01-01 01:01:01">',
    )

    def path(doc: Doc) -> str:
        return f"/kyqrmzf/fzzf/{doc.day[:4]}{doc.day[5:7]}/{HEX.format(doc.number)}.shtml"

    def service(query: Mapping[str, str]) -> str:
        page, size = int(query["page"]), int(query["_pageSize"])
        part = portal.docs[(page - 1) * size : page * size]
        results = [{"title": doc.title, "url": path(doc), "publishedTimeStr": doc.date} for doc in part]
        return json.dumps({"data": {"total": len(portal.docs), "page": page, "rows": size, "results": results}})

    portal.pages[f"/common/search/{channel}"] = service
    for doc in portal.docs:
        inner = f"<h1><ucaptitle>{doc.title}</ucaptitle></h1><div id='zoomcon'><ucapcontent>{doc.html()}</ucapcontent></div>"
        portal.add_detail(path(doc), doc, portal.frame("法治政府建设", inner, portal.metas(doc)))
    return portal


def webims() -> Portal:
    """Columns and articles by uuid; further rows by list blocks; ids of the article in capitals."""
    portal = Portal("www.jiyuan.example", "冀原县", make_docs("冀原县"), attributes="'")
    root = f"/columns/{UUID.format(1)}"
    block = f"{root}/templates/{UUID.format(2)}/blocks/{UUID.format(3)}"
    portal.add_home(f"{root}/index.html")

    def path(doc: Doc) -> str:
        return f"{root}/{doc.day[:4]}{doc.day[5:7]}/{doc.day[8:]}/{UUID.format(doc.number)}.html"

    def rows(number: int) -> str:
        part = portal.docs[(number - 1) * 12 : number * 12]
        return "".join(f"<li><A HREF='{path(doc)}'>{doc.title}</A><span>{doc.day}</span></li>" for doc in part)

    portal.pages[f"{root}/index.html"] = portal.frame(
        "法治政府建设", f"<ul>{rows(1)}</ul><script>loadBlock('{block}', 1);</script>", portal.site_metas()
    )
    portal.pages[block] = lambda query: f"<ul>{rows(int(query['page']))}</ul>"
    for doc in portal.docs:
        inner = (
            f"<div id='biaoti'>{doc.title}</div><table id='titN'><tr><td>发布时间：{doc.date}</td><td>来源：{doc.source}</td></tr></table>"
            f"<div id='conN'>{doc.html()}</div>"
        )
        portal.add_detail(
            path(doc), doc, portal.frame(doc.title, inner, portal.metas(doc)) + "<!-- published by WebIMS -->"
        )
    return portal
