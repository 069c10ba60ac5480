"""Rows as SQLite holds them: without SQLAlchemy's look at each value, which costs several times what the engine does.

Times are text in UTC without a zone, days are text, truths are 0 and 1, quantities are doubles (`warehouse.columns`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Boolean, Connection, Date, Select
from sqlalchemy.dialects import postgresql, sqlite

from warehouse.bulk import Values, convert_columns, told_by
from warehouse.columns import Quantity, UtcDateTime, read_quantity


def _read_moment(value: str) -> datetime:
    return datetime.fromisoformat(value).replace(tzinfo=UTC)


RAW: dict[type, Callable[[Any], Any]] = {
    Quantity: read_quantity,
    UtcDateTime: _read_moment,
    Date: date.fromisoformat,
    Boolean: bool,
}
"""Types of columns whose values SQLite holds as something else, and how they are read."""


def spell(conn: Connection, query: Select[Any]) -> str:
    """A select in the words of the engine, its values among them: for what goes to the driver itself."""
    # PostgreSQL's driver would take the marks of SQLAlchemy's dialect for it for places of values.
    dialect = postgresql.dialect() if conn.dialect.name == "postgresql" else conn.dialect  # type: ignore[no-untyped-call]
    return str(query.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


def fetch_raw(
    conn: Connection, statement: str, size: int = 5000, texts: type[str] | type[bytes] = str
) -> Iterator[list[Values]]:
    """Rows of a select on SQLite, some at a time, without holding them all. Texts as bytes are as they are stored."""
    driver: Any = conn.connection.driver_connection
    with told_by(conn, statement):
        cursor = driver.execute(statement)
        while some := _fetch(driver, cursor, size, texts):
            yield some


def _fetch(driver: Any, cursor: Any, size: int, texts: type) -> list[Values]:
    """The driver makes texts as its connection says; others that use it meanwhile get theirs as ever."""
    before, driver.text_factory = driver.text_factory, texts
    try:
        rows: list[Values] = cursor.fetchmany(size)
    finally:
        driver.text_factory = before
    return rows


def ask(conn: Connection, query: Select[Any], given: Mapping[str, Any]) -> list[Values]:
    """Rows of a select that is made once and asked for every load; lists in it are told by `warehouse.among`, not by
    `in_`. On SQLite SQLAlchemy's part in that takes several times what the engine does."""
    if conn.dialect.name != "sqlite":
        return [tuple(row) for row in conn.execute(query, given)]
    statement, places, readers = _prepared(query)
    told = [given.get(name, value) for name, value in places]
    driver: Any = conn.connection.driver_connection
    with told_by(conn, statement):
        rows: list[Values] = driver.execute(
            statement, [json.dumps(one) if isinstance(one, list) else one for one in told]
        ).fetchall()
    return convert_columns(rows, readers) if rows and readers else rows


@lru_cache(maxsize=200)
def _prepared(
    query: Select[Any],
) -> tuple[str, list[tuple[str, Any]], list[tuple[int, Callable[[Any], Any]]]]:
    """A select in SQLite's words, which are the same for all databases of a process; its values in their order, by name
    and as they stand in it; and which columns are read how."""
    compiled: Any = query.compile(dialect=sqlite.dialect())
    assert not compiled.post_compile_params, "a list by in_ is written anew for each question"
    places = [(name, compiled.params[name]) for name in compiled.positiontup]
    kinds = [type(column.type) for column in query.selected_columns]
    return str(compiled), places, [(i, RAW[kind]) for i, kind in enumerate(kinds) if kind in RAW]
