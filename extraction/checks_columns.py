"""Columns of a table whose last or first row is their sum, and columns that add up to a total told above the table.

Tables arrive as text: a row a line with its cells between bars, or one cell a line. Cells seldom have a measure word,
so they are read here and not taken from the mentions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from extraction.checks_evidence import PASSAGE
from extraction.checks_lists import check_sum
from extraction.model import Check
from extraction.rules import Rule
from extraction.terms import Table

_CELL = re.compile(r"[ \t　]*(\d{1,3}(?:[,，]\d{3})+|\d{1,9})[ \t　]*(?:[件宗个项人次起份])?[ \t　]*")
_SHARE = re.compile(r"\s*\d+(?:\.\d+)?\s*[%％]\s*")
_SUM = re.compile(r"\s*(?:合\s*计|总\s*计|共\s*计|小\s*计)\s*")
_LABEL = re.compile(r"[^。；;!?！？\d|]{1,20}")
_LONGEST = 200
"""Rows of one table, or cells of one column."""


_WIDEST = 40
"""Characters of a cell, and cells of a row, that are looked at."""


class Cell(NamedTuple):
    """One number of a table and its place in the text."""

    place: int
    value: Decimal


class Row(NamedTuple):
    label: str
    cells: tuple[Cell | None, ...]


def check_columns(table: Table, rule: Rule) -> Iterator[Check]:
    block: list[Row] = []
    lines = _lines(table.text)
    for at, (place, line) in enumerate(lines):
        if "|" in line:
            block.append(_read_row(place, line))
            continue
        if block:
            yield from _check_block(table, rule, block)
            block = []
        if "计" in line and _is_sum(line):
            yield from _check_stack(table, rule, lines, at)
    yield from _check_block(table, rule, block)


def _lines(text: str) -> list[tuple[int, str]]:
    place = 0
    lines: list[tuple[int, str]] = []
    for line in text.split("\n"):
        lines.append((place, line))
        place += len(line) + 1
    return lines


def _is_sum(text: str) -> bool:
    return len(text) <= _WIDEST and _SUM.fullmatch(text) is not None


def _is_label(text: str) -> bool:
    return len(text) <= _WIDEST and _LABEL.fullmatch(text.strip()) is not None and not _is_sum(text)


def _read_cell(place: int, text: str) -> Cell | None:
    match = _CELL.fullmatch(text.rstrip("\r")) if len(text) <= _WIDEST else None
    return Cell(place + match.start(1), Decimal(re.sub(r"[,，]", "", match[1]))) if match else None


def _read_row(place: int, line: str) -> Row:
    cells: list[Cell | None] = []
    label, *rest = line.split("|", _WIDEST)
    place += len(label) + 1
    for text in rest:
        cells.append(_read_cell(place, text))
        place += len(text) + 1
    return Row(label, tuple(cells))


def _check_block(table: Table, rule: Rule, rows: Sequence[Row]) -> Iterator[Check]:
    if not 2 < len(rows) <= _LONGEST:
        return
    sums = [row for row in rows if _is_sum(row.label)]
    parts = [row for row in rows if not _is_sum(row.label)]
    for column in range(max(len(row.cells) for row in rows)):
        cells = [cell for row in parts if column < len(row.cells) and (cell := row.cells[column]) is not None]
        if len(cells) < 2 or len(cells) < len(parts) - 1:
            continue  # a heading above, and no gap below
        totals = [cell for row in sums[:1] if column < len(row.cells) and (cell := row.cells[column]) is not None]
        if totals:
            if _agrees(totals[0], cells) or len(cells) >= rule.min_rows:
                yield from _check_column(table, rule, totals[0], cells)
        elif not sums and len(cells) >= rule.min_rows and (told := _told_above(table, cells)):
            yield from _check_column(table, rule, told, cells)


def _told_above(table: Table, cells: Sequence[Cell]) -> Cell | None:
    """A count shortly before the table that is the column's sum. Chance is small: no sum below ten counts."""
    total = sum((cell.value for cell in cells), Decimal(0))
    start = cells[0].place
    for mention in reversed(table.mentions_before(start)):
        if start - mention.end > PASSAGE or total < 10:
            return None
        if mention.value == total and mention.qualifier == "exact" and mention.unit_zh != "%":
            return Cell(mention.start, total)
    return None


def _check_stack(table: Table, rule: Rule, lines: Sequence[tuple[int, str]], at: int) -> Iterator[Check]:
    """One cell a line: label, number, perhaps a share; up to the label 合计 in line `at` and its number."""
    total = _read_cell(*lines[at + 1]) if at + 1 < len(lines) else None
    cells: list[Cell] = []
    for line in range(at - 1, max(-1, at - 3 * _LONGEST), -1):
        cell = _read_cell(*lines[line])
        if cell is not None:
            if line == 0 or not _is_label(lines[line - 1][1]):
                break
            cells.append(cell)
        elif not (len(lines[line][1]) <= _WIDEST and _SHARE.fullmatch(lines[line][1])) and not _is_label(
            lines[line][1]
        ):
            break
    cells.reverse()
    if total is not None and len(cells) > 1 and (_agrees(total, cells) or len(cells) >= rule.min_rows):
        yield from _check_column(table, rule, total, cells)


def _agrees(total: Cell, cells: Sequence[Cell]) -> bool:
    return sum((cell.value for cell in cells), Decimal(0)) == total.value


def _check_column(table: Table, rule: Rule, total: Cell, cells: Sequence[Cell]) -> Iterator[Check]:
    every = (total, *cells)
    indexes = [next(iter(table.list_at(cell.place)), -1) for cell in every]
    words = " ".join(table.text[cells[0].place : cells[-1].place + 12].split())[:60]
    yield from check_sum(table, rule, indexes, [cell.value for cell in every], words)
