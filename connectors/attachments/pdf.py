"""PDF by PDFium: letters, drawn lines and pictures of each page. Isolated: PDFium is C++ that may crash or hang."""

from __future__ import annotations

from collections.abc import Iterator
from ctypes import byref, c_float, c_int

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from connectors.attachments import pdf_font
from connectors.attachments.layout import to_text
from connectors.attachments.pdf_unseen import Sight
from connectors.attachments.result import AttachmentText, Unreadable
from connectors.attachments.setpage import Letter, Rule, SetPage, drop_unseen, rules_of

_MAX_PAGES = 500
_MAX_LETTERS = 500_000
"""Of the document. The longest real report has 60,000."""
_MAX_OBJECTS = 20_000
"""Of a page that are looked at for lines and pictures."""
_MAX_DEPTH = 4
_MAX_PAINTED = 100
"""Pages that are painted to see what of them is seen."""
_MAX_TOLD = 3
"""Damaged pages that are told one by one."""
_MIN_RULE = 5.0
_UNSEEN = "\ufffe\x02\xad"
"""What PDFium gives for a hyphen at the end of a line."""


def read_pdf(body: bytes) -> AttachmentText:
    """Raises Unreadable."""
    pdf_font.install()
    try:
        document = pdfium.PdfDocument(body)
    except pdfium.PdfiumError as error:
        if "password" in str(error).lower() or "security" in str(error).lower():
            raise Unreadable("encrypted", "protected by a password") from error
        raise Unreadable("damaged", f"damaged PDF: {error}") from error
    notes: list[str] = []
    pages = _read_pages(document, notes)
    return to_text("pdf", pages, len(document), notes)


def _read_pages(document: pdfium.PdfDocument, notes: list[str]) -> list[SetPage]:
    pages: list[SetPage] = []
    n_pages, n_letters, n_doubtful, damaged = len(document), 0, 0, list[str]()
    for number in range(min(n_pages, _MAX_PAGES)):
        try:
            page = document[number]
            read, is_doubtful = _read_page(page, number + 1, may_paint=n_doubtful < _MAX_PAINTED)
            pages.append(read)
            n_doubtful += is_doubtful
            page.close()
        except pdfium.PdfiumError as error:
            damaged.append(f"page {number + 1} is damaged: {error}")
            continue
        n_letters += sum(map(len, pages[-1].lines))
        if n_letters > _MAX_LETTERS:
            notes.append(f"cut after page {number + 1} of {n_pages}: longer than any report")
            break
    if n_doubtful > _MAX_PAINTED:
        notes.append(f"{n_doubtful - _MAX_PAINTED} pages hold text that may be covered, or too light to be seen")
    notes += damaged[:_MAX_TOLD]
    if len(damaged) > _MAX_TOLD:
        notes.append(f"{len(damaged)} pages are damaged")
    if n_pages > _MAX_PAGES:
        notes.append(f"only the first {_MAX_PAGES} of {n_pages} pages are read")
    return pages


def _read_page(page: pdfium.PdfPage, number: int, *, may_paint: bool) -> tuple[SetPage, bool]:
    """The page, and whether there was a doubt of what of it is seen."""
    turn, sight = _Turn(page), Sight(page)
    found = SetPage(number, turn.height, [])
    pictured = 0.0
    for item, matrix in _walk(page):
        kind = pdfium_c.FPDFPageObj_GetType(item)
        if kind == pdfium_c.FPDF_PAGEOBJ_IMAGE:
            found.has_images = True
            a, b, c, d, _, _ = _combine(_matrix_of(item), matrix)
            pictured += abs(a * d - b * c)
        elif kind == pdfium_c.FPDF_PAGEOBJ_PATH:
            found.rules += _read_path(item, matrix, turn)
        elif kind == pdfium_c.FPDF_PAGEOBJ_TEXT:
            sight.learn(item)
    textpage = page.get_textpage()
    found.lines = list(_split_lines(textpage, turn, sight))
    textpage.close()
    if may_paint:
        sight.settle()
    drop_unseen(found, sight.outside, sight.unpainted, is_picture=pictured * 2 > turn.wide * turn.high)
    return found, sight.has_doubts


class _Turn:
    """From the page's own coordinates to those of the page as it is read: tables are often on pages that are turned."""

    def __init__(self, page: pdfium.PdfPage) -> None:
        left, bottom, right, top = page.get_mediabox()
        self.quarter = page.get_rotation() // 90 % 4
        self.left, self.bottom, self.wide, self.high = left, bottom, right - left, top - bottom
        self.height = self.wide if self.quarter % 2 else self.high

    def point(self, x: float, y: float) -> tuple[float, float]:
        x, y = x - self.left, y - self.bottom
        if self.quarter == 1:
            return y, self.wide - x
        if self.quarter == 2:
            return self.wide - x, self.high - y
        if self.quarter == 3:
            return self.high - y, x
        return x, y

    def box(self, box: pdfium_c.FS_RECTF) -> tuple[float, float, float, float]:
        (x0, y0), (x1, y1) = self.point(box.left, box.bottom), self.point(box.right, box.top)
        return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _split_lines(textpage: pdfium.PdfTextPage, turn: _Turn, sight: Sight) -> Iterator[list[Letter]]:
    """PDFium puts a line end of its own making between lines."""
    letters: list[Letter] = []
    high = 0
    for index in range(min(textpage.count_chars(), _MAX_LETTERS)):
        code = pdfium_c.FPDFText_GetUnicode(textpage, index)
        if 0xD800 <= code < 0xDC00:  # beyond U+FFFF: two UTF-16 halves
            high = code
            continue
        if 0xDC00 <= code < 0xE000:
            code = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00) if high else 0xFFFD
        high = 0
        char = chr(code) if 0 < code < 0x110000 else ""
        if char in ("\r", "\n"):
            if letters:
                yield letters
            letters = []
        elif char and char not in _UNSEEN:
            box = pdfium_c.FS_RECTF()
            is_placed = not char.isspace() and pdfium_c.FPDFText_GetLooseCharBox(textpage, index, box)
            if is_placed:
                sight.look(textpage, index, char, box)
                letters.append(Letter(char, index, *turn.box(box)))
            elif letters:
                letters.append(letters[-1]._replace(char=char, at=index))
    if letters:
        yield letters


_Matrix = tuple[float, float, float, float, float, float]
_NO_MATRIX: _Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


def _walk(page: pdfium.PdfPage) -> Iterator[tuple[pdfium_c.FPDF_PAGEOBJECT, _Matrix]]:
    """The page's objects and those of the forms on it, with the matrix that places what is in a form."""
    n_left = _MAX_OBJECTS
    waiting = [(pdfium_c.FPDFPage_GetObject, page.raw, pdfium_c.FPDFPage_CountObjects(page), _NO_MATRIX, 0)]
    while waiting:
        get, holder, count, matrix, depth = waiting.pop()
        for n in range(min(count, n_left)):
            item = get(holder, n)
            n_left -= 1
            if pdfium_c.FPDFPageObj_GetType(item) == pdfium_c.FPDF_PAGEOBJ_FORM and depth < _MAX_DEPTH:
                inner = _combine(_matrix_of(item), matrix)
                number = pdfium_c.FPDFFormObj_CountObjects(item)
                waiting.append((pdfium_c.FPDFFormObj_GetObject, item, number, inner, depth + 1))
            else:
                yield item, matrix


def _matrix_of(item: pdfium_c.FPDF_PAGEOBJECT) -> _Matrix:
    found = pdfium_c.FS_MATRIX()
    pdfium_c.FPDFPageObj_GetMatrix(item, byref(found))
    return found.a, found.b, found.c, found.d, found.e, found.f


def _combine(first: _Matrix, then: _Matrix) -> _Matrix:
    a, b, c, d, e, f = first
    g, h, i, j, k, m = then
    return a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m


def _read_path(item: pdfium_c.FPDF_PAGEOBJECT, outer: _Matrix, turn: _Turn) -> list[Rule]:
    """The lines that a path draws. One that is neither filled nor stroked only clips."""
    fill, stroke = c_int(), c_int()
    pdfium_c.FPDFPath_GetDrawMode(item, byref(fill), byref(stroke))
    if not fill.value and not stroke.value:
        return []
    a, b, c, d, e, f = _combine(_matrix_of(item), outer)
    rules: list[Rule] = []
    points: list[tuple[float, float]] = []
    x, y = c_float(), c_float()
    for n in range(min(pdfium_c.FPDFPath_CountSegments(item), _MAX_OBJECTS)):
        segment = pdfium_c.FPDFPath_GetPathSegment(item, n)
        pdfium_c.FPDFPathSegment_GetPoint(segment, byref(x), byref(y))
        if pdfium_c.FPDFPathSegment_GetType(segment) == pdfium_c.FPDF_SEGMENT_MOVETO:
            rules += rules_of(points, _MIN_RULE)
            points = []
        points.append(turn.point(a * x.value + c * y.value + e, b * x.value + d * y.value + f))
        if pdfium_c.FPDFPathSegment_GetClose(segment):
            points.append(points[0])
    return rules + rules_of(points, _MIN_RULE)
