"""Values of the year before that follow from a stated change: 918宗，比上年增加237宗 says that it was 681.

They are no statements. They stand in a tuple of their own, carry `is_derived`, and enter no sum, no chosen value and
no check inside the report; between two reports they are compared with what last year's report said. Only an absolute
change between two whole numbers, both exact and written out, gives a value exactly. From a percentage, a rate, or a
number in 万 or 亿 (all of them rounded) nothing is derived.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from decimal import Decimal

from extraction.arithmetic import count_decimals, format_number, judge_rate
from extraction.checks_evidence import is_change_of, with_percent
from extraction.model import Mention, Observation
from extraction.terms import is_exact, value_of
from extraction.yoy import shift_period

DERIVED = "derived: "
_ROUNDED = frozenset("万亿萬億千百")
_REACH = 80
"""Characters after the figure within which its change is told."""


def derive_values(
    text: str, observations: Sequence[Observation], mentions: Sequence[Mention]
) -> tuple[Observation, ...]:
    """One value per figure with a stated change, in text order; `evidence` shows the sum, `derived: 918 - 237`.

    The span is that of the change, the quote holds figure and change. A report that states last year's value itself
    needs none.
    """
    stated = {(o.metric, o.period, o.scope, o.dimension) for o in observations}
    derived: dict[tuple[str, int], Observation] = {}
    for one in observations:
        o = with_percent(one)
        change = o.yoy_change
        if change is None or not _may_imply(o):
            continue
        period = shift_period(o.period, -1)
        value = value_of(o) - change
        mention = _find_change(mentions, o, abs(change))
        if mention is None or value < 0 or (o.metric, period, o.scope, o.dimension) in stated:
            continue
        if not _fits_percent(o, value):
            continue
        end = max(o.quote_start + len(o.quote), mention.end)
        derived[o.metric, mention.start] = Observation(
            metric=o.metric, start=mention.start, end=mention.end, text=mention.text, value=value, unit=o.unit,
            unit_zh=o.unit_zh, period=period, status="prior_period", qualifier="exact",
            quote=text[o.quote_start : end], quote_start=o.quote_start, as_of=_shift_day(o.as_of), scope=o.scope,
            dimension=o.dimension, is_derived=True, evidence=explain_change(value_of(o), change),
        )  # fmt: skip
    return tuple(derived.values())


def explain_change(value: Decimal, change: Decimal) -> str:
    """`derived: 918 - 237`; a fall is added back: `derived: 163 + 21`."""
    sign = "-" if change >= 0 else "+"
    return f"{DERIVED}{format_number(value)} {sign} {format_number(abs(change))}"


def _may_imply(o: Observation) -> bool:
    """A whole number as written, of a period that has one before it, and no part of another figure."""
    return (
        is_exact(o)
        and o.status != "prior_period"
        and o.breakdown_of is None
        and not o.damaged
        and o.unit != "percent"
        and value_of(o) == value_of(o).to_integral_value()
        and not _ROUNDED & set(o.text)
        and is_change_of(o)
    )


def _find_change(mentions: Sequence[Mention], o: Observation, change: Decimal) -> Mention | None:
    """The number after the figure that states the change, if it is exact and in the figure's own unit."""
    first = bisect_left(mentions, o.end, key=lambda mention: mention.start)
    for mention in mentions[first : first + _REACH]:
        if mention.start <= o.end + _REACH and mention.value == change:
            fits = mention.unit_zh in (o.unit_zh, "") and mention.qualifier == "exact" and not mention.damaged
            return mention if fits and not _ROUNDED & set(mention.text) else None
    return None


def _fits_percent(o: Observation, before: Decimal) -> bool:
    """A percentage stated beside the change must not contradict it."""
    if o.yoy_percent is None:
        return True
    if before == 0:
        return False
    exact = (value_of(o) / before - 1) * 100
    return judge_rate(exact, o.yoy_percent, count_decimals(o.yoy_text, o.yoy_percent)) != "fails"


def _shift_day(as_of: str | None) -> str | None:
    if as_of is None:
        return None
    before = shift_period(as_of, -1)
    return before[:-2] + "28" if before.endswith("-02-29") else before
