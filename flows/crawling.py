"""All sources of one run, each crawled, parsed and loaded: what the nightly and a backfill share."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar, cast

from prefect.context import TagsContext
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from prefect.utilities.annotations import quote

from connectors.archive import Archive, ArchiveUnusable
from connectors.crawled import CrawlResult, Known, Part, ReadPage
from connectors.drift import Drift, explain_failure, find_drift, find_list_changes, load_shape
from connectors.errors import LayoutChanged, SourceChanged, SourceError
from connectors.frontier import RunState
from connectors.http.client import Attempt, Client, GatewayUnreachable
from connectors.http.lanes import share_lanes
from connectors.registry import Source
from connectors.wish import Wish
from fazhi.house import http_settings, load_catalog, open_archive, source_folders
from fazhi.report import SourceLine
from fazhi.settings import Settings
from flows.telling import log_source
from tasks.assemble import (
    code_version,
    extractor_version,
    failure_lines,
    known_pages,
    page_states,
    part_states,
    source_counts,
    source_row,
)
from tasks.crawl import crawl
from tasks.fetches import asking, fetch_rows, sort_attempts
from tasks.frontier import WarehouseJournal
from tasks.lanes import WarehouseBook
from tasks.load import load, load_unrecorded
from tasks.mass_change import hold_back
from tasks.network import HostTally, network_notes
from tasks.parse import Definitions, parse, parse_unrecorded
from tasks.progress import reporter
from tasks.watch import Watch
from warehouse.batch import CatalogueRows, DocumentIn, LoadBatch, LoadResult
from warehouse.catalogue import catalogue_rows
from warehouse.checkup import DataTestFailed
from warehouse.crawl_state import open_crawl_state
from warehouse.engine import Engine, open_warehouse
from warehouse.errors import WarehouseError
from warehouse.frontier import Frontier
from warehouse.mass import Altered
from warehouse.patience import retried
from warehouse.read import held_attachments, load_pages
from warehouse.steps import reach

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class House:
    """What every source of one run shares."""

    run_id: str
    engine: Engine
    state: Engine
    """Of running crawls, see `warehouse.crawl_state`."""
    client: Client
    archive: Archive
    settings: Settings
    definitions: Definitions
    """By which reports are read."""
    catalogue: CatalogueRows
    """The same, as the warehouse keeps it."""
    wish: Wish
    attempts: dict[str, list[Attempt]]
    watch: Watch
    journal: WarehouseJournal
    run: RunState = field(default_factory=RunState)
    changed: set[str] = field(default_factory=set)
    """Sources whose loads changed content."""
    drifts: dict[str, Drift] = field(default_factory=dict)
    tallies: list[Mapping[str, HostTally]] = field(default_factory=list)
    """What shards of this run asked the hosts."""
    accept_mass_change: str = ""
    """Why figures may go or change in numbers; empty: they are held back."""


def as_is(value: T) -> T:
    """Hand a task an object itself: Prefect would walk through every page and row in search of futures."""
    return cast(T, quote(value))


@asynccontextmanager
async def open_house(
    settings: Settings,
    sources: Sequence[Source],
    wish: Wish,
    watch: Watch,
    limit: int | None = None,
    shard_of: str | None = None,
    accept_mass_change: str = "",
) -> AsyncIterator[House]:
    """What a run shares, open while it lasts. A run that ends well is finished for the frontier: the next one takes
    nothing over from it.

    `limit`: pages that the run may ask for, lists and attachments not counted.
    `shard_of`: the run whose sources are crawled here; it is that run which ends them."""
    engine = open_warehouse(settings.warehouse_url)
    state = open_crawl_state(engine)
    run_id = shard_of or str(flow_run.id)
    frontier = Frontier(state, run_id, timedelta(hours=settings.resume_hours))
    journal = WarehouseJournal(frontier)
    reach("nightly-1-begun")
    attempts: dict[str, list[Attempt]] = {source.id: [] for source in sources}
    definitions = load_catalog()
    keep = sort_attempts(attempts, journal.note, watch.note_attempt)
    try:
        async with journal.under_way():
            with (
                TagsContext(),  # the run has its tags: for those of a task Prefect asks its server about limits by tag
                open_archive(settings) as archive,
                share_lanes(WarehouseBook(state), settings.daily_budget),
            ):
                async with Client(http_settings(settings), on_attempt=keep) as client:
                    yield House(
                        run_id,
                        engine,
                        state,
                        client,
                        archive,
                        settings,
                        definitions,
                        catalogue_rows(*definitions),
                        wish,
                        attempts,
                        watch,
                        journal,
                        RunState(journal, pages_left=limit),
                        accept_mass_change=accept_mass_change.strip(),
                    )
            if shard_of is None:
                frontier.finish()
    finally:
        engine.dispose()
        state.dispose()


async def run_sources(house: House, sources: Sequence[Source], concurrency: int) -> tuple[SourceLine, ...]:
    """All sources, at most `concurrency` at once. One source's failure never stops another; a gateway that is
    not there stops the run, since every source would fail alike."""
    places, log = asyncio.Semaphore(concurrency), get_run_logger()
    reporter().say(f"Crawling {len(sources)} sources")

    async def in_turn(source: Source) -> SourceLine:
        async with places:
            log.info("%s begins: %s %s", source.id, source.name_zh, source.name_en)
            line = await _run_source(house, source)
            log_source(line)
            return line

    tasks = [asyncio.create_task(in_turn(source)) for source in sources]
    try:
        return tuple(await asyncio.gather(*tasks))
    except BaseException:
        for waiting in tasks:
            waiting.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


async def set_aside(house: House, source: Source, why: str) -> SourceLine:
    """Record that a source was given up for this run. Raises WarehouseError."""
    result = CrawlResult(source)
    house.watch.begin_source(result)
    loads = _Loads(house, source, result)
    loaded = await loads.take_rest((), (why,), False)
    line = _line(house, loads, "failed", (why,), loaded)
    house.watch.end_source(source, line, loaded)
    return line


class _Loads:
    """What one source brings in one run: in parts while it is crawled, and the rest when that has ended."""

    def __init__(self, house: House, source: Source, result: CrawlResult) -> None:
        self.house = house
        self.source = source
        self.result = result
        self.began, self.started_at = time.monotonic(), datetime.now(UTC)
        self.before: LoadResult | None = None
        self.altered = Altered()
        self.removed_links = 0
        self.known: dict[str, Known] = {}
        """What earlier runs hold of the source."""

    async def take_part(self, part: Part) -> None:
        """Publish pages of a crawl that goes on, inside its task run.

        Raises LayoutChanged, DataTestFailed, WarehouseError."""
        _assert_shape(self.house, self.source, part.pages, self.known)
        documents = await parse_unrecorded(self.source.id, part.pages, self.house.definitions)
        states = part_states(part, self.source.id)
        loaded = await self._load(self._batch(documents=documents, pages=states, is_part=True))
        self.before = loaded.after(self.before)

    async def take_rest(self, documents: tuple[DocumentIn, ...], failures: tuple[str, ...], is_ok: bool) -> LoadResult:
        """Publish what is left, and the log; of a failed source the log alone. What the whole run brought.

        Raises DataTestFailed, WarehouseError."""
        result = self.result
        batch = self._batch(
            documents=documents,
            pages=page_states(result) if is_ok else (),
            fetches=fetch_rows(
                self.house.attempts[self.source.id],
                chain(result.handed, result.seen),
                self.house.journal.taken(self.source.id),
            ),
            gone=tuple(result.gone_documents) if is_ok else (),
            counts=source_counts(result),
            failures=failures,
            findings=tuple(result.notes),
            status="ok" if is_ok else "failed",
            before=self.before,
        )
        return (await self._load(batch)).after(self.before)

    def _batch(self, **given: Any) -> LoadBatch:
        return LoadBatch(
            run_id=self.house.run_id,
            source=source_row(self.source),
            started_at=self.started_at,
            finished_at=datetime.now(UTC),
            catalogue=self.house.catalogue,
            extractor_version=extractor_version(),
            code_version=code_version(),
            **given,
        )

    async def _load(self, batch: LoadBatch) -> LoadResult:
        altered = replace(self.altered, counts=self.altered.counts.copy())  # a load that fails may be tried again
        if batch.documents:
            accepted = self.house.accept_mass_change
            told = await asyncio.to_thread(retried(hold_back), self.house.engine, batch, altered, accepted)
            if told:
                self.result.notes.append(told)
                batch = replace(batch, findings=(*batch.findings, told))
        # A task run costs its client 5 ms and its server 10: it is made where there is content to see, not for the log
        # of a source in which nothing was found, which most are on most nights. A part is of its crawl's task run.
        if (batch.documents or batch.gone) and not batch.is_part:
            loaded = await load(self.source.id, as_is(self.house.engine), as_is(batch))
        else:
            loaded = await load_unrecorded(self.source.id, self.house.engine, batch)
        self.altered = altered
        self.removed_links += sum(document.removed_links for document in batch.documents)
        if not loaded.is_unchanged:
            self.house.changed.add(self.source.id)
        return loaded


async def _run_source(house: House, source: Source) -> SourceLine:
    result = CrawlResult(source)
    asking.set(source.id)
    house.watch.begin_source(result)
    loads = _Loads(house, source, result)
    documents, failure = await _crawl_and_parse(loads)
    reach("nightly-3-parsed")
    status, failures = "failed" if failure else "ok", _failures_of(result, failure, loads)
    try:
        loaded = await loads.take_rest(documents, failures, not failure)
    except DataTestFailed as error:  # what its batch leads to must not be seen; the other sources go on
        status, failures = "failed", _failures_of(result, str(error), loads)
        loaded = await loads.take_rest((), failures, False)
    reach("nightly-4-loaded")
    reporter().finish(source.id, status if status != "ok" or not loaded.is_unchanged else "unchanged")
    line = _line(house, loads, status, failures, loaded)
    house.watch.end_source(source, line, loaded)
    return line


def _failures_of(result: CrawlResult, failure: str | None, loads: _Loads) -> tuple[str, ...]:
    """Lines on single pages; before them why the source failed as a whole, and what of it is there all the same."""
    first = [failure] if failure else []
    if failure and loads.before is not None:
        n = loads.before.documents_new + loads.before.documents_changed + loads.before.documents_updated
        first.append(f"{result.source.id}: {n} documents had been loaded before that, and stay")
    return tuple(dict.fromkeys((*first, *failure_lines(result))))


def _line(house: House, loads: _Loads, status: str, failures: tuple[str, ...], loaded: LoadResult) -> SourceLine:
    source, result = loads.source, loads.result
    return SourceLine(
        source_id=source.id,
        name_zh=source.name_zh,
        name_en=source.name_en,
        status=status,
        counts={
            "planned": result.planned,
            "fetched": result.fetched,
            "unchanged": result.unchanged,
            "new": loaded.documents_new,
            "changed": loaded.documents_changed,
            "gone": loaded.documents_gone,
            "blocked": result.blocked,
            "failed": result.failed,
            "deferred": result.deferred,
            "rejected": result.rejected + loaded.quarantined,
            "not_modified": result.not_modified,
            "same_bytes": result.same_bytes,
            "same_text": result.same_text,
            "resumed": result.resumed,
        },
        observations=loaded.observations,
        mentions=loaded.mentions,
        removed_links=loads.removed_links,
        seconds=time.monotonic() - loads.began,
        failures=failures,
        notes=(*network_notes(source, house.attempts[source.id]), *result.notes),
    )


async def _crawl_and_parse(loads: _Loads) -> tuple[tuple[DocumentIn, ...], str | None]:
    """The source's documents that no part held, or none and the one line that says why it failed as a whole.

    Raises only what would stop every source: GatewayUnreachable, WarehouseError, ArchiveUnusable."""
    house, source, result = loads.house, loads.source, loads.result
    hours, limit = house.settings.source_hours, None
    try:
        states = load_pages(house.engine, source.id)
        loads.known = known = known_pages(states, held_attachments(house.engine, source.id))
        async with asyncio.timeout(hours * 3600) as limit:  # Prefect's own time-out would take a cancelled run for late
            await crawl(
                source.id,
                as_is(result),
                as_is(house.client),
                as_is(house.archive),
                as_is(known),
                as_is(house.run),
                house.wish,
                as_is(loads.take_part),
            )
        reach("nightly-2-crawled")
        _assert_shape(house, source, result.pages, known)
        result.notes += find_list_changes(source, result, house.archive.load, known)
        if not result.pages:
            return (), None
        return await parse(source.id, as_is(result.pages), as_is(house.definitions)), None
    except DataTestFailed as error:
        return (), str(error)
    except (GatewayUnreachable, WarehouseError, ArchiveUnusable):
        raise
    except LayoutChanged as error:
        return (), str(error)
    except SourceChanged as error:
        return (), f"{error}{_explain(loads)}"
    except SourceError as error:
        return (), str(error)
    except TimeoutError as error:
        if limit is None or not limit.expired():
            return (), _told_defect(source, error)
        return (), f"{source.id}: not done in {hours:g} hours (FAZHI_SOURCE_HOURS): the next run takes up the rest"
    except Exception as error:  # noqa: BLE001 - a defect that one portal's pages bring out must not cost the others their night
        return (), _told_defect(source, error)


def _told_defect(source: Source, error: Exception) -> str:
    place = traceback.extract_tb(error.__traceback__)[-1]
    what = f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})"
    return f"{source.id}: a defect of fazhi, please report it with this line: {what}"


def _assert_shape(house: House, source: Source, pages: Sequence[ReadPage], known: Mapping[str, Known]) -> None:
    """Raises LayoutChanged where tonight's pages have not the shape of the source's contract or last state."""
    shape = load_shape(source_folders(house.settings), source.id)
    drift = find_drift(source, shape, pages, house.archive.load, known)
    if drift is not None:
        house.drifts[source.id] = drift
        raise LayoutChanged(f"{source.id}: {drift}", url=source.start[0].url)


def _explain(loads: _Loads) -> str:
    """Behind the line of a source that could not be read: whether its layout has changed, with the repair."""
    drift = explain_failure(loads.source, loads.result, loads.house.archive.load, loads.known)
    if drift is None:
        return ""
    loads.house.drifts[loads.source.id] = drift
    return f"; {drift}"
