"""Bring a warehouse to today's schema: all revisions in one transaction, under the writer's lock, or nothing.

A killed upgrade leaves the database as it was, on both engines: DDL is part of the transaction. Views and comments are
images of the code, so they are no matter of revisions: each upgrade makes them anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, inspect, select
from sqlalchemy.schema import SetColumnComment, SetTableComment

from warehouse.creation import FIRST_MARK, REVISION, read_revision, revision_table
from warehouse.engine import BUSY_SECONDS, connect, exists, is_sqlite, name_of, open_warehouse, reading, writing
from warehouse.errors import WarehouseError
from warehouse.marts import VIEWS, create_views
from warehouse.schema import metadata

if TYPE_CHECKING:
    from alembic.config import Config

FOLDER = Path(__file__).resolve().parent / "migrations"


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What was done."""

    before: str | None
    """Revision; None where there was no warehouse, and a new one was made."""
    after: str
    steps: tuple[str, ...]
    """Revision and first line of what it does, in order; empty when there was nothing to do."""
    rows: dict[str, int]
    """Rows of each table afterwards."""


@dataclass(frozen=True, slots=True)
class State:
    """A warehouse as it is, whatever its revision."""

    revision: str
    head: str
    engine: str
    """E.g. `sqlite 3.40.1`."""
    rows: dict[str, int]


def describe_warehouse(url: str) -> State:
    """Raises WarehouseError when it cannot be read, or is no warehouse."""
    engine = connect(url)
    try:
        with reading(engine) as conn:
            server = ".".join(map(str, conn.dialect.server_version_info or ()))
            revision = _revision_of(conn)
            return State(revision, REVISION, f"{conn.dialect.name} {server}", _count_rows(conn))
    finally:
        engine.dispose()


def upgrade_warehouse(url: str, *, busy_seconds: float = BUSY_SECONDS) -> Upgrade:
    """Raises WarehouseError when it cannot be upgraded; then nothing has been changed."""
    if not exists(url):
        open_warehouse(url).dispose()
        return Upgrade(None, REVISION, (), describe_warehouse(url).rows)
    engine = connect(url, busy_seconds=busy_seconds, check_references=False)
    try:
        with writing(engine) as conn:
            before = _revision_of(conn)
            if before > REVISION:
                raise WarehouseError(
                    f"warehouse {name_of(engine.url)}: a newer version of this program wrote it (schema {before}, this "
                    f"one's is {REVISION}); install that version"
                )
            steps = _run(conn, before)
            return Upgrade(before, REVISION, tuple(steps), _count_rows(conn))
    finally:
        engine.dispose()


def _count_rows(conn: Connection) -> dict[str, int]:
    """Rows of each table that is there, reserved members apart."""
    counts = {}
    for name in sorted(set(inspect(conn).get_table_names()) & set(metadata.tables)):
        (key,) = metadata.tables[name].primary_key.columns
        chosen = select(func.count()).select_from(metadata.tables[name]).where(key >= 0)
        counts[name] = int(conn.execute(chosen).scalar_one())
    return counts


def alembic_config(conn: Connection, on_version_apply: Callable[..., None] | None = None) -> Config:
    """Alembic's settings, without a file: it takes part in our transaction."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = conn
    config.attributes["on_version_apply"] = on_version_apply
    return config


def _revision_of(conn: Connection) -> str:
    revision = read_revision(conn, inspect(conn).get_table_names())
    if revision is None:
        name = name_of(conn.engine.url)
        raise WarehouseError(f"warehouse {name}: the database holds other tables; set FAZHI_DATABASE_URL to a new one")
    return revision


def _run(conn: Connection, before: str) -> list[str]:
    from alembic import command

    steps: list[str] = []

    def note(*, step: Any, **_more: Any) -> None:
        steps.append(f"{step.up_revision_id} {step.up_revision.doc.rstrip('.')}")

    if is_sqlite(conn.engine.url):
        _check_references(conn)  # as long as the database knows what refers to what
    for view in inspect(conn).get_view_names():
        if view in VIEWS:
            conn.exec_driver_sql(f"DROP VIEW {view}")
    if FIRST_MARK in inspect(conn).get_table_names():
        revision_table.create(conn)
        conn.execute(revision_table.insert().values(version_num=before))
    command.upgrade(alembic_config(conn, note), "head")
    if conn.dialect.supports_comments:
        _comment(conn)
    create_views(conn)
    if is_sqlite(conn.engine.url):
        _check_references(conn)
    return steps


def _comment(conn: Connection) -> None:
    for table in metadata.sorted_tables:
        conn.execute(SetTableComment(table))
        for column in table.columns:
            conn.execute(SetColumnComment(column))


def _check_references(conn: Connection) -> None:
    broken = conn.exec_driver_sql("PRAGMA foreign_key_check").all()
    if broken:
        raise WarehouseError(
            f"warehouse {name_of(conn.engine.url)}: {len(broken)} rows refer to rows that are not there, first of all "
            f"in {broken[0][0]}; nothing was changed: restore a copy"
        )
