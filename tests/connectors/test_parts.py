"""A source's pages are handed over in parts: memory is flat, a kill between two of them costs nothing."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.archive import Archive
from connectors.crawl import crawl_source
from connectors.crawled import CrawlResult, Part
from connectors.engines import get_engine
from connectors.errors import SourceChanged
from connectors.http.client import Client, HttpSettings
from tests.connectors import killed
from tests.connectors.killed import run
from tests.connectors.portal import item, list_target, put, source
from tests.forked import start
from tests.servers import Site
from warehouse.checkup import check_warehouse
from warehouse.engine import open_warehouse
from warehouse.fingerprint import fingerprint

ITEMS = [item(number) for number in range(1, 25)]
LISTS = [ITEMS[:8], ITEMS[8:16], ITEMS[16:]]


@pytest.fixture
def portal() -> Iterator[Site]:
    with Site() as site:
        put(site, LISTS)
        yield site


def asked(site: Site) -> Counter[str]:
    return Counter(seen.target for seen in site.seen if seen.target != "/robots.txt")


def run_in_parts(site: Site, home: Path, pages: int, kill_at: str = "") -> int:
    """The exit code of a run in a process of its own."""
    process = start(killed.run_in_parts, site.url, home, pages, kill_at=kill_at)
    process.join(60)
    assert process.exitcode is not None
    return process.exitcode


def marks(home: Path) -> tuple[str, list[str]]:
    """What the warehouse says, and the data tests that it fails."""
    engine = open_warehouse(f"sqlite:///{home / 'warehouse.sqlite'}")
    told = fingerprint(engine), [one.test.name for one in check_warehouse(engine) if not one.holds]
    engine.dispose()
    return told


def crawl_in_parts(site: Site, folder: Path, parts: list[Part]) -> CrawlResult:
    result = CrawlResult(source())

    async def take(part: Part) -> None:
        parts.append(part)

    async def crawl() -> None:
        with Archive(folder) as archive:
            async with Client(HttpSettings("fazhi-test/1 (+https://fazhi.example)", replay=site.url)) as client:
                await crawl_source(result, get_engine("trs"), client, archive, {}, take=take)

    asyncio.run(crawl())
    return result


def test_no_more_than_a_part_is_held(portal: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.crawl.PART_PAGES", 5)
    parts: list[Part] = []
    result = crawl_in_parts(portal, tmp_path, parts)
    assert [len(part.pages) for part in parts] == [5, 5, 5, 5] and len(result.pages) == 4
    pages = [page.ref.url for part in parts for page in part.pages] + [page.ref.url for page in result.pages]
    assert len(set(pages)) == len(pages) == len(ITEMS)
    assert {seen.kind for part in parts for seen in part.seen} == {"page"}, "that a list was walked is told at the end"
    assert [len(part.listed) for part in parts] == [24, 0, 0, 0], "rows of the lists are known from the first part on"
    assert result.fetched == len(LISTS) + len(ITEMS)


def test_long_texts_fill_a_part_before_many_pages_do(
    portal: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.crawl.PART_LETTERS", 100)
    parts: list[Part] = []
    crawl_in_parts(portal, tmp_path, parts)
    assert len(parts) > 4
    assert all(sum(len(page.article.body.text) for page in part.pages[:-1]) < 100 for part in parts)


def test_nothing_is_handed_over_of_a_source_that_may_fail_as_a_whole(
    portal: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.crawl.PART_PAGES", 1)
    for one in ITEMS:
        portal.forget(one.target)
        portal.on(one.target, "", status=302, headers={"Location": "https://elsewhere.example/"})
    parts: list[Part] = []
    with pytest.raises(SourceChanged, match="none of its 24 listed reports could be read"):
        crawl_in_parts(portal, tmp_path, parts)
    assert parts == []


@pytest.mark.parametrize(
    ("pages", "step"),
    [(5, "load-5-facts:2"), (5, "load-10-published"), (5, "load-10-published:5"), (200, "load-1-begun")],
)
def test_killed_between_parts_is_as_never_killed(portal: Site, tmp_path: Path, pages: int, step: str) -> None:
    assert run_in_parts(portal, tmp_path / "killed", pages, step) == -signal.SIGKILL
    assert run_in_parts(portal, tmp_path / "killed", 5) == 0
    assert set(asked(portal).values()) == {1}, "nothing is asked for twice"
    assert len(asked(portal)) == len(LISTS) + len(ITEMS)
    asyncio.run(run(portal.url, tmp_path / "whole"))
    assert marks(tmp_path / "killed") == marks(tmp_path / "whole")
    assert marks(tmp_path / "whole")[1] == []
    with sqlite3.connect(tmp_path / "killed" / "warehouse.sqlite") as conn:
        states = conn.execute("SELECT state, count(*) FROM page WHERE kind = 'page' GROUP BY state").fetchall()
    assert states == [("active", len(ITEMS))], "each is remembered as asked, with its validators"


def test_run_in_parts_counts_as_one_load(portal: Site, tmp_path: Path) -> None:
    assert run_in_parts(portal, tmp_path / "parts", 5) == 0
    asyncio.run(run(portal.url, tmp_path / "whole"))
    names = "n_new, n_changed, n_observations, n_mentions, n_fetched, status"
    told = []
    for home in ("parts", "whole"):
        with sqlite3.connect(tmp_path / home / "warehouse.sqlite") as conn:
            runs = conn.execute(f"SELECT {names} FROM fact_source_run").fetchall()
            loads = conn.execute("SELECT n_inserted > 0, data_tests FROM dim_load WHERE load_key >= 0").fetchall()
            told.append((runs, loads))
    assert told[0] == told[1]
    assert told[0][0][0][0] == len(ITEMS)


def test_rows_of_a_list_that_was_walked_before_survive_a_kill(portal: Site, tmp_path: Path) -> None:
    """The lists' heads are loaded when the run dies; the next walk stops there, and knows the rows behind them."""
    put(portal, [ITEMS[:3]])
    assert run_in_parts(portal, tmp_path, 200) == 0
    put(portal, [ITEMS[start : start + 3] for start in range(0, 24, 3)])
    assert run_in_parts(portal, tmp_path, 9, "load-10-published") == -signal.SIGKILL
    with sqlite3.connect(tmp_path / "warehouse-crawl.sqlite") as conn:
        conn.execute("DELETE FROM frontier")  # as if the next night came days later
    assert run_in_parts(portal, tmp_path, 9) == 0
    assert set(asked(portal)) >= {one.target for one in ITEMS} | {list_target(0)}
    assert marks(tmp_path)[1] == []
