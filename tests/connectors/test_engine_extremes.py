"""Pages on which work that grows with the square of their size would take minutes or hours: they are read."""

from __future__ import annotations

import pytest

from connectors.engines.ancestry import Ancestry
from extraction.clean import parse_html
from tests.connectors.engine_pages import SITE, discover, read, rows

URL = f"{SITE}/fzzf/202301/t20230105_12.html"
TITLE = "云岭县2022年法治政府建设情况报告"
BODY = "<p>2022年，全县收到行政复议申请126件，审结120余件，其余正在审理之中。</p>"
FRAME = (
    '<html><head><meta name="ArticleTitle" content="{title}"></head><body>{before}'
    '<div class="TRS_Editor">{inside}{body}</div></body></html>'
)
HIDES = "document.getElementById('i%d').style.display='none';"

BESIDE = {
    "beginnings without an end": "<!--正文开始-->" * 20_000,
    "beginnings in a row": "<div>" + "<!--正文开始-->" * 10_000 + "<p>简讯</p>" * 10_000 + "</div>",
    "tags in a tag's name": "<a" * 200_000 + ">",
    "attributes of a page of some size": f"<p {' '.join(f'a{n}' for n in range(15_000))}></p>",
    "comments in a style sheet": f"<style>{'/**/' * 50_000}</style>",
    "a script that hides much": "<script>" + "".join(HIDES % n for n in range(4_000)) + "</script>",
    "labels deep down": ("<div>" * 200 + "来源：甲" + "</div>" * 200) * 300,
    "files deep down": "<div>" * 200 + "".join(f"<a href=/{n}.pdf></a>" for n in range(10_000)) + "</div>" * 200,
}
INSIDE = {
    "editors in editors": ("<div class='TRS_Editor'>" * 200 + "</div>" * 200) * 60,
    "struck out in struck out": ("<del>字" * 200 + "</del>" * 200) * 200,
    "links without a label": "".join(f"<a href='{n}'></a>" for n in range(20_000)),
}


@pytest.mark.parametrize("before", BESIDE.values(), ids=BESIDE)
def test_what_stands_beside_a_body_may_be_anything(before: str) -> None:
    found = read("trs", FRAME.format(title=TITLE, before=before, inside="", body=BODY), URL)
    assert found.title == TITLE and "126件" in found.body.text


@pytest.mark.parametrize("inside", INSIDE.values(), ids=INSIDE)
def test_what_stands_in_a_body_may_be_anything(inside: str) -> None:
    found = read("trs", FRAME.format(title=TITLE, before="", inside=inside, body=BODY * 40), URL)
    assert "126件" in found.body.text


def test_a_body_deep_down_is_found_by_its_prose() -> None:
    deep = ("<div>甲，乙。" * 200 + "</div>" * 200) * 100
    found = read("trs", f"<html><head><meta name=PubDate content=2023-01-06></head><body><div>{deep}</div></body>", URL)
    assert found.body.text.count("甲，乙。") == 20_000 and "body_by_density" in found.notes


ROW = f'<a href="./202301/t20230105_12.html">{TITLE}</a>'
LISTS = {
    "one row again and again": f"<div>{f'<li>{ROW}<span>2023-01-06</span></li>' * 8_000}</div>",
    "links of one row": f"<li>{ROW}<b>2023-01-06</b>{'<a href=./202301/t20230105_12.html></a>' * 20_000}</li>",
    "a row deep down": "<div>" * 200 + f"{ROW}<b>2023-01-06</b>{'<i></i>' * 50_000}",
    "pages without end": ROW + "<b>2023-01-06</b>" + "".join(f'<a href="?page={n}">{n}</a>' for n in range(2, 40_000)),
    "the next page again and again": ROW + "<b>2023-01-06</b>" + '<a href="?page=2">下一页</a>' * 40_000,
    "years without end": ROW + "<b>2023-01-06</b>" + "".join(f"<a href='y{n}/'>2020年</a>" for n in range(20_000)),
}


@pytest.mark.parametrize("markup", LISTS.values(), ids=LISTS)
def test_lists_may_be_anything(markup: str) -> None:
    listing = discover("trs", f"<html><body>{markup}</body></html>")
    assert rows(listing) == [("/fzzf/202301/t20230105_12.html", TITLE, "2023-01-06")]
    assert len(listing.more) <= 1_040


def test_each_element_above_is_asked_once() -> None:
    root = parse_html("<div><ul class=a><li><b>甲</b><i>乙</i></li></ul><p>丙</p></div>")
    asked = []

    def is_named(element) -> bool:
        asked.append(element.tag)
        return element.get("class") is not None

    above = Ancestry(is_named)
    found = [above.find(root.find(f".//{tag}")) for tag in ("b", "i", "li", "ul", "p", "b")]
    assert [None if node is None else node.tag for node in found] == ["ul", "ul", "ul", "ul", None, "ul"]
    assert sorted(asked) == sorted(["b", "li", "ul", "i", "p", "div", "body", "html"])
    assert above.find(None) is None
