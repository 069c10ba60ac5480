"""What changed between two versions of a document: its sentences, and the figures read from them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, or_, select

from warehouse.errors import WarehouseError
from warehouse.schema import dim_document, document_text, fact_observation
from warehouse.schema_dims import dim_metric, dim_period, dim_unit

SENTENCE = re.compile(r"[^。；！？\n]*[。；！？\n]|[^。；！？\n]+")
MAX_PAIRS = 250_000
"""Sentences of one text times those of the other that are compared each with each; beyond, by unique sentences."""
MAX_SENTENCE = 300
"""Characters of a sentence within which the changed characters are looked for."""
CONTEXT = 1
"""Unchanged sentences shown on either side."""
SHOWN = 10
"""Documents named where a part of an address fits several."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a document."""

    document_key: int
    document_id: str
    version_no: int
    title: str | None
    valid_from: datetime
    valid_to: datetime | None
    is_current: bool
    is_gone: bool
    is_report: bool
    text: str


@dataclass(frozen=True, slots=True)
class Hunk:
    """Neighbouring sentences that changed, with what stands around them."""

    before: tuple[str, ...]
    """Unchanged sentences ahead."""
    removed: tuple[str, ...]
    added: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """An observation as a person reads it."""

    metric: str
    name_zh: str
    name_en: str
    period: str
    status: str
    scope: str
    dimension: str
    value: Decimal | None
    unit: str
    text: str
    quote: str

    @property
    def identity(self) -> tuple[str, ...]:
        return (self.metric, self.period, self.status, self.scope, self.dimension)


@dataclass(frozen=True, slots=True)
class DocumentDiff:
    """Two versions and what is different."""

    old: Version
    new: Version
    hunks: tuple[Hunk, ...]
    added: tuple[Figure, ...]
    removed: tuple[Figure, ...]
    changed: tuple[tuple[Figure, Figure], ...]
    n_unchanged: int
    """Figures that both versions state alike."""


def find_document(conn: Connection, wanted: str) -> str:
    """The document_id of an address, an id, or a part of one that fits no other.

    Raises WarehouseError when none or several fit."""
    told = re.sub(r"^https?://", "", wanted.strip())
    doc = dim_document.c
    exact = conn.execute(
        select(doc.document_id)
        .where(or_(doc.document_id == told, doc.url == wanted.strip()), doc.document_key >= 0)
        .distinct()
        .limit(2)
    ).scalars()
    found = list(exact)
    if told and not found:
        part = or_(doc.document_id.contains(told, autoescape=True), doc.url.contains(told, autoescape=True))
        chosen = select(doc.document_id).where(part, doc.document_key >= 0).distinct().order_by(doc.document_id)
        found = list(conn.execute(chosen.limit(SHOWN + 1)).scalars())
    if not found:
        raise WarehouseError(f"no document has {wanted!r} in its address: `fazhi articles` lists them")
    if len(found) > 1:
        more = " and more" if len(found) > SHOWN else ""
        raise WarehouseError(f"{wanted!r} fits several documents: {', '.join(found[:SHOWN])}{more}: give more of it")
    return str(found[0])


def read_versions(conn: Connection, document_id: str) -> list[Version]:
    """All versions in order."""
    doc = dim_document.c
    names = [name for name in Version.__slots__ if name != "text"]
    chosen = (
        select(*(doc[name] for name in names), document_text.c.text)
        .join(document_text, document_text.c.text_key == doc.text_key)
        .where(doc.document_id == document_id)
        .order_by(doc.version_no)
    )
    return [Version(**row) for row in conn.execute(chosen).mappings()]


def diff_document(conn: Connection, document_id: str, a: int | None = None, b: int | None = None) -> DocumentDiff:
    """Version `a` against `b`; by default the last two. Raises WarehouseError where there is nothing to compare."""
    versions = {one.version_no: one for one in read_versions(conn, document_id)}
    last = max(versions, default=0)
    if last < 2 and (a is None or b is None):
        raise WarehouseError(f"{document_id} has one version only: its text has not changed")
    first, second = (last - 1, last) if a is None or b is None else (a, b)
    for number in (first, second):
        if number not in versions:
            raise WarehouseError(f"{document_id} has no version {number}: its versions are 1 to {last}")
    old, new = versions[first], versions[second]
    figures = diff_figures(read_figures(conn, old.document_key), read_figures(conn, new.document_key))
    return DocumentDiff(old, new, tuple(diff_texts(old.text, new.text)), *figures)


def split_sentences(text: str) -> list[str]:
    """Sentences and lines, stripped; empty ones left out."""
    return [part for found in SENTENCE.finditer(text) if (part := found[0].strip())]


def diff_texts(old: str, new: str) -> Iterator[Hunk]:
    """Changed sentences in order, each run of them with its context."""
    a, b = split_sentences(old), split_sentences(new)
    for start, end, other_start, other_end in changed_runs(a, b):
        yield Hunk(
            tuple(a[max(start - CONTEXT, 0) : start]),
            tuple(a[start:end]),
            tuple(b[other_start:other_end]),
            tuple(a[end : end + CONTEXT]),
        )


def changed_runs(a: Sequence[str], b: Sequence[str]) -> list[tuple[int, int, int, int]]:
    """Ranges of `a` and `b` that differ. Time is bounded: large texts are cut at the sentences that both hold once."""
    head = 0
    while head < min(len(a), len(b)) and a[head] == b[head]:
        head += 1
    tail = 0
    while tail < min(len(a), len(b)) - head and a[-1 - tail] == b[-1 - tail]:
        tail += 1
    anchors = [(head, head)]
    if (len(a) - head - tail) * (len(b) - head - tail) > MAX_PAIRS:
        anchors += _unique_pairs(a, b, head, tail)
    anchors.append((len(a) - tail, len(b) - tail))
    runs: list[tuple[int, int, int, int]] = []
    for (start, other_start), (end, other_end) in pairwise(anchors):
        for run in _compare(a[start:end], b[other_start:other_end]):
            moved = (run[0] + start, run[1] + start, run[2] + other_start, run[3] + other_start)
            if runs and runs[-1][1] == moved[0] and runs[-1][3] == moved[2]:
                earlier = runs.pop()
                moved = (earlier[0], moved[1], earlier[2], moved[3])
            runs.append(moved)
    return runs


def _compare(a: Sequence[str], b: Sequence[str]) -> list[tuple[int, int, int, int]]:
    if len(a) * len(b) > MAX_PAIRS:
        return [(0, len(a), 0, len(b))]
    codes = SequenceMatcher(None, a, b, autojunk=False).get_opcodes()
    return [(i, j, k, m) for tag, i, j, k, m in codes if tag != "equal"]


def _unique_pairs(a: Sequence[str], b: Sequence[str], head: int, tail: int) -> list[tuple[int, int]]:
    """Sentences that stand once in each text and in the same order in both (the longest such chain)."""
    places: dict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for which, sentences in ((0, a), (1, b)):
        for i in range(head, len(sentences) - tail):
            places[sentences[i]][which].append(i)
    pairs = sorted((one[0], other[0]) for one, other in places.values() if len(one) == len(other) == 1)
    ends: list[int] = []
    chain: list[int] = []
    before: list[int] = []
    for i, (_, other) in enumerate(pairs):
        place = bisect_left(ends, other)
        before.append(chain[place - 1] if place else -1)
        ends[place : place + 1] = [other]
        chain[place : place + 1] = [i]
    found: list[tuple[int, int]] = []
    i = chain[-1] if chain else -1
    while i >= 0:
        found.append(pairs[i])
        i = before[i]
    return found[::-1]


def mark_changes(old: str, new: str) -> list[tuple[str, str]]:
    """One changed sentence as parts: (`same`, `-` or `+`, characters). Long ones are shown whole."""
    if max(len(old), len(new)) > MAX_SENTENCE:
        return [("-", old), ("+", new)]
    parts: list[tuple[str, str]] = []
    for tag, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            parts.append(("same", old[i:j]))
            continue
        if j > i:
            parts.append(("-", old[i:j]))
        if m > k:
            parts.append(("+", new[k:m]))
    return parts


def read_figures(conn: Connection, document_key: int) -> list[Figure]:
    """The figures of a version in the order of the text."""
    seen = fact_observation.c
    chosen = (
        select(
            dim_metric.c.metric_code, dim_metric.c.name_zh, dim_metric.c.name_en, dim_period.c.period_id, seen.status,
            seen.scope, seen.dimension, seen.value_num, dim_unit.c.unit_code, seen.value_text, seen.quote,
        )
        .join(dim_metric, dim_metric.c.metric_key == seen.metric_key)
        .join(dim_period, dim_period.c.period_key == seen.period_key)
        .join(dim_unit, dim_unit.c.unit_key == seen.unit_key)
        .where(seen.document_key == document_key, ~seen.is_derived)
        .order_by(seen.position, seen.observation_key)
    )  # fmt: skip
    return [Figure(*row) for row in conn.execute(chosen)]


def diff_figures(
    old: Sequence[Figure], new: Sequence[Figure]
) -> tuple[tuple[Figure, ...], tuple[Figure, ...], tuple[tuple[Figure, Figure], ...], int]:
    """Added, removed, changed (old, new), and how many are alike. Figures of one identity are alike by value first,
    then paired in the order of the text."""
    groups: dict[tuple[str, ...], tuple[list[Figure], list[Figure]]] = defaultdict(lambda: ([], []))
    for which, figures in ((0, old), (1, new)):
        for one in figures:
            groups[one.identity][which].append(one)
    added: list[Figure] = []
    removed: list[Figure] = []
    changed: list[tuple[Figure, Figure]] = []
    alike = 0
    for before, after in (groups[identity] for identity in sorted(groups)):
        there, here = Counter(one.value for one in after), Counter(one.value for one in before)
        common = there & here
        alike += common.total()
        left, rest = _without(before, common), _without(after, common)
        paired = min(len(left), len(rest))
        changed += zip(left[:paired], rest[:paired], strict=True)
        removed += left[paired:]
        added += rest[paired:]
    return tuple(added), tuple(removed), tuple(changed), alike


def _without(figures: Sequence[Figure], values: Counter[Decimal | None]) -> list[Figure]:
    """The figures but for so many of each value."""
    due, rest = Counter(values), []
    for one in figures:
        if due[one.value]:
            due[one.value] -= 1
        else:
            rest.append(one)
    return rest


def as_record(diff: DocumentDiff) -> dict[str, Any]:
    """The difference as JSON can hold it."""

    def version(one: Version) -> dict[str, Any]:
        record = {name: getattr(one, name) for name in Version.__slots__ if name not in ("text", "document_id")}
        return record | {
            "valid_from": one.valid_from.isoformat(),
            "valid_to": one.valid_to.isoformat() if one.valid_to else None,
        }

    def figure(one: Figure) -> dict[str, Any]:
        record = {name: getattr(one, name) for name in Figure.__slots__}
        return record | {"value": None if one.value is None else format(one.value, "f")}

    return {
        "document_id": diff.new.document_id,
        "old": version(diff.old),
        "new": version(diff.new),
        "text": [{name: getattr(hunk, name) for name in Hunk.__slots__} for hunk in diff.hunks],
        "facts": {
            "added": [figure(one) for one in diff.added],
            "removed": [figure(one) for one in diff.removed],
            "changed": [{"old": figure(one), "new": figure(other)} for one, other in diff.changed],
            "unchanged": diff.n_unchanged,
        },
    }
