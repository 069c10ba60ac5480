"""The text of set pages (PDF, OFD) as a reader would copy it: one line per paragraph, wherever its lines were broken.

A page knows no paragraphs, only letters. A new one begins where a line is indented, where the line before stops short
of the right margin, or where the size of the letters changes. Margins are those of the whole document, so that a page
of short lines is not taken for a narrow column. Rows of tables (`tables`) stand for themselves.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from connectors.attachments.radicals import fold_radicals
from connectors.attachments.result import AttachmentText, Kind, Unreadable
from connectors.attachments.setpage import MIN_LETTERS, SetLine, SetPage, drop_doubles, find_twins
from connectors.attachments.tables import read_lines
from extraction.textmap import Line, lay_out

_LONG_LINE = 12
_MARGIN_ZONE = 0.12
"""Share of the page's height at top and bottom where page numbers stand."""
_PAGE_NUMBER = re.compile(
    r"[-—–―－·.\s]{0,6}第?\s{0,3}\d{1,4}\s{0,3}页?(?:\s?[/／共]\s?\d{1,4}\s?页?)?[-—–―－·.\s]{0,6}"
)
_MAX_GAP_INDENTED = 8
_MAX_LEAD = 3.0
"""From line to line in letter sizes; documents of the state are set at 1.8 (GB/T 9704)."""
_SENTENCE_END = "。！？；：!?;:"


def to_text(kind: Kind, pages: list[SetPage], n_pages: int, notes: list[str]) -> AttachmentText:
    """The text of set pages, or that it is a picture of text. Raises Unreadable where no page could be read."""
    if not pages:
        raise Unreadable("damaged", "; ".join([*notes[:3], "no page can be read"]))
    for page in pages:
        drop_doubles(page)
    told = []
    if twins := find_twins(pages):
        pages = [page for page in pages if page.number not in twins]
        told.append(f"{len(twins)} pages say to the letter what one before them does, and are read once")
    if n_unseen := sum(page.n_unseen for page in pages):
        told.append(f"{n_unseen} letters that show nothing are not in the text")
    if n_recognised := sum(page.is_recognised for page in pages):
        notes.append(f"{n_recognised} of {n_pages} pages are pictures; a machine has read their text")
    n_letters = [page.n_letters for page in pages]
    n_pictures = sum(page.has_images and n < MIN_LETTERS for page, n in zip(pages, n_letters, strict=True))
    if n_pictures:
        notes.append(f"{n_pictures} of {n_pages} pages are pictures")
    text, segments = lay_out(list(_join_paragraphs([line for page in pages for line in _read_page(page)])))
    text = fold_radicals(text)
    n_lost = sum(unicodedata.category(c) in ("Co", "Cc", "Cn") or c == "\ufffd" for c in text if c != "\n")
    needs_ocr = sum(n_letters) == 0 or (n_pictures * 2 > n_pages and sum(n_letters) < MIN_LETTERS * n_pages)
    if n_lost * 3 > len(text):
        needs_ocr = True
        notes.append("its fonts do not say which letters they show")
    if needs_ocr:
        return AttachmentText("", "needs_ocr", n_pages, (*notes, *told))
    return AttachmentText(text, kind, n_pages, (*notes, *told), not notes, segments)


def _read_page(page: SetPage) -> list[SetLine]:
    """Without page numbers."""
    lines = read_lines(page)
    for place in (0, -1):
        if lines and not lines[place].is_row:
            bottom = lines[place].bottom
            is_margin = bottom < _MARGIN_ZONE * page.height or bottom > (1 - _MARGIN_ZONE) * page.height
            if is_margin and _PAGE_NUMBER.fullmatch(lines[place].text):
                del lines[place]
    return lines


@dataclass(frozen=True, slots=True)
class _Layout:
    """How the body of the document is set."""

    left: float
    right: float
    is_indented: bool
    """Paragraphs begin with an indent, so that a line without one goes on."""


def _measure(lines: Sequence[SetLine]) -> _Layout:
    sizes = sorted(line.size for line in lines for _ in line.text)
    body_size = sizes[len(sizes) // 2]
    body = [line for line in lines if _is_same_size(line.size, body_size)]
    long_lines = [line for line in body if len(line.text) >= _LONG_LINE] or body
    tenth = len(long_lines) // 10
    left = sorted(line.left for line in long_lines)[tenth]
    right = sorted(line.right for line in long_lines)[-1 - tenth]
    n_indented = sum(1.2 * body_size < line.left - left < 3.2 * body_size for line in long_lines)
    return _Layout(left, right, n_indented >= max(2, tenth))


def _is_same_size(one: float, other: float) -> bool:
    return abs(one - other) <= 0.15 * max(one, other)


def _join_paragraphs(lines: Sequence[SetLine]) -> Iterator[Line]:
    prose = [line for line in lines if not line.is_row]
    if not prose:
        yield from (line.line for line in lines)
        return
    layout = _measure(prose)
    paragraph = Line(list(lines[0].line.parts))
    for before, line in pairwise(lines):
        if _continues(before, line, layout):
            paragraph.parts += [*_glue(before.text, line.text), *line.line.parts]
        else:
            yield paragraph
            paragraph = Line(list(line.line.parts))
    yield paragraph


def _continues(before: SetLine, line: SetLine, layout: _Layout) -> bool:
    """Whether `line` goes on with the paragraph of `before`, by size, indent and fill.

    A full line may end a few letters early, where a number or a closing mark did not fit."""
    if before.is_row or line.is_row:
        return False
    size = max(before.size, 1.0)
    if not _is_same_size(line.size, before.size) or line.left > layout.left + 0.8 * size:
        return False
    if before.bottom - line.bottom > _MAX_LEAD * size:
        return False
    gap = (layout.right - before.right) / size
    if layout.is_indented:
        return gap < _MAX_GAP_INDENTED
    return gap < (1.2 if before.text[-1] in _SENTENCE_END else 3.2)


def _glue(before: str, after: str) -> list[str]:
    """A space between two Latin words; Chinese text and digits join without."""
    is_latin = before[-1].isascii() and before[-1].isalpha() and after[0].isascii() and after[0].isalpha()
    return [" "] if is_latin else []
