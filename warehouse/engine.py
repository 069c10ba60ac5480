"""Open, check and talk to the database: one place for its settings, its transactions and its error messages."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Engine,
    Table,
    create_engine,
    event,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError

from warehouse.columns import Quantity, UtcDateTime
from warehouse.errors import WarehouseError
from warehouse.keys import NOT_APPLICABLE, UNKNOWN
from warehouse.marts import create_views
from warehouse.schema import DIMENSIONS, SCHEMA_VERSION, metadata
from warehouse.schema_dims import schema_version

BUSY_SECONDS = 60
"""How long a writer waits for another one: batches are published one after the other."""

WAYS_OUT = (
    ("locked", "another program holds it; wait for that run to end, or stop it"),
    ("readonly", "it cannot be written; check the file's and the folder's permissions, or set FAZHI_HOME"),
    ("unable to open", "the file cannot be opened or created; check the path and permissions, or set FAZHI_HOME"),
    ("not a database", "the file is no SQLite database; move it away, or set FAZHI_DATABASE_URL"),
    ("malformed", "the file is damaged; restore a copy, or move it away and run again from the archive"),
    ("full", "the disk is full; free some space and run again"),
    ("disk i/o", "the disk cannot be read or written; check it and the free space"),
)


def open_warehouse(url: str, *, busy_seconds: float = BUSY_SECONDS) -> Engine:
    """The warehouse at a SQLAlchemy URL; folder and tables are made where they are missing.

    Raises WarehouseError when it cannot be opened, is no database, holds other tables, or another schema version.
    """
    parsed = _parse_url(url)
    path = Path(parsed.database or "")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WarehouseError(
            f"warehouse {path}: the folder cannot be made ({error.strerror}); set FAZHI_HOME to a folder you may write"
        ) from error
    engine = create_engine(parsed, connect_args={"timeout": busy_seconds})
    event.listen(engine, "connect", _set_up_connection)
    event.listen(engine, "begin", _begin)
    try:
        _create_or_check(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def check_writable(engine: Engine) -> None:
    """Raise WarehouseError unless a row can be written now; writes nothing that stays."""
    with explained(engine), engine.connect().execution_options(fazhi_write=True) as conn:
        transaction = conn.begin()
        conn.execute(update(schema_version).values(version=SCHEMA_VERSION))
        transaction.rollback()


def open_existing(url: str) -> Engine | None:
    """The warehouse for reading, or None where there is none yet: a look creates nothing.

    Raises WarehouseError as `open_warehouse` does."""
    path = Path(_parse_url(url).database or "")
    try:
        is_there = path.is_file() and path.stat().st_size > 0
    except OSError as error:
        raise WarehouseError(f"warehouse {path}: cannot be read ({error.strerror}); check the permissions") from error
    return open_warehouse(url) if is_there else None


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One write transaction: all or nothing. Other writers wait, readers go on with what was published."""
    with explained(engine), engine.connect().execution_options(fazhi_write=True) as conn, conn.begin():
        yield conn


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One consistent view of the published state."""
    with explained(engine), engine.connect() as conn, conn.begin():
        yield conn


@contextmanager
def explained(engine: Engine) -> Iterator[None]:
    """Turn driver errors into one line for a person."""
    try:
        yield
    except IntegrityError as error:
        raise WarehouseError(
            f"warehouse {name_of(engine.url)}: the load breaks a constraint ({error.orig}); nothing was changed. "
            "This is a defect of the loader or a hash collision: please report it with this line"
        ) from error
    except (DBAPIError, sqlite3.Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        raise WarehouseError(f"warehouse {name_of(engine.url)}: {_way_out(str(cause))}") from error


def name_of(url: URL) -> str:
    """The database as shown to a person: a path, or a URL without its password."""
    return url.database or "" if url.drivername.startswith("sqlite") else url.render_as_string(hide_password=True)


def _parse_url(url: str) -> URL:
    try:
        parsed = make_url(url)
        parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError) as error:
        raise WarehouseError(
            "FAZHI_DATABASE_URL is no database address; write e.g. sqlite:////var/lib/fazhi/warehouse.sqlite"
        ) from error
    path = parsed.database or ""
    if parsed.get_backend_name() != "sqlite" or path in ("", ":memory:") or path.startswith("file:"):
        raise WarehouseError(
            f"warehouse {parsed.render_as_string(hide_password=True)}: this version keeps the warehouse in a "
            "SQLite file; write e.g. sqlite:////var/lib/fazhi/warehouse.sqlite"
        )
    return parsed


def _set_up_connection(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the begin event decides, not the driver
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA synchronous=NORMAL")


def _begin(conn: Connection) -> None:
    write = conn.get_execution_options().get("fazhi_write", False)
    conn.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _create_or_check(engine: Engine) -> None:
    with reading(engine) as conn:
        tables = set(inspect(conn).get_table_names())
    if not tables:
        with explained(engine):
            raw = engine.raw_connection()
            try:
                raw.cursor().execute("PRAGMA journal_mode=WAL")
            finally:
                raw.close()
        with writing(engine) as conn:  # two programs may arrive here at once: look again under the lock
            if not inspect(conn).get_table_names():
                _create(conn)
        return
    _check_version(engine, tables)


def _check_version(engine: Engine, tables: set[str]) -> None:
    where = f"warehouse {name_of(engine.url)}"
    if schema_version.name not in tables:
        raise WarehouseError(f"{where}: the database holds other tables; set FAZHI_DATABASE_URL to a new file")
    with reading(engine) as conn:
        version = conn.execute(select(schema_version.c.version)).scalar_one_or_none()
    if version != SCHEMA_VERSION:
        raise WarehouseError(
            f"{where}: written by another version of this program (schema {version}, this is {SCHEMA_VERSION}); "
            "use that version, or set FAZHI_HOME to a new folder and crawl again"
        )


def _create(conn: Connection) -> None:
    metadata.create_all(conn)
    conn.execute(insert(schema_version), {"version": SCHEMA_VERSION})
    for table in DIMENSIONS:
        conn.execute(insert(table), [_reserved_row(table, key) for key in (UNKNOWN, NOT_APPLICABLE)])
    create_views(conn)


def _reserved_row(table: Table, key: int) -> dict[str, Any]:
    word = "(unknown)" if key == UNKNOWN else "(not applicable)"
    return {column.name: _reserved_value(column, key, word) for column in table.columns}


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


def _way_out(message: str) -> str:
    low = message.lower()
    for sign, advice in WAYS_OUT:
        if sign in low:
            return advice
    return f"{message}; run again with --debug to see the trace"


__all__ = ["Engine", "check_writable", "explained", "name_of", "open_existing", "open_warehouse", "reading", "writing"]
