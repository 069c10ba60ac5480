"""What extraction gives back. Spans are half-open, in code points of the stored text."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, make_dataclass
from decimal import Decimal
from typing import Any, Literal, TypeVar

Qualifier = Literal["exact", "approx", "approx_more", "at_least", "at_most"]
Status = Literal["actual", "prior_period", "cumulative", "target"]
Verdict = Literal["holds", "truncated", "fails", "differs", "not_applicable"]

_Record = TypeVar("_Record")


def compile_builder(record: type[_Record]) -> type[_Record]:
    """A constructor for the places where thousands are made: the guard of a frozen class makes its own slow.

    An open twin with the same slots is filled, then it becomes what it is a twin of: the same record as of `record`.
    A compiled class has a layout of its own and no twin; there `record` itself is the answer.
    """
    if hasattr(record, "__mypyc_attrs__"):
        return record

    def close(twin: Any) -> None:
        twin.__class__ = record

    slots = [(slot.name, slot.type, field(default=slot.default)) for slot in fields(record)]  # type: ignore[arg-type]
    return make_dataclass(record.__name__, slots, namespace={"__post_init__": close}, eq=False, slots=True)


@dataclass(frozen=True, slots=True)
class Mention:
    """One numeric quantity of a text, whether or not a metric claims it."""

    start: int
    end: int
    text: str
    """`text[start:end]` of the document, from the first digit to the end of the unit."""
    value: Decimal | None
    """万/亿 multiplied out; money in yuan; percent 0-100. None only where the text is unreadable."""
    unit_zh: str
    """The bare classifier as written (`件`, `%`, `人次`), empty where the text has none."""
    numeral: Literal["arabic", "han"]
    qualifier: Qualifier
    value_low: Decimal | None = None
    """The bound the words state: 140余 -> 140, a range's low end; None for 约 (no invented bounds)."""
    value_high: Decimal | None = None
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class Observation:
    """One stated value of a catalogue metric. Rules: the annotation rules of docs/extraction.md."""

    metric: str
    start: int
    end: int
    text: str
    value: Decimal | None
    unit: str
    """Canonical unit code of the catalogue (`case`, `percent`, `yuan`, …)."""
    unit_zh: str
    period: str
    """`YYYY`, or a window `YYYY-MM/YYYY-MM`."""
    status: Status
    qualifier: Qualifier
    quote: str
    quote_start: int
    value_low: Decimal | None = None
    value_high: Decimal | None = None
    as_of: str | None = None
    """`YYYY-MM-DD` (or `YYYY-MM`) where the figure covers only part of the year."""
    scope: str | None = None
    dimension: str | None = None
    breakdown_of: int | None = None
    """Index of the total in the same tuple of observations."""
    share_percent: Decimal | None = None
    share_of: str | None = None
    yoy_percent: Decimal | None = None
    yoy_text: str | None = None
    yoy_change: Decimal | None = None
    is_derived: bool = False
    damaged: bool = False
    evidence: str = ""
    """Why: topic word, aspect word, rule; for `fazhi explain` and reviewers."""


@dataclass(frozen=True, slots=True)
class Check:
    """One validation rule applied to one subject."""

    rule: str
    verdict: Verdict
    expected: Decimal | None
    actual: Decimal | None
    tolerance: Decimal | None
    n_checked: int
    """How many figures the rule looked at. Zero only with `not_applicable`."""
    observations: tuple[int, ...]
    """Indexes of the observations it used. Empty where no metric read any of the figures (`extraction/lists.py`)."""
    formula: str
    """The rule with its figures filled in, e.g. `898 + 16 + 4 = 918`."""
    period: str | None = None
    message_zh: str = ""
    message_en: str = ""
    is_explained: bool = False
    """Only with `differs`: the two figures do not cover the same time, which the message says; no error is meant."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """Everything read from one report's text."""

    report_year: int | None
    mentions: tuple[Mention, ...]
    observations: tuple[Observation, ...]
    checks: tuple[Check, ...]
    notes: tuple[str, ...] = field(default=())
    derived: tuple[Observation, ...] = field(default=())
    """Values of the year before that follow exactly from a stated change (`extraction/derived.py`): no statements."""


build_mention = compile_builder(Mention)
build_observation = compile_builder(Observation)
build_check = compile_builder(Check)
