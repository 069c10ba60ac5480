"""Excel workbooks, written row by row: always the same bytes for the same rows, never a formula, nothing cut.

A workbook is a zip of XML files (ECMA-376). Texts are inline strings, so a cell beginning with = is a text like any
other; numbers, dates and truth values are cells of their own kind.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

MAX_ROWS = 1_048_576
MAX_CHARACTERS = 32_767
_EPOCH = date(1899, 12, 30)
_STAMP = (1980, 1, 1, 0, 0, 0)
"""The zip format's first moment: entries carry no time of their own."""

# XML cannot hold these; Excel writes them as _xHHHH_, and so a text that looks like that is escaped as well.
_ODD = re.compile("[\x00-\x08\x0b-\x0d\x0e-\x1f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")

_HEAD, _DATE, _WRAP = 1, 2, 3
_STYLES = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><numFmts count="1"><numFmt \
numFmtId="164" formatCode="yyyy\\-mm\\-dd"/></numFmts><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>\
<font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="3"><fill><patternFill patternType="none"/>\
</fill><fill><patternFill patternType="gray125"/></fill><fill><patternFill patternType="solid"><fgColor \
rgb="FFE8EDF3"/></patternFill></fill></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/>\
</cellStyleXfs><cellXfs count="4"><xf xfId="0"/><xf fontId="1" fillId="2" xfId="0" applyFont="1" applyFill="1" \
applyAlignment="1"><alignment vertical="center" wrapText="1"/></xf><xf numFmtId="164" xfId="0" \
applyNumberFormat="1"/><xf xfId="0" applyAlignment="1"><alignment vertical="top" wrapText="1"/></xf></cellXfs>\
<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>"""
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


class CellTooLong(ValueError):
    """A text that Excel cannot hold."""


@dataclass(frozen=True, slots=True)
class Sheet:
    name: str
    headers: Sequence[str]
    widths: Sequence[int]
    rows: Iterable[Sequence[object]]


def write_workbook(path: Path, sheets: Iterable[Sheet]) -> list[str]:
    """Write the sheets; one with more rows than Excel holds goes on in another. Gives the names of all.

    Raises CellTooLong, one line naming sheet, row and column."""
    names: list[str] = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for sheet in sheets:
            rows = iter(sheet.rows)
            first = next(rows, None)
            number = 1
            while first is not None or number == 1:
                names.append(sheet.name if number == 1 else f"{sheet.name} {number}")
                first = _write_sheet(book, len(names), sheet, names[-1], first, rows)
                number += 1
        _add(book, "xl/styles.xml", _STYLES)
        _add(book, "xl/workbook.xml", _workbook(names))
        _add(book, "xl/_rels/workbook.xml.rels", _links(names))
        _add(book, "_rels/.rels", _root_link())
        _add(book, "[Content_Types].xml", _types(names))
    return names


def _write_sheet(
    book: zipfile.ZipFile, number: int, sheet: Sheet, name: str, first: Sequence[object] | None,
    rows: Iterator[Sequence[object]],
) -> Sequence[object] | None:  # fmt: skip
    """Gives the first row that found no place."""
    last = _letters(len(sheet.headers))
    with book.open(_entry(f"xl/worksheets/sheet{number}.xml"), "w", force_zip64=True) as out:
        widths = "".join(
            f'<col min="{i}" max="{i}" width="{width}" customWidth="1"/>' for i, width in enumerate(sheet.widths, 1)
        )
        out.write(
            f'{_DECLARATION}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" '
            f'topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><cols>{widths}</cols>'
            '<sheetData><row r="1" ht="32" customHeight="1">'.encode()
        )
        out.write("".join(_text(text, _HEAD) for text in sheet.headers).encode() + b"</row>")
        at, row = 2, first
        while row is not None and at <= MAX_ROWS:
            cells = "".join(_cell(value, name, at, sheet.headers[i]) for i, value in enumerate(row))
            out.write(f'<row r="{at}">{cells}</row>'.encode())
            at, row = at + 1, next(rows, None)
        out.write(f'</sheetData><autoFilter ref="A1:{last}{at - 1}"/></worksheet>'.encode())
    return row


def _cell(value: object, sheet: str, row: int, header: str) -> str:
    if value is None or value == "":
        return "<c/>"
    if isinstance(value, bool):
        return f'<c t="b"><v>{int(value)}</v></c>'
    if isinstance(value, Decimal):
        return f"<c><v>{value.normalize():f}</v></c>"
    if isinstance(value, int):
        return f"<c><v>{value}</v></c>"
    if isinstance(value, date):
        return f'<c s="{_DATE}"><v>{(value - _EPOCH).days}</v></c>'
    text = str(value)
    if len(text) > MAX_CHARACTERS // 2 and len(text.encode("utf-16-le", "surrogatepass")) // 2 > MAX_CHARACTERS:
        column = " ".join(header.split())
        raise CellTooLong(
            f"sheet {sheet!r}, row {row}, column {column!r}: {len(text)} characters, and Excel holds {MAX_CHARACTERS} "
            "in a cell; use --format csv or parquet"
        )
    return _text(text, _WRAP if "\n" in text else 0)


def _text(text: str, style: int) -> str:
    said = escape(_ODD.sub(lambda found: f"_x{ord(found[0]):04X}_", text))
    mark = f' s="{style}"' if style else ""
    return f'<c t="inlineStr"{mark}><is><t xml:space="preserve">{said}</t></is></c>'


def _letters(number: int) -> str:
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _STAMP)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry


def _add(book: zipfile.ZipFile, name: str, text: str) -> None:
    book.writestr(_entry(name), text.encode())


def _workbook(names: list[str]) -> str:
    sheets = "".join(f'<sheet name={quoteattr(name)} sheetId="{i}" r:id="rId{i}"/>' for i, name in enumerate(names, 1))
    return f'{_DECLARATION}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{sheets}</sheets></workbook>'


def _links(names: list[str]) -> str:
    links = [
        f'<Relationship Id="rId{i}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{i}.xml"/>'
        for i, _ in enumerate(names, 1)
    ]
    links.append(f'<Relationship Id="rId{len(names) + 1}" Type="{_OFFICE}/styles" Target="styles.xml"/>')
    return f'{_DECLARATION}<Relationships xmlns="{_PACKAGE}/relationships">{"".join(links)}</Relationships>'


def _root_link() -> str:
    link = f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
    return f'{_DECLARATION}<Relationships xmlns="{_PACKAGE}/relationships">{link}</Relationships>'


def _types(names: list[str]) -> str:
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = [
        f'<Override PartName="/xl/worksheets/sheet{i}.xml" ContentType="{kind}.worksheet+xml"/>'
        for i, _ in enumerate(names, 1)
    ]
    return (
        f'{_DECLARATION}<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" '
        f'ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{kind}.styles+xml"/>{"".join(parts)}</Types>'
    )
