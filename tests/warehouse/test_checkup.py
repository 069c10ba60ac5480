"""Data tests on the state: each looks at rows, holds on what was loaded, and fails on the fault that it is for."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
from sqlalchemy import Engine

from tests.warehouse.builders import batch, notice, report
from tests.warehouse.conftest import Make, load
from tests.warehouse.tables import A, everything
from tests.warehouse.test_load import HISTORY
from warehouse.batch import LoadBatch
from warehouse.checkup import DataTestFailed, Outcome, Result, check_warehouse
from warehouse.engine import is_sqlite, reading
from warehouse.load import publish
from warehouse.state_tests import PER_MENTION, TESTS

LAST = "WHERE {0}_key = (SELECT max({0}_key) FROM {1})"
OBSERVATION = "fact_observation", LAST.format("observation", "fact_observation")
MENTION = "fact_mention", LAST.format("mention", "fact_mention")
BY_NAME = {test.name: test for test in TESTS}


def set_in(where: tuple[str, str], change: str) -> str:
    table, row = where
    return f"UPDATE {table} SET {change} {row}"


FAULTS = {
    "references": set_in(MENTION, "document_key = 12345"),
    "accepted_values": "UPDATE fact_observation SET status = 'hoped' WHERE position = 1",
    "history": "UPDATE dim_source SET version_no = 7 WHERE source_key >= 0",
    "document_versions": "UPDATE dim_document SET valid_from = '1999-01-01 00:00:00+00' WHERE version_no = 2",
    "counted_once": "UPDATE dim_document SET is_counted = NOT is_counted WHERE document_id LIKE '%2020%'",
    "texts": "UPDATE document_text SET text = text || 'x' WHERE document_id LIKE '%2019%'",
    "spans": set_in(OBSERVATION, "quote = 'x'"),
    "units": set_in(OBSERVATION, "unit_key = -1"),
    "rates": "UPDATE fact_observation SET value_num = 950 WHERE unit_zh = '%'",
    "breakdowns": "UPDATE fact_observation SET breakdown_of_key = 12345 WHERE breakdown_of_key >= 0",
    "document_counts": set_in(MENTION, "n_observations = 9"),
    "parsed": "UPDATE dim_document SET is_parsed = (1 = 0) WHERE document_id LIKE '%2019%'",
    "progress": "DELETE FROM fact_document_progress " + LAST.format("document", "fact_document_progress"),
    "floors": "UPDATE document_text SET text = replace(text, '收', '" + "长" * 2 * PER_MENTION + "')",
    "chosen_values": "UPDATE fact_metric_value SET value_num = value_num + 1 WHERE chosen_by = 'final'",
    "targets": "UPDATE fact_metric_value SET status = 'target' WHERE chosen_by = 'final'",
    "loads": "UPDATE dim_load SET published_at = NULL WHERE load_key >= 0",
    "run_counts": "UPDATE fact_source_run SET n_observations = n_observations + 1 WHERE load_key >= 0",
    "quarantine": "UPDATE quarantine SET reason = ''",
}  # fmt: skip
GRAIN = (
    "ALTER TABLE fact_mention RENAME TO kept_mention",
    "CREATE TABLE fact_mention AS SELECT * FROM kept_mention",
    "INSERT INTO fact_mention SELECT * FROM kept_mention " + LAST.format("mention", "kept_mention"),
)


def with_parts() -> LoadBatch:
    """Parts of a total, a rate, a target, a figure that is set aside: every test has something to look at."""
    doc = report(2018, "收到10件，收到4件，收到6件。出庭率90%。计划收到20件。", day=8)
    assert doc.parsed is not None
    total, one, two, *rest = doc.parsed.observations
    parts = (total, replace(one, breakdown_of=0, scope="镇街"), replace(two, breakdown_of=0, scope="部门"), *rest)
    bad = report(2017, "出庭率950%。", day=8)
    return batch(replace(doc, parsed=replace(doc.parsed, observations=parts)), bad, run="r8", day=8)


LOADED = (*HISTORY, with_parts())


@pytest.fixture
def loaded(make: Make) -> Engine:
    return make("w", LOADED)


def spoil(engine: Engine, *statements: str) -> None:
    """What the constraints would refuse: a restored copy or another tool may hold it."""
    if is_sqlite(engine.url):
        with closing(sqlite3.connect(str(engine.url.database))) as lite, lite:
            lite.execute("PRAGMA ignore_check_constraints=ON")
            for statement in statements:
                lite.execute(statement)
        return
    with engine.connect().execution_options(fazhi_write=True) as conn, conn.begin():
        conn.exec_driver_sql("SET LOCAL session_replication_role = replica")
        for statement in statements:
            conn.exec_driver_sql(statement.replace("%", "%%"))


def failing(engine: Engine) -> dict[str, Result]:
    return {one.test.name: one for one in check_warehouse(engine) if not one.holds}


def ask(engine: Engine, name: str) -> Result:
    """One test alone."""
    with reading(engine) as conn:
        return Result(BY_NAME[name], BY_NAME[name].run(conn))


def test_all_hold_and_none_looks_at_nothing(loaded: Engine) -> None:
    results = check_warehouse(loaded)
    assert failing(loaded) == {}
    assert [one.test.name for one in results if not one.outcome.n_checked] == []
    assert len(results) == len(TESTS) == len(BY_NAME) == len(FAULTS) + 1


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_each_data_test_can_fail(loaded: Engine, name: str) -> None:
    spoil(loaded, FAULTS[name])
    found = ask(loaded, name)
    assert not found.holds
    assert found.outcome.n_failed > 0 and found.outcome.examples


def test_grain_can_fail(loaded: Engine) -> None:
    spoil(loaded, *GRAIN)
    assert not (found := ask(loaded, "grain")).holds
    assert found.outcome.n_failed == 2  # the key and the natural key


def test_a_test_that_looks_at_nothing_fails_unless_that_is_normal(engine: Engine) -> None:
    results = {one.test.name: one for one in check_warehouse(engine)}
    assert not results["spans"].holds and results["spans"].told == "looked at nothing"
    assert results["rates"].holds and results["rates"].outcome.n_checked == 0
    assert Result(BY_NAME["rates"], Outcome(3, 1, ("x",))).told == "1 of 3 rows fail (first: x)"


def test_a_batch_that_fails_a_data_test_is_not_published(engine: Engine) -> None:
    """A long report in which no number was found: the reading failed, not the county."""
    load(engine, batch(report(2020, A)))
    before = everything(engine)
    bad = batch(report(2021, "法治" * PER_MENTION, day=1), notice("n", "通知", day=1), run="r2", day=1)
    with pytest.raises(DataTestFailed, match=r"^990101_yunshui: data test floors .* nothing of this batch"):
        load(engine, bad)
    assert everything(engine) == before


def test_batch_tests_see_what_the_load_has_written(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect of the chooser is met before readers see its values."""
    from warehouse import values

    right = values.value_row
    monkeypatch.setattr(values, "value_row", lambda *given: {**right(*given), "qualifier": "at_least"})
    with pytest.raises(DataTestFailed, match="chosen_values"):
        publish(engine, batch(report(2020, A)), lambda _statements: ())
