"""Versions of sources, metrics and regions: no gap, no overlap, one current row, whatever the order of loading."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, Table

from tests.warehouse.builders import CATALOGUE, SOURCE, at, batch, report
from tests.warehouse.conftest import Make, load
from tests.warehouse.tables import A, B, everything, rows
from warehouse import dims
from warehouse.batch import LoadBatch
from warehouse.fingerprint import fingerprint
from warehouse.history import BEGINNING, cut_versions, fold_states, observe, read_states
from warehouse.read import source_health
from warehouse.schema import (
    dim_document,
    fact_check,
    fact_document_progress,
    fact_metric_value,
    fact_observation,
    fact_source_run,
    member_sighting,
)
from warehouse.schema_dims import WITH_HISTORY, dim_metric, dim_region, dim_rule, dim_source, dim_unit
from warehouse.upsert import key_name

NATURAL = {dim_region: "region_code", dim_source: "source_id", dim_metric: "metric_code"}


def versions_of(engine: Engine, table: Table, natural_key: str) -> list[dict[str, Any]]:
    found = [row for row in rows(engine, table, with_audit=True) if row[NATURAL[table]] == natural_key]
    return sorted(found, key=lambda row: row["version_no"])


def check_history(engine: Engine) -> None:
    """Half-open, without gap or overlap, from the beginning on, numbered, one current version that all refer to."""
    for table in WITH_HISTORY:
        all_rows = rows(engine, table, with_audit=True)
        for member in {row["current_key"] for row in all_rows if row["version_no"]}:
            of_member = [row for row in all_rows if row["current_key"] == member]
            found = sorted(of_member, key=lambda row: row["version_no"])
            assert [row["version_no"] for row in found] == list(range(1, len(found) + 1))
            assert [row["is_current"] for row in found] == [False] * (len(found) - 1) + [True]
            assert {row["current_key"] for row in found} == {found[-1][key_name(table)]}
            assert found[0]["valid_from"] == BEGINNING and found[-1]["valid_to"] is None
            for earlier, later in pairwise(found):
                assert earlier["valid_from"] < earlier["valid_to"] == later["valid_from"]


def renamed(day: float, name: str, *, year: int = 2020, published: str | None = None, text: str = A) -> LoadBatch:
    source = replace(SOURCE, name_zh=name)
    doc = report(year, text, name=f"d{day}", day=day, published=published)
    return batch(doc, run=f"r{day}", day=day, source=source)


def redefined(day: float, definition: str, *, year: int = 2020, text: str = A, **more: object) -> LoadBatch:
    first, *others = CATALOGUE.metrics
    metrics = (replace(first, definition=definition, **more), *others)  # type: ignore[arg-type]
    doc = report(year, text, name=f"d{day}", day=day)
    units = (replace(CATALOGUE.units[0], meaning=definition), CATALOGUE.units[1])
    return batch(doc, run=f"r{day}", day=day, catalogue=replace(CATALOGUE, metrics=metrics, units=units))


def load_all(engine: Engine, batches: Sequence[LoadBatch]) -> Engine:
    for one in batches:
        load(engine, one)
    return engine


def history(engine: Engine) -> dict[str, Any]:
    """All that readers see, with the bounds of validity."""
    seen = {table.name: rows(engine, table, with_audit=True) for table in WITH_HISTORY}
    facts = (dim_unit, dim_rule, dim_document, fact_observation, fact_check, fact_metric_value)
    progress = rows(engine, fact_document_progress)
    seen["progress"] = [{name: row[name] for name in ("document_key", "source_key")} for row in progress]
    return seen | {table.name: rows(engine, table) for table in facts}


def test_a_source_that_changes_its_name_gets_a_version_and_documents_have_that_of_their_day(engine: Engine) -> None:
    load(engine, renamed(1, "云水县人民政府", published="2021-01-20"))
    load(engine, renamed(10, "云水市人民政府", year=2021, published="2022-01-20"))
    load(engine, renamed(20, "云水市人民政府", year=2023, published=at(15).isoformat()))
    old, new = versions_of(engine, dim_source, SOURCE.source_id)
    assert (old["name_zh"], new["name_zh"]) == ("云水县人民政府", "云水市人民政府")
    assert (old["valid_from"], old["valid_to"], new["valid_from"]) == (BEGINNING, at(10), at(10))
    by_document = {
        row["document_id"][-9:]: row["source_key"] for row in rows(engine, dim_document) if row["version_no"]
    }
    assert list(by_document.values()).count(old["source_key"]) == 2  # late facts: published before the change
    assert list(by_document.values()).count(new["source_key"]) == 1
    for seen in rows(engine, fact_observation):
        (doc,) = [row for row in rows(engine, dim_document) if row["document_key"] == seen["document_key"]]
        assert seen["source_key"] == doc["source_key"]
    check_history(engine)
    assert len(source_health(engine)) == 1


def test_what_is_no_version_is_overwritten_everywhere(engine: Engine) -> None:
    load(engine, renamed(1, "甲"))
    load(engine, renamed(2, "乙"))
    later = replace(renamed(3, "乙").source, hosts=("new.example",), expected_month=7)
    load(engine, replace(renamed(3, "乙"), source=later))
    found = versions_of(engine, dim_source, SOURCE.source_id)
    assert [(row["name_zh"], row["expected_month"]) for row in found] == [("甲", 7), ("乙", 7)]
    assert {row["hosts"] for row in found} == {'["new.example"]'}
    load(engine, renamed(2.5, "乙"))  # an older state that is met later overwrites nothing
    assert {row["hosts"] for row in versions_of(engine, dim_source, SOURCE.source_id)} == {'["new.example"]'}


def test_a_name_that_comes_back_is_a_third_version(engine: Engine) -> None:
    load_all(engine, [renamed(1, "甲"), renamed(2, "乙"), renamed(3, "甲")])
    found = versions_of(engine, dim_source, SOURCE.source_id)
    assert [(row["name_zh"], row["valid_to"]) for row in found] == [("甲", at(2)), ("乙", at(3)), ("甲", None)]
    check_history(engine)


def test_an_observation_has_the_metric_of_its_load_and_values_are_chosen_over_all_versions(engine: Engine) -> None:
    load(engine, redefined(1, "旧的口径"))
    before = {row["value_key"] for row in rows(engine, fact_metric_value)}
    load(engine, redefined(5, "新的口径", year=2021, text=B + "上年收到10件。"))
    old, new = versions_of(engine, dim_metric, "received")
    assert (old["definition"], old["valid_to"], new["definition"]) == ("旧的口径", at(5), "新的口径")
    by_metric = {key: [o for o in rows(engine, fact_observation) if o["metric_key"] == key]
                 for key in (old["metric_key"], new["metric_key"])}  # fmt: skip
    assert [len(found) for found in by_metric.values()] == [2, 2]
    values = rows(engine, fact_metric_value)
    assert before < {row["value_key"] for row in values}
    assert old["metric_key"] not in {row["metric_key"] for row in values}
    restated = [row for row in values if row["metric_key"] == new["metric_key"] and row["n_documents"] == 2]
    assert len(restated) == 2  # across the change: 2020 by the next report too, 2021 by the plan of the one before
    check_history(engine)


def test_a_text_that_comes_back_under_a_new_catalogue_has_its_metrics(engine: Engine) -> None:
    """Facts that are copied to a third version keep their keys' meaning and get the catalogue of their own load."""
    for day, text, definition in ((1, A, "旧"), (2, B, "旧"), (3, A, "新")):
        one = redefined(day, definition)
        load(engine, replace(one, documents=(report(2020, text, day=day),)))
    old, new = versions_of(engine, dim_metric, "received")
    per_version = {row["version_no"]: row["document_key"] for row in rows(engine, dim_document) if row["version_no"]}
    metrics = {
        number: {o["metric_key"] for o in rows(engine, fact_observation) if o["document_key"] == key}
        for number, key in per_version.items()
    }
    assert old["metric_key"] in metrics[1] & metrics[2] and new["metric_key"] in metrics[3] - metrics[1]
    assert load(engine, replace(redefined(3, "新"), documents=(report(2020, A, day=3),))).is_unchanged


SOURCES = [renamed(day, name, year=2015 + i, published=at(day - 2.5).isoformat())
           for i, (day, name) in enumerate([(1, "甲"), (3, "乙"), (5, "乙"), (7, "甲"), (9, "丙")])]  # fmt: skip
METRICS = [redefined(day, text, year=2015 + i)
           for i, (day, text) in enumerate([(2, "子"), (4, "丑"), (6, "子"), (8, "子"), (10, "寅")])]  # fmt: skip


CHANGES = (*SOURCES, *METRICS)


@pytest.mark.parametrize("seed", range(4))
def test_any_order_of_changes_gives_the_same_history(make: Make, seed: int) -> None:
    shuffled = random.Random(seed).sample(CHANGES, len(CHANGES))
    one, other = make("one", CHANGES), load_all(make("other"), shuffled)
    check_history(one)
    assert history(one) == history(other) and fingerprint(one) == fingerprint(other)
    assert [row["name_zh"] for row in versions_of(one, dim_source, SOURCE.source_id)][:2] == ["甲", "云水县人民政府"]
    before = everything(other)
    for again in shuffled:
        assert load(other, again).is_unchanged
    assert everything(other) == before


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from("甲乙丙"), st.sampled_from([0.1, 0.2, 1])), min_size=1, max_size=7), st.randoms()
)
def test_any_history_of_a_source_is_independent_of_order(
    make: Make, steps: list[tuple[str, float]], rng: random.Random
) -> None:
    days, batches = 0.0, []
    for i, (name, pause) in enumerate(steps):
        days += pause
        batches.append(renamed(days, name, year=2010 + i, published=at(days - 0.15).isoformat()))
    one = load_all(make("one"), batches)
    other = load_all(make("other"), rng.sample(batches, len(batches)))
    check_history(one)
    assert history(one) == history(other)


def test_the_states_of_a_day_take_two_times_and_no_more(engine: Engine) -> None:
    for i in range(20):
        load(engine, batch(run=f"r{i}", day=1 + i / 100))
    (sighting,) = [row for row in rows(engine, member_sighting) if row["first_seen_at"] == at(1)][:1]
    assert len(rows(engine, member_sighting)) == 2  # the source and the catalogue
    assert sighting["last_seen_at"] == at(1.19)


def test_folding_states() -> None:
    assert fold_states([]) == []
    assert fold_states([(7, at(1), at(9)), (8, at(3), at(3))]) == [(at(1), 7), (at(3), 8), (at(9), 7)]
    assert fold_states([(7, at(1), at(1)), (8, at(1), at(1))]) == [(at(1), 8)]  # of two at one instant one counts
    states = [(at(1), {"source_id": "s", "name_zh": "a", "name_en": "", "region_key": 1, "engine": "e", "hosts": "1"})]
    (only,) = cut_versions(dim_source, "source", "s", states)
    assert (only["valid_from"], only["valid_to"], only["is_current"]) == (BEGINNING, None, True)


def test_the_same_state_again_is_no_news(engine: Engine) -> None:
    with engine.connect().execution_options(fazhi_write=True) as conn, conn.begin():
        assert observe(conn, "source", "s", "{}", at(1))[1]
        assert not observe(conn, "source", "s", "{}", at(1))[1]
        runs, is_news = observe(conn, "source", "s", '{"a":1}', at(0))
        assert is_news and [state for _, state in read_states(conn, runs)] == [{"a": 1}, {}]


def test_a_source_of_failed_runs_is_inferred_and_filled_in_place(engine: Engine) -> None:
    load(engine, batch(run="r1", status="failed", failures=("gateway: 500",)))
    (inferred,) = versions_of(engine, dim_source, SOURCE.source_id)
    assert inferred["is_inferred"] and inferred["region_key"] == -1
    load(engine, batch(report(2020, A, day=1), run="r2", day=1))
    (filled,) = versions_of(engine, dim_source, SOURCE.source_id)
    assert filled["source_key"] == inferred["source_key"] and not filled["is_inferred"] and filled["region_key"] > 0
    load(engine, batch(run="r3", day=2, status="failed"))
    assert versions_of(engine, dim_source, SOURCE.source_id) == [filled]


def test_a_region_that_arrives_late_is_filled_in_place(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    source = replace(SOURCE, source_id="990777_x", region_code="990777")
    load(engine, batch(report(2020, A), source=source))
    (inferred,) = versions_of(engine, dim_region, "990777")
    assert inferred["is_inferred"] and inferred["name_zh"] == "990777"
    known = state_of("沉舟县", "远山市", "990777")
    monkeypatch.setattr(dims, "region_states", lambda place: [(BEGINNING, known)])
    load(engine, batch(report(2021, B, day=1), run="r2", day=1, source=source))
    (filled,) = versions_of(engine, dim_region, "990777")
    assert (filled["region_key"], filled["name_zh"], filled["is_inferred"]) == (inferred["region_key"], "沉舟县", False)
    assert {seen["region_key"] for seen in rows(engine, fact_observation)} == {filled["region_key"]}


def state_of(name: str, city: str, code: str = SOURCE.region_code) -> dict[str, Any]:
    parents = {"province_zh": None, "city_zh": city}
    names = {"region_code": code, "listed_code": code, "name_zh": name, "name_en": None, "level": "county"}
    return {**names, **parents, "is_sandbox": True, "is_inferred": False}


OLD, NEW = (BEGINNING, state_of("云水县", "远山地区")), (datetime(2021, 7, 1, tzinfo=UTC), state_of("云水区", "远山市"))
REPORTS = (
    batch(report(2020, A), run="r1"),  # published on 20 January 2021
    batch(report(2021, B + "上年收到11件。", day=1), run="r2", day=1),
    batch(report(2019, "收到9件。", name="nodate", day=2, published="?"), run="r3", day=2),
)


def declare(monkeypatch: pytest.MonkeyPatch, *states: tuple[datetime, dict[str, Any]]) -> None:
    told = {code: [(at, {**state, "region_code": code}) for at, state in states] for code in ("990101", "990105")}
    monkeypatch.setattr(dims, "region_states", told.__getitem__)


def test_a_report_has_the_region_of_its_day_and_values_run_over_the_change(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(monkeypatch, OLD, NEW)
    load_all(engine, REPORTS)
    old, new = versions_of(engine, dim_region, SOURCE.region_code)
    assert (old["name_zh"], old["valid_to"], new["valid_from"]) == ("云水县", NEW[0], NEW[0])
    by_year = {row["report_year"]: row["region_key"] for row in rows(engine, dim_document) if row["version_no"]}
    assert by_year == {2020: old["region_key"], 2021: new["region_key"], 2019: new["region_key"]}
    assert {row["region_key"] for row in rows(engine, fact_check)} == {old["region_key"], new["region_key"]}
    values = rows(engine, fact_metric_value)
    assert {row["region_key"] for row in values} == {new["region_key"]}
    assert [row["value_num"] for row in values if row["n_values"] == 2] == [10]  # 2020: 10, and 11 a year later
    with engine.connect() as conn:
        coverage = conn.exec_driver_sql(
            "SELECT year, region_zh, n_reports FROM mart_coverage WHERE n_reports > 0 ORDER BY year"
        ).all()
        restated = conn.exec_driver_sql("SELECT region_zh, value_num FROM mart_restatements ORDER BY value_num").all()
    assert [tuple(row) for row in coverage] == [(2019, "云水区", 1), (2020, "云水区", 1), (2021, "云水区", 1)]
    assert [(name, int(value)) for name, value in restated] == [("云水区", 10), ("云水区", 11)]
    check_history(engine)


@pytest.mark.parametrize(("before", "after"), [((NEW,), (OLD, NEW)), ((OLD, NEW), (NEW,)), ((OLD,), (OLD, NEW))])
def test_a_catalog_that_learns_a_region_s_history_moves_its_documents(
    make: Make, monkeypatch: pytest.MonkeyPatch, before: Any, after: Any
) -> None:
    changed, fresh = make("changed"), make("fresh")
    others = [batch(*(report(year, B, name=f"e{year}", day=day, region_code="990105") for year in (2017, 2018, 2023)),
                    run=f"e{day}", day=day) for day in (3, 4)]  # fmt: skip
    declare(monkeypatch, *before)
    load_all(changed, [*REPORTS[:2], others[0]])
    declare(monkeypatch, *after)
    load_all(changed, [*REPORTS[2:], others[1]])
    load_all(fresh, [*REPORTS, *others])
    assert history(changed) == history(fresh) and fingerprint(changed) == fingerprint(fresh)
    assert load(changed, REPORTS[0]).is_unchanged
    check_history(changed)


def test_a_measure_that_changes_chooses_anew(make: Make) -> None:
    first, second = (redefined(1, "口径", text="累计收到10件。"), redefined(2, "口径", year=2021, measure="stock"))
    one, other = load_all(make("one"), [first, second]), load_all(make("other"), [second, first])
    assert history(one) == history(other)
    assert {row["basis"] for row in rows(one, fact_metric_value)} == {"period"}  # of a stock nothing is cumulative


def test_the_bounds_of_a_document_s_versions_follow_an_earlier_reading(engine: Engine) -> None:
    for day, text in ((1, A), (5, B), (3, B)):
        load(engine, batch(report(2020, text, day=day), run=f"r{day}", day=day))
    found = sorted(rows(engine, dim_document, with_audit=True), key=lambda row: row["version_no"])[-2:]
    assert (found[0]["valid_to"], found[1]["valid_from"]) == (at(3), at(3))


def test_keys_of_the_first_release_are_those_of_current_versions(engine: Engine) -> None:
    """Facts of a database that was upgraded, and the crawl log, refer to the current version by the natural key."""
    load_all(engine, [renamed(1, "甲"), renamed(2, "乙")])
    current = versions_of(engine, dim_source, SOURCE.source_id)[-1]
    assert current["source_key"] == dims.source_key(SOURCE.source_id)
    assert {row["source_key"] for row in rows(engine, fact_source_run)} == {current["source_key"]}


def test_a_region_that_changed_name_and_code_is_one_place(engine: Engine) -> None:
    """The table's own history: a county that became a district with another code in 2015."""
    docs = [
        report(2013, A, name="county", region_code="360122", published="2014-03-01"),
        report(2015, B + "上年收到10件。", name="district", region_code="360112", published="2016-03-01"),
        report(2014, B, name="late", region_code="360122", published="2017-03-01"),
    ]
    load(engine, batch(*docs))
    first, old, new = versions_of(engine, dim_region, "360112")
    assert [row["listed_code"] for row in (first, old, new)] == ["360121", "360122", "360112"]
    assert [(row["name_zh"], row["level"]) for row in (old, new)] == [("新建县", "county"), ("新建区", "county")]
    assert old["valid_to"] == new["valid_from"] and new["valid_from"].year == 2015
    by_year = {row["report_year"]: row["region_key"] for row in rows(engine, dim_document) if row["version_no"]}
    assert by_year == {2013: old["region_key"], 2015: new["region_key"], 2014: new["region_key"]}
    assert {row["region_key"] for row in rows(engine, fact_metric_value)} == {new["region_key"]}
    check_history(engine)
