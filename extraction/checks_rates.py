"""Rates and shares of one report against their counts: recomputed, or tested for a whole-number solution."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from extraction.arithmetic import (
    count_decimals,
    find_integer_part,
    find_integer_whole,
    format_number,
    format_percent,
    format_sum,
    half_unit,
)
from extraction.findings import make_check, make_rate_check, make_silent
from extraction.model import Check
from extraction.rules import Rule
from extraction.terms import Table, context_of, is_exact, may_refute, value_of

Found = Iterator[Check]
CLOSED = ("各项占比合计100%,疑为凑整", "the shares add up to 100%, so it was probably set to close them")


def _rate_checks(table: Table, rule: Rule, rate_index: int) -> Check | None:
    """The first alternative that gives the stated rate; a failure only when nothing unstated can explain it."""
    rate_row = table.all[rate_index]
    context, stated = context_of(rate_row), value_of(rate_row)
    decimals = count_decimals(rate_row.text, stated)
    tried: list[tuple[Check, bool]] = []
    for formula in rule.formulas:
        if rate_row.metric not in formula.left[0].metrics:
            continue
        part, part_complete, _ = table.resolve_sum(formula.right, context)
        whole, whole_complete, _ = table.resolve_sum(formula.whole, context)
        if not part.values or not whole_complete or not whole.total:
            tried.append((make_silent(rule), False))
            continue
        exact = part.total * 100 / whole.total
        text = f"({format_sum(part.values)})" if len(part.values) > 1 else format_sum(part.values)
        below = f"({format_sum(whole.values)})" if len(whole.values) > 1 else format_sum(whole.values)
        used = tuple(dict.fromkeys((rate_index, *part.indexes, *whole.indexes)))
        check = make_rate_check(rule, used, f"{text} / {below}", exact, stated, decimals, context.period)
        tried.append((check, part_complete or (exact > stated and len(rule.formulas) == 1)))
    for wanted in ("holds", "truncated"):
        for check, _ in tried:
            if check.verdict == wanted:
                return check
    may_fail = bool(tried) and all(allowed and may_refute(table, check) for check, allowed in tried)
    return tried[0][0] if may_fail else None


def check_ratio(table: Table, rule: Rule) -> Found:
    rates = dict.fromkeys(code for formula in rule.formulas for code in formula.left[0].metrics)
    for index in sorted(i for rate in rates for i in table.list_indexes(rate)):
        if check := _rate_checks(table, rule, index):
            yield check


def check_integer_feasible(table: Table, rule: Rule) -> Found:
    for formula in rule.formulas:
        known, find = (
            (formula.whole[0], find_integer_part)
            if formula.whole[0].metrics
            else (formula.right[0], find_integer_whole)
        )
        for rate_index in table.list_indexes(formula.left[0].metrics[0]):
            row = table.all[rate_index]
            rate, decimals = value_of(row), count_decimals(row.text, value_of(row))
            candidates = [i for m in known.metrics for i in table.list_candidates(m, context_of(row), with_parts=True)]
            informative = [i for i in candidates if 0 < value_of(table.all[i]) < 10 ** (decimals + 2)]
            if not 0 < rate < 100 or not informative or len(informative) < len(candidates):
                continue  # with a large base some integer always fits
            answers = [(i, *find(rate, value_of(table.all[i]), decimals)) for i in informative]
            index, verdict, numbers = min(answers, key=lambda a: ("holds", "truncated", "fails").index(a[1]))
            base = value_of(table.all[index])
            pairs = [(n, base) if find is find_integer_part else (base, n) for n in numbers]
            shown = ", ".join(
                f"{format_number(a)} / {format_number(b)} = {format_percent(a * 100 / b, decimals)}" for a, b in pairs
            )
            text = f"{shown} {'≠' if verdict == 'fails' else '→'} {rate:.{decimals}f}%"
            used = (rate_index, index) if verdict != "fails" else (rate_index, *informative)
            final = rule.on_fail if verdict == "fails" else verdict
            exact = pairs[0][0] * 100 / pairs[0][1] if pairs else None
            yield make_check(rule, final, used, text, row.period, exact, rate, half_unit(decimals))


def check_share(table: Table, rule: Rule) -> Found:
    groups: dict[tuple[int, ...], list[int]] = defaultdict(list)
    wholes: dict[tuple[int, ...], Decimal] = {}
    for index, o in enumerate(table.all):
        if o.share_percent is None or o.share_of is None or not is_exact(o):
            continue
        candidates = table.list_candidates(o.share_of, context_of(o))
        values = {value_of(table.all[i]) for i in candidates}
        if len(values) > 1:
            candidates = [i for i in candidates if table.all[i].scope == o.scope and table.all[i].dimension is None]
            values = {value_of(table.all[i]) for i in candidates}
        if len(values) == 1 and (whole := values.pop()):
            groups[(candidates[0],)].append(index)
            wholes[(candidates[0],)] = whole
    for key, indexes in sorted(groups.items()):
        closes = _closes_at_100(table, rule, indexes)
        largest = max(indexes, key=lambda i: value_of(table.all[i]))
        for index in indexes:
            o = table.all[index]
            stated, exact = o.share_percent or Decimal(0), value_of(o) * 100 / wholes[key]
            text = f"{format_number(value_of(o))} / {format_number(wholes[key])}"
            forced = closes and index == largest
            yield make_rate_check(
                rule, (index, *key), text, exact, stated, count_decimals(None, stated), o.period,
                note_if_failed=CLOSED if forced else None,
            )  # fmt: skip


def _closes_at_100(table: Table, rule: Rule, indexes: list[int]) -> bool:
    context = context_of(table.all[indexes[0]])
    shares = [table.all[i].share_percent or Decimal(0) for i in indexes]
    rates = [value_of(table.all[i]) for metric in rule.closing for i in table.list_candidates(metric, context)]
    return len(indexes) > 1 and (sum(shares) == 100 or sum(shares) + sum(rates[:1]) == 100)
