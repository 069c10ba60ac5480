"""What became of each number, written down while it is read: for `fazhi explain`, and only when somebody asks.

The engine itself reports to the trace, so an explanation cannot differ from what was decided.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Literal

Outcome = Literal["taken", "outranked", "unit", "topic", "weak_score", "needs", "counted", "carrier", "forbidden"]
"""Why a reading of the catalogue was taken or not; the words for it are in `extraction.explain`."""
Role = Literal["pool", "per_one", "joint", "change", "share", "range_start", "table_cell", "beyond_limit", "elsewhere"]
"""What a number is that is no observation of its own."""


@dataclass(frozen=True, slots=True)
class Considered:
    """One reading of one metric that had a word near the number."""

    metric: str
    word: str
    start: int
    """Where the word stands in the view."""
    side: str
    outcome: Outcome
    detail: str = ""
    score: float | None = None


@dataclass(slots=True)
class Fate:
    """What was considered for one number, and the part that it plays."""

    considered: list[Considered] = field(default_factory=list)
    role: Role | None = None


class Trace:
    """Fates by the index of the number."""

    def __init__(self) -> None:
        self.fates: defaultdict[int, Fate] = defaultdict(Fate)

    def consider(self, index: int, considered: Considered) -> None:
        self.fates[index].considered.append(considered)

    def play(self, index: int, role: Role) -> None:
        self.fates[index].role = role
