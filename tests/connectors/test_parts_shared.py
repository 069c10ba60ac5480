"""What all sources of a run together hold of pages is bounded too, however many are crawled at once."""

from __future__ import annotations

import asyncio
from pathlib import Path

from connectors.archive import Archive
from connectors.crawl import crawl_source
from connectors.crawled import CrawlResult, Part
from connectors.engines import get_engine
from connectors.frontier import MAX_LETTERS, RunState
from connectors.http.client import Client, HttpSettings
from tests.connectors.portal import item, put, source
from tests.servers import Site

ITEMS = [item(number) for number in range(1, 9)]


def crawl(folder: Path, run: RunState) -> tuple[list[int], CrawlResult]:
    """Sizes of the parts that were handed over, and the rest."""
    result, sizes = CrawlResult(source()), list[int]()

    async def take(part: Part) -> None:
        sizes.append(len(part.pages))

    async def go(site: Site) -> None:
        with Archive(folder) as archive:
            async with Client(HttpSettings("fazhi-test/1 (+https://fazhi.example)", replay=site.url)) as client:
                await crawl_source(result, get_engine("trs"), client, archive, {}, run=run, take=take)

    with Site() as site:
        put(site, [ITEMS])
        asyncio.run(go(site))
    return sizes, result


def test_a_small_source_alone_holds_its_pages_to_the_end(tmp_path: Path) -> None:
    run = RunState()
    sizes, result = crawl(tmp_path, run)
    assert (sizes, len(result.pages), run.n_letters) == ([], len(ITEMS), 0)


def test_it_hands_over_what_it_has_while_others_hold_much(tmp_path: Path) -> None:
    run = RunState(n_letters=MAX_LETTERS)
    sizes, result = crawl(tmp_path, run)
    assert (sum(sizes) + len(result.pages), len(sizes)) == (len(ITEMS), len(ITEMS))
    assert run.n_letters == MAX_LETTERS, "what the others hold, and no more"
