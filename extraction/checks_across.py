"""Checks across the reports of one region: restatement, year on year and magnitude. Pure; called at publish."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from extraction.arithmetic import format_number
from extraction.checks_evidence import is_change_of
from extraction.findings import Told, make_check, name_period_en, name_period_zh, name_value
from extraction.model import Check, Observation
from extraction.rules import Rule, Rules
from extraction.terms import is_exact, scopes_agree, value_of
from extraction.yoy import check_change, shift_period

PART_YEAR = ("，统计截止于年内，可以解释差异", ", which covers only part of its year and explains the difference")


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
        self._restated: dict[tuple[str, str, str], set[Decimal]] = defaultdict(set)
        for i in self.indexes:
            s, o = statements[i], statements[i].observation
            if o.status == "prior_period":
                self._restated[s.document_id, o.metric, o.period].add(value_of(o))
            if o.status in ("actual", "cumulative") and o.breakdown_of is None and o.period[:4] == str(s.report_year):
                self._actual[o.metric, o.period].append(i)

    def list_restated(self, index: int, period: str) -> set[Decimal]:
        """The values that the report of `index` itself gives its metric for the earlier `period`."""
        s = self.statements[index]
        return self._restated.get((s.document_id, s.observation.metric, period), set())

    def is_only_value(self, index: int) -> bool:
        """Whether its report gives the metric one value for the year, so that it cannot be another kind's."""
        s, o = self.statements[index], self.statements[index].observation
        said = [self.statements[i] for i in self._actual.get((o.metric, o.period), ())]
        return len({one.observation.value for one in said if one.document_id == s.document_id}) == 1

    def find_own_year(self, index: int, period: str) -> int | None:
        """What the report on `period` itself said of the metric, scope and dimension of statement `index`."""
        s, o = self.statements[index], self.statements[index].observation
        found = [
            i
            for i in self._actual.get((o.metric, period), ())
            if self.statements[i].document_id != s.document_id
            and self.statements[i].observation.dimension == o.dimension
            and self.statements[i].observation.unit == o.unit
            and scopes_agree(self.statements[i].observation.scope, o.scope)
        ]
        found = [i for i in found if self.statements[i].observation.scope == o.scope] or found
        if not found:
            return None
        latest = max(self.statements[i].published_at for i in found)
        newest = [i for i in found if self.statements[i].published_at == latest]
        return newest[0] if len({self.statements[i].observation.value for i in newest}) == 1 else None


def _is_part_year(statement: Statement) -> bool:
    """A date of the figure before the year's end, or a report that was out before the year had ended."""
    o = statement.observation
    if o.as_of is not None:
        return o.as_of not in (f"{o.period[:4]}-12", f"{o.period[:4]}-12-31")
    return statement.published_at[:4] == str(statement.report_year) and o.period == str(statement.report_year)


def _tell(now: Statement, then: Statement, *, explained: bool) -> Told:
    """What each of two reports says of the year of `then`."""
    o, own = now.observation, then.observation
    zh = f"{now.report_year}年报告称{name_period_zh(own.period)}为{name_value(value_of(o), o.unit_zh)}，"
    en = f"the {now.report_year} report puts {name_period_en(own.period)} at {format_number(value_of(o))}, "
    return _end(zh, en, then, explained)


def _tell_change(now: Statement, then: Statement, *, explained: bool) -> Told:
    o = now.observation
    change = o.yoy_percent if o.yoy_percent is not None else o.yoy_change or Decimal(0)
    unit = "%" if o.yoy_percent is not None else o.unit_zh
    zh = f"{now.report_year}年报告称{name_period_zh(o.period)}为{name_value(value_of(o), o.unit_zh)}、"
    zh += f"较上年变化{name_value(change, unit)}，"
    en = f"the {now.report_year} report states {format_number(value_of(o))} and a change of "
    en += f"{name_value(change, '%' if unit == '%' else '')}, "
    return _end(zh, en, then, explained)


def _end(zh: str, en: str, then: Statement, explained: bool) -> Told:
    own = then.observation
    zh += f"{then.report_year}年报告为{name_value(value_of(own), own.unit_zh)}"
    en += f"the {then.report_year} report says {format_number(value_of(own))}"
    return (zh + PART_YEAR[0], en + PART_YEAR[1]) if explained else (zh, en)


def _check_restatement(region: _Region, rule: Rule) -> Iterator[Check]:
    for index in region.indexes:
        now = region.statements[index]
        o = now.observation
        if o.status != "prior_period" or (own := region.find_own_year(index, o.period)) is None:
            continue
        then = region.statements[own]
        now_value, then_value = value_of(o), value_of(then.observation)
        holds = now_value == then_value
        if not holds and len(region.list_restated(index, o.period)) > 1:
            continue  # earlier figures of several kinds: nobody knows which of them was told before
        explained = not holds and _is_part_year(then)
        verdict = "holds" if holds else "not_applicable" if explained else rule.on_fail
        text = f"{format_number(now_value)} {'=' if holds else '≠'} {format_number(then_value)}"
        told = _tell(now, then, explained=explained)
        yield make_check(rule, verdict, (index, own), text, o.period, then_value, now_value, Decimal(0), told)


def _check_yoy(region: _Region, rule: Rule) -> Iterator[Check]:
    """The stated change against what last year's own report said. Warnings for figures of whole years only."""
    for index in region.indexes:
        now = region.statements[index]
        o = now.observation
        if o.status == "prior_period" or (o.yoy_percent is None and o.yoy_change is None):
            continue
        own = region.find_own_year(index, shift_period(o.period, -1))
        if own is None:
            continue
        then = region.statements[own]
        for check in check_change(rule, o, value_of(then.observation), (index, own)):
            if check.verdict in ("holds", "truncated"):
                yield check
                continue
            tiny = min(value_of(o), value_of(then.observation)) < rule.floor
            if tiny or region.list_restated(index, then.observation.period) or not is_change_of(o):
                continue
            explained = _is_part_year(then) or _is_part_year(now)
            yield make_check(
                rule, "not_applicable" if explained else "differs", (index, own), check.formula, check.period,
                check.expected, check.actual, check.tolerance, _tell_change(now, then, explained=explained),
            )  # fmt: skip


def _check_magnitude(region: _Region, rule: Rule, rules: Rules) -> Iterator[Check]:
    """A flow that grows or shrinks out of all proportion hints at another unit or scope."""
    seen: set[tuple[str, str, str | None]] = set()
    for index in region.indexes:
        now = region.statements[index]
        o = now.observation
        facts = rules.metrics.get(o.metric)
        if facts is None or facts.measure != "flow" or o.status != "actual" or o.breakdown_of is not None:
            continue
        if o.period != str(now.report_year) or (own := region.find_own_year(index, shift_period(o.period, -1))) is None:
            continue
        subject = (now.document_id, o.metric, o.dimension)
        if subject in seen or not _is_comparable(region, rule, index, own):
            continue
        seen.add(subject)
        then = region.statements[own]
        ratio = value_of(o) / value_of(then.observation)
        holds = rule.low <= ratio <= rule.high
        text = f"{format_number(value_of(o))} / {format_number(value_of(then.observation))} = {ratio:.3f}"
        told = None if holds else _tell_size(now, then)
        verdict = "holds" if holds else rule.on_fail
        yield make_check(rule, verdict, (index, own), text, o.period, None, ratio, None, told)


def _is_comparable(region: _Region, rule: Rule, index: int, own: int) -> bool:
    """Whole years, one scope, one measure word, one value in each report, and no figures too small to tell."""
    now, then = region.statements[index], region.statements[own]
    o, before = now.observation, then.observation
    return (
        min(value_of(o), value_of(before)) >= max(rule.floor, Decimal(1))
        and (o.scope, o.unit_zh) == (before.scope, before.unit_zh)
        and not _is_part_year(now)
        and not _is_part_year(then)
        and region.is_only_value(index)
        and region.is_only_value(own)
    )


def _tell_size(now: Statement, then: Statement) -> Told:
    said = [(s.report_year, name_value(value_of(s.observation), s.observation.unit_zh)) for s in (now, then)]
    plain = [format_number(value_of(s.observation)) for s in (now, then)]
    return (
        f"{said[0][0]}年报告为{said[0][1]}，{said[1][0]}年报告为{said[1][1]}，相差悬殊，可能单位或口径不同",
        f"the {said[0][0]} report says {plain[0]} and the {said[1][0]} report {plain[1]}, "
        "so far apart that unit or scope may differ",
    )


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
