"""Lists in every dialect that the families are known to use. All places are invented."""

from __future__ import annotations

import json
import re

import pytest

from connectors.engines import engine_names
from connectors.errors import SourceChanged
from tests.connectors.engine_pages import HEX, SITE, UUID, discover, rows

TRS_ROWS = {
    "list": """<ul class=x><li><a href="./202301/t20230105_12.html"
      title="云岭县2022年法治政府建设情况报告">云岭县2022年法治政府…</a>
      <span>2023-01-06</span></li><li><a href="./202201/t20220110_11.html">云岭县2021年法治政府建设情况报告</a>
      <span>[2022-01-11]</span></li></ul>""",
    "table": """<table><tr class=zcwjk-list-c><td><p class=tit><a
      href="202301/t20230105_12.html">云岭县2022年法治政府建设情况报告</a></p>
      <p class=info><span>发文字号 ：云政发〔2023〕1号</span><span>成文日期 ：2023-01-02</span>
      <span>发布日期 ：2023-01-06</span></p></td></tr>
      <tr><td><p><a href="202201/t20220110_11.html">云岭县2021年法治政府建设情况报告</a></p><p>
      <span>发布日期 ：2022-01-11</span></p></td></tr></table>""",
    "link around": """<ul><a href="./202301/t20230105_12.html"><li><p>云岭县2022年法治政府建设情况报告</p>
      <span>2023-01-06</span></li></a>
      <a href="./202201/t20220110_11.html"><li><p>云岭县2021年法治政府建设情况报告</p><span>2022-01-11</span></li>
      </a></ul>""",
    "siblings": """<div><a href="./202301/t20230105_12.html">云岭县2022年法治政府建设情况报告</a><b>2023-01-06</b>
      <a href="./202201/t20220110_11.html">云岭县2021年法治政府建设情况报告</a><b>2022-01-11</b></div>""",
    "date twice": """<ul><li><span class=mhide>2023-01-06</span><a title="云岭县2022年法治政府建设情况报告"
      href="./202301/t20230105_12.html">云岭县2022年</a>
      <span class=pchide>2023-01-06</span></li><li><span>2022-01-11</span><a href="./202201/t20220110_11.html"
      title="云岭县2021年法治政府建设情况报告">云岭县2021年</a><span>2022-01-11</span></li></ul>""",
    "definition list": """<dl><dt><a href="./202301/t20230105_12.html">·云岭县2022年法治政府建设情况报告</a></dt>
      <dd>2023年1月6日</dd>
      <dt><a href="./202201/t20220110_11.html">·云岭县2021年法治政府建设情况报告</a></dt><dd>2022年1月11日</dd>
      </dl>""",
    "groups": """<div class=list_base><ul><li><a
      href="./202301/t20230105_12.html">云岭县2022年法治政府建设情况报告</a><em></em>
      <span class=bf-pass>2023-01-06</span></li></ul>
      <ul><li><a href="./202201/t20220110_11.html">云岭县2021年法治政府建设情况报告</a><em></em>
      <span>2022-01-11</span></li></ul></div>""",
    "script": """<script>document.writeln("<li>
      <a href='./202301/t20230105_12.html'>云岭县2022年法治政府建设情况报告</a><span>2023-01-06</span></li>");
      document.writeln("<li><a href='./202201/t20220110_11.html'>云岭县2021年法治政府建设情况报告</a>
      <span>2022-01-11</span></li>");</script>""",
    "script variables": """<script>var url="./202301/t20230105_12.html"; var
      title="云岭县2022年法治政府建设情况报告"; var time="2023-01-06"; show(url,title,time);
      var url="./202201/t20220110_11.html"; var title="云岭县2021年法治政府建设情况报告"; var time="2022-01-11";
      show(url,title,time);</script>""",
}


@pytest.mark.parametrize("dialect", TRS_ROWS)
def test_trs_rows_are_found_in_every_dialect(dialect: str) -> None:
    assert rows(discover("trs", f"<html><body>{TRS_ROWS[dialect]}</body></html>")) == [
        ("/fzzf/202301/t20230105_12.html", "云岭县2022年法治政府建设情况报告", "2023-01-06"),
        ("/fzzf/202201/t20220110_11.html", "云岭县2021年法治政府建设情况报告", "2022-01-11"),
    ]


def test_boxes_of_undated_links_are_not_the_list() -> None:
    links = (f'<p><a href="/ztzl/202001/t20200101_{number}.html">专题</a></p>' for number in (1, 2))
    box = f"<div>{''.join(links)}</div>"
    assert len(discover("trs", box + TRS_ROWS["list"]).refs) == 2
    assert len(discover("trs", box).refs) == 2, "a list without any dates is a list"


@pytest.mark.parametrize(
    ("text", "attribute", "title"),
    [
        ("云岭县2022年法治…", "云岭县2022年法治政府建设情况报告", "云岭县2022年法治政府建设情况报告"),
        (
            "云岭县2022年法治...",
            "标题：云岭县2022年法治政府建设情况报告&#10;发布时间：2023-01-05",
            "云岭县2022年法治政府建设情况报告",
        ),
        ("[通知]关于停水的公告", "关于停水的公告", "关于停水的公告"),
        ("关于停水的公告", "点击打开", "关于停水的公告"),
        ("关于停水的公告", "", "关于停水的公告"),
        ("<img src=x>", "关于停水的公告", "关于停水的公告"),
        ("·<b>关于</b>停水<br>2023-01-05", "", "关于停水"),
    ],
)
def test_the_fuller_wording_of_a_title(text: str, attribute: str, title: str) -> None:
    page = f'<li><a href="./202301/t20230105_1.html" title="{attribute}">{text}</a><i>2023-01-05</i></li>'
    assert discover("trs", page).refs[0].title == title


def test_rows_on_other_hosts_are_set_apart() -> None:
    page = TRS_ROWS["list"].replace("./202301", "https://www.province.gov.cn/a/202301")
    listing = discover("trs", page)
    assert [ref.url for ref in listing.refs] == [f"{SITE}/fzzf/202201/t20220110_11.html"]
    assert listing.foreign == ("https://www.province.gov.cn/a/202301/t20230105_12.html",)


def test_impossible_dates_stay_unknown_and_their_rows_stay() -> None:
    page = TRS_ROWS["list"].replace("2023-01-06", "2019-21-18")
    assert [ref.listed_date for ref in discover("trs", page).refs] == [None, "2022-01-11"]


@pytest.mark.parametrize(
    ("engine", "url", "script", "pages"),
    [
        ("trs", "/fzzf/", 'createPageHTML(3, 0, "index", "html");', ["index_1.html", "index_2.html"]),
        ("trs", "/fzzf/index.shtml", 'createPageHTML(3,0,"index","shtml")', ["index_1.shtml", "index_2.shtml"]),
        ("trs", "/fzzf/", "createPage(3, 0, 'index', 'html')", ["index_1.html", "index_2.html"]),
        ("trs", "/fzzf/index_1.html", 'createPageHTML(3, 1, "index", "html");', ["index_2.html"]),
        ("trs", "/fzzf/index_2.html", 'createPageHTML(3, 2, "index", "html");', []),
        ("trs", "/fzzf/", 'createPageHTML(1, 0, "index", "html");', []),
        ("trs", "/fzzf/", "var currentPage = 0; var countPage = 3;", ["index_1.html", "index_2.html"]),
        ("ucap", "/fzzf/xxgk_list.shtml", "createPageHTML('page_div',3, 1,'xxgk_list','shtml',45);",
         ["xxgk_list_2.shtml", "xxgk_list_3.shtml"]),
        ("ucap", "/fzzf/xxgk_list_2.shtml", "createPageHTML('page_div',3, 2,'xxgk_list','shtml',45);",
         ["xxgk_list_3.shtml"]),
        ("ucap", "/fzzf/list.shtml", "createPageHTML('page_div',3, 0,'list','shtml',45);",
         ["list_1.shtml", "list_2.shtml"]),
        ("trs", "/fzzf/", 'createPageHTML(3, 0, "../../evil", "html");', []),
    ],
)  # fmt: skip
def test_page_counters(engine: str, url: str, script: str, pages: list[str]) -> None:
    definition = "function createPageHTML(_nPageCount, _nCurrIndex, _sPageName, _sPageExt){if(a<=1)return;}"
    listing = discover(engine, f"{TRS_ROWS['list']}{ucap_row(1)}<script>{definition}\n{script}</script>", SITE + url)
    assert [more.rpartition("/")[2] for more in listing.more] == pages
    assert all(more.startswith(SITE + "/fzzf/") for more in listing.more)
    assert listing.stated_total == (45 if "45" in script else None)


def ucap_row(number: int) -> str:
    return (
        f'<li><a href="/fzzf/20230{number}/{HEX}.shtml">云岭县第{number}号公告</a>'
        f'<span class="time">2023-0{number}-05</span></li>'
    )


def test_page_links_without_a_counter() -> None:
    row = '<a href="/cms/html/9/2023/20230105101112123456789/20230105101112123456789_1.html">报告</a>2023-01-05'
    pager = '共33条记录 第1/3页 <a href="column_9_2.html">下一页</a><a href="column_9_3.html">尾页</a>'
    pager += '<a href="/x_9.html">9</a>'
    listing = discover("cms_html", row + pager, f"{SITE}/cms/html/9/column_9_1.html")
    assert [more.rpartition("/")[2] for more in listing.more] == ["column_9_2.html", "column_9_3.html"]
    assert listing.stated_total == 33
    last = discover("cms_html", row + pager.replace("1/3", "3/3"), f"{SITE}/cms/html/9/column_9_3.html")
    assert last.more == ()


def test_a_page_that_is_no_list_is_a_changed_source_but_an_empty_later_page_is_an_end() -> None:
    for engine in engine_names():
        with pytest.raises(SourceChanged, match="no row of the"):
            discover(engine, "<html><body><p>维护中</p></body></html>")
        assert discover(engine, "<html><body>404</body></html>", f"{SITE}/fzzf/index_7.html").refs == ()


def test_a_script_redirect_leads_on() -> None:
    assert discover("truecms", '<script>location.href="/yl/fzzf/fzzf.html"</script>').more == (
        f"{SITE}/yl/fzzf/fzzf.html",
    )
    with pytest.raises(SourceChanged):
        discover("truecms", '<script>location.href="https://evil.example.com/"</script>')


def test_ucap_json_service_is_a_list() -> None:
    results = [
        {
            "title": "云岭县<em>2022</em>年报告",
            "url": f"/fzzf/202301/{HEX}.shtml",
            "publishedTimeStr": "2023-01-05 10:11:12",
        },
        {"title": "云岭县2021年报告", "url": f"{SITE}/fzzf/202201/{HEX[::-1]}.shtml", "publishedTime": 1641780000000},
        {"title": "别站", "url": "https://evil.example.com/x.shtml"},
        {"title": 5, "url": None},
        "x",
    ]
    answer = json.dumps({"data": {"total": 33, "page": 1, "rows": 15, "results": results}, "code": 200})
    url = f"{SITE}/common/search/{HEX}?page=1&_pageSize=15&_isAgg=true&_isJson=true&_template=index"
    listing = discover("ucap", answer, url, "data")
    assert rows(listing) == [
        (f"/fzzf/202301/{HEX}.shtml", "云岭县2022年报告", "2023-01-05"),
        (f"/fzzf/202201/{HEX[::-1]}.shtml", "云岭县2021年报告", "2022-01-10"),
    ]
    assert listing.more == tuple(url.replace("page=1&", f"page={number}&") for number in (2, 3))
    assert listing.stated_total == 33
    assert listing.foreign == ("https://evil.example.com/x.shtml",)
    for junk in ("{}", '{"data": 5}', "[" * 100000, '{"data": {"results": "x"}}'):
        with pytest.raises(SourceChanged, match="no answer of the list service"):
            discover("ucap", junk, url, "data")


def test_ucap_shell_leads_to_its_sub_columns_or_its_service() -> None:
    shell = (
        '<a href="/xw/list.shtml">新闻</a><a href="fz/xxgk_list.shtml">法治</a><a href="gk/xxgk_list.shtml">公开</a>'
    )
    assert discover("ucap", shell, f"{SITE}/zfxx/xxgk_lists.shtml").more == (
        f"{SITE}/zfxx/fz/xxgk_list.shtml",
        f"{SITE}/zfxx/gk/xxgk_list.shtml",
    )
    empty = f'<meta name="channelid"content="{HEX}"><div id=list></div>'
    assert discover("ucap", empty, f"{SITE}/zfxx/xxgk_list.shtml").more == (
        f"{SITE}/common/search/{HEX}?page=1&_pageSize=15&_isAgg=true&_isJson=true&_template=index",
    )


def true_row(number: int, *, click: bool = False) -> str:
    address = f"/yl/fzzf/content/{UUID}{number}.html"
    link = f"""href="javascript:void(0)" onclick="name2('{address}')\"""" if click else f'href="{address}"'
    return f"<li><a {link} title='云岭县第{number}号公告'>云岭县…</a><span>2023-01-0{number}</span></li>"


def test_truecms_rows_and_the_ranges_of_its_service() -> None:
    page = f"""<div id=initData style="display:none"><ul>{true_row(1)}{true_row(2, click=True)}</ul></div><script>
    var cfg={{columnId:'c-1',contentTemplate:'list_li',perpage:2,totalRecord:5,
      url:'/TrueCMS/messageController/getMessage.do'}};</script>"""
    listing = discover("truecms", page, f"{SITE}/yl/fzzf/fzzf.html")
    assert rows(listing) == [
        (f"/yl/fzzf/content/{UUID}1.html", "云岭县第1号公告", "2023-01-01"),
        (f"/yl/fzzf/content/{UUID}2.html", "云岭县第2号公告", "2023-01-02"),
    ]
    service = f"{SITE}/TrueCMS/messageController/getMessage.do?columnId=c-1"
    assert listing.more == (
        f"{service}&startrecord=3&endrecord=4&perpage=2&contentTemplate=list_li",
        f"{service}&startrecord=5&endrecord=6&perpage=2&contentTemplate=list_li",
    )
    assert listing.stated_total == 5
    lower = page.replace("/TrueCMS/", "/truecms/").replace("columnId:'c-1'", 'columnId = "c-1"')
    assert "/truecms/messageController/" in discover("truecms", lower, f"{SITE}/yl/fzzf/fzzf.html").more[0]


@pytest.mark.parametrize("shell", ["{}", "cb123({});", "/**/ jQuery1.x_2 ( {} )"])
def test_truecms_service_answers(shell: str) -> None:
    records = "".join(f"<record><![CDATA[\n{true_row(number, click=number == 2)}]]></record>" for number in (1, 2))
    answer = json.dumps(
        {"result": f"<datastore><totalrecord>9</totalrecord><recordset>{records}</recordset></datastore>"}
    )
    url = f"{SITE}/TrueCMS/messageController/getMessage.do?columnId=c-1&startrecord=1&endrecord=4&perpage=4"
    for kind in ("html", "data"):
        listing = discover("truecms", shell.replace("{}", answer), url, kind)
        assert [ref.listed_date for ref in listing.refs] == ["2023-01-01", "2023-01-02"]
        assert listing.more == () and listing.stated_total == 9


def test_truecms_halves_a_range_that_comes_back_empty() -> None:
    answer = '{"result": "<datastore><totalrecord>9</totalrecord><recordset></recordset></datastore>"}'
    url = f"{SITE}/TrueCMS/messageController/getMessage.do?columnId=c-1&startrecord=5&endrecord=8&perpage=4"
    assert [re.findall(r"record=(\d)", more) for more in discover("truecms", answer, url, "data").more] == [
        ["5", "6"],
        ["7", "8"],
    ]
    one = url.replace("endrecord=8", "endrecord=5")
    assert discover("truecms", answer, one, "data").more == ()
