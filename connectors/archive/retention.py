"""Taking out old versions, never the last one of a page and none that is referred to.

Files do not change: one that loses pages is written anew under another name, a map of its remaining pages is put
beside it (`<file>.moved`), and then it goes. A reference stays good through the map. Killed between two of these
steps, there are two copies of some pages; the next time the one that nothing refers to is taken out.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from connectors.archive.model import SnapshotRef
from connectors.archive.places import MOVED, telling
from connectors.archive.scan import Damaged, Held, scan
from connectors.archive.store import Archive
from connectors.archive.upkeep import follow
from connectors.archive.writer import write_file
from connectors.errors import Refused
from connectors.urls import document_key


@dataclass(frozen=True, slots=True)
class Policy:
    """What is kept beside the last version and all that is referred to. A version goes when no rule keeps it."""

    days: int | None = None
    """Versions fetched in the last so many days."""
    versions: int | None = None
    """The newest so many versions of each page."""

    def __post_init__(self) -> None:
        if self.days is None and self.versions is None:
            raise ValueError("a policy keeps by age, by count or by both")


@dataclass(slots=True)
class Pruning:
    """What a policy takes out, or has taken out."""

    pages: int = 0
    """Addresses."""
    versions: int = 0
    """In the archive before."""
    old: dict[str, list[Held]] = field(default_factory=dict)
    """To be taken out, by file."""
    kept: dict[str, list[Held]] = field(default_factory=dict)
    """The others of the same files."""
    damaged: list[Damaged] = field(default_factory=list)
    """Their files are left alone, and none of their pages counts as a version."""
    adrift: int = 0
    """References that lead to no page of the archive."""

    @property
    def n_old(self) -> int:
        return sum(map(len, self.old.values()))

    @property
    def freed(self) -> int:
        """Bytes of the records taken out."""
        return sum(page.stored for pages in self.old.values() for page in pages)


def plan_pruning(archive: Archive, policy: Policy, references: Iterable[SnapshotRef], now: datetime) -> Pruning:
    """Which versions go. Only sealed files are looked at. Raises ArchiveUnusable."""
    plan = Pruning()
    held: dict[tuple[str, int], Held] = {}
    for name in archive.place.names():
        found = list(scan(archive, name))
        damaged = [one for one in found if isinstance(one, Damaged)]
        plan.damaged += damaged
        if not damaged:
            held |= {(name, one.ref.offset): one for one in found if isinstance(one, Held)}
    wanted = set(_resolve(archive, references, held, plan))
    by_page: dict[str, list[Held]] = {}
    for page in held.values():
        by_page.setdefault(_key(page.asked), []).append(page)
    plan.pages, plan.versions = len(by_page), len(held)
    for versions in by_page.values():
        for page in _too_old(versions, policy, wanted, now):
            plan.old.setdefault(page.ref.file, []).append(page)
    gone = {page.ref for pages in plan.old.values() for page in pages}
    for page in held.values():
        if page.ref.file in plan.old and page.ref not in gone:
            plan.kept.setdefault(page.ref.file, []).append(page)
    return plan


def carry_out(archive: Archive, plan: Pruning) -> None:
    """Take the old versions out, file by file. Raises ArchiveUnusable; what was done until then holds."""
    for name in plan.old:
        keep = sorted(plan.kept.get(name, []), key=lambda page: page.ref.offset)
        to, offsets = "", list[int]()
        with telling(archive.place.shown, "pruned"):
            if keep:
                copies = (archive.read(replace(page.ref, length=page.stored)) for page in keep)
                to, offsets = write_file(archive.spool, archive.place, copies)
            records = {str(page.ref.offset): offset for page, offset in zip(keep, offsets, strict=True)}
            archive.place.put(name + MOVED, json.dumps({"to": to, "records": records}).encode())
            archive.place.remove(name)


def _resolve(
    archive: Archive, references: Iterable[SnapshotRef], held: Collection[tuple[str, int]], plan: Pruning
) -> Iterator[tuple[str, int]]:
    for ref in references:
        try:
            there = follow(archive, ref, held)
        except (FileNotFoundError, ValueError):
            plan.adrift += 1
            continue
        yield there.file, there.offset


def _too_old(
    versions: list[Held], policy: Policy, wanted: Collection[tuple[str, int]], now: datetime
) -> Iterator[Held]:
    """The versions of one page that no rule keeps."""
    is_wanted = {page.ref: (page.ref.file, page.ref.offset) in wanted for page in versions}
    # The newest first; of two copies of one version, the one that is referred to.
    versions.sort(key=lambda page: (page.fetched_at, is_wanted[page.ref], page.ref.file, page.ref.offset), reverse=True)
    seen: set[tuple[datetime, str]] = set()
    for page in versions:
        is_copy = (page.fetched_at, page.ref.sha256) in seen
        seen.add((page.fetched_at, page.ref.sha256))
        is_young = policy.days is not None and page.fetched_at > now - timedelta(days=policy.days)
        is_counted = len(seen) <= (policy.versions or 1)
        if not is_wanted[page.ref] and (is_copy or not (is_young or is_counted)):
            yield page


def _key(url: str) -> str:
    """What makes two addresses one page; an address that is none stands for itself."""
    try:
        return document_key(url)
    except Refused:
        return url
