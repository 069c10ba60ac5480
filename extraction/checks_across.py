"""Checks across the reports of one region: restatement, year on year and magnitude. Pure; called at publish."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache

from extraction.arithmetic import format_number
from extraction.checks_evidence import is_change_of
from extraction.derived import DERIVED, explain_change
from extraction.findings import Told, make_check, name_period_en, name_period_zh, name_value
from extraction.model import Check, Observation, compile_builder
from extraction.rules import Rule, Rules
from extraction.terms import is_exact, scopes_agree, value_of
from extraction.yoy import check_change, shift_period


@dataclass(frozen=True, slots=True)
class Statement:
    """An observation and the report that states it."""

    document_id: str
    published_at: str
    """ISO date or time; of two reports on one year the later speaks."""
    report_year: int
    region_code: str
    observation: Observation


build_statement = compile_builder(Statement)


class _Region:
    """The statements of one region by metric and period. Indexes are those of the caller's sequence."""

    def __init__(self, statements: Sequence[Statement], indexes: Sequence[int]) -> None:
        self.statements = statements
        self.indexes = [i for i in indexes if is_exact(statements[i].observation)]
        self.implied = [i for i in indexes if statements[i].observation.is_derived]
        said = [statements[i] for i in self.implied]
        self._implied = {(s.document_id, s.observation.metric, s.observation.evidence) for s in said}
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

    def implies(self, index: int) -> bool:
        """Whether the change stated with this figure has been worked out to a value of the year before."""
        s, o = self.statements[index], self.statements[index].observation
        if o.yoy_change is None:
            return False
        return (s.document_id, o.metric, explain_change(value_of(o), o.yoy_change)) in self._implied

    def is_only_value(self, index: int) -> bool:
        """Whether its report gives the metric one value for the year, so that it cannot be another kind's."""
        s, o = self.statements[index], self.statements[index].observation
        said = [self.statements[i] for i in self._actual.get((o.metric, o.period), ())]
        return len({one.observation.value for one in said if one.document_id == s.document_id}) == 1

    def find_own_year(self, index: int, period: str) -> int | None:
        """What the report on `period` itself said of the metric, scope and dimension of statement `index`.

        Where it has no figure of the year it may have one of January to some month.
        """
        s, o = self.statements[index], self.statements[index].observation
        told = self._actual.get((o.metric, period))
        if told is None:
            windows = ((o.metric, window) for window in _windows(period))
            told = next((self._actual[key] for key in windows if key in self._actual), [])
        found = []
        for i in told:
            one, said = self.statements[i], self.statements[i].observation
            if (
                one.document_id != s.document_id
                and said.dimension == o.dimension
                and said.unit == o.unit
                and scopes_agree(said.scope, o.scope)
            ):
                found.append(i)
        found = [i for i in found if self.statements[i].observation.scope == o.scope] or found
        if not found:
            return None
        latest = max(self.statements[i].published_at for i in found)
        newest = [i for i in found if self.statements[i].published_at == latest]
        return newest[0] if len({self.statements[i].observation.value for i in newest}) == 1 else None


@lru_cache(maxsize=200)
def _windows(period: str) -> tuple[str, ...]:
    """Of a year: January to some month, the longest first."""
    return tuple(f"{period}-01/{period}-{month:02}" for month in range(11, 0, -1)) if len(period) == 4 else ()


def _is_part_year(statement: Statement) -> bool:
    """A date of the figure before the year's end, or a report that was out before the year had ended."""
    o = statement.observation
    if "/" in o.period:
        return not o.period.endswith("-12")
    if o.as_of is not None:
        return o.as_of not in (f"{o.period[:4]}-12", f"{o.period[:4]}-12-31")
    return statement.published_at[:4] == str(statement.report_year) and o.period == str(statement.report_year)


def _name_reach(statement: Statement) -> Told:
    """Which part of its year a figure covers."""
    as_of, day, year = statement.observation.as_of, statement.published_at[:10], statement.report_year
    period = statement.observation.period
    if "/" in period:
        return f"{year}年报告只统计{name_period_zh(period)}", f"that the {year} report covers {period} only"
    if as_of is not None:
        return f"{year}年报告只统计到{name_period_zh(as_of)}", f"that the {year} report counts up to {as_of} only"
    return (
        f"{year}年报告{name_period_zh(day)}即已发布、未满全年",
        f"that the {year} report was published on {day}, before its year had ended,",
    )


def _explains(early: Statement, later: Decimal, rules: Rules) -> bool:
    """Whether the part-year `early` may rightly stand beside another figure of its year.

    What is counted up over a year only grows: a lower figure of the whole year is not explained.
    """
    o = early.observation
    facts = rules.metrics.get(o.metric)
    grows = facts is not None and facts.measure == "flow" and facts.kind in ("count", "amount")
    return _is_part_year(early) and not (grows and later < value_of(o))


def _tell(now: Statement, then: Statement, early: Statement | None) -> Told:
    """What each of two reports says of the year of `then`."""
    o, own = now.observation, then.observation
    zh = f"{now.report_year}年报告称{name_period_zh(own.period)}为{name_value(value_of(o), o.unit_zh)}，"
    en = f"the {now.report_year} report puts {name_period_en(own.period)} at {format_number(value_of(o))}, "
    return _end(zh, en, then, early)


def _tell_change(now: Statement, then: Statement, early: Statement | None) -> Told:
    o = now.observation
    change = o.yoy_percent if o.yoy_percent is not None else o.yoy_change or Decimal(0)
    unit = "%" if o.yoy_percent is not None else o.unit_zh
    zh = f"{now.report_year}年报告称{name_period_zh(o.period)}为{name_value(value_of(o), o.unit_zh)}、"
    zh += f"较上年变化{name_value(change, unit)}，"
    en = f"the {now.report_year} report states {format_number(value_of(o))} and a change of "
    en += f"{name_value(change, '%' if unit == '%' else '')}, "
    return _end(zh, en, then, early)


def _end(zh: str, en: str, then: Statement, early: Statement | None) -> Told:
    """`early` covers only part of its year and so explains the difference."""
    own = then.observation
    zh += f"{then.report_year}年报告为{name_value(value_of(own), own.unit_zh)}"
    en += f"the {then.report_year} report says {format_number(value_of(own))}"
    if early is None:
        return zh, en
    zh_reach, en_reach = _name_reach(early)
    return f"{zh}，{zh_reach}可以解释差异", f"{en}; {en_reach} explains the difference"


def _check_restatement(region: _Region, rule: Rule, rules: Rules) -> Iterator[Check]:
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
        explained = not holds and _explains(then, now_value, rules)
        text = f"{format_number(now_value)} {'=' if holds else '≠'} {format_number(then_value)}"
        yield make_check(
            rule, "holds" if holds else rule.on_fail, (index, own), text, o.period, then_value, now_value, Decimal(0),
            _tell(now, then, then if explained else None), is_explained=explained,
        )  # fmt: skip


def _check_implied(region: _Region, rule: Rule, rules: Rules) -> Iterator[Check]:
    """What a stated change makes of the year before, against what the report on that year said."""
    for index in region.implied:
        now = region.statements[index]
        o = now.observation
        own = region.find_own_year(index, o.period)
        if own is None or region.list_restated(index, o.period):
            continue
        then = region.statements[own]
        implied, stated = value_of(o), value_of(then.observation)
        holds = implied == stated
        explained = not holds and _explains(then, implied, rules)
        text = f"{o.evidence.removeprefix(DERIVED)} = {format_number(implied)}"
        text += "" if holds else f" ≠ {format_number(stated)}"
        zh = f"由{now.report_year}年报告推得{name_period_zh(o.period)}为{name_value(implied, o.unit_zh)}，"
        en = f"the {now.report_year} report implies {format_number(implied)} for {name_period_en(o.period)}, "
        yield make_check(
            rule, "holds" if holds else "differs", (index, own), text, o.period, stated, implied, Decimal(0),
            _end(zh, en, then, then if explained else None), is_explained=explained,
        )  # fmt: skip


def _check_yoy(region: _Region, rule: Rule, rules: Rules) -> Iterator[Check]:
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
        told = replace(o, yoy_change=None) if region.implies(index) else o
        for check in check_change(rule, told, value_of(then.observation), (index, own)):
            if check.verdict in ("holds", "truncated"):
                yield check
                continue
            tiny = min(value_of(o), value_of(then.observation)) < rule.floor
            if tiny or region.list_restated(index, shift_period(o.period, -1)) or not is_change_of(o):
                continue
            early = then if _is_part_year(then) else now if _is_part_year(now) else None
            yield make_check(
                rule, "differs", (index, own), check.formula, check.period, check.expected, check.actual,
                check.tolerance, _tell_change(now, then, early), is_explained=early is not None,
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
                checks.extend(_check_restatement(region, rule, rules))
            elif rule.type == "yoy":
                checks.extend(_check_implied(region, rule, rules))
                checks.extend(_check_yoy(region, rule, rules))
            elif rule.type == "magnitude":
                checks.extend(_check_magnitude(region, rule, rules))
    return tuple(checks)
