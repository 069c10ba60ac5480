"""Data tests on a batch before anything is written. Pure: rows in, rows that pass and rows to set aside out.

Each test counts what it looked at; a row that fails goes to quarantine with its reason and the way back.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from itertools import chain
from typing import get_args

from extraction.model import Check, Mention, Observation, Parsed, Qualifier, Status, Verdict
from warehouse.batch import CatalogueRows, DocumentIn, MetricRow
from warehouse.columns import is_storable, round_derived
from warehouse.keys import hash_text
from warehouse.periods import FIRST_YEAR, LAST_YEAR, parse_day, parse_period

QUALIFIERS, STATUSES, VERDICTS = get_args(Qualifier), get_args(Status), get_args(Verdict)
MAX_TEXT = 20_000_000
"""Code points of one text; the crawler's own limits are far below."""

Failure = tuple[str, str, str]
"""Data test, reason, way back."""

PARSE_AGAIN = "mend the extraction, then load the document again"
READ_AGAIN = "mend the connector, then crawl the source again"


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
class Tester:
    """Runs the data tests of one batch and keeps the count."""

    catalogue: CatalogueRows
    checked: Counter[str] = field(default_factory=Counter)
    rejected: list[Rejected] = field(default_factory=list)
    _metrics: dict[str, MetricRow] = field(init=False)
    _rules: set[str] = field(init=False)

    def __post_init__(self) -> None:
        self._metrics = {metric.code: metric for metric in self.catalogue.metrics}
        self._rules = {rule.rule_id for rule in self.catalogue.rules}

    def accept_documents(self, documents: tuple[DocumentIn, ...]) -> list[DocumentIn]:
        return [doc for doc in documents if self._passes(doc, "dim_document", doc, _test_document(doc))]

    def accept_figures(self, doc: DocumentIn, parsed: Parsed) -> Accepted:
        accepted = Accepted()
        spans: set[object] = set()
        for i, mention in enumerate(parsed.mentions):
            tests = _test_mention(doc.text, mention, spans)
            if self._passes(doc, "fact_mention", mention, tests):
                accepted.mentions[i] = mention
        grain: set[object] = set()
        stated = len(parsed.observations)
        for i, seen in enumerate((*parsed.observations, *parsed.derived)):
            tests = chain(
                _test_derived(seen, is_implied=i >= stated),
                _test_observation(doc.text, seen, self._metrics, stated, i, grain),
            )
            if self._passes(doc, "fact_observation", seen, tests):
                accepted.observations[i] = seen
        subjects: set[object] = set()
        for i, check in enumerate(parsed.checks):
            tests = _test_check(check, self._rules, accepted, subjects)
            if self._passes(doc, "fact_check", check, tests):
                accepted.checks[i] = check
        return accepted

    def _passes(self, doc: DocumentIn, target: str, row: object, tests: Iterator[Failure | str]) -> bool:
        """Run the tests up to the first failure. A test yields its name, or its failure."""
        for outcome in tests:
            if isinstance(outcome, str):
                self.checked[outcome] += 1
                continue
            test, reason, way_back = outcome
            self.checked[test] += 1
            self.rejected.append(
                Rejected(
                    _ascii(doc.document_id),
                    hash_text(doc.text),
                    target,
                    test,
                    reason,
                    way_back,
                    json.dumps(_payload(row)),
                )
            )
            return False
        return True


def _test_document(doc: DocumentIn) -> Iterator[Failure | str]:
    yield _ask("document_identity", _is_identity(doc.document_id), "no document_id without scheme", READ_AGAIN)
    is_clean = all(len(text) <= MAX_TEXT and "\0" not in text and _is_unicode(text) for text in _texts(doc))
    yield _ask("document_text", is_clean, "text is too long, or holds NUL or half characters", READ_AGAIN)
    year = doc.report_year
    is_year = year is None or FIRST_YEAR <= year <= LAST_YEAR
    yield _ask("document_report_year", is_year, f"report year {year} cannot be", READ_AGAIN)
    has_zone = doc.fetched_at.tzinfo is not None
    yield _ask("document_fetched_at", has_zone, "fetch time without zone", READ_AGAIN)


def _test_mention(text: str, row: Mention, spans: set[object]) -> Iterator[Failure | str]:
    yield _ask_span("mention_span", text, row.start, row.end, row.text)
    yield _ask_numbers("mention_value", row.value, row.value_low, row.value_high)
    yield _ask("mention_qualifier", row.qualifier in QUALIFIERS, f"qualifier {row.qualifier!r}", PARSE_AGAIN)
    yield _ask_new("mention_grain", spans, (row.start, row.end))


def _test_derived(row: Observation, *, is_implied: bool) -> Iterator[Failure | str]:
    mixed = f"is_derived {row.is_derived} among the {'derived' if is_implied else 'stated'} values"
    yield _ask("observation_derived", row.is_derived == is_implied, mixed, PARSE_AGAIN)


def _test_observation(
    text: str, row: Observation, metrics: Mapping[str, MetricRow], total: int, position: int, grain: set[object]
) -> Iterator[Failure | str]:
    yield _ask_span("observation_span", text, row.start, row.end, row.text)
    yield _ask_span("observation_quote", text, row.quote_start, row.quote_start + len(row.quote), row.quote)
    metric = metrics.get(row.metric)
    if metric is None:
        yield "observation_metric", f"the catalogue has no metric {row.metric!r}", "add it to catalog/metrics"
        return
    yield "observation_metric"
    yield _ask(
        "observation_unit", row.unit == metric.unit, f"unit {row.unit!r}, the metric's is {metric.unit!r}", PARSE_AGAIN
    )
    yield _ask("observation_period", parse_period(row.period) is not None, f"period {row.period!r}", PARSE_AGAIN)
    is_day = row.as_of is None or parse_day(row.as_of) is not None
    yield _ask("observation_as_of", is_day, f"cut-off {row.as_of!r}", PARSE_AGAIN)
    is_word = row.status in STATUSES and row.qualifier in QUALIFIERS
    yield _ask("observation_words", is_word, f"status {row.status!r}, qualifier {row.qualifier!r}", PARSE_AGAIN)
    numbers = [round_derived(v) for v in _values(row)] if row.is_derived else _values(row)
    yield _ask_numbers("observation_value", *numbers)
    if metric.measure == "rate" or metric.unit == "percent":
        is_rate = row.value is None or row.damaged or 0 <= row.value <= 100
        yield _ask("observation_rate", is_rate, f"rate {row.value} is not within 0 and 100", PARSE_AGAIN)
    part = row.breakdown_of
    is_part = part is None or (0 <= part < total and part != position)
    yield _ask("observation_breakdown", is_part, f"breakdown of {part}, which is no other figure", PARSE_AGAIN)
    natural = (
        row.start, row.end, row.metric, row.period, row.status, row.scope or "", row.dimension or "", row.is_derived
    )  # fmt: skip
    yield _ask_new("observation_grain", grain, natural)


def _test_check(row: Check, rules: set[str], accepted: Accepted, seen: set[object]) -> Iterator[Failure | str]:
    yield _ask("check_rule", row.rule in rules, f"the catalogue has no rule {row.rule!r}", "add it to catalog/rules")
    yield _ask("check_verdict", row.verdict in VERDICTS, f"verdict {row.verdict!r}", PARSE_AGAIN)
    is_counted = row.n_checked > 0 or row.verdict == "not_applicable"
    yield _ask("check_n_checked", is_counted, "a check that looked at nothing", PARSE_AGAIN)
    missing = [i for i in row.observations if i not in accepted.observations]
    yield _ask("check_observations", not missing, f"figures {missing} are not loaded", "load those figures first")
    yield _ask_numbers("check_value", *map(round_derived, (row.expected, row.actual, row.tolerance)))
    is_period = row.period is None or parse_period(row.period) is not None
    yield _ask("check_period", is_period, f"period {row.period!r}", PARSE_AGAIN)
    yield _ask_new("check_grain", seen, (row.rule, tuple(dict.fromkeys(row.observations)), row.formula))


def _ask(test: str, holds: bool, reason: str, way_back: str) -> Failure | str:
    return test if holds else (test, reason, way_back)


def _ask_span(test: str, text: str, start: int, end: int, wanted: str) -> Failure | str:
    if 0 <= start < end <= len(text) and text[start:end] == wanted:
        return test
    return test, f"the text at {start}:{end} is not {wanted[:40]!r}", PARSE_AGAIN


def _ask_numbers(test: str, *values: Decimal | None) -> Failure | str:
    odd = [value for value in values if value is not None and not is_storable(value)]
    return (test, f"{odd[0]} cannot be kept exactly", PARSE_AGAIN) if odd else test


def _ask_new(test: str, seen: set[object], natural: object) -> Failure | str:
    if natural in seen:
        return test, "the same row twice", PARSE_AGAIN
    seen.add(natural)
    return test


def _values(row: Observation) -> list[Decimal]:
    values = (row.value, row.value_low, row.value_high, row.share_percent, row.yoy_percent, row.yoy_change)
    return [value for value in values if value is not None]


def _texts(doc: DocumentIn) -> Iterator[str]:
    for f in fields(doc):
        value = getattr(doc, f.name)
        if isinstance(value, str):
            yield value
    yield from (part for attachment in doc.attachments for part in attachment)
    yield from doc.notes


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


def _payload(row: object) -> object:
    """JSON-able image of a row. Of a document, only what identifies it: its texts stay in the archive."""
    if isinstance(row, DocumentIn):
        return {"url": row.url, "title": row.title, "fetched_at": row.fetched_at.isoformat()}
    return _plain(row)


def _plain(value: object) -> object:
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if isinstance(value, Decimal | datetime):
        return str(value)
    return value
