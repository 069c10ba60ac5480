"""A report as it is read: its text cut into paragraphs, every number marked by its fate.

Positions are code points of the text, half-open. Marks never overlap: of two that do, the one that begins first (the
longer of two that begin together) is drawn and takes over what the other one says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PART_STATUS = ("actual", "prior_period", "cumulative")


@dataclass(slots=True)
class Mark:
    """A number in the text."""

    start: int
    end: int
    fate: str
    observations: list[Mapping[str, Any]] = field(default_factory=list)


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
        while waiting and waiting[-1].start < end:
            mark = waiting.pop()
            if mark.start > at:
                pieces.append(Piece(text[at : mark.start]))
            pieces.append(Piece(text[max(mark.start, at) : min(mark.end, end)], mark))
            at = min(mark.end, end)
        if at < end:
            pieces.append(Piece(text[at:end]))
        if line.strip():
            lines.append(pieces)
        start = end + 1
    return lines
