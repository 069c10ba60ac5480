"""Compare a live schema with the one that the program means: `fazhi db check`.

Each check says how many things it looked at; zero is a failure of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CheckConstraint, Column, Connection, Constraint, Engine, Index, Table, inspect, select, text

from warehouse.creation import REVISION, read_revision, reserved_row
from warehouse.engine import connect, explained, is_sqlite
from warehouse.keys import NOT_APPLICABLE, UNKNOWN
from warehouse.marts import VIEWS
from warehouse.schema import DIMENSIONS, metadata
from warehouse.schema_crawl import crawl_metadata


@dataclass(frozen=True, slots=True)
class Comparison:
    """One check of the schema."""

    name: str
    n_checked: int
    differences: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return self.n_checked > 0 and not self.differences


def compare_schema(url: str) -> list[Comparison]:
    """All checks, on a warehouse that exists. Writes nothing that stays; raises WarehouseError when it cannot look."""
    engine = connect(url)
    try:
        return _compare(engine)
    finally:
        engine.dispose()


def _compare(engine: Engine) -> list[Comparison]:
    """As a writer: PostgreSQL spells a view as it likes, so each is made once more to compare, and rolled back."""
    with explained(engine), engine.connect().execution_options(fazhi_write=True) as conn:
        transaction = conn.begin()
        try:
            tables = inspect(conn).get_table_names()
            revision = read_revision(conn, tables)
            found = [] if revision == REVISION else [f"it is {revision}, this program's is {REVISION}"]
            checks = [Comparison("revision", 1, tuple(found)), _compare_tables(conn), _compare_views(conn)]
            if not checks[1].differences:
                checks += [_compare_constraints(conn), _compare_references(conn), _compare_reserved(conn)]
        finally:
            transaction.rollback()
    return checks


def _is_a_constraint(item: Any, _name: str | None, kind: str, _is_there: bool, _other: Any) -> bool:
    """The references of large tables are none of the database's (`warehouse.schema.BULK`)."""
    return kind != "foreign_key_constraint" or not item.table.info.get("bulk")


def _compare_tables(conn: Connection) -> Comparison:
    """What Alembic would change: tables, columns, types, indexes, uniques, foreign keys, comments."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    opts = {"compare_type": True, "include_name": _is_of_the_schema, "include_object": _is_a_constraint}
    context = MigrationContext.configure(conn, opts=opts)
    found = compare_metadata(context, metadata)
    changes = [change for one in found for change in (one if isinstance(one, list) else [one])]
    return Comparison("tables", len(metadata.tables), tuple(_tell(change) for change in changes))


def _is_of_the_schema(name: str | None, kind: str, _parents: object) -> bool:
    """The crawl's own state may lie in the same database."""
    return kind != "table" or name not in crawl_metadata.tables


def _tell(change: tuple[Any, ...]) -> str:
    """What would have to be done, in a line: `add_column dim_source.engine`."""
    verb, *about = change
    table = next((one for one in about if isinstance(one, str)), None)
    for one in about:
        if isinstance(one, Column):
            return f"{verb} {table}.{one.name}"
        if isinstance(one, Table):
            return f"{verb} {one.name}"
        if isinstance(one, Constraint | Index) and one.table is not None:
            return f"{verb} {one.table.name}: {one.name}"
    return " ".join(str(part) for part in (verb, *about) if isinstance(part, str))


def _compare_constraints(conn: Connection) -> Comparison:
    """CHECKs and primary keys by name: Alembic does not look at them."""
    found, looked_at = [], 0
    look = inspect(conn)
    for table in metadata.sorted_tables:
        wanted = {str(one.name) for one in table.constraints if isinstance(one, CheckConstraint)}
        there = {str(one["name"]) for one in look.get_check_constraints(table.name)}
        key = look.get_pk_constraint(table.name)
        found += [f"{table.name}: {name} is missing" for name in sorted(wanted - there)]
        found += [f"{table.name}: {name} is not ours" for name in sorted(there - wanted)]
        if key["constrained_columns"] != [column.name for column in table.primary_key]:
            found.append(f"{table.name}: its primary key is {key['constrained_columns']}")
        looked_at += len(wanted) + 1
    return Comparison("checks and primary keys", looked_at, tuple(found))


def _compare_views(conn: Connection) -> Comparison:
    there = set(inspect(conn).get_view_names())
    found = [f"{name} is missing" for name in VIEWS if name not in there]
    found += [f"{name} is not ours" for name in sorted(there - set(VIEWS))]
    for name, make in VIEWS.items():
        wanted = str(make().compile(dialect=conn.dialect, compile_kwargs={"literal_binds": True}))
        if name in there and _definition(conn, name) != _spelled(conn, wanted):
            found.append(f"{name} is another select; `fazhi db upgrade` makes it anew")
    return Comparison("views", len(VIEWS), tuple(found))


def _definition(conn: Connection, view: str) -> str:
    if is_sqlite(conn.engine.url):
        chosen = text("SELECT sql FROM sqlite_master WHERE type = 'view' AND name = :name")
        return str(conn.execute(chosen, {"name": view}).scalar_one()).partition(" AS ")[2]
    return str(conn.execute(text("SELECT pg_get_viewdef(CAST(:name AS regclass))"), {"name": view}).scalar_one())


def _spelled(conn: Connection, wanted: str) -> str:
    """A select as the engine gives it back."""
    if is_sqlite(conn.engine.url):
        return wanted
    conn.exec_driver_sql(f"CREATE TEMPORARY VIEW compared AS {wanted}")
    spelled = _definition(conn, "compared")
    conn.exec_driver_sql("DROP VIEW compared")
    return spelled


def _compare_references(conn: Connection) -> Comparison:
    """Rows that refer to rows that are not there."""
    links = sum(len(table.foreign_keys) for table in metadata.sorted_tables)
    if is_sqlite(conn.engine.url):
        rows = conn.exec_driver_sql("PRAGMA foreign_key_check").all()
        found = [f"{row[0]}: row {row[1]} refers to no row of {row[2]}" for row in rows]
    else:
        chosen = text("SELECT CAST(conrelid AS regclass), conname FROM pg_constraint WHERE NOT convalidated ORDER BY 2")
        found = [f"{table}: {name} was never validated" for table, name in conn.execute(chosen)]
    return Comparison("foreign keys", links, tuple(found))


def _compare_reserved(conn: Connection) -> Comparison:
    """The members unknown and not applicable."""
    found = [difference for table in DIMENSIONS for difference in _reserved_differences(conn, table)]
    return Comparison("reserved members", 2 * len(DIMENSIONS), tuple(found))


def _reserved_differences(conn: Connection, table: Table) -> Iterator[str]:
    (key,) = table.primary_key.columns
    stored = {row[key.name]: dict(row) for row in conn.execute(select(table).where(key < 0)).mappings()}
    for number in (UNKNOWN, NOT_APPLICABLE):
        wanted, there = reserved_row(table, number), stored.get(number)
        if there is None:
            yield f"{table.name}: member {number} is missing"
        else:
            odd = [name for name, value in wanted.items() if there[name] != value]
            if odd:
                yield f"{table.name}: member {number} has another {', '.join(odd)}"
