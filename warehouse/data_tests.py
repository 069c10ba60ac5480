"""Data tests on a batch before anything is written. Pure: rows in, rows that pass and rows to set aside out.

Each test counts what it looked at; a row that fails goes to quarantine with its reason and the way back.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter, itemgetter
from typing import Generic, TypeVar, get_args

from extraction.model import Check, Mention, Observation, Parsed, Qualifier, Status, Verdict
from warehouse.batch import CatalogueRows, DocumentIn, MetricRow
from warehouse.columns import is_storable, round_derived
from warehouse.keys import hash_text
from warehouse.periods import FIRST_YEAR, LAST_YEAR, parse_day, parse_period

QUALIFIERS, STATUSES, VERDICTS = get_args(Qualifier), get_args(Status), get_args(Verdict)
MAX_TEXT = 20_000_000
"""Code points of one text; the crawler's own limits are far below."""

PARSE_AGAIN = "mend the extraction, then load the document again"
READ_AGAIN = "mend the connector, then crawl the source again"
TWICE = "the same row twice"

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row set aside."""

    document_id: str
    text_hash: str
    target: str
    test: str
    reason: str
    way_back: str
    payload: str


@dataclass(slots=True)
class Accepted:
    """The figures of one document that may be loaded; positions are those of `Parsed`, derived values after stated."""

    mentions: dict[int, Mention] = field(default_factory=dict)
    observations: dict[int, Observation] = field(default_factory=dict)
    checks: dict[int, Check] = field(default_factory=dict)


@dataclass(slots=True)
class _Beside:
    """What a row is tested against: its document's text, the catalogue, the rows before it."""

    text: str = ""
    metrics: Mapping[str, MetricRow] = field(default_factory=dict)
    rules: frozenset[str] = frozenset()
    n_stated: int = 0
    accepted: Accepted = field(default_factory=Accepted)
    seen: set[object] = field(default_factory=set)
    """Natural keys of the rows so far."""

    def is_new(self, natural: object) -> bool:
        before = len(self.seen)
        self.seen.add(natural)
        return len(self.seen) > before

    def says(self, start: int, end: int, wanted: str) -> bool:
        return 0 <= start < end <= len(self.text) and self.text[start:end] == wanted


@dataclass(frozen=True, slots=True, eq=False)
class _Test(Generic[R]):
    """`holds` is asked of a row, its position and what is beside it; `reason` is put into words for a failure only."""

    name: str
    holds: Callable[[R, int, _Beside], bool]
    reason: Callable[[R, int, _Beside], str]
    way_back: str = PARSE_AGAIN
    is_for: Callable[[R, _Beside], bool] | None = None
    """Rows that it looks at; None: all."""


@dataclass(slots=True)
class Tester:
    """Runs the data tests of one batch and keeps the count."""

    catalogue: CatalogueRows
    checked: Counter[str] = field(default_factory=Counter)
    rejected: list[Rejected] = field(default_factory=list)
    _metrics: dict[str, MetricRow] = field(init=False)
    _rules: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self._metrics = {metric.code: metric for metric in self.catalogue.metrics}
        self._rules = frozenset(rule.rule_id for rule in self.catalogue.rules)

    def accept_documents(self, documents: tuple[DocumentIn, ...]) -> list[DocumentIn]:
        return [doc for doc in documents if self._accept(doc, "dim_document", _DOCUMENT, (doc,), _Beside())]

    def accept_figures(self, doc: DocumentIn, parsed: Parsed) -> Accepted:
        accepted = Accepted()
        accepted.mentions = self._accept(doc, "fact_mention", _MENTION, parsed.mentions, _Beside(doc.text))
        beside = _Beside(doc.text, self._metrics, n_stated=len(parsed.observations))
        stated = (*parsed.observations, *parsed.derived)
        accepted.observations = self._accept(doc, "fact_observation", _OBSERVATION, stated, beside)
        beside = _Beside(doc.text, rules=self._rules, accepted=accepted)
        accepted.checks = self._accept(doc, "fact_check", _CHECK, parsed.checks, beside)
        return accepted

    def _accept(
        self, doc: DocumentIn, target: str, tests: Sequence[_Test[R]], rows: Sequence[R], beside: _Beside
    ) -> dict[int, R]:
        """The rows that pass, by position. Each is tested up to its first failure, and a test sees all rows that are
        left before the next test does."""
        left = dict(enumerate(rows))
        failed: dict[int, tuple[_Test[R], str]] = {}
        for test in tests:
            holds, is_for = test.holds, test.is_for
            looked_at = left if is_for is None else {i: row for i, row in left.items() if is_for(row, beside)}
            if not looked_at:
                continue
            self.checked[test.name] += len(looked_at)
            for i in [i for i, row in looked_at.items() if not holds(row, i, beside)]:
                failed[i] = test, test.reason(left.pop(i), i, beside)
        if failed:
            identity, text_hash = _ascii(doc.document_id), hash_text(doc.text)
            self.rejected += [
                Rejected(identity, text_hash, target, test.name, reason, test.way_back, _payload(rows[i]))
                for i, (test, reason) in sorted(failed.items(), key=itemgetter(0))
            ]
        return left


def _is_clean(doc: DocumentIn) -> bool:
    texts = _texts(doc)
    told = "".join(texts)
    return len(max(texts, key=len)) <= MAX_TEXT and "\0" not in told and _is_unicode(told)


@lru_cache(maxsize=1000)
def _is_period(text: str) -> bool:
    return parse_period(text) is not None


_DOCUMENT: tuple[_Test[DocumentIn], ...] = (
    _Test(
        "document_identity", lambda doc, i, beside: _is_identity(doc.document_id),
        lambda doc, i, beside: "no document_id without scheme", READ_AGAIN,
    ),
    _Test(
        "document_text", lambda doc, i, beside: _is_clean(doc),
        lambda doc, i, beside: "text is too long, or holds NUL or half characters", READ_AGAIN,
    ),
    _Test(
        "document_report_year",
        lambda doc, i, beside: doc.report_year is None or FIRST_YEAR <= doc.report_year <= LAST_YEAR,
        lambda doc, i, beside: f"report year {doc.report_year} cannot be", READ_AGAIN,
    ),
    _Test(
        "document_fetched_at", lambda doc, i, beside: doc.fetched_at.tzinfo is not None,
        lambda doc, i, beside: "fetch time without zone", READ_AGAIN,
    ),
)  # fmt: skip

_MENTION: tuple[_Test[Mention], ...] = (
    _Test(
        "mention_span", lambda row, i, beside: beside.says(row.start, row.end, row.text),
        lambda row, i, beside: _not_there(row.start, row.end, row.text),
    ),
    _Test(
        "mention_value", lambda row, i, beside: _are_kept((row.value, row.value_low, row.value_high)),
        lambda row, i, beside: _not_kept((row.value, row.value_low, row.value_high)),
    ),
    _Test(
        "mention_qualifier", lambda row, i, beside: row.qualifier in QUALIFIERS,
        lambda row, i, beside: f"qualifier {row.qualifier!r}",
    ),
    _Test("mention_grain", lambda row, i, beside: beside.is_new((row.start, row.end)), lambda row, i, beside: TWICE),
)  # fmt: skip

_OBSERVATION: tuple[_Test[Observation], ...] = (
    _Test(
        "observation_derived", lambda row, i, beside: row.is_derived == (i >= beside.n_stated),
        lambda row, i, beside: (
            f"is_derived {row.is_derived} among the {'derived' if i >= beside.n_stated else 'stated'} values"
        ),
    ),
    _Test(
        "observation_span", lambda row, i, beside: beside.says(row.start, row.end, row.text),
        lambda row, i, beside: _not_there(row.start, row.end, row.text),
    ),
    _Test(
        "observation_quote",
        lambda row, i, beside: beside.says(row.quote_start, row.quote_start + len(row.quote), row.quote),
        lambda row, i, beside: _not_there(row.quote_start, row.quote_start + len(row.quote), row.quote),
    ),
    _Test(
        "observation_metric", lambda row, i, beside: row.metric in beside.metrics,
        lambda row, i, beside: f"the catalogue has no metric {row.metric!r}", "add it to catalog/metrics",
    ),
    _Test(
        "observation_unit", lambda row, i, beside: row.unit == beside.metrics[row.metric].unit,
        lambda row, i, beside: f"unit {row.unit!r}, the metric's is {beside.metrics[row.metric].unit!r}",
    ),
    _Test(
        "observation_period", lambda row, i, beside: _is_period(row.period),
        lambda row, i, beside: f"period {row.period!r}",
    ),
    _Test(
        "observation_as_of", lambda row, i, beside: row.as_of is None or parse_day(row.as_of) is not None,
        lambda row, i, beside: f"cut-off {row.as_of!r}",
    ),
    _Test(
        "observation_words", lambda row, i, beside: row.status in STATUSES and row.qualifier in QUALIFIERS,
        lambda row, i, beside: f"status {row.status!r}, qualifier {row.qualifier!r}",
    ),
    _Test(
        "observation_value", lambda row, i, beside: _are_kept(_values(row)),
        lambda row, i, beside: _not_kept(_values(row)),
    ),
    _Test(
        "observation_rate", lambda row, i, beside: row.value is None or row.damaged or 0 <= row.value <= 100,
        lambda row, i, beside: f"rate {row.value} is not within 0 and 100",
        is_for=lambda row, beside: _is_rate(beside.metrics[row.metric]),
    ),
    _Test(
        "observation_breakdown",
        lambda row, i, beside: (
            row.breakdown_of is None or (0 <= row.breakdown_of < beside.n_stated and row.breakdown_of != i)
        ),
        lambda row, i, beside: f"breakdown of {row.breakdown_of}, which is no other figure",
    ),
    _Test(
        "observation_grain",
        lambda row, i, beside: beside.is_new(
            (row.start, row.end, row.metric, row.period, row.status, row.scope or "", row.dimension or "",
             row.is_derived)
        ),
        lambda row, i, beside: TWICE,
    ),
)  # fmt: skip

_CHECK: tuple[_Test[Check], ...] = (
    _Test(
        "check_rule", lambda row, i, beside: row.rule in beside.rules,
        lambda row, i, beside: f"the catalogue has no rule {row.rule!r}", "add it to catalog/rules",
    ),
    _Test(
        "check_verdict", lambda row, i, beside: row.verdict in VERDICTS,
        lambda row, i, beside: f"verdict {row.verdict!r}",
    ),
    _Test(
        "check_n_checked", lambda row, i, beside: row.n_checked > 0 or row.verdict == "not_applicable",
        lambda row, i, beside: "a check that looked at nothing",
    ),
    _Test(
        "check_observations", lambda row, i, beside: beside.accepted.observations.keys() >= set(row.observations),
        lambda row, i, beside: (
            f"figures {[one for one in row.observations if one not in beside.accepted.observations]} are not loaded"
        ),
        "load those figures first",
    ),
    _Test(
        "check_value", lambda row, i, beside: _are_kept(map(_cut, (row.expected, row.actual, row.tolerance))),
        lambda row, i, beside: _not_kept(map(_cut, (row.expected, row.actual, row.tolerance))),
    ),
    _Test(
        "check_period", lambda row, i, beside: row.period is None or _is_period(row.period),
        lambda row, i, beside: f"period {row.period!r}",
    ),
    _Test(
        "check_grain",
        lambda row, i, beside: beside.is_new((row.rule, tuple(dict.fromkeys(row.observations)), row.formula)),
        lambda row, i, beside: TWICE,
    ),
)  # fmt: skip


def _not_there(start: int, end: int, wanted: str) -> str:
    return f"the text at {start}:{end} is not {wanted[:40]!r}"


def _are_kept(values: Iterable[Decimal | None]) -> bool:
    for value in values:  # noqa: SIM110 - some hundred thousand times a load, and a generator costs as much again
        if value is not None and not (value.is_finite() and _is_kept(value)):
            return False
    return True


def _not_kept(values: Iterable[Decimal | None]) -> str:
    odd = next(value for value in values if value is not None and not is_storable(value))
    return f"{odd} cannot be kept exactly"


_is_kept = lru_cache(maxsize=10_000)(is_storable)
"""Of a finite number; the same few occur again and again."""


def _cut(value: Decimal | None) -> Decimal | None:
    return None if value is None or (value.is_finite() and _is_kept(value)) else round_derived(value)


def _is_rate(metric: MetricRow) -> bool:
    return metric.measure == "rate" or metric.unit == "percent"


def _values(row: Observation) -> Iterable[Decimal | None]:
    values = (row.value, row.value_low, row.value_high, row.share_percent, row.yoy_percent, row.yoy_change)
    return map(_cut, values) if row.is_derived else values


_CELLS = attrgetter(*(f.name for f in fields(DocumentIn)))


def _texts(doc: DocumentIn) -> list[str]:
    texts = [value for value in _CELLS(doc) if isinstance(value, str)]
    if doc.body is doc.text:  # as of a page without attachments: not looked at twice
        texts.remove(doc.body)
    for attachment in doc.attachments:
        texts += attachment
    texts += doc.notes
    return texts


def _is_identity(text: str) -> bool:
    return bool(text) and "://" not in text and len(text) <= 2048 and _is_unicode(text)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _ascii(text: str) -> str:
    return text if _is_unicode(text) else text.encode("ascii", "backslashreplace").decode()


def _payload(row: object) -> str:
    """JSON image of a row. Of a document, only what identifies it: its texts stay in the archive."""
    if isinstance(row, DocumentIn):
        row = {"url": row.url, "title": row.title, "fetched_at": row.fetched_at.isoformat()}
    return json.dumps(row, default=_plain)


def _plain(value: object) -> object:
    """What JSON has no word for."""
    if is_dataclass(value):
        return {f.name: getattr(value, f.name) for f in fields(value)}
    assert isinstance(value, Decimal | datetime)
    return str(value)
