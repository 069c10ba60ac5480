"""Attached reports as files: .docx by python-docx, .pdf written by hand. Same text, same bytes."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime

import docx

from sandbox.model import Attachment

CONTENT_TYPES = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
}
_EPOCH = (2025, 1, 1, 0, 0, 0)
_PER_LINE = 36
_PER_PAGE = 34


def render_attachment(attachment: Attachment) -> bytes:
    return _render_docx(attachment.text) if attachment.kind == "docx" else render_pdf(attachment.text)


def _render_docx(text: str) -> bytes:
    """python-docx stamps the time of writing into the file and its ZIP entries: both are set to a fixed day."""
    document = docx.Document()
    document.core_properties.created = document.core_properties.modified = datetime(*_EPOCH)
    for line in text.splitlines():
        document.add_paragraph(line)
    raw = io.BytesIO()
    document.save(raw)
    out = io.BytesIO()
    with zipfile.ZipFile(raw) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in sorted(source.namelist(), key=lambda name: (name != "[Content_Types].xml", name)):
            target.writestr(zipfile.ZipInfo(name, _EPOCH), source.read(name), zipfile.ZIP_DEFLATED)
    return out.getvalue()


def render_pdf(text: str, *, drawn: str = "", copies: int = 1) -> bytes:
    """Text only, in a font that the reader supplies (Adobe-GB1), so nothing is embedded. `drawn`: operators on each
    page before its text; `copies`: how often the file lists its pages."""
    rows: list[str] = []
    for line in text.splitlines():
        rows += [line[i : i + _PER_LINE] for i in range(0, len(line), _PER_LINE)]
    pages = [rows[i : i + _PER_PAGE] for i in range(0, len(rows), _PER_PAGE)]
    first = 5
    kids = " ".join(f"{first + 2 * i} 0 R" for _ in range(copies) for i in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Count {copies * len(pages)} /Kids [{kids}] >>",
        "<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H /DescendantFonts [4 0 R] >>",
        "<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /DW 1000 "
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 2 >> "
        "/FontDescriptor << /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [-25 -254 1000 880] "
        "/ItalicAngle 0 /Ascent 752 /Descent -271 /CapHeight 737 /StemV 58 >> >>",
    ]
    for i, page in enumerate(pages):
        shown = "\n".join(f"<{row.encode('utf-16-be').hex()}> Tj T*" for row in page)
        stream = f"{drawn}BT /F1 13 Tf 20 TL 60 770 Td\n{shown}\nET"
        objects.append(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] "
            f"/Resources << /Font << /F1 3 0 R >> >> /Contents {first + 2 * i + 1} 0 R >>"
        )
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    return _assemble(objects)


def _assemble(objects: list[str]) -> bytes:
    out = b"%PDF-1.4\n"
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{content}\nendobj\n".encode("ascii")
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    end = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
    end += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF\n"
    return out + end.encode("ascii")
