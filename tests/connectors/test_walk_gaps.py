"""Pages in mid-list that cannot be had: they cost their own rows for a night, never the source's other pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.errors import Blocked, Deferred, SourceChanged, SourceError, Transient
from tests.connectors.portal import BASE, FOLDER, HOST, Item, item, list_page, list_target, put, put_lists, source
from tests.connectors.walks import EMPTY, ITEMS, LISTS, crawl, lists_asked, remembered, years
from tests.servers import Site

MAINTENANCE = "<html><body><h1>系统维护中</h1><p>网站正在维护，请稍后访问。</p></body></html>"


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as served:
        put(served, LISTS)
        yield served


def spoil(site: Site, *numbers: int, status: int = 503, body: str = "") -> None:
    for number in numbers:
        site.forget(list_target(number))
        site.on(list_target(number), body, status=status)


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (503, "", "transient"),
        (451, "", "failed"),
        (401, "", "login"),
        (404, "", "gone"),
        (200, MAINTENANCE, "maintenance"),
        (200, "<html>" + "乌有" * (5 << 20) + "</html>", "too_large"),
    ],
)
def test_one_bad_page_in_mid_list_costs_its_own_rows_for_one_night(
    site: Site, tmp_path: Path, status: int, body: str, code: str
) -> None:
    spoil(site, 7, status=status, body=body)
    first = crawl(site, tmp_path)
    assert [(failure.code, failure.url) for failure in first.failures] == [(code, f"{BASE}index_7.html")]
    assert years(first) == {2000 + number for number in range(1, 31)} - {2022, 2023, 2024}
    put_lists(site, LISTS)
    second = crawl(site, tmp_path, remembered(first))
    assert years(second) == {2022, 2023, 2024}, "a walk that was not whole is not cut short the next night"


def test_known_pages_of_a_list_page_that_cannot_be_had_are_asked_for_all_the_same(site: Site, tmp_path: Path) -> None:
    known = remembered(crawl(site, tmp_path))
    spoil(site, 1)
    site.seen.clear()
    second = crawl(site, tmp_path, known, days=8)
    assert (second.listed, second.not_modified, second.notes) == (30, 39, [])
    assert all(site.asked(one.target) for one in ITEMS)


def test_a_list_whose_host_is_in_trouble_is_left_alone(site: Site, tmp_path: Path) -> None:
    spoil(site, *range(4, 9))
    result = crawl(site, tmp_path)
    assert [failure.code for failure in result.failures] == ["transient"] * 3
    assert len(result.pages) == 12 and lists_asked(site)[-1] == list_target(6)
    assert result.notes == [f"{BASE}: 3 list pages wait for a later run, after 3 in a row that could not be had"]


def test_bad_pages_that_are_not_in_a_row_end_nothing(site: Site, tmp_path: Path) -> None:
    spoil(site, 1, 2, 4, 5, 7, 8)
    assert len(crawl(site, tmp_path).pages) == 12


@pytest.mark.parametrize(("status", "error"), [(412, Blocked), (429, Deferred)])
def test_a_host_that_wants_no_more_tonight_is_not_asked_on(
    site: Site, tmp_path: Path, status: int, error: type[SourceError]
) -> None:
    site.forget(list_target(4))
    site.on(list_target(4), "", status=status, headers={"Retry-After": "86400"})
    with pytest.raises(error):
        crawl(site, tmp_path)
    assert lists_asked(site)[-1] == list_target(4) and not site.asked(ITEMS[0].target)


def test_a_challenge_in_mid_list_costs_no_other_host_its_night(site: Site, tmp_path: Path) -> None:
    """The lane of one host ends: the pages of the other are read, and what the first listed waits, told as blocked."""
    other = "sfj.wuyou.example"
    site.on(list_target(4), "", status=412, host=HOST)
    starts = [{"url": BASE}, {"url": BASE.replace(HOST, other)}]
    result = crawl(site, tmp_path, of=source(start=starts, hosts=[HOST, other]))
    assert {page.seen.url.partition("://")[2].partition("/")[0] for page in result.pages} == {other}
    assert len(result.pages) == 30
    assert [failure.code for failure in result.failures] == ["blocked"]
    assert result.blocked == 1 + 4 * 3, "a list page, and the reports that the first four list pages named"


def test_the_first_page_of_a_list_must_be_had(site: Site, tmp_path: Path) -> None:
    spoil(site, 0)
    with pytest.raises(Transient):
        crawl(site, tmp_path)


def test_a_page_in_mid_list_that_is_no_list_is_asked_again_then_passed_over(site: Site, tmp_path: Path) -> None:
    links = "".join(f'<a href="{FOLDER}?page={number}">{number}</a>' for number in (2, 3))
    no_list = "<html><body><h1>乌有概况</h1><p>本县山水与物产介绍，欢迎四方来客。</p></body></html>"
    plain = [list_page(rows, 1, 0).partition("<script>")[0] for rows in LISTS[:3]]
    site.forget(FOLDER)
    site.on(FOLDER, plain[0] + links).on(f"{FOLDER}?page=2", no_list).on(f"{FOLDER}?page=3", plain[2])
    result = crawl(site, tmp_path)
    assert [failure.code for failure in result.failures] == ["source_changed"] and result.rejected == 1
    assert years(result) == {2001, 2002, 2003, 2007, 2008, 2009}
    assert len(site.asked(f"{FOLDER}?page=2")) == 2


def test_a_hole_in_a_list_is_looked_into_again_the_next_night(site: Site, tmp_path: Path) -> None:
    spoil(site, 7, status=200, body=EMPTY)
    first = crawl(site, tmp_path)
    put_lists(site, LISTS)
    assert years(crawl(site, tmp_path, remembered(first))) == {2022, 2023, 2024}


def test_memory_does_not_stand_in_for_lists_without_a_row(site: Site, tmp_path: Path) -> None:
    known = remembered(crawl(site, tmp_path))
    spoil(site, 1)
    site.forget(list_target(0))
    site.on(list_target(0), EMPTY.replace("10, 4", "2, 0"))
    with pytest.raises(SourceChanged, match=r"hold 0 rows.*a list page was not had: .*index_1\.html"):
        crawl(site, tmp_path, known)


def test_a_page_that_leads_to_another_document_is_no_second_one(site: Site, tmp_path: Path) -> None:
    """To one that is listed, and to one that lists named once."""
    old = item(60)
    put(site, [[*ITEMS[:3], old]])
    known = remembered(crawl(site, tmp_path))
    put(site, [ITEMS[:4]])
    for one, target in ((ITEMS[1], ITEMS[0]), (ITEMS[3], old)):
        site.forget(one.target)
        site.on(one.target, "", status=302, headers={"Location": target.target})
    first = crawl(site, tmp_path, known)
    assert first.pages == [] and [failure.code for failure in first.failures] == ["source_changed"] * 2
    assert {miss.url for miss in first.missed} == {BASE + ITEMS[1].path, BASE + ITEMS[3].path}
    put(site, [ITEMS[:4]])
    assert years(crawl(site, tmp_path, known)) == {2004}


def test_a_report_may_lie_where_a_row_leads_that_nobody_asks_for(site: Site, tmp_path: Path) -> None:
    row = replace(ITEMS[1], title="乌有县法治建设专栏")
    put_lists(site, [[ITEMS[0], row, ITEMS[2]]])
    site.forget(ITEMS[2].target)
    site.on(ITEMS[2].target, "", status=302, headers={"Location": row.target})
    result = crawl(site, tmp_path)
    assert [page.ref.title for page in result.pages] == [ITEMS[0].title, ITEMS[2].title]


def test_a_page_that_has_moved_is_read_where_it_is(site: Site, tmp_path: Path) -> None:
    site.forget(ITEMS[1].target)
    site.on(ITEMS[1].target, "", status=302, headers={"Location": "/new/t20030211_1.html"})
    site.on("/new/t20030211_1.html", ITEMS[1].page)
    assert years(crawl(site, tmp_path, of=source())) == {2000 + number for number in range(1, 31)}


def lead_away(site: Site, *items: Item) -> None:
    """These lead to a third page, that no list names."""
    for one in items:
        site.forget(one.target)
        site.on(one.target, "", status=302, headers={"Location": "/new/t20030211_1.html"})


def test_pages_that_lead_to_one_place_are_one_page(site: Site, tmp_path: Path) -> None:
    lead_away(site, ITEMS[1], ITEMS[4])
    site.on("/new/t20030211_1.html", ITEMS[1].page)
    first = crawl(site, tmp_path)
    assert len(first.pages) == 29 and [failure.code for failure in first.failures] == ["source_changed"]
    assert [miss.url for miss in first.missed] == [BASE + ITEMS[4].path]
    again = crawl(site, tmp_path, remembered(first))
    assert again.pages == [] and [miss.url for miss in again.missed] == [BASE + ITEMS[4].path]


def test_of_pages_that_lead_to_one_place_the_one_that_is_held_stays(site: Site, tmp_path: Path) -> None:
    """Whichever is asked first: pages that are new are asked before those that are held."""
    lead_away(site, ITEMS[4])
    site.on("/new/t20030211_1.html", ITEMS[1].page)
    put_lists(site, [[ITEMS[0], *ITEMS[2:]]])
    held = remembered(crawl(site, tmp_path))
    lead_away(site, ITEMS[1])
    put_lists(site, [ITEMS])
    second = crawl(site, tmp_path, held)
    assert second.pages == [] and [miss.url for miss in second.missed] == [BASE + ITEMS[1].path]


def test_a_year_that_may_stand_on_a_list_page_that_was_not_had_is_a_finding(site: Site, tmp_path: Path) -> None:
    spoil(site, 7)
    result = crawl(site, tmp_path, of=source(assertions={"min_list_rows": 30, "report_years": [2001, 2023]}))
    assert len(result.pages) == 27
    assert [failure.code for failure in result.failures] == ["transient"]
    told = "\n".join(result.notes)
    assert "no annual report listed for 2023" in told and "hold 27 rows" in told and "is asked again" in told
    assert {miss.url for miss in result.missed} == {f"https://{HOST}{list_target(7)}"}
