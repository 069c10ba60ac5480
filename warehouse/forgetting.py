"""Take back what was read of documents, so that what is read today of the same answers takes its place.

A text is a function of the archived answer and of the program that read it. Where today's program reads another text,
the old one was never on the portal: it is replaced, and is no version of the document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, delete, select

from warehouse.columns import Row
from warehouse.documents import sighting_key
from warehouse.facts import FactRows
from warehouse.replacing import replace_facts
from warehouse.schema import dim_document, document_sighting, document_text, fact_document_progress
from warehouse.upsert import CHUNK, delete_rows, insert_rows


def forget_documents(conn: Connection, texts: Mapping[str, Mapping[int, str]]) -> list[Row]:
    """Delete all versions of documents and what was read in them, and give their sightings the texts of today.

    `texts`: document_id -> document_key of each of its versions -> hash of today's text. Gives the deleted rows of
    `dim_document`. What refers to their figures from outside (chosen values, checks across documents) is for the load
    that follows in the same transaction."""
    rows = read_version_rows(conn, sorted(texts))
    for document_id, today in texts.items():
        _rename_sightings(conn, [row for row in rows if row["document_id"] == document_id], today)
    keys = [row["document_key"] for row in rows]
    replace_facts(conn, keys, FactRows())
    delete_rows(conn, fact_document_progress, keys)
    delete_rows(conn, dim_document, keys)
    delete_rows(conn, document_text, sorted({row["text_key"] for row in rows}))
    return rows


def read_version_rows(conn: Connection, ids: Sequence[str]) -> list[Row]:
    """All versions of documents, each document's in order."""
    rows: list[Row] = []
    for start in range(0, len(ids), CHUNK):
        chosen = select(dim_document).where(dim_document.c.document_id.in_(ids[start : start + CHUNK]))
        in_order = chosen.order_by(dim_document.c.document_id, dim_document.c.version_no)
        rows.extend(dict(row) for row in conn.execute(in_order).mappings())
    return rows


def span_of(versions: Sequence[Row], row: Row) -> tuple[datetime | None, datetime | None]:
    """From when to when a version was seen: half-open, None without a bound. Its `valid_from` may be its publication,
    so the first one has no lower bound."""
    place = versions.index(row)
    until = versions[place + 1]["valid_from"] if place + 1 < len(versions) else None
    return (None if place == 0 else row["valid_from"]), until


def _rename_sightings(conn: Connection, versions: Sequence[Row], today: Mapping[int, str]) -> None:
    """The sightings of each version tell of today's text; they are rows of their own content, so made anew."""
    seen = document_sighting.c
    for row in versions:
        since, until = span_of(versions, row)
        bounds = [seen.document_id == row["document_id"], seen.text_hash == row["text_hash"]]
        bounds += [seen.seen_at >= since] if since is not None else []
        bounds += [seen.seen_at < until] if until is not None else []
        times = list(conn.execute(select(seen.seen_at).where(and_(*bounds))).scalars())
        conn.execute(delete(document_sighting).where(and_(*bounds)))
        text_hash = today[row["document_key"]]
        fresh: list[Row] = [
            {
                "sighting_key": sighting_key(row["document_id"], at, text_hash),
                "document_id": row["document_id"],
                "seen_at": at,
                "text_hash": text_hash,
            }
            for at in sorted(set(times))
        ]
        insert_rows(conn, document_sighting, fresh)
