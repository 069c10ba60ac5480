"""Spans against gold spans, strict and lenient, and the mapping of a peer's answers to our convention."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.engines import Span
from benchmarks.measure_words import traditional_forms, unit_pattern

_SCALES = {"万": 1e4, "亿": 1e8}
_BARE = re.compile(r"[\d,，.０-９．零〇一二两三四五六七八九十百千万亿点余多]+")
"""A number without its measure word."""
_INDEFINITE = re.compile(r"一(?![零〇一二两三四五六七八九十百千万亿点])")
_CALENDAR = ("年", "月", "日")


@dataclass(frozen=True, slots=True)
class Score:
    """Counts of one comparison; add two to pool documents."""

    right: int = 0
    found: int = 0
    wanted: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(self.right + other.right, self.found + other.found, self.wanted + other.wanted)

    @property
    def precision(self) -> float:
        return self.right / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        return self.right / self.wanted if self.wanted else 0.0

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def same_value(a: float | None, b: float | None) -> bool:
    if a is None or b is None:
        return a is b
    return abs(a - b) <= 1e-9 * max(1.0, abs(a))


def overlap(a: Span, b: Span) -> bool:
    return min(a[1], b[1]) > max(a[0], b[0])


def score_exact(
    firm: Sequence[Span], soft: Sequence[Span], found: Sequence[Span], *, with_value: bool = False
) -> Score:
    """Same start and end, and the same value where asked for. What hits a soft span counts in neither direction."""
    borderline = {span[:2] for span in soft}
    counted = {span[:2]: span for span in found if span[:2] not in borderline}
    right = sum(span[:2] in counted and (not with_value or same_value(span[2], counted[span[:2]][2])) for span in firm)
    return Score(right, len(counted), len({span[:2] for span in firm}))


def score_lenient(firm: Sequence[Span], soft: Sequence[Span], found: Sequence[Span]) -> Score:
    """Overlapping and of the same value, one to one. What touches soft spans only counts in neither direction."""
    free = list(dict.fromkeys(found))
    right = 0
    for want in firm:
        hit = next((got for got in free if overlap(want, got) and same_value(want[2], got[2])), None)
        if hit is not None:
            free.remove(hit)
            right += 1
    idle = [got for got in free if any(overlap(got, span) for span in soft) and not any(overlap(got, w) for w in firm)]
    return Score(right, right + len(free) - len(idle), len(firm))


def complete(text: str, spans: Sequence[Span]) -> list[Span]:
    """A peer's answers with all that is a matter of convention done for it, by our own word list.

    余, 多, 万, 亿 and the measure word after the number belong to the span and the value; ordinals, dates, an
    indefinite 一, and numbers without a measure word are no quantities (a percentage and 零 are).
    """
    simplified = text.translate(traditional_forms())
    tail = re.compile(rf"[余多]?([万亿])?[余多]?({unit_pattern()})?")
    completed: list[Span] = []
    for start, end, value in spans:
        written = simplified[start:end]
        rest = tail.match(simplified, end)
        is_ordinal = simplified[max(0, start - 1) : start] == "第"
        if rest is None or is_ordinal or _INDEFINITE.match(written):
            continue
        is_whole = written.startswith("百分之") or not _BARE.fullmatch(written)
        if is_whole or written == "零":
            completed.append((start, end, value))
        elif rest[2] and rest[2] not in _CALENDAR:
            scaled = None if value is None else value * _SCALES.get(rest[1], 1)
            completed.append((start, rest.end(), scaled))
    return completed
