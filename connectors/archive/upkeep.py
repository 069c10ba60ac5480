"""Looking after the archive: read all of it, count it, cut a piece out of it.

All of this works on the files alone. What else refers to them (the warehouse) is handed in by the caller.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from connectors.archive import record
from connectors.archive.model import SnapshotRef
from connectors.archive.scan import Damaged, Held, file_names, scan
from connectors.archive.store import Archive


@dataclass(slots=True)
class Verdict:
    """What `verify` found."""

    files: int = 0
    pages: int = 0
    n_bytes: int = 0
    damaged: list[Damaged] = field(default_factory=list)
    references: int = 0
    lost: list[SnapshotRef] = field(default_factory=list)
    """References that lead to no good page."""

    @property
    def is_good(self) -> bool:
        return self.pages > 0 and not self.damaged and not self.lost


@dataclass(slots=True)
class Count:
    """Of one source."""

    files: set[str] = field(default_factory=set)
    pages: int = 0
    n_bytes: int = 0
    stored: int = 0

    @property
    def ratio(self) -> float:
        return self.n_bytes / self.stored if self.stored else 0.0


@dataclass(frozen=True, slots=True)
class Cut:
    """Which pages to export; empty or None means all."""

    sources: Collection[str] = ()
    urls: Collection[str] = ()
    """Parts of the address."""
    since: datetime | None = None
    until: datetime | None = None
    """Up to, not including."""

    def takes(self, page: Held) -> bool:
        return (
            (not self.sources or page.source in self.sources)
            and (not self.urls or any(part in page.url or part in page.asked for part in self.urls))
            and (self.since is None or page.fetched_at >= self.since)
            and (self.until is None or page.fetched_at < self.until)
        )


def verify(archive: Archive, references: Iterable[SnapshotRef] = ()) -> Verdict:
    """Read every record of every file, and follow every reference to a page that was found good."""
    verdict = Verdict()
    good: dict[tuple[str, int], str] = {}
    for name in file_names(archive):
        verdict.files += 1
        for found in scan(archive, name):
            if isinstance(found, Damaged):
                verdict.damaged.append(found)
            else:
                verdict.pages += 1
                verdict.n_bytes += found.n_bytes
                good[name, found.ref.offset] = found.ref.sha256
    for ref in references:
        verdict.references += 1
        try:
            there = follow(archive, ref, good)
        except (FileNotFoundError, ValueError):
            verdict.lost.append(ref)
            continue
        if good[there.file, there.offset] != ref.sha256:
            verdict.lost.append(ref)
    return verdict


def follow(archive: Archive, ref: SnapshotRef, known: Collection[tuple[str, int]]) -> SnapshotRef:
    """Where a reference leads among known pages. Raises FileNotFoundError or ValueError where it leads nowhere."""
    while (ref.file, ref.offset) not in known:
        ref = archive.moved(ref)
    return ref


def count(archive: Archive) -> dict[str, Count]:
    """By source, in order of names. Damage is passed over: that is `verify`'s matter."""
    counts: dict[str, Count] = {}
    for name in file_names(archive):
        for found in scan(archive, name):
            if isinstance(found, Held):
                entry = counts.setdefault(found.source, Count())
                entry.files.add(name)
                entry.pages += 1
                entry.n_bytes += found.n_bytes
                entry.stored += found.stored
    return dict(sorted(counts.items()))


def export(archive: Archive, cut: Cut, to: Path) -> tuple[int, list[Damaged]]:
    """Copy the chosen pages' records, as they are, into one new file. Gives the pages written and the damage met.

    Where no page is chosen no file is written. Raises OSError; `to` is whole then, or as it was."""
    damaged: list[Damaged] = []
    part = to.with_name(f".{to.name}.part")
    pages = 0
    try:
        with part.open("wb") as out:
            out.write(record.squeeze(record.warcinfo(to.name)))
            for name in file_names(archive):
                for found in scan(archive, name):
                    if isinstance(found, Damaged):
                        damaged.append(found)
                    elif cut.takes(found):
                        out.write(archive.read(replace(found.ref, length=found.stored)))
                        pages += 1
        if pages:
            part.replace(to)
    finally:
        part.unlink(missing_ok=True)
    return pages, damaged
