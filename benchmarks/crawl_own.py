"""The project's side of the crawl: its client and engines, as the nightly uses them, without archive and warehouse.

`python -m benchmarks.crawl_own PLAN.json OUT.jsonl`: follows the lists, reads title, date, body and all links of every
page, writes one line a page, and prints its own processor time. One task a host, since every host has one lane.
"""

from __future__ import annotations

import asyncio
import gc
import json
import resource
import sys
import time
from functools import partial
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from benchmarks.usage import own_peak
from connectors.base import Page, PageRef
from connectors.engines import get_engine
from connectors.engines.family import FamilyEngine
from connectors.engines.rows import find_addresses
from connectors.http.client import Client, HttpSettings
from connectors.registry import Source, is_report_title
from extraction.clean import parse_html
from extraction.decode import decode
from fazhi.memory import settle_memory


def make_source(start: str, engine: str, region: str, delay: float = 0, year: int = 2020) -> Source:
    """A source file's content for one made portal."""
    return Source.model_validate(
        {
            "id": f"{region}_yunxiu",
            "name_zh": "云岫县",
            "name_en": "Yunxiu",
            "region_code": region,
            "engine": engine,
            "start": [{"url": start}],
            "politeness": {"delay_seconds": delay},
            "assertions": {"min_list_rows": 1, "report_years": [year]},
        }
    )


def read_page(page: Page, engine: FamilyEngine, source: Source, ref: PageRef) -> str:
    """The line of one page. Its tree goes with this call, as in a nightly: 32 hosts do not hold one each."""
    root = parse_html(page.text, page.decoded.markup)
    links = find_addresses(root, page.url)
    article = engine.read_tree(root, page, source, ref, is_mapped=partial(is_report_title, source))
    read = {"url": page.url, "title": article.title, "date": article.published_at, "body": article.body.text}
    return json.dumps({**read, "links": len(links)}, ensure_ascii=False) + "\n"


async def crawl_host(client: Client, source: Source, out: IO[str]) -> None:
    engine, hosts = get_engine(source.engine), frozenset(source.hosts)
    assert isinstance(engine, FamilyEngine)

    async def fetch(url: str, kind: str) -> Page:
        got = await client.fetch(url, hosts=hosts, kind=kind, delay=0)
        return Page(url, decode(got.body, got.content_type))

    queue, seen = [source.start[0].url], set[str]()
    while queue:
        url = queue.pop(0)
        if url in seen:
            continue
        seen.add(url)
        listing = engine.discover(await fetch(url, "list"), source)
        out.write(json.dumps({"url": url, "links": len(listing.refs)}) + "\n")
        queue += listing.more
        for ref in listing.refs:
            out.write(read_page(await fetch(ref.url, "page"), engine, source, ref))


async def crawl(plan: dict[str, Any], out: IO[str]) -> None:
    settings = HttpSettings(user_agent="fazhi-bench/1 (+https://bench.example/)", replay=plan["gateway"], delay=0)
    sources = [
        make_source(start, engine, f"{990000 + number}") for number, (start, engine) in enumerate(plan["starts"])
    ]
    async with Client(settings) as client:
        await asyncio.gather(*(crawl_host(client, source, out) for source in sources))


def main(plan_path: str, out_path: str) -> None:
    plan = json.loads(Path(plan_path).read_text(encoding="utf-8"))
    assert all(urlsplit(start).scheme == "http" for start, _ in plan["starts"])
    with Path(out_path).open("w", encoding="utf-8") as out:
        gc.freeze()  # as `fazhi nightly` does
        settle_memory()
        before, clock = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        asyncio.run(crawl(plan, out))
        after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"cpu": cpu, "rss_mb": own_peak(), "wall": time.perf_counter() - clock}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
