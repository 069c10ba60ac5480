"""The one font that PDFium is given: each letter of it is a box.

PDFium drops a piece of text that has no width, and the width is that of the shapes. Where a PDF leaves its Chinese font
to the reader's machine (STSong-Light, SimSun) and the machine has none, single letters and upright lines are gone: what
is read would depend on the machine. With this font all machines read the same, and none searches its font folders.
Fonts inside the PDF, and the fourteen that PDFium brings, stay what they are.
"""

from __future__ import annotations

import struct
from ctypes import byref, memmove
from typing import Any

import pypdfium2.raw as pdfium_c

_EM, _LOW, _HIGH = 1000, -120, 880
_HAN_CHARSETS = (1, 128, 129, 134, 136)
"""Not stated, and the charsets of Japan, Korea, mainland China and Taiwan (fpdf_sysfontinfo.h)."""


def build_font() -> bytes:
    """A TrueType font of two glyphs, both a box; every code point has the second (cmap format 13)."""
    box = struct.pack(">5h", 1, 0, _LOW, _EM, _HIGH) + struct.pack(">HH4B", 3, 0, 1, 1, 1, 1)
    box += struct.pack(">4h4h", 0, _EM, 0, -_EM, _LOW, 0, _HIGH - _LOW, 0)
    box += b"\0" * (-len(box) % 4)
    group = struct.pack(">3I", 0x20, 0x10FFFF, 1)
    tables = {
        b"cmap": struct.pack(">HHHHI", 0, 1, 3, 10, 12) + struct.pack(">HHIII", 13, 0, 16 + len(group), 0, 1) + group,
        b"glyf": box * 2,
        b"head": struct.pack(
            ">IIIIHHQQ4hHHhhh", 0x10000, 0x10000, 0, 0x5F0F3CF5, 0, _EM, 0, 0, 0, _LOW, _EM, _HIGH, 0, 8, 2, 1, 0
        ),
        b"hhea": struct.pack(">I3hH11hH", 0x10000, _HIGH, _LOW, 0, _EM, 0, 0, _EM, 1, 0, 0, 0, 0, 0, 0, 0, 2),
        b"hmtx": struct.pack(">HhHh", _EM, 0, _EM, 0),
        b"loca": struct.pack(">3I", 0, len(box), 2 * len(box)),
        b"maxp": struct.pack(">I14H", 0x10000, 2, 4, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0),
    }
    out, at = struct.pack(">I4H", 0x10000, len(tables), 64, 2, 48), 12 + 16 * len(tables)
    for name, data in tables.items():
        out += struct.pack(">4sIII", name, 0, at, len(data))
        at += len(data) + -len(data) % 4
    return out + b"".join(data + b"\0" * (-len(data) % 4) for data in tables.values())


_DATA = build_font()


def _map_font(_info: Any, _weight: int, _italic: int, charset: int, _pitch: int, _face: Any, _exact: Any) -> int | None:
    return 1 if charset in _HAN_CHARSETS else None


def _get_data(_info: Any, _font: int, table: int, buffer: Any, size: int) -> int:
    """The whole font is table 0; PDFium reads the others itself. Without room, only how much is needed."""
    return _fill(buffer, size, b"" if table else _DATA)


def _get_name(_info: Any, _font: int, buffer: Any, size: int) -> int:
    return _fill(buffer, size, b"Box\0")


def _fill(buffer: Any, size: int, data: bytes) -> int:
    if buffer and size >= len(data):
        memmove(buffer, data, len(data))
    return len(data)


def _build_info() -> pdfium_c.FPDF_SYSFONTINFO:
    wanted = {
        "Release": lambda _info: None,
        "EnumFonts": lambda _info, _mapper: None,
        "MapFont": _map_font,
        "GetFont": lambda _info, _face: None,
        "GetFontData": _get_data,
        "GetFaceName": _get_name,
        "GetFontCharset": lambda _info, _font: 134,
        "DeleteFont": lambda _info, _font: None,
    }
    info = pdfium_c.FPDF_SYSFONTINFO(version=1)
    for name, kind in pdfium_c.FPDF_SYSFONTINFO._fields_:
        if name in wanted:
            setattr(info, name, kind(wanted[name]))
    return info


_INFO = _build_info()
"""PDFium keeps the address: it must live as long as the process."""


def install() -> None:
    """For every PDF that this process opens from now on."""
    pdfium_c.FPDF_SetSystemFontInfo(byref(_INFO))
