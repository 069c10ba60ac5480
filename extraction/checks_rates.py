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
    judge_rate,
)
from extraction.checks_evidence import in_one_passage, in_one_sentence, plain_numbers, sums_up
from extraction.findings import Told, make_check, make_rate_check, make_silent
from extraction.model import Check, Observation
from extraction.rules import Rule
from extraction.terms import Table, context_of, is_exact, may_refute, value_of

Found = Iterator[Check]
CLOSED = ("各项占比合计100%，疑为凑整", "the shares add up to 100%, so it was probably set to close them")


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
    """Only a count of the rate's own sentence is its base, and only where no other number there gives the rate."""
    for formula in rule.formulas:
        known, find = (
            (formula.whole[0], find_integer_part)
            if formula.whole[0].metrics
            else (formula.right[0], find_integer_whole)
        )
        for rate_index in table.list_indexes(formula.left[0].metrics[0]):
            row = table.all[rate_index]
            rate, decimals = value_of(row), count_decimals(row.text, value_of(row))
            candidates = [i for i in table.list_near(known.metrics, rate_index) if _is_base(table.all[i], row)]
            informative = [i for i in candidates if 0 < value_of(table.all[i]) < 10 ** (decimals + 2)]
            if not 0 < rate < 100 or not informative or len(informative) < len(candidates):
                continue  # with a large base some integer always fits
            answers = [(i, *find(rate, value_of(table.all[i]), decimals)) for i in informative]
            index, verdict, numbers = min(answers, key=lambda a: ("holds", "truncated", "fails").index(a[1]))
            if verdict == "fails" and _has_other_reading(row, rate, decimals):
                continue
            base = value_of(table.all[index])
            pairs = [(n, base) if find is find_integer_part else (base, n) for n in numbers]
            shown = ", ".join(
                f"{format_number(a)} / {format_number(b)} = {format_percent(a * 100 / b, decimals)}" for a, b in pairs
            )
            printed = f"{rate:.{decimals}f}%"
            text = f"{shown} {'≠' if verdict == 'fails' else '→'} {printed}"
            used = (rate_index, index) if verdict != "fails" else (rate_index, *informative)
            final = rule.on_fail if verdict == "fails" else verdict
            exact = pairs[0][0] * 100 / pairs[0][1] if pairs else None
            told = (f"没有整数能算出{printed}", f"no whole number gives {printed}") if verdict == "fails" else None
            yield make_check(rule, final, used, text, row.period, exact, rate, half_unit(decimals), told)


def _is_base(base: Observation, rate: Observation) -> bool:
    return base.start <= rate.start and base.dimension == rate.dimension and in_one_sentence(base, rate)


def _has_other_reading(row: Observation, rate: Decimal, decimals: int) -> bool:
    """排查134起、化解131起,成功率97.8%: two numbers of the sentence give the rate, whatever metric they belong to."""
    numbers = [number for _, number, _ in plain_numbers([row]) if number > 0]
    return any(
        judge_rate(part * 100 / whole, rate, decimals) != "fails"
        for part in numbers
        for whole in numbers
        if part < whole
    )


def check_share(table: Table, rule: Rule) -> Found:
    groups: dict[int, list[int]] = defaultdict(list)
    for index, o in enumerate(table.all):
        if o.share_percent is None or o.share_of is None or not is_exact(o):
            continue
        candidates = table.list_candidates(o.share_of, context_of(o))
        if len({table.all[i].value for i in candidates}) > 1:
            candidates = [i for i in candidates if table.all[i].scope == o.scope and table.all[i].dimension is None]
        if len({table.all[i].value for i in candidates}) == 1 and table.all[candidates[0]].value:
            groups[candidates[0]].append(index)
    for whole_index, indexes in sorted(groups.items()):
        closes = _closes_at_100(table, rule, indexes)
        largest = max(indexes, key=lambda i: value_of(table.all[i]))
        for index in indexes:
            note = CLOSED if closes and index == largest else None
            if check := _share_check(table, rule, index, whole_index, note):
                yield check


def _share_check(table: Table, rule: Rule, index: int, whole_index: int, note: Told | None) -> Check | None:
    """The share of one figure, or of the figures listed before it that have none of their own."""
    o, whole = table.all[index], value_of(table.all[whole_index])
    stated = o.share_percent or Decimal(0)
    decimals = count_decimals(None, stated)
    run = _list_before(table, index, whole_index)
    own = judge_rate(value_of(o) * 100 / whole, stated, decimals) != "fails" and not sums_up(o)
    parts = [index] if own else _choose_sum(table, run, whole, stated, decimals, sums_up(o)) or [index]
    values = [value_of(table.all[i]) for i in parts]
    above = f"({format_sum(values)})" if len(values) > 1 else format_sum(values)
    used = (index, *(i for i in parts if i != index), whole_index)
    exact = sum(values, Decimal(0)) * 100 / whole
    check = make_rate_check(
        rule, used, f"{above} / {format_number(whole)}", exact, stated, decimals, o.period, note_if_failed=note
    )
    if check.verdict in ("holds", "truncated") or in_one_passage(table.all[i] for i in used):
        return check
    return None


def _list_before(table: Table, index: int, whole_index: int) -> list[int]:
    """撤销31宗,变更16宗,合计占比5.4%: the figures from the last share or the whole on, in text order."""
    o = table.all[index]
    run = [index]
    for before in range(index - 1, -1, -1):
        row = table.all[before]
        same = (row.period, row.status, row.unit) == (o.period, o.status, o.unit) and in_one_sentence(row, o)
        if before == whole_index or not same or not is_exact(row) or row.share_percent is not None:
            break
        run.insert(0, before)
    return run


def _choose_sum(
    table: Table, run: list[int], whole: Decimal, stated: Decimal, decimals: int, is_sum: bool
) -> list[int] | None:
    """The end of the run whose sum gives the share; all of it where the text says that it is a sum."""
    for start in range(len(run) - 2, -1, -1):
        total = sum((value_of(table.all[i]) for i in run[start:]), Decimal(0))
        if judge_rate(total * 100 / whole, stated, decimals) == "holds":
            return run[start:]
    return run if is_sum else None


def _closes_at_100(table: Table, rule: Rule, indexes: list[int]) -> bool:
    context = context_of(table.all[indexes[0]])
    shares = [table.all[i].share_percent or Decimal(0) for i in indexes]
    rates = [value_of(table.all[i]) for metric in rule.closing for i in table.list_candidates(metric, context)]
    return len(indexes) > 1 and (sum(shares) == 100 or sum(shares) + sum(rates[:1]) == 100)
