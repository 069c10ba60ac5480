"""Which statement counts, case by case."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from extraction.model import Observation
from warehouse.choosing import Chosen, Statement, choose_values, fold_scope


def said(value: int, told_in: int, *, period: int = 2020, as_of: str | None = None, **more: Any) -> Statement:
    """What the report on `told_in` says of `period`; it is published in the January after."""
    own = {
        "doc": f"d{told_in}",
        "measure": "flow",
        "published": datetime(told_in + 1, 1, 20, tzinfo=UTC),
        "part": False,
    }
    own |= {key: more.pop(key) for key in own.keys() & more.keys()}
    stated = Observation(
        metric="m", start=more.pop("start", 0), end=9, text="1件", value=Decimal(value), unit="case",
        unit_zh=more.pop("unit_zh", "件"), period=str(period), status=more.pop("status", "actual"),
        qualifier=more.pop("qualifier", "exact"), quote=more.pop("quote", "1件"),
        quote_start=more.pop("quote_start", 0), as_of=as_of, **more,
    )  # fmt: skip
    return Statement(
        observation_key=hash((value, told_in, as_of, stated.start, stated.status)) % 10**6, document_key=1,
        document_id=own["doc"], region_key=1, agency_key=-2, metric="m", metric_key=1, measure=own["measure"],
        unit="case", unit_key=1, period=str(period), period_key=period, period_year=period,
        period_end=date(period, 12, 31), as_of=date.fromisoformat(as_of) if as_of else None, as_of_date_key=-2,
        published=own["published"], published_date_key=-1, report_year=told_in, is_part=own["part"],
        value=Decimal(value), stated=stated,
    )  # fmt: skip


def only(statements: list[Statement]) -> Chosen:
    """The one chosen value, the same in whatever order the statements come."""
    (first,) = choose_values(statements)
    for order in permutations(statements):
        assert choose_values(order) == [first]
    return first


FINAL = said(100, 2020)
LATER = said(101, 2021, status="prior_period")
PART = said(80, 2020, as_of="2020-11-30", start=5)
FORECAST = said(120, 2019, status="target")


@pytest.mark.parametrize(
    ("statements", "value", "chosen_by"),
    [
        ([FINAL, LATER, PART, FORECAST], 100, "final"),
        ([LATER, PART, FORECAST], 101, "later_report"),
        ([PART, FORECAST], 80, "part_year"),
        ([FORECAST], 120, "forecast"),
        ([PART, said(85, 2020, as_of="2020-12-31")], 85, "final"),
        ([FORECAST, said(30, 2019)], 30, "part_year"),
    ],
)
def test_classes_in_order(statements: list[Statement], value: int, chosen_by: str) -> None:
    chosen = only(statements)
    assert (chosen.best.value, chosen.chosen_by, chosen.n_statements) == (value, chosen_by, len(statements))
    assert not chosen.is_disputed


def test_the_later_publication_wins_inside_a_class() -> None:
    early, late = said(1, 2021, status="prior_period"), said(2, 2022)
    assert only([early, late]).best is late
    corrected = said(103, 2020, doc="d0", published=datetime(2021, 6, 1, tzinfo=UTC))
    chosen = only([FINAL, corrected])
    assert chosen.best is corrected and chosen.is_disputed and (chosen.n_values, chosen.n_documents) == (2, 2)


def test_a_damaged_reading_loses_and_disputes_nothing() -> None:
    damaged = said(1000, 2020, damaged=True, doc="d9", published=datetime(2021, 6, 1, tzinfo=UTC))
    chosen = only([FINAL, damaged])
    assert chosen.best is FINAL and not chosen.is_disputed


def test_an_inexact_figure_disputes_nothing_and_loses_in_its_document() -> None:
    about = said(110, 2020, qualifier="approx")
    exact = said(108, 2020, start=30)
    chosen = only([about, exact])
    assert chosen.best is exact and not chosen.is_disputed and chosen.n_values == 1


def test_a_restatement_is_no_dispute_but_another_value() -> None:
    chosen = only([FINAL, LATER])
    assert (chosen.n_values, chosen.is_disputed) == (2, False)


def test_what_is_implied_is_no_statement() -> None:
    assert choose_values([said(5, 2020, is_derived=True)]) == []


def test_a_report_that_was_out_before_its_year_had_ended_covers_part_of_it() -> None:
    early = said(80, 2020, published=datetime(2020, 12, 20, tzinfo=UTC))
    assert only([early]).chosen_by == "part_year"
    chosen = only([early, LATER])
    assert (chosen.best, chosen.chosen_by, chosen.n_values, chosen.is_disputed) == (LATER, "later_report", 1, False)
    stock = said(80, 2020, measure="stock", published=datetime(2020, 12, 20, tzinfo=UTC))
    assert only([stock]).chosen_by == "final"


def sentence(value: int, at: int, **more: Any) -> Statement:
    return said(value, 2020, start=at, quote="甲" * 20, quote_start=at - at % 100, **more)


@pytest.mark.parametrize(
    ("statements", "is_disputed"),
    [
        ([sentence(100, 0), sentence(103, 200)], True),
        ([sentence(100, 0), sentence(103, 8)], False),  # two things of one sentence
        ([sentence(100, 0), sentence(103, 8), sentence(100, 200)], False),  # one of them is told again
        ([sentence(100, 0), sentence(103, 200, unit_zh="人次")], False),
        ([sentence(100, 0), sentence(103, 200, status="cumulative", measure="flow")], False),
        ([sentence(100, 0), sentence(103, 200, status="cumulative", measure="stock")], False),
        ([sentence(100, 0), sentence(103, 200, as_of="2020-12-31")], False),
        ([sentence(100, 0), sentence(30, 200, scope="镇街", part=True)], False),
        ([sentence(100, 0, scope="镇街"), sentence(30, 200, scope="镇街", part=True)], False),
        ([sentence(100, 0, dimension="公安"), sentence(30, 200)], False),
        ([sentence(100, 0, dimension="公安"), sentence(30, 200, dimension="公安")], True),
    ],
)
def test_a_dispute_is_about_one_thing(statements: list[Statement], is_disputed: bool) -> None:
    chosen = choose_values(statements)
    assert any(one.is_disputed for one in chosen) == is_disputed
    assert choose_values(statements[::-1]) == chosen


def test_running_totals_of_a_flow_stand_apart_those_of_a_stock_do_not() -> None:
    total = said(900, 2020, status="cumulative", start=40)
    assert [one.group[4] for one in choose_values([FINAL, total])] == ["cumulative", "period"]
    stock = said(900, 2020, status="cumulative", measure="stock")
    assert [one.group[4] for one in choose_values([stock])] == ["period"]


def test_parts_are_told_apart_by_name_or_left_out() -> None:
    town, nameless = said(4, 2020, part=True, scope="镇街", start=10), said(6, 2020, part=True, start=20)
    chosen = choose_values([FINAL, town, nameless])
    assert [(one.group[5], one.best.value) for one in chosen] == [("", 100), ("镇街", 4)]


@pytest.mark.parametrize(
    ("scope", "folded"),
    [
        (None, ""),
        ("", ""),
        ("全县", ""),
        ("全区（23个部门）", ""),
        ("全县公安机关", "全县公安机关"),
        ("区政府", "区政府"),
    ],
)
def test_scopes_that_mean_the_whole_are_no_scope(scope: str | None, folded: str) -> None:
    assert fold_scope(scope) == folded
