"""The only dialect-specific writing: many rows into one table, as fast as the engine takes them.

PostgreSQL takes rows by COPY: straight into the table where they are new, through a temporary table and one merge
where some may be there already. SQLite takes prepared tuples by the driver's `executemany`. Both bypass SQLAlchemy's
handling of each row, which costs more than either engine does (`benchmarks/loading.py`); types go through the
column's own conversion still.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import islice
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Dialect, Table
from sqlalchemy.exc import DBAPIError, IntegrityError

from warehouse.columns import Row, converter
from warehouse.errors import WarehouseError

Values = tuple[Any, ...]
AT_ONCE = 5_000
"""Rows handed to SQLite together: what is held twice."""


def insert_values(conn: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Write rows that are not there yet, in this order; each has a value for every column, in the table's order."""
    if not rows:
        return
    _check_references(conn, table, rows)
    if conn.dialect.name == "postgresql":
        _copy(conn, table.name, table, rows)
    else:
        _execute(conn, f"INSERT INTO {_into(table)} VALUES ({_marks(table)})", table, rows)


def insert_new(conn: Connection, table: Table, rows: Sequence[Row]) -> None:
    """The same for rows by column name."""
    insert_values(conn, table, list(map(picker(table), rows)))


def upsert(conn: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Write rows, over those that have the same key."""
    if not rows:
        return
    (key,) = (column.name for column in table.primary_key)
    others = ", ".join(f"{c.name} = excluded.{c.name}" for c in table.columns if c.name != key)
    merged = f"ON CONFLICT ({key}) DO UPDATE SET {others}"
    values = list(map(picker(table), rows))
    _check_references(conn, table, values)
    if conn.dialect.name == "postgresql":
        stage = f"stage_{table.name}"
        conn.exec_driver_sql(f"CREATE TEMPORARY TABLE {stage} (LIKE {table.name} INCLUDING DEFAULTS) ON COMMIT DROP")
        _copy(conn, stage, table, values)
        conn.exec_driver_sql(f"INSERT INTO {_into(table)} SELECT {_names(table)} FROM {stage} {merged}")
        conn.exec_driver_sql(f"DROP TABLE {stage}")
    elif conn.dialect.name == "sqlite":
        _execute(conn, f"INSERT INTO {_into(table)} VALUES ({_marks(table)}) {merged}", table, values)
    else:
        raise WarehouseError(f"no bulk write for {conn.dialect.name}; use sqlite or postgresql")


def _check_references(conn: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Of a large table, whose references are no constraints of the database (`warehouse.schema.BULK`): all of them in
    one question. Raises IntegrityError where one leads nowhere, as an engine would."""
    if not table.info.get("bulk"):
        return
    is_server = conn.dialect.name == "postgresql"
    places, questions = _references(table)
    keys = [list(set(map(itemgetter(place), rows))) for place in places]
    asked = tuple(keys) if is_server else tuple(map(json.dumps, keys))
    missing = conn.exec_driver_sql(questions[is_server], asked).first()
    if missing is not None:
        told = f"foreign key: {table.name}.{missing[0]} refers to {missing[1]}, not in {missing[2]}"
        raise IntegrityError(f"INSERT INTO {table.name}", None, ValueError(told))


@lru_cache(maxsize=20)
def _references(table: Table) -> tuple[list[int], dict[bool, str]]:
    """Places of a table's references, and what finds a key that leads nowhere: on PostgreSQL, or on SQLite."""
    links = sorted(table.foreign_keys, key=lambda link: link.parent.name)
    names = list(table.columns.keys())

    def ask(source: str) -> str:
        parts = []
        for link in links:
            target, key = link.column.table.name, link.column.name
            parts.append(
                f"SELECT '{link.parent.name}', k, '{target}' FROM ({source}) AS keys "
                f"WHERE NOT EXISTS (SELECT 1 FROM {target} WHERE {key} = k)"
            )
        return " UNION ALL ".join(parts) + " LIMIT 1"

    places = [names.index(link.parent.name) for link in links]
    unfold = {True: "SELECT unnest(%s::bigint[]) AS k", False: "SELECT value AS k FROM json_each(?)"}
    return places, {is_server: ask(source) for is_server, source in unfold.items()}


def _execute(conn: Connection, statement: str, table: Table, rows: Sequence[Values]) -> None:
    ready = _converted(conn.dialect, table, rows)
    while some := list(islice(ready, AT_ONCE)):
        conn.exec_driver_sql(statement, some)


def _copy(conn: Connection, name: str, table: Table, rows: Sequence[Values]) -> None:
    statement = f"COPY {name} ({_names(table)}) FROM STDIN"
    driver: Any = conn.connection.driver_connection
    with told_by(conn, statement), driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in _converted(conn.dialect, table, rows):
            copy.write_row(row)


@contextmanager
def told_by(conn: Connection, statement: str) -> Iterator[None]:
    """The driver's errors as SQLAlchemy's, like those of all other statements."""
    error_type = conn.dialect.loaded_dbapi.Error
    try:
        yield
    except error_type as error:
        raise DBAPIError.instance(statement, None, error, error_type, dialect=conn.dialect) from error


def _converted(dialect: Dialect, table: Table, rows: Sequence[Values]) -> Iterator[Values]:
    """Rows as the driver takes them."""
    converters = _converters(dialect, table)
    if not converters:
        yield from rows
        return
    for row in rows:
        values = list(row)
        for i, convert in converters:
            value = values[i]
            if value is not None:
                values[i] = convert(value)
        yield tuple(values)


@lru_cache(maxsize=100)
def _converters(dialect: Dialect, table: Table) -> list[tuple[int, Callable[[Any], Any]]]:
    """Places of the columns whose values the driver does not take as they are."""
    found = [(i, converter(column, dialect)) for i, column in enumerate(table.columns)]
    return [(i, convert) for i, convert in found if convert is not None]


@lru_cache(maxsize=100)
def picker(table: Table) -> Callable[[Row], Values]:
    """What makes the values of a row, in the order of the table's columns, from the row by name."""
    return itemgetter(*(column.name for column in table.columns))


@lru_cache(maxsize=100)
def _names(table: Table) -> str:
    return ", ".join(column.name for column in table.columns)


def _into(table: Table) -> str:
    return f"{table.name} ({_names(table)})"


def _marks(table: Table) -> str:
    return ", ".join("?" * len(table.columns))
