"""Which of several statements of one figure counts. Pure.

Classes, best first: the report of that year, whole period > a later report's statement of that year > a figure
that covers part of the period > a forecast. Within a class an undamaged statement wins over a damaged one, then the
later publication. What is implied (derived) is no statement; a part of a sum without a name cannot be told from
others and is left out.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import combinations
from typing import Literal

from extraction.checks_evidence import in_one_sentence
from extraction.model import Observation, compile_builder

Choice = Literal["final", "later_report", "part_year", "forecast"]
CLASSES: tuple[Choice, ...] = ("final", "later_report", "part_year", "forecast")
WHOLE_AREA = re.compile(r"全(?:国|省|市|区|县|旗|州|盟|域|镇|乡|街道|自治[区州县旗])(?:[(（][^()（）]*[)）])?")
"""Scopes that mean the authority's whole area: the same as no scope."""


_COMPARED = 100
"""Sentences with the same figure that are compared pair by pair."""


def fold_scope(scope: str | None) -> str:
    """The scope that statements are grouped by: empty for the whole area."""
    return "" if scope is None or WHOLE_AREA.fullmatch(scope) else scope


LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Statement:
    """An observation of a document that counts, with what choosing needs to know about it."""

    observation_key: int
    document_key: int
    document_id: str
    region_key: int
    agency_key: int
    metric: str
    metric_key: int
    measure: str
    unit: str
    unit_key: int
    period: str
    period_key: int
    period_year: int
    period_end: date
    as_of: date | None
    as_of_date_key: int
    published: datetime | None
    published_date_key: int
    report_year: int | None
    is_part: bool
    """A part of a sum."""
    value: Decimal
    """`stated.value`, which is never missing here."""
    stated: Observation

    @property
    def basis(self) -> str:
        """A running total since some start is another figure than the period's, unless the metric is a stock."""
        return "cumulative" if self.stated.status == "cumulative" and self.measure != "stock" else "period"

    @property
    def whole_scope(self) -> str:
        return fold_scope(self.stated.scope)

    @property
    def dimension(self) -> str:
        return self.stated.dimension or ""

    @property
    def told_in(self) -> int:
        """Year that the document reports on; the year before its publication where it does not say."""
        return self.report_year or (self.published.year - 1 if self.published else self.period_year)


build_statement = compile_builder(Statement)

Group = tuple[int, int, int, int, str, str, str]
"""region, agency, metric, period, basis, scope, dimension."""


@dataclass(frozen=True, slots=True)
class Chosen:
    group: Group
    best: Statement
    chosen_by: Choice
    n_statements: int
    n_documents: int
    n_values: int
    is_disputed: bool


_build_chosen = compile_builder(Chosen)


def choose_values(statements: Iterable[Statement]) -> list[Chosen]:
    """One chosen statement per group, in the groups' order."""
    groups: dict[Group, list[Statement]] = defaultdict(list)
    for one in statements:
        if not one.stated.is_derived and not (one.is_part and not one.whole_scope and not one.dimension):
            groups[group_of(one)].append(one)
    return [_choose(group, groups[group]) for group in sorted(groups)]


def group_of(one: Statement) -> Group:
    return (
        one.region_key, one.agency_key, one.metric_key, one.period_key, one.basis, one.whole_scope, one.dimension
    )  # fmt: skip


def class_of(one: Statement) -> Choice:
    """The class of a statement (see the module)."""
    if one.stated.status == "target":
        return "forecast"
    if one.as_of is not None and one.as_of < one.period_end:
        return "part_year"
    if one.told_in < one.period_year or _is_out_early(one):
        return "part_year"
    is_own = one.told_in == one.period_year and one.stated.status != "prior_period"
    return "final" if is_own else "later_report"


def _is_out_early(one: Statement) -> bool:
    """What a report says of its year before the year is over; a stock is what it was on the day."""
    if one.published is None or one.measure == "stock" or one.told_in != one.period_year:
        return False
    return one.published.date() < one.period_end


def _choose(group: Group, statements: list[Statement]) -> Chosen:
    classed = [(class_of(one), one) for one in statements]
    chosen_by, best = classed[0] if len(classed) == 1 else min(classed, key=_rank)
    exact: dict[Choice, set[Decimal]] = defaultdict(set)
    for choice, one in classed:
        if one.stated.qualifier == "exact" and not one.stated.damaged:
            exact[choice].add(one.value)
    return _build_chosen(
        group=group,
        best=best,
        chosen_by=chosen_by,
        n_statements=len(statements),
        n_documents=len({one.document_id for one in statements}),
        n_values=len(exact["final"] | exact["later_report"]),
        is_disputed=len(exact["final"]) > 1 and _is_disputed(statements),
    )


def _is_disputed(statements: Iterable[Statement]) -> bool:
    """Whether two sentences that speak of one thing share no value for it.

    One thing: the same measure word, status and cut-off, and both totals or both parts (scope, dimension and period
    are those of the group). Several values in one sentence are several things, not a dispute.
    """
    alike: dict[tuple[object, ...], list[Statement]] = defaultdict(list)
    for one in statements:
        if class_of(one) == "final" and one.stated.qualifier == "exact" and not one.stated.damaged:
            alike[one.stated.unit_zh, one.stated.status, one.as_of, one.is_part].append(one)
    return any(_disagree(said) for said in alike.values())


def _disagree(statements: list[Statement]) -> bool:
    sentences: list[set[Decimal]] = []
    before: Statement | None = None
    for one in sorted(statements, key=lambda s: (s.document_id, s.stated.start)):
        if before is None or before.document_id != one.document_id or not in_one_sentence(before.stated, one.stated):
            sentences.append(set())
        sentences[-1].add(one.value)
        before = one
    return any(a.isdisjoint(b) for a, b in combinations(sentences[:_COMPARED], 2))


def _rank(classed: tuple[Choice, Statement]) -> tuple[int, bool, float, str, bool, int, int]:
    choice, one = classed
    published = one.published or LONG_AGO
    return (
        CLASSES.index(choice),
        one.stated.damaged,
        -(published - LONG_AGO).total_seconds(),
        one.document_id,
        one.stated.qualifier != "exact",
        one.stated.start,
        one.observation_key,
    )
