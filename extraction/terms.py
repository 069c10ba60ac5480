"""Which observations a term of a rule may take: same period, status and as-of date, agreeing scope and dimension."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from extraction.checks_evidence import are_joined, in_one_passage
from extraction.model import Check, Observation
from extraction.rules import Formula, Term

_NEAR = 20
"""No sentence states more figures before the one in question."""


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


class Table:
    """The usable observations of one report by metric. Indexes are those of the report's tuple."""

    def __init__(self, observations: Sequence[Observation]) -> None:
        self.all = observations
        self._found: dict[tuple[str, Context, bool], list[int]] = {}
        self._by_metric: dict[str, list[int]] = defaultdict(list)
        for index, observation in enumerate(observations):
            if is_exact(observation):
                self._by_metric[observation.metric].append(index)

    def list_indexes(self, metric: str) -> list[int]:
        """Usable observations of a metric in text order, parts of a breakdown left out."""
        return [i for i in self._by_metric.get(metric, ()) if self.all[i].breakdown_of is None]

    def list_contexts(self, metrics: Iterable[str]) -> list[Context]:
        """The distinct contexts of these metrics, in text order."""
        indexes = sorted(i for metric in metrics for i in self.list_indexes(metric))
        return list(dict.fromkeys(context_of(self.all[i]) for i in indexes))

    def list_candidates(self, metric: str, context: Context, with_parts: bool = False) -> list[int]:
        key = (metric, context, with_parts)
        if key not in self._found:
            indexes = self._by_metric.get(metric, []) if with_parts else self.list_indexes(metric)
            self._found[key] = [i for i in indexes if self._fits(self.all[i], context)]
        return self._found[key]

    @staticmethod
    def _fits(o: Observation, context: Context) -> bool:
        if (o.period, o.status) != (context.period, context.status):
            return False
        if o.as_of is not None and context.as_of is not None and o.as_of != context.as_of:
            return False
        return scopes_agree(o.scope, context.scope)

    def list_near(self, metrics: Iterable[str], index: int) -> list[int]:
        """Usable observations of these metrics that may stand in the sentence of `index`, parts included."""
        wanted, context = frozenset(metrics), context_of(self.all[index])
        around = range(max(0, index - _NEAR), min(len(self.all), index + _NEAR))
        rows = [(i, self.all[i]) for i in around]
        return [i for i, o in rows if o.metric in wanted and is_exact(o) and self._fits(o, context)]

    def resolve(self, term: Term, context: Context, may_add: bool = False) -> Figures | None:
        """The figure of a term, or None when it is not stated or not plain which row is meant."""
        for metric in term.metrics:
            if found := self._choose(self.list_candidates(metric, context), context, may_add):
                return found
        return None

    def _choose(self, candidates: list[int], context: Context, may_add: bool) -> Figures | None:
        rows = self.all
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


def formula_contexts(table: Table, formula: Formula) -> list[Context]:
    return table.list_contexts(sorted(formula.metrics))


def may_refute(table: Table, check: Check) -> bool:
    """Figures of different kinds (草案文本 against 党内文件) or of two passages can agree but refute nothing."""
    rows = [table.all[i] for i in check.observations]
    return len({row.dimension for row in rows}) == 1 and in_one_passage(rows)
