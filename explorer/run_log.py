"""The records that runs left (warehouse/run_records.py): followed, summed up, and the last one of each source."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from warehouse.run_records import (
    OUTCOMES,
    TROUBLES,
    RunRecord,
    RunUnreadable,
    SourceRun,
    as_it_is,
    read_run,
    run_files,
)


@dataclass(frozen=True, slots=True)
class Summary:
    """A run in a list."""

    path: Path
    run_id: str
    kind: str
    started_at: datetime
    seconds: float
    status: str
    problem: str
    outcomes: Mapping[str, int]
    """Sources by outcome, those that were not reached under `not_reached`; none of a run that lasts or was lost."""
    is_new_release: bool


@dataclass(frozen=True, slots=True)
class Last:
    """A source in the last run that reached it."""

    path: Path
    run_id: str
    started_at: datetime
    source: SourceRun


@dataclass(frozen=True, slots=True)
class Seen:
    """What the folder tells."""

    runs: tuple[Summary, ...] = ()
    """The newest first."""
    last: Mapping[str, Last] = field(default_factory=dict)
    """By source."""
    problems: tuple[str, ...] = ()
    """Files that were left out, a line each."""

    @property
    def in_trouble(self) -> list[Last]:
        """Sources whose last run failed, was blocked or met silence, in this order."""
        found = [one for one in self.last.values() if one.source.outcome in TROUBLES]
        return sorted(found, key=lambda one: (OUTCOMES.index(one.source.outcome), one.source.source_id))

    def of_region(self, code: str) -> list[Last]:
        return [one for one in self.in_trouble if one.source.region_code == code]


class RunLog:
    """Reads a file when it was written; that a run was lost is looked for each time."""

    def __init__(self, folder: Path | None, every: float) -> None:
        self._folder, self._every = folder, every
        self._known: dict[tuple[str, int, int], Summary | str] = {}
        """By name, time and size: a summary, or the line that says why there is none."""
        self._last: dict[str, Last] = {}
        self._seen, self._looked_at = Seen(), float("-inf")
        self._lock = threading.Lock()

    def seen(self) -> Seen:
        with self._lock:
            if self._folder is not None and time.monotonic() - self._looked_at >= self._every:
                self._look(run_files(self._folder))
                self._looked_at = time.monotonic()
            return self._seen

    def record(self, run_id: str) -> RunRecord | None:
        """The whole record of a run; None where there is none that can be read."""
        for one in self.seen().runs:
            if one.run_id == run_id:
                try:
                    return as_it_is(one.path, read_run(one.path))
                except RunUnreadable:
                    return None  # taken away just now, or damaged since: told with the list after the next look
        return None

    def _look(self, paths: list[Path]) -> None:
        marks = [(path, mark) for path in paths if (mark := _mark(path)) is not None]
        before, self._known = self._known, {}
        for path, mark in marks:
            held = before.get(mark)
            is_settled = held is not None and not (isinstance(held, Summary) and held.status == "running")
            self._known[mark] = held if held is not None and is_settled else self._read(path)
        there = {path for path, _ in marks}
        self._last = {name: one for name, one in self._last.items() if one.path in there}
        runs = [one for one in self._known.values() if isinstance(one, Summary)]
        runs.sort(key=lambda one: (one.started_at, one.run_id), reverse=True)
        problems = tuple(one for one in self._known.values() if isinstance(one, str))
        self._seen = Seen(tuple(runs), dict(self._last), problems)

    def _read(self, path: Path) -> Summary | str:
        try:
            record = as_it_is(path, read_run(path))
        except RunUnreadable as error:
            return str(error)
        for source in record.sources:
            held = self._last.get(source.source_id)
            if held is None or held.started_at < record.started_at:
                self._last[source.source_id] = Last(path, record.run_id, record.started_at, source)
        outcomes = Counter[str](one.outcome for one in record.sources)
        if record.not_reached and record.status in ("done", "stopped"):
            outcomes["not_reached"] = len(record.not_reached)
        return Summary(
            path, record.run_id, record.kind, record.started_at, record.seconds, record.status, record.problem,
            outcomes, record.has_new_release,
        )  # fmt: skip


def _mark(path: Path) -> tuple[str, int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None  # pruned just now
    return path.name, stat.st_mtime_ns, stat.st_size
