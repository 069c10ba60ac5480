"""Detail pages: titles, dates, numbers, bodies, attachments. All places are invented."""

from __future__ import annotations

import re

import pytest

from connectors.base import PageRef
from connectors.engines import engine_names
from connectors.engines.labels import read_labels
from connectors.engines.meta import read_meta
from connectors.errors import SourceChanged
from extraction.clean import parse_html
from extraction.passes import find_parts
from tests.connectors.engine_pages import CMS, FIXTURES, HEX, SITE, UUID, read

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
    root = parse_html(f"<body>{markup}</body>")
    assert read_labels(root, None, find_parts(root)) == wanted


def test_metas_in_any_spelling() -> None:
    page = """<META NAME=pubdate CONTENT=""><meta name='PubDate'content='2023-01-06 10:00'><meta name="pubDate"
      content="2020-01-01">
    <body><meta name="ContentSource" content="县&amp;nbsp;司法局"><meta name="ArticleTitle" content="甲<br>乙">
      </body>"""
    meta = read_meta(find_parts(parse_html(page)))
    assert meta == {"pubdate": "2023-01-06 10:00", "contentsource": "县 司法局", "articletitle": "甲乙"}


def test_an_article_in_its_attachments() -> None:
    page = '<h1>云岭县2022年报告</h1><p><a href="/f/1.docx">云岭县2022年报告.docx</a></p>'
    url = f"{SITE}/a/t20230105_1.html"
    article = read("trs", page, url, PageRef(url, "云岭县2022年报告"))
    assert article.body.text == "" and len(article.attachments) == 1
    assert set(article.notes) == {"no_body", "short_body"}


FILE = f"{SITE}/a/P0202301.pdf"
EMBEDDED = {
    '<iframe src="./P0202301.pdf"></iframe>': FILE,
    '<embed src="P0202301.pdf" type="application/pdf">': FILE,
    '<object data="/a/P0202301.pdf"></object>': FILE,
    '<iframe src="/pdfjs/web/viewer.html?file=%2Fa%2FP0202301.pdf#page=1"></iframe>': FILE,
    '<a href="/pdfjs/web/viewer.html?file=/a/P0202301.pdf">报告.pdf</a>': FILE,
    '<a href="/download.do?id=88">附件：云岭县2022年报告</a>': f"{SITE}/download.do?id=88",
    '<a href="/module/attach/get?fileId=a1">点击下载</a>': f"{SITE}/module/attach/get?fileId=a1",
    '<iframe src="/share.html"></iframe>': None,
    '<div class="footer"><iframe src="/guide.pdf"></iframe></div>': None,
    '<a href="/download/">下载中心</a><a href="/download.do?id=1">阅读器下载</a>': None,
    '<iframe src="data:application/pdf;base64,AA.pdf"></iframe>': None,
}


@pytest.mark.parametrize(("markup", "wanted"), EMBEDDED.items())
def test_files_that_a_page_shows_or_a_service_hands_out(markup: str, wanted: str | None) -> None:
    url = f"{SITE}/a/t20230105_1.html"
    ref = PageRef(url, "云岭县2022年法治政府建设情况报告")
    page = f"<h1>{ref.title}</h1><div class=TRS_Editor>{markup}</div>"
    article = read("trs", page, url, ref)
    assert [file.url for file in article.attachments] == ([wanted] if wanted else [])
    long = f"<h1>{ref.title}</h1><div class=TRS_Editor><p>{'全年工作有序推进。' * 60}</p>{markup}</div>"
    assert len(read("trs", long, url, ref).attachments) == (1 if ".pdf</a>" in markup else 0)


def test_a_body_of_pictures_needs_eyes() -> None:
    url = f"{SITE}/a/t20230105_1.html"
    ref = PageRef(url, "云岭县2022年法治政府建设情况报告")
    for markup, note in (('<p><img src="/p1.jpg"></p>', "needs_ocr"), ("<p> </p>", "no_text")):
        article = read("trs", f"<div class=TRS_Editor>{markup}</div>", url, ref)
        assert article.body.text == "" and {"short_body", note} <= set(article.notes)


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
