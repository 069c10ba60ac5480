"""What a crawl is given and what it gives back: the memory of earlier runs, the pages read, the counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from connectors.base import Article, AttachmentRef, PageRef
from connectors.errors import SourceError
from connectors.registry import Source
from connectors.snapshots import SnapshotRef
from connectors.urls import document_key
from extraction.attachments import AttachmentText


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


@dataclass(frozen=True, slots=True)
class Seen:
    """What this run learned of an address: the next run's `Known`."""

    url: str
    kind: str
    etag: str | None
    last_modified: str | None
    snapshot: SnapshotRef
    status: int
    outcome: str
    """`new`, `changed` (other bytes) or `unchanged` (not modified, or the same bytes)."""
    seen_at: datetime


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
class Failure:
    url: str
    code: str
    message: str


@dataclass(slots=True)
class CrawlResult:
    """What one crawl did. Always: planned = fetched + unchanged + gone + blocked + failed, once it has ended."""

    source: Source
    pages: list[ReadPage] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    """Addresses of known documents that answer 404 or 410 now."""
    failures: list[Failure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    listed: int = 0
    planned: int = 0
    fetched: int = 0
    unchanged: int = 0
    blocked: int = 0
    failed: int = 0
    rejected: int = 0
    """Of the fetched pages, those that could not be read."""

    @property
    def gone_documents(self) -> list[str]:
        return [document_key(url) for url in self.gone]

    def reset(self) -> None:
        """Empty, for another try at the same source."""
        self.__init__(self.source)  # type: ignore[misc]

    def fail(self, url: str, error: SourceError) -> None:
        """Count and keep one address's failure; the rest of the source goes on."""
        is_refusal = error.code in ("blocked", "robots_denied", "refused")
        self.blocked += is_refusal
        self.failed += not is_refusal
        self.failures.append(Failure(url, error.code, str(error)))
