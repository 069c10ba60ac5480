"""What of a PDF's page is there, and shows nothing: text drawn in a mode that paints nothing, outside the page, too
small to be read, in the colour of what it stands on, or painted over.

Whether colour hides a letter only the painted page tells: white on a dark head of a table is read by everybody. So a
page is painted with the text and without it, but only where there is a doubt: what makes no difference is unseen.
"""

from __future__ import annotations

from ctypes import addressof, byref, c_float, c_int, c_uint
from typing import TYPE_CHECKING, NamedTuple

import pypdfium2.raw as pdfium_c

from connectors.attachments.setpage import LIGHT, TINY

if TYPE_CHECKING:
    import pypdfium2 as pdfium

Box = tuple[float, float, float, float]
"""Left, bottom, right, top in the page's own coordinates."""

_NO_PAINT = frozenset((pdfium_c.FPDF_TEXTRENDERMODE_INVISIBLE, pdfium_c.FPDF_TEXTRENDERMODE_CLIP))
_FILLS = frozenset((pdfium_c.FPDF_TEXTRENDERMODE_FILL, pdfium_c.FPDF_TEXTRENDERMODE_FILL_CLIP))
_MIN_COVER = 4.0
_MAX_COVERS = 200
_MAX_OBJECTS = 20_000
_SCALE, _MOST_PIXELS = 2.0, 3_000
_INSET = 0.15
_LEAST_DIFFERENCE = 12
"""Of 255, between a letter and what it stands on."""


class _Look(NamedTuple):
    """How one piece of text is painted."""

    is_painted: bool = True
    is_light: bool = False


_PLAIN = _Look()


class Sight:
    """What a reader sees of one page."""

    def __init__(self, page: pdfium.PdfPage) -> None:
        self._page = page
        self._paper: Box = page.get_cropbox()
        self._looks: dict[int, _Look] = {}
        """Of the pieces of text that are not painted as most are."""
        self._covers = _find_covers(page)
        self.outside: set[int] = set()
        """Letters that are out of the page, or too small: never read."""
        self.unpainted: set[int] = set()
        """Letters that are in their place and show nothing: recognised text under a picture is made so."""
        self._doubtful: list[tuple[int, Box, bool]] = []
        self._items: dict[int, pdfium_c.FPDF_PAGEOBJECT] = {}

    def learn(self, item: pdfium_c.FPDF_PAGEOBJECT) -> None:
        """Take note of a piece of text."""
        look = _read_look(item)
        if look is not _PLAIN:
            self._looks[addressof(item.contents)] = look

    def look(self, textpage: pdfium.PdfTextPage, index: int, char: str, box: pdfium_c.FS_RECTF) -> None:
        """Take note of a letter, which is no blank."""
        left, bottom, right, top = box.left, box.bottom, box.right, box.top
        x, y = (left + right) / 2, (bottom + top) / 2
        paper = self._paper
        is_tiny = -TINY < top - bottom < TINY and -TINY < right - left < TINY
        if is_tiny or not (paper[0] <= x <= paper[2] and paper[1] <= y <= paper[3]):
            self.outside.add(index)
            return
        is_covered = bool(self._covers) and any(c[0] <= x <= c[2] and c[1] <= y <= c[3] for c in self._covers)
        item = pdfium_c.FPDFText_GetTextObject(textpage, index) if self._looks or is_covered else None
        look = self._looks.get(addressof(item.contents), _PLAIN) if item else _PLAIN
        if not look.is_painted:
            self.unpainted.add(index)
        elif look.is_light or is_covered:
            self._doubtful.append((index, (left, bottom, right, top), char.isalnum()))
            if item:
                self._items[addressof(item.contents)] = item

    @property
    def has_doubts(self) -> bool:
        return bool(self._doubtful)

    def settle(self) -> None:
        """Look at what is in doubt; marks between letters that are not seen are not seen either."""
        if not self._doubtful:
            return
        whole = _Painted(self._page)
        for item in self._items.values():
            pdfium_c.FPDFPageObj_SetIsActive(item, False)
        bare = _Painted(self._page)
        was_seen = True
        for index, box, is_judged in self._doubtful:
            was_seen = whole.differs(bare, box) if is_judged else was_seen
            if not was_seen:
                self.unpainted.add(index)


def _read_look(item: pdfium_c.FPDF_PAGEOBJECT) -> _Look:
    mode = pdfium_c.FPDFTextObj_GetTextRenderMode(item)
    if mode in _NO_PAINT:
        return _Look(is_painted=False)
    colour = [c_uint() for _ in range(4)]
    if mode not in _FILLS or not pdfium_c.FPDFPageObj_GetFillColor(item, *map(byref, colour)):
        return _PLAIN
    *tones, alpha = (part.value for part in colour)
    look = _Look(alpha > 0, min(tones) >= LIGHT)
    return _PLAIN if look == _PLAIN else look


def _bounds_of(item: pdfium_c.FPDF_PAGEOBJECT) -> Box | None:
    sides = [c_float() for _ in range(4)]
    if not pdfium_c.FPDFPageObj_GetBounds(item, *map(byref, sides)):
        return None
    left, bottom, right, top = (side.value for side in sides)
    return left, bottom, right, top


def _find_covers(page: pdfium.PdfPage) -> list[Box]:
    """Areas that are filled after text was drawn about there."""
    covers: list[Box] = []
    around: Box | None = None
    fill, stroke = c_int(), c_int()
    for n in range(min(pdfium_c.FPDFPage_CountObjects(page), _MAX_OBJECTS)):
        item = pdfium_c.FPDFPage_GetObject(page, n)
        kind = pdfium_c.FPDFPageObj_GetType(item)
        if kind == pdfium_c.FPDF_PAGEOBJ_TEXT:
            box = _bounds_of(item)
            if box is not None:
                around = box if around is None else _join(around, box)
        elif kind == pdfium_c.FPDF_PAGEOBJ_PATH and around is not None:
            pdfium_c.FPDFPath_GetDrawMode(item, byref(fill), byref(stroke))
            box = _bounds_of(item) if fill.value else None
            if box is not None and _covers(box, around):
                covers.append(box)
                if len(covers) == _MAX_COVERS:
                    break
    return covers


def _join(one: Box, other: Box) -> Box:
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])


def _covers(box: Box, around: Box) -> bool:
    is_area = min(box[2] - box[0], box[3] - box[1]) >= _MIN_COVER
    return is_area and box[0] < around[2] and box[2] > around[0] and box[1] < around[3] and box[3] > around[1]


class _Painted:
    """A page as it looks, in grey."""

    def __init__(self, page: pdfium.PdfPage) -> None:
        wide, high = page.get_size()
        scale = min(_SCALE, _MOST_PIXELS / max(wide, high, 1.0))
        bitmap = page.render(scale=scale, grayscale=True)
        self._page = page
        self._stride, self.width, self.height = bitmap.stride, bitmap.width, bitmap.height
        self._pixels = bytes(bitmap.buffer)
        bitmap.close()

    def differs(self, other: _Painted, box: Box) -> bool:
        """Whether the two differ in a place. One that is too small to tell is taken to."""
        (x0, y0), (x1, y1) = self._to_pixel(box[0], box[1]), self._to_pixel(box[2], box[3])
        left, right = _shrink(x0, x1, self.width)
        top, bottom = _shrink(y0, y1, self.height)
        if right <= left or bottom <= top:
            return True
        rows = (slice(y * self._stride + left, y * self._stride + right) for y in range(top, bottom))
        return any(
            abs(one - another) >= _LEAST_DIFFERENCE
            for row in rows
            if self._pixels[row] != other._pixels[row]
            for one, another in zip(self._pixels[row], other._pixels[row], strict=True)
        )

    def _to_pixel(self, x: float, y: float) -> tuple[int, int]:
        at_x, at_y = c_int(), c_int()
        pdfium_c.FPDF_PageToDevice(self._page, 0, 0, self.width, self.height, 0, x, y, byref(at_x), byref(at_y))
        return at_x.value, at_y.value


def _shrink(one: int, other: int, most: int) -> tuple[int, int]:
    low, high = min(one, other), max(one, other)
    inset = round(_INSET * (high - low))
    return max(low + inset, 0), min(high - inset, most)
