"""Documents as they are stored, for reading them again from the archive: which ones, and where their answers lie."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, or_, select

from warehouse.batch import SnapshotRef
from warehouse.columns import Row
from warehouse.forgetting import read_version_rows, span_of
from warehouse.periods import date_key_of, parse_day
from warehouse.schema import (
    dim_document,
    document_reading,
    document_sighting,
    document_text,
    fact_document_progress,
    fact_observation,
    page,
)
from warehouse.schema_dims import dim_load, dim_source
from warehouse.upsert import CHUNK


@dataclass(frozen=True, slots=True)
class Selection:
    """Which documents are read again, by their current version; what is empty or None chooses all."""

    sources: tuple[str, ...] = ()
    years: tuple[int, ...] = ()
    """Report years."""
    published_from: str | None = None
    """`YYYY-MM-DD`, inclusive as is the next one."""
    published_to: str | None = None
    limit: int | None = None
    """Documents at most, of all sources together."""


@dataclass(frozen=True, slots=True)
class ReadBy:
    """The extraction and the catalogue of today."""

    extractor_version: str
    catalogue_version: str


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """One version, and the answers that it can be read from."""

    row: Row
    """Of `dim_document`."""
    text: Row
    """Of `document_text`."""
    seen: tuple[datetime, ...]
    """When its text was seen."""
    first: SnapshotRef | None
    """The answer in which it was first met."""
    latest: SnapshotRef | None
    """The page's latest answer, of the last version. It tells of this version where it came at one of those times;
    title and dates may have changed since the first."""

    @property
    def was_answered_twice(self) -> bool:
        """Its text was read from two answers at least: what only the first one said of it is not in the latest."""
        return self.first is not None and self.latest is not None and self.first != self.latest


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document with all its versions."""

    document_id: str
    title: str | None
    """As the list had it."""
    listed_date: str | None
    versions: tuple[StoredVersion, ...]
    token: str
    """Another one as soon as a load has touched the document."""


def selected_sources(conn: Connection, wanted: Selection) -> list[str]:
    """Sources that have documents of the selection, in order."""
    chosen = _selected(select(dim_source.c.source_id), wanted).distinct().order_by(dim_source.c.source_id)
    return list(conn.execute(chosen).scalars())


def selected_ids(
    conn: Connection, wanted: Selection, source_id: str, n: int | None, passed_over: ReadBy | None
) -> list[str]:
    """The first `n` documents of a source in their order; `passed_over`: without those that were read by it already."""
    chosen = _selected(select(dim_document.c.document_id), wanted).where(dim_source.c.source_id == source_id)
    if passed_over is not None:
        chosen = chosen.where(~_is_read_by(passed_over))
    return list(conn.execute(chosen.order_by(dim_document.c.document_id).limit(n)).scalars())


def count_passed_over(conn: Connection, wanted: Selection, read_by: ReadBy) -> dict[str, tuple[int, int]]:
    """Source -> documents of the selection that were read by it already, and their figures."""
    version = dim_document.alias("version")
    figures = (
        select(func.count())
        .select_from(version.join(fact_observation, fact_observation.c.document_key == version.c.document_key))
        .where(version.c.document_id == dim_document.c.document_id, ~fact_observation.c.is_derived)
        .correlate(dim_document)
        .scalar_subquery()
    )
    columns = (dim_source.c.source_id, func.count(), func.sum(figures))
    chosen = _selected(select(*columns), wanted).where(_is_read_by(read_by)).group_by(dim_source.c.source_id)
    return {source_id: (int(n), int(figures or 0)) for source_id, n, figures in conn.execute(chosen)}


def _selected(chosen: Select[Any], wanted: Selection) -> Select[Any]:
    doc = dim_document.c
    chosen = chosen.select_from(dim_document).join(dim_source, dim_source.c.source_key == doc.source_key)
    chosen = chosen.where(doc.is_current, doc.document_key >= 0)
    if wanted.sources:
        chosen = chosen.where(dim_source.c.source_id.in_(wanted.sources))
    if wanted.years:
        chosen = chosen.where(doc.report_year.in_(wanted.years))
    for bound, is_in in ((wanted.published_from, doc.published_date_key.__ge__), (wanted.published_to, _until)):
        if bound is not None:
            chosen = chosen.where(is_in(_day_key(bound)))
    return chosen


def _until(key: int) -> ColumnElement[bool]:
    return and_(dim_document.c.published_date_key >= 0, dim_document.c.published_date_key <= key)


def _day_key(text: str) -> int:
    day = parse_day(text)
    if day is None:
        raise ValueError(f"{text!r} is no date: write YYYY-MM-DD")
    return date_key_of(day)


def _is_read_by(read_by: ReadBy) -> ColumnElement[bool]:
    """Marked so, or loaded so in all its versions."""
    mark, version, load = document_reading.c, dim_document.alias("version"), dim_load.c
    marked = exists().where(
        mark.document_id == dim_document.c.document_id,
        mark.extractor_version == read_by.extractor_version,
        mark.catalogue_version == read_by.catalogue_version,
    )
    others = (
        select(version.c.document_key)
        .join(fact_document_progress, fact_document_progress.c.document_key == version.c.document_key)
        .join(dim_load, load.load_key == fact_document_progress.c.load_key)
        .where(
            version.c.document_id == dim_document.c.document_id,
            or_(
                load.extractor_version != read_by.extractor_version,
                load.catalogue_version != read_by.catalogue_version,
            ),
        )
        .correlate(dim_document)
        .exists()
    )
    return or_(marked, ~others)


def read_documents(conn: Connection, source_id: str, ids: Sequence[str]) -> list[StoredDocument]:
    """Documents of one source with all that reading them again needs but the answers themselves."""
    versions: dict[str, list[Row]] = defaultdict(list)
    for row in read_version_rows(conn, ids):
        versions[row["document_id"]].append(row)
    texts = {row["text_key"]: row for row in _rows_of(conn, document_text, ids)}
    seen: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    for row in _rows_of(conn, document_sighting, ids):
        seen[row["document_id"]].append((row["seen_at"], row["text_hash"]))
    pages = _latest_pages(conn, source_id, ids)
    tokens = read_tokens(conn, ids)
    return [
        StoredDocument(
            document_id,
            pages[document_id]["title"] if document_id in pages else None,
            pages[document_id]["listed_date"] if document_id in pages else None,
            tuple(_version(rows, row, texts, seen[document_id], pages.get(document_id)) for row in rows),
            tokens[document_id],
        )
        for document_id, rows in versions.items()
    ]


def _version(
    rows: list[Row], row: Row, texts: dict[int, Row], seen: list[tuple[datetime, str]], page_row: Row | None
) -> StoredVersion:
    since, until = span_of(rows, row)
    times = (
        at
        for at, text_hash in seen
        if text_hash == row["text_hash"] and (since is None or at >= since) and (until is None or at < until)
    )
    first = latest = None
    if row["snapshot_file"] is not None:
        first = SnapshotRef(row["snapshot_file"], row["snapshot_offset"], row["snapshot_length"], row["bytes_hash"])
    if row["is_current"] and page_row is not None:
        latest = SnapshotRef(*(page_row[f"snapshot_{name}"] for name in ("file", "offset", "length", "sha256")))
    return StoredVersion(row, texts[row["text_key"]], tuple(sorted(times)), first, latest)


def _latest_pages(conn: Connection, source_id: str, ids: Sequence[str]) -> dict[str, Row]:
    """Of each document the page that was read last and well."""
    found: dict[str, Row] = {}
    for start in range(0, len(ids), CHUNK):
        chosen = select(page).where(
            page.c.document_id.in_(ids[start : start + CHUNK]),
            page.c.source_id == source_id,
            page.c.snapshot_file.is_not(None),
            page.c.state.in_(("active", "gone", "failed")),
        )
        for row in conn.execute(chosen.order_by(page.c.last_seen_at, page.c.page_key)).mappings():
            found[row["document_id"]] = dict(row)
    return found


def attachment_snapshots(conn: Connection, source_id: str) -> dict[str, SnapshotRef]:
    """By address, the attachments of a source that are in the archive."""
    names = ("snapshot_file", "snapshot_offset", "snapshot_length", "snapshot_sha256")
    chosen = select(page.c.url, *(page.c[name] for name in names)).where(
        page.c.source_id == source_id, page.c.kind == "attachment", page.c.snapshot_file.is_not(None)
    )
    return {url: SnapshotRef(*where) for url, *where in conn.execute(chosen)}


def read_tokens(conn: Connection, ids: Sequence[str]) -> dict[str, str]:
    """A hash of what loads leave of each document: its versions, who loaded them, and every time it was seen."""
    told: dict[str, Any] = {document_id: hashlib.sha256() for document_id in ids}
    doc, progress, seen = dim_document.c, fact_document_progress.c, document_sighting.c
    loads = (
        select(doc.document_id, doc.document_key, progress.load_key)
        .outerjoin(fact_document_progress, progress.document_key == doc.document_key)
        .order_by(doc.document_key)
    )
    times = select(seen.document_id, func.count(), func.max(seen.seen_at)).group_by(seen.document_id)
    for start in range(0, len(ids), CHUNK):
        some = ids[start : start + CHUNK]
        for chosen in (loads.where(doc.document_id.in_(some)), times.where(seen.document_id.in_(some))):
            for document_id, *rest in conn.execute(chosen):
                told[document_id].update(repr(rest).encode())
    return {document_id: digest.hexdigest() for document_id, digest in told.items()}


def _rows_of(conn: Connection, table: Any, ids: Sequence[str]) -> list[Row]:
    rows: list[Row] = []
    for start in range(0, len(ids), CHUNK):
        chosen = select(table).where(table.c.document_id.in_(ids[start : start + CHUNK]))
        rows.extend(dict(row) for row in conn.execute(chosen).mappings())
    return rows
