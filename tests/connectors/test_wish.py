"""Cuts of a portal for a backfill: what is asked, what is left alone, and what the next night still knows."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path

import pytest

from connectors.archive import Archive
from connectors.crawl import crawl_source
from connectors.crawled import CrawlResult, Known
from connectors.engines import get_engine
from connectors.frontier import RunState
from connectors.http.client import Client
from connectors.wish import DUE, Wish
from tasks.assemble import known_pages, page_states
from tests.connectors.client_runs import settings
from tests.connectors.portal import Item, item, put, put_lists, source
from tests.servers import Site

ITEMS = [item(number) for number in range(1, 9)]
"""Reports of 2001 to 2008, listed on 11 February of the next year."""


def crawl(
    site: Site, folder: Path, wish: Wish, known: dict[str, Known] | None = None, limit: int | None = None
) -> CrawlResult:
    result = CrawlResult(source())

    async def go() -> None:
        with Archive(folder) as archive:
            async with Client(settings(site)) as client:
                run = RunState(pages_left=limit)
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
