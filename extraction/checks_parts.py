"""Parts of one total: those that extraction tied to it, and rows that name several bodies."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from extraction.checks_columns import check_columns
from extraction.checks_evidence import PASSAGE, ends_open, find_listed, in_one_passage
from extraction.checks_lists import check_lists
from extraction.findings import compare_sums
from extraction.model import Check
from extraction.rules import Rule
from extraction.terms import Context, Figures, Table, context_of, is_exact, value_of

Found = Iterator[Check]
OVERLAPPING = ("各项之间可能有重叠", "so the parts may overlap")


def check_breakdown(table: Table, rule: Rule) -> Found:
    """What extraction tied together comes first; a list of plain numbers is told where that says nothing of it."""
    tied = [*_check_parts(table, rule), *_check_rows(table, rule)]
    for check in tied:
        table.tell(check)
    lists = [*check_lists(table, rule), *check_columns(table, rule)]
    full = [frozenset(check.observations) for check in lists if check.observations]
    closed = [check.observations for check in (*tied, *lists) if check.verdict == "holds" and "≤" not in check.formula]
    for check in tied:
        if "≤" not in check.formula or not (_is_told(check, full) or _counts_twice(check, closed)):
            yield check
    yield from {check.formula: check for check in lists}.values()


def _is_told(check: Check, full: Sequence[frozenset[int]]) -> bool:
    return any(wide.issuperset(check.observations) for wide in full)


def _counts_twice(check: Check, closed: Sequence[tuple[int, ...]]) -> bool:
    """Whether among the parts stand a figure and its own parts: they were tied to the wrong total."""
    parts = set(check.observations[1:])
    return any(total[0] in parts and parts.intersection(total[1:]) for total in closed if total)


def _check_parts(table: Table, rule: Rule) -> Found:
    rows: dict[int, list[int]] = defaultdict(list)
    for index, o in enumerate(table.all):
        if o.breakdown_of is not None and 0 <= o.breakdown_of < len(table.all):
            whole_row = table.all[o.breakdown_of]
            same = (whole_row.metric, whole_row.period, whole_row.status) == (o.metric, o.period, o.status)
            if same and is_exact(whole_row):
                rows[o.breakdown_of].append(index)
    for total_index, parts in sorted(rows.items()):
        if all(is_exact(table.all[i]) for i in parts):
            yield _check_total(table, rule, total_index, parts)


def _check_total(table: Table, rule: Rule, total_index: int, parts: list[int]) -> Check:
    total = value_of(table.all[total_index])
    figures = Figures(tuple(parts), tuple(value_of(table.all[i]) for i in parts))
    whole, context = Figures((total_index,), (total,)), context_of(table.all[total_index])
    gap = total - figures.total
    if gap > 0 and (completed := _fill(table, total_index, parts, gap)):
        return compare_sums(rule, whole, completed, "=", context)
    last = max((table.all[i] for i in parts), key=lambda o: o.start)
    is_full = len(parts) >= rule.min_rows and gap <= rule.near * total and not ends_open(last)
    sign = "=" if gap == 0 or (len(parts) > 1 and (gap < 0 or is_full)) else ">="
    check = compare_sums(rule, whole, figures, sign, context)
    return _doubt(check) if len(parts) > 1 and -gap > rule.near * total else check


def _doubt(check: Check) -> Check:
    zh, en = OVERLAPPING
    return replace(
        check,
        verdict="differs",
        message_zh=f"{check.message_zh.removesuffix('。')}，{zh}。",
        message_en=f"{check.message_en.removesuffix('.')}, {en}.",
    )


def _fill(table: Table, total_index: int, parts: Sequence[int], gap: Decimal) -> Figures | None:
    """The parts with the one listed number that completes them, whether or not a metric has read it."""
    rows = [table.all[i] for i in parts]
    place = find_listed(table.all[total_index], rows, gap)
    if place is None:
        return None
    here = table.list_at(place)
    filled = sorted([*((table.all[i].start, i) for i in parts), (place, here[0] if here else -1)])
    return Figures(
        tuple(i for _, i in filled), tuple(gap if at == place else value_of(table.all[i]) for at, i in filled)
    )


# -- rows of a table --------------------------------------------------------------------------------


def _check_rows(table: Table, rule: Rule) -> Found:
    """Rows of one metric for several bodies against the metric's figure for all of them, stated nearby.

    A table is a whole, so a near miss fails; bodies named in prose may be a selection, which can only agree.
    """
    groups: dict[tuple[str, Context], list[int]] = defaultdict(list)
    wholes: dict[tuple[str, Context], list[int]] = defaultdict(list)
    told = Counter([o.metric for o in table.all if o.scope is not None])
    often = {metric for metric, times in told.items() if times >= rule.min_rows}
    for index in sorted(i for metric in often for i in table.by_metric.get(metric, ())):
        o = table.all[index]
        if o.breakdown_of is None:
            key = (o.metric, context_of(o)._replace(scope=None, as_of=None))
            (groups if o.scope is not None else wholes)[key].append(index)
    for key, rows in groups.items():
        scopes = [table.all[i].scope for i in rows]
        if len(rows) < rule.min_rows or len(set(scopes)) != len(rows):
            continue
        figures = Figures(tuple(rows), tuple(value_of(table.all[i]) for i in rows))
        first, last = table.all[rows[0]].start, table.all[rows[-1]].start
        if not in_one_passage(table.all[i] for i in rows):
            continue
        near = [i for i in wholes[key] if first - PASSAGE <= table.all[i].start <= last + PASSAGE]
        equal = [i for i in near if value_of(table.all[i]) == figures.total]
        is_table = all("|" in table.all[i].quote for i in rows)
        missed = [i for i in near if is_table and _is_near(value_of(table.all[i]), figures.total, rule)]
        for index in (equal or missed)[:1]:
            whole = Figures((index,), (value_of(table.all[index]),))
            yield compare_sums(rule, whole, figures, "=", context_of(table.all[index]))


def _is_near(total: Decimal, parts: Decimal, rule: Rule) -> bool:
    return abs(total - parts) <= rule.near * total
