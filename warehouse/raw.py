"""Rows as SQLite holds them: without SQLAlchemy's look at each value, which costs several times what the engine does.

Times are text in UTC without a zone, days are text, truths are 0 and 1, quantities are doubles (`warehouse.columns`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Boolean, Connection, Date, Select

from warehouse.bulk import Values, told_by
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


def fetch_raw(conn: Connection, query: Select[Any], size: int = 5000) -> Iterator[list[Values]]:
    """Rows of a query on SQLite, some at a time, without holding them all."""
    statement = str(query.compile(dialect=conn.dialect, compile_kwargs={"literal_binds": True}))
    driver: Any = conn.connection.driver_connection
    with told_by(conn, statement):
        cursor = driver.execute(statement)
        while some := cursor.fetchmany(size):
            yield some
