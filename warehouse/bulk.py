"""The only dialect-specific writing: many rows into one table, as fast as the engine takes them.

PostgreSQL takes rows by COPY: straight into the table where they are new, through a temporary table and one merge
where some may be there already. SQLite takes prepared tuples by the driver's `executemany`. Both bypass SQLAlchemy's
handling of each row, which costs more than either engine does (`benchmarks/loading.py`); types go through the
column's own conversion still.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import islice
from operator import itemgetter
from typing import Any, Protocol

from sqlalchemy import Connection, Dialect, Table
from sqlalchemy.exc import DBAPIError, IntegrityError

from warehouse.columns import Row, converter
from warehouse.errors import WarehouseError

Values = tuple[Any, ...]
AT_ONCE = 1_000
"""Rows whose references are noted together."""


class Rows(Protocol):
    """Rows in the order of a table's columns, and how many: held, or built as they are read."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Values]: ...


def insert_values(conn: Connection, table: Table, rows: Iterable[Values]) -> int:
    """Write rows that are not there yet, in this order; each has a value for every column, in the table's order. Rows
    are taken as the engine asks for them. Gives their number."""
    seen = _Seen(table, rows)
    _write(conn, table.name, f"INSERT INTO {_into(table)} VALUES ({_marks(table)})", table, seen)
    _check_references(conn, table, seen)
    return seen.n


def insert_new(conn: Connection, table: Table, rows: Sequence[Row]) -> None:
    """The same for rows by column name."""
    if rows:
        insert_values(conn, table, map(picker(table), rows))


def upsert(conn: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Write rows, over those that have the same key."""
    if not rows:
        return
    (key,) = (column.name for column in table.primary_key)
    others = ", ".join(f"{c.name} = excluded.{c.name}" for c in table.columns if c.name != key)
    merged = f"ON CONFLICT ({key}) DO UPDATE SET {others}"
    seen = _Seen(table, map(picker(table), rows))
    if conn.dialect.name == "postgresql":
        stage = f"stage_{table.name}"
        conn.exec_driver_sql(f"CREATE TEMPORARY TABLE {stage} (LIKE {table.name} INCLUDING DEFAULTS) ON COMMIT DROP")
        _write(conn, stage, "", table, seen)
        conn.exec_driver_sql(f"INSERT INTO {_into(table)} SELECT {_names(table)} FROM {stage} {merged}")
        conn.exec_driver_sql(f"DROP TABLE {stage}")
    else:
        _write(conn, table.name, f"INSERT INTO {_into(table)} VALUES ({_marks(table)}) {merged}", table, seen)
    _check_references(conn, table, seen)


class _Seen:
    """Rows on their way to the engine. Of a large table, whose references are no constraints of the database
    (`warehouse.schema.BULK`), it keeps the keys referred to, to be checked in one question when all are written."""

    def __init__(self, table: Table, rows: Iterable[Values]) -> None:
        self.n = 0
        self._rows = iter(rows)
        places = _references(table)[0] if table.info.get("bulk") else []
        self.keys: list[set[int]] = [set() for _ in places]
        self._pick = [itemgetter(place) for place in places]

    def parts(self) -> Iterator[list[Values]]:
        """Some rows at a time."""
        while some := list(islice(self._rows, AT_ONCE)):
            self.n += len(some)
            for pick, keys in zip(self._pick, self.keys, strict=True):
                keys.update(map(pick, some))
            yield some


def _check_references(conn: Connection, table: Table, seen: _Seen) -> None:
    """Raises IntegrityError where a reference leads nowhere, as an engine would; the transaction is then undone."""
    if not seen.n or not seen.keys:
        return
    is_server = conn.dialect.name == "postgresql"
    questions = _references(table)[1]
    asked = tuple(map(list, seen.keys)) if is_server else tuple(json.dumps(list(keys)) for keys in seen.keys)
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


def _write(conn: Connection, name: str, statement: str, table: Table, seen: _Seen) -> None:
    """By COPY into the table of this name, or by the statement with a mark for each value."""
    driver: Any = conn.connection.driver_connection
    parts = _converted(conn.dialect, table, seen.parts())
    if conn.dialect.name == "postgresql":
        statement = f"COPY {name} ({_names(table)}) FROM STDIN"
        with told_by(conn, statement), driver.cursor() as cursor, cursor.copy(statement) as copy:
            for rows in parts:
                for row in rows:
                    copy.write_row(row)
    elif conn.dialect.name == "sqlite":
        with told_by(conn, statement):
            for rows in parts:
                driver.executemany(statement, rows)
    else:
        raise WarehouseError(f"no bulk write for {conn.dialect.name}; use sqlite or postgresql")


@contextmanager
def told_by(conn: Connection, statement: str) -> Iterator[None]:
    """The driver's errors as SQLAlchemy's, like those of all other statements."""
    error_type = conn.dialect.loaded_dbapi.Error
    try:
        yield
    except error_type as error:
        raise DBAPIError.instance(statement, None, error, error_type, dialect=conn.dialect) from error


def _converted(dialect: Dialect, table: Table, parts: Iterator[list[Values]]) -> Iterator[list[Values]]:
    """Rows as the driver takes them, column by column where one has to be converted."""
    converters = _converters(dialect, table)
    if not converters:
        return parts
    return (convert_columns(rows, converters) for rows in parts)


def convert_columns(rows: list[Values], converters: list[tuple[int, Callable[[Any], Any]]]) -> list[Values]:
    """Rows with the values of some columns, by place, converted; NULL stays."""
    columns: list[Iterable[Any]] = list(zip(*rows, strict=True))
    for i, convert in converters:
        columns[i] = [None if value is None else convert(value) for value in columns[i]]
    return list(zip(*columns, strict=True))


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
