"""The families: lists in all known dialects, details, feeds; then the real corpus. All other places are invented."""

from __future__ import annotations

import contextlib
import json
import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import Article, Listing, Page, PageRef
from connectors.engines import engine_names, get_engine
from connectors.engines.dates import find_date, find_folder_time, find_url_day, parse_moment
from connectors.engines.feed import parse_feed
from connectors.engines.labels import read_labels
from connectors.engines.meta import read_meta
from connectors.errors import SourceChanged, SourceError
from connectors.registry import Source, load_sources
from connectors.urls import canonical, document_key
from extraction.clean import parse_html
from extraction.decode import decode

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures" / "engines"
SITE = "https://www.yunling.gov.cn"
HEX = "0123456789abcdef0123456789abcdef"
UUID = "0a1b2c3d-0000-4000-8000-00000000000"


def make_source(engine: str, **more: object) -> Source:
    return Source.model_validate(
        {
            "id": "990101_yunling",
            "name_zh": "云岭县人民政府",
            "name_en": "Yunling County",
            "region_code": "990101",
            "engine": engine,
            "start": [{"url": f"{SITE}/fzzf/"}],
            "assertions": {"min_list_rows": 1, "report_years": [2022]},
            **more,
        }
    )


def make_page(text: str, url: str, kind: str = "html") -> Page:
    return Page(url, decode(text.encode("utf-8", "replace"), "text/html; charset=utf-8"), kind)


def discover(engine: str, text: str, url: str = f"{SITE}/fzzf/index.html", kind: str = "html") -> Listing:
    return get_engine(engine).discover(make_page(text, url, kind), make_source(engine))


def read(engine: str, text: str, url: str, ref: PageRef | None = None, kind: str = "html", **source: object) -> Article:
    return get_engine(engine).read(make_page(text, url, kind), make_source(engine, **source), ref)


def rows(listing: Listing) -> list[tuple[str, str | None, str | None]]:
    return [(ref.url.removeprefix(SITE), ref.title, ref.listed_date) for ref in listing.refs]


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


DETAIL = FIXTURES / "trs_detail.html"


def test_trs_detail_with_index_table() -> None:
    article = read("trs", DETAIL.read_text(encoding="utf-8"), f"{SITE}/fzzf/202301/t20230105_12.html")
    assert article.title == "云岭县2022年法治政府建设情况报告"
    assert (article.published_at, article.published_from) == ("2023-01-06T09:08:07+08:00", "meta")
    assert (article.content_source, article.publisher) == ("云岭县司法局", "云岭县人民政府办公室")
    assert (article.index_no, article.document_no) == ("990101001/2023-00007", "云政发〔2023〕3号")
    assert article.site_id_code == "9901010001"
    assert article.body.text == (
        "2022年，全县办理行政复议案件126件，审结120余件。\n类别 | 件数\n行政复议 | 126\n云岭县人民政府\n2023年1月5日"
    )
    assert [(item.url, item.name) for item in article.attachments] == [
        (f"{SITE}/fzzf/202301/P020230106.docx", "云岭县2022年报告.docx")
    ]
    assert article.notes == ("spam_removed",)


@pytest.mark.parametrize(
    "change",
    [
        lambda page: re.sub(r'class="[^"]*"', 'class="k1"', page),
        lambda page: re.sub(r'\bid="[^"]*"', 'id="k2"', page),
        lambda page: re.sub(r'\b(?:class|id)="[^"]*"', "", page),
        lambda page: re.sub(r'="([^"\']*)"', r"='\1'", page),
        lambda page: re.sub(r" content=", "content=", page),
        lambda page: re.sub(r"<meta name=\"\w+\"", lambda match: match[0].upper(), page),
        lambda page: page.replace("</td>", "\n</td>").replace("<td>", "<td>\n  <span>").replace("<th>", "<th>　"),
        lambda page: page.replace("</body></html>", ""),
    ],
)
def test_trs_detail_whatever_the_names_and_quotes(change) -> None:
    page = DETAIL.read_text(encoding="utf-8")
    url = f"{SITE}/fzzf/202301/t20230105_12.html"
    changed, plain = read("trs", change(page), url), read("trs", page, url)
    for name in ("title", "published_at", "content_source", "publisher", "index_no", "document_no", "attachments"):
        assert getattr(changed, name) == getattr(plain, name), name
    assert changed.body.text == plain.body.text


def test_without_metas_labels_and_the_row_speak() -> None:
    page = re.sub(r"<meta[^>]*>", "", DETAIL.read_text(encoding="utf-8"))
    url = f"{SITE}/fzzf/202301/t20230105_12.html"
    article = read("trs", page, url)
    assert article.title == "云岭县2022年法治政府建设情况报告"
    assert (article.published_at, article.published_from) == ("2023-01-06", "label")
    bare = re.sub(r"<table.*?</table>", "", page, count=1, flags=re.S)
    ref = PageRef(url, "云岭县2022年法治政府建设情况的报告", "2023-01-07")
    article = read("trs", bare, url, ref)
    assert (article.title, article.published_at, article.published_from) == (ref.title, "2023-01-07", "list")
    article = read("trs", bare, url)
    assert (article.published_at, article.published_from) == ("2023-01-05", "url")
    assert article.index_no is None and article.document_no is None and article.content_source is None


def test_a_source_written_by_a_script() -> None:
    page = """<div class=bar><span>日期:</span><span>2023-01-06</span>
      <script>if("x"!=""){document.write('<span>来源：</span><span class="con">云岭县水务局</span>');}</script></div>
    <div class="TRS_UEDITOR"><p>定于1月8日停水。</p></div>"""
    article = read("trs", page, f"{SITE}/a/t20230105_1.html")
    assert (article.content_source, article.published_at) == ("云岭县水务局", "2023-01-06")


def test_ucap_detail() -> None:
    page = f"""<meta name="PubDate"content="2023-01-06 10:11"><meta name="others"
      content="页面生成时间 2024-05-05 05:05:05">
    <title>云岭县<b>2022</b>年报告_云岭县</title><table><tr><td><label><font>索&nbsp;引&nbsp;号：</font></label>
      <div class="display-block">99/2023-1</div></td>
    <td><label><font>发布机构：</font></label><div class="display-block">云岭县司法局</div></td></tr><tr><td><label>
      <font>文　　号：</font></label><div class="display-block"></div></td>
    <td><label><font>发文日期：</font></label><div>2023-01-02</div></td></tr></table><h1>
      <UCAPTITLE>云岭县2022年报告</UCAPTITLE></h1>
    <span>来源：云岭县政府办</span><div id="zoomcon"><UCAPCONTENT><p>办结<span>3</span>5件。</p></UCAPCONTENT></div>
    <div id="fj"><a href="\n/fzzf/files/{HEX}.docx\n\n">报告.docx</a></div>"""
    article = read("ucap", page, f"{SITE}/fzzf/202301/{HEX}.shtml")
    assert (article.title, article.published_at) == ("云岭县2022年报告", "2023-01-06T10:11:00+08:00")
    assert (article.index_no, article.document_no, article.publisher) == ("99/2023-1", None, "云岭县司法局")
    assert article.content_source == "云岭县政府办"
    assert article.body.text == "办结35件。"
    assert [item.url for item in article.attachments] == [f"{SITE}/fzzf/files/{HEX}.docx"]


def test_a_publication_date_that_is_the_generation_time_yields_to_the_page() -> None:
    page = """<meta name=PubDate content="2023-01-06 14:01:14"><meta name=others
      content="页面生成时间 2023-01-06 14:01:14">
    <span>发布时间：2023-01-06 13:57</span><div id=zoomcon><p>办结5件。</p></div>"""
    article = read("ucap", page, f"{SITE}/fzzf/202301/{HEX}.shtml")
    assert (article.published_at, article.published_from) == ("2023-01-06T13:57:00+08:00", "label")


CMS = f"{SITE}/cms/html/9/2023/20230105101112123456789/20230105101112123456789_1.html"


@pytest.mark.parametrize(
    ("printed", "wanted"),
    [
        ("2023-01-05", ("2023-01-05T10:11:12+08:00", "url_folder")),
        ("2023-02-07", ("2023-02-07", "label")),
        ("2019-21-18", ("2023-01-05T10:11:12+08:00", "url_folder")),
        ("", ("2023-01-05T10:11:12+08:00", "url_folder")),
    ],
)
def test_the_folder_holds_the_time_of_the_printed_day(printed: str, wanted: tuple[str, str]) -> None:
    page = f"""<TABLE><TR><TD id=ArticleTitle>云岭县2022年报告</TD></TR><TR>
      <TD>发布时间：{printed} &nbsp; 来源： &nbsp; 浏览次数：<SCRIPT></SCRIPT> 【字号：<A>大</A>】</TD></TR>
    <TR><TD id=ContentBox><!--content begin--><P>办结5件。</P><!--content end--></TD></TR></TABLE>"""
    article = read("cms_html", page, CMS)
    assert (article.published_at, article.published_from) == wanted
    assert (article.title, article.content_source, article.body.text) == ("云岭县2022年报告", None, "办结5件。")


def test_truecms_detail_with_an_empty_date_and_no_number() -> None:
    page = """<meta name='ArticleTitle' content='云岭县2022年报告'/><table><tr><td><b>索 引 号</b></td>
      <td>9-5/2023-1</td><td><b>分&nbsp;&nbsp;类</b></td><td> / 报告</td></tr>
    <tr><td><b>发布机构</b></td><td>云岭县司法局</td><td><b>发文日期</b></td><td></td></tr><tr><td><b>文&nbsp;号</b>
      </td><td>无号</td><td><b>主 题 词</b></td><td></td></tr></table>
    <div class="info">信息来源:云岭 发布日期:2023-01-06 16:58 阅读次数:<span id=hits></span></div>
      <div class=content id=zoom><p>办结5件。</p></div>"""
    article = read("truecms", page, f"{SITE}/yl/fzzf/content/{UUID}1.html")
    assert (article.published_at, article.published_from) == ("2023-01-06T16:58:00+08:00", "label")
    assert (article.index_no, article.document_no, article.publisher) == ("9-5/2023-1", None, "云岭县司法局")
    assert article.content_source == "云岭"


@pytest.mark.parametrize(
    ("markup", "wanted"),
    [
        ("<table><tr><th>索 引 号:</th><td>1/2</td><th>文　号</th><td></td></tr></table>", {"index_no": "1/2"}),
        ("<dl><dt>文号：</dt><dd>云政发〔2023〕1号</dd><dt>来源</dt><dd>县府办</dd></dl>",
         {"document_no": "云政发〔2023〕1号", "content_source": "县府办"}),
        ("<ul><li><b>索引号：</b>1/2</li><li><span>文号：</span><span>无</span></li></ul>", {"index_no": "1/2"}),
        ("<td>索<span>引</span>号</td><td>1/2</td>", {"index_no": "1/2"}),
        ("<p>来源：<a href=x>县融媒体中心</a> 作者：张</p>", {"content_source": "县融媒体中心"}),
        ("<p>文号：</p><p>各乡镇人民政府：</p>", {}),
        ("<div>页面生成时间：2023-01-06 10:00</div>", {}),
        ("<div><div>发布机构</div><div>县司法局</div></div>", {"publisher": "县司法局"}),
        ("<form><select><option>标题</option></select></form>", {}),
        ("<p>发布时间：2023年1月6日 9:05　来源：县府办　字体：大 中 小</p>",
         {"published": "2023-01-06T09:05:00+08:00", "content_source": "县府办"}),
        ("<table><tr><td>文号</td><td>云政发〔2023〕1号</td></tr><tr><td>发布机构</td><td></td></tr><tr><td>标题</td><td>甲乙丙丁</td></tr></table>",
         {"document_no": "云政发〔2023〕1号", "title": "甲乙丙丁"}),
    ],
)  # fmt: skip
def test_labels(markup: str, wanted: dict[str, str]) -> None:
    assert read_labels(parse_html(f"<body>{markup}</body>"), None) == wanted


def test_metas_in_any_spelling() -> None:
    page = """<META NAME=pubdate CONTENT=""><meta name='PubDate'content='2023-01-06 10:00'><meta name="pubDate"
      content="2020-01-01">
    <body><meta name="ContentSource" content="县&amp;nbsp;司法局"><meta name="ArticleTitle" content="甲<br>乙">
      </body>"""
    meta = read_meta(parse_html(page))
    assert meta == {"pubdate": "2023-01-06 10:00", "contentsource": "县 司法局", "articletitle": "甲乙"}


def test_an_article_in_its_attachments() -> None:
    page = '<h1>云岭县2022年报告</h1><p><a href="/f/1.docx">云岭县2022年报告.docx</a></p>'
    url = f"{SITE}/a/t20230105_1.html"
    article = read("trs", page, url, PageRef(url, "云岭县2022年报告"))
    assert article.body.text == "" and len(article.attachments) == 1
    assert set(article.notes) == {"no_body", "short_body"}


@pytest.mark.parametrize(
    "page",
    [
        "<title>404</title><div><p>您访问的页面不存在，请检查地址。</p></div>",
        "<div><p>系统维护中，请稍后再试。</p><a href=/help.docx>说明.docx</a></div>",
    ],
)
def test_an_error_page_served_as_200_is_no_article(page: str) -> None:
    url = f"{SITE}/a/t20230105_1.html"
    for ref in (None, PageRef(url, "云岭县2022年法治政府建设情况报告", "2023-01-05")):
        with pytest.raises(SourceChanged, match="no body"):
            read("trs", page, url, ref)


def test_no_body_is_a_changed_source_and_a_source_selector_is_final() -> None:
    for engine in engine_names():
        with pytest.raises(SourceChanged, match=r"no body of the .* state selectors\.body"):
            read(engine, "<html><body><a href=/>首页</a></body></html>", f"{SITE}/x.html")
    page = "<div class='main txt'><p>办结5件，均已公开。</p></div><div class=TRS_Editor>别的</div>"
    article = read("trs", page, f"{SITE}/x.html", selectors={"body": "div.txt"})
    assert article.body.text == "办结5件，均已公开。"
    with pytest.raises(SourceChanged):
        read("trs", page, f"{SITE}/x.html", selectors={"body": "#none"})


def feed(items: str, head: str = "<pubDate>2019-21-18 04:21:54</pubDate>") -> str:
    channel = f"<channel><title>报告</title>{head}{items}</channel>"
    return f'<?xml version="1.0" encoding="GBK"?>\n<rss version="2.0">{channel}</rss>'


def item(number: int, date: str = "18 Jun 2023 08:19:00 GMT") -> str:
    link = CMS.replace("101112", f"10111{number}")
    return (
        f"<item><title>云岭县第{number}号 A&B&nbsp;报告</title><link>{link}</link>"
        f"<description><![CDATA[<P>办结<B>{number}</B>5件。&nbsp;</P>"
        f"<P>附件：<A href=/f/{number}.docx>报告.docx</A></P>]]></description><pubDate>{date}</pubDate></item>"
    )


def test_feed_items_carry_bodies_and_their_true_time() -> None:
    page = make_page(feed(item(1) + item(2)), f"{SITE}/cms/jsp/rss.jsp?ColumnID=9", "feed")
    source, engine = make_source("cms_html"), get_engine("cms_html")
    listing = engine.discover(page, source)
    assert [ref.title for ref in listing.refs] == ["云岭县第1号 A&B 报告", "云岭县第2号 A&B 报告"]
    assert {ref.listed_date for ref in listing.refs} == {None}, "one date for all items is the build time"
    article = engine.read(page, source, listing.refs[1])
    assert (article.title, article.body.text) == ("云岭县第2号 A&B 报告", "办结25件。")
    assert (article.published_at, article.published_from) == ("2023-01-05T10:11:12+08:00", "url_folder")
    assert [attachment.url for attachment in article.attachments] == [f"{SITE}/f/2.docx"]
    assert article.url == listing.refs[1].url


def test_feed_dates_that_differ_are_believed_in_china_time() -> None:
    text = feed(item(1, "Fri, 06 Jan 2023 20:00:00 GMT") + item(2, "2023-01-08 10:00:00"))
    listing = discover("cms_html", text)
    assert [ref.listed_date for ref in listing.refs] == ["2023-01-07", "2023-01-08"]


def test_atom_and_damaged_feeds() -> None:
    atom = """<feed xmlns="http://www.w3.org/2005/Atom"><title>x</title><entry><title>甲</title><link
      rel="alternate" href="/a/t20230105_1.html"/>
    <updated>2023-01-06T01:00:00Z</updated><summary>摘要</summary></entry><entry><title>乙</title><link
      href="/a/t20230105_2.html"/><updated>2023-01-07T01:00:00Z</updated></entry></feed>"""
    listing = discover("trs", atom)
    assert rows(listing) == [("/a/t20230105_1.html", "甲", "2023-01-06"), ("/a/t20230105_2.html", "乙", "2023-01-07")]
    assert listing.refs[0].inline_html is None, "a plain summary is no body"
    cut = feed(item(1) + item(2))
    assert len(parse_feed(cut[: cut.index("号 A", cut.index("第2号"))]).items) >= 1
    for junk in (
        "",
        "<rss",
        "x",
        "<rss><channel></channel></rss>",
        "<rss><item><link>javascript:x</link></item></rss>",
    ):
        with pytest.raises(SourceChanged, match="no item"):
            discover("trs", junk, kind="feed")


def test_feed_entities_and_dtd_are_not_followed() -> None:
    secret = ROOT / "pyproject.toml"
    bomb = f"""<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a SYSTEM "file://{secret}"><!ENTITY b "{"x" * 50}">
      <!ENTITY c "&b;&b;&b;">]>
    <rss><channel><item><title>甲&a;&c;&#x41;&unknown;</title><link>{CMS}</link></item></channel></rss>"""
    title = parse_feed(bomb).items[0].title
    assert title == "甲&a;&c;A&unknown;"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2023-01-06 10:11", "2023-01-06T10:11:00+08:00"),
        ("[2023/1/6]", "2023-01-06"),
        ("2023年1月6日 9:05:07", "2023-01-06T09:05:07+08:00"),
        ("2023.01.06", "2023-01-06"),
        ("2023-01-06T10:11:12Z", "2023-01-06T18:11:12+08:00"),
        ("2023-01-06T23:00:00.123+0800", "2023-01-06T23:00:00+08:00"),
        ("2023-01-06 25:00", "2023-01-06"),
        ("2019-21-18 04:21:54", None),
        ("2023-02-30", None),
        ("1023-01-01", None),
        ("电话2023-0106", None),
    ],
)
def test_dates(text: str, wanted: str | None) -> None:
    assert find_date(text) == wanted


def test_moments_and_addresses() -> None:
    assert parse_moment("20230106") == "2023-01-06"
    assert parse_moment("1672970400000") == "2023-01-06T10:00:00+08:00"
    assert parse_moment("Fri, 06 Jan 2023 02:00:00 GMT") == "2023-01-06T10:00:00+08:00"
    assert parse_moment("昨天") is None
    assert find_folder_time("/a/20231340101112123/x") is None
    assert find_url_day("/a/t20230230_1.html") is None
    assert find_url_day("/a/202301/t20230105_1.html") == "2023-01-05"


@pytest.mark.parametrize(
    "evil",
    [
        "<p>来源：" * 20000,
        "<div>来源：" * 250 + "<b>甲</b>" * 20000,
        "<table>" + "<tr><td>文号</td><td></td></tr>" * 5000 + "</table>",
        "<![CDATA[" * 60000,
        "<rss><channel>" + "<item><title><![CDATA[" * 20000,
        "<style>" + "/*" * 90000 + "</style>",
        "<div class=TRS_Editor>甲</div>" * 4000,
        "<li><a href='./202301/t20230105_1.html'>甲</a>2023-01-05</li>" * 3000,
        "<p>年，</p>" * 20000,
        "<script>createPageHTML(" * 20000,
        "共" * 100000 + " " * 50000,
        "<a href='" + "x" * 3000 + "t20230105_1.html'>甲</a>" * 20,
        '{"result":"' + "<![CDATA[" * 60000 + '"}',
        "'" * 100000 + "t20230105_1.html" * 1000,
    ],
)
def test_hostile_pages_cost_linear_time(evil: str) -> None:
    for name in engine_names():
        before = time.perf_counter()
        for call in (lambda name=name: discover(name, evil), lambda name=name: read(name, evil, f"{SITE}/a.html")):
            with contextlib.suppress(SourceError):
                call()
        assert time.perf_counter() - before < 20


PIECES = [
    "<li>", "</a>", "甲", "2019-21-18", "2023-01-06", "<a href='./202301/t20230105_1.html'>", "<td>", "文号",
    "索引号：", f"<a href='/a/content/{UUID}1.html'>", "<script>createPageHTML(9999999,0,'index','html')",
    "</script>", "来源：",
    "<meta name=PubDate content=", "'x'>", "totalRecord:99999999", "columnId:'a'", "perpage:0", "<rss><item>",
    "<![CDATA[", "]]>", "{", '"data":', "[", "cb(", "\x00",
]  # fmt: skip
JUNK = st.one_of(st.text(max_size=200), st.lists(st.sampled_from(PIECES), max_size=30).map("".join))


@settings(max_examples=120, deadline=None)
@given(JUNK, st.sampled_from(["html", "feed", "data"]), st.sampled_from(["cms_html", "trs", "truecms", "ucap"]))
def test_no_input_raises_anything_but_source_errors(text: str, kind: str, name: str) -> None:
    engine, source = get_engine(name), make_source(name)
    page = make_page(text, f"{SITE}/fzzf/index.html", kind)
    try:
        listing = engine.discover(page, source)
        assert len(listing.more) <= 1000
        assert all(canonical(ref.url) == ref.url for ref in listing.refs)
    except SourceError:
        pass
    with contextlib.suppress(SourceError):
        assert engine.read(page, source, PageRef(page.url, "甲", "2023-01-06", text)).published_at


# The real corpus: lists, then every page they lead to, straight from the files.


def bare(text: str | None) -> str:
    return "".join((text or "").split())


@pytest.fixture(scope="module")
def crawled(corpus: Path) -> dict[str, tuple[Article, list[Article]]]:
    """Document key to the article by page and by feed, found from the start pages alone."""
    folder = corpus / "portals"
    lines = (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    files = {canonical(entry["url"]): entry for entry in map(json.loads, lines)}

    def get(url: str, kind: str = "html") -> Page:
        entry = files[url]
        return Page(url, decode((folder / entry["file"]).read_bytes(), entry["headers"].get("Content-Type")), kind)

    found: dict[str, tuple[Article, list[Article]]] = {}
    for source in load_sources([ROOT / "connectors" / "sources"]).values():
        engine = get_engine(source.engine)
        queue = [(start.url, start.kind) for start in source.start]
        refs: dict[str, PageRef] = {}
        by_feed: dict[str, list[Article]] = {}
        for url, kind in queue:
            page = get(url, "feed" if kind == "feed" else "html")
            listing = engine.discover(page, source)
            queue.extend((more, "list") for more in listing.more if (more, "list") not in queue)
            for ref in listing.refs:
                refs.setdefault(document_key(ref.url), ref)
                if ref.inline_html:
                    by_feed.setdefault(document_key(ref.url), []).append(engine.read(page, source, ref))
        assert len(refs) >= source.assertions.min_list_rows
        for key, ref in refs.items():
            found[key] = engine.read(get(ref.url), source, ref), by_feed.get(key, [])
    return found


@pytest.mark.corpus
def test_corpus_pages_are_found_and_read_exactly(
    corpus: Path, crawled: dict[str, tuple[Article, list[Article]]]
) -> None:
    lines = (corpus / "portals" / "expected.jsonl").read_text(encoding="utf-8").splitlines()
    expected = [json.loads(line) for line in lines]
    assert {document_key(want["url"]) for want in expected} == set(crawled)
    for want in expected:
        article, by_feed = crawled[document_key(want["url"])]
        if want.get("feed_item"):
            article = by_feed[0]
        assert article.body.text == want["body"], want["url"]
        assert article.title == want["title"]
        invented = want.get("invented") or []
        got = {
            "publish_date": article.published_at, "index_no": article.index_no, "document_no": article.document_no,
            "publisher": article.publisher, "content_source": article.content_source,
        }  # fmt: skip
        for name, value in got.items():
            if name not in invented and not want.get("feed_item"):
                assert bare(value) == bare(want[name]), (want["url"], name)
        if not want.get("feed_item"):
            assert [attachment.url for attachment in article.attachments] == want["attachments"]
            assert bool(want.get("spam_hits")) is ("spam_removed" in article.notes)


@pytest.mark.corpus
def test_corpus_feed_dates_come_from_the_folder(crawled: dict[str, tuple[Article, list[Article]]]) -> None:
    times = {article.published_at for _, by_feed in crawled.values() for article in by_feed}
    assert times == {"2019-01-10T16:19:51+08:00", "2017-12-20T14:59:52+08:00", "2017-04-14T16:23:54+08:00"}
    for article, by_feed in crawled.values():
        for other in by_feed:
            assert (other.published_at, other.body.text) == (article.published_at, article.body.text)
