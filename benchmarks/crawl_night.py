"""A simulated night in real time: many hosts at one request a second each, latency, faults; then a second night.

The clock is real, so the night is scaled by the pages of a host: 300 hosts of 200 pages take 200 seconds and more by
politeness alone. What is crawled is crawled as the nightly does it (lists, pages, archive, reading), in one process;
Prefect and the warehouse are measured by the pipeline figure. The second night knows what the first one saw.
"""

from __future__ import annotations

import asyncio
import gc
import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.crawl_own import make_source
from benchmarks.crawl_race import run, serving
from benchmarks.crawl_server import Site
from benchmarks.made_frame import LAYOUTS
from connectors.archive import Archive
from connectors.crawl import crawl_source
from connectors.crawled import CrawlResult, Known
from connectors.engines import get_engine
from connectors.http.client import Client, HttpSettings
from connectors.registry import Source

LATENCY_MS = 30
FAULTS = 0.05
DELAY = 1.0
"""Seconds between two requests to one host."""


async def _night(
    sources: list[Source], gateway: str, archive: Archive, known: dict[str, dict[str, Known]], delay: float
) -> list[CrawlResult]:
    settings = HttpSettings(
        user_agent="fazhi-bench/1 (+https://bench.example/)", replay=gateway, pace_real=True, delay=delay, timeout=10.0
    )
    results = [CrawlResult(source) for source in sources]
    async with Client(settings) as client:
        await asyncio.gather(
            *(
                crawl_source(r, get_engine(r.source.engine), client, archive, known[r.source.id], all_pages=True)
                for r in results
            )
        )
    return results


def run_nights(gateway: str, site: Site, folder: Path, delay: float = DELAY) -> list[dict[str, Any]]:
    """Two nights in this process; what each cost and brought."""
    sources = [
        make_source(
            f"http://{Site.name(number)}/zwgk/fzzf/index.html",
            LAYOUTS[number % len(LAYOUTS)].engine,
            f"{990000 + number}",
            delay,
            site.report_year(number),
        )
        for number in range(site.hosts)
    ]
    known: dict[str, dict[str, Known]] = {source.id: {} for source in sources}
    rows: list[dict[str, Any]] = []
    for _ in range(2):
        gc.collect()
        before, clock = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        with Archive(folder) as archive:
            results = asyncio.run(_night(sources, gateway, archive, known, delay))
        after = resource.getrusage(resource.RUSAGE_SELF)
        rows.append(
            {
                "wall": time.perf_counter() - clock,
                "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
                "rss_mb": after.ru_maxrss / 1024,
                "requests": max(result.planned for result in results) + 1,  # and robots.txt
                "planned": sum(result.planned for result in results),
                "fetched": sum(result.fetched for result in results),
                "unchanged": sum(result.unchanged for result in results),
                "failed": sum(result.failed + result.blocked for result in results),
            }
        )
        for result in results:
            known[result.source.id] = {
                seen.url: Known(seen.url, seen.kind, seen.etag, seen.last_modified, seen.snapshot)
                for seen in result.seen
            }
    return rows


def measure_night(hosts: int, pages: int) -> dict[str, Any]:
    """Both nights in a process of their own, beside the server. `limit` is what politeness alone takes, in seconds."""
    site = Site(hosts, pages, is_shared=True)
    with serving(site, "--latency-ms", str(LATENCY_MS), "--faults", str(FAULTS)) as gateway:
        figures = run([sys.executable, "-m", "benchmarks.crawl_night", gateway, str(hosts), str(pages)])
    first, second = figures["nights"]
    return {
        "hosts": hosts,
        "pages": pages,
        **figures,
        "limit": first["requests"] * DELAY,
        "over_limit": first["wall"] / (first["requests"] * DELAY),
        "second_share": second["cpu"] / first["cpu"],
    }


def main(gateway: str, hosts: str, pages: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps({"nights": run_nights(gateway, Site(int(hosts), int(pages), is_shared=True), Path(folder))}))


if __name__ == "__main__":
    main(*sys.argv[1:])
