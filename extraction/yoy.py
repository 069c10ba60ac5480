"""Year on year inside one report: the stated change against the two values, or against each other."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from decimal import Decimal

from extraction.arithmetic import count_decimals, format_number
from extraction.checks_evidence import in_one_sentence, is_change_of, plain_numbers, with_percent
from extraction.findings import make_check, make_rate_check
from extraction.model import Check, Observation
from extraction.rules import Rule
from extraction.terms import Context, Table, value_of


def shift_period(period: str, years: int) -> str:
    """`2019` → `2018`; `2019-01/2019-09` → `2018-01/2018-09`. The year opens each bound."""
    return "/".join(f"{int(bound[:4]) + years}{bound[4:]}" for bound in period.split("/"))


def check_change(rule: Rule, o: Observation, prior: Decimal | None, used: tuple[int, ...]) -> Iterator[Check]:
    """The stated percent and the stated difference of `o` against `prior`, or against each other without one."""
    value = value_of(o)
    base = prior if prior is not None else (value - o.yoy_change if o.yoy_change is not None else None)
    if o.yoy_percent is not None and o.unit != "percent" and base is not None and base > 0:
        exact = (value / base - 1) * 100
        decimals = count_decimals(o.yoy_text, o.yoy_percent)
        quotient = f"{format_number(value)} / {format_number(base)} - 1"
        yield make_rate_check(rule, used, quotient, exact, o.yoy_percent, decimals, o.period)
    if o.yoy_change is not None and prior is not None:
        change = value - prior
        holds = change == o.yoy_change
        stated = format_number(o.yoy_change)
        tail = "" if holds else f" ≠ {stated}"
        text = f"{format_number(value)} - {format_number(prior)} = {format_number(change)}{tail}"
        told = None if holds else (f"报告写作{stated}", f"the report prints {stated}")
        verdict = "holds" if holds else rule.on_fail
        yield make_check(rule, verdict, used, text, o.period, change, o.yoy_change, Decimal(0), told)


def check_yoy(table: Table, rule: Rule) -> Iterator[Check]:
    for index, stated in enumerate(table.all):
        if stated.yoy_percent is None and stated.yoy_change is None:
            continue
        if not table.is_usable[index] or stated.status == "prior_period":
            continue
        o = with_percent(stated)
        before = shift_period(o.period, -1)
        candidates: list[int] = []
        for status in ("prior_period", "actual"):  # 上年196宗, or plainly 2018年196宗
            context = Context(before, status, o.scope, o.dimension, None)
            candidates = candidates or table.list_candidates(o.metric, context, with_parts=True)
        same = [i for i in candidates if table.all[i].dimension == o.dimension]
        values = {value_of(table.all[i]) for i in same}
        prior = values.pop() if len(values) == 1 else None
        used = (index, same[0]) if prior is not None else (index,)
        for check in check_change(rule, o, prior, used):
            tied = prior is None or in_one_sentence(o, table.all[same[0]])
            if check.verdict in ("holds", "truncated") or (tied and is_change_of(o)):
                yield check
        if prior is None:
            yield from _check_before(table, rule, index)


def _check_before(table: Table, rule: Rule, index: int) -> Iterator[Check]:
    """清理前5317项，保留2486项，精简53.2%: a number of the same sentence may be what the change is from.

    The metric's own figure told before, else any number in its measure word that no metric has read as last year's.
    It may as well be another thing, so it can only agree.
    """
    o = table.all[index]
    told = table.narrow(index).list_candidates(o.metric, table.context(index))
    before = bisect_left(told, index) - 1
    for i in told[before : before + 1] if before >= 0 else ():
        if not in_one_sentence(o, table.all[i]):
            continue
        found = [c for c in check_change(rule, o, value_of(table.all[i]), (index, i)) if c.verdict != rule.on_fail]
        yield from found
        if found:
            return
    decimals = count_decimals(o.yoy_text, o.yoy_percent) if o.yoy_percent is not None else 0
    for place, number, follows in plain_numbers([o]) if decimals else ():
        if place == o.start or number <= 0 or not (o.unit_zh and follows.startswith(o.unit_zh)):
            continue
        told_here = [c for c in check_change(rule, o, number, (index,)) if c.verdict == "holds"]
        if told_here:
            yield told_here[0]
            return
