"""What the raw archive hands out, and the one error of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from connectors.errors import SourceError


@dataclass(frozen=True, slots=True)
class SnapshotRef:
    """Where a raw page lies. Good for ever: while its file is written, after it is sealed, after `prune` moved it."""

    file: str
    """Final name of the WARC file inside the archive."""
    offset: int
    length: int
    """Bytes of the compressed record."""
    sha256: str
    """Of the payload, hex."""


@dataclass(frozen=True, slots=True)
class StoredPage:
    """A raw page read back."""

    body: bytes
    content_type: str | None
    url: str
    """After redirects."""
    fetched_at: datetime
    status: int


class ArchiveUnusable(SourceError):
    """The archive as a whole: a full disk, a read-only folder, an object store out of reach.

    Not one page's trouble: every source would fail alike, so it should end a run. `may_retry` is False because nobody
    but the operator can help."""

    code = "archive_unusable"
