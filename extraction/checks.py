"""The arithmetic of one report, checked by the declared rules. Knows kinds of formula, never a metric.

Only figures of the same period, status and as-of date with agreeing scopes meet in one equation; a figure
that is approximate, planned or derived enters none. Every rule answers: with its findings, or once with
`not_applicable`. `expected` is what the other figures give, `actual` what the report states.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from functools import lru_cache

from extraction.arithmetic import format_number
from extraction.checks_across import Statement, check_across
from extraction.checks_duplicates import check_duplicate
from extraction.checks_evidence import ends_open, find_unread, in_one_sentence, may_refute, says_of_which
from extraction.checks_parts import check_breakdown
from extraction.checks_rates import check_integer_feasible, check_ratio
from extraction.checks_shares import check_share
from extraction.findings import compare_sums, make_check, make_silent
from extraction.model import Check, Mention, Observation, Verdict
from extraction.rules import Formula, Rule, Rules
from extraction.terms import Context, Figures, Table, value_of
from extraction.yoy import check_yoy

__all__ = ["Statement", "check_across", "check_document"]

Found = Iterator[Check]
UNUSUAL = (
    "超出一个县（区）一年的通常范围，可能是读错了数字或口径不同",
    "outside the usual range of one county and year, so the number may be misread or its scope another",
)


def _keep_widest(checks: list[Check]) -> list[Check]:
    """One finding per equation: a finding whose figures are all in a wider one says nothing new."""
    if len(checks) < 2:
        return checks
    kept: list[Check] = []
    using: dict[int, list[frozenset[int]]] = defaultdict(list)
    for check in sorted(checks, key=lambda c: (-len(c.observations), c.observations)):
        used = frozenset(check.observations)
        if not any(used <= wider for wider in using[check.observations[0]]):
            kept.append(check)
            for index in used:
                using[index].append(used)
    return sorted(kept, key=lambda c: c.observations)


def _per_context(table: Table, rule: Rule, decide: Callable[[Table, Formula, Context], Check | None]) -> Found:
    """In the whole report, where a metric must have one value, and in each sentence, whose own value counts first."""
    for formula in rule.formulas:
        times = table.list_times(formula)
        if not times:
            continue
        known = [metric for metric in formula.metrics if metric in table.by_metric]
        if len(known) < 2:
            continue
        found: list[Check] = []
        for context in table.list_contexts(formula, times):
            check = decide(table, formula, context)
            if check is not None:
                found.append(check)
        for sentence in table.list_sentences(known):
            for context in sentence.list_contexts(formula, times):
                check = decide(sentence, formula, context)
                if check is not None and sentence.proves(check):
                    found.append(check)
        yield from _keep_widest(found)


# -- sums and subsets -----------------------------------------------------------------------------

Judge = Callable[[Table, Rule, Figures, Figures, Context], Check | None]


def _compare_sides(table: Table, rule: Rule, judge: Judge, *, may_add: bool = False) -> Found:
    """Both sides of each formula in each context; many contexts give the same figures, which are judged once."""
    judged: dict[tuple[object, ...], Check | None] = {}

    def decide(table: Table, formula: Formula, context: Context) -> Check | None:
        left = table.resolve_sum(formula.left, context, may_add)
        if not left.indexes:
            return None
        right = table.resolve_sum(formula.right, context, may_add)
        if not right.indexes:
            return None
        key = (
            left.indexes, right.indexes, left.is_complete, right.is_complete, left.is_added, right.is_added,
            right.is_full, context.period,
        )  # fmt: skip
        if key not in judged:
            judged[key] = judge(table, rule, left, right, context)
        return judged[key]

    return _per_context(table, rule, decide)


def _check_sum_equal(table: Table, rule: Rule) -> Found:
    return _compare_sides(table, rule, _judge_sum, may_add=True)


def _judge_sum(table: Table, rule: Rule, left: Figures, right: Figures, context: Context) -> Check | None:
    if left.is_complete and (left.total == right.total or (right.is_complete and not rule.open)):
        sign = "="
    elif left.is_complete:
        sign = "=" if _is_near_miss(table, rule, left, right) else ">="
    elif right.is_complete and not rule.open:
        sign = "<="
    else:
        return None
    if sign == "=" and left.total == right.total:
        return compare_sums(rule, left, right, sign, context)
    holds = sign != "=" and (left.total >= right.total if sign == ">=" else left.total <= right.total)
    if not (holds and not rule.open) and (completed := _complete(table, left, right)):
        return compare_sums(rule, *completed, "=", context)
    check = compare_sums(rule, left, right, sign, context)
    if holds:
        return check
    # Parallel rows may overlap, so their sum can confirm an equation but not refute it.
    return (
        check
        if not (left.is_added or right.is_added) and may_refute([table.all[i] for i in check.observations])
        else None
    )


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
    return _compare_sides(table, rule, _judge_subset)


def _judge_subset(table: Table, rule: Rule, left: Figures, right: Figures, context: Context) -> Check | None:
    if left.total > right.total:
        all_stated = right.is_full or _is_inside(table, left, right)
        if not all_stated or (rule.tied and not _is_tied(table, left, right)):
            return None
        check = compare_sums(rule, left, right, "<=", context)
        return check if may_refute([table.all[i] for i in check.observations]) else None
    return compare_sums(rule, left, right, "<=", context)


def _is_inside(table: Table, part: Figures, whole: Figures) -> bool:
    """案件45件，其中胜诉33件: the text itself says what the part is a part of, so nothing unstated can explain more."""
    if len(whole.indexes) != 1:
        return False
    total = table.all[whole.indexes[0]]
    return all(says_of_which(total, table.all[i]) for i in part.indexes)


def _is_tied(table: Table, part: Figures, whole: Figures) -> bool:
    """The whole is told before its part, in the same sentence: a sentence that goes on to another kind is no whole."""
    pairs = [(table.all[p], table.all[w]) for p in part.indexes for w in whole.indexes]
    return all(w.start <= p.start and in_one_sentence(p, w) for p, w in pairs)


def _check_stock_change(table: Table, rule: Rule) -> Found:
    """Two stocks of one metric and the change between them. Two populations look the same, so it only confirms."""

    def decide(table: Table, formula: Formula, context: Context) -> Check | None:
        change = table.resolve_sum(formula.right, context)
        first: dict[Decimal, int] = {}
        for index in table.list_candidates(formula.left[0].metrics[0], context):
            first.setdefault(value_of(table.all[index]), index)
        if not change.is_complete or len(first) != 2:
            return None
        after, before = sorted(first)
        if before - change.total != after:
            return None
        text = f"{format_number(before)} - {format_number(change.total)} = {format_number(after)}"
        used = (first[before], *change.indexes, first[after])
        return make_check(rule, "holds", used, text, context.period, after, after, Decimal(0))

    return _per_context(table, rule, decide)


# -- single figures -------------------------------------------------------------------------------


@lru_cache(maxsize=4)
def _list_bounds(rules: Rules) -> dict[str, tuple[Decimal, Decimal, bool]]:
    """The bounds of each metric within which a figure is beyond doubt, and whether it must be whole."""
    return {
        code: (
            max(facts.plausible_low, Decimal(0)),
            min(facts.plausible_high, Decimal(100)) if facts.unit == "percent" else facts.plausible_high,
            facts.kind == "count",
        )
        for code, facts in rules.metrics.items()
    }


def _check_range(table: Table, rule: Rule, rules: Rules) -> Found:
    """One finding per figure out of range, and one for all that are inside."""
    inside: list[int] = []
    bounds = _list_bounds(rules)
    for index, o in enumerate(table.all):
        bound = bounds.get(o.metric)
        if bound is None or o.value is None:
            continue
        if bound[0] <= o.value <= bound[1] and (not bound[2] or o.value == o.value.to_integral_value()):
            inside.append(index)  # as most are
            continue
        facts = rules.metrics[o.metric]
        verdict: Verdict = "fails"
        if o.value < 0 or (facts.unit == "percent" and o.value > 100):
            limits = "0 ≤ {} ≤ 100" if facts.unit == "percent" else "0 ≤ {}"
            formula, told = (
                f"{limits.format(format_number(o.value))} ✗",
                ("数值不可能成立", "no such value is possible"),
            )
        elif facts.kind == "count" and o.value != o.value.to_integral_value():
            formula, told = f"{format_number(o.value)} ∉ ℤ", ("计数不应有小数", "a count has no fraction")
        elif o.breakdown_of is None and not facts.plausible_low / rule.slack <= o.value <= facts.plausible_high:
            low, high = format_number(facts.plausible_low), format_number(facts.plausible_high)
            formula, told, verdict = f"{low} ≤ {format_number(o.value)} ≤ {high} ✗", UNUSUAL, "differs"
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
    "breakdown": check_breakdown,
    "ratio": check_ratio,
    "integer_feasible": check_integer_feasible,
    "share": check_share,
    "duplicate": check_duplicate,
    "yoy": check_yoy,
}


def check_document(
    observations: Sequence[Observation], rules: Rules, mentions: Sequence[Mention] = (), text: str = ""
) -> tuple[Check, ...]:
    """All findings of one report in rule order; `Check.observations` are indexes into `observations`.

    `mentions` and `text` let lists be added up whose numbers no metric has read.
    """
    table = Table(observations, mentions, text)
    found: dict[str, list[Check]] = {}
    own, ordered, silent = _order_rules(rules)
    for rule in ordered:
        checks = list(_check_range(table, rule, rules) if rule.type == "range" else _CHECKERS[rule.type](table, rule))
        for check in checks:
            table.tell(check)
        found[rule.id] = checks
    lists = [check for rule in own if rule.type in ("sum_equal", "breakdown") for check in found[rule.id]]
    closed = [_list_parts(table, one) for one in lists if one.verdict == "holds" and one.formula.count(" = ") == 1]
    told: list[Check] = []
    for rule in own:
        sound = [check for check in found[rule.id] if check.verdict != "fails" or not _is_misread(table, check, closed)]
        told += sound or [silent[rule.id]]
    table.close()
    return tuple(told)


@lru_cache(maxsize=4)
def _order_rules(rules: Rules) -> tuple[list[Rule], list[Rule], dict[str, Check]]:
    """The rules of one report, the order they are checked in, and what each says that finds nothing."""
    own = [rule for rule in rules.rules if "document" in rule.reach]
    ordered = sorted(own, key=lambda r: r.type == "breakdown")  # last: its plain lists repeat nothing
    return own, ordered, {rule.id: make_silent(rule) for rule in own}


def _list_parts(table: Table, closed: Check) -> frozenset[int]:
    """The figures of an equation but its total, which may be a number that no metric has read."""
    return frozenset(i for i in closed.observations if table.all[i].value != closed.actual)


def _is_misread(table: Table, check: Check, closed: Sequence[frozenset[int]]) -> bool:
    """A failure among figures that are all parts of one list which adds up: its total was taken for what it is not."""
    counts = {i for i in check.observations if table.all[i].unit != "percent"}
    return len(counts) > 1 and any(counts <= parts for parts in closed)
