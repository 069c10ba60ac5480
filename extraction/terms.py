"""Which observations a term of a rule may take: same period, status and as-of date, agreeing scope and dimension."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from decimal import Decimal
from typing import NamedTuple

from extraction.checks_evidence import are_joined, in_one_sentence
from extraction.model import Check, Mention, Observation
from extraction.rules import Formula, Term

_NEAR = 20
"""No sentence states more figures before the one in question."""
_MOST = 200
"""Contexts of one rule, and rows of one metric in one context: beyond this it is no report but an attack."""
_ZERO = Decimal(0)
_LEAST_SPACES = 4
"""A formula of three figures has two signs between them, each between spaces."""


class Context(NamedTuple):
    """What the figures of one equation must share."""

    period: str
    status: str
    scope: str | None
    dimension: str | None
    as_of: str | None


class Figures:
    """The figures that a term or a sum stands for, in the order of its terms."""

    __slots__ = ("indexes", "is_added", "is_complete", "is_full", "total", "values")

    def __init__(
        self,
        indexes: tuple[int, ...],
        values: tuple[Decimal, ...],
        is_added: bool = False,
        is_complete: bool = True,
        is_full: bool = True,
    ) -> None:
        """`is_added`: parallel rows of a metric; `is_complete`: no needed term is missing; `is_full`: none at all."""
        total = _ZERO
        for value in values:
            total += value
        self.indexes = indexes
        self.values = values
        self.total = total
        self.is_added = is_added
        self.is_complete = is_complete
        self.is_full = is_full


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


_FEW = 8
_NO_SCOPES: dict[str | None, list[int]] = {}


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
        self._resolved: dict[tuple[int, bool], dict[int, Figures | None]] = {}
        self._by_scope: dict[str, dict[tuple[str, str], dict[str | None, list[int]]]] = {}
        self.by_metric: dict[str, list[int]] = {}
        self.is_usable: list[bool] = whole.is_usable if whole else [is_exact(o) for o in observations]
        self._contexts: list[Context | None] = whole._contexts if whole else [None] * len(observations)
        self._same: dict[Context, Context] = whole._same if whole else {}
        self._figures: dict[int, Figures] = whole._figures if whole else {}
        if whole is None:
            self._start()
        by_metric, is_usable = self.by_metric, self.is_usable
        for index in sentence or range(len(observations)):
            if is_usable[index]:
                metric = observations[index].metric
                if metric in by_metric:
                    by_metric[metric].append(index)
                else:
                    by_metric[metric] = [index]

    def _start(self) -> None:
        """What only the table of the whole report keeps."""
        self._is_split = False
        self._groups: list[list[int]] = []
        self._sentences: dict[int, Table] = {}
        self._sentence_of: dict[int, int] = {}
        self._told_once: dict[str, bool] = {}
        self._stating: dict[str, list[int]] = {}
        self._at: dict[int, list[int]] = defaultdict(list)
        self.rated: set[int] = set()
        """Rates that have been recomputed from their counts."""
        self._told: set[tuple[str, ...]] = set()
        self._untold: list[str] = []

    def context(self, index: int) -> Context:
        """What an observation must share with others. Equal ones are one object, which lives as long as the table."""
        known = self._contexts[index]
        if known is None:
            known = context_of(self.all[index])
            self._contexts[index] = known = self._same.setdefault(known, known)
        return known

    def tell(self, check: Check) -> None:
        if check.formula.count(" ") >= _LEAST_SPACES:
            self._untold.append(check.formula)

    def is_told(self, formula: str) -> bool:
        """Whether a finding so far says the same with the same figures, of which there are three or more."""
        self._told.update(_numbers(formula) for formula in self._untold)
        self._untold.clear()
        return _numbers(formula) in self._told

    def list_at(self, start: int) -> list[int]:
        """The observations whose number begins there."""
        if self.whole is not None:
            return self.whole.list_at(start)
        if not self._at:
            for index, o in enumerate(self.all):
                self._at[o.start].append(index)
        return self._at.get(start, [])

    def mentions_before(self, place: int) -> Sequence[Mention]:
        """The last numbers before a place."""
        end = bisect_left(self.mentions, place, key=lambda mention: mention.start)
        return self.mentions[max(0, end - _NEAR) : end]

    def list_sentences(self, metrics: Sequence[str]) -> list[Table]:
        """The sentences that state two or more of `metrics` and not all that is said of them, in text order.

        All that is said of them gives what the whole report gives, unless that has more contexts than are looked at.
        """
        self._split()
        is_cut = sum([len(self.by_metric[metric]) for metric in metrics]) > _MOST
        stated: dict[int, list[str]] = {}
        for metric in metrics:
            for number in self._stating.get(metric, ()):
                stated.setdefault(number, []).append(metric)
        return [
            self._sentence(number)
            for number, codes in sorted(stated.items())
            if len(codes) > 1 and (is_cut or not all(map(self._is_told_once, codes)))
        ]

    def _is_told_once(self, metric: str) -> bool:
        """Whether one sentence states all figures of a metric."""
        if metric not in self._told_once:
            self._told_once[metric] = len({self._sentence_of.get(i) for i in self.by_metric[metric]}) == 1
        return self._told_once[metric]

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
        rows = self.all
        group: list[int] = []
        last: Observation | None = None
        for index in sorted(range(len(rows)), key=[o.start for o in rows].__getitem__):
            o = rows[index]
            if last is not None and not (
                (o.quote_start == last.quote_start and o.quote and o.quote == last.quote) or in_one_sentence(last, o)
            ):
                if len(group) > 1:
                    self._add_sentence(group)
                group = []
            group.append(index)
            last = o
        if len(group) > 1:
            self._add_sentence(group)

    def _add_sentence(self, group: list[int]) -> None:
        number, stating = len(self._groups), self._stating
        group.sort()
        self._groups.append(group)
        self._sentence_of.update(dict.fromkeys(group, number))
        for metric in {self.all[i].metric for i in group if self.is_usable[i]}:
            if metric in stating:
                stating[metric].append(number)
            else:
                stating[metric] = [number]

    def _sentence(self, number: int) -> Table:
        """Built when it is asked for: most sentences state no two metrics of one formula."""
        if number not in self._sentences:
            table = Table(self.all, self.mentions, self.text, self._groups[number], self)
            self._sentences[number] = table
        return self._sentences[number]

    def close(self) -> None:
        """Let go of the sentences, which hold the whole table in turn: else the garbage collector has to find them."""
        self._sentences.clear()

    def list_indexes(self, metric: str) -> list[int]:
        """Usable observations of a metric in text order, parts of a breakdown left out."""
        return [i for i in self.by_metric.get(metric, ()) if self.all[i].breakdown_of is None]

    def list_contexts(self, formula: Formula, times: Set[tuple[str, str]]) -> list[Context]:
        """The distinct contexts of its metrics that are of one of these periods and statuses, in text order."""
        rows, indexes = self.all, []
        for metric in formula.metrics:
            for i in self.by_metric.get(metric, ()):
                if rows[i].breakdown_of is None:
                    indexes.append(i)
        indexes.sort()
        known = self._contexts
        contexts = list(dict.fromkeys([known[i] or self.context(i) for i in indexes]))[:_MOST]
        return [context for context in contexts if (context[0], context[1]) in times]

    def list_times(self, formula: Formula) -> set[tuple[str, str]]:
        """The periods and statuses of which both sides of a formula state something."""
        left = [metric for metric in formula.left_metrics if metric in self.by_metric]
        right = [metric for metric in formula.right_metrics if metric in self.by_metric] if left else left
        if not right:
            return set()
        times = {time for metric in left for time in self._scopes(metric)}
        return times & {time for metric in right for time in self._scopes(metric)}

    def list_candidates(self, metric: str, context: Context, with_parts: bool = False) -> list[int]:
        """Usable observations of a metric that may meet the figures of `context`, in text order."""
        if metric not in self.by_metric:
            return self.whole.list_candidates(metric, context, with_parts) if self.whole is not None else []
        period, status, scope, _, day = context
        key = (metric, period, status, scope, day, with_parts)
        found = self._found.get(key)
        if found is None:
            found = []
            few = self.by_metric[metric]
            if self.whole is not None and len(few) <= _FEW:  # looked at once or twice
                same = [i for i in few if self.all[i].period == period and self.all[i].status == status]
                scopes = [(self.all[i].scope, [i]) for i in same]
            else:
                scopes = list(self._scopes(metric).get((period, status), _NO_SCOPES).items())
            for own, indexes in scopes:
                if own is not None and scope is not None and not scopes_agree(own, scope):
                    continue
                for i in indexes:
                    o = self.all[i]
                    if (with_parts or o.breakdown_of is None) and (day is None or _days_agree(o.as_of, day)):
                        found.append(i)
            if not found and self.whole is not None:
                found = self.whole.list_candidates(metric, context, with_parts)
            elif len(found) > 1:
                found.sort()
            self._found[key] = found
        return found

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
        context = self.context(index)
        return sorted(i for i in near if _fits(self.all[i], context))

    def resolve(self, term: Term, context: Context, may_add: bool = False) -> Figures | None:
        """The figure of a term, or None when it is not stated or not plain which row is meant.

        `context` is one that `context` gave.
        """
        known = self._resolved.setdefault((id(context), may_add), {})
        if id(term) in known:  # the rules outlive the table
            return known[id(term)]
        found = None
        if self.whole is not None and self.by_metric.keys().isdisjoint(term.metrics):
            found = self.whole.resolve(term, context, may_add)
        else:
            for one in term.metrics:
                if candidates := self.list_candidates(one, context):
                    found = self._choose(candidates, context, may_add)
                    if found is not None:
                        break
        known[id(term)] = found
        return found

    def _choose(self, candidates: list[int], context: Context, may_add: bool) -> Figures | None:
        rows = self.all
        if len(candidates) > _MOST:
            return None
        if len(candidates) == 1:
            return self._figure(candidates[0])
        same_scope = [i for i in candidates if rows[i].scope == context.scope] or candidates
        same_kind = [i for i in same_scope if dimensions_agree(rows[i].dimension, context.dimension)] or same_scope
        candidates = [i for i in same_kind if rows[i].dimension is None] or same_kind
        if not candidates:
            return None
        if len({rows[i].value for i in candidates}) == 1:
            return self._figure(candidates[0])
        kinds = [rows[i].dimension for i in candidates]
        distinct = None not in kinds and len(set(kinds)) == len(kinds)
        if may_add and (distinct or are_joined([rows[i] for i in candidates])):
            return Figures(tuple(candidates), tuple([value_of(rows[i]) for i in candidates]), len(candidates) > 1)
        return None

    def _figure(self, index: int) -> Figures:
        figure = self._figures.get(index)
        if figure is None:
            figure = self._figures[index] = Figures((index,), (value_of(self.all[index]),))
        return figure

    def resolve_sum(self, terms: Sequence[Term], context: Context, may_add: bool = False) -> Figures:
        """The stated figures of a sum."""
        known = self._resolved.setdefault((id(context), may_add), {})
        indexes: tuple[int, ...] = ()
        values: tuple[Decimal, ...] = ()
        is_added, is_complete, is_full = False, True, True
        for term in terms:
            stated = known[id(term)] if id(term) in known else self.resolve(term, context, may_add)
            if stated is None:
                is_full = False
                is_complete = is_complete and term.optional
            elif len(terms) == 1:
                return stated
            else:
                indexes += stated.indexes
                values += stated.values
                is_added = is_added or stated.is_added
        return Figures(indexes, values, is_added, is_complete, is_full)


_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def _numbers(formula: str) -> tuple[str, ...]:
    return tuple(sorted(_NUMBER.findall(formula)))
