"""The walk over a body's markup: what the tree holds is what is read, however libxml2 writes it."""

from __future__ import annotations

import pytest

from extraction.clean import CleanText, clean_body, parse_html
from extraction.textmap import node_text

PAGE = "https://www.yunling.gov.cn/zwgk/202301/t20230105_1.html"


def clean(markup: str, head: str = "") -> CleanText:
    root = parse_html(f"<html><head>{head}</head><body><div id=body>{markup}</div></body></html>")
    node = root.get_element_by_id("body")
    result = clean_body(node, base_url=PAGE)
    for start, end, name, offset in result.segments:
        assert result.text[start:end] == node_text(node, name)[offset : offset + end - start]
    bare = clean_body(node, base_url=PAGE, has_map=False)
    assert (bare.text, bare.removed, bare.notes) == (result.text, result.removed, result.notes)
    return result


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>甲&lt;乙&gt;丙 &amp;lt; 丁</p>", "甲<乙>丙 &lt; 丁"),
        ("<p>甲<!-- a > b -- c -->乙<b>丙</b><!---->丁</p>", "甲乙丙丁"),
        ("<p 字='甲>乙' a<b=1 c\"d>丙<i/>丁</p>戊", "丙丁\n戊"),
        ("<p>甲<script>if (a < b) { c('</p>') }</script>乙</p><p>丙</p>", "甲乙\n丙"),
        ("<p>甲<style>p > a {}</style><noscript><p>乙</p></noscript>丙", "甲丙"),
        ("<p>第1行\r\n<br>第2行", "第1行\n第2行"),
        ("<xmp><b>甲</b></xmp>", "<b>甲</b>"),
    ],
)
def test_what_the_tree_holds_is_read(markup: str, text: str) -> None:
    assert clean(markup).text == text


def test_a_character_that_xml_cannot_hold_is_that_of_the_tree() -> None:
    assert clean("<p>甲&#1;乙</p><p>丙<b>丁</b><!-- x -->&lt;戊</p>").text == "甲\x01乙\n丙丁<戊"


def test_what_one_page_hides_another_shows() -> None:
    """Tags are known by their spelling: what a page's own style sheet says of a class holds for that page alone."""
    markup = "<p class='k9'>办理260件</p><p>共受理18件</p>" * 2
    hides = "<style>.k9 { display: none }</style>"
    assert clean(markup).text.count("260") == 2
    assert clean(markup, hides).text.count("260") == 0
    assert clean(markup).text.count("260") == 2


def test_a_size_that_is_set_again_shows_a_tag_that_is_known() -> None:
    sized = "<span style='font-size:16pt'>办理260件</span>"
    assert clean(f"<p>{sized}</p>").text == "办理260件"
    hidden = clean(f"<p>甲</p><div style='font-size:0'>无<p>人</p>{sized}</div>")
    assert hidden.text == "甲\n办理260件"
    assert [item.text for item in hidden.removed] == ["无", "人"]


def test_rows_of_styled_cells_and_tables_in_rows() -> None:
    table = "<table><tr class=r><td style='width:9px'><p>甲</p></td><th>1</th><!-- x --><td></td></tr></table>"
    assert clean(table).text == "甲 | 1 | "
    assert clean(f"<table><tr><td>前</td><td>{table}</td></tr></table>").text == "前\n甲 | 1 | "
