"""Where running crawls keep their state: a small file beside a SQLite warehouse, the database itself on PostgreSQL.

SQLite has one writer for a whole file, and a load holds it for as long as it takes; a lane must not wait for that.
Transactions here are a statement or two.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Executable, Float, cast, create_engine, event, extract, func, inspect, select
from sqlalchemy.engine import URL
from sqlalchemy.sql.compiler import SQLCompiler

from warehouse.engine import explained, is_sqlite, postgresql_arguments
from warehouse.patience import wait_for_server
from warehouse.schema_crawl import crawl_metadata, frontier

BUSY_SECONDS = 60
"""How long to wait for a lock: its holder needs a moment of work and one write to the disk, which on a machine that is
busy, or whose PostgreSQL has just been started again, has been seen to take more than ten seconds."""
_MAKING = 0x66617A6868
"""Advisory lock on PostgreSQL while the tables are made."""


def crawl_state_url(warehouse: URL) -> URL:
    """`warehouse.sqlite` keeps it in `warehouse-crawl.sqlite`: the same warehouse, the same lanes."""
    if not is_sqlite(warehouse):
        return warehouse
    path = Path(warehouse.database or "").resolve()
    return warehouse.set(database=str(path.with_name(f"{path.stem}-crawl{path.suffix}")))


def open_crawl_state(warehouse: Engine) -> Engine:
    """The engine of the state that belongs to an opened warehouse; the tables are made where they are missing.

    Raises WarehouseError when it cannot be opened or written."""
    url = crawl_state_url(warehouse.url)
    if is_sqlite(url):
        engine = create_engine(url, isolation_level="AUTOCOMMIT", connect_args={"timeout": BUSY_SECONDS})
        event.listen(engine, "connect", _set_up_sqlite)
    else:
        engine = create_engine(
            url,
            isolation_level="AUTOCOMMIT",
            pool_pre_ping=True,
            connect_args=postgresql_arguments(BUSY_SECONDS),
        )
        wait_for_server(engine)
    try:
        with changing(engine) as conn:
            if not is_sqlite(url):
                conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MAKING})")
            _drop_older(conn)
            crawl_metadata.create_all(conn)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _drop_older(conn: Connection) -> None:
    """A frontier of another shape goes: what a killed run of an older version had is asked for again."""
    found = inspect(conn)
    if found.has_table(frontier.name) and {one["name"] for one in found.get_columns(frontier.name)} != set(
        frontier.columns.keys()
    ):
        conn.exec_driver_sql(f"DROP TABLE {frontier.name}")


@contextmanager
def changing(engine: Engine) -> Iterator[Connection]:
    """One short write transaction. Statements outside of one stand for themselves."""
    with explained(engine), engine.connect() as conn:
        conn.exec_driver_sql("BEGIN IMMEDIATE" if is_sqlite(engine.url) else "BEGIN")
        try:
            yield conn
        except BaseException:
            if not conn.invalidated:  # else the server has gone, and its transaction with it
                conn.exec_driver_sql("ROLLBACK")
            raise
        conn.exec_driver_sql("COMMIT")


class Prepared:
    """A statement in the database's own words, run on many rows: the way of each row through SQLAlchemy would cost more
    than the row. Values are texts, numbers and None, which drivers take as they are, in the order of `names`."""

    def __init__(self, engine: Engine, statement: Executable, names: Sequence[str]) -> None:
        compiled = statement.compile(dialect=engine.dialect, column_keys=names)  # type: ignore[attr-defined]  # of every statement
        assert isinstance(compiled, SQLCompiler)
        self._sql = str(compiled)
        self._names = names
        self._is_by_name = compiled.positiontup is None
        if not self._is_by_name and compiled.positiontup != list(names):
            raise ValueError(f"the driver takes the values in this order: {compiled.positiontup}")

    def run(self, conn: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        if not rows:
            return
        if self._is_by_name:
            conn.exec_driver_sql(self._sql, [dict(zip(self._names, row, strict=True)) for row in rows])
        else:
            conn.exec_driver_sql(self._sql, list(rows))


def clock(conn: Connection) -> float:
    """Epoch seconds by the database's clock; on SQLite this machine's."""
    if is_sqlite(conn.engine.url):
        return time.time()
    return float(conn.execute(select(cast(extract("epoch", func.clock_timestamp()), Float))).scalar_one())


def _set_up_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    """A power cut may cost the last second, which is then asked for again; a killed process costs nothing."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=OFF")
