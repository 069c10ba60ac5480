"""Observations and findings for the tests of the checks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from extraction.checks import check_document
from extraction.model import Check, Observation
from extraction.rules import RULES_PATH, Rules, load_rules


@dataclass(frozen=True)
class Facts:
    """What the checks need to know of a metric, without the whole catalogue."""

    unit: str
    kind: str
    measure: str
    plausible_low: Decimal = Decimal(0)
    plausible_high: Decimal = Decimal(10**10)


def guess_facts(code: str) -> Facts:
    if code.endswith(("_rate", "_share")):
        return Facts("percent", "rate", "rate", plausible_high=Decimal(100))
    return Facts("yuan", "amount", "flow") if code.endswith("_amount") else Facts("case", "count", "flow")


@lru_cache(maxsize=1)
def real_rules() -> Rules:
    """The declared rules over facts guessed from the codes; the real catalogue has a test of its own."""
    codes = set(re.findall(r"[a-z]+(?:_[a-z]+)+", RULES_PATH.read_text(encoding="utf-8")))
    return load_rules({code: guess_facts(code) for code in sorted(codes)})


def obs(metric: str, value: str | None, **fields: Any) -> Observation:
    number = None if value is None else Decimal(value)
    given: dict[str, Any] = {
        "start": 0, "end": 1, "text": value or "", "unit": "case", "unit_zh": "件", "period": "2021",
        "status": "actual", "qualifier": "exact", "quote": "", "quote_start": 0, **fields,
    }  # fmt: skip
    return Observation(metric=metric, value=number, **given)


def run(rule: str, *observations: Observation) -> list[Check]:
    """The findings of one rule."""
    checks = check_document(observations, real_rules())
    assert all((check.n_checked == 0) <= (check.verdict == "not_applicable") for check in checks)
    return [check for check in checks if check.rule == rule]


def only(rule: str, *observations: Observation) -> Check:
    (check,) = run(rule, *observations)
    return check


RECEIVED, ACCEPTED = "reconsideration_applications_received", "reconsideration_accepted"
NOT_ACCEPTED, OTHER = "reconsideration_not_accepted", "reconsideration_notified_other"
CONCLUDED, UPHELD = "reconsideration_concluded", "reconsideration_upheld"


def told(metric: str, sentence: str, number: str, **fields: Any) -> Observation:
    """An observation of `number` in a sentence that stands at `at` of its report."""
    at = fields.pop("at", 0)
    start = at + sentence.index(number)
    unit = fields.pop("unit_zh", "件")
    return obs(
        metric,
        number,
        start=start,
        end=start + len(number + unit),
        unit_zh=unit,
        quote=sentence,
        quote_start=at,
        **fields,
    )
