"""What a sandbox portal is made of: a site, its documents, and the resources that the gateway serves.

Content is data (`content/*.yaml`, `texts/*.txt`); the `layout_*` modules turn it into pages.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Literal

CHINA = timezone(timedelta(hours=8))
Day = Literal[1, 2]
DAYS: tuple[Day, ...] = (1, 2)

SPAM = "{{spam}}"
"""Where a text carries an injected link; the clean body is the text without it."""


@dataclass(frozen=True, slots=True)
class Attachment:
    name: str
    kind: Literal["docx", "pdf"]
    text: str
    """Paragraphs joined by a line feed."""


@dataclass(frozen=True, slots=True)
class Doc:
    """One notice or report as it is on one day."""

    key: str
    title: str
    published: str
    """`YYYY-MM-DD HH:MM` or with seconds, Beijing time, as the portal prints it."""
    source: str
    body: str
    """Lines; a line that starts with `|` is a table row, one that starts with `!` a picture."""
    modified: datetime
    created: str | None = None
    """The day in the address where it is not the day of publication, `YYYY-MM-DD`."""
    report_year: int | None = None
    index_no: str | None = None
    document_no: str | None = None
    attachment: Attachment | None = None
    on_both_days: bool = True

    @property
    def date(self) -> str:
        return self.published[:10]

    @property
    def stamp(self) -> str:
        """Digits of the publication time, `YYYYMMDDHHMMSS`."""
        return "".join(c for c in self.published if c.isdigit()).ljust(14, "0")

    @property
    def published_at(self) -> str:
        return datetime.fromisoformat(self.published).replace(tzinfo=CHINA).isoformat()

    @property
    def clean_body(self) -> str:
        """The body that a perfect connector reads: no spam, no pictures, cells joined by ` | `."""
        lines = []
        for line in self.body.replace(SPAM, "").splitlines():
            if line.startswith("|"):
                line = " | ".join(cell.strip() for cell in line.strip("|").split("|"))
            if line and not line.startswith("!"):
                lines.append(line)
        return "\n".join(lines)

    def number(self, digits: int) -> int:
        """A stable number of that many digits, for the identifiers inside addresses."""
        low = int(10 ** (digits - 1))
        return low + int(hashlib.sha256(self.key.encode()).hexdigest(), 16) % (9 * low)


@dataclass(frozen=True, slots=True)
class Site:
    id: str
    """The same as the id of its source: `<region code>_<pinyin>`."""
    host: str
    scheme: Literal["http", "https"]
    layout: str
    place: str
    government: str
    site_id_code: str
    column: str
    column_path: str
    column_id: str
    per_page: int
    robots: str
    docs: tuple[Doc, ...]
    """Newest first."""
    lists_modified: datetime

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.host}"

    @property
    def pages(self) -> tuple[tuple[Doc, ...], ...]:
        """The documents of each list page."""
        return tuple(self.docs[i : i + self.per_page] for i in range(0, len(self.docs), self.per_page))

    def related(self, doc: Doc) -> tuple[Doc, ...]:
        """Neighbours to link to. Only such that stand on both days: a detail page must not change by itself."""
        return tuple(d for d in self.docs if d.on_both_days and d.key != doc.key)[:3]


@dataclass(frozen=True, slots=True)
class Resource:
    body: bytes
    content_type: str
    modified: datetime

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.body).hexdigest()[:20]}"'


Service = Callable[[Mapping[str, str]], Resource]
"""A list service: query parameters in, answer out."""


@dataclass(frozen=True, slots=True)
class Portal:
    site: Site
    resources: Mapping[str, Resource]
    """By path, with `?query` where there is one."""
    services: Mapping[str, Service]


def at(text: str) -> datetime:
    """A Beijing time of the content files as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=CHINA).astimezone(UTC)
