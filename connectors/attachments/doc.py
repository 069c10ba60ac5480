"""Word documents of 1997 to 2003 and of WPS, by [MS-DOC]: the piece table says where the text is, the properties of
its runs say what is deleted or hidden, and where rows of tables end. Needs no tool on the machine.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple

from connectors.attachments.compound import Compound
from connectors.attachments.radicals import fold_radicals
from connectors.attachments.result import AttachmentText, Unreadable
from extraction.textmap import Line, LineBuilder, join_cells, lay_out, merge_lines

_MAX_LETTERS = 500_000
_MAX_PIECES = 100_000
_WORD, _WORD_97 = 0xA5EC, 0x00C1
_ENCRYPTED, _TABLE_1 = 0x0100, 0x0200
_LENGTHS, _CHARACTERS, _PARAGRAPHS, _PIECES = 0x4C, 0xFA, 0x102, 0x1A2
"""Where the header says how long the texts are, and where the tables of runs and pieces are."""
_MAIN, _FOOTNOTES, _ENDNOTES, _BOXES, _N_TEXTS = 0, 1, 5, 6, 8
"""Texts of the file: the pieces hold one behind the other, headers, comments and macros between these (FibRgLw97)."""
_TOLD = {_MAIN: "", _BOXES: "", _FOOTNOTES: "脚注：", _ENDNOTES: "尾注："}
"""Those that are read, in this order, and the words that we put before them."""
_PAGE = 512
_DELETED, _HIDDEN, _IN_TABLE, _ROW_END = 0x0800, 0x083C, 0x2416, 0x2417
_OPERAND = (1, 1, 2, 4, 2, 2, 0, 3)
"""Bytes of a property's operand, by its upper three bits; 0: its first byte says."""
_FIELD, _FIELD_END, _FIELD_MARKS = "\x13", "\x15", "\x13\x14\x15"
_CELL_END, _PARAGRAPH_END = "\x07", "\r\x0c\x0e"
_LETTERS = {"\x1e": "-", "\x0b": "\n", "\xa0": " ", "\t": " "}
_PICTURES = "\x01\x08"
_OTHERS = {
    "Workbook": "xls", "Book": "xls", "PowerPoint Document": "ppt", "HwpSummaryInformation": "hwp",
}  # fmt: skip


def read_doc(body: bytes) -> AttachmentText:
    """Raises Unreadable, also for what else Office keeps in compound files."""
    compound = Compound(body)
    names = compound.entries
    if "EncryptedPackage" in names:
        raise Unreadable("encrypted", "protected by a password")
    main = compound.read("WordDocument")
    if not main:
        found = next((kind for name, kind in _OTHERS.items() if name in names), "")
        if found:
            raise Unreadable("needs_reader", f"{found}: ask the portal for a PDF or xlsx, or convert it by hand")
        raise Unreadable("unsupported", "a compound file, but no Word document")
    try:
        return _read_word(compound, main)
    except struct.error as error:
        raise Unreadable("damaged", f"damaged Word document: {error}") from error


def _read_word(compound: Compound, main: bytes) -> AttachmentText:
    magic, version = struct.unpack_from("<HH", main, 0)
    flags = struct.unpack_from("<H", main, 10)[0]
    if magic != _WORD or version < _WORD_97:
        raise Unreadable("needs_reader", "doc of before Word 97: ask the portal for a PDF, or convert it by hand")
    if flags & _ENCRYPTED:
        raise Unreadable("encrypted", "protected by a password")
    table = compound.read("1Table" if flags & _TABLE_1 else "0Table")
    reader = _Reader(_Runs(main, table, _CHARACTERS), _Runs(main, table, _PARAGRAPHS))
    ends = list(accumulate(struct.unpack_from(f"<{_N_TEXTS}I", main, _LENGTHS), initial=0))
    n_letters = 0
    for which, words in _TOLD.items():
        letters = _read_letters(main, table, ends[which], min(ends[which + 1], ends[which] + _MAX_LETTERS - n_letters))
        n_letters += len(letters)
        reader.read(letters, words)
    text, segments = lay_out(reader.lines)
    if not text:
        return AttachmentText("", "needs_ocr" if reader.has_pictures else "doc", notes=("no text",))
    is_cut = n_letters >= _MAX_LETTERS
    notes = ("cut: longer than any report",) if is_cut else ()
    return AttachmentText(fold_radicals(text), "doc", None, notes, not is_cut, segments)


class _Letter(NamedTuple):
    char: str
    place: int
    """Byte in the main stream."""


def _read_letters(main: bytes, table: bytes, begin: int, end: int) -> list[_Letter]:
    """A stretch of the text, piece by piece, in the order of the document."""
    letters: list[_Letter] = []
    for first, last, place, is_narrow in _read_pieces(main, table):
        skipped = max(begin - first, 0)
        count = min(last, end) - first - skipped
        if count <= 0:
            continue
        place += skipped * (1 if is_narrow else 2)
        if is_narrow:
            text = main[place : place + count].decode("cp1252", "replace")
            letters += [_Letter(char, place + n) for n, char in enumerate(text)]
        else:
            text = main[place : place + 2 * count].decode("utf-16-le", "replace")
            at = place
            for char in text:
                letters.append(_Letter(char, at))
                at += 4 if char > "\uffff" else 2
    return letters


def _read_pieces(main: bytes, table: bytes) -> Iterator[tuple[int, int, int, bool]]:
    """First and end position in the text, byte in the main stream, and whether a letter is one byte there."""
    at, size = struct.unpack_from("<II", main, _PIECES)
    end = at + size
    while at < end and table[at : at + 1] == b"\x01":  # properties of pieces
        at += 3 + struct.unpack_from("<H", table, at + 1)[0]
    if table[at : at + 1] != b"\x02":
        raise Unreadable("damaged", "damaged Word document: it has no table of pieces")
    count = min((struct.unpack_from("<I", table, at + 1)[0] - 4) // 12, _MAX_PIECES)
    bounds = struct.unpack_from(f"<{count + 1}I", table, at + 5)
    for n in range(count):
        place = struct.unpack_from("<I", table, at + 5 + 4 * (count + 1) + 8 * n + 2)[0]
        is_narrow = bool(place & 0x40000000)
        place &= 0x3FFFFFFF
        yield bounds[n], bounds[n + 1], place // 2 if is_narrow else place, is_narrow


class _Runs:
    """Properties that are on, by place in the main stream: of characters, or of paragraphs."""

    def __init__(self, main: bytes, table: bytes, pointer: int) -> None:
        self._starts: list[int] = []
        self._on: list[frozenset[int]] = []
        is_paragraphs = pointer == _PARAGRAPHS
        at, size = struct.unpack_from("<II", main, pointer)
        count = max(0, min((min(size, len(table) - at) - 4) // 8, len(main) // _PAGE))
        pages = struct.unpack_from(f"<{count}I", table, at + 4 * (count + 1)) if count else ()
        for page in pages:
            data = main[page * _PAGE : (page + 1) * _PAGE]
            if len(data) == _PAGE:
                self._read_page(data, is_paragraphs)

    def _read_page(self, data: bytes, is_paragraphs: bool) -> None:
        """A page of runs: their bounds, then where the properties of each stand in the page; its last byte counts."""
        count, step = data[-1], 13 if is_paragraphs else 1
        if 4 * (count + 1) + step * count > _PAGE - 1:
            return
        bounds = struct.unpack_from(f"<{count + 1}I", data)
        for n in range(count):
            at = 2 * data[4 * (count + 1) + step * n]
            size = data[at]
            if is_paragraphs:  # counted in words, and after the number of the style
                at, size = (at + 1, 2 * data[at + 1]) if not size and at + 1 < _PAGE else (at, 2 * size - 1)
                properties = data[at + 3 : at + 1 + size]
            else:
                properties = data[at + 1 : at + 1 + size] if at else b""
            self._starts.append(bounds[n])
            self._on.append(frozenset(_read_properties(properties)))

    def at(self, place: int) -> frozenset[int]:
        index = bisect_right(self._starts, place) - 1
        return self._on[index] if index >= 0 else frozenset()


def _read_properties(data: bytes) -> Iterator[int]:
    """Those of a run whose first byte is 1."""
    at = 0
    while at + 3 <= len(data):
        code = int.from_bytes(data[at : at + 2], "little")
        size = _OPERAND[code >> 13]
        if data[at + 2] == 1 and size == 1:
            yield code
        at += 2 + (size or 1 + data[at + 2])


class _Reader:
    """Puts letters together to paragraphs and table rows. Each paragraph of the file has its number, from 1."""

    def __init__(self, characters: _Runs, paragraphs: _Runs) -> None:
        self.lines: list[Line] = []
        self.has_pictures = False
        self._characters, self._paragraphs = characters, paragraphs
        self._cell: list[Line] = []
        self._row: list[Line] = []
        self._number = self._at = 0
        self._fields: list[bool] = []
        """Of each field that is open, whether its result has not begun: instructions are not shown."""
        self._n_hidden = 0
        self._begin_paragraph()

    def _begin_paragraph(self) -> None:
        self._builder, self._at = LineBuilder(), 0
        self._number += 1

    def read(self, letters: list[_Letter], words: str) -> None:
        """One text of the file, `words` before each of its lines."""
        n_before = len(self.lines)
        for letter in letters:
            if letter.char == _CELL_END or letter.char in _PARAGRAPH_END:
                self._end_paragraph(letter)
            elif letter.char in _FIELD_MARKS:
                self._read_field(letter.char)
            else:
                self.has_pictures |= letter.char in _PICTURES
                self._read_letter(letter)
            self._at += 1
        self._builder.end_line()
        self._end_row([*self._row, merge_lines([*self._cell, *self._builder.lines])])
        self._begin_paragraph()
        self._fields, self._n_hidden = [], 0
        if words:
            self.lines[n_before:] = [Line([words, *line.parts]) for line in self.lines[n_before:]]

    def _read_letter(self, letter: _Letter) -> None:
        char = _LETTERS.get(letter.char, letter.char)
        if self._n_hidden or self._characters.at(letter.place) & {_DELETED, _HIDDEN}:
            return
        if char == "\n":
            self._builder.end_line()
        elif char.isprintable():
            self._builder.add(char, f"paragraph={self._number}", base=self._at)

    def _read_field(self, mark: str) -> None:
        if mark == _FIELD:
            self._fields.append(True)
            self._n_hidden += 1
        elif self._fields:
            self._n_hidden -= self._fields[-1]
            self._fields[-1] = False
            if mark == _FIELD_END:
                self._fields.pop()

    def _end_paragraph(self, end: _Letter) -> None:
        self._builder.end_line()
        how = self._paragraphs.at(end.place)
        if end.char == _CELL_END and _ROW_END in how:
            self._end_row(self._row)
        elif end.char == _CELL_END:
            self._row.append(merge_lines([*self._cell, *self._builder.lines]))
            self._cell = []
        elif _IN_TABLE in how:
            self._cell += self._builder.lines
        else:
            self.lines += self._builder.lines
        self._begin_paragraph()
        self._at = -1

    def _end_row(self, cells: list[Line]) -> None:
        if any(cell.parts for cell in cells):
            self.lines.append(join_cells(cells))
        self._row, self._cell = [], []
