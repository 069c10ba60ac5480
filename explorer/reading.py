"""A report as it is read: its text cut into paragraphs, every number marked by its fate.

Positions are code points of the text, half-open. Marks never overlap: of two that do, the one that begins first (the
longer of two that begin together) is drawn and takes over what the other one says.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PART_STATUS = ("actual", "prior_period", "cumulative")


@dataclass(frozen=True, slots=True)
class Passage:
    """What was taken out of a text before it was read."""

    number: int
    at: int
    """Position in the text; -1 where it stood elsewhere on the page."""
    kind: str
    words: str
    address: str


@dataclass(slots=True)
class Mark:
    """A number in the text, or the place of a passage that was taken out: then it has no length."""

    start: int
    end: int
    fate: str
    observations: list[Mapping[str, Any]] = field(default_factory=list)
    passage: Passage | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """Plain text, or a marked number."""

    text: str
    mark: Mark | None = None


def fate_of(observation: Mapping[str, Any], verdicts: Iterable[str]) -> str:
    """What became of a stated number: the worst that a check said, else how it was stated."""
    said = set(verdicts)
    for bad in ("fails", "truncated"):
        if bad in said:
            return bad
    if observation["is_damaged"]:
        return "damaged"
    if "differs" in said:
        return "differs"
    if observation["status"] == "target":
        return "target"
    if observation["as_of"]:
        return "part"
    if observation["qualifier"] != "exact":
        return "approx"
    return "held" if "holds" in said else "stated"


def passages_of(written: str) -> list[Passage]:
    """The passages of a document, of which the release tells as JSON. Raises ValueError where it is none."""
    found = json.loads(written)
    return [Passage(number, int(one[0]), *map(str, one[1:4])) for number, one in enumerate(found, 1)]


def cut_marks(marks: Sequence[Mark], passages: Sequence[Passage]) -> list[Mark]:
    """The marks of a text together with the places where something was taken out."""
    cuts = [Mark(one.at, one.at, "removed", [], one) for one in passages if one.at >= 0]
    return sorted((*marks, *cuts), key=lambda mark: (mark.start, mark.end))


def make_marks(
    observations: Sequence[Mapping[str, Any]], mentions: Sequence[Mapping[str, Any]], order: Sequence[str]
) -> list[Mark]:
    """Numbers of a text in their order. `order` tells fates from the worst to the mildest."""
    spans = [(one["span_start"], one["span_end"], one["fate"], [one]) for one in observations]
    spans += [
        (one["span_start"], one["span_end"], "damaged" if one["is_damaged"] else "mention", []) for one in mentions
    ]
    found: list[Mark] = []
    for start, end, fate, seen in sorted(spans, key=lambda span: (span[0], -span[1])):
        if found and start < found[-1].end:
            last = found[-1]
            last.observations += seen
            last.fate = min(last.fate, fate, key=order.index)
        elif end > start:
            found.append(Mark(start, end, fate, list(seen)))
    return found


def paragraphs(text: str, marks: Sequence[Mark]) -> list[list[Piece]]:
    """The text line by line with its marks; empty lines are left out. A mark over a line's end keeps its first part."""
    lines: list[list[Piece]] = []
    waiting = list(reversed(marks))
    start = 0
    for line in text.split("\n"):
        end = start + len(line)
        pieces: list[Piece] = []
        at = start
        while waiting and (waiting[-1].start < end or waiting[-1].start == waiting[-1].end == end):
            mark = waiting.pop()
            if mark.start > at:
                pieces.append(Piece(text[at : mark.start]))
            pieces.append(Piece(text[max(mark.start, at) : min(mark.end, end)], mark))
            at = max(at, min(mark.end, end))
        if at < end:
            pieces.append(Piece(text[at:end]))
        if line.strip() or pieces:
            lines.append(pieces)
        start = end + 1
    return lines
