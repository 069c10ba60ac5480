"""The arithmetic of one report, checked by the declared rules. Knows kinds of formula, never a metric.

Only figures of the same period, status and as-of date with agreeing scopes meet in one equation; a figure
that is approximate, planned or derived enters none. Every rule answers: with its findings, or once with
`not_applicable`. `expected` is what the other figures give, `actual` what the report states.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from extraction.arithmetic import format_number, format_sum
from extraction.checks_across import Statement, check_across
from extraction.checks_duplicates import check_duplicate
from extraction.checks_evidence import ends_open, find_unread, in_one_sentence
from extraction.checks_rates import check_integer_feasible, check_ratio, check_share
from extraction.findings import make_check, make_silent
from extraction.model import Check, Observation, Verdict
from extraction.rules import Formula, Rule, Rules
from extraction.terms import Context, Figures, Table, context_of, formula_contexts, is_exact, may_refute, value_of
from extraction.yoy import check_yoy

__all__ = ["Statement", "check_across", "check_document"]

Found = Iterator[Check]
OVERLAPPING = ("各项之间可能有重叠", "so the parts may overlap")
UNUSUAL = (
    "超出一个县（区）一年的通常范围，可能是读错了数字或口径不同",
    "outside the usual range of one county and year, so the number may be misread or its scope another",
)


def _keep_widest(checks: list[Check]) -> list[Check]:
    """One finding per equation: a finding whose figures are all in a wider one says nothing new."""
    kept: list[Check] = []
    for check in sorted(checks, key=lambda c: (-len(c.observations), c.observations)):
        if not any(set(check.observations) <= set(other.observations) for other in kept):
            kept.append(check)
    return sorted(kept, key=lambda c: c.observations)


def _per_context(table: Table, rule: Rule, decide: Callable[[Formula, Context], Check | None]) -> Found:
    for formula in rule.formulas:
        found = [decide(formula, context) for context in formula_contexts(table, formula)]
        yield from _keep_widest([check for check in found if check is not None])


# -- sums and subsets -----------------------------------------------------------------------------


def _compare_sums(rule: Rule, left: Figures, right: Figures, sign: str, context: Context) -> Check:
    """`sign` is what must stand between left and right; the total is written last and quoted first."""
    a, b = (right, left) if sign == "=" and len(left.values) == 1 else (left, right)
    if sign == ">=":
        a, b, sign = right, left, "<="
    holds = a.total == b.total if sign == "=" else a.total <= b.total
    shown = {("=", True): "=", ("=", False): "≠", ("<=", True): "≤", ("<=", False): ">"}[sign, holds]
    middle = f" = {format_number(a.total)}" if not holds and len(a.values) > 1 else ""
    formula = f"{format_sum(a.values)}{middle} {shown} {format_sum(b.values)}"
    verdict = "holds" if holds else rule.on_fail
    gap = format_number(abs(a.total - b.total))
    told = None
    if not holds and sign == "=":
        told = (f"两边相差{gap}", f"the two sides are {gap} apart")
    elif not holds:
        told = (f"前者不应大于后者，却多出{gap}", f"the first should not exceed the second, yet is {gap} larger")
    used = tuple(i for i in (*b.indexes, *a.indexes) if i >= 0)
    return make_check(rule, verdict, used, formula, context.period, a.total, b.total, Decimal(0), told)


def _check_sum_equal(table: Table, rule: Rule) -> Found:
    def decide(formula: Formula, context: Context) -> Check | None:
        left, left_complete, left_added = table.resolve_sum(formula.left, context, may_add=True)
        right, right_complete, right_added = table.resolve_sum(formula.right, context, may_add=True)
        if not left.values or not right.values:
            return None
        if left_complete and (left.total == right.total or (right_complete and not rule.open)):
            sign = "="
        elif left_complete:
            sign = "=" if _is_near_miss(table, rule, left, right) else ">="
        elif right_complete and not rule.open:
            sign = "<="
        else:
            return None
        check = _compare_sums(rule, left, right, sign, context)
        if check.verdict == "holds":
            return check
        if completed := _complete(table, left, right):
            return _compare_sums(rule, *completed, "=", context)
        # Parallel rows may overlap, so their sum can confirm an equation but not refute it.
        return check if not (left_added or right_added) and may_refute(table, check) else None

    return _per_context(table, rule, decide)


def _is_near_miss(table: Table, rule: Rule, total: Figures, parts: Figures) -> bool:
    """A list in one sentence that all but fills its total and names no rest is a failed list, not a selection."""
    if len(parts.indexes) < rule.min_rows or not 0 < total.total - parts.total <= rule.near * total.total:
        return False
    rows = sorted((table.all[i] for i in parts.indexes), key=lambda o: o.start)
    return all(in_one_sentence(rows[0], row) for row in rows) and not ends_open(rows[-1])


def _complete(table: Table, left: Figures, right: Figures) -> tuple[Figures, Figures] | None:
    """Both sides with the one number that makes them equal, where their sentences state it and no metric read it."""
    used = [table.all[i] for i in (*left.indexes, *right.indexes)]
    gap = left.total - right.total
    place = find_unread(used, table.all, abs(gap))
    if place is None:
        return None
    short = right if gap > 0 else left
    before = sum(table.all[i].start < place for i in short.indexes)
    filled = Figures(
        (*short.indexes[:before], -1, *short.indexes[before:]),
        (*short.values[:before], abs(gap), *short.values[before:]),
    )
    return (left, filled) if gap > 0 else (filled, right)


def _check_subset(table: Table, rule: Rule) -> Found:
    def decide(formula: Formula, context: Context) -> Check | None:
        left, _, _ = table.resolve_sum(formula.left, context)
        right, _, _ = table.resolve_sum(formula.right, context)
        if not left.values or not right.values:
            return None
        check = _compare_sums(rule, left, right, "<=", context)
        if check.verdict == "holds":
            return check
        all_stated = all(table.resolve(term, context) is not None for term in formula.right)
        tied = not rule.tied or _is_tied(table, left, right)
        return check if all_stated and tied and may_refute(table, check) else None

    return _per_context(table, rule, decide)


def _is_tied(table: Table, part: Figures, whole: Figures) -> bool:
    """The whole is told before its part, in the same sentence: a sentence that goes on to another kind is no whole."""
    pairs = [(table.all[p], table.all[w]) for p in part.indexes for w in whole.indexes]
    return all(w.start <= p.start and in_one_sentence(p, w) for p, w in pairs)


def _check_stock_change(table: Table, rule: Rule) -> Found:
    """Two stocks of one metric and the change between them. Two populations look the same, so it only confirms."""

    def decide(formula: Formula, context: Context) -> Check | None:
        change, complete, _ = table.resolve_sum(formula.right, context)
        first: dict[Decimal, int] = {}
        for index in table.list_candidates(formula.left[0].metrics[0], context):
            first.setdefault(value_of(table.all[index]), index)
        if not complete or len(first) != 2:
            return None
        after, before = sorted(first)
        if before - change.total != after:
            return None
        text = f"{format_number(before)} - {format_number(change.total)} = {format_number(after)}"
        used = (first[before], *change.indexes, first[after])
        return make_check(rule, "holds", used, text, context.period, after, after, Decimal(0))

    return _per_context(table, rule, decide)


def _check_breakdown(table: Table, rule: Rule) -> Found:
    rows: dict[int, list[int]] = defaultdict(list)
    for index, o in enumerate(table.all):
        if o.breakdown_of is not None and 0 <= o.breakdown_of < len(table.all):
            whole_row = table.all[o.breakdown_of]
            same = (whole_row.metric, whole_row.period, whole_row.status) == (o.metric, o.period, o.status)
            if same and is_exact(whole_row):
                rows[o.breakdown_of].append(index)
    for total_index, parts in sorted(rows.items()):
        if not all(is_exact(table.all[i]) for i in parts):
            continue
        total = value_of(table.all[total_index])
        figures = Figures(tuple(parts), tuple(value_of(table.all[i]) for i in parts))
        gap = total - figures.total
        last = max((table.all[i] for i in parts), key=lambda o: o.start)
        is_full = len(parts) >= rule.min_rows and gap <= rule.near * total and not ends_open(last)
        sign = "=" if gap == 0 or (len(parts) > 1 and (gap < 0 or is_full)) else ">="
        whole, context = Figures((total_index,), (total,)), context_of(table.all[total_index])
        check = _compare_sums(rule, whole, figures, sign, context)
        if len(parts) > 1 and -gap > rule.near * total:
            zh, en = OVERLAPPING
            check = replace(
                check,
                verdict="differs",
                message_zh=f"{check.message_zh.removesuffix('。')}，{zh}。",
                message_en=f"{check.message_en.removesuffix('.')}, {en}.",
            )
        yield check


# -- single figures -------------------------------------------------------------------------------


def _check_range(table: Table, rule: Rule, rules: Rules) -> Found:
    """One finding per figure out of range, and one for all that are inside."""
    inside: list[int] = []
    for index, o in enumerate(table.all):
        facts = rules.metrics.get(o.metric)
        if facts is None or o.value is None:
            continue
        text = format_number(o.value)
        verdict: Verdict = "fails"
        if o.value < 0 or (facts.unit == "percent" and o.value > 100):
            limits = "0 ≤ {} ≤ 100" if facts.unit == "percent" else "0 ≤ {}"
            formula, told = f"{limits.format(text)} ✗", ("数值不可能成立", "no such value is possible")
        elif facts.kind == "count" and o.value != o.value.to_integral_value():
            formula, told = f"{text} ∉ ℤ", ("计数不应有小数", "a count has no fraction")
        elif o.breakdown_of is None and not facts.plausible_low <= o.value <= facts.plausible_high:
            low, high = format_number(facts.plausible_low), format_number(facts.plausible_high)
            formula, told, verdict = f"{low} ≤ {text} ≤ {high} ✗", UNUSUAL, "differs"
        else:
            inside.append(index)
            continue
        yield make_check(rule, verdict, (index,), formula, o.period, None, o.value, None, told)
    if inside:
        yield make_check(rule, "holds", tuple(inside), f"n = {len(inside)}", None, None, None, None)


_CHECKERS: dict[str, Callable[[Table, Rule], Found]] = {
    "sum_equal": _check_sum_equal,
    "subset_le": _check_subset,
    "stock_change": _check_stock_change,
    "breakdown": _check_breakdown,
    "ratio": check_ratio,
    "integer_feasible": check_integer_feasible,
    "share": check_share,
    "duplicate": check_duplicate,
    "yoy": check_yoy,
}


def check_document(observations: Sequence[Observation], rules: Rules) -> tuple[Check, ...]:
    """All findings of one report in rule order; `Check.observations` are indexes into `observations`."""
    table = Table(observations)
    checks: list[Check] = []
    for rule in rules.rules:
        if "document" not in rule.reach:
            continue
        found = list(_check_range(table, rule, rules) if rule.type == "range" else _CHECKERS[rule.type](table, rule))
        checks.extend(found or [make_silent(rule)])
    return tuple(checks)
