"""From the text nodes of a page to lines, with the way back.

A run is an unbroken piece of one text node. White space and the marks between cells have no run: they are
ours, not the page's. The map lists runs as `(start, end, node, offset)`: `text[start:end]` is
`node_text[offset:offset + end - start]`. A node is named by the child indexes that lead to its element from
the cleaned root (comments count), `"2.0.1"`, the root itself `""`; a trailing `~` means the tail of that
element, no mark its own text.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lxml.html import HtmlElement

Segment = tuple[int, int, str, int]

ZERO_WIDTH = "\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202a-\u202e\u2060\u2066-\u2069\ufeff"
_PIECES = re.compile(rf"[^\s{ZERO_WIDTH}]+|[^\S{ZERO_WIDTH}]+")
_COLLAPSIBLE = frozenset(" \t\r\n\f")
_WIDE_PUNCTUATION = frozenset("“”‘’—…·")


class Run(NamedTuple):
    text: str
    node: str
    offset: int
    is_link: bool
    is_file: bool


_new_run = partial(tuple.__new__, Run)
"""A Run from a tuple of its fields: three times as fast as its constructor, on the hottest path of all."""


@dataclass(frozen=True, slots=True)
class Removed:
    """One thing left out of the text, and the node it stood in."""

    kind: str
    """`hidden`, `spam_link`, `furniture`, `attachment` or `page_number`."""
    text: str
    where: str
    href: str | None = None


@dataclass(slots=True)
class Line:
    """Runs and joiners of one paragraph or one table row. A joiner is a plain string."""

    parts: list[Run | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join([part if isinstance(part, str) else part[0] for part in self.parts])

    def runs(self) -> list[Run]:
        return [part for part in self.parts if not isinstance(part, str)]

    def has_link(self) -> bool:
        return True in [part[3] for part in self.parts if not isinstance(part, str)]


def is_wide(char: str) -> bool:
    """Whether a source line break next to this character is no blank: Han, kana, full-width punctuation."""
    return char >= "\u2e80" or char in _WIDE_PUNCTUATION


NARROW, WIDE, UNSEEN, BLANK, LINE_BREAK, HARD_BLANK = range(1, 7)
"""What a character is to a line: printed, zero-width, a blank that goes with a line break, that break, other blanks."""


def kind_of(char: str) -> int:
    """The kind of one character, for the compiled builder of lines, which asks once for each."""
    if _PIECES.match(char) is None:
        return UNSEEN
    if not char.isspace():
        return WIDE if is_wide(char) else NARROW
    return HARD_BLANK if char not in _COLLAPSIBLE else LINE_BREAK if char == "\n" else BLANK


class LineBuilder:
    """Collects inline text into lines; a break ends a line, white space at its edges is dropped."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.parts: list[Run | str] = []
        self._last = ""
        self._gap = ""

    def add(self, text: str, node: str, is_link: bool = False, is_file: bool = False, base: int = 0) -> None:
        """Append one text node, or its part from offset `base`.

        A blank with a line break in it vanishes beside a wide character."""
        if text and text.isprintable() and " " not in text:  # one unbroken piece: all other blanks count as unprintable
            if self._gap:
                self._close_gap(text[0])
            self.parts.append(_new_run((text, node, base, is_link, is_file)))
            self._last = text[-1]
            return
        if not self.parts and text.isspace():
            return
        for match in _PIECES.finditer(text):
            piece = match[0]
            if piece[0].isspace():
                if not self._gap or self._gap == "\n":
                    soft = "\n" in piece and _COLLAPSIBLE.issuperset(piece)
                    self._gap = "\n" if soft else " "
                continue
            if self._gap:
                self._close_gap(piece[0])
            self.parts.append(_new_run((piece, node, base + match.start(), is_link, is_file)))
            self._last = piece[-1]

    def _close_gap(self, following: str) -> None:
        joins = self._gap == "\n" and (is_wide(self._last) or is_wide(following))
        if self.parts and not joins:
            self.parts.append(" ")
        self._gap = ""

    def end_line(self) -> None:
        self._gap = ""
        if self.parts:
            self.lines.append(Line(self.parts))
            self.parts = []
            self._last = ""

    def extend(self, lines: list[Line]) -> None:
        self.end_line()
        self.lines.extend(lines)


def merge_lines(lines: list[Line]) -> Line:
    """One table cell's lines as one: joined bare between wide characters, else by a blank."""
    merged = Line()
    last = ""
    for line in lines:
        text = line.text
        if merged.parts and not (is_wide(last) and is_wide(text[0])):
            merged.parts.append(" ")
        merged.parts.extend(line.parts)
        last = text[-1]
    return merged


def join_cells(cells: list[Line]) -> Line:
    """A table row: cells joined by ` | `, empty cells keep their place."""
    row = Line()
    for index, cell in enumerate(cells):
        if index:
            row.parts.append(" | ")
        row.parts.extend(cell.parts)
    return row


def lay_out(lines: list[Line]) -> tuple[str, tuple[Segment, ...]]:
    """The text of all lines and its map; neighbouring runs of one node become one segment."""
    pieces: list[str] = []
    segments: list[Segment] = []
    position = 0
    last_start, last_end, last_node, last_offset = 0, -1, "", 0
    for index, line in enumerate(lines):
        if index:
            pieces.append("\n")
            position += 1
        for part in line.parts:
            if isinstance(part, str):
                pieces.append(part)
                position += len(part)
                continue
            piece, node, offset, _, _ = part
            end = position + len(piece)
            pieces.append(piece)
            if position == last_end and node == last_node and offset == last_offset + position - last_start:
                segments[-1] = (last_start, end, node, last_offset)
            else:
                segments.append((position, end, node, offset))
                last_start, last_node, last_offset = position, node, offset
            position = last_end = end
    return "".join(pieces), tuple(segments)


def name_from_document(segments: tuple[Segment, ...], root: str) -> tuple[Segment, ...]:
    """The same map with nodes named from the page's own root element, of which `root` names the cleaned one."""
    return tuple(
        (start, end, f"{root}.{node}" if root and node else root or node, offset)
        for start, end, node, offset in segments
    )


def find_places(segments: tuple[Segment, ...], nodes: Iterable[str]) -> list[int]:
    """Where in the text nodes stood that were left out of it: behind the last character that came before each. A map
    is in document order, as its text is."""
    places = []
    for node in nodes:
        at = bisect.bisect_left(segments, _order_of(node), key=lambda segment: _order_of(segment[2]))
        places.append(segments[at - 1][1] if at else 0)
    return places


_LAST_CHILD = 1 << 62


def _order_of(node: str) -> tuple[int, ...]:
    """A node's name as what sorts in document order: a tail comes behind everything in its element."""
    steps = tuple(map(int, filter(None, node.removesuffix("~").split("."))))
    return (*steps, _LAST_CHILD) if node.endswith("~") else steps


def find_source(segments: tuple[Segment, ...], position: int) -> tuple[str, int] | None:
    """Node and offset of one character of the text; None for a character that is ours."""
    index = bisect.bisect_right(segments, position, key=lambda segment: segment[0]) - 1
    if index < 0 or position >= segments[index][1]:
        return None
    start, _, node, offset = segments[index]
    return node, offset + position - start


def node_text(root: HtmlElement, node: str) -> str:
    """The text a segment's node name stands for. Raises IndexError where the tree is another one."""
    element = root
    for step in filter(None, node.removesuffix("~").split(".")):
        element = element[int(step)]
    return (element.tail if node.endswith("~") else element.text) or ""
