"""How lists are walked: to their end by evidence, as far as something is new, and what they lack is told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.archive import Archive
from connectors.crawl import crawl_source
from connectors.crawled import CrawlResult, Known
from connectors.engines import get_engine
from connectors.errors import Deferred
from connectors.frontier import RunState
from connectors.http.client import Client, HttpSettings
from connectors.urls import document_key
from tests.connectors.portal import BASE, FOLDER, Item, item, list_page, list_target, put, put_lists, put_pages, source
from tests.connectors.walks import EMPTY, ITEMS, LISTS, crawl, lists_asked, remembered, years
from tests.servers import Site


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as served:
        put(served, LISTS)
        yield served


def test_second_walk_stops_where_nothing_is_new_and_forgets_nothing(site: Site, tmp_path: Path) -> None:
    first = crawl(site, tmp_path)
    site.seen.clear()
    second = crawl(site, tmp_path, remembered(first))
    assert lists_asked(site) == [list_target(number) for number in range(3)]
    assert (first.listed, second.listed) == (30, 30)
    assert second.not_modified == second.planned == 33, "the pages themselves are asked for all the same"


def test_a_late_entry_behind_the_newest_is_found(site: Site, tmp_path: Path) -> None:
    first = crawl(site, tmp_path)
    late = item(40)
    put_lists(site, [*LISTS[:2], [*LISTS[2][:1], late, *LISTS[2][1:]], *LISTS[3:]])
    put_pages(site, [late])
    second = crawl(site, tmp_path, remembered(first))
    assert years(second) == {2040}


def test_a_late_entry_anywhere_is_found_where_the_total_tells_of_it(site: Site, tmp_path: Path) -> None:
    put_lists(site, LISTS, total=30)
    first = crawl(site, tmp_path)
    late = item(40)
    put_lists(site, [*LISTS[:9], [*LISTS[9], late]], total=31)
    put_pages(site, [late])
    second = crawl(site, tmp_path, remembered(first))
    assert years(second) == {2040} and not second.notes


def test_a_list_is_walked_whole_again_after_a_week(site: Site, tmp_path: Path) -> None:
    first = crawl(site, tmp_path)
    late = item(40)
    put_lists(site, [*LISTS[:9], [*LISTS[9], late]])
    put_pages(site, [late])
    assert years(crawl(site, tmp_path, remembered(first), days=1)) == set()
    assert years(crawl(site, tmp_path, remembered(first), days=8)) == {2040}


def test_rows_that_the_list_lacks_are_a_finding(site: Site, tmp_path: Path) -> None:
    put_lists(site, LISTS, total=33)
    result = crawl(site, tmp_path)
    assert result.notes == [f"list shortfall: {BASE} states 33 rows, 30 were found"]


def test_an_empty_page_in_mid_list_is_asked_again(site: Site, tmp_path: Path) -> None:
    site.forget(list_target(4))
    site.on(list_target(4), EMPTY).on(list_target(4), list_page(LISTS[4], 10, 4))
    result = crawl(site, tmp_path)
    assert len(result.pages) == 30 and not result.notes
    assert lists_asked(site).count(list_target(4)) == 2


def test_a_page_that_stays_empty_is_told_and_the_list_goes_on(site: Site, tmp_path: Path) -> None:
    site.forget(list_target(4))
    site.on(list_target(4), EMPTY)
    result = crawl(site, tmp_path)
    assert len(result.pages) == 27 and not result.failures
    assert result.notes == [f"empty page in mid-list: {BASE}index_4.html, also when asked again"]


def test_addresses_behind_the_end_of_a_list_end_it(site: Site, tmp_path: Path) -> None:
    put_lists(site, [ITEMS[:15], ITEMS[15:]])
    for number in range(2, 10):
        site.forget(list_target(number))
    for number in range(2):
        site.forget(list_target(number))
        site.on(list_target(number), list_page(ITEMS[15 * number : 15 * number + 15], 400, number))
    result = crawl(site, tmp_path)
    assert (len(result.pages), len(lists_asked(site))) == (30, 4)
    assert [failure.code for failure in result.failures] == ["gone", "gone"], "the pager promises what is not there"


def test_stubs_behind_the_end_of_a_list_are_not_asked_for_by_the_hundred(site: Site, tmp_path: Path) -> None:
    put_lists(site, [ITEMS[:15], ITEMS[15:]])
    site.forget(list_target(0))
    site.on(list_target(0), list_page(ITEMS[:15], 400, 0))
    for number in range(2, 400):
        site.forget(list_target(number))
        site.on(list_target(number), "<html><body></body></html>")
    crawl(site, tmp_path)
    assert len(lists_asked(site)) == 6, "two stubs, each asked twice"


def test_rows_that_shift_while_the_list_is_read_end_nothing(site: Site, tmp_path: Path) -> None:
    """A page that repeats some rows of the one before, and one that repeats all of two others'."""
    shifted = [ITEMS[0:3], ITEMS[1:4], [ITEMS[2], ITEMS[3], ITEMS[0]], ITEMS[4:7], ITEMS[7:30]]
    put_lists(site, shifted)
    for number in range(5, 10):
        site.forget(list_target(number))
    assert len(crawl(site, tmp_path).pages) == 30


def test_old_rows_under_new_addresses_end_the_list(site: Site, tmp_path: Path) -> None:
    """A counter in the query makes every page of an endless list new by address."""
    for number in range(300):
        rows = [replace(one, path=f"{one.path}?visit={number}{place}") for place, one in enumerate(ITEMS[:6])]
        site.forget(list_target(number))
        site.on(list_target(number), list_page(rows, 300, number))
        for one in rows:
            site.on(one.target, one.page)
    crawl(site, tmp_path)
    assert len(lists_asked(site)) == 2


def test_old_rows_under_made_up_paths_end_the_list(site: Site, tmp_path: Path) -> None:
    for number in range(300):
        rows = [replace(one, path=one.path.replace("_", f"_{number}0")) for one in ITEMS[:6]]
        site.forget(list_target(number))
        site.on(list_target(number), list_page(rows, 300, number))
        for one in rows:
            site.on(one.target, one.page)
    crawl(site, tmp_path)
    assert len(lists_asked(site)) == 3, "two pages in a row: one alone might be a coincidence"


def test_rows_of_few_words_are_told_apart_by_address(site: Site, tmp_path: Path) -> None:
    """Notices of one day that all have the same two titles are many all the same."""
    first, second = (f"乌有县{year}年法治政府建设情况报告" for year in (2001, 2002))
    rows = [replace(ITEMS[0], path=ITEMS[0].path.replace("_", f"_{number}0")) for number in range(16)]
    rows = [replace(one, title=second if number % 2 else first) for number, one in enumerate(rows)]
    pages = [rows[start : start + 4] for start in range(0, 16, 4)]
    for number in range(10):
        site.forget(list_target(number))
    put_lists(site, pages)
    put_pages(site, [one for rows in pages for one in rows])
    crawl(site, tmp_path)
    assert len(lists_asked(site)) == 4


def test_a_circle_of_lists_ends(site: Site, tmp_path: Path) -> None:
    """A calendar: each month leads to the next, for ever, and names the same pages or none."""
    for number in range(1, 200):
        site.forget(list_target(number))
        following = f'<a href="index_{number + 1}.html">下一页</a>'
        rows = "".join(one.row for one in ITEMS[number % 2 : 3])
        site.on(list_target(number), f'<html><body><ul class="list">{rows}</ul>{following}</body></html>')
    site.forget(list_target(0))
    first = "".join(one.row for one in ITEMS[:3])
    site.on(list_target(0), f'<html><body><ul class="list">{first}</ul><a href="index_1.html">下一页</a></body></html>')
    crawl(site, tmp_path)
    assert len(lists_asked(site)) <= 3


def test_a_changed_title_in_the_list_asks_for_the_page_in_full(site: Site, tmp_path: Path) -> None:
    first = crawl(site, tmp_path)
    renamed = replace(ITEMS[1], title="乌有县2002年法治政府建设年度情况报告")
    put_lists(site, [[ITEMS[0], renamed, ITEMS[2]], *LISTS[1:]])
    site.seen.clear()
    second = crawl(site, tmp_path, remembered(first))
    (asked,) = site.asked(renamed.target)
    assert "if-none-match" not in asked.headers
    assert [page.ref.title for page in second.pages] == [renamed.title]
    assert (second.same_bytes, second.fetched) == (1, 1), "the page is the same, the list's first page is not"


def test_the_three_ways_of_being_unchanged_are_told_apart(site: Site, tmp_path: Path) -> None:
    first = crawl(site, tmp_path)
    known = remembered(first)
    for one, page in ((ITEMS[0], ITEMS[0].page), (ITEMS[1], f"{ITEMS[1].page}<!-- 第 8 次访问 -->")):
        site.forget(one.target)
        site.on(one.target, page)
    second = crawl(site, tmp_path, known)
    outcomes = {document_key(seen.url).rpartition("/")[2]: seen.outcome for seen in second.seen}
    names = [one.path.rpartition("/")[2] for one in ITEMS[:3]]
    assert [outcomes[name] for name in names] == ["same_bytes", "same_text", "not_modified"]
    assert (second.same_bytes, second.same_text, second.fetched, second.unchanged) == (1, 1, 1, 32)


def test_two_spellings_with_double_slashes_are_one_page_only_with_one_title(site: Site, tmp_path: Path) -> None:
    twin = replace(ITEMS[0], path=f"/{ITEMS[0].path}")
    other = replace(ITEMS[1], path=f"/{ITEMS[1].path}", title="乌有县2029年法治政府建设情况报告")
    site.forget(list_target(0))
    site.on(list_target(0), list_page([*ITEMS[:3], twin, other], 1, 0).replace('"./', f'"{FOLDER}'))
    site.on(other.target, other.page)
    result = crawl(site, tmp_path)
    assert (result.listed, result.failures) == (4, [])
    assert not site.asked(twin.target) and site.asked(other.target)


def test_quiet_hours_leave_the_rest_to_a_later_run(site: Site, tmp_path: Path) -> None:
    """They begin after the tenth page."""
    quiet = source(politeness={"quiet_hours": ["08:00-18:00"]})
    result = CrawlResult(quiet)
    evening, noon = datetime(2026, 3, 1, 23, 0, tzinfo=UTC), datetime(2026, 3, 2, 4, 0, tzinfo=UTC)

    async def run() -> None:
        settings = HttpSettings("fazhi-test/1 (+https://fazhi.example)", replay=site.url)
        state = RunState(now=lambda: noon if len(site.seen) > 20 else evening)
        with Archive(tmp_path) as archive:
            async with Client(settings) as client:
                await crawl_source(result, get_engine("trs"), client, archive, {}, run=state)

    asyncio.run(run())
    assert (len(result.pages), result.deferred, result.failures) == (10, 20, [])
    assert result.notes == [
        "20 pages wait for a later run: 990901_wuyou has quiet hours until 2026-03-02 18:00 (Asia/Shanghai): "
        "run again after that"
    ]


def test_quiet_hours_that_begin_while_a_page_waits_for_its_turn_keep_it(site: Site, tmp_path: Path) -> None:
    """A busy host has it wait; when it may be asked again, the hours have begun."""
    address = ITEMS[0].target
    site.forget(address)
    site.on(address, status=503)
    result = CrawlResult(source(politeness={"quiet_hours": ["08:00-18:00"]}))
    evening, noon = datetime(2026, 3, 1, 23, 0, tzinfo=UTC), datetime(2026, 3, 2, 4, 0, tzinfo=UTC)

    async def run() -> None:
        settings = HttpSettings("fazhi-test/1 (+https://fazhi.example)", replay=site.url, backoff=0.01)
        state = RunState(now=lambda: noon if site.asked(address) else evening)
        with Archive(tmp_path) as archive:
            async with Client(settings) as client:
                with pytest.raises(Deferred):
                    await crawl_source(result, get_engine("trs"), client, archive, {}, run=state)

    asyncio.run(run())
    assert len(site.asked(address)) == 1, "not a second time, though it may be retried"
    assert (result.deferred, result.failed) == (30, 0)


def test_a_challenge_ends_the_lane_on_any_kind_of_page(site: Site, tmp_path: Path) -> None:
    site.forget(ITEMS[10].target)
    site.on(ITEMS[10].target, "", status=412)
    result = crawl(site, tmp_path)
    assert (len(result.pages), result.blocked) == (10, 20)
    assert [failure.code for failure in result.failures] == ["blocked"]
    assert any("19 pages not asked for" in note for note in result.notes)


def test_what_fails_night_after_night_is_asked_for_less_often(site: Site, tmp_path: Path) -> None:
    site.forget(ITEMS[5].target)
    first = crawl(site, tmp_path)
    (missed,) = first.missed
    assert (missed.code, missed.n_failed) == ("gone", 1) and missed.due_at == missed.seen_at
    known = remembered(first)
    known[missed.url] = Known(missed.url, "page", is_asked=False, title=ITEMS[5].title, n_failed=4)
    later = crawl(site, tmp_path, known)
    (missed,) = later.missed
    assert (missed.n_failed, missed.due_at - missed.seen_at) == (5, timedelta(days=4))
    known[missed.url] = replace(known[missed.url], n_failed=5, due_at=missed.due_at)
    site.seen.clear()
    rested = crawl(site, tmp_path, known)
    assert not site.asked(ITEMS[5].target)
    assert rested.notes == ["1 pages that failed again and again are not due yet"]
    assert crawl(site, tmp_path, known, days=5).missed, "and then it is asked for again"


def test_rows_that_nobody_wants_are_known_once(site: Site, tmp_path: Path) -> None:
    notice: Item = replace(item(50), title="乌有县2050年行政执法培训动态")
    put_lists(site, [[notice, *ITEMS]])
    first = crawl(site, tmp_path)
    assert [row.title for row in first.listed_only] == [notice.title]
    assert not site.asked(notice.target)
    assert crawl(site, tmp_path, remembered(first)).listed_only == []
