"""Stated shares against their counts. Rounding, truncation, and a largest share set so that all add up to 100 are told
apart: the last one fails as a share, and its message says what it was set for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from extraction.arithmetic import count_decimals, format_number, format_sum, judge_rate
from extraction.checks_evidence import find_joint_share, in_one_passage, in_one_sentence, may_open_joint, sums_up
from extraction.findings import Told, make_rate_check
from extraction.model import Check
from extraction.rules import Rule
from extraction.terms import Table, is_exact, value_of

_NEAR = 20
"""Figures around a joint share among which one names the total."""
_MANY = 100
"""Figures before a joint share that are looked at: no list is longer."""


@dataclass(frozen=True, slots=True)
class Share:
    """One stated share: of the figure `index`, or of those listed up to it where `is_joint`."""

    index: int
    percent: Decimal
    decimals: int
    is_joint: bool


def check_share(table: Table, rule: Rule) -> Iterator[Check]:
    groups: dict[int, list[Share]] = defaultdict(list)
    for index, o in enumerate(table.all):
        if not table.is_usable[index] or (o.share_percent is None and not may_open_joint(o)):
            continue
        share = _read_share(table, index)
        whole = _find_whole(table, index) if share else None
        if share is not None and whole is not None:
            groups[whole].append(share)
    for whole, shares in sorted(groups.items()):
        for share in shares:
            if check := _share_check(table, rule, share, whole, shares):
                yield check


def _read_share(table: Table, index: int) -> Share | None:
    o = table.all[index]
    if o.share_percent is not None:
        return Share(index, o.share_percent, count_decimals(None, o.share_percent), sums_up(o))
    joint = find_joint_share(o)
    if joint is None or any(o.start < row.start <= joint[0] < row.end for row in table.all[index : index + 3]):
        return None  # none, or a rate that has a metric of its own
    return Share(index, joint[1], count_decimals(None, joint[1]), is_joint=True)


def _find_whole(table: Table, index: int) -> int | None:
    """The total that the share is of: the named metric's in its sentence, else the one nearest before."""
    o = table.all[index]
    metric = o.share_of
    if metric is None and o.share_percent is None:  # a joint share, of what the shares beside it are of
        near = (table.all[i] for i in range(max(0, index - _NEAR), min(len(table.all), index + _NEAR)))
        metric = next((row.share_of for row in near if row.share_of and in_one_sentence(row, o)), None)
    if metric is None:
        whole = o.breakdown_of
        return whole if whole is not None and is_exact(table.all[whole]) and table.all[whole].value else None
    found = table.narrow(index).list_candidates(metric, table.context(index))
    if len({table.all[i].value for i in found}) > 1:
        found = [i for i in found if table.all[i].scope == o.scope and table.all[i].dimension is None]
    if len({table.all[i].value for i in found}) > 1:
        found = [i for i in found if table.all[i].start < o.start][-1:]
    return found[0] if found and table.all[found[0]].value else None


def _share_check(table: Table, rule: Rule, share: Share, whole_index: int, shares: Sequence[Share]) -> Check | None:
    """The share of one figure, or of the figures listed before it that have none of their own."""
    o, whole = table.all[share.index], value_of(table.all[whole_index])
    run = _list_before(table, share.index, whole_index)
    own = judge_rate(value_of(o) * 100 / whole, share.percent, share.decimals) != "fails" and not share.is_joint
    parts = [share.index] if own else _choose_sum(table, run, whole, share) or [share.index]
    values = [value_of(table.all[i]) for i in parts]
    above = f"({format_sum(values)})" if len(values) > 1 else format_sum(values)
    used = (share.index, *(i for i in parts if i != share.index), whole_index)
    exact = sum(values, Decimal(0)) * 100 / whole
    fails = judge_rate(exact, share.percent, share.decimals, rule.tolerance) == "fails"
    check = make_rate_check(
        rule, used, f"{above} / {format_number(whole)}", exact, share.percent, share.decimals, o.period,
        note_if_failed=_closing_note(table, rule, share, shares, exact) if fails else None,
    )  # fmt: skip
    if check.verdict in ("holds", "truncated") or in_one_passage(table.all[i] for i in used):
        return check
    return None


def _list_before(table: Table, index: int, whole_index: int) -> list[int]:
    """撤销31宗,变更16宗,合计占比5.4%: the figures from the last share or the whole on, in text order."""
    o = table.all[index]
    run = [index]
    for before in range(index - 1, max(-1, index - _MANY), -1):
        row = table.all[before]
        same = (row.period, row.status, row.unit) == (o.period, o.status, o.unit) and in_one_sentence(row, o)
        if before == whole_index or not same or not is_exact(row) or row.share_percent is not None:
            break
        run.insert(0, before)
    return run


def _choose_sum(table: Table, run: list[int], whole: Decimal, share: Share) -> list[int] | None:
    """The end of the run whose sum gives the share; all of it where the text says that it is a sum."""
    total = value_of(table.all[run[-1]])
    for start in range(len(run) - 2, -1, -1):
        total += value_of(table.all[run[start]])
        if judge_rate(total * 100 / whole, share.percent, share.decimals) == "holds":
            return run[start:]
    return run if share.is_joint else None


def _closing_note(table: Table, rule: Rule, share: Share, shares: Sequence[Share], exact: Decimal) -> Told | None:
    """Said of the largest share where all add up to 100 as printed, and would not if it were rounded."""
    if len(shares) < 2 or share.percent != max(one.percent for one in shares):
        return None
    context = table.context(share.index)
    printed = sum((one.percent for one in shares), Decimal(0))
    rates = [value_of(table.all[i]) for metric in rule.closing for i in table.list_candidates(metric, context)]
    rest = next((added for added in (Decimal(0), *rates[:1]) if printed + added == 100), None)
    if rest is None:
        return None
    rounded = exact.quantize(Decimal(1).scaleb(-share.decimals), rounding=ROUND_HALF_UP)
    closed = format_number(printed + rest - share.percent + rounded)
    return (
        f"各项占比合计恰为100%，此项如按四舍五入写作{rounded}%则合计为{closed}%，疑为凑整",
        f"the shares as printed add up to 100%; rounded to {rounded}% this one would make them {closed}%, so it was "
        "probably set to close them",
    )
