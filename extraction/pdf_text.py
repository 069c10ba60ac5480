"""The text of a PDF as a reader would copy it: one line per paragraph, wherever its lines were broken.

A PDF knows no paragraphs, only letters on a page. A new one begins where a line is indented, where the line before
stops short of the right margin, or where the size of the letters changes. Margins are those of the whole document,
so that a page of short lines is not taken for a narrow column.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

_MAX_PAGES = 500
_MAX_LETTERS = 2_000_000
_MIN_LETTERS = 15
"""Letters per page below which a PDF is taken for a scan."""
_LONG_LINE = 12
_MARGIN_ZONE = 0.12
"""Share of the page's height at top and bottom where page numbers stand."""
_PAGE_NUMBER = re.compile(
    r"[-—–―－·.\s]{0,6}第?\s{0,3}\d{1,4}\s{0,3}页?(?:\s?[/／共]\s?\d{1,4}\s?页?)?[-—–―－·.\s]{0,6}"
)
_MAX_GAP_INDENTED = 8
_SENTENCE_END = "。！？；：!?;:"
_MUTEX = threading.Lock()
"""PDFium is not thread-safe."""

# CJK Radicals Supplement: fonts without a proper map yield these, and Unicode gives them no equivalent.
_RADICALS = dict(
    zip(
        "⺌⺍⺎⺏⺐⺓⺗⺙⺜⺝⺟⺠⺡⺢⺣⺤⺥⺦⺧⺨⺩⺪⺫⺬⺭⺮⺯⺰⺱⺲⺳⺶⺷⺹⺻⺼⺽⻁⻃⻄⻅⻆⻇⻈⻉⻋⻌⻍⻎⻏⻐⻑⻒⻓⻔⻕⻖⻗⻘⻙⻚⻛⻜⻝⻢⻣⻤⻥⻦⻧⻨⻩⻪⻫⻬⻭⻮⻯⻰⻱⻲⻳",
        "小小尢尢尢幺心攴日月母民氵水灬爪爪丬牛犭王疋罒示礻竹糸纟罒罒网羊羊耂聿肉臼虎西西见角角讠贝车辶辶辶邑钅長镸长门阜阝雨青韦页风飞食马骨鬼鱼鸟卤麦黄黾斉齐歯齿竜龙龜亀龟",
        strict=True,
    )
)


def _build_fold() -> dict[int, str]:
    fold = {ord(radical): letter for radical, letter in _RADICALS.items()}
    for code in (*range(0x2F00, 0x2FD6), *range(0xF900, 0xFADA)):
        fold[code] = unicodedata.normalize("NFKC", chr(code))
    return {code: letter for code, letter in fold.items() if len(letter) == 1}


_FOLD = _build_fold()


def fold_radicals(text: str) -> str:
    """Kangxi and supplement radicals and compatibility ideographs as the characters that they stand for."""
    return text.translate(_FOLD)


@dataclass(frozen=True, slots=True)
class PdfText:
    text: str
    kind: Literal["pdf", "needs_ocr", "damaged", "unsupported"]
    n_pages: int | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of letters. Lengths in points, from the lower left corner of the page."""

    text: str
    left: float
    right: float
    bottom: float
    size: float
    page: int


def read_pdf(body: bytes) -> PdfText:
    """The paragraphs of `body`. Never raises for what is in it."""
    with _MUTEX:
        try:
            document = pdfium.PdfDocument(body)
        except pdfium.PdfiumError as error:
            if "password" in str(error).lower():
                return PdfText("", "unsupported", None, ("protected by a password",))
            return PdfText("", "damaged", None, (f"damaged PDF: {error}",))
        try:
            return _read_document(document)
        finally:
            document.close()


def _read_document(document: pdfium.PdfDocument) -> PdfText:
    n_pages = len(document)
    notes: list[str] = []
    lines: list[_Line] = []
    n_letters = n_pictures = n_damaged = 0
    for number in range(min(n_pages, _MAX_PAGES)):
        try:
            found, has_images = _read_page(document[number], number)
        except pdfium.PdfiumError as error:
            n_damaged += 1
            notes.append(f"page {number + 1} is damaged: {error}")
            continue
        lines += found
        n_here = sum(letter.isalnum() for line in found for letter in line.text)
        n_letters += n_here
        n_pictures += has_images and n_here < _MIN_LETTERS
        if n_letters > _MAX_LETTERS:
            notes.append(f"cut after page {number + 1}")
            break
    if n_pages > _MAX_PAGES:
        notes.append(f"only the first {_MAX_PAGES} of {n_pages} pages are read")
    if n_pictures:
        notes.append(f"{n_pictures} of {n_pages} pages are pictures")
    if n_damaged == min(n_pages, _MAX_PAGES):
        return PdfText("", "damaged", n_pages, (*notes, "no page can be read"))
    text = fold_radicals("\n".join(_join_paragraphs(lines)))
    n_lost = sum(unicodedata.category(c) in ("Co", "Cc", "Cn") or c == "\ufffd" for c in text if c != "\n")
    if n_lost * 3 > len(text):
        return PdfText(text, "needs_ocr", n_pages, (*notes, "its fonts do not say which letters they show"))
    needs_ocr = n_letters == 0 or (n_pictures * 2 > n_pages and n_letters < _MIN_LETTERS * n_pages)
    return PdfText(text, "needs_ocr" if needs_ocr else "pdf", n_pages, tuple(notes))


def _read_page(page: pdfium.PdfPage, number: int) -> tuple[list[_Line], bool]:
    """Lines without page numbers, and whether the page holds pictures."""
    height = page.get_height()
    textpage = page.get_textpage()
    lines = list(_split_lines(textpage, number))
    for place in (0, -1):
        if lines:
            line = lines[place]
            is_margin = line.bottom < _MARGIN_ZONE * height or line.bottom > (1 - _MARGIN_ZONE) * height
            if is_margin and _PAGE_NUMBER.fullmatch(line.text):
                del lines[place]
    has_images = any(True for _ in page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_IMAGE], max_depth=3))
    textpage.close()
    page.close()
    return lines, has_images


def _split_lines(textpage: pdfium.PdfTextPage, page: int) -> Iterator[_Line]:
    """PDFium puts a line end of its own making between lines."""
    letters: list[str] = []
    boxes: list[pdfium_c.FS_RECTF] = []
    for index in range(min(textpage.count_chars(), _MAX_LETTERS)):
        code = pdfium_c.FPDFText_GetUnicode(textpage, index)
        letter = chr(code) if 0 < code < 0x110000 else ""
        if letter in ("\r", "\n"):
            if boxes:
                yield _build_line(letters, boxes, page)
            letters, boxes = [], []
        elif letter and letter not in "\ufffe\x02\xad":
            letters.append(letter)
            if not letter.isspace():
                box = pdfium_c.FS_RECTF()
                if pdfium_c.FPDFText_GetLooseCharBox(textpage, index, box):
                    boxes.append(box)
    if boxes:
        yield _build_line(letters, boxes, page)


def _build_line(letters: list[str], boxes: Sequence[pdfium_c.FS_RECTF], page: int) -> _Line:
    # Code points beyond U+FFFF come as two UTF-16 halves.
    text = "".join(letters).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").strip()
    sizes = sorted(abs(box.top - box.bottom) for box in boxes)
    left, right = min(box.left for box in boxes), max(box.right for box in boxes)
    return _Line(text, left, right, min(box.bottom for box in boxes), sizes[len(sizes) // 2], page)


@dataclass(frozen=True, slots=True)
class _Layout:
    """How the body of the document is set."""

    left: float
    right: float
    is_indented: bool
    """Paragraphs begin with an indent, so that a line without one goes on."""


def _measure(lines: Sequence[_Line]) -> _Layout:
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


def _join_paragraphs(lines: Sequence[_Line]) -> Iterator[str]:
    if not lines:
        return
    layout = _measure(lines)
    paragraph = lines[0].text
    for before, line in pairwise(lines):
        if _continues(before, line, layout):
            paragraph += _glue(paragraph, line.text) + line.text
        else:
            yield paragraph
            paragraph = line.text
    yield paragraph


def _continues(before: _Line, line: _Line, layout: _Layout) -> bool:
    """Whether `line` goes on with the paragraph of `before`, by size, indent and fill.

    A full line may end a few letters early, where a number or a closing mark did not fit."""
    size = max(before.size, 1.0)
    if not _is_same_size(line.size, before.size) or line.left > layout.left + 0.8 * size:
        return False
    gap = (layout.right - before.right) / size
    if layout.is_indented:
        return gap < _MAX_GAP_INDENTED
    return gap < (1.2 if before.text[-1] in _SENTENCE_END else 3.2)


def _glue(before: str, after: str) -> str:
    """A space between two Latin words; Chinese text and digits join without."""
    return " " if before[-1].isascii() and before[-1].isalpha() and after[0].isascii() and after[0].isalpha() else ""
