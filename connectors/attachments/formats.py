"""What a file is, by its first bytes, and who reads it. In this process: the child of `isolation` calls it."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import replace

from connectors.attachments.result import AttachmentText, Kind, Unreadable

_NAMES: dict[str, tuple[Kind, ...]] = {
    "pdf": ("pdf",),
    "ofd": ("ofd",),
    "docx": ("docx",),
    "doc": ("doc",),
    "wps": ("doc", "docx"),
    "xlsx": ("xlsx",),
    "xls": (),
    "et": ("xlsx",),
}
"""What a file of that name should be. Other endings promise nothing."""
_READ: tuple[Kind, ...] = ("docx", "doc", "pdf", "ofd", "xlsx")
_HEAD = 1024
"""Bytes in which a PDF may begin (ISO 32000, annex H)."""
_PICTURES = {
    b"\x89PNG\r\n": "png",
    b"\xff\xd8\xff": "jpeg",
    b"GIF8": "gif",
    b"BM": "bmp",
    b"II*\0": "tiff",
    b"MM\0*": "tiff",
}
_PACKED = {b"Rar!": "rar", b"7z\xbc\xaf": "7z", b"\x1f\x8b": "gzip"}
_ZIP, _OLE2, _RTF, _CEB = (b"PK\x03\x04", b"PK\x05\x06"), b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"{\\rtf", b"Founder CEB"
_MARKUP = (b"<!doctype", b"<html", b"<head", b"<body", b"<script", b"<meta", b"<?xml", b"<!--")


def read_bytes(body: bytes, name: str) -> AttachmentText:
    """The text of any file. Raises MemoryError, and whatever a hostile file makes a reader raise: call it isolated."""
    try:
        found = _choose_reader(body)(body)
    except Unreadable as error:
        return AttachmentText("", error.kind, notes=(error.note,))
    extension = posixpath.splitext(name)[1].lower().lstrip(".")
    if extension in _NAMES and found.kind in _READ and found.kind not in _NAMES[extension]:
        return replace(found, notes=(*found.notes, f"named .{extension}, but is {found.kind}"))
    return found


def _choose_reader(body: bytes) -> Callable[[bytes], AttachmentText]:
    """Readers are imported when they are needed: PDFium alone takes 25 ms. Raises Unreadable for other formats."""
    start = body[:_HEAD].lstrip(b"\xef\xbb\xbf \t\r\n")
    if b"%PDF-" in start:
        from connectors.attachments.pdf import read_pdf

        return read_pdf
    if start.startswith(_ZIP):
        from connectors.attachments.package import read_package

        return read_package
    if start.startswith(_OLE2):
        from connectors.attachments.doc import read_doc

        return read_doc
    raise _name_unread(start)


def _name_unread(start: bytes) -> Unreadable:
    if not start:
        return Unreadable("damaged", "the file is empty")
    if start.startswith(_RTF):
        return Unreadable("needs_reader", "rtf: ask the portal for a docx or PDF, or convert it by hand")
    if start.startswith(_CEB):
        return Unreadable("needs_reader", "ceb (Founder Apabi): ask the portal for a PDF or OFD, or convert it by hand")
    if start[:16].lower().startswith(_MARKUP):
        return Unreadable("web_page", "a web page where a document should be")
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return Unreadable("needs_ocr", "a picture (webp)")
    for magic, words in _PICTURES.items():
        if start.startswith(magic):
            return Unreadable("needs_ocr", f"a picture ({words})")
    found = next((words for magic, words in _PACKED.items() if start.startswith(magic)), "unknown format")
    return Unreadable("unsupported", found)
