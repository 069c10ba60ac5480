"""Tables in clean text: which cells label a number.

Two shapes: rows with ` | ` between cells under a header row, and one cell a line (labels then figures, or
header, then label and figures row by row). Labels stand for the phrase before a number.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Protocol

_LINE = re.compile(r"[^\n]+")
_CELL = re.compile(r"[^|]+")
_MAX_CELL = 14
_MAX_LABEL = 60
"""A longer cell is text that says nothing of the figures beside or below it."""
_SENTENCE = re.compile("[。;,]")

Span = tuple[int, int]
Labels = dict[int, tuple[Span, ...]]


class Placed(Protocol):
    @property
    def index(self) -> int: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


Fills = Callable[[int, int], Placed | None]


def label_cells(text: str, numbers: Sequence[Placed]) -> Labels:
    """Number index to the cells that label it; numbers outside tables are absent."""
    starts = [number.start for number in numbers]

    def fills(start: int, end: int) -> Placed | None:
        """The number that fills the cell."""
        index = bisect_left(starts, start)
        if index < len(numbers) and numbers[index].start == start and numbers[index].end >= end:
            return numbers[index]
        return None

    labels: Labels = {}
    header: list[Span] = []
    column: list[Span] = []
    for match in _LINE.finditer(text):
        line = match.span()
        if "|" in match[0]:
            header = _read_row(text, line, header, fills, labels)
            continue
        header = []
        if len(match[0]) <= _MAX_CELL and not _SENTENCE.search(match[0]):
            column.append(line)
            continue
        _read_column(column, fills, labels)
        column = []
    _read_column(column, fills, labels)
    return labels


def _read_row(text: str, line: Span, header: list[Span], fills: Fills, labels: Labels) -> list[Span]:
    cells = [match.span() for match in _CELL.finditer(text, *line)]
    figures = [(column, number) for column, cell in enumerate(cells) if (number := fills(*cell))]
    if not figures:
        return cells
    for column, number in figures:
        above = [header[column]] if column < len(header) else []
        beside = [cell for cell in cells[:1] if not fills(*cell)]
        labels[number.index] = tuple(cell for cell in above + beside if cell[1] - cell[0] <= _MAX_LABEL)
    return header


def _read_column(column: list[Span], fills: Fills, labels: Labels) -> None:
    """One cell a line."""
    figures = [fills(*cell) for cell in column]
    first = next((index for index, number in enumerate(figures) if number), None)
    if first is None or first == 0:
        return
    run = next((index for index in range(first, len(column)) if not figures[index]), len(column)) - first
    if run == first or (run > 2 and first >= run):
        for offset in range(run):
            number = figures[first + offset]
            if number is not None:
                labels[number.index] = (column[first - run + offset],)
        return
    if _read_rows(column, figures, first, run, labels):
        return
    label: Span | None = None
    for cell, number in zip(column, figures, strict=True):
        if number is None:
            label = cell
        elif label is not None:
            labels[number.index] = (label,)


def _read_rows(column: list[Span], figures: Sequence[Placed | None], first: int, run: int, labels: Labels) -> bool:
    """A header of run + 1 cells, then rows of a name and `run` figures, one cell a line (甲局, 3, 2)."""
    width = run + 1
    header = first - width - 1
    rows = range(header + width, len(column) - width + 1, width)
    if header < 0 or len(rows) < 2:
        return False
    if any((figures[row + at] is None) != (at == 0) for row in rows for at in range(width)):
        return False
    for row in rows:
        for at in range(1, width):
            number = figures[row + at]
            if number is not None:
                labels[number.index] = (column[header + at], column[row])
    return True
