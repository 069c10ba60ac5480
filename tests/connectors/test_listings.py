"""What was read of list pages is kept, and holds only for the same bytes, the same code and the same source file."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors import listings
from connectors.base import Listing, Page
from connectors.crawled import CrawlResult
from connectors.engines import get_engine
from connectors.engines.family import FamilyEngine
from connectors.registry import Source
from tests.connectors.killed import run
from tests.connectors.portal import item, list_page, list_target, put
from tests.servers import Site
from warehouse.crawl_state import open_crawl_state
from warehouse.engine import open_warehouse

ITEMS = [item(number) for number in range(1, 13)]
LISTS = [ITEMS[:6], ITEMS[6:]]


@pytest.fixture
def portal() -> Iterator[Site]:
    with Site() as site:
        put(site, LISTS, total=len(ITEMS))
        yield site


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Addresses of the list pages that are read."""
    pages: list[str] = []
    trs = type(get_engine("trs"))
    really = FamilyEngine.discover

    def discover(self: FamilyEngine, page: Page, source: Source) -> Listing:
        pages.append(page.url)
        return really(self, page, source)

    monkeypatch.setattr(trs, "discover", discover)
    return pages


def night(portal: Site, home: Path) -> CrawlResult:
    return asyncio.run(run(portal.url, home))


def counts(result: CrawlResult) -> tuple[object, ...]:
    return result.listed, result.planned, result.unchanged, result.notes, result.failures, result.listed_only


def test_a_list_that_is_not_modified_is_not_read_again(portal: Site, tmp_path: Path, read: list[str]) -> None:
    night(portal, tmp_path)
    assert len(read) == 2
    quiet = night(portal, tmp_path)
    assert len(read) == 2
    assert (quiet.not_modified, quiet.listed, quiet.pages) == (14, 12, [])
    engine = open_warehouse(f"sqlite:///{tmp_path / 'warehouse.sqlite'}")
    state = open_crawl_state(engine)
    with state.begin() as conn:
        conn.exec_driver_sql("DELETE FROM list_page")
    state.dispose()
    engine.dispose()
    forgetful = night(portal, tmp_path)
    assert len(read) == 4, "a memory that may be lost"
    assert counts(forgetful) == counts(quiet)


def test_other_bytes_are_read(portal: Site, tmp_path: Path, read: list[str]) -> None:
    night(portal, tmp_path)
    extra = [*LISTS[1], item(13)]
    put(portal, [LISTS[0], extra], total=13)
    after = night(portal, tmp_path)
    assert len(read) == 4, "both pages state another total"
    assert (after.listed, len(after.pages)) == (13, 1)
    assert night(portal, tmp_path).listed == 13
    assert len(read) == 4


def test_the_same_bytes_under_another_charset_are_read(portal: Site, tmp_path: Path, read: list[str]) -> None:
    put(portal, [ITEMS])

    def send_as(charset: str) -> None:
        portal.forget(list_target(0))
        headers = {"Content-Type": f"text/html; charset={charset}"}
        portal.on(list_target(0), list_page(ITEMS, 1, 0), headers=headers)

    send_as("utf-8")
    night(portal, tmp_path)
    assert (night(portal, tmp_path).same_bytes, len(read)) == (1, 1)
    send_as("gb18030")
    assert (night(portal, tmp_path).same_bytes, len(read)) == (1, 2)


def test_other_code_reads_anew(portal: Site, tmp_path: Path, read: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    night(portal, tmp_path)
    monkeypatch.setattr(listings, "_code", lambda: "of the next release")
    night(portal, tmp_path)
    assert len(read) == 4
    night(portal, tmp_path)
    assert len(read) == 4
