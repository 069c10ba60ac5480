"""Whether a bare number is the figure of a table cell: a cell of a ` | ` row, or a line of its own."""

from __future__ import annotations

import re

_CELL_LIMIT = 16
"""Cells around a figure are short; a long neighbour line is prose, and the lone number a page number."""
_DATE = re.compile(r"\d{4}年|\d{1,2}月|\d{4}-\d")


def _cell(text: str, start: int, end: int) -> tuple[int, int] | None:
    """The bounds of the cell that holds nothing but `text[start:end]`, or None."""
    left = start
    while left > 0 and text[left - 1] in " \t":
        left -= 1
    right = end
    while right < len(text) and text[right] in " \t\r":
        right += 1
    if (left > 0 and text[left - 1] not in "\n|") or (right < len(text) and text[right] not in "\n|"):
        return None
    return left, right


def _near_line(text: str, edge: int, step: int) -> str:
    """The line before (-1) or after (+1) the one that ends at `edge`, up to the cell limit."""
    if step < 0:
        chunk = text[max(0, edge - _CELL_LIMIT - 2) : max(0, edge - 1)]
        return chunk.rpartition("\n")[2] if "\n" in chunk or edge <= _CELL_LIMIT + 2 else "x" * 99
    chunk = text[edge + 1 : edge + _CELL_LIMIT + 3]
    return chunk.partition("\n")[0] if "\n" in chunk or len(chunk) <= _CELL_LIMIT else "x" * 99


def is_table_figure(text: str, start: int, end: int) -> bool:
    """True for a figure between bars or among short lines; False for a serial or page number."""
    bounds = _cell(text, start, end)
    if bounds is None:
        return False
    left, right = bounds
    if text[left - 1 : left] == "|":
        return True
    if text[right : right + 1] == "|":  # first cell of its row: a serial number before a name
        following = text[right + 1 : right + 4].strip()
        return following[:1].isdigit()
    lines = (_near_line(text, left, -1).strip(), _near_line(text, right, 1).strip())
    return any(line and len(line) <= _CELL_LIMIT and not _DATE.search(line) for line in lines)
