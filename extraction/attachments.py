"""Attached documents to text: what a file is decides its magic number, never its name.

A file that cannot be read is an outcome (`unsupported`, `needs_ocr`, `damaged`), not an error: portals attach
scans, archives and broken uploads every day.

docx is read from its XML, not through python-docx, whose paragraph text leaves out what stands in smart tags,
content controls and tracked insertions: numbers and dates, mostly.
"""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from lxml import etree

from extraction.pdf_text import fold_radicals, read_pdf

Kind = Literal["docx", "pdf", "unsupported", "needs_ocr", "damaged"]

_MAX_ENTRIES = 2_000
_MAX_UNPACKED = 256 << 20
"""Bytes of all entries together; the largest real report with photographs stays below 100 MiB."""
_MAX_DOCUMENT = 64 << 20
_ZIP, _OLE2, _RAR, _RTF = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"Rar!", b"{\\rtf"
_FORMATS = {
    _ZIP: "zip",
    _OLE2: "ole2 (doc, xls, wps)",
    _RAR: "rar",
    _RTF: "rtf",
    b"<": "html or xml",
    b"7z\xbc\xaf": "7z",
}
_SKIPPED = frozenset({"del", "moveFrom", "Fallback", "instrText", "delText", "rPr", "pPr", "sectPr"})
_BREAKS = {"br": "\n", "cr": "\n", "tab": " ", "ptab": " ", "noBreakHyphen": "-"}
_BAD_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)
_MAIN_PART = "officeDocument"


@dataclass(frozen=True, slots=True)
class AttachmentText:
    """What an attachment says."""

    text: str
    """Paragraphs and table rows as lines, cells joined by ` | `."""
    kind: Kind
    n_pages: int | None = None
    """Pages of a PDF; a docx does not know its own."""
    notes: tuple[str, ...] = ()
    """Why there is no text, or what may be missing from it."""


def read_attachment(body: bytes, name: str) -> AttachmentText:
    """The text of a docx or PDF. Never raises for what is in the file; `name` is only compared with the finding."""
    start = body[:1024].lstrip()
    if b"%PDF-" in start:
        pdf = read_pdf(body)
        return AttachmentText(pdf.text, pdf.kind, pdf.n_pages, (*pdf.notes, *_compare_name(name, "pdf")))
    if start.startswith(_ZIP):
        return _read_zip(body, name)
    if not body:
        return AttachmentText("", "damaged", notes=("the file is empty",))
    found = next((words for magic, words in _FORMATS.items() if start.startswith(magic)), "unknown format")
    return AttachmentText("", "unsupported", notes=(found,))


def _compare_name(name: str, kind: str) -> tuple[str, ...]:
    extension = posixpath.splitext(name)[1].lower().lstrip(".")
    return (f"named .{extension}, but is {kind}",) if extension and extension != kind else ()


def _read_zip(body: bytes, name: str) -> AttachmentText:
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            entries = archive.infolist()
            if len(entries) > _MAX_ENTRIES or sum(entry.file_size for entry in entries) > _MAX_UNPACKED:
                return AttachmentText("", "damaged", notes=("unpacks to more than a document may hold",))
            part = _find_main_part(archive)
            if part is None:
                return AttachmentText("", "unsupported", notes=("a zip file, but no Word document",))
            root = _parse_xml(archive, part)
    except _BAD_ZIP as error:
        return AttachmentText("", "damaged", notes=(f"damaged zip: {error}",))
    except etree.XMLSyntaxError as error:
        return AttachmentText("", "damaged", notes=(f"damaged XML: {error}",))
    notes = list(_compare_name(name, "docx"))
    if any(_local(node) == "numPr" for node in root.iter(etree.Element)):
        notes.append("automatic numbering is not in the text")
    text = fold_radicals("\n".join(_tidy(_read_blocks(root))))
    if not text:
        has_images = any(entry.filename.startswith("word/media/") for entry in entries)
        return AttachmentText("", "needs_ocr" if has_images else "docx", notes=(*notes, "no text"))
    return AttachmentText(text, "docx", notes=tuple(notes))


def _find_main_part(archive: zipfile.ZipFile) -> str | None:
    """The part that the package names as its document, when it is one of Word's."""
    names = set(archive.namelist())
    if "_rels/.rels" in names:
        for node in _parse_xml(archive, "_rels/.rels"):
            if str(node.get("Type", "")).endswith(f"/{_MAIN_PART}"):
                target = str(node.get("Target", "")).lstrip("/")
                return target if target in names and target.startswith("word/") else None
    return "word/document.xml" if "word/document.xml" in names else None


def _parse_xml(archive: zipfile.ZipFile, part: str) -> etree._Element:
    """One part, without entities, DTD or network. Raises XMLSyntaxError, or ValueError for what is refused."""
    if archive.getinfo(part).file_size > _MAX_DOCUMENT:
        raise ValueError(f"{part} is larger than {_MAX_DOCUMENT} bytes")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    data = archive.read(part)
    if b"<!DOCTYPE" in data:
        raise ValueError(f"{part} holds a DTD")
    return etree.fromstring(data, parser)


def _local(node: etree._Element) -> str:
    """The name without its namespace: transitional and strict files differ in nothing else here."""
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""


def _read_blocks(node: etree._Element) -> Iterator[str]:
    """Paragraphs and table rows below `node`, in document order."""
    for child in node:
        kind = _local(child)
        if kind in _SKIPPED:
            continue
        if kind == "p":
            boxes: list[str] = []
            yield "".join(_read_inline(child, boxes))
            yield from boxes
        elif kind == "tbl":
            yield from _read_rows(child)
        else:
            yield from _read_blocks(child)


def _read_inline(node: etree._Element, boxes: list[str]) -> Iterator[str]:
    """The pieces of a paragraph, joined by nothing; text boxes anchored in it go to `boxes`."""
    for child in node:
        kind = _local(child)
        if kind == "t":
            yield child.text or ""
        elif kind in _BREAKS:
            yield _BREAKS[kind]
        elif kind == "txbxContent":
            boxes.extend(_read_blocks(child))
        elif kind not in _SKIPPED:
            yield from _read_inline(child, boxes)


def _read_rows(table: etree._Element) -> Iterator[str]:
    """Rows of a table, also those inside content controls. A merged cell's text stands once."""
    for child in table:
        kind = _local(child)
        if kind == "tr":
            cells = list(_read_cells(child))
            if any(cells):
                yield " | ".join(cells)
        elif kind not in _SKIPPED:
            yield from _read_rows(child)


def _read_cells(row: etree._Element) -> Iterator[str]:
    for child in row:
        kind = _local(child)
        if kind == "tc":
            yield " ".join(" ".join(_tidy(_read_blocks(child))).split())
        elif kind not in _SKIPPED and kind not in ("trPr", "tblPrEx"):
            yield from _read_cells(child)


def _tidy(blocks: Iterator[str]) -> Iterator[str]:
    """Lines without the white space around them; empty ones go."""
    for block in blocks:
        for line in block.split("\n"):
            if line := line.strip():
                yield line
