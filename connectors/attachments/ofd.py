"""OFD, the layout format of GB/T 33190-2016: a zip of XML whose pages hold text objects at places, in millimetres from
the upper left corner. Read into the same set pages as PDF. No glyph is looked at: the text codes are the text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from connectors.attachments.layout import to_text
from connectors.attachments.package import Package, attribute, local, resolve
from connectors.attachments.result import AttachmentText, Unreadable
from connectors.attachments.setpage import LIGHT, TINY, Letter, Rule, SetPage, drop_unseen, rules_of

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_MAX_PAGES = 500
_MAX_LETTERS = 500_000
_POINTS = 72 / 25.4
_PAGE_HEIGHT = 297.0
_MIN_RULE = 5.0
_USUAL_SIZE = 5.6
"""16 points, the size of official documents."""
_NARROW = 0.5
"""Width of a letter of ASCII in sizes, where nothing follows that says."""
_PATH_STEP = re.compile(r"[A-Za-z]|[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d{1,3})?")
_PATH_POINTS = {"S": 1, "M": 1, "L": 1, "Q": 2, "B": 3}
"""Points that a step of a path's data takes (table 36 of the standard); arcs (A) draw no straight line."""
_Matrix = tuple[float, float, float, float, float, float]


def read_ofd(package: Package) -> AttachmentText:
    """All documents of the file, their pages in the order that the document states. Raises Unreadable."""
    root = package.parse("OFD.xml")
    if any(local(node) == "Encryptions" for node in root.iter()):
        raise Unreadable("encrypted", "an encrypted OFD")
    notes: list[str] = []
    pages: list[SetPage] = []
    n_pages = 0
    parts = [resolve("OFD.xml", (node.text or "").strip()) for node in root.iter() if local(node) == "DocRoot"]
    for part in dict.fromkeys(parts):
        n_pages += _read_document(package, part, pages, notes)
    return to_text("ofd", pages, n_pages, notes)


def _read_document(package: Package, part: str, pages: list[SetPage], notes: list[str]) -> int:
    """Adds its pages; returns how many it states."""
    if part not in package.parts:
        raise Unreadable("damaged", f"the OFD names {part[:80]!r}, which is not in it")
    root = package.parse(part)
    height = _height_of(root)
    templates = {
        attribute(node, "ID"): resolve(part, attribute(node, "BaseLoc"))
        for node in root.iter()
        if local(node) == "TemplatePage"
    }
    found = (attribute(node, "BaseLoc") for node in root.iter() if local(node) == "Page")
    stated = dict.fromkeys(resolve(part, place) for place in found if place)
    """Once, however often the document lists them."""
    for path in stated:
        number = len(pages) + 1
        if number > _MAX_PAGES or sum(len(line) for page in pages for line in page.lines) > _MAX_LETTERS:
            notes.append(f"cut after page {number - 1}: longer than any report")
            break
        if path not in package.parts:
            notes.append(f"page {number} is not in the file")
            pages.append(SetPage(number, height * _POINTS, []))
            continue
        content = package.parse(path)
        used = [templates.pop(attribute(use, "TemplateID"), "") for use in content.iter() if local(use) == "Template"]
        layers = [package.parse(path) for path in used if path in package.parts]  # once: they repeat on each page
        reader = _PageReader(SetPage(number, (_height_of(content) or height) * _POINTS, []))
        pages.append(reader.read([*layers, content]))
    return len(stated)


def _height_of(root: Element) -> float:
    """Height of the first page area below `root`, 0 where none is stated; A4 for a document."""
    for node in root.iter():
        if local(node) == "PhysicalBox":
            box = _numbers(node.text or "")
            if len(box) == 4:
                return box[3]
    return _PAGE_HEIGHT if local(root) == "Document" else 0.0


class _PageReader:
    def __init__(self, page: SetPage) -> None:
        self.page = page
        self._index = 0
        self._baseline = math.inf
        """Of the line that is being read."""
        self._light: set[int] = set()
        """Letters that show nothing on white paper."""
        self._clear: set[int] = set()
        """Letters that show nothing anywhere."""
        self._is_painted = False
        """Whether something is filled, so that the paper need not be white."""

    def read(self, layers: list[Element]) -> SetPage:
        for layer in layers:
            for node in layer.iter():
                kind = local(node)
                if kind.endswith("Object") and _is_unseen(node):
                    continue
                if kind == "TextObject":
                    first = self._index
                    for letter in self._read_text(node):
                        self._place(letter)
                    if _fill_of(node, "Alpha") == "0":
                        self._clear.update(range(first, self._index))
                    elif _is_light(node):
                        self._light.update(range(first, self._index))
                elif kind == "PathObject":
                    self._is_painted |= attribute(node, "Fill").lower() in ("true", "1")
                    self.page.rules += self._read_path(node)
                elif kind == "ImageObject":
                    self.page.has_images = True
        unseen = {letter.at for line in self.page.lines for letter in line if self._is_out(letter)}
        lost = set[int]() if self._is_painted or self.page.has_images else self._light
        drop_unseen(self.page, unseen, lost | self._clear, is_picture=False)
        return self.page

    def _is_out(self, letter: Letter) -> bool:
        """Whether a letter is above or below the page, or too small to be read."""
        middle = (letter.bottom + letter.top) / 2
        return max(letter.top - letter.bottom, letter.right - letter.left) < TINY or not 0 <= middle <= self.page.height

    def _place(self, letter: Letter) -> None:
        """In the line that is being read, or in a new one where the baseline is another or the pen went back."""
        size = letter.top - letter.bottom
        lines = self.page.lines
        if not lines or abs(letter.bottom - self._baseline) > size / 2 or letter.left < lines[-1][-1].left - size:
            lines.append([])
            self._baseline = letter.bottom
        lines[-1].append(letter)

    def _read_text(self, node: Element) -> Iterator[Letter]:
        """Letters of one text object. A code without X or Y goes on where the one before stood."""
        matrix, size = _matrix_of(node), _size_of(node)
        x = y = 0.0
        for code in node:
            if local(code) != "TextCode":
                continue
            text = code.text or ""
            x, y = _number(attribute(code, "X"), x), _number(attribute(code, "Y"), y)
            across, down = (_deltas(attribute(code, name), len(text)) for name in ("DeltaX", "DeltaY"))
            at_x, at_y = x, y
            for n, char in enumerate(text):
                own = size * (_NARROW if char.isascii() else 1.0)
                width = across[n] if n < len(across) and 0 < across[n] < own else own
                left, bottom = self._to_points(matrix, at_x, at_y)
                right, top = self._to_points(matrix, at_x + width, at_y - size)
                if char.isprintable():
                    yield Letter(char, self._index, left, min(bottom, top), max(right, left), max(bottom, top))
                self._index += 1
                at_x += across[n] if n < len(across) else 0.0 if n < len(down) else own
                at_y += down[n] if n < len(down) else 0.0

    def _to_points(self, matrix: _Matrix, x: float, y: float) -> tuple[float, float]:
        a, b, c, d, e, f = matrix
        return (a * x + c * y + e) * _POINTS, self.page.height - (b * x + d * y + f) * _POINTS

    def _read_path(self, node: Element) -> list[Rule]:
        """The straight lines of a path, in the short form of its data (`M 0 0 L 10 0 C`)."""
        data = next((child.text or "" for child in node if local(child) == "AbbreviatedData"), "")
        matrix, rules = _matrix_of(node), list[Rule]()
        steps, points = _PATH_STEP.findall(data), list[tuple[float, float]]()
        at = 0
        while at < len(steps):
            step, at = steps[at], at + 1
            if step == "C" and points:
                points.append(points[0])
            count = _PATH_POINTS.get(step, 0)
            values = [_number(value, 0.0) for value in steps[at : at + 2 * count]]
            if count and len(values) == 2 * count:
                at += 2 * count
                if step in "SM":
                    rules += rules_of(points, _MIN_RULE)
                    points = []
                points.append(self._to_points(matrix, values[-2], values[-1]))
        return rules + rules_of(points, _MIN_RULE)


def _is_unseen(node: Element) -> bool:
    return attribute(node, "Visible").lower() in ("false", "0") or attribute(node, "Alpha") == "0"


def _is_light(node: Element) -> bool:
    """Whether a text is filled with what is as good as white."""
    tones = _numbers(_fill_of(node, "Value"))
    return len(tones) == 3 and min(tones) >= LIGHT


def _fill_of(node: Element, name: str) -> str:
    """What is said of a text's colour; nothing where it has an outline, which may be seen."""
    if attribute(node, "Stroke").lower() in ("true", "1"):
        return ""
    return next((attribute(child, name) for child in node if local(child) == "FillColor"), "")


def _matrix_of(node: Element) -> _Matrix:
    """From an object's own coordinates to those of the page: its CTM, then the corner of its boundary."""
    box, ctm = _numbers(attribute(node, "Boundary")), _numbers(attribute(node, "CTM"))
    left, top = (box[0], box[1]) if len(box) == 4 else (0.0, 0.0)
    a, b, c, d, e, f = ctm if len(ctm) == 6 else (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
    return a, b, c, d, e + left, f + top


def _size_of(node: Element) -> float:
    """As stated; some writers spell it `size`, or leave it to the height of the boundary."""
    stated = attribute(node, "Size") or attribute(node, "size")
    box = _numbers(attribute(node, "Boundary"))
    return abs(_number(stated, box[3] if len(box) == 4 else _USUAL_SIZE)) or _USUAL_SIZE


def _deltas(data: str, count: int) -> list[float]:
    """Steps from letter to letter; `g 3 5.5` is 5.5 three times. No more of them than letters."""
    words, steps = data.split()[: 3 * count], list[float]()
    at = 0
    while at < len(words) and len(steps) < count:
        if words[at] == "g" and at + 2 < len(words):
            steps += [_number(words[at + 2], 0.0)] * min(int(abs(_number(words[at + 1], 0.0))), count - len(steps))
            at += 3
        else:
            steps.append(_number(words[at], 0.0))
            at += 1
    return steps


def _numbers(data: str) -> list[float]:
    return [_number(word, 0.0) for word in data.split()[:6]]


def _number(word: str, default: float) -> float:
    """A coordinate; the default where it is none, or none that a page can have."""
    try:
        value = float(word)
    except ValueError:
        return default
    return value if abs(value) < 1e6 else default  # NaN and infinity are not below either
