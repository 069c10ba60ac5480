"""What runs that have not ended know of a source's addresses, and when an address is due again.

Each answer is written down right after it is in the archive. A run that begins after another was killed takes what is
there from the archive, as if it had asked just then, and asks for the rest. So do runs that are under way at once, each
with what the others are answered.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple, Protocol

from connectors.archive import SnapshotRef

MAX_REST = timedelta(days=30)
MAX_LETTERS = 6_000_000
"""Some 60 MB of pages as read, in each of a night's processes."""
_PATIENCE = 3
"""Failures in a row after which an address is asked for less often."""


class Answered(NamedTuple):
    """What an address answered to a run that has not ended."""

    url: str
    kind: str
    outcome: Literal["ok", "not_modified", "gone"]
    status: int
    asked_at: datetime
    etag: str | None = None
    last_modified: str | None = None
    snapshot: SnapshotRef | None = None
    """None where it is gone."""


class Journal(Protocol):
    """The frontier as one run writes it. Addresses are keyed by `document_key`."""

    def recall(self, source_id: str) -> Mapping[str, Answered]:
        """Answers that are still good, by address, of runs that did not end or are under way."""
        ...

    def news(self, source_id: str) -> Mapping[str, Answered]:
        """Those that other runs were given since `recall`, or since this was last called."""
        ...

    def plan(self, source_id: str, pages: Iterable[tuple[str, str]]) -> None:
        """(address, kind) of what is due."""
        ...

    def begin(self, source_id: str, url: str, kind: str) -> None:
        """Its turn has come, it is asked for now: written down soon, if it is not answered before."""
        ...

    def settle(self, source_id: str, answered: Answered) -> Awaitable[None]:
        """It is written down, whatever happens to this process, once what this returns is done."""
        ...

    def fail(self, source_id: str, url: str, kind: str, code: str) -> Awaitable[None]:
        """It was asked for in vain; `deferred`: it is due again."""
        ...

    def listings(self, source_id: str) -> Mapping[str, str]:
        """What was kept of list pages, by address: a memory that may be lost."""
        ...

    def keep_listing(self, source_id: str, url: str, text: str) -> None:
        """Kept soon, and not waited for."""
        ...


class Done:
    """Awaitable, and done already."""

    def __await__(self) -> Generator[None, None, None]:
        return
        yield


DONE = Done()


class Forgetful:
    """A journal that keeps nothing."""

    def recall(self, source_id: str) -> Mapping[str, Answered]:
        return {}

    def news(self, source_id: str) -> Mapping[str, Answered]:
        return {}

    def plan(self, source_id: str, pages: Iterable[tuple[str, str]]) -> None: ...

    def begin(self, source_id: str, url: str, kind: str) -> None: ...

    def settle(self, source_id: str, answered: Answered) -> Awaitable[None]:
        return DONE

    def fail(self, source_id: str, url: str, kind: str, code: str) -> Awaitable[None]:
        return DONE

    def listings(self, source_id: str) -> Mapping[str, str]:
        return {}

    def keep_listing(self, source_id: str, url: str, text: str) -> None: ...


@dataclass(slots=True)
class RunState:
    """What all sources of one run share."""

    journal: Journal = field(default_factory=Forgetful)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    n_letters: int = 0
    """Code points of the texts that all sources together hold, read and not handed over."""
    pages_left: int | None = None
    """Detail pages that the run may still ask for; None: as many as there are."""

    def is_full(self) -> bool:
        """Whether who holds any should hand them over: hundreds of sources at once may hold no more than one large."""
        return self.n_letters >= MAX_LETTERS


def next_due(n_failed: int, asked_at: datetime) -> datetime:
    """When an address is to be asked for again: in the next run, but after three failures in a row ever later.

    1, 2, 4 … days after the third, fourth, fifth …, at most 30."""
    if n_failed < _PATIENCE:
        return asked_at
    return asked_at + min(timedelta(days=2 ** min(n_failed - _PATIENCE, 10)), MAX_REST)
