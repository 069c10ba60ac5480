"""Loading: idempotent, independent of order, all or nothing."""

from __future__ import annotations

import random
import signal
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine

from extraction.model import Check
from tests.forked import start
from tests.warehouse.builders import HOST, SOURCE, at, batch, notice, parse, report
from tests.warehouse.conftest import Make, load
from tests.warehouse.killed import load_and_die
from tests.warehouse.tables import A, B, content, everything, rows
from warehouse.batch import LoadBatch
from warehouse.checkup import check_warehouse
from warehouse.choosing import Statement
from warehouse.engine import is_sqlite
from warehouse.errors import WarehouseError
from warehouse.fingerprint import HASHED, fingerprint
from warehouse.load import publish
from warehouse.read import load_pages
from warehouse.schema import (
    CONTENT,
    dim_document,
    fact_check,
    fact_document_progress,
    fact_fetch,
    fact_mention,
    fact_metric_value,
    fact_observation,
    fact_source_run,
    metadata,
    page,
)
from warehouse.schema_dims import dim_load


def test_first_load_counts_what_it_brings(engine: Engine) -> None:
    result = load(engine, batch(report(2020, A), notice("n1", "一则通知")))
    assert (result.documents_new, result.observations, result.mentions, result.checks) == (2, 5, 5, 1)
    assert result.quarantined == 0 and result.values_changed == 5 and not result.is_unchanged
    for table, n in ((fact_observation, 5), (fact_mention, 5), (fact_check, 1), (fact_document_progress, 2)):
        assert len(rows(engine, table)) == n
    for seen in rows(engine, fact_observation):
        assert A[seen["span_start"] : seen["span_end"]] == seen["value_text"]
    assert all(n > 0 for n in result.checked.values())
    (run,) = rows(engine, fact_source_run)
    assert (run["n_new"], run["n_observations"], run["n_planned"], run["load_key"]) == (2, 5, 2, result.load_key)


def test_same_batch_again_changes_nothing_at_all(engine: Engine) -> None:
    one = batch(report(2020, A), report(2021, B), notice("n1", "通知"))
    load(engine, one)
    before = everything(engine)
    again = load(engine, one)
    assert again.is_unchanged and again.load_key is None
    assert everything(engine) == before


def test_a_later_run_without_news_leaves_only_its_log(engine: Engine) -> None:
    load(engine, batch(report(2020, A)))
    before, mark = content(engine), fingerprint(engine)
    later = load(engine, batch(report(2020, A, day=1), run="run-2", day=1))
    assert later.is_unchanged and later.load_key is None
    assert content(engine) == before and fingerprint(engine) == mark
    assert len([r for r in rows(engine, dim_load) if r["load_key"] >= 0]) == 1
    assert len(rows(engine, fact_source_run)) == 2 and len(rows(engine, fact_fetch)) == 2


HISTORY = (
    batch(report(2020, A), notice("n1", "通知"), run="r1", day=1),
    batch(report(2020, B, day=2), report(2021, B + "上年收到11件。", day=2), run="r2", day=2),
    batch(report(2020, A, day=3, title="改过的标题"), notice("n2", A, day=3), run="r3", day=3),
    batch(report(2019, "收到9件（截至2019-11-30）。", day=4), run="r4", day=4, gone=(f"{HOST}/n1.html",)),
    batch(report(2021, B + "上年收到11件。", day=5, published="2022-02-01"), run="r5", day=5),
    batch(report(2020, A, name="copy", day=6), run="r6", day=6),
    batch(notice("n1", "通知", day=7), run="r7", day=7, gone=(f"{HOST}/2020.html",)),
)


@pytest.fixture(scope="module")
def in_order(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    from warehouse.engine import open_warehouse

    engine = open_warehouse(f"sqlite:///{tmp_path_factory.mktemp('order') / 'w.sqlite'}")
    for one in HISTORY:
        load(engine, one)
    result = content(engine)
    validity = {
        r["document_key"]: (r["valid_from"], r["valid_to"]) for r in rows(engine, dim_document, with_audit=True)
    }
    engine.dispose()
    return {**result, "validity": [validity]}


@pytest.mark.parametrize("seed", range(6))
def test_any_order_of_batches_gives_the_same_tables(
    make: Make, in_order: dict[str, list[dict[str, Any]]], seed: int
) -> None:
    engine = make("w")
    shuffled = list(HISTORY)
    random.Random(seed).shuffle(shuffled)
    for one in shuffled:
        load(engine, one)
    validity = {
        r["document_key"]: (r["valid_from"], r["valid_to"]) for r in rows(engine, dim_document, with_audit=True)
    }
    found = {**content(engine), "validity": [validity]}
    for name, wanted in in_order.items():
        assert found[name] == wanted, name
    for one in shuffled:
        assert load(engine, one).is_unchanged


COMES_AGAIN = (
    batch(report(2020, A, name="x", day=1), run="r1", day=1),
    batch(report(2022, B, name="y", day=2), run="r2", day=2),
    batch(report(2020, A, name="y", day=3), run="r3", day=3),
    batch(notice("y", B, day=4), run="r4", day=4),
)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (0, 1, 3, 2), (3, 2, 1, 0), (2, 3, 0, 1, 1, 3)])
def test_a_text_that_comes_again_as_a_notice_keeps_its_figures(make: Make, order: tuple[int, ...]) -> None:
    """A report, a text that another page has too, then the report's text again on a page that is none any more."""
    one, other = make("one", COMES_AGAIN), make("other")
    for number in order:
        load(other, COMES_AGAIN[number])
    assert content(one) == content(other)
    assert [row["is_parsed"] for row in rows(one, dim_document) if row["document_id"].endswith("y.html")] == [True] * 3
    for each in COMES_AGAIN:
        assert load(other, each).is_unchanged


def test_a_failed_source_leaves_its_log_and_changes_no_content(engine: Engine) -> None:
    load(engine, batch(report(2020, A)))
    before, mark = content(engine), fingerprint(engine)
    other = replace(SOURCE, source_id="990199_nowhere", region_code="990199")
    failed = batch(report(2021, A), run="r2", status="failed", source=other, failures=("gateway: 500",))
    result = load(engine, failed)
    assert result.is_unchanged and result.load_key is None
    after, mark_after = content(engine), fingerprint(engine)
    known = {r["source_id"] for r in after.pop("dim_source")} - {r["source_id"] for r in before.pop("dim_source")}
    assert (after, known, mark_after) == (before, {"990199_nowhere"}, mark)
    assert [r["status"] for r in rows(engine, fact_source_run) if r["run_id"] == "r2"] == ["failed"]
    assert load_pages(engine, "990199_nowhere") == {}
    retried = load(engine, replace(failed, status="ok", failures=()))
    assert retried.documents_new == 1
    assert [r["status"] for r in rows(engine, fact_source_run) if r["run_id"] == "r2"] == ["ok"]


def test_a_load_that_breaks_a_constraint_changes_nothing(engine: Engine) -> None:
    load(engine, batch(report(2020, A)))
    before = everything(engine)

    def break_it(_statements: Sequence[Statement]) -> Sequence[Check]:
        return (Check("NO_SUCH_RULE", "fails", None, None, None, 1, (0,), "1 = 2", period="2021"),)

    with pytest.raises(WarehouseError, match=r"warehouse .*nothing was changed"):
        publish(engine, batch(report(2021, B, day=1), run="r2", day=1), break_it)
    assert everything(engine) == before


def test_a_defect_in_the_middle_of_a_load_changes_nothing(engine: Engine) -> None:
    load(engine, batch(report(2020, A)))
    before = everything(engine)

    def die(_statements: Sequence[Statement]) -> Sequence[Check]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        publish(engine, batch(report(2021, B, day=1), run="r2", day=1), die)
    assert everything(engine) == before
    assert load(engine, batch(report(2021, B, day=1), run="r2", day=1)).documents_new == 1


def test_no_foreign_key_is_empty_and_all_hold(engine: Engine) -> None:
    for one in HISTORY:
        load(engine, one)
    if is_sqlite(engine.url):  # a server refuses what it would find
        with engine.connect() as conn:
            assert conn.exec_driver_sql("PRAGMA foreign_key_check").all() == []
    for table in metadata.tables.values():
        for column in table.columns:
            if column.foreign_keys:
                assert not column.nullable, column
    parts = {r["breakdown_of_key"] for r in rows(engine, fact_observation)}
    assert parts <= {-2} | {r["observation_key"] for r in rows(engine, fact_observation)}


def test_content_tables_are_those_of_the_fingerprint(engine: Engine) -> None:
    marks = {fingerprint(engine)}
    for one in HISTORY[:4]:
        load(engine, one)
        marks.add(fingerprint(engine))
    assert len(marks) == 5
    assert set(CONTENT) <= set(HASHED)
    assert len(rows(engine, page)) > 0


@pytest.mark.parametrize("table", ["fact_metric_value", "fact_source_run"])
def test_a_killed_load_is_as_if_it_had_never_begun(engine: Engine, table: str) -> None:
    load(engine, batch(report(2020, A)))
    before = everything(engine)
    engine.dispose()
    child = start(load_and_die, str(engine.url), table)
    child.join()
    assert child.exitcode == -signal.SIGKILL
    assert everything(engine) == before
    assert load(engine, batch(report(2021, B, day=1), run="r2", day=1)).documents_new == 1


def test_counts_agree_per_document_run_and_load(engine: Engine) -> None:
    for one in HISTORY:
        load(engine, one)
    facts, runs = rows(engine, fact_observation, with_audit=True), rows(engine, fact_source_run)
    assert sum(run["n_observations"] for run in runs) == len(facts) > 0
    assert sum(run["n_mentions"] for run in runs) == len(rows(engine, fact_mention))
    loads = {one["load_key"]: one for one in rows(engine, dim_load) if one["load_key"] >= 0}
    for run in runs:
        of_load = [fact for fact in facts if fact["load_key"] == run["load_key"]]
        assert len(of_load) == run["n_observations"]
        assert (run["load_key"] in loads) == (run["load_key"] != -2)
    mentions = rows(engine, fact_mention)
    for version in rows(engine, dim_document):
        own = [m for m in mentions if m["document_key"] == version["document_key"]]
        claimed = [f for f in facts if f["document_key"] == version["document_key"]]
        assert sum(m["n_observations"] for m in own) == len(claimed)


def read_by(extractor: str, text: str, as_if: str, *, day: float, run: str) -> LoadBatch:
    """A report with this text, read as the figures of another text by some extraction."""
    one = replace(report(2020, text, day=day), parsed=parse(as_if, 2020), parsed_at=at(day))
    return batch(one, run=run, day=day, extractor_version=extractor)


def test_the_last_reading_of_a_text_counts_in_any_order(make: Make) -> None:
    """The same page again, read by a newer extraction that finds one figure less and another value."""
    first = read_by("e1", A, A, day=0, run="r1")
    second = read_by("e2", A, A.replace("受理", "办理"), day=1, run="r2")
    one, other, alone = make("one"), make("other"), make("alone")
    load(one, first)
    changed = load(one, second)
    assert changed.deleted > 0 and not changed.is_unchanged and changed.documents_changed == 0
    load(other, second)
    assert load(other, first).deleted == 0
    load(alone, second)
    told = [[r["metric_key"] for r in rows(engine, fact_observation)] for engine in (one, other, alone)]
    assert told[0] == told[1] == told[2]
    chosen = [[r["observation_key"] for r in rows(engine, fact_metric_value)] for engine in (one, other, alone)]
    assert chosen[0] == chosen[1] == chosen[2]
    assert load(one, second).is_unchanged and load(other, first).is_unchanged
    for engine in (one, other):
        assert [result.test.name for result in check_warehouse(engine) if result.outcome.n_failed] == []
