"""Rates of one report against their counts: recomputed, or tested for a whole-number solution."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import product

from extraction.arithmetic import (
    count_decimals,
    find_integer_part,
    find_integer_whole,
    format_number,
    format_percent,
    format_sum,
    half_unit,
    is_telling,
    judge_rate,
)
from extraction.checks_evidence import find_worded, in_one_sentence, may_refute, plain_numbers
from extraction.findings import make_check, make_rate_check
from extraction.model import Check, Observation, Verdict
from extraction.rules import Rule, Term
from extraction.terms import Figures, Table, value_of

Found = Iterator[Check]
_BEFORE = 3
"""Counts before a rate among which its two may be."""
_UNSAID = re.compile(r"扣除|剔除|不含|除外|分别")
"""Words after which a rate has another base than the count told before it, or several."""


def _resolve(table: Table, terms: Sequence[Term], index: int) -> list[tuple[Figures, bool]]:
    """The ways to read a side of a quotient, each with whether it is complete: words may stand before many numbers."""
    row = table.all[index]
    if len(terms) == 1 and terms[0].words:
        found = find_worded(row, terms[0].words)
        return [(Figures((_index_at(table, place),), (value,)), True) for place, value in found]
    figures = table.resolve_sum(terms, table.context(index))
    return [(figures, figures.is_complete)] if figures.values else []


def _index_at(table: Table, place: int) -> int:
    """The observation there, or a negative number of its own for a place that no metric has read."""
    return next(iter(table.list_at(place)), -place - 1)


def _place(table: Table, figures: Figures) -> int:
    """Where the first figure stands; an unread one keeps its place in its index."""
    index = figures.indexes[0]
    return table.all[index].start if index >= 0 else -index - 1


def _show(figures: Figures) -> str:
    return f"({format_sum(figures.values)})" if len(figures.values) > 1 else format_sum(figures.values)


def _rate_checks(table: Table, rule: Rule, rate_index: int) -> Check | None:
    """The first alternative that gives the stated rate; a failure only when nothing unstated can explain it."""
    row = table.all[rate_index]
    stated = value_of(row)
    decimals = count_decimals(row.text, stated)
    formulas = [formula for formula in rule.formulas if row.metric in formula.left[0].metrics]
    tried: list[tuple[Verdict, Figures, Figures, Decimal]] = []
    may_fail = True
    for formula in formulas:
        worded = formula.is_worded
        wholes = _resolve(table, formula.whole, rate_index)
        sides = product(_resolve(table, formula.right, rate_index), wholes) if wholes else ()
        pairs = [(a, b) for a, b in sides if b[1] and b[0].total and a[0].indexes != b[0].indexes]
        if not pairs or (worded and len(pairs) > 1):
            may_fail = False  # several readings can agree, none of them can refute
        for (part, part_complete), (whole, _) in pairs:
            exact = part.total * 100 / whole.total
            verdict = judge_rate(exact, stated, decimals, rule.tolerance)
            tried.append((verdict, part, whole, exact))
            if verdict == "holds":
                return _make_ratio(rule, rate_index, row, tried[-1], decimals)
            complete = part_complete or (exact > stated and len(formulas) == 1)
            complete = complete and not (worded and _place(table, part) < _place(table, whole))
            complete = complete and not (worded and (exact > 100 or _UNSAID.search(row.quote)))
            may_fail = may_fail and complete
    for one in tried:
        if one[0] == "truncated":
            return _make_ratio(rule, rate_index, row, one, decimals)
    if not may_fail or not all(
        may_refute([table.all[i] for i in _list_used(rate_index, part, whole)]) for _, part, whole, _ in tried
    ):
        return None
    return _make_ratio(rule, rate_index, row, tried[0], decimals) if tried else None


def _list_used(rate_index: int, part: Figures, whole: Figures) -> tuple[int, ...]:
    return tuple(dict.fromkeys([i for i in (rate_index, *part.indexes, *whole.indexes) if i >= 0]))


def _make_ratio(
    rule: Rule, rate_index: int, row: Observation, quotient: tuple[Verdict, Figures, Figures, Decimal], decimals: int
) -> Check:
    _, part, whole, exact = quotient
    used, shown = _list_used(rate_index, part, whole), f"{_show(part)} / {_show(whole)}"
    return make_rate_check(rule, used, shown, exact, value_of(row), decimals, row.period)


def check_ratio(table: Table, rule: Rule) -> Found:
    rates = dict.fromkeys([code for formula in rule.formulas for code in formula.left_metrics])
    for index in sorted(i for rate in rates for i in table.list_indexes(rate)):
        sentence = table.narrow(index)
        found = [_rate_checks(sentence, rule, index)]
        is_open = found[0] is None or found[0].verdict not in ("holds", "truncated")
        if is_open and sentence is not table and not _is_worded(rule, table.all[index].metric):
            found.append(_rate_checks(table, rule, index))
        stated = [check for check in found if check is not None]
        agreeing = [check for check in stated if check.verdict in ("holds", "truncated")]
        own = [check for check in stated if sentence is table or sentence.proves(check)]
        for check in (agreeing or own or stated)[:1]:
            table.rated.add(index)
            yield check

    if rule.pairs:
        yield from _check_pairs(table, rule)


def _is_worded(rule: Rule, rate: str) -> bool:
    """Whether all that a rate may be of is found by words, which are looked for in its own sentence only."""
    formulas = [formula for formula in rule.formulas if rate in formula.left[0].metrics]
    return all(len(side) == 1 and side[0].words for one in formulas for side in (one.right, one.whole))


def _check_pairs(table: Table, rule: Rule) -> Found:
    """事项1642项,其中1506项可网上办理,网办率91.7%: two of the last counts before a rate that give it to the digit."""
    for index, row in enumerate(table.all):
        if row.unit != "percent" or not table.is_usable[index] or index in table.rated:
            continue
        stated = value_of(row)
        decimals = count_decimals(row.text, stated)
        if not decimals:
            continue
        counts = find_worded(row, ("",))[:_BEFORE]
        for (place, part), (base, whole) in product(counts, counts):
            if not 0 < part < whole or judge_rate(part * 100 / whole, stated, decimals, rule.tolerance) != "holds":
                continue
            used = dict.fromkeys([i for i in (index, _index_at(table, place), _index_at(table, base)) if i >= 0])
            quotient = f"{format_number(part)} / {format_number(whole)}"
            table.rated.add(index)
            yield make_rate_check(rule, tuple(used), quotient, part * 100 / whole, stated, decimals, row.period)
            break


def check_integer_feasible(table: Table, rule: Rule) -> Found:
    """One finding a rate: a failure only where no formula finds a whole number."""
    found: dict[int, Check] = {}
    for check in _try_integers(table, rule):
        rate = check.observations[0]
        if rate not in found or check.verdict in ("holds", "truncated"):
            found[rate] = check
    yield from (found[rate] for rate in sorted(found))


def _try_integers(table: Table, rule: Rule) -> Found:
    """Only a count of the rate's own sentence is its base, and only where no other number there gives the rate."""
    for formula in rule.formulas:
        known, find = (
            (formula.whole[0], find_integer_part)
            if not formula.whole[0].is_unknown
            else (formula.right[0], find_integer_whole)
        )
        for rate_index in table.list_indexes(formula.left[0].metrics[0]):
            if rate_index in table.rated:
                continue  # recomputed from both its counts
            row = table.all[rate_index]
            rate, decimals = value_of(row), count_decimals(row.text, value_of(row))
            bases = _list_bases(table, known, rate_index)
            is_part = find is find_integer_whole
            if not 0 < rate < 100 or not all(
                value > 0 and is_telling(rate, value, decimals, base_is_part=is_part) for _, value in bases
            ):
                continue  # with a large base some integer always fits
            answers = [(i, value, *find(rate, value, decimals)) for i, value in bases]
            if not answers:
                continue
            index, base, verdict, numbers = min(answers, key=lambda a: ("holds", "truncated", "fails").index(a[2]))
            if verdict == "fails" and (_has_other_reading(row, rate, decimals) or _UNSAID.search(row.quote)):
                continue
            pairs = [(n, base) if find is find_integer_part else (base, n) for n in numbers]
            shown = ", ".join(
                f"{format_number(a)} / {format_number(b)} = {format_percent(a * 100 / b, decimals)}" for a, b in pairs
            )
            printed = f"{rate:.{decimals}f}%"
            text = f"{shown} {'≠' if verdict == 'fails' else '→'} {printed}"
            read = (index,) if verdict != "fails" else tuple(i for i, _ in bases)
            used = (rate_index, *(i for i in read if i >= 0))
            final = rule.on_fail if verdict == "fails" else verdict
            exact = pairs[0][0] * 100 / pairs[0][1] if pairs else None
            told = (f"没有整数能算出{printed}", f"no whole number gives {printed}") if verdict == "fails" else None
            yield make_check(rule, final, used, text, row.period, exact, rate, half_unit(decimals), told)


def _list_bases(table: Table, known: Term, rate_index: int) -> list[tuple[int, Decimal]]:
    """The counts told before the rate in its sentence, negative where no metric has read one."""
    row = table.all[rate_index]
    if known.words:
        return [(_index_at(table, place), value) for place, value in find_worded(row, known.words)[:1]]
    found = [i for i in table.list_near(known.metrics, rate_index) if _is_base(table.all[i], row)]
    return [(i, value_of(table.all[i])) for i in found]


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
