"""What a crawl is given and what it gives back: the memory of earlier runs, the pages read, the counts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from connectors.archive import SnapshotRef
from connectors.attachments import AttachmentText
from connectors.base import Article, AttachmentRef, Listing, PageRef
from connectors.errors import SourceError
from connectors.registry import Source
from connectors.urls import document_key

UNCHANGED = frozenset({"not_modified", "same_bytes"})
"""Outcomes of an address whose page need not be read again."""


@dataclass(frozen=True, slots=True)
class Known:
    """What earlier runs kept of an address."""

    url: str
    kind: str
    etag: str | None = None
    last_modified: str | None = None
    snapshot: SnapshotRef | None = None
    is_gone: bool = False
    attachments: tuple[AttachmentRef, ...] = ()
    """Of a report whose text is in its attachments: they are asked for again with the page."""
    is_asked: bool = True
    """False: a list names it, and nobody has asked for it yet."""
    title: str | None = None
    """As the list had it."""
    listed_date: str | None = None
    found_on: str | None = None
    """The start page of the list that names it."""
    text_hash: str | None = None
    """Of what was read of it: `hash_text` of a page's text, `hash_rows` of a list."""
    n_failed: int = 0
    """Failures in a row."""
    due_at: datetime | None = None
    walked_at: datetime | None = None
    """Of a start page: when its list was last read to its end."""
    seen_at: datetime | None = None


class Seen(NamedTuple):
    """What this run learned of an address: the next run's `Known`."""

    url: str
    kind: str
    etag: str | None
    last_modified: str | None
    snapshot: SnapshotRef
    status: int
    outcome: str
    """`new`; `changed` (other text); `same_text` (other bytes); `same_bytes`; `not_modified` (said by the server)."""
    seen_at: datetime
    is_resumed: bool = False
    """Taken from the archive: another run had asked for it, which did not end or is under way."""
    text_hash: str | None = None
    title: str | None = None
    listed_date: str | None = None
    found_on: str | None = None
    walked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Missed:
    """An address that could not be had, or not be read."""

    url: str
    kind: str
    code: str
    status: int | None
    n_failed: int
    seen_at: datetime
    due_at: datetime


class RawPage(Protocol):
    """A page as it was answered: a StoredPage, or one that is read from the archive when somebody looks into it."""

    @property
    def url(self) -> str:
        """After redirects."""

    @property
    def content_type(self) -> str | None: ...

    @property
    def body(self) -> bytes: ...


@dataclass(slots=True)
class Answer:
    """One address, asked: what was learned of it, and its page."""

    seen: Seen
    stored: RawPage


@dataclass(frozen=True, slots=True)
class ReadPage:
    """A detail page whose bytes are new or changed, read."""

    seen: Seen
    ref: PageRef
    article: Article
    is_report: bool
    report_year: int | None
    attachment_texts: tuple[tuple[AttachmentRef, AttachmentText], ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """What a crawl hands over before it has ended, so that no source is held in memory as a whole."""

    pages: tuple[ReadPage, ...]
    seen: tuple[Seen, ...]
    """Of pages and attachments. What was learned of lists comes last: a list that was walked to its end is taken from
    memory later, which must hold all its rows by then."""
    listed: tuple[Known, ...]
    """Rows that memory lacks, in the first part: they are not lost when the run dies before they are asked."""


@dataclass(frozen=True, slots=True)
class Failure:
    url: str
    code: str
    message: str


@dataclass(slots=True)
class CrawlResult:
    """What one crawl did. Always: planned = fetched + unchanged + gone + blocked + failed + deferred, once it ended.

    unchanged = not_modified + same_bytes."""

    source: Source
    pages: list[ReadPage] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    handed: list[Seen] = field(default_factory=list)
    """Of `seen`, what went with a part of the pages."""
    listed_only: list[Known] = field(default_factory=list)
    """Rows that are new, or name another title, and are not wanted: known from now on."""
    unreadable: list[Seen] = field(default_factory=list)
    """Pages that were had and hold nothing that their engine can read."""
    missed: list[Missed] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    """Addresses of known documents that answer 404 or 410 now."""
    failures: list[Failure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """Findings on the crawl, for a person: shortfalls, empty list pages, what was left for a later run."""
    listed: int = 0
    listed_days: dict[str, list[str]] = field(default_factory=dict)
    """Of start pages that were read anew: the days of their rows, in order."""
    planned: int = 0
    fetched: int = 0
    not_modified: int = 0
    same_bytes: int = 0
    same_text: int = 0
    """Of the fetched pages, those with other bytes that hold the same text."""
    resumed: int = 0
    """Of the fetched and unchanged, those taken from the archive instead of the portal."""
    already_gone: int = 0
    """Known to be gone, and still so: counted as unchanged."""
    blocked: int = 0
    failed: int = 0
    deferred: int = 0
    """Left for a later run: quiet hours, a day's budget, a host that asked for a long pause."""
    rejected: int = 0
    """Of the fetched pages, those that could not be read."""

    @property
    def unchanged(self) -> int:
        return self.not_modified + self.same_bytes + self.already_gone

    @property
    def gone_documents(self) -> list[str]:
        return [document_key(url) for url in self.gone]

    def cut_part(self, listed: Iterable[Known]) -> Part:
        """All pages so far, with what was learned of them: they are not held here any more."""
        told = [seen for seen in self.seen if seen.kind in ("page", "attachment")]
        part = Part(tuple(self.pages), tuple(told), tuple(listed))
        self.pages, self.seen = [], [seen for seen in self.seen if seen.kind not in ("page", "attachment")]
        self.handed += told
        return part

    def reset(self) -> None:
        """Empty, for another try at the same source."""
        self.__init__(self.source)  # type: ignore[misc]

    def count(self, seen: Seen, *, keep: bool = True) -> None:
        """`keep` False: counted, but its validators are not kept, so the next run asks for it in full."""
        self.not_modified += seen.outcome == "not_modified"
        self.same_bytes += seen.outcome == "same_bytes"
        self.same_text += seen.outcome == "same_text"
        self.fetched += seen.outcome not in UNCHANGED
        self.resumed += seen.is_resumed
        if keep:
            self.seen.append(seen)

    def fail(self, url: str, error: SourceError) -> None:
        """Count and keep one address's failure; the rest of the source goes on."""
        is_refusal = error.code in ("blocked", "robots_denied", "refused")
        self.blocked += is_refusal
        self.failed += not is_refusal
        self.failures.append(Failure(url, error.code, str(error)))


def read_as(seen: Seen, text_hash: str, known: Known | None) -> Seen:
    """With what was read of it: other bytes that say the same are `same_text`."""
    is_same = seen.outcome == "changed" and known is not None and known.text_hash == text_hash
    return seen._replace(text_hash=text_hash, outcome="same_text" if is_same else seen.outcome)


def hash_text(*texts: str) -> str:
    """Identity of what a reader is shown."""
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()


def hash_rows(listing: Listing) -> str:
    """Identity of what a list says: its rows and its total, not the counters and clocks around them."""
    return hash_text(str(listing.stated_total), *_tell_rows(listing.refs))


def _tell_rows(refs: Iterable[PageRef]) -> Iterable[str]:
    return (f"{ref.url} {ref.title} {ref.listed_date}" for ref in refs)
