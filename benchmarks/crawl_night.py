"""A simulated night in real time: many hosts at one request a second each, latency, faults; then a second night.

The clock is real, so the night is scaled by the pages of a host: 300 hosts of 200 pages take 200 seconds and more by
politeness alone. What is crawled is crawled as the nightly does it with FAZHI_SHARDS=2 on a machine of two cores: two
crawler processes with half of the sources each (every second one; the nightly's shards claim theirs), one warehouse for
the book of lanes and the frontier, a file of the archive each; lists, pages, archive, reading. Prefect and the loading
are measured by the pipeline figure. The second night knows what the warehouse would remember of the first.

CPU and memory are those of both processes together (memory: the sum of their peaks); a night lasts until the later one
is done.

The politeness limit of a night is one second for each address that its longest host has to be asked for: the pages,
the lists, robots.txt. What has to be asked for again, and what the host's slow answers and refusals cost, counts as
ours.
"""

from __future__ import annotations

import asyncio
import gc
import json
import resource
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.crawl_own import make_source
from benchmarks.crawl_race import serving
from benchmarks.crawl_server import Site
from benchmarks.engines import ROOT
from benchmarks.made_frame import LAYOUTS
from benchmarks.usage import own_peak
from connectors.archive import Archive
from connectors.crawl import crawl_source
from connectors.crawled import CrawlResult, Known, Part
from connectors.engines import get_engine
from connectors.frontier import RunState
from connectors.http.client import Client, HttpSettings
from connectors.http.lanes import share_lanes
from connectors.registry import Source
from connectors.wish import Wish
from tasks.assemble import known_pages, page_states, part_states
from tasks.fetches import asking, sort_attempts
from tasks.frontier import WarehouseJournal
from tasks.lanes import WarehouseBook
from warehouse.batch import PageState
from warehouse.crawl_state import open_crawl_state
from warehouse.engine import Engine, open_warehouse
from warehouse.frontier import Frontier

LATENCY_MS = 30
FAULTS = 0.05
DELAY = 1.0
"""Seconds between two requests to one host."""
PROCESSES = 2


@dataclass(frozen=True, slots=True)
class _House:
    """What a night has at hand: as the nightly, but for Prefect and the loading."""

    client: Client
    archive: Archive
    run: RunState


_Memory = dict[str, dict[str, Known]]
"""By source: what the warehouse would know of its addresses."""


async def _crawl_one(house: _House, source: Source, memory: _Memory) -> CrawlResult:
    """One source's night. Its pages are read and let go, as those that were loaded."""
    result, states = CrawlResult(source), dict[str, PageState]()
    asking.set(source.id)

    async def take(part: Part) -> None:
        states.update((state.url, state) for state in part_states(part, source.id))

    await crawl_source(
        result,
        get_engine(source.engine),
        house.client,
        house.archive,
        memory[source.id],
        run=house.run,
        wish=Wish(all_pages=True),
        take=take,
    )
    states.update((state.url, state) for state in page_states(result))
    memory[source.id] = known_pages(states, {})
    result.pages, result.seen, result.handed = [], [], []
    return result


async def _night(
    gateway: str, sources: list[Source], memory: _Memory, archive: Archive, state: Engine, delay: float
) -> list[CrawlResult]:
    settings = HttpSettings(
        "fazhi-bench/1 (+https://bench.example/)", replay=gateway, pace_real=True, delay=delay, timeout=10.0
    )
    frontier = Frontier(state, uuid.uuid4().hex, timedelta(hours=1))
    journal = WarehouseJournal(frontier)
    keep = sort_attempts({source.id: [] for source in sources}, journal.note)
    async with journal.under_way():
        with share_lanes(WarehouseBook(state)):
            async with Client(settings, keep) as client:
                house = _House(client, archive, RunState(journal))
                results = await asyncio.gather(*(_crawl_one(house, source, memory) for source in sources))
        frontier.finish()
    return results


def _make_sources(site: Site, delay: float) -> list[Source]:
    return [
        make_source(
            f"http://{Site.name(number)}/zwgk/fzzf/index.html",
            LAYOUTS[number % len(LAYOUTS)].engine,
            f"{990000 + number}",
            delay,
            site.report_year(number),
        )
        for number in range(site.hosts)
    ]


def _crawl_nights(gateway: str, site: Site, folder: Path, shard: int, delay: float) -> Iterator[dict[str, Any]]:
    """One process's share of one night after another; what each cost and brought."""
    sources = _make_sources(site, delay)[shard::PROCESSES]
    memory: _Memory = {source.id: {} for source in sources}
    engine = open_warehouse(_warehouse_url(folder))
    state = open_crawl_state(engine)
    try:
        while True:
            gc.collect()
            before, clock = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
            with Archive(folder / "raw") as archive:
                results = asyncio.run(_night(gateway, sources, memory, archive, state, delay))
            after = resource.getrusage(resource.RUSAGE_SELF)
            yield {
                "wall": time.perf_counter() - clock,
                "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
                "rss_mb": own_peak(),
                "requests": max(result.planned for result in results) + 1,  # and robots.txt
                "planned": sum(result.planned for result in results),
                "fetched": sum(result.fetched for result in results),
                "unchanged": sum(result.unchanged for result in results),
                "failed": sum(result.failed + result.blocked for result in results),
            }
    finally:
        state.dispose()
        engine.dispose()


def _warehouse_url(folder: Path) -> str:
    return f"sqlite:///{folder / 'warehouse.sqlite'}"


_Crawler = subprocess.Popen[str]


def _say(crawler: _Crawler) -> None:
    """Let it begin its next night."""
    assert crawler.stdin is not None
    crawler.stdin.write("go\n")
    crawler.stdin.flush()


def _hear(crawler: _Crawler) -> dict[str, Any]:
    """What its night cost and brought. Raises ValueError where it broke down."""
    assert crawler.stdout is not None
    line = crawler.stdout.readline()
    if not line:
        raise ValueError("a crawler of the simulated night broke down: see above")
    figures: dict[str, Any] = json.loads(line)
    return figures


def run_nights(gateway: str, site: Site, folder: Path, delay: float = DELAY) -> list[dict[str, Any]]:
    """Two nights, each crawled by all processes at once. Raises ValueError where one of them breaks down."""
    open_warehouse(_warehouse_url(folder)).dispose()  # as whoever shares out a night has made it
    command = [sys.executable, "-m", "benchmarks.crawl_night", gateway, str(site.hosts), str(site.pages), str(folder)]
    with ExitStack() as stack:
        crawlers = []
        for shard in range(PROCESSES):
            more = [str(shard), str(delay)]
            crawler = subprocess.Popen(
                [*command, *more], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
            )
            crawlers.append(stack.enter_context(crawler))
        nights = []
        for _ in range(2):
            for crawler in crawlers:
                _say(crawler)
            nights.append(_together([_hear(crawler) for crawler in crawlers]))
    return nights


def _together(shares: list[dict[str, Any]]) -> dict[str, Any]:
    """One night of all processes: they end when the last one does, and the longest host is in one of them."""
    return {
        name: max(share[name] for share in shares)
        if name in ("wall", "requests")
        else sum(share[name] for share in shares)
        for name in shares[0]
    }


def measure_night(hosts: int, pages: int) -> dict[str, Any]:
    """Both nights, beside the server. `limit` is what politeness alone takes, in seconds."""
    site = Site(hosts, pages, is_shared=True)
    with (
        serving(site, "--latency-ms", str(LATENCY_MS), "--faults", str(FAULTS)) as gateway,
        tempfile.TemporaryDirectory() as folder,
    ):
        first, second = nights = run_nights(gateway, site, Path(folder))
    limit = first["requests"] * DELAY
    return {
        "hosts": hosts,
        "pages": pages,
        "nights": nights,
        "limit": limit,
        "over_limit": first["wall"] / limit,
        "second_share": second["cpu"] / first["cpu"],
    }


def main(gateway: str, hosts: str, pages: str, folder: str, shard: str, delay: str) -> None:
    """One process: a night for each line that it is sent, and a line of figures for each night."""
    nights = _crawl_nights(
        gateway, Site(int(hosts), int(pages), is_shared=True), Path(folder), int(shard), float(delay)
    )
    gc.freeze()  # as `fazhi` does
    gc.set_threshold(50_000, 20, 50)
    for _ in sys.stdin:
        print(json.dumps(next(nights)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
