"""Tables of set pages, as rows with ` | ` between their cells, the shape that `extraction.cells` reads.

Two ways to see one: a grid of drawn lines (each letter belongs to the cell that its middle is in; cells without a line
between them are one, whose text stands once), and, where no upright lines are drawn, short pieces with wide gaps that
stand below each other line after line, with figures among them.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from connectors.attachments.setpage import Letter, Rule, SetLine, SetPage, to_line, to_row, to_set_line
from extraction.textmap import Line, join_cells, merge_lines

_TOUCH = 3.0
"""Points between two lines that are drawn as touching."""
_SAME = 2.5
"""Points between two lines that are one boundary."""
_OPEN = 8.0
"""Level lines that stick out of the outermost upright ones by more belong to a table with open sides."""
_MAX_RULES = 3_000
"""Of a page: more are a drawing. Where each cell is a box of its own, a large table has 2,000."""
_MAX_CELLS = 10_000
_GAP = 1.5
"""Blank between two pieces of a line, in letter sizes, from which they may be two cells."""
_MAX_PIECE = 16
_FIGURE = re.compile(r"[\d.,%％+\-—/]{1,16}")


@dataclass(slots=True)
class _Grid:
    """Boundaries from left to right and from top to bottom, and which elementary cells are one cell."""

    xs: list[float]
    ys: list[float]
    cells: list[int]
    """By row and column, the number of the cell's first elementary cell."""
    letters: dict[int, list[Letter]] = field(default_factory=dict)

    def cell_at(self, letter: Letter) -> int | None:
        x, y = (letter.left + letter.right) / 2, (letter.bottom + letter.top) / 2
        if not (self.xs[0] <= x < self.xs[-1] and self.ys[-1] < y <= self.ys[0]):
            return None
        column = bisect_right(self.xs, x) - 1
        row = bisect_right(self.ys, -y, key=lambda level: -level) - 1
        return self.cells[row * (len(self.xs) - 1) + column]

    def rows(self, page: int) -> list[SetLine]:
        """A cell over several rows stands in its first, and is empty in the others."""
        width, rows = len(self.xs) - 1, []
        for first in range(0, len(self.cells), width):
            row = []
            for at in range(first, first + width):
                cell = self.cells[at]
                if at == first or self.cells[at - 1] != cell:
                    row.append(_read_cell(self.letters.get(cell, []), page) if cell >= first else Line())
            if any(cell.parts for cell in row):
                rows.append(to_row(join_cells(row)))
        return rows


def read_lines(page: SetPage) -> list[SetLine]:
    """Lines and table rows of a page, in its order; a table stands where its first letter does."""
    rules = set(page.rules)
    grids = _find_grids(sorted(rules)) if len(rules) <= _MAX_RULES else []
    pieces: list[list[Letter] | _Grid] = []
    for line in page.lines:
        rest: list[Letter] = []
        for letter in line:
            for grid in grids:
                cell = grid.cell_at(letter)
                if cell is not None:
                    if not grid.letters:
                        pieces.append(grid)
                    grid.letters.setdefault(cell, []).append(letter)
                    break
            else:
                rest.append(letter)
        pieces.append(rest)
    found: list[SetLine] = []
    prose: list[list[Letter]] = []
    for piece in [*pieces, None]:
        if isinstance(piece, list):
            prose.append(piece)
            continue
        found += _read_prose(prose, page.number)
        prose = []
        if piece is not None:
            found += piece.rows(page.number)
    return found


def _read_cell(letters: list[Letter], page: int) -> Line:
    """The lines of one cell as one line."""
    lines: list[list[Letter]] = []
    for letter in letters:
        size = max(letter.top - letter.bottom, 1.0)
        if lines and abs(lines[-1][-1].bottom - letter.bottom) < size / 2:
            lines[-1].append(letter)
        else:
            lines.append([letter])
    lines.sort(key=lambda line: -line[0].bottom)
    return merge_lines([line for line in (to_line(line, page) for line in lines) if line.parts])


# -- grids of drawn lines ---------------------------------------------------------------------------------------------


def _find_grids(rules: Sequence[Rule]) -> list[_Grid]:
    """Grids of at least two columns and two rows."""
    level = [rule for rule in rules if rule.x1 - rule.x0 >= rule.y1 - rule.y0]
    upright = sorted(rule for rule in rules if rule.x1 - rule.x0 < rule.y1 - rule.y0)
    places = [rule.x0 for rule in upright]
    groups = _Groups(len(level) + len(upright))
    for n, across in enumerate(level):
        for m in range(bisect_left(places, across.x0 - _TOUCH), bisect_right(places, across.x1 + _TOUCH)):
            if upright[m].y0 - _TOUCH <= across.y0 <= upright[m].y1 + _TOUCH:
                groups.join(n, len(level) + m)
    grids = []
    for members in groups.all():
        grid = _build_grid(
            [level[n] for n in members if n < len(level)], [upright[n - len(level)] for n in members if n >= len(level)]
        )
        if grid is not None:
            grids.append(grid)
    return grids


def _build_grid(level: Sequence[Rule], upright: Sequence[Rule]) -> _Grid | None:
    if not level or not upright:
        return None
    xs, ys = _cluster(rule.x0 for rule in upright), _cluster(rule.y0 for rule in level)
    xs = _widen(xs, min(rule.x0 for rule in level), max(rule.x1 for rule in level))
    ys = _widen(ys, min(rule.y0 for rule in upright), max(rule.y1 for rule in upright))[::-1]
    width, height = len(xs) - 1, len(ys) - 1
    if width < 2 or height < 2 or width * height > _MAX_CELLS:
        return None
    right, below = set[int](), set[int]()
    for rule in upright:
        column = _nearest(xs, rule.x0) - 1
        right |= {
            row * width + column
            for row, (top, bottom) in enumerate(pairwise(ys))
            if rule.y0 - 1 <= (top + bottom) / 2 <= rule.y1 + 1
        }
    for rule in level:
        row = _nearest(ys, rule.y0) - 1
        below |= {
            row * width + column
            for column, (start, end) in enumerate(pairwise(xs))
            if rule.x0 - 1 <= (start + end) / 2 <= rule.x1 + 1
        }
    groups = _Groups(width * height)
    for at in range(width * height):
        if (at + 1) % width and at not in right:
            groups.join(at, at + 1)
        if at + width < width * height and at not in below:
            groups.join(at, at + width)
    return _Grid(xs, ys, [groups.find(at) for at in range(width * height)])


def _cluster(values: Iterable[float]) -> list[float]:
    """Boundaries, ascending: values within `_SAME` are one."""
    groups: list[list[float]] = []
    for value in sorted(values):
        if groups and value - groups[-1][0] <= _SAME:
            groups[-1].append(value)
        else:
            groups.append([value])
    return [sum(group) / len(group) for group in groups]


def _widen(bounds: list[float], low: float, high: float) -> list[float]:
    return [*([low] if low < bounds[0] - _OPEN else []), *bounds, *([high] if high > bounds[-1] + _OPEN else [])]


def _nearest(bounds: Sequence[float], value: float) -> int:
    return min(range(len(bounds)), key=lambda at: abs(bounds[at] - value))


class _Groups:
    """Numbers that were joined, directly or by way of others; the lowest stands for its group."""

    def __init__(self, size: int) -> None:
        self._lower = list(range(size))

    def find(self, number: int) -> int:
        while self._lower[number] != number:
            self._lower[number] = self._lower[self._lower[number]]
            number = self._lower[number]
        return number

    def join(self, one: int, other: int) -> None:
        low, high = sorted((self.find(one), self.find(other)))
        self._lower[high] = low

    def all(self) -> list[list[int]]:
        groups: dict[int, list[int]] = {}
        for number in range(len(self._lower)):
            groups.setdefault(self.find(number), []).append(number)
        return list(groups.values())


# -- columns without lines --------------------------------------------------------------------------------------------


def _read_prose(lines: Sequence[list[Letter]], page: int) -> list[SetLine]:
    """Lines as they are, but for runs of them whose pieces stand in columns."""
    found: list[SetLine] = []
    run: list[list[list[Letter]]] = []
    waiting: list[SetLine] = []

    def end_run() -> None:
        is_table = len(run) > 1 and sum(any(map(_is_figure, row[1:])) for row in run) > 1
        found.extend(
            [to_row(join_cells([to_line(cell, page) for cell in row])) for row in run] if is_table else waiting
        )
        run.clear()
        waiting.clear()

    for letters in lines:
        line = to_set_line(letters, page)
        if line is None:
            continue
        row = _split_pieces(letters)
        if run and not _stands_below(run[-1], row):
            end_run()
        if len(row) > 1 and all(len(piece) <= _MAX_PIECE for piece in row):
            run.append(row)
            waiting.append(line)
        else:
            end_run()
            found.append(line)
    end_run()
    return found


def _split_pieces(letters: Sequence[Letter]) -> list[list[Letter]]:
    pieces: list[list[Letter]] = []
    for letter in letters:
        if letter.char.isspace():
            continue
        size = max(letter.top - letter.bottom, 1.0)
        if pieces and letter.left - pieces[-1][-1].right < _GAP * size:
            pieces[-1].append(letter)
        else:
            pieces.append([letter])
    return pieces


def _stands_below(above: Sequence[list[Letter]], row: Sequence[list[Letter]]) -> bool:
    return len(above) == len(row) and all(
        over[0].left < piece[-1].right and piece[0].left < over[-1].right
        for over, piece in zip(above, row, strict=True)
    )


def _is_figure(piece: Sequence[Letter]) -> bool:
    return _FIGURE.fullmatch("".join(letter.char for letter in piece)) is not None
