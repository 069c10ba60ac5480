"""What follows exactly from a stated change, and what does not."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from extraction.derived import derive_values
from extraction.mentions import extract_mentions
from extraction.model import Observation
from extraction.yoy import shift_period
from tests.extraction.builders import ACCEPTED, RECEIVED, told
from tests.extraction.test_checks_habits import found, read

TEXT = "全年共收到行政复议申请918宗，比上年增加237宗。"


def derive(text: str, *observations: Observation) -> tuple[Observation, ...]:
    return derive_values(text, observations, extract_mentions(text))


def figure(text: str, number: str, change: int | str, **fields: Any) -> Observation:
    return told(RECEIVED, text, number, **{"unit_zh": "宗", "yoy_change": Decimal(change), **fields})


def test_a_rise_and_a_fall_give_the_value_of_the_year_before() -> None:
    (rise,) = derive(TEXT, figure(TEXT, "918", 237))
    assert (rise.value, rise.period, rise.status, rise.is_derived) == (681, "2020", "prior_period", True)
    assert (rise.text, TEXT[rise.start : rise.end], rise.quote) == ("237宗", "237宗", TEXT)
    assert rise.evidence == "derived: 918 - 237"
    fallen = "信访163件，同比减少21件。"
    (fall,) = derive(fallen, figure(fallen, "163", -21, unit_zh="件", as_of="2021-11-30", scope="镇街"))
    assert (fall.value, fall.evidence, fall.as_of, fall.scope) == (184, "derived: 163 + 21", "2020-11-30", "镇街")


@pytest.mark.parametrize(
    ("text", "number", "change", "fields"),
    [
        (TEXT, "918", 237, {"qualifier": "approx"}),
        (TEXT, "918", 237, {"status": "target"}),
        (TEXT, "918", 237, {"damaged": True}),
        (TEXT, "918", 237, {"breakdown_of": 0}),
        (TEXT, "918", 237, {"yoy_percent": Decimal("35.9"), "yoy_text": "35.9%"}),  # 918 / 681 is 34.8
        (TEXT, "918", 238, {}),  # the text states no such change
        ("收到申请918宗，比上年增加200余宗。", "918", 200, {}),
        ("收到申请18宗，比上年增加237宗。", "18", 237, {}),  # would be below zero
        ("出庭率91%，比上年提高3个百分点。", "91", 3, {"unit": "percent", "unit_zh": "%"}),
        ("收到申请91800宗，比上年增加2.4万宗。", "91800", 24000, {}),
        ("收到申请918宗，比上年增加237人。", "918", 237, {}),
    ],
)
def test_what_does_not_follow_exactly(text: str, number: str, change: int, fields: dict[str, Any]) -> None:
    assert derive(text, figure(text, number, change, **fields)) == ()


def test_from_a_percentage_alone_nothing_follows() -> None:
    assert derive(TEXT, told(RECEIVED, TEXT, "918", unit_zh="宗", yoy_percent=Decimal("34.8"))) == ()


def test_a_report_that_states_last_year_needs_no_derived_value() -> None:
    text = TEXT + "上年收到681宗。"
    prior = told(RECEIVED, text, "681", unit_zh="宗", period="2020", status="prior_period")
    assert derive(text, figure(text, "918", 237), prior) == ()


def test_a_percentage_that_agrees_is_no_obstacle() -> None:
    (one,) = derive(TEXT, figure(TEXT, "918", 237, yoy_percent=Decimal("34.8"), yoy_text="34.8%"))
    assert one.value == 681


def test_derived_values_stay_apart_from_what_is_stated() -> None:
    parsed = read("全年受理行政复议案件213件，比上年增加37件。")
    assert [(o.metric, o.value, o.period) for o in parsed.derived] == [(ACCEPTED, 176, "2021")]
    assert not any(o.is_derived for o in parsed.observations) and all(o.is_derived for o in parsed.derived)
    assert {check.verdict for check in found("全年受理行政复议案件213件，比上年增加37件。", "R20")} == {
        "not_applicable"
    }


def test_periods_shift_by_a_year() -> None:
    assert [shift_period(p, -1) for p in ("2021", "2021-01/2021-06")] == ["2020", "2020-01/2020-06"]
    leap = derive(TEXT, figure(TEXT, "918", 237, period="2020", as_of="2020-02-29"))
    assert leap[0].as_of == "2019-02-28"
