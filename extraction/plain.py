"""The short way over a body that is nothing but paragraphs, tables and inline tags, as most notices are: the text of
its lines alone, without their map.

A tag becomes one mark, and the marks cut the text. What asks for more than its tag's name (links, styles that hide or
rearrange, scripts, tables within tables) is not for this way: extraction/reading.py goes over it. The compiled one is
in extraction/native_lines.pyx.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import repeat
from typing import TYPE_CHECKING

from lxml import etree

from extraction.judging import LONGEST_TAG, MOST_TAGS, Judge
from extraction.tags import find_role
from extraction.textmap import Line, LineBuilder, is_wide

if TYPE_CHECKING:
    from lxml.html import HtmlElement

INLINE, LINE, TABLE, ROW, ROW_END, CELL, CELL_END, OTHER = "\x1f\x1e\x1d\x1c\x1b\x1a\x19\x18"
"""The marks: control characters, which a tree writes as references (see `_NOT_PLAIN`)."""
_NOT_PLAIN = ("<a ", "&#x", "CDATA[")
"""Links, characters that XML cannot hold, and texts that are written as they are."""
_TAG = re.compile(r"(<!--.*?-->|<[^>]*>)", re.S)
_MARK = re.compile(f"[{OTHER}-{INLINE}]")
_marks: dict[str, str] = {}
"""Tags as spelled, with their marks."""


def read_plain(judge: Judge, node: HtmlElement) -> list[str] | None:
    """The lines of a body, as `read_lines` has them; None where it holds more than this way is for."""
    written = etree.tostring(node, encoding="unicode", with_tail=False)
    if judge.hidden_names or any(sign in written for sign in _NOT_PLAIN):
        return None
    pieces = _TAG.split(written)[2:-2]
    tags = pieces[1::2]
    marks = [*map(_marks.get, tags, repeat(""))]
    if "" in marks:
        marks = _read_marks(judge, node, tags)
    pieces[1::2] = marks
    whole = "".join(pieces)
    if OTHER in whole:
        return None
    return _read_rows(whole.split(ROW))


def _read_marks(judge: Judge, node: HtmlElement, tags: list[str]) -> list[str]:
    marks, nodes = [], node.iter()
    next(nodes)
    for tag in tags:
        element = None if tag[1] == "/" else next(nodes)
        mark = _marks.get(tag)
        if mark is None:
            mark = _mark_end(tag[2:-1]) if element is None else _mark_start(judge, tag, element)
            if len(tag) <= LONGEST_TAG and tag[1] != "!":
                if len(_marks) >= MOST_TAGS:
                    _marks.clear()
                _marks[tag] = mark
        marks.append(mark)
    return marks


def _mark_end(name: str) -> str:
    """Of an element whose start tag has a mark of its own: of any other page nothing is read here."""
    if name in ("td", "th"):
        return CELL_END
    return {"tr": ROW_END, "block": LINE, "inline": INLINE}.get(find_role(name), OTHER)


def _mark_start(judge: Judge, tag: str, element: HtmlElement) -> str:
    if not isinstance(element.tag, str):
        return INLINE if tag[1] == "!" else OTHER
    role, is_closed = judge.judge(element), tag[-2] == "/"
    if role != find_role(element.tag):
        return OTHER
    if role in ("break", "skip"):
        return OTHER if not is_closed else LINE if role == "break" else INLINE
    if element.tag in ("td", "th"):
        return CELL + CELL_END if is_closed else CELL
    if role == "tr":
        return LINE if is_closed else ROW
    return INLINE if role == "inline" else TABLE if element.tag == "table" else LINE


def _read_rows(parts: list[str]) -> list[str] | None:
    """The lines of parts, each but the first of which begins with a row. None where rows or cells are not in order."""
    if CELL in parts[0]:
        return None
    lines = _lines_of(parts[0].replace(TABLE, LINE))
    for part in parts[1:]:
        row, end, rest = part.partition(ROW_END)
        outside, *cells = row.split(CELL)
        if not end or TABLE in row or CELL in rest or _MARK.search(outside):
            return None
        read: list[list[str]] = []
        for cell in cells:
            inside, end, between = cell.partition(CELL_END)
            if not end or _MARK.search(between):
                return None
            read.append(_lines_of(inside))
        filled = [lines_of_cell for lines_of_cell in read if lines_of_cell]
        if len(filled) == 1:
            lines += filled[0]
        elif filled:
            lines.append(" | ".join(map(_merge, read)))
        lines += _lines_of(rest.replace(TABLE, LINE))
    return lines


def _merge(lines: list[str]) -> str:
    """One cell's lines as one (see `textmap.merge_lines`)."""
    merged = lines[0] if lines else ""
    for line in lines[1:]:
        merged += line if is_wide(merged[-1]) and is_wide(line[0]) else f" {line}"
    return merged


def _lines_of(marked: str) -> list[str]:
    return [line for line in _read_lines(marked) if line]


def _read_lines(marked: str) -> Iterator[str]:
    for raw in marked.split(LINE):
        if not raw or raw == "\n":
            continue
        line = raw.replace(INLINE, "")
        if "&" in line:
            line, raw = unescape(line), unescape(raw)
        if " " in line or not line.isprintable():  # blanks, which are gaps between what stands around them
            builder = LineBuilder()
            for text in raw.split(INLINE):
                builder.add(text, "")
            line = Line(builder.parts).text
        yield line


def unescape(text: str) -> str:
    """A text as it was before it was written."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&#13;", "\r").replace("&amp;", "&")
