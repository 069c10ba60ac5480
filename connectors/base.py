"""What an engine is given and what it gives back. Plain data: no I/O, no Prefect, no SQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from connectors.registry import Source
    from extraction.clean import CleanText
    from extraction.decode import Decoded


@dataclass(frozen=True, slots=True)
class Page:
    """One answer as an engine sees it: its address, its text, and how the text was got from the bytes."""

    url: str
    decoded: Decoded
    kind: str = "html"
    """`html`, `feed` (RSS/Atom) or `data` (JSON, JSONP, XML of a list service)."""

    @property
    def text(self) -> str:
        return self.decoded.text


@dataclass(frozen=True, slots=True)
class PageRef:
    """One row of a list or one item of a feed."""

    url: str
    """Absolute and canonical (see `connectors.urls.canonical`)."""
    title: str | None = None
    listed_date: str | None = None
    """`YYYY-MM-DD` as printed in the row; None when the row prints none or it cannot be a date."""
    inline_html: str | None = None
    """The whole body, where the list or feed carries it."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What one list page says: its rows, the further list pages it leads to, the total it states."""

    refs: tuple[PageRef, ...]
    more: tuple[str, ...] = ()
    """Further list addresses (pages or list-service calls), in order, that this page proves to exist."""
    stated_total: int | None = None
    """Rows in the whole list, where the page states it (共N条, totalRecord)."""
    foreign: tuple[str, ...] = ()
    """Rows that lead to hosts the source does not list: left out, but not in silence."""
    is_cut: bool = False
    """The page is nested deeper, or longer, than is read, or it breaks off: rows may be missing."""


@dataclass(frozen=True, slots=True)
class AttachmentRef:
    url: str
    name: str


@dataclass(frozen=True, slots=True)
class Article:
    """A detail page, read. Missing is None, never an empty string."""

    url: str
    title: str | None
    published_at: str | None
    """ISO 8601 in +08:00 (`2019-01-10T16:19:51+08:00`), or a bare date where no time is known."""
    published_from: str | None
    """Where the date comes from: `meta`, `label`, `list`, `url` or `url_folder`."""
    content_source: str | None
    publisher: str | None
    index_no: str | None
    document_no: str | None
    site_id_code: str | None
    body: CleanText
    attachments: tuple[AttachmentRef, ...] = ()
    notes: tuple[str, ...] = field(default=())
    """Issue codes worth a line in the run report, e.g. `short_body`, `spam_removed`, `truncated_html`; `cut_off` where
    the page ends in the midst of its body."""


def always(title: str) -> bool:
    """Every page's text has its map (see `Engine.read`)."""
    return True


class Engine(Protocol):
    """One CMS family. Pure: the same page gives the same answer, whatever the network does."""

    name: str

    def discover(self, page: Page, source: Source) -> Listing:
        """Read a list page, list-service answer or feed.

        Raises SourceChanged when the page is not one of this family's lists."""
        ...

    def read(
        self, page: Page, source: Source, ref: PageRef | None = None, *, is_mapped: Callable[[str], bool] = always
    ) -> Article:
        """Read a detail page. `ref` is the list row that led to it (a fallback for title and date). With
        `page.kind == "feed"` and a ref that carries its body, the article is read from the feed alone.

        `is_mapped` says by its title whether the page's text is to have its map (see `clean_body`): a text that nobody
        reads figures from is had at half the cost without.

        Raises SourceChanged when no body container of the family is found."""
        ...
