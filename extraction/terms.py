"""Which observations a term of a rule may take: same period, status and as-of date, agreeing scope and dimension."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from extraction.checks_evidence import are_joined, in_one_passage, in_one_sentence
from extraction.model import Check, Mention, Observation
from extraction.rules import Formula, Term

_NEAR = 20
"""No sentence states more figures before the one in question."""
_MOST = 200
"""Contexts of one rule, and rows of one metric in one context: beyond this it is no report but an attack."""


class Context(NamedTuple):
    """What the figures of one equation must share."""

    period: str
    status: str
    scope: str | None
    dimension: str | None
    as_of: str | None


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures a term stands for. More than one: parallel rows of one metric, added."""

    indexes: tuple[int, ...]
    values: tuple[Decimal, ...]

    @property
    def total(self) -> Decimal:
        return sum(self.values, Decimal(0))

    @property
    def is_added(self) -> bool:
        return len(self.indexes) > 1


def context_of(observation: Observation) -> Context:
    o = observation
    return Context(o.period, o.status, o.scope, o.dimension, o.as_of)


def scopes_agree(a: str | None, b: str | None) -> bool:
    """全县 agrees with 全县(23个政府机构) and with nothing said."""
    return a is None or b is None or a.startswith(b) or b.startswith(a)


def dimensions_agree(a: str | None, b: str | None) -> bool:
    return a is not None and b is not None and (a in b or b in a)


def is_exact(observation: Observation) -> bool:
    """A figure that an equation may use: stated, exact, no plan and not derived by us."""
    o = observation
    return o.value is not None and o.qualifier == "exact" and o.status != "target" and not o.is_derived


def value_of(observation: Observation) -> Decimal:
    """The value of an observation that `is_exact` let through."""
    if observation.value is None:
        raise ValueError(f"observation of {observation.metric} at {observation.start} has no value")
    return observation.value


def _fits(o: Observation, context: Context) -> bool:
    same = (o.period, o.status) == (context.period, context.status)
    return same and _days_agree(o.as_of, context.as_of) and scopes_agree(o.scope, context.scope)


def _days_agree(a: str | None, b: str | None) -> bool:
    return a is None or b is None or a == b


def _agreeing(scopes: Iterable[str | None], scope: str | None) -> list[str | None]:
    """Those of `scopes` that agree with `scope`."""
    return [one for one in scopes if scopes_agree(one, scope)]


class Table:
    """The usable observations of one report by metric. Indexes are those of the report's tuple."""

    def __init__(
        self,
        observations: Sequence[Observation],
        mentions: Sequence[Mention] = (),
        text: str = "",
        sentence: Sequence[int] = (),
        whole: Table | None = None,
    ) -> None:
        """`sentence`: the figures of one sentence only, of the table `whole`; see `narrow`."""
        self.all = observations
        self.mentions = mentions
        self.text = text
        self.whole = whole
        self.sentence = frozenset(sentence)
        self._found: dict[tuple[str, str, str, str | None, str | None, bool], list[int]] = {}
        self._resolved: dict[tuple[int, Context, bool], Figures | None] = {}
        self._by_scope: dict[str, dict[tuple[str, str], dict[str | None, list[int]]]] = {}
        self.by_metric: dict[str, list[int]] = defaultdict(list)
        self._is_split = False
        self._groups: list[list[int]] = []
        self._sentences: dict[int, Table] = {}
        self._sentence_of: dict[int, int] = {}
        self._stating: dict[str, list[int]] = defaultdict(list)
        self._at: dict[int, list[int]] = defaultdict(list)
        self.rated: set[int] = set()
        """Rates that have been recomputed from their counts."""
        self._told: set[tuple[str, ...]] = set()
        self.is_usable: list[bool] = whole.is_usable if whole else [is_exact(o) for o in observations]
        for index in sentence or range(len(observations)):
            if self.is_usable[index]:
                self.by_metric[observations[index].metric].append(index)

    def tell(self, check: Check) -> None:
        self._told.add(_numbers(check))

    def is_told(self, check: Check) -> bool:
        """Whether a finding so far says the same with the same figures."""
        return _numbers(check) in self._told

    def list_at(self, start: int) -> list[int]:
        """The observations whose number begins there."""
        if not self._at:
            for index, o in enumerate(self.all):
                self._at[o.start].append(index)
        return self._at.get(start, [])

    def mentions_before(self, place: int) -> Sequence[Mention]:
        """The last numbers before a place."""
        end = bisect_left(self.mentions, place, key=lambda mention: mention.start)
        return self.mentions[max(0, end - _NEAR) : end]

    def list_sentences(self, metrics: Iterable[str]) -> list[Table]:
        """The sentences that state two or more of `metrics`, in text order."""
        self._split()
        times = Counter(number for metric in metrics for number in self._stating.get(metric, ()))
        return [self._sentence(number) for number in sorted(number for number, n in times.items() if n > 1)]

    def narrow(self, index: int) -> Table:
        """The table of the sentence of `index`: a metric that its sentence states is looked up nowhere else."""
        self._split()
        number = self._sentence_of.get(index)
        return self if number is None else self._sentence(number)

    def proves(self, check: Check) -> bool:
        """Whether a finding of one sentence stands: all its figures are of that sentence, or they agree exactly."""
        return self.sentence.issuperset(check.observations) or (check.verdict == "holds" and "≤" not in check.formula)

    def _split(self) -> None:
        """Once: sentences with two figures or more, and which of them state a metric."""
        if self._is_split or self.whole is not None:
            return
        self._is_split = True
        group: list[int] = []
        for index in sorted(range(len(self.all)), key=lambda i: self.all[i].start):
            if group and not in_one_sentence(self.all[group[-1]], self.all[index]):
                self._add_sentence(group)
                group = []
            group.append(index)
        self._add_sentence(group)

    def _add_sentence(self, group: list[int]) -> None:
        if len(group) < 2:
            return
        number = len(self._groups)
        self._groups.append(sorted(group))
        self._sentence_of.update(dict.fromkeys(group, number))
        for metric in dict.fromkeys(self.all[i].metric for i in group if self.is_usable[i]):
            self._stating[metric].append(number)

    def _sentence(self, number: int) -> Table:
        """Built when it is asked for: most sentences state no two metrics of one formula."""
        if number not in self._sentences:
            table = Table(self.all, self.mentions, self.text, self._groups[number], self)
            self._sentences[number] = table
        return self._sentences[number]

    def list_indexes(self, metric: str) -> list[int]:
        """Usable observations of a metric in text order, parts of a breakdown left out."""
        return [i for i in self.by_metric.get(metric, ()) if self.all[i].breakdown_of is None]

    def list_contexts(self, metrics: Iterable[str]) -> list[Context]:
        """The distinct contexts of these metrics, in text order."""
        indexes = [i for metric in metrics if metric in self.by_metric for i in self.list_indexes(metric)]
        indexes.sort()
        return list(dict.fromkeys(context_of(self.all[i]) for i in indexes))[:_MOST]

    def list_candidates(self, metric: str, context: Context, with_parts: bool = False) -> list[int]:
        """Usable observations of a metric that may meet the figures of `context`, in text order."""
        key = (metric, context.period, context.status, context.scope, context.as_of, with_parts)
        if key not in self._found:
            scopes = self._scopes(metric).get((context.period, context.status), {})
            found: list[int] = []
            for scope in _agreeing(scopes, context.scope):
                for i in scopes[scope]:
                    o = self.all[i]
                    if (with_parts or o.breakdown_of is None) and _days_agree(o.as_of, context.as_of):
                        found.append(i)
            found.sort()
            self._found[key] = found or (self.whole.list_candidates(metric, context, with_parts) if self.whole else [])
        return self._found[key]

    def _scopes(self, metric: str) -> dict[tuple[str, str], dict[str | None, list[int]]]:
        """The usable observations of a metric by period and status, then by scope."""
        if metric not in self._by_scope:
            found: dict[tuple[str, str], dict[str | None, list[int]]] = {}
            for i in self.by_metric.get(metric, ()):
                o = self.all[i]
                found.setdefault((o.period, o.status), {}).setdefault(o.scope, []).append(i)
            self._by_scope[metric] = found
        return self._by_scope[metric]

    def list_near(self, metrics: Iterable[str], index: int) -> list[int]:
        """Usable observations of these metrics that may stand in the sentence of `index`, parts included."""
        first, end = max(0, index - _NEAR), min(len(self.all), index + _NEAR)
        near = [i for metric in dict.fromkeys(metrics) for i in self.by_metric.get(metric, ()) if first <= i < end]
        context = context_of(self.all[index])
        return sorted(i for i in near if _fits(self.all[i], context))

    def resolve(self, term: Term, context: Context, may_add: bool = False) -> Figures | None:
        """The figure of a term, or None when it is not stated or not plain which row is meant."""
        key = id(term), context, may_add  # the rules outlive the table
        if key not in self._resolved:
            found = None
            for one in term.metrics:
                if candidates := self.list_candidates(one, context):
                    found = self._choose(candidates, context, may_add)
                    if found is not None:
                        break
            self._resolved[key] = found
        return self._resolved[key]

    def _choose(self, candidates: list[int], context: Context, may_add: bool) -> Figures | None:
        rows = self.all
        if len(candidates) > _MOST:
            return None
        if len(candidates) == 1:
            return Figures((candidates[0],), (value_of(rows[candidates[0]]),))
        same_scope = [i for i in candidates if rows[i].scope == context.scope] or candidates
        same_kind = [i for i in same_scope if dimensions_agree(rows[i].dimension, context.dimension)] or same_scope
        candidates = [i for i in same_kind if rows[i].dimension is None] or same_kind
        if not candidates:
            return None
        if len({rows[i].value for i in candidates}) == 1:
            return Figures((candidates[0],), (value_of(rows[candidates[0]]),))
        kinds = [rows[i].dimension for i in candidates]
        distinct = None not in kinds and len(set(kinds)) == len(kinds)
        if may_add and (distinct or are_joined([rows[i] for i in candidates])):
            return Figures(tuple(candidates), tuple(value_of(rows[i]) for i in candidates))
        return None

    def resolve_sum(self, terms: Sequence[Term], context: Context, may_add: bool = False) -> tuple[Figures, bool, bool]:
        """The stated figures of a sum, whether all terms that must be there are, and whether rows were added."""
        found = [self.resolve(term, context, may_add) for term in terms]
        missing = any(f is None and not term.optional for f, term in zip(found, terms, strict=True))
        stated = [f for f in found if f is not None]
        indexes = tuple(i for f in stated for i in f.indexes)
        values = tuple(v for f in stated for v in f.values)
        return Figures(indexes, values), not missing, any(f.is_added for f in stated)


def _numbers(check: Check) -> tuple[str, ...]:
    return tuple(sorted(re.findall(r"\d+(?:\.\d+)?", check.formula)))


def formula_contexts(table: Table, formula: Formula) -> list[Context]:
    return table.list_contexts(formula.metrics)


def may_refute(table: Table, check: Check) -> bool:
    """Figures of different kinds (草案文本 against 党内文件) or of two passages can agree but refute nothing."""
    rows = [table.all[i] for i in check.observations]
    return len({row.dimension for row in rows}) == 1 and in_one_passage(rows)
