"""Every table's grain: told in its comment, and held by the database itself."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import Engine, delete, insert, inspect, select, text

from tests.warehouse.builders import at
from tests.warehouse.conftest import load
from tests.warehouse.released import BATCHES
from tests.warehouse.tables import rows
from warehouse.bulk import insert_new, upsert
from warehouse.difference import Change, Differing
from warehouse.document_diff import Figure
from warehouse.engine import is_sqlite, reading, writing
from warehouse.errors import WarehouseError
from warehouse.keys import NOT_APPLICABLE, UNKNOWN
from warehouse.reparse import publish_differing
from warehouse.schema import BULK, DIMENSIONS, metadata
from warehouse.stored import read_tokens
from warehouse.upsert import key_name

TABLES = sorted(metadata.tables.values(), key=lambda table: table.name)
KEY_IS_GRAIN = {"fact_document_progress", "member_state", "quarantine"}
"""One row per row of another table, or per content that the key is a hash of."""
A_KEY = 12345


@pytest.fixture
def loaded(engine: Engine) -> Engine:
    for one in BATCHES:
        load(engine, one)
    read_again(engine)
    return engine


def read_again(engine: Engine) -> None:
    """A reparse leaves rows where no load does."""
    doc = BATCHES[0].documents[0]
    with reading(engine) as conn:
        token = read_tokens(conn, [doc.document_id])[doc.document_id]
    figure = Figure("received", "", "", "2020", "actual", "", "", Decimal(1), "case", "1件", "收到1件")
    found = Differing(doc.document_id, token, (doc,), None, (Change(doc.document_id, None, figure),))
    publish_differing(engine, replace(BATCHES[0], run_id="again", documents=(), pages=(), fetches=()), [found])


def test_each_table_holds_its_grain(loaded: Engine) -> None:
    """Any row once more, under another surrogate key, is refused."""
    for table in TABLES:
        row = max(rows(loaded, table, with_audit=True), key=lambda row: row[key_name(table)])
        assert row[key_name(table)] >= 0, f"{table.name}: no row to try with"
        if table.name not in KEY_IS_GRAIN:
            row[key_name(table)] = A_KEY
        if "current_key" in row:  # no second current one, so that nothing but the grain is wrong
            row |= {"is_current": False, "valid_to": at(0)}
        with pytest.raises(WarehouseError, match=r"(?i)constraint.*unique|unique.*constraint"), writing(loaded) as conn:
            conn.execute(insert(table), row)


def test_each_table_says_its_grain(loaded: Engine) -> None:
    assert [table.name for table in TABLES if not (table.comment or "").startswith("One row per ")] == []
    if not is_sqlite(loaded.url):
        look = inspect(loaded)
        assert [t.name for t in TABLES if look.get_table_comment(t.name)["text"] != t.comment] == []


def test_no_reference_may_be_empty_and_each_is_held(loaded: Engine) -> None:
    references = [(table, column.name) for table in TABLES for column in table.columns if column.foreign_keys]
    assert len(references) > 50
    for table, column in references:
        for value, told in (
            ("NULL", "null|datatype"),
            (str(A_KEY), "check" if column == "current_key" else "foreign key"),
        ):
            key = key_name(table)
            if value != "NULL" and table in BULK:
                continue  # held by each load, set by set: see the next test
            spoil = f"UPDATE {table.name} SET {column} = {value} WHERE {key} = (SELECT max({key}) FROM {table.name})"
            with pytest.raises(WarehouseError, match=rf"breaks a constraint .*(?i:{told})"), writing(loaded) as conn:
                conn.execute(text(spoil))


def test_a_load_refuses_a_row_of_a_large_table_that_refers_to_nothing(loaded: Engine) -> None:
    for table in BULK:
        row = rows(loaded, table, with_audit=True)[0]
        for column in table.columns:
            if column.foreign_keys:
                told = rf"breaks a constraint .*foreign key: {table.name}.{column.name} refers to {A_KEY}, not in "
                for write in (insert_new, upsert):
                    with pytest.raises(WarehouseError, match=told), writing(loaded) as conn:
                        conn.execute(delete(table))  # so that nothing else is wrong with the row
                        write(conn, table, [{**row, key_name(table): 1, column.name: A_KEY}])


def test_unknown_members_stand_in_for_what_is_not_told(loaded: Engine) -> None:
    for table in DIMENSIONS:
        (key,) = table.primary_key.columns
        with loaded.connect() as conn:
            assert list(conn.execute(select(key).where(key < 0).order_by(key)).scalars()) == [NOT_APPLICABLE, UNKNOWN]
    facts = [table for table in TABLES if table.name.startswith("fact_")]
    used = {
        (table.name, column.name): {row[column.name] for row in rows(loaded, table, with_audit=True)}
        for table in facts
        for column in table.columns
        if column.foreign_keys
    }
    assert NOT_APPLICABLE in used["fact_observation", "as_of_date_key"]
    assert NOT_APPLICABLE in used["fact_source_run", "load_key"]
    assert all(None not in keys for keys in used.values())
