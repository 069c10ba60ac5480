"""Databases of earlier releases become today's: nothing is lost, and nothing is left half-done."""

from __future__ import annotations

import gzip
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, inspect, select, text, update

from tests.forked import start
from tests.postgres import Server
from tests.warehouse.conftest import Make, load
from tests.warehouse.killed import upgrade_and_die
from tests.warehouse.released import BATCHES, SOURCE
from tests.warehouse.tables import content
from tests.warehouse.test_history import check_history, versions_of
from warehouse.compare import compare_schema
from warehouse.creation import REVISION, revision_table
from warehouse.engine import connect, is_sqlite, open_existing, open_warehouse, writing
from warehouse.errors import WarehouseError
from warehouse.fingerprint import HASHED
from warehouse.marts import VIEWS
from warehouse.schema import document_sighting, fact_fetch, metadata, page
from warehouse.schema_dims import dim_source
from warehouse.upgrade import alembic_config, describe_warehouse, upgrade_warehouse

FIXTURES = Path(__file__).parent / "fixtures"
RELEASES = ("version-1",)


def url_of(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


@pytest.fixture(scope="module")
def restored(server: Server) -> dict[str, str]:
    """By release the database on the server that its dump was read into: tests get copies."""
    names = {release: server.create() for release in RELEASES}
    for release, name in names.items():
        engine = connect(server.url(name))
        script = gzip.decompress((FIXTURES / f"{release}.postgresql.sql.gz").read_bytes())
        with engine.connect().execution_options(fazhi_write=True) as conn, conn.begin():
            conn.connection.driver_connection.execute(script)  # type: ignore[union-attr]
        engine.dispose()
    return names


@pytest.fixture(params=RELEASES)
def copies(request: pytest.FixtureRequest, backend: str, tmp_path: Path) -> Iterator[Iterator[str]]:
    """Addresses of copies of the database that a release made, as many as are asked for."""
    if backend == "sqlite":
        packed = (FIXTURES / f"{request.param}.sqlite.gz").read_bytes()
        paths = (tmp_path / f"released-{number}.sqlite" for number in count())
        yield (f"sqlite:///{path}" for path in paths if path.write_bytes(gzip.decompress(packed)))
        return
    server: Server = request.getfixturevalue("server")
    template, made = request.getfixturevalue("restored")[request.param], list[str]()

    def create() -> str:
        made.append(server.create(template))
        return server.url(made[-1])

    yield (create() for _ in count())
    for name in made:
        server.drop(name)


@pytest.fixture
def released(copies: Iterator[str]) -> str:
    return next(copies)


def read_all(url: str, columns: dict[str, list[str]] | None = None) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables; of today's columns those that are there, or the ones asked for."""
    engine = connect(url)
    found = {}
    with engine.connect() as conn, conn.begin():
        look = inspect(conn)
        for name in sorted(set(look.get_table_names()) & set(metadata.tables)):
            table = metadata.tables[name]
            there = {column["name"] for column in look.get_columns(name)}
            names = (columns or {}).get(name) or [c.name for c in table.columns if c.name in there]
            chosen = select(*(table.c[one] for one in names)).order_by(*table.primary_key)
            found[name] = [dict(row) for row in conn.execute(chosen).mappings()]
    engine.dispose()
    return found


REKEYED = {
    "observation_key", "mention_key", "check_key", "bridge_key", "value_key", "breakdown_of_key", "evidence_id",
    "page_key", "fetch_key", "sighting_key",
}  # fmt: skip
"""What revisions 0006 and 0010 make anew; that they do so as a load would is compared with a fresh warehouse."""


def without_keys(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(repr({name: value for name, value in row.items() if name not in REKEYED}) for row in rows)


def log_keys(engine: Engine) -> dict[str, set[int]]:
    """Of what is no content."""
    with engine.connect() as conn, conn.begin():
        tables = (page, fact_fetch, document_sighting)
        return {table.name: set(conn.execute(select(*table.primary_key)).scalars()) for table in tables}


def test_an_older_database_is_refused_and_upgraded_with_every_row(released: str, make: Make) -> None:
    with pytest.raises(WarehouseError, match=rf"its schema is 0001, this program's is {REVISION}; run `fazhi db upgr"):
        open_warehouse(released)
    with pytest.raises(WarehouseError, match="run `fazhi db upgrade`"):
        open_existing(released)
    before = read_all(released)
    columns = {name: list(found[0]) for name, found in before.items() if found}
    told = describe_warehouse(released)
    done = upgrade_warehouse(released)
    assert (done.before, done.after, told.revision, len(done.steps)) == ("0001", REVISION, "0001", int(REVISION) - 1)
    assert {name: done.rows[name] for name in told.rows} == told.rows and sum(told.rows.values()) > 100
    after = read_all(released, columns)
    assert {name: without_keys(after[name]) for name in before} == {name: without_keys(before[name]) for name in before}

    upgraded, fresh = open_warehouse(released), make("fresh")
    for one in BATCHES:
        load(fresh, one)
    one, other = content(upgraded), content(fresh)
    for table in HASHED:
        names = [name for name in columns[table.name] if not table.c[name].info.get("audit")]
        assert [[row[name] for name in names] for row in one[table.name]] == [
            [row[name] for name in names] for row in other[table.name]
        ], table.name
    assert log_keys(upgraded) == log_keys(fresh)
    check_history(upgraded)
    assert [check.name for check in compare_schema(released) if not check.holds] == []
    upgraded.dispose()


def test_an_upgraded_database_loads_on_as_if_it_had_always_been_so(released: str) -> None:
    upgrade_warehouse(released)
    engine = open_warehouse(released)
    for one in BATCHES:
        assert load(engine, one).is_unchanged, one.run_id
    changed = replace(BATCHES[0], run_id="later", started_at=BATCHES[-1].finished_at, documents=())
    load(engine, replace(changed, source=replace(SOURCE, name_zh="新名")))
    old, new = versions_of(engine, dim_source, SOURCE.source_id)
    assert (old["name_zh"], new["name_zh"]) == (SOURCE.name_zh, "新名")
    engine.dispose()


def test_a_second_upgrade_has_nothing_to_do(released: str) -> None:
    upgrade_warehouse(released)
    before = read_all(released)
    assert upgrade_warehouse(released).steps == () and read_all(released) == before


def describe(engine: Engine) -> dict[str, Any]:
    """Everything that an engine tells of a schema, by name: columns may stand in another order."""
    told: dict[str, Any] = {}
    with engine.connect() as conn, conn.begin():
        look = inspect(conn)
        for name in look.get_table_names():
            columns = [{**one, "type": str(one["type"])} for one in look.get_columns(name)]
            told[name] = {
                "columns": sorted(columns, key=lambda one: str(one["name"])),
                "indexes": sorted(look.get_indexes(name), key=lambda one: str(one["name"])),
                "unique": sorted(look.get_unique_constraints(name), key=lambda one: str(one["name"])),
                "references": sorted(look.get_foreign_keys(name), key=lambda one: str(one["name"])),
                "checks": sorted((one["name"], one["sqltext"]) for one in look.get_check_constraints(name)),
                "key": look.get_pk_constraint(name),
                "comment": look.get_table_comment(name) if conn.dialect.supports_comments else None,
            }
        told["views"] = {name: look.get_view_definition(name) for name in look.get_view_names()}
    return told


def views_of(url: str) -> dict[str, Any]:
    engine = connect(url)
    with engine.connect() as conn, conn.begin():
        look = inspect(conn)
        told = {name: look.get_view_definition(name) for name in look.get_view_names()}
    engine.dispose()
    return told


def test_migrations_and_a_new_database_give_the_same_schema(released: str, engine: Engine) -> None:
    upgrade_warehouse(released)
    upgraded = open_warehouse(released)
    one, other = describe(upgraded), describe(engine)
    upgraded.dispose()
    assert set(one) == set(other) and set(one["views"]) == set(VIEWS)
    for name, wanted in other.items():
        assert one[name] == wanted, name
    if not is_sqlite(engine.url):
        for table in metadata.tables.values():
            assert one[table.name]["comment"] == {"text": table.comment}
            assert {c["name"]: c["comment"] for c in one[table.name]["columns"]} == {
                column.name: column.comment for column in table.columns
            }


def test_the_revision_is_the_newest_file(engine: Engine) -> None:
    from alembic.script import ScriptDirectory

    with engine.connect() as conn:
        script = ScriptDirectory.from_config(alembic_config(conn))
        assert script.get_heads() == [REVISION]
        assert conn.execute(select(revision_table.c.version_num)).scalars().all() == [REVISION]
    names = [one.revision for one in script.walk_revisions()]
    assert names == sorted(names, reverse=True) and all(len(name) == 4 and name.isdigit() for name in names)


def test_a_newer_database_is_left_alone(engine: Engine) -> None:
    with writing(engine) as conn:
        conn.execute(update(revision_table).values(version_num="9999"))
    for use in (open_warehouse, upgrade_warehouse):
        with pytest.raises(WarehouseError, match=r"a newer version of this program wrote it \(schema 9999"):
            use(url_of(engine))
    assert [check.name for check in compare_schema(url_of(engine)) if not check.holds] == ["revision"]


def test_other_tables_are_left_alone(tmp_path: Path) -> None:
    import sqlite3

    with sqlite3.connect(tmp_path / "w.sqlite") as raw:
        raw.execute("CREATE TABLE other (x)")
    raw.close()
    for use in (upgrade_warehouse, describe_warehouse):
        with pytest.raises(WarehouseError, match="other tables"):
            use(f"sqlite:///{tmp_path / 'w.sqlite'}")


def test_another_program_s_alembic_is_left_alone(tmp_path: Path) -> None:
    import sqlite3

    with sqlite3.connect(tmp_path / "w.sqlite") as raw:
        raw.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        raw.execute("INSERT INTO alembic_version VALUES ('0001')")
    raw.close()
    for use in (open_warehouse, upgrade_warehouse):
        with pytest.raises(WarehouseError, match="other tables"):
            use(f"sqlite:///{tmp_path / 'w.sqlite'}")


def test_a_full_disk_leaves_the_old_database(tmp_path: Path) -> None:
    path = tmp_path / "w.sqlite"
    path.write_bytes(gzip.decompress((FIXTURES / "version-1.sqlite.gz").read_bytes()))
    before = read_all(f"sqlite:///{path}")

    def limit(raw: Any, _record: object) -> None:
        raw.execute(f"PRAGMA max_page_count = {path.stat().st_size // 4096 + 3}")

    event.listen(Engine, "connect", limit)
    try:
        with pytest.raises(WarehouseError, match="the disk is full"):
            upgrade_warehouse(f"sqlite:///{path}")
    finally:
        event.remove(Engine, "connect", limit)
    assert read_all(f"sqlite:///{path}") == before
    assert upgrade_warehouse(f"sqlite:///{path}").after == REVISION


def test_an_upgrade_makes_a_missing_warehouse(tmp_path: Path) -> None:
    done = upgrade_warehouse(f"sqlite:///{tmp_path / 'a' / 'w.sqlite'}")
    assert (done.before, done.after, done.steps) == (None, REVISION, ())
    open_warehouse(f"sqlite:///{tmp_path / 'a' / 'w.sqlite'}").dispose()


SIGNS = (
    "DROP VIEW",
    "ADD COLUMN current_key",
    "CREATE TABLE member_state",
    "DROP TABLE schema_version",
    "CREATE VIEW mart_source_health",
)


def test_a_killed_upgrade_leaves_the_old_database(copies: Iterator[str]) -> None:
    killed = dict(zip(SIGNS, copies, strict=False))
    before, told = read_all(killed[SIGNS[0]]), describe_warehouse(killed[SIGNS[0]])
    views = views_of(killed[SIGNS[0]])
    assert views
    for sign, url in killed.items():
        child = start(upgrade_and_die, url, sign)
        child.join()
        assert child.exitcode == -signal.SIGKILL, sign
        assert (read_all(url), describe_warehouse(url), views_of(url)) == (before, told, views), sign
        engine = connect(url)
        with engine.connect() as conn, conn.begin():
            assert not [name for name in inspect(conn).get_table_names() if name.startswith("_alembic")], sign
        engine.dispose()
        assert upgrade_warehouse(url).after == REVISION
        assert [check.name for check in compare_schema(url) if not check.holds] == [], sign


def test_an_upgrade_waits_for_the_writer_and_two_do_it_once(released: str) -> None:
    engine = connect(released)
    with writing(engine), pytest.raises(WarehouseError, match="another program holds it"):
        upgrade_warehouse(released, busy_seconds=0.05)
    engine.dispose()
    done: list[Any] = []
    threads = [threading.Thread(target=lambda: done.append(upgrade_warehouse(released))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(len(one.steps) for one in done) == [0, int(REVISION) - 1]


def test_rows_that_refer_to_nothing_stop_an_upgrade(tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "w.sqlite"
    path.write_bytes(gzip.decompress((FIXTURES / "version-1.sqlite.gz").read_bytes()))
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE fact_check SET rule_key = 7 WHERE check_key = (SELECT max(check_key) FROM fact_check)")
    raw.close()
    with pytest.raises(WarehouseError, match=r"1 rows refer to rows that are not there.*fact_check; nothing was ch"):
        upgrade_warehouse(f"sqlite:///{path}")
    assert describe_warehouse(f"sqlite:///{path}").revision == "0001"


SPOILED = [
    ("DROP VIEW mart_coverage", "views", "mart_coverage is missing"),
    ("CREATE VIEW mine AS SELECT 1 AS x", "views", "mine is not ours"),
    ("DROP VIEW mart_coverage; CREATE VIEW mart_coverage AS SELECT 1 AS x", "views", "another select"),
    ("DROP INDEX ix_fact_check_verdict", "tables", "add_index fact_check: ix_fact_check_verdict"),
    ("ALTER TABLE dim_unit ADD COLUMN mine INTEGER", "tables", "remove_column dim_unit.mine"),
    ("CREATE TABLE mine (x INTEGER)", "tables", "remove_table mine"),
    ("DELETE FROM dim_rule WHERE rule_key = -2", "reserved members", "dim_rule: member -2 is missing"),
    ("UPDATE dim_unit SET unit_code = 'x' WHERE unit_key = -1", "reserved members", "has another unit_code"),
]  # fmt: skip


@pytest.mark.parametrize(("statements", "name", "told"), SPOILED)
def test_each_difference_is_found(engine: Engine, statements: str, name: str, told: str) -> None:
    assert all(check.holds for check in compare_schema(url_of(engine)))
    with writing(engine) as conn:
        for statement in statements.split("; "):
            conn.execute(text(statement))
    failed = {check.name: check.differences for check in compare_schema(url_of(engine)) if not check.holds}
    assert list(failed) == [name] and len(failed[name]) == 1 and told in failed[name][0]


def test_orphans_and_lost_constraints_are_found(engine: Engine) -> None:
    url = url_of(engine)
    if is_sqlite(engine.url):
        engine.dispose()
        loose = connect(url, check_references=False)
        with writing(loose) as conn:
            conn.execute(text("UPDATE dim_unit SET meaning = meaning"))
            conn.execute(text("UPDATE dim_agency SET region_key = 12345 WHERE agency_key = -1"))
        loose.dispose()
        failed = {check.name: check.differences for check in compare_schema(url) if not check.holds}
        assert failed["foreign keys"] == ("dim_agency: row -1 refers to no row of dim_region",)
        return
    with writing(engine) as conn:
        conn.execute(text("ALTER TABLE dim_region DROP CONSTRAINT ck_dim_region_current"))
        conn.execute(text("COMMENT ON TABLE dim_unit IS 'x'"))
    failed = {check.name: check.differences for check in compare_schema(url) if not check.holds}
    assert "tables" in failed
    upgrade_warehouse(url)  # comments are made anew, constraints are not
    failed = {check.name: check.differences for check in compare_schema(url) if not check.holds}
    assert failed == {"checks and primary keys": ("dim_region: ck_dim_region_current is missing",)}
