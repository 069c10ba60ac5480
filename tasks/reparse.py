"""Read documents again from the archive, in worker processes, and publish what differs, from this one.

First everything is read and compared, which writes nothing but the marks of documents that are as they were. Then the
whole difference is judged, and what passes is published, a batch of one source at a time. So a run may be killed at any
instant: what was marked or published is whole, and the next run goes on with the rest.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from connectors.registry import Source
from fazhi.house import load_all_sources, load_catalog
from fazhi.settings import Settings
from tasks.assemble import extractor_version
from tasks.mass_change import Thresholds
from tasks.rereading import SENTENCES, BatchRead, Order, batch_of, read_spool
from tasks.workers import read_in_workers
from warehouse.batch import CatalogueRows
from warehouse.catalogue import catalogue_rows
from warehouse.checkup import DataTestFailed
from warehouse.difference import Change
from warehouse.engine import Engine, reading
from warehouse.load import publish
from warehouse.reparse import has_catalogue, mark_read, publish_differing
from warehouse.stored import ReadBy, Selection, count_passed_over, selected_ids, selected_sources

PER_BATCH = 50
"""Documents that a worker reads, and a transaction loads, together."""
FINDINGS = 200
"""Findings that are told; all are counted."""
A_WEEK = 7 * 24 * 3600

Progress = Callable[[int, str], None]
"""Called with documents done and what is being done."""


@dataclass(slots=True)
class SourceResult:
    """What reading its documents again has found."""

    source_id: str
    n_documents: int = 0
    """Read now."""
    n_passed_over: int = 0
    """Read before by this extraction and catalogue."""
    n_unchanged: int = 0
    n_differing: int = 0
    n_published: int = 0
    n_unread: int = 0
    """Documents that stay as they are, because they cannot be read."""
    n_figures: int = 0
    """Before, those of the documents passed over included."""
    by_metric: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(metric, kind of change) -> figures."""
    stopped: str = ""
    """Why nothing of it is published."""
    spools: list[Path] = field(default_factory=list)

    @property
    def counts(self) -> Counter[str]:
        """Kind of change -> figures."""
        found: Counter[str] = Counter()
        for (_, kind), n in self.by_metric.items():
            found[kind] += n
        return found


@dataclass(slots=True)
class ReparseResult:
    """What a run has found and done."""

    run_id: str
    dry_run: bool
    accepted: str = ""
    """Why a change beyond the thresholds was published."""
    sources: dict[str, SourceResult] = field(default_factory=dict)
    changes: list[tuple[str, Change]] = field(default_factory=list)
    """The first ones, each with its source."""
    findings: list[str] = field(default_factory=list)
    n_findings: int = 0
    stopped: str = ""
    """Why nothing at all is published."""
    seconds: float = 0.0

    @property
    def counts(self) -> Counter[str]:
        return sum((one.counts for one in self.sources.values()), Counter())

    def total(self, name: str) -> int:
        return sum(getattr(one, name) for one in self.sources.values())

    def find(self, told: str) -> None:
        self.n_findings += 1
        if len(self.findings) < FINDINGS:
            self.findings.append(told)


def run_reparse(
    settings: Settings, engine: Engine, selection: Selection, result: ReparseResult, *, processes: int | None,
    thresholds: Thresholds, again: bool, progress: Progress,
) -> None:  # fmt: skip
    """The whole run; `result` says which, and is filled. Raises WarehouseError; what was published by then stays."""
    run = _Run(settings, engine, selection, result, thresholds, again, progress)
    with _spool_folder(settings, needed=not result.dry_run) as spool:
        run.read(spool, processes or os.cpu_count() or 1)
        run.judge()
        if not result.dry_run:
            run.publish()


@contextmanager
def _spool_folder(settings: Settings, *, needed: bool) -> Iterator[Path | None]:
    """For what differs, until it is published. What killed runs have left goes when it is a week old."""
    if not needed:
        yield None
        return
    settings.home.mkdir(parents=True, exist_ok=True)
    for left in settings.home.glob("reparse-*.spool"):
        if left.stat().st_mtime < time.time() - A_WEEK:
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="reparse-", suffix=".spool", dir=settings.home) as folder:
        yield Path(folder)


@dataclass(slots=True)
class _Run:
    settings: Settings
    engine: Engine
    selection: Selection
    result: ReparseResult
    thresholds: Thresholds
    again: bool
    progress: Progress
    known: dict[str, Source] = field(init=False)
    catalogue: CatalogueRows = field(init=False)
    read_by: ReadBy = field(init=False)

    def __post_init__(self) -> None:
        self.known = load_all_sources(self.settings)
        self.catalogue = catalogue_rows(*load_catalog())
        self.read_by = ReadBy(extractor_version(), self.catalogue.version)

    def read(self, spool: Path | None, processes: int) -> None:
        """Read and compare everything; note what is as it was."""
        with reading(self.engine) as conn:
            chosen = selected_sources(conn, self.selection)
            passed = {} if self.again else count_passed_over(conn, self.selection, self.read_by)
        for source_id in chosen:
            n_passed_over, n_figures = passed.get(source_id, (0, 0))
            self.result.sources[source_id] = SourceResult(source_id, n_passed_over=n_passed_over, n_figures=n_figures)
        done = 0
        for found in read_in_workers(self._orders(chosen, spool), self.settings, processes):
            self._take(found)
            done += found.n_documents
            self.progress(done, "read")

    def _orders(self, chosen: list[str], spool: Path | None) -> Iterator[Order]:
        left, number = self.selection.limit, count()
        for source_id in chosen:
            source = self.known.get(source_id)
            if source is None:
                self.result.find(f"{source_id}: is configured no more: its documents stay as they are")
                continue
            with reading(self.engine) as conn:
                ids = selected_ids(conn, self.selection, source_id, left, None if self.again else self.read_by)
            left = None if left is None else left - len(ids)
            for start in range(0, len(ids), PER_BATCH):
                yield Order(source, tuple(ids[start : start + PER_BATCH]), spool and spool / f"{next(number):07}")

    def _take(self, found: BatchRead) -> None:
        one = self.result.sources[found.source_id]
        one.n_documents += found.n_documents
        one.n_figures += found.n_figures
        one.n_unchanged += len(found.unchanged)
        one.n_differing += found.n_differing
        one.n_unread += len(found.findings)
        one.by_metric.update(found.counts)
        if found.spool is not None:
            one.spools.append(found.spool)
        for told in found.findings:
            self.result.find(f"{found.source_id}: {told}")
        told_here = [(found.source_id, change) for change in found.changes]
        self.result.changes = sorted([*self.result.changes, *told_here], key=_place)[:SENTENCES]
        if found.unchanged and not self.result.dry_run:
            mark_read(self.engine, found.unchanged, self.read_by, self.result.run_id)

    def judge(self) -> None:
        """Stop what changes too much: a source by itself, then all that is left together."""
        result, reason = self.result, self.thresholds.accept_mass_change
        for one in result.sources.values():
            one.stopped = self.thresholds.judge(one.counts, one.n_figures)
        passing = [one for one in result.sources.values() if reason or not one.stopped]
        counts: Counter[str] = sum((one.counts for one in passing), Counter())
        result.stopped = self.thresholds.judge(counts, sum(one.n_figures for one in passing), of_all=True)
        if reason and (result.stopped or any(one.stopped for one in result.sources.values())):
            result.accepted = reason
            told = [result.stopped, *(f"{one.source_id}: {one.stopped}" for one in result.sources.values())]
            for what in (words for words in told if words and not words.endswith(": ")):
                result.find(f"published all the same, because {reason!r}: {what}")
            result.stopped = ""
            for one in result.sources.values():
                one.stopped = ""
        for one in result.sources.values():
            if one.stopped:
                result.find(f"{one.source_id}: nothing of it is published: {one.stopped}")
        if result.stopped:
            result.find(f"nothing is published: {result.stopped}")

    def publish(self) -> None:
        """Load what differs, unless it was stopped, in the order in which it was read."""
        if self.result.stopped:
            return
        passing = [one for one in self.result.sources.values() if not one.stopped and one.source_id in self.known]
        if passing and not has_catalogue(self.engine, self.catalogue.version):
            publish(self.engine, batch_of(self.known[passing[0].source_id], self.result.run_id, self.catalogue))
        for one in passing:
            for spool in sorted(one.spools):
                self._publish_batch(one, spool)
                spool.unlink()
                self.progress(self.result.total("n_published"), "published")

    def _publish_batch(self, one: SourceResult, spool: Path) -> None:
        batch = batch_of(self.known[one.source_id], self.result.run_id, self.catalogue)
        differing = read_spool(spool)
        try:
            published = publish_differing(self.engine, batch, differing, self.result.accepted)
        except DataTestFailed as error:
            self.result.find(str(error))
            return
        one.n_published += len(differing) - len(published.skipped)
        for document_id in published.skipped:
            self.result.find(
                f"{one.source_id}: {document_id}: was loaded anew meanwhile: it waits for the next reparse"
            )


def _place(told: tuple[str, Change]) -> tuple[str, ...]:
    source_id, change = told
    return source_id, change.document_id, change.kind, *change.figure.identity, change.figure.text


__all__ = ["Progress", "ReparseResult", "Selection", "SourceResult", "Thresholds", "run_reparse"]
