"""The short way over a body: the lines of the long one, or none. What is asked of a page's bytes beside it."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from benchmarks.crawl_own import make_source
from benchmarks.made_pages import make_detail
from connectors.base import Page
from connectors.engines import get_engine
from connectors.engines.family import FamilyEngine
from extraction.clean import clean_body, parse_html
from extraction.decode import decode
from extraction.judging import Judge
from extraction.nodes import find_parts
from extraction.octets import count_rare_gb, has_controls, has_marks, has_utf8_run
from extraction.plain import read_plain
from extraction.reading import read_lines

PAGE = "https://www.yunling.gov.cn/zwgk/202301/t20230105_1.html"


def read_both(markup: str, hidden: frozenset[str] = frozenset()) -> tuple[list[str] | None, list[str]]:
    """The lines by the short way and by the long one."""
    node = parse_html(f"<html><body><div id=body>{markup}</div></body></html>").get_element_by_id("body")
    return read_plain(Judge(PAGE, hidden), node), [line.text for line in read_lines(Judge(PAGE, hidden), node)]


@pytest.mark.parametrize(
    ("markup", "lines"),
    [
        ("", []),
        (
            "<p>甲。</p>\n<p> 办<span>理2</span><b>6\n0</b> 件&lt;&amp;lt;&gt;</p>乙<br>丙<br/>",
            ["甲。", "办理26 0 件<&lt;>", "乙", "丙"],
        ),
        ("<p>第1\r\n段<!-- a > b -->　落</p>\u200b<div></div>", ["第1段 落"]),
        ("<p>rule of<i> </i>\n<b>law</b></p>", ["rule of law"]),
        ("<table>\n<tr>\n<td>甲</td>\n<td><p>1</p><p>乙</p>丙<p>2</p></td><th/></tr>\n<tr><td>丁</td><td></td></tr></table>戊",
         ["甲 | 1 乙丙 2 | ", "丁", "戊"]),
        ("<img src=a.png>甲<input>乙", ["甲乙"]),
    ],
)  # fmt: skip
def test_paragraphs_and_tables_are_read(markup: str, lines: list[str]) -> None:
    assert read_both(markup) == (lines, lines)


@pytest.mark.parametrize(
    "markup",
    [
        "<p>甲<a href=b.html>乙</a></p>", "<p>甲<a>乙</a></p>", "<p style='display:none'>甲</p>", "<p hidden>甲</p>",
        "<span style='display:block'>甲</span>乙", "<p>甲<script>var a</script></p>", "<pre>甲\n乙</pre>",
        "<table><tr><td>甲<table><tr><td>乙</table></table>", "<table><tr><p>甲</p><td>乙</table>",
        "<div class=share>甲</div>", "<p>甲&#1;</p>",
        "<td>甲</td>", "<table><tr><td>甲<table></table></td></tr></table>", "<marquee>甲</marquee>",
        "<p style='font-size:0'>甲</p>",
    ],
)  # fmt: skip
def test_what_asks_for_a_closer_look_is_left_to_the_long_way(markup: str) -> None:
    plain, lines = read_both(f"<p>始</p>{markup}<p>终</p>")
    assert plain is None
    assert (lines[0], lines[-1]) == ("始", "终")


def test_names_that_a_page_hides_are_left_to_the_long_way() -> None:
    assert read_both("<p class=k>甲</p>", frozenset({".k"})) == (None, [])


def test_most_made_notices_go_the_short_way() -> None:
    taken: list[bool] = []
    for number in range(60):
        page = make_detail(number, "www.yunxiu.example")
        got = decode(page.body, page.content_type)
        root, engine = parse_html(got.text, got.markup), get_engine(page.layout.engine)
        assert isinstance(engine, FamilyEngine)
        body = engine.find_node(root, None)
        assert body is not None
        taken.append(read_plain(Judge(page.url, frozenset()), body.node) is not None)
        assert clean_body(body.node, base_url=page.url, has_map=False).text == page.text
    assert sum(taken) > len(taken) / 2


def test_a_page_has_its_map_where_its_title_is_wanted() -> None:
    page = make_detail(0, "www.yunxiu.example")
    engine, source = get_engine(page.layout.engine), make_source(page.url, page.layout.engine, "990000")
    read = Page(page.url, decode(page.body, page.content_type))
    mapped = engine.read(read, source, is_mapped=lambda title: title == page.title)
    bare = engine.read(read, source, is_mapped=lambda title: title != page.title)
    assert (len(mapped.body.segments) > 0, bare.body.segments) == (True, ())
    assert replace(bare, body=mapped.body) == mapped == engine.read(read, source)
    assert bare.body.text == mapped.body.text == page.text


def test_parts_are_found_in_document_order() -> None:
    head = "<meta name=a content=b><style>p{}</style><script>x('none')</script><script>y</script><meta property=c>"
    links = "<a href=x.PDF>甲</a><a href=/b.html>乙.丙</a><a href=c.html>丁</a><a href=d> </a><a>戊</a>"
    parts = find_parts(parse_html(f"<head>{head}</head>{links}"))
    assert parts.metas == [("a", None, "b"), (None, "c", None)]
    assert (parts.sheets, [text for _, text in parts.scripts]) == (["p{}"], ["x('none')"])
    assert [link[1:] for link in parts.links] == [("x.PDF", "甲"), ("/b.html", "乙.丙"), ("d", " ")]


def test_bytes_are_told() -> None:
    for byte in range(256):
        is_control = byte == 127 or (byte < 32 and byte not in b"\t\n\r")
        assert has_controls(b"a" * 50 + bytes((byte,))) is is_control
    assert [has_marks(f"a{char}") for char in "b\ufeff\ufffd\ufffe\uffff"] == [False, True, False, True, True]
    gb = "全年共办理行政复议案件一百二十件".encode("gb18030")
    assert (has_utf8_run(gb), has_utf8_run(gb + "行政复议".encode()), has_utf8_run("行政复a议".encode())) == (
        False,
        True,
        False,
    )
    assert count_rare_gb(b"a" + gb, 1_000) == (0, 32)
    assert count_rare_gb(gb + "岫".encode("gb18030"), 1_000) == (1, 34)
    assert count_rare_gb(gb, 7) == (0, 7)


def test_a_gb_page_is_read_whatever_stands_in_it() -> None:
    chance, text = random.Random(1), "云岭县全年共办理行政复议案件𠮷120件" * 9
    for _ in range(50):
        body = bytearray(text.encode("gb18030"))
        body[chance.randrange(len(body))] = chance.randrange(128, 256)
        assert decode(bytes(body), "text/html; charset=gbk").text == bytes(body).decode("gb18030", "replace")
