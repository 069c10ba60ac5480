"""Every page that the archive's files hold, as the files themselves tell it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO

from connectors.archive import record
from connectors.archive.model import SnapshotRef
from connectors.archive.places import OPEN, SUFFIX
from connectors.archive.store import Archive


@dataclass(frozen=True, slots=True)
class Held:
    """A page in the archive, as its records tell."""

    ref: SnapshotRef
    url: str
    asked: str
    """The address first asked for; differs from `url` after redirects."""
    fetched_at: datetime
    source: str
    """Empty where the record does not say."""
    n_bytes: int
    """Of the payload."""
    stored: int
    """Bytes of its records, compressed."""


@dataclass(frozen=True, slots=True)
class Damaged:
    """A stretch of a file that cannot be read, or a page that is not what its record says."""

    file: str
    offset: int
    length: int
    why: str

    def __str__(self) -> str:
        return f"{self.file}, offset {self.offset}, {self.length} bytes: {self.why}"


def file_names(archive: Archive) -> list[str]:
    """Final names of all files, those being written included."""
    being_written = (path.name.removesuffix(OPEN) for path in archive.spool.glob(f"*{SUFFIX}{OPEN}"))
    return sorted({*archive.place.names(), *being_written})


def scan(archive: Archive, name: str) -> Iterator[Held | Damaged]:
    """Every page of a file, its digest checked, and every damage; a file that cannot be read is damage as a whole.

    A file that is being written just now is read up to its last whole record. Raises ArchiveUnusable."""
    try:
        yield from _scan(archive, name)
    except OSError as error:
        yield Damaged(name, 0, 0, error.strerror or str(error))


def _scan(archive: Archive, name: str) -> Iterator[Held | Damaged]:
    file, is_being_written = _open(archive, name)
    with file:
        answer: _Answer | None = None
        is_empty = True
        for member in record.read_members(file):
            is_empty = False
            if member.why and is_being_written:
                break
            try:
                read = _parse(member)
                if answer is not None and answer.takes(read, member):
                    continue
                if answer is not None:
                    yield answer.held(name)
                    answer = None
                if read.kind == "response":
                    digest = _check_digest(read)
                    if not read.is_redirect():  # one alone: the page that it led to is damaged
                        answer = _Answer(member.offset, member.length, read, *digest)
            except ValueError as error:
                yield Damaged(name, member.offset, member.length, str(error))
        if answer is not None:
            yield answer.held(name)
        if is_empty and not is_being_written:
            yield Damaged(name, 0, 0, "the file is empty")


@dataclass(slots=True)
class _Answer:
    """A `response`, whose `request` and `metadata` may follow, and the redirects that led to it."""

    offset: int
    length: int
    read: record.Record
    sha256: str
    n_bytes: int
    facts: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    """Ids of its redirects."""
    n_more: int = 0
    """Bytes of the records that follow and belong to it, as far as no damage lies between."""

    def takes(self, read: record.Record, member: record.Member) -> bool:
        """Whether the next record is of the same page. Raises ValueError where it is a damaged redirect."""
        joined = read.headers.get("warc-concurrent-to")
        if joined != self.read.headers["warc-record-id"] and joined not in self.names:
            return False
        if read.kind == "response":
            _check_digest(read)
            self.names.add(read.headers["warc-record-id"])
        if member.offset == self.offset + self.length + self.n_more:
            self.n_more += member.length
        if read.kind == "metadata":
            self.facts = record.parse_fields(read.block)
        return True

    def held(self, name: str) -> Held:
        url = self.read.headers.get("warc-target-uri", "")
        facts = self.facts
        return Held(
            ref=SnapshotRef(name, self.offset, self.length, self.sha256),
            url=url,
            asked=facts.get("asked", url),
            fetched_at=datetime.fromisoformat(self.read.headers["warc-date"]),
            source=facts.get("source", ""),
            n_bytes=self.n_bytes,
            stored=self.length + self.n_more,
        )


def _open(archive: Archive, name: str) -> tuple[IO[bytes], bool]:
    """The file, and whether its writer lives."""
    try:
        return (archive.spool / (name + OPEN)).open("rb"), True
    except FileNotFoundError:  # sealed before, or just now
        return archive.place.open(name), False


def _parse(member: record.Member) -> record.Record:
    if member.why:
        raise ValueError(member.why)
    read = record.parse(member.plain)
    if read.kind == "response":
        datetime.fromisoformat(read.headers.get("warc-date", ""))
        if "warc-record-id" not in read.headers:
            raise ValueError("the record has no id")
    return read


def _check_digest(read: record.Record) -> tuple[str, int]:
    """Digest and size of the payload. Raises ValueError where the record states another."""
    body = read.payload()[2]
    sha256 = hashlib.sha256(body).hexdigest()
    if record.stated_sha256(read) != sha256:
        raise ValueError("its content does not match its payload digest")
    return sha256, len(body)
