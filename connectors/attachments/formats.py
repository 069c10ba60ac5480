"""What a file is, by its first bytes, and who reads it. In this process: the child of `isolation` calls it."""

from __future__ import annotations

import posixpath
import zlib
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
    b"II+\0": "tiff",
    b"\xff\x4f\xff\x51": "jp2",
}
_BOXED = {b"ftypheic": "heic", b"ftypmif1": "heif", b"ftypavif": "avif", b"jP  \r\n\x87\n": "jp2"}
_PACKED = {b"Rar!": "rar", b"7z\xbc\xaf": "7z"}
_GZIP = b"\x1f\x8b\x08"
_MAX_INSIDE = 64 << 20
"""Bytes of a file that is packed as a whole: no more than one that is not may have."""
_ZIP, _OLE2, _RTF, _CEB = (b"PK\x03\x04", b"PK\x05\x06"), b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"{\\rtf", b"Founder CEB"
_MARKUP = (
    b"<!doctype", b"<html", b"<head", b"<body", b"<script", b"<meta", b"<?xml", b"<!--", b"<title", b"<div", b"<p>",
    b"<h1", b"<h2", b"<h3", b"<center", b"<font", b"<table", b"<br",
)  # fmt: skip
_OFFICE_MARKUP = (
    b"<?mso-application", b"urn:schemas-microsoft-com:office", b"schemas.microsoft.com/office/", b"<w:wordDocument",
)  # fmt: skip
"""What Word and Excel write into the web pages and XML that they save: a document, of a kind that nobody reads here."""


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
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        start = start.replace(b"\0", b"")[2:].lstrip()  # enough to tell what it is
    is_markup = start[:16].lower().startswith(_MARKUP)
    if b"%PDF-" in start and not is_markup:
        from connectors.attachments.pdf import read_pdf

        return read_pdf
    if start.startswith(_ZIP):
        from connectors.attachments.package import read_package

        return read_package
    if start.startswith(_GZIP):
        return lambda packed: _read_packed(packed)
    if start.startswith(_OLE2):
        from connectors.attachments.doc import read_doc

        return read_doc
    raise _name_unread(start)


def _read_packed(body: bytes) -> AttachmentText:
    """A file that its server keeps packed, and says nothing of it."""
    inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        inside = inflater.decompress(body, _MAX_INSIDE)
    except zlib.error as error:
        raise Unreadable("damaged", f"damaged gzip: {error}") from error
    if not inflater.eof:
        if inflater.unconsumed_tail:
            raise Unreadable("too_large", f"unpacks to more than {_MAX_INSIDE} bytes")
        raise Unreadable("damaged", "the end of the gzip is missing")
    if inside.startswith(_GZIP):
        raise Unreadable("unsupported", "gzip in gzip")
    return _choose_reader(inside)(inside)


def _name_unread(start: bytes) -> Unreadable:
    if not start:
        return Unreadable("damaged", "the file is empty")
    if start.startswith(_RTF):
        return Unreadable("needs_reader", "rtf: ask the portal for a docx or PDF, or convert it by hand")
    if start.startswith(_CEB):
        return Unreadable("needs_reader", "ceb (Founder Apabi): ask the portal for a PDF or OFD, or convert it by hand")
    if any(mark in start for mark in _OFFICE_MARKUP) or start[:13].lower() == b"mime-version:":
        return Unreadable("needs_reader", "a document saved as markup: ask the portal for a PDF, or convert it by hand")
    if start[:5].lower() == b"<svg ":
        return Unreadable("needs_ocr", "a picture (svg)")
    if start[:16].lower().startswith(_MARKUP):
        return Unreadable("web_page", "a web page where a document should be")
    if start[:1] in (b"{", b"[") and b'"' in start:
        return Unreadable("web_page", "the answer of a service (JSON) where a document should be")
    if start[4:12] in _BOXED:
        return Unreadable("needs_ocr", f"a picture ({_BOXED[start[4:12]]})")
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return Unreadable("needs_ocr", "a picture (webp)")
    for magic, words in _PICTURES.items():
        if start.startswith(magic):
            return Unreadable("needs_ocr", f"a picture ({words})")
    found = next((words for magic, words in _PACKED.items() if start.startswith(magic)), "unknown format")
    return Unreadable("unsupported", found)
