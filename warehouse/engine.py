"""Open, check and talk to the database: one place for its settings, its transactions and its error messages.

SQLite is the embedded default, PostgreSQL the server. What differs between them in opening and in transactions is
here, in writing in `warehouse.bulk`, in reading a release's rows in `warehouse.parquet`, in types in
`warehouse.columns`; all other SQL is the same.
"""

from __future__ import annotations

import gc
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, func, inspect, select, update
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError

from warehouse.blockers import application_name, tell_blockers
from warehouse.creation import REVISION, create_schema, read_revision, revision_table
from warehouse.errors import WarehouseAway, WarehouseBusy, WarehouseError, WarehouseUndone
from warehouse.patience import is_away, wait_for_server

CONNECT_SECONDS = 10
BUSY_SECONDS = 60
"""How long a writer waits for another one: batches are published one after the other."""

WRITER_CACHE_KIB, READER_CACHE_KIB = 16_000, 2_000
"""Of a SQLite connection in a transaction: the pages that a load touches fit, which with the 2 MB that SQLite has of
itself are written and read time and again."""

WRITER_LOCK = 0x66617A6869
"""Advisory lock of a PostgreSQL writer, held to the end of its transaction ("fazhi" in ASCII): as on SQLite, batches
are published one after the other, so two loaders can neither deadlock nor count twice."""

DEADLOCK = "deadlock detected"
LOCK_TIMEOUT = "lock timeout"
"""In what PostgreSQL says of a lock that was not to be had in time."""
WAYS_OUT = (
    (DEADLOCK, "the server undid it for another program to go on; nothing was changed, run again"),
    ("is locked", "another program holds it; wait for that run to end, or stop it"),
    ("readonly", "it cannot be written; check the file's and the folder's permissions, or set FAZHI_HOME"),
    ("unable to open", "the file cannot be opened or created; check the path and permissions, or set FAZHI_HOME"),
    ("not a database", "the file is no SQLite database; move it away, or set FAZHI_DATABASE_URL"),
    ("malformed", "the file is damaged; restore a copy, or move it away and run again from the archive"),
    ("full", "the disk is full; free some space and run again"),
    ("disk i/o", "the disk cannot be read or written; check it and the free space"),
    (LOCK_TIMEOUT, "another program holds it; wait for that run to end, or stop it"),
    ("read-only transaction", "it cannot be written; check the role's rights, or whether this is a standby"),
    ("permission denied", "the role may not do this; grant it the rights, or set another in FAZHI_DATABASE_URL"),
    ("could not extend file", "the server's disk is full; free some space and run again"),
    ("file too large", "the server's disk is full; free some space and run again"),
    ("no space left", "the server's disk is full; free some space and run again"),
    ("authentication failed", "the server refuses the role or its password; check FAZHI_DATABASE_URL"),
    ("does not exist", "the server has no such database or role; create it, or correct FAZHI_DATABASE_URL"),
    ("starting up", "the server is being started; run again when it is there"),
    ("is the server running", "no server answers at this address; start it, or correct FAZHI_DATABASE_URL"),
    ("connection refused", "no server answers at this address; start it, or correct FAZHI_DATABASE_URL"),
    ("could not translate host", "the host has no address; correct FAZHI_DATABASE_URL"),
    ("failed to resolve host", "the host has no address; correct FAZHI_DATABASE_URL"),
    ("timeout expired", "the server did not answer in time; check it and the network, and run again"),
    ("terminating connection", "the server ended the connection; nothing was changed, run again when it is back"),
    ("connection to server was lost", "the server went away; nothing was changed, run again when it is back"),
    ("server closed the connection", "the server went away; nothing was changed, run again when it is back"),
    ("connection is lost", "the server went away; nothing was changed, run again when it is back"),
)


def open_warehouse(url: str, *, busy_seconds: float = BUSY_SECONDS) -> Engine:
    """The warehouse at a SQLAlchemy URL; folder and tables are made where they are missing.

    Raises WarehouseError when it cannot be opened, is no database, holds other tables, or another schema.
    """
    engine = connect(url, busy_seconds=busy_seconds)
    try:
        _create_or_check(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def connect(url: str, *, busy_seconds: float = BUSY_SECONDS, check_references: bool = True) -> Engine:
    """An engine for a database whatever it holds; nothing has been asked of it yet.

    `check_references=False` is for SQLite's migrations, which make tables anew under the feet of others."""
    parsed = _parse_url(url)
    if is_sqlite(parsed):
        _make_folder(Path(parsed.database or ""))
        engine = create_engine(parsed, connect_args={"timeout": busy_seconds})
        event.listen(engine, "connect", _set_up_sqlite if check_references else _set_up_sqlite_loosely)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        engine = create_engine(parsed, pool_pre_ping=True, connect_args=postgresql_arguments(busy_seconds))
        event.listen(engine, "begin", _begin_postgresql)
        wait_for_server(engine)
    return engine


def postgresql_arguments(busy_seconds: float) -> dict[str, object]:
    """Of each session: how long it waits for the server and for a lock, and what it calls itself."""
    options = f"-c lock_timeout={int(busy_seconds * 1000)} -c timezone=UTC"
    return {"connect_timeout": CONNECT_SECONDS, "options": options, "application_name": application_name()}


def is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def _make_folder(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WarehouseError(
            f"warehouse {path}: the folder cannot be made ({error.strerror}); set FAZHI_HOME to a folder you may write"
        ) from error


def check_writable(engine: Engine) -> None:
    """Raise WarehouseError unless a row can be written now; writes nothing that stays."""
    with explained(engine), engine.connect().execution_options(fazhi_write=True) as conn:
        transaction = conn.begin()
        conn.execute(update(revision_table).values(version_num=REVISION))
        transaction.rollback()


def open_existing(url: str) -> Engine | None:
    """The warehouse for reading, or None where there is none yet: a look creates nothing.

    Raises WarehouseError as `open_warehouse` does."""
    return open_warehouse(url) if exists(url) else None


def exists(url: str) -> bool:
    """Whether there is a database with anything in it. Raises WarehouseError where that cannot be told."""
    parsed = _parse_url(url)
    if is_sqlite(parsed):
        path = Path(parsed.database or "")
        try:
            return path.is_file() and path.stat().st_size > 0
        except OSError as error:
            raise WarehouseError(
                f"warehouse {path}: cannot be read ({error.strerror}); check the permissions"
            ) from error
    probe = create_engine(parsed, connect_args={"connect_timeout": CONNECT_SECONDS})
    try:
        with explained(probe), probe.connect() as conn:
            return bool(inspect(conn).get_table_names())
    finally:
        probe.dispose()


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One write transaction: all or nothing. Other writers wait, readers go on with what was published."""
    with explained(engine), engine.connect().execution_options(fazhi_write=True) as conn, conn.begin(), no_collector():
        yield conn


@contextmanager
def no_collector() -> Iterator[None]:
    """Without Python's search for cycles, which goes through all rows of a load time and again and finds none: with it
    a load takes a third longer (`benchmarks/loading.py`). A thread that ends first turns it on for all."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


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
        told = " ".join(str(error.orig).split())
        raise WarehouseError(
            f"warehouse {name_of(engine.url)}: the load breaks a constraint ({told}); nothing was changed. "
            "This is a defect of the loader or a hash collision: please report it with this line"
        ) from error
    except (DBAPIError, sqlite3.Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        held = tell_blockers(engine) if LOCK_TIMEOUT in str(cause).lower() else ""
        raise _kind(str(cause))(f"warehouse {name_of(engine.url)}: {_way_out(str(cause))}{held}") from error


def name_of(url: URL) -> str:
    """The database as shown to a person: a path, or a URL without its password."""
    if is_sqlite(url):
        return url.database or ""
    return url.set(drivername=url.get_backend_name()).render_as_string(hide_password=True)


def _parse_url(url: str) -> URL:
    try:
        parsed = make_url(url)
        parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError) as error:
        raise WarehouseError(
            "FAZHI_DATABASE_URL is no database address; write e.g. sqlite:////var/lib/fazhi/warehouse.sqlite"
        ) from error
    backend, path = parsed.get_backend_name(), parsed.database or ""
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite" or path in ("", ":memory:") or path.startswith("file:"):
        raise WarehouseError(
            f"warehouse {parsed.render_as_string(hide_password=True)}: the warehouse is a SQLite file or a PostgreSQL "
            "database; write e.g. sqlite:////var/lib/fazhi/warehouse.sqlite or postgresql://user@host/fazhi"
        )
    return parsed


def _set_up_sqlite(connection: sqlite3.Connection, record: object) -> None:
    _set_up_sqlite_loosely(connection, record)
    connection.execute("PRAGMA foreign_keys=ON")


def _set_up_sqlite_loosely(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the begin event decides, not the driver
    connection.execute("PRAGMA synchronous=NORMAL")


def _begin_sqlite(conn: Connection) -> None:
    write = conn.get_execution_options().get("fazhi_write", False)
    conn.exec_driver_sql(f"PRAGMA cache_size=-{WRITER_CACHE_KIB if write else READER_CACHE_KIB}")
    conn.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _begin_postgresql(conn: Connection) -> None:
    """A writer waits for its turn and then sees all that was published; a reader sees one state throughout."""
    if conn.get_execution_options().get("fazhi_write", False):
        conn.execute(select(func.pg_advisory_xact_lock(WRITER_LOCK)))
    else:
        conn.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def _create_or_check(engine: Engine) -> None:
    with reading(engine) as conn:
        tables = set(inspect(conn).get_table_names())
    if not tables:
        if is_sqlite(engine.url):
            _keep_readers_going(engine)
        with writing(engine) as conn:  # two programs may arrive here at once: look again under the lock
            if not inspect(conn).get_table_names():
                create_schema(conn)
        return
    _check_version(engine, tables)


def _keep_readers_going(engine: Engine) -> None:
    """Write-ahead log: readers of a SQLite file go on while one program writes."""
    with explained(engine):
        raw = engine.raw_connection()
        try:
            raw.cursor().execute("PRAGMA journal_mode=WAL")
        finally:
            raw.close()


def _check_version(engine: Engine, tables: set[str]) -> None:
    where = f"warehouse {name_of(engine.url)}"
    with reading(engine) as conn:
        stored = read_revision(conn, tables)
    if stored is None:
        raise WarehouseError(f"{where}: the database holds other tables; set FAZHI_DATABASE_URL to a new one")
    if stored < REVISION:
        raise WarehouseError(f"{where}: its schema is {stored}, this program's is {REVISION}; run `fazhi db upgrade`")
    if stored > REVISION:
        raise WarehouseError(
            f"{where}: a newer version of this program wrote it (schema {stored}, this one's is {REVISION}); "
            "install that version, or set FAZHI_HOME to a new folder"
        )


def _kind(message: str) -> type[WarehouseError]:
    """SQLite says `database is locked` or `database table is locked`, PostgreSQL that its lock timeout has run out."""
    low = message.lower()
    if DEADLOCK in low:
        return WarehouseUndone
    if " is locked" in low or LOCK_TIMEOUT in low:
        return WarehouseBusy
    return WarehouseAway if is_away(message) else WarehouseError


def _way_out(message: str) -> str:
    message = " ".join(message.split())
    low = message.lower()
    for sign, advice in WAYS_OUT:
        if sign in low:
            return advice
    return f"{message}; run again with --debug to see the trace"


__all__ = ["Engine", "check_writable", "explained", "name_of", "open_existing", "open_warehouse", "reading", "writing"]
