"""What the published state is, and one hash that says whether two states are the same."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Engine, Integer, LargeBinary, Select, String, Table, select
from sqlalchemy.types import TypeEngine

from warehouse.engine import reading
from warehouse.raw import RAW, fetch_raw, spell
from warehouse.schema import (
    CONTENT,
    dim_document,
)
from warehouse.schema_dims import dim_agency, dim_metric, dim_period, dim_region, dim_rule, dim_source, dim_unit

AT_ONCE = 1_000
"""Rows spelled together: texts are among them."""

HASHED = (*CONTENT, dim_region, dim_agency, dim_source, dim_period, dim_unit, dim_metric, dim_rule)


def fingerprint(engine: Engine) -> str:
    """Hash of everything that sources say and of how it is named: no load, no time of retrieval, no crawl log."""
    with reading(engine) as conn:
        return hash_content(conn)


def hash_content(conn: Connection) -> str:
    """See `fingerprint`; rows in key order, so memory does not grow with the warehouse."""
    digest = hashlib.sha256()
    for table in HASHED:
        columns = [column for column in table.columns if not column.info.get("audit")]
        digest.update(f"\n{table.name}:{','.join(c.name for c in columns)}\n".encode())
        query = published(table).with_only_columns(*columns)
        for lines in _spell_raw(conn, query) if conn.dialect.name == "sqlite" else _spell(conn, query):
            digest.update(lines.encode())
    return digest.hexdigest()


def _spell(conn: Connection, query: Select[Any]) -> Iterator[str]:
    """A line for each row of a query."""
    for row in stream(conn, query):
        yield "\t".join(map(_plain, row)) + "\n"


def _spell_raw(conn: Connection, query: Select[Any]) -> Iterator[str]:
    """The same lines from what SQLite holds, column by column, many together."""
    spellings = [_raw_spelling(column.type) for column in query.selected_columns]
    for rows in fetch_raw(conn, spell(conn, query), AT_ONCE):
        columns = [
            ["~" if value is None else told(value) for value in column] if None in column else map(told, column)
            for told, column in zip(spellings, zip(*rows, strict=True), strict=True)
        ]
        yield "\n".join(map("\t".join, zip(*columns, strict=True))) + "\n"


def _raw_spelling(kind: TypeEngine[Any]) -> Callable[[Any], str]:
    """What makes a value as SQLite holds it, if there is one, what `_plain` makes of the value itself."""
    if isinstance(kind, String | LargeBinary):
        return repr
    if isinstance(kind, Integer):
        return str
    read = RAW[type(kind)]
    return lru_cache(maxsize=20_000)(lambda value: _plain(read(value)))


def published(table: Table) -> Select[Any]:
    """Rows of a table that belong to the published state, in key order.

    A source that has published nothing yet has a member for its log only, and does not belong.
    """
    chosen = select(table).order_by(*table.primary_key)
    if table is dim_source:
        version = dim_source.alias("version")
        used = select(version.c.current_key).where(version.c.source_key.in_(select(dim_document.c.source_key)))
        return chosen.where(dim_source.c.current_key.in_(used))
    return chosen


def stream(conn: Connection, query: Select[Any], size: int = 5000) -> Iterator[Any]:
    """Rows of a query without holding them all."""
    yield from conn.execute(query, execution_options={"yield_per": size})


_SPELLINGS: dict[type, Callable[[Any], str]] = {
    type(None): lambda _: "~",
    str: repr,
    bytes: repr,
    Decimal: lambda value: format(value, "f"),
    datetime: datetime.isoformat,
    date: date.isoformat,
}


def _plain(value: object) -> str:
    """One spelling per value; a text cannot be mistaken for a number or for a field's end."""
    return _SPELLINGS.get(type(value), str)(value)
