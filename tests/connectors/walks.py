"""A list of ten pages with thirty reports, and crawls of it, for tests of walks."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from connectors.archive import Archive
from connectors.crawl import crawl_source
from connectors.crawled import CrawlResult, Known
from connectors.engines import get_engine
from connectors.frontier import RunState
from connectors.http.client import Client, HttpSettings
from connectors.registry import Source
from tests.connectors.portal import item, list_page, list_target, source
from tests.servers import Site

ITEMS = [item(number) for number in range(1, 31)]
LISTS = [ITEMS[start : start + 3] for start in range(0, 30, 3)]

EMPTY = list_page([], 10, 4).replace("<ul", "<p>乌有县人民政府 政府信息公开 信息列表</p><ul")
"""Its pager still promises the rest."""


def crawl(
    site: Site, folder: Path, known: dict[str, Known] | None = None, of: Source | None = None, days: float = 0
) -> CrawlResult:
    """`days`: how much later it is."""
    result = CrawlResult(of or source())

    async def run() -> None:
        settings = HttpSettings("fazhi-test/1 (+https://fazhi.example)", replay=site.url, retries=1, backoff=0.01)
        state = RunState(now=lambda: datetime.now(UTC) + timedelta(days=days))
        with Archive(folder) as archive:
            async with Client(settings) as client:
                await crawl_source(result, get_engine("trs"), client, archive, known or {}, run=state)

    asyncio.run(run())
    counted = result.fetched + result.unchanged + len(result.gone) + result.blocked + result.failed + result.deferred
    assert result.planned == counted, "every planned page ends in exactly one count"
    return result


def remembered(*results: CrawlResult) -> dict[str, Known]:
    """As the warehouse keeps it."""
    known: dict[str, Known] = {}
    for result in results:
        known |= {row.url: row for row in result.listed_only}
        for one in result.seen:
            known[one.url] = Known(
                one.url, one.kind, one.etag, one.last_modified, one.snapshot, title=one.title, found_on=one.found_on,
                listed_date=one.listed_date, text_hash=one.text_hash, walked_at=one.walked_at, seen_at=one.seen_at,
            )  # fmt: skip
    return known


def lists_asked(site: Site) -> list[str]:
    return [seen.target for seen in site.seen if seen.target == list_target(0) or "index_" in seen.target]


def years(result: CrawlResult) -> set[int | None]:
    return {page.report_year for page in result.pages}
