"""Pages on which work that grows with the square of their size would take minutes or hours are read; pages and answers
that break off say so."""

from __future__ import annotations

import json

import pytest

from connectors.engines.ancestry import Ancestry
from extraction.clean import parse_html
from tests.connectors.engine_pages import SITE, UUID, discover, read, rows

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


def test_beginnings_of_hanweb_without_an_end() -> None:
    before = '<meta name="ContentStart"><p>简讯</p>' * 10_000
    page = f"<html><head><meta name=ArticleTitle content={TITLE}></head><body>{before}<div id=zoom>{BODY}</div></body>"
    assert "126件" in read("hanweb", page, f"{SITE}/art/2024/1/9/art_7_1.html").body.text


def test_blocks_and_columns_without_end() -> None:
    of = "/columns/{0}/templates/{0}/blocks/0a1b2c3d-0000-4000-8000-{1:012d} "
    blocks = "".join(of.format("0a1b2c3d-0000-4000-8000-000000000001", n) for n in range(20_000))
    assert len(discover("webims", f"<html><body>{blocks}</body></html>").more) == 3
    columns = "".join(f"<a href='c{n}/xxgk_list.shtml'>甲</a>" for n in range(20_000))
    assert len(discover("ucap", f"<html><body>{columns}</body></html>").more) == 1_000


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


HEAD = f'<html><head><meta name="ArticleTitle" content="{TITLE}"></head><body>'
OPEN = f'{HEAD}<div class="nav">首页</div><div class="TRS_Editor"><p>2022年，全县收到行政复议申请126件，'


@pytest.mark.parametrize(
    "page", [OPEN, f"{OPEN}<b>审结", f"{OPEN}</p><p", f"{OPEN}</p><table><tr><td>1</td><td>", OPEN.upper()]
)
def test_a_page_that_ends_in_its_body_breaks_off(page: str) -> None:
    assert "cut_off" in read("trs", page.replace("TRS_EDITOR", "TRS_Editor"), URL).notes


@pytest.mark.parametrize(
    "page",
    [
        f"{OPEN}</p></div></body></html>",
        f"{OPEN}</p></div></BODY>",
        f"{OPEN}</p></div><div>主办</div>",
        f"{OPEN}</p></div>版权所有",
        f"{OPEN}</p></div></div><script>count()</script>",
        OPEN.removeprefix(HEAD),
    ],
)
def test_frames_that_are_never_closed_prove_nothing(page: str) -> None:
    assert "cut_off" not in read("trs", page, URL).notes


LISTED = "".join(
    f'<li><a href="./202301/t20230105_1{n}.html">{TITLE}</a><span>2023-01-06</span></li>' for n in range(3)
)
FOOT = "<div><a href=/>首页</a></div>"


@pytest.mark.parametrize(
    ("page", "is_cut"),
    [
        (f"<html><body><ul>{LISTED}<li><a hre", True),
        (f"<html><body><ul>{LISTED}", True),
        (f"<html><body><ul>{LISTED[:-30]}", True),
        (f"<html><body><ul>{LISTED}</ul>{FOOT}", False),
        (f"<html><body><ul>{LISTED}</ul>{'<p>联系我们</p>' * 9}", False),
        (f"<html><body><ul>{LISTED}</ul></body>", False),
        (f"<ul>{LISTED}</ul>", False),
    ],
)
def test_a_list_that_ends_in_its_rows_breaks_off(page: str, is_cut: bool) -> None:
    listing = discover("trs", page)
    assert (len(listing.refs), listing.is_cut) == (3, is_cut)


def hanweb_record(number: int) -> str:
    link = f"<a href='/art/2024/1/9/art_7_{number}.html'>{TITLE}</a>"
    return f"<record><![CDATA[<li>{link}<span>2024-01-09</span></li>]]></record>"


@pytest.mark.parametrize(
    ("answer", "is_cut"),
    [
        ("{}</recordset></datastore>", False),
        ("{}", True),
        ("{}<record></recordset></datastore>", True),
        ("{}<record><![CDATA[<li><a href=", True),
        ("{}<record><![CDATA[<li>" + "<b>" * 400 + "]]></record></recordset></datastore>", True),
    ],
)
def test_an_answer_of_hanweb_that_breaks_off_says_so(answer: str, is_cut: bool) -> None:
    records = hanweb_record(1) + hanweb_record(2)
    text = f"<datastore><totalrecord>9</totalrecord><recordset>{answer.replace('{}', records)}"
    listing = discover("hanweb", text, f"{SITE}/module/web/jpage/dataproxy.jsp?page=2&webid=1")
    assert (len(listing.refs), listing.is_cut) == (2, is_cut)


@pytest.mark.parametrize(("inside", "is_cut"), [("", False), ("<b>" * 400, True)])
def test_markup_in_json_that_is_nested_too_deep_says_so(inside: str, is_cut: bool) -> None:
    row = f"<li><a href='/art/2024/1/9/art_7_1.html'>{TITLE}</a><span>2024-01-09</span></li>{inside}"
    listing = discover("hanweb", json.dumps({"data": {"html": row}}), f"{SITE}/common-search/unit?x=1")
    assert (len(listing.refs), listing.is_cut) == (1, is_cut)
    uuid = f"/content/{UUID}1.html"
    record = f"<record><![CDATA[<li><a href='/yl/fzzf{uuid}'>{TITLE}</a>{inside}</li>]]></record>"
    answer = json.dumps({"result": f"<datastore><recordset>{record}</recordset></datastore>"})
    listing = discover("truecms", answer, f"{SITE}/TrueCMS/messageController/getMessage.do?columnId=c-1", "data")
    assert (len(listing.refs), listing.is_cut) == (1, is_cut)


def test_a_feed_that_breaks_off_says_so() -> None:
    feed = f"<rss><channel><item><title>{TITLE}</title><link>{URL}</link></item></channel></rss>"
    assert not discover("trs", feed).is_cut
    assert discover("trs", feed[: feed.index("</channel>")]).is_cut
