"""One source crawled and loaded, without Prefect, in parts: a run that a test may kill at any moment."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import connectors.crawl
import tasks.frontier
from connectors.archive import Archive
from connectors.crawl import crawl_source
from connectors.crawled import CrawlResult, Part, ReadPage
from connectors.engines import get_engine
from connectors.frontier import RunState
from connectors.http.client import Attempt, Client, HttpSettings
from fazhi.house import load_catalog
from tasks.assemble import known_pages, page_states, part_states, source_counts, source_row
from tasks.fetches import asking, fetch_rows, sort_attempts
from tasks.frontier import WarehouseJournal
from tasks.parse import parse_pages
from tests.connectors.portal import source
from warehouse.batch import LoadBatch, LoadResult
from warehouse.catalogue import catalogue_rows
from warehouse.crawl_state import open_crawl_state
from warehouse.engine import open_warehouse
from warehouse.frontier import Frontier
from warehouse.load import publish
from warehouse.read import held_attachments, load_pages


async def run(gateway: str, home: Path, backoff: float = 0.01) -> CrawlResult:
    began, run_id = datetime.now(UTC), uuid.uuid4().hex
    engine = open_warehouse(f"sqlite:///{home / 'warehouse.sqlite'}")
    state = open_crawl_state(engine)
    frontier = Frontier(state, run_id, timedelta(hours=1))
    result = CrawlResult(source())
    known = known_pages(load_pages(engine, result.source.id), held_attachments(engine, result.source.id))
    settings = HttpSettings("fazhi-test/1 (+https://fazhi.example)", replay=gateway, retries=1, backoff=backoff)
    before: list[LoadResult] = []
    attempts: dict[str, list[Attempt]] = {result.source.id: []}
    journal = WarehouseJournal(frontier)
    asking.set(result.source.id)

    def load(read: Sequence[ReadPage], **more: Any) -> None:
        batch = LoadBatch(
            run_id=run_id,
            source=source_row(result.source),
            started_at=began,
            finished_at=datetime.now(UTC),
            catalogue=catalogue_rows(*load_catalog()),
            extractor_version="test",
            code_version="test",
            documents=parse_pages(read, load_catalog()),
            **more,
        )
        before.append(publish(engine, batch).after(before[-1] if before else None))

    async def take(part: Part) -> None:
        load(part.pages, pages=part_states(part, result.source.id), is_part=True)

    keep = sort_attempts(attempts, journal.note)
    async with journal.under_way():
        with Archive(home / "raw") as archive:
            async with Client(settings, keep) as client:
                crawled = RunState(journal)
                await crawl_source(result, get_engine("trs"), client, archive, known, run=crawled, take=take)
        load(
            result.pages,
            pages=page_states(result),
            fetches=fetch_rows(
                attempts[result.source.id], [*result.handed, *result.seen], journal.taken(result.source.id)
            ),
            gone=tuple(result.gone_documents),
            counts=source_counts(result),
            failures=tuple(one.message for one in result.failures),
            findings=tuple(result.notes),
            before=before[-1] if before else None,
        )
        frontier.finish()
    state.dispose()
    engine.dispose()
    return result


def run_in_parts(gateway: str, home: Path, pages: int) -> None:
    """For a process of its own (`tests.forked`)."""
    connectors.crawl.PART_PAGES = pages
    asyncio.run(run(gateway, home))


def run_looking(gateway: str, home: Path) -> None:
    """For a process of its own: it looks for other runs all the time."""
    tasks.frontier.BEAT_SECONDS = 0.02
    asyncio.run(run(gateway, home))
