"""The reading side: what the crawler, the command line and the run report ask the warehouse."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Engine, func, select

from warehouse.batch import PageState, SnapshotRef
from warehouse.engine import reading
from warehouse.findings import findings, never_applied, verdicts
from warehouse.fingerprint import stream
from warehouse.health import source_health, status, totals
from warehouse.patience import retried
from warehouse.schema import (
    dim_document,
    document_text,
    page,
)
from warehouse.schema_dims import dim_region, dim_source

Record = dict[str, Any]
SHORT_TEXT = 300
"""Characters below which a report's page holds no report: a scan or an unreadable file may be replaced some day."""


@retried
def load_pages(engine: Engine, source_id: str) -> dict[str, PageState]:
    """What the crawl remembers of a source, by URL."""
    with reading(engine) as conn:
        rows = conn.execute(select(page).where(page.c.source_id == source_id).order_by(page.c.url)).mappings()
        return {row["url"]: _page_state(row) for row in rows}


@retried
def held_attachments(engine: Engine, source_id: str) -> dict[str, list[tuple[str, str]]]:
    """(URL, name) of the attachments of reports whose page is empty, by document_id: their text is there, or may be."""
    doc = dim_document.c
    chosen = (
        select(doc.document_id, doc.attachments)
        .join(document_text, document_text.c.text_key == doc.text_key)
        .join(dim_source, dim_source.c.source_key == doc.source_key)
        .where(dim_source.c.source_id == source_id, doc.is_current, doc.is_report)
        .where((document_text.c.text_origin == "attachment") | (func.length(document_text.c.text) < SHORT_TEXT))
        .order_by(doc.document_id)
    )
    with reading(engine) as conn:
        rows = conn.execute(chosen).all()
    held = {document_id: [(url, name) for url, name in json.loads(attachments)] for document_id, attachments in rows}
    return {document_id: attachments for document_id, attachments in held.items() if attachments}


def articles(engine: Engine) -> Iterator[Record]:
    """The current version of every document, in the order of their addresses."""
    doc, text = dim_document.c, document_text.c
    chosen = (
        select(dim_document, text.text, text.body, text.attachment_text, dim_region.c.region_code)
        .join(document_text, text.text_key == doc.text_key)
        .join(dim_region, dim_region.c.region_key == doc.region_key)
        .where(doc.is_current)
        .order_by(doc.document_id)
    )
    with reading(engine) as conn:
        for row in stream(conn, chosen, size=500):
            yield _article(row._mapping)


def _article(row: Any) -> Record:
    return {
        "url": row["url"],
        "title": row["title"],
        "publish_date": row["published_at"],
        "content_source": row["content_source"],
        "index_no": row["index_no"],
        "document_no": row["document_no"],
        "publisher": row["publisher"],
        "body": row["text"] if row["body"] is None else row["body"],
        "attachments": [url for url, _name in json.loads(row["attachments"])],
        "attachment_text": row["text"] if row["attachment_text"] is None else row["attachment_text"],
        "is_report": row["is_report"],
        "report_year": row["report_year"],
        "region_code": row["region_code"],
    }


def _page_state(row: Any) -> PageState:
    snapshot = None
    if row["snapshot_file"] is not None:
        snapshot = SnapshotRef(
            row["snapshot_file"], row["snapshot_offset"], row["snapshot_length"], row["snapshot_sha256"]
        )
    names = (
        "url", "kind", "source_id", "document_id", "etag", "last_modified", "bytes_hash", "last_status",
        "last_outcome", "state", "first_seen_at", "last_seen_at", "title", "listed_date", "found_on", "text_hash",
        "n_failed", "due_at", "walked_at",
    )  # fmt: skip
    return PageState(snapshot=snapshot, **{name: row[name] for name in names})


__all__ = [
    "articles",
    "findings",
    "held_attachments",
    "load_pages",
    "never_applied",
    "source_health",
    "status",
    "totals",
    "verdicts",
]
