"""Cleaning: what stays, what goes, and the way back to the page. All places are invented."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.selectors import select
from extraction.clean import CleanText, clean_body, clean_text, is_truncated, parse_html
from extraction.decode import decode
from extraction.files import is_file_link
from extraction.passes import find_parts
from extraction.sheets import find_hidden_names
from extraction.spam import read_style
from extraction.textmap import find_source, node_text

PAGE = "https://www.yunling.gov.cn/zwgk/202301/t20230105_1.html"


def clean(markup: str, base_url: str = PAGE) -> CleanText:
    """Clean the inside of `<div id=body>…</div>` and check the map on the way."""
    root = parse_html(f"<html><body><div id=body>{markup}</div></body></html>")
    node = root.get_element_by_id("body")
    result = clean_body(node, base_url=base_url)
    check_map(result, node)
    bare = clean_body(node, base_url=base_url, has_map=False)
    assert bare.segments == (result.segments if result.removed else ())
    assert replace(bare, segments=result.segments) == result
    return result


def check_map(result: CleanText, node) -> None:
    covered = 0
    for start, end, name, offset in result.segments:
        assert result.text[start:end] == node_text(node, name)[offset : offset + end - start]
        assert start >= covered
        covered = end
    assert json.loads(json.dumps(result.segments)) == [list(segment) for segment in result.segments]
    ours = "".join(char for index, char in enumerate(result.text) if find_source(result.segments, index) is None)
    assert set(ours) <= set(" |\n"), "every other character comes from the page"


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>办理<span>2</span><span>60</span><b>余</b>件</p>", "办理260余件"),
        ("<p>共受理<span lang=EN-US>1<o:p></o:p></span><span>8</span>件</p>", "共受理18件"),
        ("<p>一审<st1:chmetcnv w:st='on' unitname='件'><span>4</span></st1:chmetcnv>件</p>", "一审4件"),
        ("<p>甲。</p><p>乙。</p>", "甲。\n乙。"),
        ("甲。<br>乙。<br/><br>丙。", "甲。\n乙。\n丙。"),
        ("<p>&nbsp;&nbsp;　　甲。&ensp;</p>", "甲。"),
        ("<p>在全县\n开展“八五”\n  普法</p>", "在全县开展“八五”普法"),
        ("<p>印发\n2022年\n要点</p>", "印发2022年要点"),
        ("<p>12\n34</p>", "12 34"),
        ("<p>rule of\nlaw</p>", "rule of law"),
        ("<p>法治 政府</p>", "法治 政府"),
        ("<p>3\u200b5\ufeff件</p>", "35件"),
        ("<p><!--[if !supportLists]-->（一）<!--[endif]-->执法</p>", "（一）执法"),
        ("<p><![if !supportLists]>1.<![endif]>执法</p>", "1.执法"),
        ("<!--[if gte mso 9]><xml><w:View>Normal</w:View></xml><![endif]--><p>甲</p>", "甲"),
        ("<xml><w:WordDocument><w:View>Normal</w:View></w:WordDocument></xml><p>甲</p>", "甲"),
        ("<xml><w:WordDocument><w:View>Normal</w:View></w:WordDocument><p>甲</p>", "甲"),
        ("<style>p{}</style><script>var a='乙'</script><p>甲<noscript>丙</noscript></p>", "甲"),
        ("<pre>一行\n二行</pre>", "一行\n二行"),
        ("<span style='display:block'>甲</span><span style='display:block'>乙</span>", "甲\n乙"),
        ("<p style='display:inline'>1</p><p style='display:inline'>2件</p>", "12件"),
        ("<ul><li>1.甲</li><li>2.乙</li></ul>", "1.甲\n2.乙"),
    ],
)
def test_inline_text_joins_and_blocks_break(markup: str, text: str) -> None:
    assert clean(markup).text == text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        (
            "<table><tr><td>类别</td><td>件数</td></tr><tr><td>许可</td><td><p>1</p></td></tr></table>",
            "类别 | 件数\n许可 | 1",
        ),
        ("<table><tr><th>甲</th><td></td><td>3</td></tr></table>", "甲 |  | 3"),
        ("<table><tr><td><p>行政</p><p>许可</p></td><td>12<br>34</td></tr></table>", "行政许可 | 12 34"),
        ("<table><tr><td><p>第一段。</p><p>第二段。</p></td></tr></table>", "第一段。\n第二段。"),
        ("<table><tr><td width=9></td><td><p>第一段。</p><p>第二段。</p></td></tr></table>", "第一段。\n第二段。"),
        ("<table><tr><td>左</td><td><table><tr><td>甲</td><td>1</td></tr></table></td></tr></table>", "左\n甲 | 1"),
        ("<table><tr><td></td><td> </td></tr></table>", ""),
    ],
)
def test_rows_are_lines_and_layout_tables_are_paragraphs(markup: str, text: str) -> None:
    assert clean(markup).text == text


HIDING = [
    "display:none",
    "DISPLAY : NONE !important",
    "visibility:hidden",
    "opacity:0",
    "opacity: 0.0",
    "font-size:0",
    "font-size:0px;color:red",
    "font-size:1px",
    "position:absolute;left:-9999px",
    "position:fixed; top:-2000px;",
    "text-indent:-9999px",
    "height:0;overflow:hidden",
    "width:1px;height:1px;overflow:hidden",
    "position:absolute;clip:rect(0,0,0,0)",
]
SHOWING = [
    "text-indent:-32.0pt;margin-left:32pt",
    "font-size:0.9em",
    "font-size:10pt",
    "opacity:0.5",
    "overflow:hidden",
    "overflow:hidden;width:100%;height:auto",
    "line-height:1",
    "mso-hide:none;display:inline",
    "border-width:0;overflow:hidden",
    "margin:0 0 0 -10px",
    "left:50%;margin-left:-600px;position:relative",
]


@pytest.mark.parametrize("style", HIDING)
def test_hidden_links_leave_and_the_sentence_joins_again(style: str) -> None:
    result = clean(
        f"<p>公布《2023年<a href=http://bbs.example.com/x style='{style}'>幸运28论坛</a>\n重大决策目录》。</p>"
    )
    assert result.text == "公布《2023年重大决策目录》。"
    assert [item.kind for item in result.removed] == ["spam_link" if style.startswith("font") else "hidden"]
    assert result.removed[0].text == "幸运28论坛"
    assert "spam_removed" in result.notes


@pytest.mark.parametrize("style", SHOWING)
def test_ordinary_styles_hide_nothing(style: str) -> None:
    assert clean(f"<p style='{style}'>共办理5件。</p>").text == "共办理5件。"


def test_hidden_by_attribute_style_sheet_script_and_marquee() -> None:
    page = """<style>/* x */ .zz, p.yy { display:none } @media print { .shown { display:none } }</style>
    <script>document.getElementById("q1").style.display = "none"</script>
    <p>甲<span hidden>一</span><span class="a zz">二</span><b id=q1>三</b><span class=shown>乙</span></p>
    <p class=yy>四</p><marquee width=1 height=1>五</marquee>"""
    result = clean(page)
    assert result.text == "甲乙"
    assert [item.text for item in result.removed] == ["一", "二", "三", "四", "五"]


@pytest.mark.parametrize(
    "markup",
    ["<del>%s</del>", "<s>%s</s>", "<strike>%s</strike>", "<span style='text-decoration: line-through'>%s</span>"],
)
def test_what_is_struck_out_is_not_said(markup: str) -> None:
    found = clean(f"<p>收到申请{markup % '99'}120件，全部在法定期限内办结。</p>")
    assert found.text == "收到申请120件，全部在法定期限内办结。"
    assert [(item.kind, item.text) for item in found.removed] == [("hidden", "99")]
    whole = clean(f"<p>{markup % ('全年收到申请120件，全部在法定期限内办结。' * 8)}</p>")
    assert "120件" in whole.text and "hidden_body_kept" in whole.notes, "an end tag may be lost"


@pytest.mark.parametrize("attribute", ["a%d", "a%d=1", "a%d='>'", 'a%d="<p>"', "/a%d", "a%d=", '"a%d'])
def test_attributes_without_end_are_cut_and_told(attribute: str) -> None:
    began = time.process_time()
    for count in (9_000, 60_000):
        many = " ".join(attribute % number for number in range(count))
        root = parse_html(f"<div id='one' {many}>正文一</div><p>正文二</p>")
        assert is_truncated(root) and root.find(".//div").get("id") == "one"
        assert "正文二" in root.text_content()
    assert time.process_time() - began < 2.0
    few = " ".join(attribute % number for number in range(200))
    assert not is_truncated(parse_html(f"<div {few}>{'正文' * 50_000}</div>"))


def test_zero_font_hides_until_a_size_is_set_again() -> None:
    result = clean("<p style='font-size:0'>隐<span style='font-size:12pt'>共9件</span>藏</p>")
    assert result.text == "共9件"
    assert "".join(item.text for item in result.removed) == "隐藏"


def test_a_page_that_hides_its_whole_body_keeps_it_but_not_the_planted_links() -> None:
    body = "<p>" + "全县依法办理行政复议案件。" * 12 + "</p>"
    result = clean(f"<div style='display:none'>{body}</div><a style='display:none' href='//x.example.com'>时时彩</a>")
    assert result.text.startswith("全县依法办理")
    assert "时时彩" not in result.text
    assert "hidden_body_kept" in result.notes
    assert {item.text for item in result.removed} == {"时时彩"}


@pytest.mark.parametrize(
    ("link", "is_spam"),
    [
        ('<a href="http://www.pc28yc.example.com/">ＰＣ28预测</a>', True),
        ('<a href="//bet.example.net/a">澳门博彩</a>', True),
        ("<a href='https://bet365.example.com'>更多</a>", True),
        ('<a href="/zwgk/x.html">打击网络赌博</a>', False),
        ('<a href="https://www.other.gov.cn/x">福利彩票公益金</a>', False),
        ('<a href="https://mp.example.com/s/1">视频报道</a>', False),
        ('<a href="https://[broken">百家乐</a>', True),
    ],
)
def test_visible_injected_links_leave_and_honest_links_stay(link: str, is_spam: bool) -> None:
    result = clean(f"<p>年内{link}开展3次。</p>")
    label = BeautifulSoup(link, "lxml").get_text()
    assert result.text == ("年内开展3次。" if is_spam else f"年内{label}开展3次。")
    assert bool(result.count_removed().get("spam_link")) is is_spam


@pytest.mark.parametrize(
    "markup",
    [
        "<p>附件：<a href='/f/1.docx'>报告.docx</a></p>",
        "<p>附件：1.<a href='1.pdf'>甲</a> 2.<a href='2.xlsx'>乙</a></p>",
        "<p>附件：</p><p><a href='1.pdf'>甲</a></p>",
        "<fieldset><legend>点击下载：</legend><table><tr><td><img></td><td><a href='1.doc'>表.doc</a>&nbsp;(32.50 KB)"
        "</td></tr></table></fieldset>",
        "<p><a href='/down.jsp?filename=a.pdf'>甲</a></p>",
        "<div class='fj'><b>附件下载:</b><p><a href=1.ofd>甲</a></p></div>",
        "<div class=ewm><p>扫一扫在手机上查看当前页面</p></div>",
        "<p>手机扫一扫查看当前页面</p>",
        "<p>扫一扫在手机打开当前页</p>",
        "<p>【<a href='javascript:print()'>打印本页</a>】【<a href='javascript:close()'>关闭窗口</a>】</p>",
        "<p>【字体：<a>大</a> <a>中</a> <a>小</a>】</p>",
        "<div class='bdsharebuttonbox'>分享到：<a>微信</a></div>",
        "<p>分享到：<a>微信</a> <a>新浪微博</a></p>",
        "<p>上一篇：<a href=1.html>关于停水的通知</a></p><p>下一篇：没有了</p>",
        "<h3>相关文档</h3><ul><li><a href=1.html>甲</a><span>2021-01-02</span></li><li><a href=2.html>乙</a></li></ul>",
        "<p>浏览次数：123</p>",
        "<p>- 3 -</p>",
    ],
)
def test_furniture_after_a_body_leaves(markup: str) -> None:
    body = "<p>甲。</p><p>乙。</p><p>云岭县人民政府</p><p>2023年1月5日</p>"
    assert clean(body + markup).text == "甲。\n乙。\n云岭县人民政府\n2023年1月5日"


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>请下载<a href=1.doc>报名表</a>，填好后寄回。</p>", "请下载报名表，填好后寄回。"),
        ("<p>附件：抽查计划表</p><p><a href=1.pdf>抽查计划.pdf</a></p>", "附件：抽查计划表"),
        ("<p>附件：</p><p>1.抽查计划表</p>", "附件：\n1.抽查计划表"),
        ("<p>一、相关政策</p><p>按照规定办理。</p>", "一、相关政策\n按照规定办理。"),
        (
            "<p>相关文件：</p><p><a href=1.html>甲办法</a></p><p>以上文件停止执行。</p>",
            "相关文件：\n甲办法\n以上文件停止执行。",
        ),
        ("<div class=share>" + "全县办理行政复议案件。" * 60 + "</div>", "全县办理行政复议案件。" * 60),
        ("<p>上一年度办理5件。</p>", "上一年度办理5件。"),
        ("<p>12</p>", "12"),
    ],
)
def test_what_only_looks_like_furniture_stays(markup: str, text: str) -> None:
    assert clean(markup).text == text


def test_a_body_of_attachments_is_empty() -> None:
    assert clean("<p>附件：<a href='/f/1.docx'>云岭县2022年报告.docx</a></p>").text == ""


@pytest.mark.parametrize(
    ("href", "label", "is_file"),
    [
        ("/a/P0201.docx", "", True),
        ("\n /a/x.PDF?v=1\n", "", True),
        ("/download.jsp?id=3", "年报.pdf", True),
        ("/down?file=a.xlsx&x=1", "", True),
        ("/a/t20230101_1.html", "报告", False),
        ("/a.pdf/index.html", "", False),
        ("#a.pdf", "", False),
    ],
)
def test_file_links(href: str, label: str, is_file: bool) -> None:
    assert is_file_link(href, label) is is_file


def test_find_source_answers_for_each_character() -> None:
    root = parse_html("<div id=body><p>　办理<b>2</b>6件</p></div>")
    node = root.get_element_by_id("body")
    result = clean_body(node, base_url=PAGE)
    name, offset = find_source(result.segments, result.text.index("6"))
    assert (name, offset) == ("0.0~", 0)
    assert node_text(node, name) == "6件"
    assert node_text(root, result.root + ".0") == "　办理"


def test_deep_and_huge_pages_are_cut_and_reported() -> None:
    deep = parse_html("<div>" * 5000 + "甲" + "</div>" * 5000)
    assert is_truncated(deep)
    assert "truncated_html" in clean_body(deep, base_url=PAGE).notes
    assert not is_truncated(parse_html("<p>甲</p>"))


@pytest.mark.parametrize(
    "evil",
    [
        "<p style='" + "a:b;" * 40000 + "'>甲</p>",
        "<p>" + "附件" * 40000 + "</p>",
        "<p>" + " " * 200000 + "甲</p>",
        "<style>" + ".a{" * 60000 + "</style>",
        "<table><tr>" + "<td>1" * 20000 + "</table>",
        "<a href='" + "x" * 100000 + "'>甲</a>" * 5,
        "<p>扫" + "扫一" * 5000 + "</p>",
        "<p>分享" + " 微信" * 60 + "甲</p>",
    ],
)
def test_hostile_markup_costs_linear_time(evil: str) -> None:
    before = time.process_time()
    clean_body(parse_html(evil), base_url=PAGE)
    assert time.process_time() - before < 20


TAGS = ["p", "div", "span", "b", "table", "tr", "td", "a", "br", "ul", "li", "font", "o:p", "script", "style", "xml"]
ATTRIBUTES = [
    "",
    " style='display:none'",
    " class=share",
    " href='http://x.example.com'",
    " style='font-size:0'",
    " hidden",
]
MARKUP = st.lists(
    st.one_of(
        st.sampled_from([f"<{tag}{attribute}>" for tag in TAGS for attribute in ATTRIBUTES]),
        st.sampled_from([f"</{tag}>" for tag in TAGS]),
        st.sampled_from(
            ["共办理", "12", "件。", " ", "\n", "&nbsp;", "　", "时时彩", "<!--", "-->", "附件：", "&#0;", "\ud800"]
        ),
        st.text(max_size=5),
    ),
    max_size=40,
).map("".join)


@settings(max_examples=150, deadline=None)
@given(MARKUP)
def test_any_markup_gives_text_whose_characters_come_from_the_page(markup: str) -> None:
    root = parse_html(markup)
    result = clean_body(root, base_url=PAGE)
    check_map(result, root)
    assert result == clean_body(parse_html(markup), base_url=PAGE)


def appears_in_order(needle: str, hay: str) -> bool:
    rest = iter(hay)
    return all(char in rest for char in needle)


@pytest.mark.corpus
def test_real_pages_by_their_selector_against_an_independent_parser(corpus: Path) -> None:
    seen = 0
    for sidecar in sorted((corpus / "real-pages").glob("*.json")):
        facts = json.loads(sidecar.read_text(encoding="utf-8"))
        if facts["kind"] != "detail":
            continue
        text = decode((sidecar.parent / facts["file"]).read_bytes(), "text/html").text
        selector = facts["selectors"]["body"]
        node = select(parse_html(text), selector)[0]
        result = clean_body(node, base_url=facts["url"])
        check_map(result, node)
        # The HTML of the same container, read by another library.
        other = "".join(BeautifulSoup(text, "lxml").select_one(selector).get_text().split())
        ours = "".join(result.text.replace(" | ", "").split())
        assert appears_in_order(ours, other)
        removed = sum(len("".join(item.text.split())) for item in result.removed)
        assert len(other) - len(ours) <= removed + other.count("\u200b") + other.count("\ufeff") + 2
        seen += 1
    assert seen >= 6


def hidden_names(page: str) -> frozenset[str]:
    return find_hidden_names(find_parts(parse_html(page)))


def test_styles_are_read_once_each() -> None:
    assert read_style("display:none").is_hidden
    assert read_style("font-size:16pt").font == "set"
    assert hidden_names("<style>.a{display:none} .a{display:block}</style>") == frozenset()
    assert re.fullmatch(r"#\w+", next(iter(hidden_names("<style>#ad{visibility:hidden}</style>"))))


def test_a_script_that_hides_is_read_however_long_the_others_are() -> None:
    page = f"<script>{'show();' * 40_000}</script><script>document.getElementById('ad').style.display='none'</script>"
    assert hidden_names(page) == {"#ad"}


def test_the_text_alone_is_that_of_the_body() -> None:
    page = parse_html("<ul><li>一<i style='display:none'>藏</i><li><b>二</b>次<li>三</ul>")
    for node in page.iter("li", "ul"):
        assert clean_text(node, base_url="http://a.example/") == clean_body(node, base_url="http://a.example/").text
