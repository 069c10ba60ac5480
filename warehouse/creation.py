"""A new warehouse at today's schema, and the revision that a database says it has.

`REVISION` is the newest file of warehouse/migrations/versions (tested): knowing it must not cost the import of Alembic
each time a warehouse is opened. Revisions are numbers of four digits, so the older of two is the smaller.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Boolean, Column, Connection, MetaData, PrimaryKeyConstraint, String, Table, insert, select

from warehouse.columns import Quantity, Row, UtcDateTime
from warehouse.history import BEGINNING
from warehouse.keys import NOT_APPLICABLE, UNKNOWN
from warehouse.marts import create_views
from warehouse.schema import DIMENSIONS, dim_document, metadata
from warehouse.schema_dims import WITH_HISTORY

REVISION = "0010"
FIRST_REVISION = "0001"
"""What the first release made; it had a table `schema_version` of its own instead of Alembic's."""

FIRST_MARK = "schema_version"

revision_table = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


def create_schema(conn: Connection) -> None:
    """Tables, reserved members, views and revision, in an empty database."""
    metadata.create_all(conn)
    revision_table.create(conn)
    conn.execute(insert(revision_table), {"version_num": REVISION})
    for table in DIMENSIONS:
        conn.execute(insert(table), [reserved_row(table, key) for key in (UNKNOWN, NOT_APPLICABLE)])
    create_views(conn)


def read_revision(conn: Connection, tables: Collection[str]) -> str | None:
    """The schema's revision in a database with these tables; None where it is no warehouse.

    Other programs have Alembic's table too, so one of our own has to be there as well."""
    if dim_document.name not in tables:
        return None
    if revision_table.name in tables:
        return conn.execute(select(revision_table.c.version_num)).scalar_one_or_none()
    return FIRST_REVISION if FIRST_MARK in tables else None


def reserved_row(table: Table, key: int) -> Row:
    """The member unknown or not applicable; it has one version that holds always."""
    word = "(unknown)" if key == UNKNOWN else "(not applicable)"
    row = {column.name: _reserved_value(column, key, word) for column in table.columns}
    return row | {"is_current": True, "valid_from": BEGINNING} if table in WITH_HISTORY else row


def _reserved_value(column: Column[Any], key: int, word: str) -> Any:
    if column.primary_key or column.foreign_keys:
        return key
    if column.nullable:
        return None
    if isinstance(column.type, Boolean):
        return False
    if isinstance(column.type, UtcDateTime):
        return datetime.fromtimestamp(0, UTC)
    if isinstance(column.type, Quantity) or column.type.python_type is int:
        return 0
    return word
