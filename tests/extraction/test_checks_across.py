"""Checks between the reports of one region, on invented figures."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from extraction.checks import Statement, check_across
from extraction.derived import explain_change
from extraction.model import Observation
from tests.extraction.builders import ACCEPTED, obs, real_rules


def said(year: int, observation: Observation, region: str = "640001", published: str = "") -> Statement:
    return Statement(f"{region}-{year}{published}", published or f"{year + 1}-01-15", year, region, observation)


def across(*statements: Statement) -> list[tuple[str, str, tuple[int, ...]]]:
    return [(check.rule, check.verdict, check.observations) for check in check_across(statements, real_rules())]


def test_a_restated_prior_year() -> None:
    then, prior = obs(ACCEPTED, "176", period="2020"), obs(ACCEPTED, "176", period="2020", status="prior_period")
    assert across(said(2020, then), said(2021, prior)) == [("R21", "holds", (1, 0))]
    other = obs(ACCEPTED, "180", period="2020", status="prior_period")
    assert across(said(2020, then), said(2021, other)) == [("R21", "differs", (1, 0))]


def judged(*statements: Statement) -> list[tuple[str, str, bool]]:
    return [(check.rule, check.verdict, check.is_explained) for check in check_across(statements, real_rules())]


def test_a_part_year_explains_a_difference_unless_a_count_has_shrunk() -> None:
    part_year = said(2020, obs(ACCEPTED, "176", period="2020", as_of="2020-11-30"))
    prior = {"period": "2020", "status": "prior_period"}
    assert judged(part_year, said(2021, obs(ACCEPTED, "180", **prior))) == [("R21", "differs", True)]
    assert judged(part_year, said(2021, obs(ACCEPTED, "170", **prior))) == [("R21", "differs", False)]
    rate = said(2020, obs("head_appearance_rate", "91", period="2020", as_of="2020-11-30", unit="percent"))
    lower = said(2021, obs("head_appearance_rate", "88", unit="percent", **prior))
    assert judged(rate, lower) == [("R21", "differs", True)]  # a rate may fall
    whole = said(2020, obs(ACCEPTED, "176", period="2020", as_of="2020-12-31"))
    assert judged(whole, said(2021, obs(ACCEPTED, "180", **prior))) == [("R21", "differs", False)]


def test_a_report_on_the_first_months_is_compared_and_explained() -> None:
    months = said(2020, obs(ACCEPTED, "160", period="2020-01/2020-11"))
    later = said(2021, obs(ACCEPTED, "176", period="2020", status="prior_period"))
    (check,) = check_across([months, later], real_rules())
    assert (check.verdict, check.is_explained) == ("differs", True)
    assert check.message_zh.endswith("2020年报告为160件，2020年报告只统计2020年1月至11月可以解释差异。")
    assert "that the 2020 report covers 2020-01/2020-11 only explains" in check.message_en
    quarter = said(2020, obs(ACCEPTED, "60", period="2020-07/2020-09"))
    assert check_across([quarter, later], real_rules()) == ()


def implied(value: str, change: int, **fields: Any) -> list[Statement]:
    """What the report on 2021 says of itself, and what follows for 2020."""
    now = obs(ACCEPTED, value, yoy_change=Decimal(change))
    evidence = explain_change(Decimal(value), Decimal(change))
    before = {"period": "2020", "status": "prior_period", "is_derived": True, "evidence": evidence, **fields}
    return [said(2021, now), said(2021, obs(ACCEPTED, str(int(value) - change), **before))]


def test_what_a_change_implies_is_compared_with_last_years_report() -> None:
    then = said(2020, obs(ACCEPTED, "661", period="2020"))
    assert across(then, *implied("898", 237)) == [("R20", "holds", (2, 0)), ("R28", "holds", (1, 0))]
    (check, _) = check_across([then, *implied("898", 240)], real_rules())
    assert (check.verdict, check.is_explained, check.formula) == ("differs", False, "898 - 240 = 658 ≠ 661")
    assert check.message_zh.endswith("由2021年报告推得2020年为658件，2020年报告为661件。")
    assert check.message_en.endswith("the 2021 report implies 658 for 2020, the 2020 report says 661.")


def test_a_part_year_explains_an_implied_value_too() -> None:
    early = said(2020, obs(ACCEPTED, "623", period="2020"), published="2020-12-20")
    (check,) = check_across([early, *implied("898", 237)], real_rules())
    assert (check.verdict, check.is_explained) == ("differs", True)
    assert "2020年报告2020年12月20日即已发布、未满全年可以解释差异" in check.message_zh


def test_what_is_implied_is_no_statement() -> None:
    derived = implied("898", 237)[1]
    assert across(said(2019, obs(ACCEPTED, "600", period="2019")), derived) == []
    prior = said(2021, obs(ACCEPTED, "661", period="2020", status="prior_period"))
    assert across(derived, prior) == []


def test_two_earlier_figures_of_one_metric_are_not_compared() -> None:
    then = said(2020, obs(ACCEPTED, "176", period="2020"))
    one, other = (said(2021, obs(ACCEPTED, value, period="2020", status="prior_period")) for value in ("58", "180"))
    assert across(then, one, other) == []


def test_another_region_scope_or_kind_is_not_compared() -> None:
    prior = said(2021, obs(ACCEPTED, "180", period="2020", status="prior_period", scope="区政府", dimension="公安"))
    assert across(said(2020, obs(ACCEPTED, "176", period="2020", dimension="公安"), region="640002"), prior) == []
    assert across(said(2020, obs(ACCEPTED, "176", period="2020", scope="部门", dimension="公安")), prior) == []
    assert across(said(2020, obs(ACCEPTED, "176", period="2020", scope="区政府")), prior) == []


def test_the_later_report_on_a_year_speaks() -> None:
    early = said(2020, obs(ACCEPTED, "170", period="2020"), published="2021-01-02")
    late = said(2020, obs(ACCEPTED, "176", period="2020"), published="2021-03-02")
    prior = said(2021, obs(ACCEPTED, "176", period="2020", status="prior_period"))
    assert across(early, late, prior) == [("R21", "holds", (2, 1))]


def test_year_on_year_and_magnitude_across_reports() -> None:
    then = said(2020, obs(ACCEPTED, "661", period="2020"))
    now = said(2021, obs(ACCEPTED, "898", yoy_percent=Decimal("35.9"), yoy_change=Decimal("240")))
    assert across(then, now) == [("R20", "holds", (1, 0)), ("R20", "differs", (1, 0)), ("R28", "holds", (1, 0))]
    assert across(then, said(2021, obs(ACCEPTED, "50"))) == [("R28", "differs", (1, 0))]


@pytest.mark.parametrize(
    "change",
    [
        {"value": "5"},  # too small to mean anything
        {"unit_zh": "件次"},
        {"scope": "区政府"},
        {"as_of": "2021-11"},
    ],
)
def test_a_jump_is_told_only_of_comparable_figures(change: dict[str, Any]) -> None:
    then = said(2020, obs(ACCEPTED, "661", period="2020"))
    fields = {"value": "50", **change}
    assert across(then, said(2021, obs(ACCEPTED, **fields))) == []
    second = said(2021, obs(ACCEPTED, "700"))  # two values of one year: nobody knows which is meant
    assert across(then, said(2021, obs(ACCEPTED, "50")), second) == []


def test_a_report_out_before_the_year_ended_covers_part_of_it() -> None:
    early = said(2020, obs(ACCEPTED, "176", period="2020"), published="2020-12-20T10:00:00+08:00")
    later = said(2021, obs(ACCEPTED, "180", period="2020", status="prior_period"))
    (check,) = check_across([early, later], real_rules())
    assert (check.verdict, check.is_explained) == ("differs", True)
    assert "2021年报告称2020年为180件，2020年报告为176件，2020年报告2020年12月20日即已发布" in check.message_zh
    assert "published on 2020-12-20, before its year had ended, explains the difference" in check.message_en


def test_messages_across_name_both_reports() -> None:
    then = said(2020, obs(ACCEPTED, "661", period="2020"))
    prior = said(2021, obs(ACCEPTED, "650", period="2020", status="prior_period"))
    now = said(2021, obs(ACCEPTED, "99", yoy_change=Decimal("240")))
    restated, jump = check_across([then, prior, now], real_rules())
    assert restated.message_zh.endswith("（2020年）：650 ≠ 661，2021年报告称2020年为650件，2020年报告为661件。")
    assert restated.message_en.endswith("650 ≠ 661; the 2021 report puts 2020 at 650, the 2020 report says 661.")
    assert (jump.rule, jump.verdict) == ("R28", "differs")  # the change was told by R21: one cause, one finding
    assert "2021年报告为99件，2020年报告为661件" in jump.message_zh
