"""Data tests: a row that fails is set aside with its reason, counted, and nothing else is lost."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.warehouse.builders import SOURCE, batch, notice, parse, report
from tests.warehouse.conftest import load
from tests.warehouse.tables import A, rows
from warehouse.batch import DocumentIn
from warehouse.engine import reading
from warehouse.marts import select_region_year, select_restatements
from warehouse.quarantine import list_rows
from warehouse.read import totals
from warehouse.schema import (
    fact_mention,
    fact_metric_value,
    fact_observation,
)


def quarantine_rows(engine: Engine) -> list[dict[str, Any]]:
    with reading(engine) as conn:
        return list_rows(conn)


def test_rows_that_fail_a_data_test_go_to_quarantine(engine: Engine) -> None:
    good = report(2020, A)
    parsed = parse(A, 2020)
    first, second, *rest = parsed.observations
    bad = replace(
        parsed,
        observations=(replace(first, start=first.start + 1), replace(second, unit="percent"), *rest, rest[0]),
        mentions=(replace(parsed.mentions[0], text="11件"), *parsed.mentions[1:]),
    )
    result = load(
        engine, batch(replace(good, parsed=bad), notice("x", "坏\0字"), notice("y", "好", document_id="http://y/"))
    )
    assert (result.quarantined, result.observations, result.mentions, result.checks) == (7, 3, 4, 0)
    tests = {row["test"] for row in quarantine_rows(engine)}
    assert tests == {
        "observation_span", "observation_unit", "observation_grain", "mention_span", "check_observations",
        "document_text", "document_identity",
    }  # fmt: skip
    for row in quarantine_rows(engine):
        assert row["reason"] and row["way_back"] and row["payload"] and row["source_id"] == SOURCE.source_id
    again = load(engine, batch(replace(good, parsed=bad), notice("x", "坏\0字"), run="r2"))
    assert again.quarantined == 0 and totals(engine)["quarantine"] == 7


@pytest.mark.parametrize(
    ("change", "test"),
    [
        ({"period": "2020-13/2021-01"}, "observation_period"),
        ({"period": "20200"}, "observation_period"),
        ({"metric": "no_such"}, "observation_metric"),
        ({"status": "hoped"}, "observation_words"),
        ({"as_of": "2020-02-31"}, "observation_as_of"),
        ({"quote": "别的话"}, "observation_quote"),
        ({"value": Decimal("NaN")}, "observation_value"),
        ({"value": Decimal("0.12345678")}, "observation_value"),
        ({"breakdown_of": 0}, "observation_breakdown"),
        ({"breakdown_of": 99}, "observation_breakdown"),
    ],
)
def test_each_data_test_can_fail(engine: Engine, change: dict[str, Any], test: str) -> None:
    doc = report(2020, "收到10件。")
    assert doc.parsed is not None
    bad = replace(doc.parsed, observations=(replace(doc.parsed.observations[0], **change),))
    result = load(engine, batch(replace(doc, parsed=bad)))
    assert result.observations == 0 and [row["test"] for row in quarantine_rows(engine)] == [test]


def test_a_rate_above_100_is_set_aside_unless_it_is_marked_damaged(engine: Engine) -> None:
    doc = report(2020, "出庭率950%。")
    assert load(engine, batch(doc)).quarantined == 1
    assert doc.parsed is not None
    damaged = replace(doc.parsed.observations[0], damaged=True)
    other = report(2021, "出庭率950%。", parsed=replace(doc.parsed, observations=(damaged,)))
    assert load(engine, batch(other, run="r2")).observations == 1


def implied(doc: DocumentIn, value: int, **change: Any) -> DocumentIn:
    """The document with last year's value of its first figure, as it follows from a stated change."""
    assert doc.parsed is not None
    first = doc.parsed.observations[0]
    fields: dict[str, Any] = {"value": Decimal(value), "period": "2019", "status": "prior_period", "is_derived": True}
    return replace(doc, parsed=replace(doc.parsed, derived=(replace(first, **{**fields, **change}),)))


def test_what_is_implied_is_loaded_apart_from_what_is_stated(engine: Engine) -> None:
    result = load(engine, batch(implied(report(2020, "收到10件。"), 7)))
    assert (result.quarantined, result.observations) == (0, 2)
    stated, derived = sorted(rows(engine, fact_observation), key=lambda r: r["position"])
    assert (stated["is_derived"], derived["is_derived"], derived["value_num"]) == (False, True, 7)
    assert [row["value_num"] for row in rows(engine, fact_metric_value)] == [10]
    assert [row["n_observations"] for row in rows(engine, fact_mention)] == [1]
    with engine.connect() as conn:
        for mart in (select_region_year, select_restatements):
            assert 7 not in [row["value_num"] for row in conn.execute(mart()).mappings()]


def test_an_implied_value_disputes_and_restates_nothing(engine: Engine) -> None:
    load(engine, batch(report(2019, "收到8件。"), implied(report(2020, "收到10件。"), 7)))
    values = rows(engine, fact_metric_value)
    assert sorted((v["value_num"], v["n_values"], v["is_disputed"]) for v in values) == [(8, 1, False), (10, 1, False)]


def test_stated_and_implied_values_are_never_mixed(engine: Engine) -> None:
    load(engine, batch(implied(report(2020, "收到10件。"), 7, is_derived=False)))
    assert [row["test"] for row in quarantine_rows(engine)] == ["observation_derived"]
    doc = report(2021, "收到10件。")
    assert doc.parsed is not None
    mixed = replace(doc.parsed, observations=(replace(doc.parsed.observations[0], is_derived=True),))
    load(engine, batch(replace(doc, parsed=mixed), run="r2"))
    assert [row["test"] for row in quarantine_rows(engine)] == ["observation_derived"] * 2


def test_parts_refer_to_their_total(engine: Engine) -> None:
    doc = report(2020, "收到10件，收到4件，收到6件。")
    assert doc.parsed is not None
    total, one, two = doc.parsed.observations
    parts = (total, replace(one, breakdown_of=0, scope="镇街"), replace(two, breakdown_of=0, scope="部门"))
    load(engine, batch(replace(doc, parsed=replace(doc.parsed, observations=parts))))
    found = sorted(rows(engine, fact_observation), key=lambda r: r["position"])
    assert [r["breakdown_of_key"] for r in found] == [-2, found[0]["observation_key"], found[0]["observation_key"]]
    assert sorted((v["scope"], v["value_num"]) for v in rows(engine, fact_metric_value)) == [
        ("", 10),
        ("部门", 6),
        ("镇街", 4),
    ]
