"""Checks across the reports of one region: restatement, year on year and magnitude. Pure; called at publish."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from extraction.arithmetic import format_number
from extraction.findings import make_check
from extraction.model import Check, Observation
from extraction.rules import Rule, Rules
from extraction.terms import is_exact, scopes_agree, value_of
from extraction.yoy import check_change, shift_period

PART_YEAR = ("上年报告只统计到年内某日,可以解释", "last year's report covered only part of its year, which explains it")


@dataclass(frozen=True, slots=True)
class Statement:
    """An observation and the report that states it."""

    document_id: str
    published_at: str
    """ISO date or time; of two reports on one year the later speaks."""
    report_year: int
    region_code: str
    observation: Observation


class _Region:
    """The statements of one region by metric and period. Indexes are those of the caller's sequence."""

    def __init__(self, statements: Sequence[Statement], indexes: Sequence[int]) -> None:
        self.statements = statements
        self.indexes = [i for i in indexes if is_exact(statements[i].observation)]
        self._actual: dict[tuple[str, str], list[int]] = defaultdict(list)
        for i in self.indexes:
            s, o = statements[i], statements[i].observation
            if o.status in ("actual", "cumulative") and o.breakdown_of is None and o.period[:4] == str(s.report_year):
                self._actual[o.metric, o.period].append(i)

    def find_own_year(self, index: int, period: str) -> int | None:
        """What the report on `period` itself said of the metric, scope and dimension of statement `index`."""
        s, o = self.statements[index], self.statements[index].observation
        found = [
            i
            for i in self._actual.get((o.metric, period), ())
            if self.statements[i].document_id != s.document_id
            and self.statements[i].observation.dimension == o.dimension
            and scopes_agree(self.statements[i].observation.scope, o.scope)
        ]
        found = [i for i in found if self.statements[i].observation.scope == o.scope] or found
        if not found:
            return None
        latest = max(self.statements[i].published_at for i in found)
        newest = [i for i in found if self.statements[i].published_at == latest]
        return newest[0] if len({self.statements[i].observation.value for i in newest}) == 1 else None


def _is_part_year(observation: Observation) -> bool:
    return observation.as_of is not None and not observation.as_of.startswith(f"{observation.period[:4]}-12-31")


def _check_restatement(region: _Region, rule: Rule) -> Iterator[Check]:
    for index in region.indexes:
        o = region.statements[index].observation
        if o.status != "prior_period" or (own := region.find_own_year(index, o.period)) is None:
            continue
        then = region.statements[own].observation
        now_value, then_value = value_of(o), value_of(then)
        holds = now_value == then_value
        explained = not holds and _is_part_year(then)
        verdict = "holds" if holds else "not_applicable" if explained else rule.on_fail
        text = f"{format_number(now_value)} {'=' if holds else '≠'} {format_number(then_value)}"
        note = PART_YEAR if explained else None
        yield make_check(rule, verdict, (index, own), text, o.period, then_value, now_value, Decimal(0), note)


def _check_yoy(region: _Region, rule: Rule) -> Iterator[Check]:
    """The stated change against what last year's own report said."""
    for index in region.indexes:
        o = region.statements[index].observation
        if o.status == "prior_period" or (o.yoy_percent is None and o.yoy_change is None):
            continue
        own = region.find_own_year(index, shift_period(o.period, -1))
        if own is None:
            continue
        then = region.statements[own].observation
        for check in check_change(rule, o, value_of(then), (index, own)):
            if check.verdict in ("holds", "truncated"):
                yield check
                continue
            explained = _is_part_year(then)
            yield make_check(
                rule, "not_applicable" if explained else "differs", (index, own), check.formula, check.period,
                check.expected, check.actual, check.tolerance, PART_YEAR if explained else None,
            )  # fmt: skip


def _check_magnitude(region: _Region, rule: Rule, rules: Rules) -> Iterator[Check]:
    """A flow that grows or shrinks out of all proportion hints at another unit or scope."""
    for index in region.indexes:
        s, o = region.statements[index], region.statements[index].observation
        facts = rules.metrics.get(o.metric)
        if facts is None or facts.measure != "flow" or o.status != "actual" or o.breakdown_of is not None:
            continue
        if o.period != str(s.report_year) or (own := region.find_own_year(index, shift_period(o.period, -1))) is None:
            continue
        now_value, then_value = value_of(o), value_of(region.statements[own].observation)
        if then_value <= 0 or now_value <= 0:
            continue
        ratio = now_value / then_value
        verdict = "holds" if rule.low <= ratio <= rule.high else rule.on_fail
        text = f"{format_number(now_value)} / {format_number(then_value)} = {ratio.quantize(Decimal('0.001'))}"
        yield make_check(rule, verdict, (index, own), text, o.period, None, ratio, None)


def check_across(statements: Sequence[Statement], rules: Rules) -> tuple[Check, ...]:
    """Findings between reports, by region then rule; `Check.observations` are indexes into `statements`.

    Only pairs that can be compared give a finding: nothing is reported where a report of the year before is absent.
    """
    by_region: dict[str, list[int]] = defaultdict(list)
    for index, statement in enumerate(statements):
        by_region[statement.region_code].append(index)
    checks: list[Check] = []
    for _, indexes in sorted(by_region.items()):
        region = _Region(statements, indexes)
        for rule in rules.rules:
            if "across" not in rule.reach:
                continue
            if rule.type == "prior_restatement":
                checks.extend(_check_restatement(region, rule))
            elif rule.type == "yoy":
                checks.extend(_check_yoy(region, rule))
            elif rule.type == "magnitude":
                checks.extend(_check_magnitude(region, rule, rules))
    return tuple(checks)
