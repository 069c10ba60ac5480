"""What a worker process of a reparse does: read a batch of documents from the archive, compare it with the warehouse.

It writes nothing but a file of what differs, for the one process that loads. No Prefect here: a worker starts in a
second, and has nothing to tell a server.
"""

from __future__ import annotations

import os
import pickle
import signal
import threading
import traceback
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing import parent_process
from multiprocessing.connection import wait
from multiprocessing.synchronize import Event
from pathlib import Path

from connectors.archive import Archive
from connectors.base import PageRef
from connectors.errors import ContractBroken, SourceError
from connectors.registry import Source
from extraction.parse import parse_report
from fazhi.house import load_catalog, open_archive
from fazhi.settings import Settings
from tasks.assemble import code_version, document_in, document_text, extractor_version, source_row
from tasks.stored_page import Stored, archive_ref, read_stored
from warehouse.batch import DocumentIn, LoadBatch, SnapshotRef
from warehouse.catalogue import catalogue_rows
from warehouse.difference import Change, Differing, compare_documents
from warehouse.engine import Engine, no_collector, open_warehouse, reading
from warehouse.stored import StoredDocument, StoredVersion, attachment_snapshots, read_documents

SENTENCES = 100
"""Changes of a run that are told with their sentences."""


@dataclass(frozen=True, slots=True)
class Order:
    """Documents of one source for a worker to read."""

    source: Source
    ids: tuple[str, ...]
    spool: Path | None
    """File for what differs; None: a dry run, which keeps nothing."""


@dataclass(slots=True)
class BatchRead:
    """What a worker found: counts, and no text but some sentences."""

    source_id: str
    n_documents: int = 0
    n_figures: int = 0
    """Stored, of the documents that could be read."""
    n_differing: int = 0
    unchanged: list[str] = field(default_factory=list)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(metric, kind of change) -> figures."""
    changes: list[Change] = field(default_factory=list)
    """The first ones."""
    findings: list[str] = field(default_factory=list)
    """Documents that stay as they are, a line each."""
    spool: Path | None = None


class _Desk:
    """What a worker keeps open."""

    def __init__(self, settings: Settings, stop: Event) -> None:
        self.engine: Engine = open_warehouse(settings.warehouse_url)
        self.archive: Archive = open_archive(settings, only_reads=True)
        self.stop = stop
        self.catalogue, self.rules = load_catalog()
        self.rows = catalogue_rows(self.catalogue, self.rules)

    def batch(self, source: Source) -> LoadBatch:
        return batch_of(source, "", self.rows)


_desk: _Desk | None = None


def start_worker(settings: Settings, stop: Event) -> None:
    """Ctrl-C is for the parent, which says `stop`; a parent that was killed takes its workers along."""
    global _desk
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _desk = _Desk(settings, stop)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def batch_of(source: Source, run_id: str, rows: object) -> LoadBatch:
    """Whose documents are read, and by what; `rows`: the catalogue as the warehouse keeps it."""
    now = datetime.now(UTC)
    return LoadBatch(
        run_id=run_id,
        source=source_row(source),
        started_at=now,
        finished_at=now,
        catalogue=rows,  # type: ignore[arg-type]
        extractor_version=extractor_version(),
        code_version=code_version(),
        is_crawl=False,
    )


def read_batch(order: Order) -> BatchRead:
    """Raises WarehouseError. Whatever is wrong with one document is a finding about it."""
    with no_collector():
        return _read_batch(order)


def _read_batch(order: Order) -> BatchRead:
    assert _desk is not None, "a worker begins with `start_worker`"
    found = BatchRead(order.source.id, len(order.ids))
    differing: list[Differing] = []
    with reading(_desk.engine) as conn:
        documents = read_documents(conn, order.source.id, order.ids)
        attachments = attachment_snapshots(conn, order.source.id)
        read: list[tuple[StoredDocument, Sequence[DocumentIn]]] = []
        for stored in documents:
            if _desk.stop.is_set():
                raise InterruptedError("stopped")
            try:
                read.append((stored, _read_document(_desk, order.source, stored, attachments)))
            except SourceError as error:
                found.findings.append(f"{stored.document_id}: {error}")
            except Exception as error:  # noqa: BLE001 - a defect that one page brings out must not cost the others
                place = traceback.extract_tb(error.__traceback__)[-1]
                what = f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})"
                found.findings.append(f"{stored.document_id}: a defect of fazhi, please report it: {what}")
        told = compare_documents(conn, _desk.batch(order.source), read)
    for (stored, _), one in zip(read, told, strict=True):
        found.n_figures += one.n_figures
        if one.refused:
            found.findings.append(f"{stored.document_id}: today's reading fails a data test: {one.refused}")
        elif one.differing is None:
            found.unchanged.append(stored.document_id)
        else:
            differing.append(one.differing)
            found.counts.update((change.figure.metric, change.kind) for change in one.differing.changes)
            found.changes += one.differing.changes[: SENTENCES - len(found.changes)]
    found.n_differing = len(differing)
    if differing and order.spool is not None:
        order.spool.write_bytes(zlib.compress(pickle.dumps(differing, pickle.HIGHEST_PROTOCOL), 1))
        found.spool = order.spool
    return found


def read_spool(path: Path) -> list[Differing]:
    """What a worker of this run has left."""
    differing: list[Differing] = pickle.loads(zlib.decompress(path.read_bytes()))
    return differing


def _read_document(
    desk: _Desk, source: Source, stored: StoredDocument, attachments: dict[str, SnapshotRef]
) -> list[DocumentIn]:
    """Every version as it would be read today. Raises SourceError."""
    return [_read_version(desk, source, stored, version, attachments) for version in stored.versions]


def _read_version(
    desk: _Desk, source: Source, stored: StoredDocument, version: StoredVersion, attachments: dict[str, SnapshotRef]
) -> DocumentIn:
    answer = _take_out(desk.archive, stored, version)
    page = read_stored(desk.archive, source, answer, attachments)
    if page.attachment_texts and not version.row["is_current"]:
        raise ContractBroken(
            f"{page.ref.url}: version {version.row['version_no']} was read from attachments of its day, and the "
            "warehouse knows only where those of today lie: the document stays as it is",
            url=page.ref.url,
        )
    composed, parsed = document_text(page), None
    if page.is_report:
        title = page.article.title or page.ref.title
        published = page.article.published_at
        parsed = parse_report(composed.text, desk.catalogue, desk.rules, title=title, publish_date=published)
    return document_in(page, parsed, datetime.now(UTC) if parsed else None, composed)


def _take_out(archive: Archive, stored: StoredDocument, version: StoredVersion) -> Stored:
    ref = PageRef(version.row["url"], stored.title, stored.listed_date)
    seen_at = version.seen[-1] if version.seen else version.row["valid_from"]
    if version.latest is not None and version.latest != version.first:
        page = archive.load(archive_ref(version.latest))
        if version.first is None or page.fetched_at in version.seen:
            return Stored(ref, page, archive_ref(version.latest), seen_at)
    if version.first is None:
        raise ContractBroken(
            f"{ref.url}: version {version.row['version_no']} has no raw page in the archive: it stays as it is",
            url=ref.url,
        )
    return Stored(ref, archive.load(archive_ref(version.first)), archive_ref(version.first), seen_at)
