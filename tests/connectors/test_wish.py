"""Cuts of a portal for a backfill: what is asked, what is left alone, and what the next night still knows."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

import pytest

from connectors.archive import Archive
from connectors.base import AttachmentRef
from connectors.crawl import crawl_source
from connectors.crawled import CrawlResult, Known
from connectors.engines import get_engine
from connectors.frontier import Answered, Forgetful, Journal, RunState
from connectors.http.client import Client
from connectors.urls import document_key
from connectors.wish import DUE, Wish
from tasks.assemble import known_pages, page_states
from tests.connectors.client_runs import settings
from tests.connectors.portal import FOLDER, Item, item, put, put_lists, source
from tests.servers import Site

ITEMS = [item(number) for number in range(1, 9)]
"""Reports of 2001 to 2008, listed on 11 February of the next year."""


def crawl(
    site: Site,
    folder: Path,
    wish: Wish,
    known: dict[str, Known] | None = None,
    limit: int | None = None,
    journal: Journal | None = None,
) -> CrawlResult:
    result = CrawlResult(source())

    async def go() -> None:
        with Archive(folder) as archive:
            async with Client(settings(site)) as client:
                run = RunState(journal or Forgetful(), pages_left=limit)
                await crawl_source(result, get_engine("trs"), client, archive, known or {}, run=run, wish=wish)

    site.seen.clear()
    asyncio.run(asyncio.wait_for(go(), 30))
    return result


def memory(*results: CrawlResult) -> dict[str, Known]:
    states = {state.url: state for result in results for state in page_states(result)}
    return known_pages(states, {})


def asked(site: Site) -> set[str]:
    return {seen.target for seen in site.seen if seen.target.endswith(".html") and "/t" in seen.target}


def targets(items: list[Item]) -> set[str]:
    return {one.target for one in items}


@pytest.mark.parametrize(
    ("wish", "wanted"),
    [
        (Wish("missing", years=(2003, 2005)), ITEMS[2:5]),
        (Wish("missing", published=(date(2003, 1, 1), date(2004, 12, 31))), ITEMS[1:3]),
        (Wish("missing", years=(2001, 2004), published=(date(2004, 1, 1), date(2010, 1, 1))), ITEMS[2:4]),
        (Wish("missing"), ITEMS),
    ],
)
def test_only_the_cut_is_asked(wish: Wish, wanted: list[Item], site: Site, tmp_path: Path) -> None:
    put(site, [ITEMS])
    result = crawl(site, tmp_path, wish)
    assert asked(site) == targets(wanted)
    assert len(result.pages) == len(wanted) and not result.failures
    rest = crawl(site, tmp_path, DUE, memory(result))
    assert len(rest.pages) == len(ITEMS) - len(wanted), "the next night has the rest, and nothing is gone"
    assert not rest.gone and rest.unchanged >= len(wanted)


def test_missing_leaves_alone_what_is_held_and_refetch_asks_in_full(site: Site, tmp_path: Path) -> None:
    put(site, [ITEMS])
    known = memory(crawl(site, tmp_path, Wish("missing", years=(2001, 2004))))
    crawl(site, tmp_path, Wish("missing", years=(2003, 2006)), known)
    assert asked(site) == targets(ITEMS[4:6])
    again = crawl(site, tmp_path, Wish("refetch", years=(2003, 2004)), known)
    assert asked(site) == targets(ITEMS[2:4])
    pages = [seen for seen in site.seen if seen.target in targets(ITEMS)]
    assert not any("If-None-Match" in seen.headers for seen in pages)
    assert [seen.outcome for seen in again.seen if seen.kind == "page"] == ["same_bytes", "same_bytes"]


def test_missing_tries_what_is_not_due_yet(site: Site, tmp_path: Path) -> None:
    put(site, [ITEMS])
    site.forget(ITEMS[0].target)
    site.on(ITEMS[0].target, "busy", status=500)
    known: dict[str, Known] = {}
    for _ in range(4):
        known |= memory(crawl(site, tmp_path, DUE, known))
    crawl(site, tmp_path, DUE, known)
    assert ITEMS[0].target not in asked(site), "after three failures in a row it waits"
    failed = crawl(site, tmp_path, Wish("missing", years=(2001, 2001)), known)
    assert asked(site) == {ITEMS[0].target}
    assert failed.failed == 1, "told, and the source has not failed because of it"


def test_limit_is_of_the_run(site: Site, tmp_path: Path) -> None:
    put(site, [ITEMS])
    result = crawl(site, tmp_path, Wish("missing"), limit=3)
    assert len(result.pages) == 3
    assert any("5 pages of the cut are beyond the run's limit" in note for note in result.notes)
    rest = crawl(site, tmp_path, Wish("missing"), memory(result), limit=5)
    assert len(rest.pages) == 5


def test_page_that_no_list_names_any_more_is_refetched(site: Site, tmp_path: Path) -> None:
    put(site, [ITEMS])
    known = memory(crawl(site, tmp_path, DUE))
    put_lists(site, [[one for one in ITEMS if one is not ITEMS[1]]])
    crawl(site, tmp_path, Wish("refetch", years=(2002, 2002)), known)
    assert asked(site) == targets(ITEMS[1:2])


def test_undated_pages_are_told(site: Site, tmp_path: Path) -> None:
    undated = [item(number, "乌有县法治政府建设情况报告") for number in (1,)]
    blank = [Item(one.path, one.title, "", one.body) for one in undated]
    put(site, [[*ITEMS[1:], *blank]])
    wants = Wish("missing", published=(date(2000, 1, 1), date(2030, 1, 1)))
    result = CrawlResult(source(assertions={"min_list_rows": 3, "report_years": [2002]}))

    async def go() -> None:
        with Archive(tmp_path) as archive:
            async with Client(settings(site)) as client:
                await crawl_source(result, get_engine("trs"), client, archive, {}, wish=wants)

    asyncio.run(go())
    assert any("1 pages are left out" in note for note in result.notes)


def notice(number: int) -> Item:
    """Listed before all reports, and never asked for."""
    return Item(
        f"202506/t202506{number:02}_{number}.html", f"乌有县普法活动动态之{number}", f"2025-06-{number:02}", "动态"
    )


def test_rows_beyond_the_cut_are_remembered_for_the_night_that_reads_only_the_first_pages(
    site: Site, tmp_path: Path
) -> None:
    """A list walked to its end is read again only as far as it is new: the rest must be in memory by then."""
    put(site, [*([notice(number)] for number in range(9, 3, -1)), ITEMS])
    for wish, limit in ((Wish("missing", years=(2003, 2003)), None), (Wish("missing"), 1)):
        known = memory(crawl(site, tmp_path, wish, limit=limit))
        rest = crawl(site, tmp_path, DUE, known)
        assert not site.asked(f"{FOLDER}index_5.html"), "it stops where nothing is new"
        assert len(rest.pages) == len(ITEMS) - 1, "and has the reports that were left alone"


def test_new_title_beyond_the_cut_is_left_for_the_night(site: Site, tmp_path: Path) -> None:
    """A page that a list renames is read anew by the night, which can tell only as long as memory has the old title."""
    put(site, [ITEMS])
    known = memory(crawl(site, tmp_path, DUE))
    renamed = item(5, "乌有县2005年度法治政府建设工作报告")
    put_lists(site, [[renamed if one is ITEMS[4] else one for one in ITEMS]])
    known |= memory(crawl(site, tmp_path, Wish("refetch", years=(2001, 2001)), known))
    night = crawl(site, tmp_path, DUE, known)
    assert [page.ref.title for page in night.pages] == [renamed.title]


class Left(Forgetful):
    """What a night that did not end has left."""

    def __init__(self, *answers: Answered) -> None:
        self.answers = answers

    def recall(self, source_id: str) -> dict[str, Answered]:
        return {document_key(one.url): one for one in self.answers}


@pytest.mark.parametrize(("outcome", "is_asked"), [("not_modified", True), ("ok", False)])
def test_refetch_goes_on_with_whole_answers_only(
    outcome: Literal["not_modified", "ok"], is_asked: bool, site: Site, tmp_path: Path
) -> None:
    put(site, [ITEMS])
    known = memory(crawl(site, tmp_path, DUE))
    held = next(one for one in known.values() if ITEMS[0].target in one.url)
    left = Left(Answered(held.url, "page", outcome, 200, datetime.now(UTC), held.etag, None, held.snapshot))
    again = crawl(site, tmp_path, Wish("refetch", years=(2001, 2001)), known, journal=left)
    assert (asked(site) == {ITEMS[0].target}) is is_asked
    assert again.resumed == (not is_asked) and again.same_bytes == 1


def test_refetch_asks_for_attachments_in_full(site: Site, tmp_path: Path) -> None:
    scan = "202402/W020240205.xlsx"
    page = ITEMS[0].page.replace(ITEMS[0].body, f'详见附件。</p><p><a href="./{scan}">报告.xlsx</a>')
    put(site, [ITEMS])
    site.forget(ITEMS[0].target)
    site.on(ITEMS[0].target, page, headers={"ETag": '"page"'})
    file = f"{ITEMS[0].target.rpartition('/')[0]}/{scan}"
    site.on(file, b"PK no workbook", headers={"ETag": '"file"'})
    known = memory(crawl(site, tmp_path, DUE))
    assert site.asked(file), "the report's text is in its attachment"
    url = next(url for url in known if url.endswith(scan))
    known = {
        one: replace(entry, attachments=(AttachmentRef(url, "报告.xlsx"),)) if one.endswith(ITEMS[0].target) else entry
        for one, entry in known.items()
    }
    crawl(site, tmp_path, Wish("refetch", years=(2001, 2001)), known)
    assert site.asked(file) and not any("if-none-match" in seen.headers for seen in site.asked(file))
    assert not any("if-none-match" in seen.headers for seen in site.asked(ITEMS[0].target))
