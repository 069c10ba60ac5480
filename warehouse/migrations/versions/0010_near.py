"""Pages of one source, attempts of one of its runs and sightings of one host lie together: their keys begin alike.

A batch is of one source; with keys without order it wrote a page of the file for each of its rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from warehouse.columns import BigKey, UtcDateTime

revision = "0010"
down_revision = "0009"

AT_ONCE = 10_000
REST = (1 << 51) - 1
OWNER = ((1 << 63) - 1) ^ REST


def upgrade() -> None:
    conn = op.get_bind()
    text = sa.Text()
    page = sa.table("page", sa.column("page_key", BigKey), sa.column("source_id", text), sa.column("url", text))
    _rekey(conn, page, _page_key)
    fetch = sa.table(
        "fact_fetch", sa.column("fetch_key", BigKey), sa.column("run_id", text), sa.column("source_key", BigKey),
        sa.column("url", text), sa.column("started_at", UtcDateTime), sa.column("attempt", sa.Integer),
    )  # fmt: skip
    _rekey(conn, fetch, _fetch_key)
    sighting = sa.table(
        "document_sighting", sa.column("sighting_key", BigKey), sa.column("document_id", text),
        sa.column("seen_at", UtcDateTime), sa.column("text_hash", text),
    )  # fmt: skip
    _rekey(conn, sighting, _sighting_key)


def _page_key(row: Any) -> int:
    return _near(_key_of("source", row.source_id), "page", f"{row.source_id},{row.url}")


def _fetch_key(row: Any) -> int:
    natural = f"{row.source_key},{row.started_at.isoformat()},{row.attempt},{len(row.run_id)},{row.run_id},{row.url}"
    return _near(_key_of("source_run", row.run_id, row.source_key), "fetch", natural)


def _sighting_key(row: Any) -> int:
    host = _key_of("host", row.document_id.partition("/")[0])
    return _near(host, "sighting", f"{row.document_id},{row.seen_at.isoformat()},{row.text_hash}")


def _rekey(conn: sa.Connection, table: sa.TableClause, make: Callable[[Any], int]) -> None:
    """Old and new keys through a table of their own: rows change in one statement. Nothing refers to them."""
    renamed = op.create_table(
        "renamed", sa.Column("old", BigKey, primary_key=True, autoincrement=False), sa.Column("new", BigKey)
    )
    key = next(iter(table.columns))
    for rows in _rows(conn, table, key):
        conn.execute(renamed.insert(), [{"old": row[0], "new": make(row)} for row in rows])
    new = sa.select(renamed.c.new).where(renamed.c.old == key).scalar_subquery()
    conn.execute(sa.update(table).values({key.name: new}))
    op.drop_table("renamed")


def _rows(conn: sa.Connection, table: sa.TableClause, key: sa.ColumnClause[Any]) -> Iterator[list[Any]]:
    """In parts, by key: on one connection an open cursor would stand in the way of writing."""
    last = -1
    chosen = sa.select(table).order_by(key).limit(AT_ONCE)
    while rows := list(conn.execute(chosen.where(key > last))):
        yield rows
        last = rows[-1][0]


def _key_of(kind: str, *parts: str | int) -> int:
    return _hash(json.dumps([kind, *parts], ensure_ascii=False, separators=(",", ":"))) >> 1


def _near(owner: int, kind: str, natural: str) -> int:
    return (owner & OWNER) | (_hash(f"{kind},{natural}") & REST)


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
