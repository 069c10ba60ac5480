"""Tables in clean text: which cells label a number.

Two shapes: rows with ` | ` between cells, and one cell a line (labels then figures, or a header, then a name and its
figures row by row). Labels stand for the phrase before a number. Header rows may be several; a sub-header that is
narrower than the rows belongs to their right side.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

_LINE = re.compile(r"[^\n]+")
_MAX_CELL = 16
_MAX_LABEL = 60
"""A longer cell is text that says nothing of the figures beside or below it."""
_MAX_CAPTION = 40
_MAX_HEADS = 3
"""Header rows one below the other; of more than that the lowest count."""
_MAX_NAMES = 3
"""Cells of a row that name what it is of."""
_SENTENCE = re.compile("[。;,]")
_HEADING = re.compile(r"第?[一二三四五六七八九十]{1,3}[、章]|\([一二三四五六七八九十]{1,3}\)")
_NAME = re.compile(r"[一-鿿]")
_NOTHING = re.compile(r"[-—–/\\*]{1,3}|无|暂无|空缺|不适用|[.…]+")
"""What is written into a cell that has no figure."""
_SUM = re.compile(r"(?:合计|总计|小计|共计|总数|总和|全[县市区州省](?:合计|总计|汇总)?)(?:\([^()]{0,6}\))?")
_PLAIN = re.compile(
    r"(?:数[量值额]|[件次人宗]数|数|总数|数据|个数|案件数|合计|总计|小计|本年度?(?:处理决定)?(?:数|数量)?|本期|结果|完成情况"
    r"|统计数)(?:\([^()]{0,6}\))?"
)
"""A header that says that figures stand below it, and not of what."""
_NO_COUNT = re.compile(r"页[数码]|文号|序号|编号|代码|证号|(?:联系)?电话|邮编|年[份度]|日期|时间|排[名序]|名次")
_ITEMS = re.compile(r"项目|指标|内容|名称|事项|指标名称|项目名称|工作内容|信息内容")
_UNIT = re.compile(r"\((?:单位:?)?(%|[一-鿿]{1,4})\)$|^(?:计量)?单位:([一-鿿]{1,3})$")
_UNIT_HEADS = frozenset(["单位", "计量单位"])

Span = tuple[int, int]


class Cell(NamedTuple):
    """What a table says of the figure in one of its cells."""

    labels: tuple[Span, ...]
    """None: the column counts nothing (页数). Header cells, then the names that stand in the row."""
    names: int
    """How many of the labels, from the end, are names of the row."""
    caption: Span | None
    """The line above the table, where neither header nor row says what is counted."""
    is_item: bool
    """The rows are things of their own (项目 | 数量), no kinds or places of one."""
    unit: str
    """The measure word that stands in the header: (件), (万元)."""
    is_sum: bool


class Placed(Protocol):
    @property
    def index(self) -> int: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


Fills = Callable[[int, int], Placed | None]
Cells = dict[int, Cell]


def read_cells(text: str, numbers: Sequence[Placed]) -> Cells:
    """Number index to what its table says of it; numbers outside tables are absent."""
    starts = [number.start for number in numbers]

    def fills(start: int, end: int) -> Placed | None:
        """The number that fills the cell."""
        index = bisect_left(starts, start)
        if index < len(numbers) and numbers[index].start == start and numbers[index].end >= end:
            return numbers[index]
        return None

    reader = _Reader(text, fills)
    for match in _LINE.finditer(text):
        reader.read_line(match.start(), match.end(), match[0])
    reader.close()
    return reader.cells


class _Reader:
    """Goes through the lines of a text; a table ends where its shape ends."""

    def __init__(self, text: str, fills: Fills) -> None:
        self.text, self.fills = text, fills
        self.cells: Cells = {}
        self._header: list[list[Span]] = []
        self._has_rows = False
        self._column: list[Span] = []
        self._above: Span | None = None
        """The last line that is no part of a table."""

    def read_line(self, start: int, end: int, line: str) -> None:
        if "|" in line:
            self._close_column()
            self._read_row(start, line)
            return
        self._header, self._has_rows = [], False
        if len(line) <= _MAX_CELL and not _SENTENCE.search(line) and not _HEADING.match(line):
            self._column.append((start, end))
            return
        self._close_column()
        self._above = start, end

    def close(self) -> None:
        self._close_column()

    def _close_column(self) -> None:
        column, self._column = self._column, []
        if not column:
            return
        if any(self.fills(*cell) for cell in column):
            self._read_column(column)
            self._above = None
        else:
            self._above = column[-1]

    # -- what is said of a figure ---------------------------------------------------------------------------------

    def _say(self, number: Placed, heads: Iterable[Span], names: Iterable[Span], corner: Span | None = None) -> None:
        """`corner`: the header above the names of the rows."""
        heads = [cell for cell in heads if self._is_label(cell)]
        if heads and _NO_COUNT.fullmatch(self.text, *heads[0]):
            self.cells[number.index] = Cell((), 0, None, True, "", False)
            return
        named = [cell for cell in names if self._is_label(cell)]
        units = [match for start, end in heads if (match := _UNIT.search(self.text[start:end]))]
        unit = units[0][1] or units[0][2] if units else ""
        is_sum = any(_SUM.fullmatch(self.text, *cell) for cell in named)
        plain = all(_PLAIN.fullmatch(self.text, *cell) for cell in heads)
        caption = self._caption() if plain else None
        is_item = corner is None or _ITEMS.fullmatch(self.text, *corner) is not None
        self.cells[number.index] = Cell((*heads, *named), len(named), caption, is_item, unit, is_sum)

    def _is_label(self, cell: Span) -> bool:
        return 0 < cell[1] - cell[0] <= _MAX_LABEL

    def _caption(self) -> Span | None:
        """The line above, when it is a heading and no sentence; or its last words, when they announce the table."""
        if self._above is None:
            return None
        start, end = self._above
        if self.text[end - 1] in ":。":
            end -= 1
        start = max(self.text.rfind(mark, start, end) + 1 for mark in "。;") or start
        return (start, end) if end - start <= _MAX_CAPTION else None

    def _is_name(self, cell: Span) -> bool:
        return _NAME.search(self.text, *cell) is not None and not _NOTHING.fullmatch(self.text, *cell)

    # -- rows with bars -------------------------------------------------------------------------------------------

    def _read_row(self, start: int, line: str) -> None:
        cells, at = [], start
        for part in line.split("|"):
            cells.append((at, at + len(part)))
            at += len(part) + 1
        figures = [self.fills(*cell) if cell[0] < cell[1] else None for cell in cells]
        if not any(figures):
            has_nothing = any(_NOTHING.fullmatch(self.text, *cell) for cell in cells[1:] if cell[0] < cell[1])
            if self._has_rows and has_nothing:
                return
            if self._has_rows:
                self._header, self._has_rows = [], False
            self._header = [*self._header[1 - _MAX_HEADS :], cells]
            return
        self._has_rows = True
        heads = [self._find_heads(column, len(cells)) for column in range(len(cells))]
        first = next(column for column, number in enumerate(figures) if number)
        opening = [column for column in range(first) if self._is_name(cells[column])][:_MAX_NAMES]
        named = opening
        for column, number in enumerate(figures):
            if number is None:
                continue
            beside = column - 1
            is_pair = not heads[column] and beside > first and not figures[beside] and self._is_name(cells[beside])
            if is_pair:  # 受理 | 11 | 审结 | 9
                named = [beside]
            self._say_row(number, heads[column], [cells[name] for name in named], [heads[name] for name in named])

    def _say_row(self, number: Placed, heads: list[Span], names: list[Span], above: list[list[Span]]) -> None:
        """A name below 计量单位 is the measure word of its row."""
        units = [
            name
            for name, over in zip(names, above, strict=True)
            if len(names) > 1 and name[1] - name[0] <= 3 and any(self._words(head) in _UNIT_HEADS for head in over)
        ]
        corner = next((head for over in above for head in over), None)
        self._say(number, heads, [name for name in names if name not in units], corner)
        if units:
            self.cells[number.index] = self.cells[number.index]._replace(unit=self._words(units[0]))

    def _words(self, cell: Span) -> str:
        return self.text[slice(*cell)]

    def _find_heads(self, column: int, width: int) -> list[Span]:
        """The header cells above a column, the lowest first."""
        found = []
        for depth, row in enumerate(reversed(self._header)):
            at = column
            if depth == 0 and len(self._header) > 1 and len(row) < width:
                at = column - (width - len(row))
            elif depth > 0 and len(row) == 2:  # 乡镇 | 调解纠纷, and below it 上半年 | 下半年
                at = min(column, 1)
            elif depth > 0 and len(row) != width:
                continue
            if 0 <= at < len(row) and row[at][0] < row[at][1]:
                found.append(row[at])
        return found

    # -- one cell a line ------------------------------------------------------------------------------------------

    def _read_column(self, column: list[Span]) -> None:
        figures = [self.fills(*cell) for cell in column]
        start = 0
        while (first := next((at for at in range(start, len(column)) if figures[at]), None)) is not None:
            run = next((at for at in range(first, len(column)) if not figures[at]), len(column)) - first
            lead = first - start
            if lead and self._read_rows(column, figures, start, first, run):
                return
            if not (run > 1 and (run == lead or (run > 2 and lead >= run))):
                self._read_pairs(column, figures, start)
                return
            for at in range(first, first + run):
                number = figures[at]
                if number is not None:
                    self._say(number, (), [column[at - run]])
            start = first + run

    def _read_pairs(self, column: list[Span], figures: Sequence[Placed | None], start: int) -> None:
        """A name, and the figure in the line below it."""
        above = self._above if start == 0 else None
        label = above if above is not None and self.text[above[1] - 1] == ":" else None
        for cell, number in zip(column[start:], figures[start:], strict=True):
            if number is None:
                label = cell
            elif label is not None:
                self._say(number, (), [label])

    def _read_rows(
        self, column: list[Span], figures: Sequence[Placed | None], start: int, first: int, run: int
    ) -> bool:
        """A header of `width` cells, then rows of a name and figures, one cell a line (甲局, 3, 2)."""
        width = run + 1
        header = first - width - 1
        if header < start:
            return False
        rows = range(header + width, len(column) - width + 1, width)
        if len(rows) < 2 or any(not self._fits(column, figures, row, width) for row in rows):
            return False
        if header > start:
            self._above = column[header - 1]
        for row in rows:
            for at in range(1, width):
                number = figures[row + at]
                if number is not None:
                    self._say(number, [column[header + at]], [column[row]], column[header])
        return True

    def _fits(self, column: list[Span], figures: Sequence[Placed | None], row: int, width: int) -> bool:
        """Whether a name and then nothing but figures, or marks for none, stand in `width` lines."""
        if figures[row] is not None or not self._is_name(column[row]):
            return False
        places = range(row + 1, row + width)
        return all(figures[at] is not None or _NOTHING.fullmatch(self.text, *column[at]) for at in places)


def is_plain(label: str) -> bool:
    """Whether a label says nothing of what is counted (数量, 合计)."""
    return bool(_PLAIN.fullmatch(label) or _SUM.fullmatch(label))


def strip_unit(label: str) -> str:
    """罚款(件): the header without its measure word."""
    return _UNIT.sub("", label)
