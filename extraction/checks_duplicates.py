"""One figure stated twice in a report. Agreement is confirmed freely; a contradiction needs proof of one subject."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations

from extraction.arithmetic import format_number
from extraction.checks_evidence import counted_words, in_one_sentence, is_slip
from extraction.findings import make_check
from extraction.model import Check, Observation
from extraction.rules import Rule
from extraction.terms import Context, Table, value_of

_FEW = 8
_MIN_WORDS = 4
"""A phrase shorter than this (受理) leaves open what is counted."""
_DIFFERS = ("同一数据在两处写法不同", "the report gives two values for one thing")
_UNPROVEN = (
    "同一指标有多个数值，没有证据表明说的是同一件事，未作比较",
    "one metric has several values, nothing proves that they are about one thing, so they were not compared",
)


def check_duplicate(table: Table, rule: Rule) -> Iterator[Check]:
    """Findings by pair of values, then one that counts the figures which could not be compared."""
    groups: dict[tuple[str, Context], list[int]] = defaultdict(list)
    rows = table.all
    several = [i for same in table.by_metric.values() if len(same) > 1 for i in same if rows[i].breakdown_of is None]
    for index in sorted(several):
        groups[rows[index].metric, table.context(index)].append(index)
    unproven: list[int] = []
    for indexes in groups.values():
        if len(indexes) < 2:
            continue
        by_value: dict[object, list[int]] = defaultdict(list)
        for index in indexes:
            by_value[table.all[index].value].append(index)
        for same in by_value.values():
            if len(same) > 1:
                text = " = ".join(format_number(value_of(table.all[i])) for i in same)
                value = value_of(table.all[same[0]])
                yield make_check(rule, "holds", same, text, table.all[same[0]].period, value, value, None)
        if len(by_value) < 2:
            continue
        proven = _find_contradiction(table, indexes)
        if proven is None:
            unproven.extend(indexes)
            continue
        first, second = (table.all[i] for i in proven)
        text = f"{format_number(value_of(first))} ≠ {format_number(value_of(second))}"
        yield make_check(
            rule, rule.on_fail, proven, text, first.period, value_of(first), value_of(second), None, _DIFFERS
        )
    if unproven:
        used = tuple(sorted(unproven))
        yield make_check(rule, "not_applicable", used, f"n = {len(used)}", None, None, None, None, _UNPROVEN)


def _find_contradiction(table: Table, indexes: list[int]) -> tuple[int, int] | None:
    """The first statement that contradicts the one before it in the same words; linear in the statements."""
    last: dict[tuple[str, str], int] = {}
    rows = [table.all[index] for index in indexes]
    if len(rows) < _FEW and not any(_is_same_subject(a, b) for a, b in combinations(rows, 2)):
        return None  # whatever their words, which take longer to compare
    for index in indexes:
        o = table.all[index]
        said = (o.unit_zh, counted_words(o))
        before = last.get(said)
        if before is not None and len(said[1]) > _MIN_WORDS and _is_same_subject(table.all[before], o):
            return before, index
        last[said] = index
    return None


def _is_same_subject(a: Observation, b: Observation) -> bool:
    """Two sentences in the same words, and a scope stated in both, or two counts that a slip of the pen explains."""
    if in_one_sentence(a, b) or a.value == b.value:
        return False
    return a.scope is not None or (a.unit != "percent" and is_slip(value_of(a), value_of(b)))
