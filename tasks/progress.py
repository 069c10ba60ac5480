"""Progress of a run, for whoever watches: the terminal's bars, or nobody (a scheduled run)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol


class Reporter(Protocol):
    """What the steps tell. Calls come from the event loop's thread only."""

    def say(self, text: str) -> None:
        """A new phase of the run."""

    def update(self, source_id: str, stage: str, done: int, planned: int) -> None:
        """One source's place: `stage` is a word, `planned` is 0 while the amount is not known."""

    def finish(self, source_id: str, outcome: str) -> None:
        """A source is done; `outcome` is `ok`, `unchanged` or `failed`."""


class Silent:
    """Nobody watches."""

    def say(self, text: str) -> None: ...

    def update(self, source_id: str, stage: str, done: int, planned: int) -> None: ...

    def finish(self, source_id: str, outcome: str) -> None: ...


_reporter: ContextVar[Reporter | None] = ContextVar("reporter", default=None)


def reporter() -> Reporter:
    """Whoever watches this run; a scheduled run has nobody."""
    return _reporter.get() or Silent()


@contextmanager
def use_reporter(watching: Reporter) -> Iterator[None]:
    token = _reporter.set(watching)
    try:
        yield
    finally:
        _reporter.reset(token)
