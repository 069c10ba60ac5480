"""Word documents, read from their XML and not through python-docx, whose paragraph text leaves out what stands in smart
tags, content controls and tracked insertions: numbers and dates, mostly. Deleted text stays out, and so do comments,
headers and footers, and what nobody sees: hidden, white on white, below two points. Footnotes and endnotes come behind
the text, in the order in which it names them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from connectors.attachments.package import Package, attribute, local, relations
from connectors.attachments.radicals import fold_radicals
from connectors.attachments.result import AttachmentText
from connectors.attachments.setpage import LIGHT
from extraction.textmap import Line, LineBuilder, join_cells, lay_out, merge_lines

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_SKIPPED = frozenset(
    {"del", "moveFrom", "Fallback", "instrText", "delText", "rPr", "pPr", "sectPr", "trPr", "tcPr", "tblPrEx", "rt"}
)
_PICTURES = frozenset({"drawing", "pict"})
_MIN_LETTERS = 15
"""Per picture, below which a document is taken for a scan: a picture for each page."""
_OFF = frozenset({"0", "false", "off"})
_TAKEN_OUT = {"r": ("rPr", "vanish"), "tr": ("trPr", "del"), "tc": ("tcPr", "cellDel")}
"""Kinds of elements, and in which of their properties stands what takes them out of the text: hidden, deleted."""
_LEAST_SIZE = 4
"""Half points, below which a letter is a speck."""
_MAX_LETTERS = 500_000
_LETTERS = {"tab": " ", "ptab": " ", "noBreakHyphen": "-"}
_BREAKS = frozenset({"br", "cr"})
_NOTES = {"footnoteReference": ("footnote", "脚注："), "endnoteReference": ("endnote", "尾注：")}
"""References to notes: the kind of note, and the words that we put before it."""


def read_docx(package: Package, part: str) -> AttachmentText:
    """The document in `part`. Raises Unreadable."""
    root = package.parse(part)
    reader = _Reader()
    lines = reader.read_blocks(root)
    n_read = reader.n_paragraphs
    below, n_lost = _read_notes(package, part, reader)
    text, segments = lay_out([*lines, *below])
    notes = ["automatic numbering is not in the text"] if reader.is_numbered else []
    missing = []
    if reader.n_letters >= _MAX_LETTERS:
        missing.append(f"cut after paragraph {n_read}: longer than any report")
    if reader.n_foreign:
        missing.append(f"{reader.n_foreign} documents inside it are not read (altChunk)")
    if reader.n_unseen:
        notes.append(f"{reader.n_unseen} letters that show nothing are not in the text")
    if n_lost:
        missing.append(f"{n_lost} footnotes are not in the file")
    if reader.n_pictures and len(text) < _MIN_LETTERS * reader.n_pictures:
        missing.append(f"{reader.n_pictures} pictures, and next to no text beside them")
    notes += missing
    if not text:
        has_images = any(name.startswith("word/media/") for name in package.parts)
        return AttachmentText("", "needs_ocr" if has_images else "docx", notes=(*notes, "no text"))
    return AttachmentText(fold_radicals(text), "docx", None, tuple(notes), not missing, segments)


def _read_notes(package: Package, part: str, reader: _Reader) -> tuple[list[Line], int]:
    """The notes that the text names, each once, and how many of them are not in the file."""
    parts = {kind: target for kind, target in relations(package, part).values() if target in package.parts}
    lines, n_lost = list[Line](), 0
    for reference, (kind, words) in _NOTES.items():
        named = list(dict.fromkeys(number for one, number in reader.named if one == reference))
        root = package.parse(parts[f"{kind}s"]) if named and f"{kind}s" in parts else None
        found = {attribute(node, "id"): node for node in root} if root is not None else {}
        n_lost += sum(number not in found for number in named)
        for note in (found[number] for number in named if number in found):
            read = reader.read_blocks(note)
            if read:
                lines += [Line([words, *read[0].parts]), *read[1:]]
    return lines, n_lost


def _is_taken_out(node: Element, kind: str) -> bool:
    """Whether a run is hidden, or a row or cell deleted with its changes tracked."""
    properties, mark = _TAKEN_OUT.get(kind, ("", ""))
    return any(
        local(found) == mark and attribute(found, "val").lower() not in _OFF
        for child in (node if mark else ())
        if local(child) == properties
        for found in child
    )


def _is_light(colour: str) -> bool:
    """Whether six digits, as `w:color` has them, are as good as white. `auto` is black."""
    try:
        return len(colour) == 6 and min(bytes.fromhex(colour)) >= LIGHT
    except ValueError:
        return False


def _is_speck(run: Element) -> bool:
    """Whether a run is too small to be read, or white on white. White on what may be dark is read by everybody: in a
    shaded cell, in a table with a style of its own, in a box, on a coloured page."""
    properties = {local(child): child for child in _properties(run)}
    size = attribute(properties["sz"], "val") if "sz" in properties else ""
    if size.isdecimal() and int(size) < _LEAST_SIZE:
        return True
    if "color" not in properties or not _is_light(attribute(properties["color"], "val")) or "highlight" in properties:
        return False
    return not any(_may_be_dark(node) for node in (run, *run.iterancestors()))


def _properties(node: Element) -> Iterable[Element]:
    """What an element is like stands in its first child: to look at all, or to count them, would take the square of
    their number."""
    first = next(node.iterchildren(), None)
    return first if first is not None and local(first) == f"{local(node)}Pr" else ()


def _may_be_dark(node: Element) -> bool:
    kind, first = local(node), next(node.iterchildren(), None)
    if kind == "txbxContent" or (kind == "document" and first is not None and local(first) == "background"):
        return True
    return any(
        local(found) == "tblStyle" or (local(found) == "shd" and not _is_bare(found)) for found in _properties(node)
    )


def _is_bare(shading: Element) -> bool:
    fill, pattern = attribute(shading, "fill"), attribute(shading, "val")
    return pattern in ("", "clear", "nil") and (fill in ("", "auto") or _is_light(fill))


class _Reader:
    """Goes through the document in order; each paragraph of the file has its number, from 1."""

    def __init__(self) -> None:
        self.n_paragraphs = self.n_letters = 0
        self.n_pictures = self.n_foreign = self.n_unseen = 0
        self.is_numbered = False
        self.named: list[tuple[str, str]] = []
        """References to notes: which kind, and the number of the note."""

    def read_blocks(self, node: Element) -> list[Line]:
        """Paragraphs and table rows below `node`."""
        lines: list[Line] = []
        for child in node:
            kind = local(child)
            if kind in _SKIPPED or self.n_letters >= _MAX_LETTERS:
                continue
            if kind == "p":
                lines += self._read_paragraph(child)
            elif kind == "tbl":
                lines += self._read_rows(child)
            elif kind == "altChunk":
                self.n_foreign += 1
            else:
                lines += self.read_blocks(child)
        return lines

    def _read_paragraph(self, paragraph: Element) -> list[Line]:
        """Its lines, then those of the text boxes anchored in it."""
        self.n_paragraphs += 1
        builder, boxes = LineBuilder(), list[Line]()
        properties = next((child for child in paragraph if local(child) == "pPr"), None)
        self.is_numbered |= properties is not None and any(local(child) == "numPr" for child in properties)
        self._read_inline(paragraph, builder, boxes, f"paragraph={self.n_paragraphs}", 0)
        builder.end_line()
        return [*builder.lines, *boxes]

    def _read_inline(self, node: Element, builder: LineBuilder, boxes: list[Line], place: str, at: int) -> int:
        """Text pieces, joined by nothing. `at` is where in the paragraph's text we are; returns where we come to."""
        is_unseen = local(node) == "r" and _is_speck(node)  # its letters: a box that hangs on it may be seen
        for child in node:
            kind = local(child)
            if kind == "t" or kind in _LETTERS:
                text = _LETTERS.get(kind) or child.text or ""
                if is_unseen:
                    self.n_unseen += len(text)
                    continue
                if text:
                    builder.add(text, place, base=at)
                at += len(text)
                self.n_letters += len(text)
            elif kind in _BREAKS:
                builder.end_line()
                at += 1
            elif kind == "txbxContent":
                boxes += self.read_blocks(child)
            elif kind not in _SKIPPED and not _is_taken_out(child, kind):
                self.n_pictures += kind in _PICTURES
                if kind in _NOTES:
                    self.named.append((kind, attribute(child, "id")))
                at = self._read_inline(child, builder, boxes, place, at)
        return at

    def _read_rows(self, table: Element) -> list[Line]:
        """Rows of a table, also those inside content controls. A merged cell's text stands once."""
        rows: list[Line] = []
        for child in table:
            kind = local(child)
            if _is_taken_out(child, kind):
                continue
            if kind == "tr":
                cells = self._read_cells(child)
                if any(cell.parts for cell in cells):
                    rows.append(join_cells(cells))
            elif kind not in _SKIPPED:
                rows += self._read_rows(child)
        return rows

    def _read_cells(self, row: Element) -> list[Line]:
        cells: list[Line] = []
        for child in row:
            kind = local(child)
            if _is_taken_out(child, kind):
                continue
            if kind == "tc":
                cells.append(merge_lines(self.read_blocks(child)))
            elif kind not in _SKIPPED:
                cells += self._read_cells(child)
        return cells
