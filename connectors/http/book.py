"""The book by which processes share lanes: what it knows of a host, and what it hands out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class LaneState:
    """What is known of a host's lane. All times are seconds from now, so no two clocks need agree."""

    since_start: float = float("inf")
    """Since the last request began."""
    hold: float = 0.0
    """Until it may be asked again at all."""
    response: float = 0.0
    slowdown: float = 1.0


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to ask a host, up to a time and a number of requests."""

    seconds: float
    requests: int
    """Counted already; what is not used is given back."""
    asked_today: int
    """Requests of the day (Asia/Shanghai) before this lease, of all processes."""
    state: LaneState


@dataclass(frozen=True, slots=True)
class Busy:
    """Another process holds the lane, or waits for it."""

    seconds: float
    """To wait before asking for it again."""


class LaneBook(Protocol):
    """Where processes share lanes. Calls are short and may come from any thread."""

    def acquire(self, host: str, limit: int | None, learned: LaneState | None, unused: int) -> Lease | Busy:
        """`limit`: requests a day that the asker keeps to; a small one is handed out in small portions. `learned`
        and `unused` settle the lease before this one; it is given back then, whatever comes out."""
        ...

    def renew(self, learned: Mapping[str, LaneState]) -> Collection[str]:
        """Write down what was learned, and go on holding for as long again as a new lease. Hosts whose lanes are held
        still, and that nobody else waits for."""
        ...

    def settle(self, host: str, learned: LaneState, *, unused: int) -> None:
        """Write down what was learned, and let go."""
        ...
