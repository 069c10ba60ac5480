"""Write rows by surrogate key, touch only those that differ, count exactly."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, Connection, Delete, Table, delete

from warehouse.among import among_given, rows_by
from warehouse.bulk import insert_new, upsert
from warehouse.columns import Row
from warehouse.raw import ask

CHUNK = 500
"""Keys per IN list: well below every engine's limit on bound values."""


@dataclass(slots=True)
class Changes:
    """Content rows written; adds up over tables."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0

    def add(self, other: Changes) -> None:
        self.inserted += other.inserted
        self.updated += other.updated
        self.deleted += other.deleted

    @property
    def total(self) -> int:
        return self.inserted + self.updated + self.deleted


@lru_cache(maxsize=100)
def key_name(table: Table) -> str:
    """Name of the surrogate key column."""
    (column,) = table.primary_key.columns
    return column.name


def read_rows(conn: Connection, table: Table, keys: Sequence[int]) -> dict[int, Row]:
    """Stored rows by key."""
    name = key_name(table)
    return {row[name]: row for row in fetch_by(conn, table.c[name], keys)}


def fetch_by(conn: Connection, column: Column[Any], keys: Sequence[Any]) -> list[Row]:
    """Whole rows whose column is one of the keys."""
    rows: list[Row] = []
    names = column.table.columns.keys()
    for start in range(0, len(keys), CHUNK):
        found = ask(conn, rows_by(column), {"keys": list(keys[start : start + CHUNK])})
        rows.extend(dict(zip(names, row, strict=True)) for row in found)
    return rows


def insert_rows(conn: Connection, table: Table, rows: Sequence[Row]) -> Changes:
    """Insert rows known to be new."""
    insert_new(conn, table, rows)
    return Changes(inserted=len(rows))


def merge_rows(
    conn: Connection,
    table: Table,
    rows: Iterable[Row],
    stored_keys: Container[int] | None = None,
    stored: Mapping[int, Row] | None = None,
) -> Changes:
    """Insert what is missing, update what differs in a column that is not audit; leave the rest alone.

    Audit columns (load, first times) are written along with a change and never are one; bounds of validity are one.
    `stored_keys`: where the caller has looked already, keys with all those among them that are in the table;
    `stored`: where it has read them, those rows.
    """
    name = key_name(table)
    wanted = {row[name]: row for row in rows}
    if not wanted:
        return Changes()
    if stored is None:
        stored = read_rows(conn, table, [key for key in wanted if stored_keys is None or key in stored_keys])
    content = _content(table)
    fresh = [row for key, row in wanted.items() if key not in stored]
    differing = [
        row
        for key, row in wanted.items()
        if key in stored and any(row[column] != stored[key][column] for column in content)
    ]
    if differing:
        upsert(conn, table, fresh + differing)
    else:
        insert_new(conn, table, fresh)
    return Changes(inserted=len(fresh), updated=len(differing))


@lru_cache(maxsize=100)
def _content(table: Table) -> tuple[str, ...]:
    """Columns whose change is one."""
    return tuple(column.name for column in table.columns if not column.primary_key and _is_compared(column))


def _is_compared(column: Column[Any]) -> bool:
    return not column.info.get("audit") or bool(column.info.get("compared"))


def delete_rows(conn: Connection, table: Table, keys: Sequence[int]) -> Changes:
    """Delete by key."""
    for start in range(0, len(keys), CHUNK):
        conn.execute(_deletion(table), {"keys": list(keys[start : start + CHUNK])})
    return Changes(deleted=len(keys))


@lru_cache(maxsize=100)
def _deletion(table: Table) -> Delete:
    return delete(table).where(among_given(table.c[key_name(table)]))
