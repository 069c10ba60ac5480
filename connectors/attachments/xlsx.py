"""Spreadsheets, read from their XML: each row with text is a line, its cells joined by ` | `.

Numbers are as the sheet shows them where that changes what they say (percent, dates), else as stored. Columns that
are empty in the whole sheet are left out, so that a stray cell in column XFD makes no line of 16,000 cells.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from connectors.attachments.package import Package, attribute, local, relations
from connectors.attachments.radicals import fold_radicals
from connectors.attachments.result import AttachmentText
from extraction.textmap import Line, LineBuilder, join_cells, lay_out

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_MAX_SHEETS = 100
_MAX_CELLS = 200_000
"""With text, of the whole file. The largest real annex has 6,000."""
_MAX_LETTERS = 500_000
_MAX_MERGED = 5_000
_REFERENCE = re.compile(r"([A-Z]{1,3})(\d{1,7})")
_DATES = frozenset([*range(14, 18), 22, *range(27, 32), 36, *range(50, 55), 57, 58])
"""Built-in formats that show a day (ECMA-376 part 1, 18.8.30, with those of Chinese versions)."""
_PERCENTS = {9: 0, 10: 2}
_QUOTED = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.')
_DECIMALS = re.compile(r"\.(0+)")
_EPOCH, _EPOCH_1904 = date(1899, 12, 30), date(1904, 1, 1)
_MAX_DAY = 2_958_465
"""31 December 9999."""


_Area = tuple[int, int, int, int]


class _Format(NamedTuple):
    """How the numbers of a cell style are shown."""

    is_date: bool = False
    percent: int | None = None
    """Decimals of a percentage."""


class _Cell(NamedTuple):
    row: int
    column: int
    text: str


def read_xlsx(package: Package, part: str) -> AttachmentText:
    """The workbook in `part`, its shown sheets in order. Raises Unreadable."""
    root = package.parse(part)
    targets = relations(package, part)
    reader = _Reader(package, {kind: target for kind, target in targets.values() if target in package.parts})
    reader.epoch = next(
        (_EPOCH_1904 for node in root.iter() if local(node) == "workbookPr" and _is_true(node, "date1904")), _EPOCH
    )
    notes: list[str] = []
    missing: list[str] = []
    lines: list[Line] = []
    sheets = [node for node in root.iter() if local(node) == "sheet"]
    read: set[str] = set()
    for number, sheet in enumerate(sheets[:_MAX_SHEETS], start=1):
        if attribute(sheet, "state") in ("hidden", "veryHidden"):
            notes.append(f"sheet {number} is hidden and not in the text")
            continue
        kind, target = targets.get(attribute(sheet, "id"), ("", ""))
        if target in read:
            notes.append(f"sheet {number} is one of those before it, read once")
        elif kind == "worksheet" and target in package.parts:
            read.add(target)
            lines += reader.read_sheet(target, number)
        elif kind in ("worksheet", ""):
            missing.append(f"sheet {number} is not in the file")
        if reader.is_full:
            missing.append(f"cut in sheet {number} of {len(sheets)}: longer than any annex")
            break
    if len(sheets) > _MAX_SHEETS:
        missing.append(f"only the first {_MAX_SHEETS} of {len(sheets)} sheets are read")
    if reader.n_hidden:
        notes.append(f"{reader.n_hidden} cells in hidden rows and columns are not in the text")
    if reader.n_covered:
        notes.append(f"{reader.n_covered} cells under merged ones are not in the text")
    if reader.n_unsaid:
        missing.append(f"{reader.n_unsaid} formulas have no value in the file")
    text, segments = lay_out(lines)
    notes += missing
    if not text:
        has_images = any(name.startswith("xl/media/") for name in package.parts)
        return AttachmentText("", "needs_ocr" if has_images else "xlsx", notes=(*notes, "no text"))
    return AttachmentText(fold_radicals(text), "xlsx", None, tuple(notes), not missing, segments)


def _is_true(node: Element, name: str) -> bool:
    return attribute(node, name) in ("1", "true", "on")


class _Reader:
    def __init__(self, package: Package, parts: dict[str, str]) -> None:
        self._package = package
        self.epoch = _EPOCH
        self._shared = self._read_shared(parts["sharedStrings"]) if "sharedStrings" in parts else []
        self._formats = self._read_formats(parts["styles"]) if "styles" in parts else []
        self._n_cells = self._n_letters = 0
        self.n_hidden = self.n_covered = self.n_unsaid = 0
        """Cells that are not shown, those that a merged one lies over, and formulas that nobody has worked out."""

    @property
    def is_full(self) -> bool:
        return self._n_cells >= _MAX_CELLS or self._n_letters >= _MAX_LETTERS

    def _read_shared(self, part: str) -> list[str]:
        return [_read_string(node) for node in self._package.parse(part) if local(node) == "si"]

    def _read_formats(self, part: str) -> list[_Format]:
        """By cell style."""
        root = self._package.parse(part)
        codes = {
            attribute(node, "numFmtId"): attribute(node, "formatCode")
            for node in root.iter()
            if local(node) == "numFmt"
        }
        styles = next((node for node in root if local(node) == "cellXfs"), None)
        found = []
        for node in styles if styles is not None else ():
            number = attribute(node, "numFmtId")
            found.append(_read_format(int(number) if number.isdigit() and len(number) < 6 else 0, codes.get(number)))
        return found

    def read_sheet(self, part: str, number: int) -> list[Line]:
        cells = self._read_cells(part)
        columns = sorted({cell.column for cell in cells})
        rows: dict[int, dict[int, str]] = {}
        for cell in cells:
            rows.setdefault(cell.row, {})[cell.column] = cell.text
        is_sparse = len(rows) * len(columns) > _MAX_CELLS  # no table: a row is the cells that it has
        return [
            join_cells(
                [
                    _to_line(rows[row].get(column, ""), number, column, row)
                    for column in (sorted(rows[row]) if is_sparse else columns)
                ]
            )
            for row in sorted(rows)
        ]

    def _read_cells(self, part: str) -> list[_Cell]:
        """Cells with text. What states no place stands beside, or below, the one before it."""
        found: list[_Cell] = []
        hidden: list[tuple[int, int]] = []
        row_number = 0
        merged: list[_Area] = []
        for row in self._package.parse_parts(part, ("cols", "row", "mergeCells")):
            if local(row) == "cols":
                hidden += [_columns_of(node) for node in row if _is_true(node, "hidden")]
                continue
            if local(row) == "mergeCells":
                merged += filter(None, (_area_of(attribute(node, "ref")) for node in islice(row, _MAX_MERGED)))
                continue
            stated = attribute(row, "r")
            row_number = int(stated) if stated.isdigit() and len(stated) < 8 else row_number + 1
            column = 0
            for node in row:
                if self.is_full:
                    return found
                place = _REFERENCE.fullmatch(attribute(node, "r"))
                column = _column_of(place[1]) if place else column + 1
                text = self._read_value(node)
                if text and (_is_true(row, "hidden") or any(first <= column <= last for first, last in hidden)):
                    self.n_hidden += 1
                elif text:
                    found.append(_Cell(row_number, column, text))
                    self._n_cells += 1
                    self._n_letters += len(text)
        shown = _drop_covered(found, merged)
        self.n_covered += len(found) - len(shown)
        return shown

    def _read_value(self, node: Element) -> str:
        kind = attribute(node, "t")
        if kind == "inlineStr":
            return " ".join(_read_string(node).split())
        value = next((child.text or "" for child in node if local(child) == "v"), "").strip()
        if not value and any(local(child) == "f" for child in node):
            self.n_unsaid += kind != "str"  # a formula may come to an empty text
        if kind == "s":
            known = value.isdigit() and len(value) < 8 and int(value) < len(self._shared)
            return " ".join(self._shared[int(value)].split()) if known else ""
        if kind in ("str", "e"):
            return " ".join(value.split())
        if kind == "b":
            return {"1": "TRUE", "0": "FALSE"}.get(value, value)
        style = attribute(node, "s")
        at = int(style) if style.isdigit() and len(style) < 7 else 0
        return self._show(value, self._formats[at] if at < len(self._formats) else _Format())

    def _show(self, value: str, how: _Format) -> str:
        """A stored number, 15 digits of it: the others are the machine's."""
        try:
            number = Decimal(value)
            if not number.is_finite() or abs(number.adjusted()) > 30:
                return value[:40]
            number = Decimal(f"{float(number):.15g}")
        except (InvalidOperation, ValueError):
            return value[:40]
        if how.is_date and 0 < number <= _MAX_DAY:
            return (self.epoch + timedelta(days=int(number))).isoformat()
        if how.percent is not None:
            return f"{number * 100:.{how.percent}f}%"
        text = f"{number:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text


def _read_format(number: int, code: str | None) -> _Format:
    """From its number, or from its own code, which wins; quoted text in it shows nothing of the number."""
    if code is None:
        return _Format(number in _DATES, _PERCENTS.get(number))
    bare = _QUOTED.sub("", code.partition(";")[0][:200]).lower()
    if "%" in bare:
        decimals = _DECIMALS.search(bare)
        return _Format(percent=min(len(decimals[1]), 6) if decimals else 0)
    return _Format(is_date="y" in bare or ("m" in bare and "d" in bare))


def _read_string(node: Element) -> str:
    """The text of a string item; phonetic guides are no part of it."""
    pieces = []
    for child in node:
        kind = local(child)
        if kind == "t":
            pieces.append(child.text or "")
        elif kind in ("r", "is"):
            pieces.append(_read_string(child))
    return "".join(pieces)


def _columns_of(node: Element) -> tuple[int, int]:
    """First and last of the columns that a `col` speaks of."""
    first, last = attribute(node, "min"), attribute(node, "max")
    return (int(first), int(last)) if first.isdigit() and last.isdigit() and len(first + last) < 12 else (0, -1)


def _area_of(reference: str) -> _Area | None:
    """`B2:D3` as first row, first column, last row, last column."""
    ends = [_REFERENCE.fullmatch(end) for end in reference.split(":")]
    if len(ends) != 2 or ends[0] is None or ends[1] is None:
        return None
    (first, last) = ((int(end[2]), _column_of(end[1])) for end in ends if end is not None)
    return *first, *last


def _drop_covered(cells: list[_Cell], merged: list[_Area]) -> list[_Cell]:
    """Of a merged cell its first one shows; what is left in the others, nobody sees."""
    if not merged:
        return cells
    rows: dict[int, list[_Cell]] = {}
    for cell in cells:
        rows.setdefault(cell.row, []).append(cell)
    covered: set[_Cell] = set()
    for top, left, bottom, right in merged:
        inside = range(top, bottom + 1) if bottom - top < len(rows) else [n for n in rows if top <= n <= bottom]
        for cell in (cell for row in inside for cell in rows.get(row, ())):
            if left <= cell.column <= right and (cell.row, cell.column) != (top, left):
                covered.add(cell)
    return [cell for cell in cells if cell not in covered]


def _column_of(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _name_of(column: int) -> str:
    name = ""
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


def _to_line(text: str, sheet: int, column: int, row: int) -> Line:
    builder = LineBuilder()
    if text:
        builder.add(text, f"sheet={sheet}&cell={_name_of(column)}{row}")
        builder.end_line()
    return builder.lines[0] if builder.lines else Line()
