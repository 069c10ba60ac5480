"""What an attachment says, and how one that says nothing is told apart from the next.

A file that cannot be read is an outcome, not an error: portals attach scans, archives and broken uploads every day.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from extraction.textmap import Segment

Kind = Literal[
    "docx", "doc", "pdf", "ofd", "xlsx",
    "needs_ocr", "needs_reader", "unsupported", "web_page", "encrypted", "damaged", "too_large",
]  # fmt: skip
"""Formats that are read, then outcomes: `needs_ocr` is a picture of text, `needs_reader` a document of a format that
nobody reads here (the note says what to do), `web_page` an error or login page in place of the file, `too_large`
more memory, time, pages or unpacked bytes than a report needs: bombs."""


@dataclass(frozen=True, slots=True)
class AttachmentText:
    """The text of one file."""

    text: str
    """Paragraphs and table rows as lines, cells joined by ` | `."""
    kind: Kind
    n_pages: int | None = None
    """Pages of a PDF or OFD; a Word document does not know its own."""
    notes: tuple[str, ...] = ()
    """Why there is no text, or what may be missing from it."""
    is_whole: bool = True
    """False where the file holds more than `text`: pages that are pictures, damaged or beyond a limit."""
    segments: tuple[Segment, ...] = ()
    """The way back, as in `extraction.textmap`: `(start, end, place, offset)`. Places are `page=3` (offset: index of
    the letter in the page, as PDFium counts, or among the text codes of an OFD page), `paragraph=12` (offset: in the
    paragraph's text in the file) or `sheet=2&cell=B7`. With the file's URL before it, `#page=3` is an address that
    browsers open (RFC 8118)."""


class Unreadable(Exception):
    """Why a file has no text; becomes an `AttachmentText` of that kind."""

    def __init__(self, kind: Kind, note: str) -> None:
        super().__init__(note)
        self.kind: Kind = kind
        self.note = note
