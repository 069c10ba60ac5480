"""Opening the warehouse, and the one line a person reads when it cannot be used."""

from __future__ import annotations

import os
import re
import sqlite3
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, func, insert, select, update

from tests.postgres import Server
from tests.warehouse.builders import SOURCE, batch, report
from tests.warehouse.conftest import Make, load
from tests.warehouse.tables import A, everything, rows
from warehouse.creation import revision_table
from warehouse.engine import check_writable, is_sqlite, open_existing, open_warehouse, reading, writing
from warehouse.errors import WarehouseError
from warehouse.schema import fact_source_run, metadata
from warehouse.schema_dims import DIMENSIONS, dim_unit
from warehouse.upkeep import keep_up


def url_of(path: Path) -> str:
    return f"sqlite:///{path}"


def test_folder_and_tables_are_made_and_every_dimension_has_its_reserved_members(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "w.sqlite"
    assert open_existing(url_of(path)) is None and not path.parent.exists()
    engine = open_warehouse(url_of(path))
    check_writable(engine)
    for table in DIMENSIONS:
        (key,) = table.primary_key.columns
        with engine.connect() as conn:
            assert list(conn.execute(select(key).order_by(key)).scalars()) == [-2, -1], table.name
    with engine.connect() as conn:
        assert conn.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1
        assert conn.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
    engine.dispose()
    again = open_existing(url_of(path))
    assert again is not None
    again.dispose()


def test_every_table_and_column_says_what_it_is() -> None:
    for table in metadata.tables.values():
        assert table.comment, table.name
        for column in table.columns:
            assert column.comment, f"{table.name}.{column.name}"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("mysql://loader:s3cret@db/x", "SQLite file or a PostgreSQL database"),
        ("postgresql://loader:s3cret@nowhere.invalid/x", "the host has no address"),
        ("postgresql://loader:s3cret@127.0.0.1:1/x", "no server answers"),
        ("sqlite://", "SQLite file"),
        ("sqlite:///file:w.sqlite?mode=ro&uri=true", "SQLite file"),
        ("nonsense", "no database address"),
        ("nosuch+driver://x/y", "no database address"),
    ],
)
def test_an_address_that_cannot_be_used(url: str, told: str) -> None:
    with pytest.raises(WarehouseError, match=told) as caught:
        open_warehouse(url)
    assert "s3cret" not in str(caught.value) and "\n" not in str(caught.value)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(WarehouseError, match=r"folder cannot be made.*FAZHI_HOME"):
        open_warehouse(url_of(tmp_path / "file" / "w.sqlite"))


def test_a_path_that_is_a_folder(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="cannot be opened or created"):
        open_warehouse(url_of(tmp_path))


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "w.sqlite"
    path.write_bytes(b"not a database at all " * 100)
    with pytest.raises(WarehouseError, match=r"w\.sqlite.*no SQLite database"):
        open_warehouse(url_of(path))


def test_a_database_with_other_tables(tmp_path: Path) -> None:
    path = tmp_path / "w.sqlite"
    with sqlite3.connect(path) as raw:
        raw.execute("CREATE TABLE other (x)")
    raw.close()
    with pytest.raises(WarehouseError, match="other tables"):
        open_warehouse(url_of(path))


def test_a_database_of_another_version(engine: Engine) -> None:
    with writing(engine) as conn:
        conn.execute(update(revision_table).values(version_num="9999"))
    with pytest.raises(WarehouseError, match=r"newer version.*schema 9999"):
        open_warehouse(str(engine.url))


def test_a_locked_database(engine: Engine) -> None:
    impatient = open_warehouse(str(engine.url), busy_seconds=0.05)
    with writing(engine), pytest.raises(WarehouseError, match="another program holds it") as refused:
        load(impatient, batch(report(2020, A)))
    impatient.dispose()
    by = rf"; held by \S+.* {os.getpid()}, session \d+, idle in transaction for \d+ s \(SELECT pg_advisory_xact_lock"
    assert is_sqlite(engine.url) or re.search(by, str(refused.value)), refused.value
    assert load(engine, batch(report(2020, A))).documents_new == 1


def test_a_database_that_is_read_only(engine: Engine) -> None:
    engine.dispose()
    setting = "PRAGMA query_only=ON" if is_sqlite(engine.url) else "SET default_transaction_read_only = on"

    @event.listens_for(engine, "connect")
    def _forbid_writing(raw: Any, _record: object) -> None:
        raw.cursor().execute(setting)
        raw.commit()

    with pytest.raises(WarehouseError, match=r"warehouse .*cannot be written"):
        check_writable(engine)


def test_a_failed_write_transaction_leaves_nothing(engine: Engine) -> None:
    row = {"unit_key": 7, "unit_code": "u", "written_zh": "[]", "meaning": ""}
    with pytest.raises(WarehouseError, match="constraint"), writing(engine) as conn:
        conn.execute(insert(dim_unit), row)
        conn.execute(insert(dim_unit), {**row, "unit_key": 8})
    assert not [r for r in rows(engine, dim_unit) if r["unit_key"] > 0]


def test_a_collision_of_keys_fails_the_load_and_merges_nothing(engine: Engine) -> None:
    load(engine, batch(report(2020, A)))
    with pytest.raises(WarehouseError, match="constraint"), writing(engine) as conn:
        conn.execute(update(dim_unit).where(dim_unit.c.unit_code == "case").values(unit_code="percent"))


def test_sources_may_be_published_at_once(make: Make) -> None:
    engine = make("w")
    sources = [replace(SOURCE, source_id=f"99010{i}_place", region_code=f"99010{i}") for i in range(4)]
    failures: list[BaseException] = []

    def publish_one(i: int) -> None:
        try:
            load(engine, batch(report(2020, A, name=f"s{i}"), source=sources[i]))
        except BaseException as error:  # noqa: BLE001 - handed to the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=publish_one, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == [] and len(rows(engine, fact_source_run)) == 4


def test_a_look_at_an_empty_server_database_creates_nothing(server: Server) -> None:
    name = server.create()
    assert open_existing(server.url(name)) is None
    opened = open_warehouse(server.url(name))
    assert [row["unit_key"] for row in rows(opened, dim_unit)] == [-2, -1]
    opened.dispose()
    again = open_existing(server.url(name))
    assert again is not None
    again.dispose()
    server.drop(name)


def test_a_server_that_ends_the_connection_in_a_load_leaves_nothing_half_done(server: Server) -> None:
    engine = open_warehouse(server.url(server.create()))
    with pytest.raises(WarehouseError, match="run again when it is back"), writing(engine) as conn:
        conn.execute(insert(dim_unit), {"unit_key": 7, "unit_code": "u", "written_zh": "[]", "meaning": ""})
        process = conn.execute(select(func.pg_backend_pid())).scalar_one()
        with engine.connect() as other:
            other.execute(select(func.pg_terminate_backend(process)))
        conn.execute(select(dim_unit))
    assert load(engine, batch(report(2020, A))).documents_new == 1
    assert [row["unit_key"] for row in rows(engine, dim_unit) if row["unit_key"] == 7] == []
    engine.dispose()
    server.drop(str(engine.url.database))


def test_an_unknown_server_database_and_role(server: Server) -> None:
    with pytest.raises(WarehouseError, match="no such database or role"):
        open_warehouse(server.url("nosuch"))


def test_upkeep_leaves_the_content_as_it_is(engine: Engine) -> None:
    before = everything(engine)
    assert keep_up(engine).endswith(("PRAGMA optimize", "ANALYZE"))
    assert everything(engine) == before


def test_a_writer_on_sqlite_holds_more_of_the_file_than_a_reader(tmp_path: Path) -> None:
    engine = open_warehouse(url_of(tmp_path / "w.sqlite"))
    for begin, kib in ((writing, 16_000), (reading, 2_000), (writing, 16_000)):  # on one and the same connection
        with begin(engine) as conn:
            assert conn.exec_driver_sql("PRAGMA cache_size").scalar_one() == -kib
    engine.dispose()
