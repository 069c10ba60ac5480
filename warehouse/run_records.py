"""What a run did, as a file: `<folder>/<started>_<run id>.json`, written when it begins and again when it ends.

A release holds no log of crawls, since the same state gives the same bytes whatever the nights in between. These files
are that log: the nightly writes them, the explorer reads them. No database and no SQLAlchemy here.

A run holds a lock beside its record while it lasts. The system lets go of it with the process, however that ended: a
record that says `running` and whose lock nobody holds is of a run that was lost.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, TypeAdapter, ValidationError

FORMAT = 1
"""Of these files; a reader names another one and leaves it out."""
LARGEST = 64 * 2**20
"""Bytes of a file that is read."""
A_DAY = 24 * 3600
RUN_ID = re.compile(r"^[0-9A-Za-z][0-9A-Za-z._-]{0,79}$")

Outcome = Literal["failed", "blocked", "silent", "deferred", "new", "changed", "unchanged"]
OUTCOMES: tuple[Outcome, ...] = ("failed", "blocked", "silent", "deferred", "new", "changed", "unchanged")
"""What became of a source, in the order shown; `silent`: nothing failed, and not one page answered."""
TROUBLES: tuple[Outcome, ...] = ("failed", "blocked", "silent")
Reason = Literal["blocked", "column_not_found", "layout_changed", "failed", "silent"]

BLOCKED_WORDS = ("challenge", "firewall", "robots.txt")
NO_COLUMN_WORDS = ("no such page", "no row of the", "the lists hold", "no annual report listed")
LAYOUT_WORDS = ("layout-changed",)
"""How failures of a source as a whole are told apart by their words; the reasons of missing reports use them too."""


class RunUnreadable(Exception):
    """A file that is no record of a run this program can read; one line that names it."""


@dataclass(frozen=True, slots=True)
class SourceRun:
    """One source in one run."""

    source_id: str
    region_code: str
    name_zh: str
    name_en: str
    status: str
    """`ok`, or `failed`: then `failures` begins with why."""
    counts: Mapping[str, int]
    """Pages: planned, fetched, unchanged, blocked, failed, deferred and more; documents: new, changed, gone."""
    observations: int
    mentions: int
    removed_links: int
    seconds: float
    failures: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def outcome(self) -> Outcome:
        n = self.counts.get
        if self.reason is not None:
            return "blocked" if self.reason == "blocked" else "silent" if self.reason == "silent" else "failed"
        if n("deferred"):
            return "deferred"
        if n("new"):
            return "new"
        return "changed" if n("changed") or n("gone") else "unchanged"

    @property
    def reason(self) -> Reason | None:
        """Why a report may be missing; None where the source answered."""
        n = self.counts.get
        failed, told = self.status != "ok", " ".join(self.failures)
        if n("blocked") or (failed and _has(told, BLOCKED_WORDS)):
            return "blocked"
        if failed and _has(told, NO_COLUMN_WORDS):
            return "column_not_found"
        if failed and _has(told, LAYOUT_WORDS):
            return "layout_changed"
        has_answer = any(n(name) for name in ("fetched", "unchanged", "gone"))
        if failed or (n("failed") and not has_answer):
            return "failed"
        return None if has_answer or n("deferred") else "silent"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run. Sources that were asked and have no entry were not reached when it was stopped."""

    format: int
    run_id: str
    flow_run_id: str | None
    """Of Prefect; None where Prefect had no part in it."""
    kind: str
    """`nightly`."""
    started_at: AwareDatetime
    seconds: float
    status: Literal["running", "done", "stopped", "lost"]
    """`lost`: its process ended without a word."""
    problem: str
    """By what it was stopped; empty where it was not."""
    asked: tuple[str, ...]
    """Sources, in their order."""
    release_before: str | None
    release: str | None
    """The release that was current at its end; None: there is none."""
    sources: tuple[SourceRun, ...]
    notes: tuple[str, ...]
    """On the run as a whole."""

    @property
    def has_new_release(self) -> bool:
        """Whether the release is another one than before: the same state keeps its release."""
        return self.release != self.release_before

    @property
    def not_reached(self) -> tuple[str, ...]:
        done = {one.source_id for one in self.sources}
        return tuple(name for name in self.asked if name not in done)


_RECORD = TypeAdapter(RunRecord)
LOST = "the process ended without a word: killed, out of memory, or the machine went down"


@contextmanager
def hold_run(folder: Path, record: RunRecord, keep: int) -> Iterator[None]:
    """Write the record of a run that begins, and let nobody take it for lost until the block ends. Runs that were lost
    before are marked so. Raises OSError before the block begins, where nothing can be written."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = _lock_of(_path_of(folder, record))
    with lock.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            _mark_lost(folder, keep)
            write_run(folder, record, keep)
            yield
        finally:
            lock.unlink(missing_ok=True)


def as_it_is(path: Path, record: RunRecord) -> RunRecord:
    """The record, of a run that was lost as `lost`."""
    if record.status != "running" or _is_held(_lock_of(path)):
        return record
    return replace(record, status="lost", problem=LOST)


def _mark_lost(folder: Path, keep: int) -> None:
    """A record that cannot be read is left to whoever reads the folder: told there."""
    for lock in sorted(folder.glob(".*.lock")):
        path = folder / f"{lock.name[1:].removesuffix('.lock')}.json"
        if not _is_held(lock):
            with suppress(RunUnreadable):
                record = read_run(path)
                if record.status == "running":
                    write_run(folder, as_it_is(path, record), keep)
            lock.unlink(missing_ok=True)


def _path_of(folder: Path, record: RunRecord) -> Path:
    if not RUN_ID.match(record.run_id):
        raise ValueError(f"run id {record.run_id!r}: letters, digits, dots, lines")
    return folder / f"{record.started_at.astimezone(UTC):%Y%m%dT%H%M%SZ}_{record.run_id}.json"


def _lock_of(path: Path) -> Path:
    return path.with_name(f".{path.stem}.lock")


def _is_held(lock: Path) -> bool:
    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def write_run(folder: Path, record: RunRecord, keep: int) -> Path:
    """Write a record, and leave the newest `keep` of the folder. A reader never sees half a file. Raises OSError."""
    path = _path_of(folder, record)
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{path.name}.{os.getpid()}"
    try:
        with draft.open("wb") as file:
            file.write(_RECORD.dump_json(record, indent=1) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    for old in run_files(folder)[keep:]:
        old.unlink(missing_ok=True)
    for left in folder.glob(".*.json.*"):  # of a run that was killed while it wrote
        with suppress(FileNotFoundError):
            if left.stat().st_mtime < time.time() - A_DAY:
                left.unlink()
    return path


def run_files(folder: Path) -> list[Path]:
    """The newest first; none where there is no folder."""
    return sorted((path for path in folder.glob("[0-9]*.json")), key=lambda path: path.name, reverse=True)


def read_run(path: Path) -> RunRecord:
    """Raises RunUnreadable."""
    try:
        if path.stat().st_size > LARGEST:
            raise RunUnreadable(f"{path.name}: larger than {LARGEST} bytes, left out")
        record = _RECORD.validate_json(path.read_bytes(), strict=True)
    except OSError as error:
        raise RunUnreadable(f"{path.name}: {error.strerror or error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise RunUnreadable(
            f"{path.name}: damaged, or of another version; left out ({where + ': ' if where else ''}{first['msg']})"
        ) from error
    if record.format != FORMAT:
        raise RunUnreadable(f"{path.name}: format {record.format}, and this program reads {FORMAT}; left out")
    return record


def now() -> datetime:
    """To the second: as the file's name has it."""
    return datetime.now(UTC).replace(microsecond=0)


def _has(text: str, words: tuple[str, ...]) -> bool:
    return any(word in text for word in words)
