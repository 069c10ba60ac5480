"""Publish what reading documents again has found: content, changes and marks in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, select

from warehouse.batch import LoadBatch, LoadResult
from warehouse.columns import Row
from warehouse.difference import Differing
from warehouse.dim_rows import source_key
from warehouse.engine import writing
from warehouse.forgetting import forget_documents
from warehouse.keys import key_of
from warehouse.load import load_again
from warehouse.schema import document_reading, fact_reparse_change
from warehouse.schema_dims import dim_load
from warehouse.steps import reach
from warehouse.stored import ReadBy, read_tokens
from warehouse.upsert import insert_rows, merge_rows


@dataclass(frozen=True, slots=True)
class Published:
    """What became of the documents of a batch."""

    loaded: LoadResult
    skipped: tuple[str, ...]
    """Documents that another load has touched since they were compared: left for the next reparse."""


def mark_read(engine: Engine, ids: Sequence[str], read_by: ReadBy, run_id: str) -> None:
    """Note that documents were read and nothing in them has changed: the next reparse passes them over."""
    with writing(engine) as conn:
        _mark(conn, ids, read_by, run_id)


def publish_differing(
    engine: Engine, batch: LoadBatch, differing: Sequence[Differing], accepted: str = ""
) -> Published:  # fmt: skip
    """Load documents of one source that differ, with the rows of their changes and their marks, or nothing of it.

    `batch` says whose and by what; it has no documents. `accepted`: why a change beyond the thresholds is published.
    Raises DataTestFailed or WarehouseError; then nothing has been changed."""
    with writing(engine) as conn:
        reach("reparse-1-begun")
        tokens = read_tokens(conn, [one.document_id for one in differing])
        fresh = [one for one in differing if one.token == tokens[one.document_id]]
        forgotten = forget_documents(conn, {one.document_id: one.replaced for one in fresh if one.replaced is not None})
        reach("reparse-2-forgotten")
        documents = tuple(doc for one in fresh for doc in one.documents)
        loaded = load_again(conn, replace(batch, documents=documents, is_crawl=False), forgotten)
        reach("reparse-3-loaded")
        insert_rows(conn, fact_reparse_change, list(_change_rows(batch, fresh, accepted)))
        read_by = ReadBy(batch.extractor_version, batch.catalogue_version)
        _mark(conn, [one.document_id for one in fresh], read_by, batch.run_id)
        reach("reparse-4-noted")
    reach("reparse-5-published")
    skipped = {one.document_id for one in differing} - {one.document_id for one in fresh}
    return Published(loaded, tuple(sorted(skipped)))


def has_catalogue(engine: Engine, version: str) -> bool:
    """Whether the last load came with this catalogue."""
    chosen = select(dim_load.c.catalogue_version).where(dim_load.c.load_key >= 0)
    with engine.connect() as conn:
        return conn.execute(chosen.order_by(dim_load.c.started_at.desc()).limit(1)).scalar() == version


def _change_rows(batch: LoadBatch, differing: Sequence[Differing], accepted: str) -> Iterator[Row]:
    now = datetime.now(UTC)
    for one in differing:
        for position, change in enumerate(one.changes, start=1):
            figure = change.figure
            yield {
                "change_key": key_of("reparse_change", batch.run_id, one.document_id, position),
                "source_key": source_key(batch.source.source_id),
                "run_id": batch.run_id,
                "document_id": one.document_id,
                "position": position,
                "kind": change.kind,
                "metric_code": figure.metric,
                "period": figure.period,
                "status": figure.status,
                "scope": figure.scope,
                "dimension": figure.dimension,
                "unit_code": figure.unit,
                "old_value": change.old.value if change.old else None,
                "new_value": change.new.value if change.new else None,
                "quote": figure.quote,
                "accepted": accepted,
                "changed_at": now,
            }


def _mark(conn: Connection, ids: Sequence[str], read_by: ReadBy, run_id: str) -> None:
    now = datetime.now(UTC)
    marks: list[Row] = [
        {
            "reading_key": key_of("reading", document_id),
            "document_id": document_id,
            "extractor_version": read_by.extractor_version,
            "catalogue_version": read_by.catalogue_version,
            "run_id": run_id,
            "read_at": now,
        }
        for document_id in ids
    ]
    merge_rows(conn, document_reading, marks)
