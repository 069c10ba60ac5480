"""Files of every kind that is read, made by hand: as small as the formats allow, with invented places."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping, Sequence
from types import MappingProxyType

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
MC = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
NOTHING: Mapping[str, str | bytes] = MappingProxyType({})
SENTENCE = "全年共办理行政复议案件一百二十件整"


def package(parts: Mapping[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return out.getvalue()


# -- docx -------------------------------------------------------------------------------------------------------------


def docx(body: str, part: str = "word/document.xml", more: Mapping[str, str | bytes] = NOTHING) -> bytes:
    rels = f'<Relationships><Relationship Id="r1" Type="{OFFICE}/officeDocument" Target="{part}"/></Relationships>'
    return package({"_rels/.rels": rels, part: f"<w:document {W}{MC}><w:body>{body}</w:body></w:document>", **more})


def run(text: str) -> str:
    return f"<w:r><w:rPr><w:b/></w:rPr><w:t>{text}</w:t></w:r>"


def par(*texts: str) -> str:
    return f"<w:p><w:pPr/>{''.join(map(run, texts))}</w:p>"


def row(*cells: str) -> str:
    return "<w:tr>" + "".join(f"<w:tc><w:tcPr/>{cell}</w:tc>" for cell in cells) + "</w:tr>"


# -- PDF --------------------------------------------------------------------------------------------------------------

Text = tuple[float, float, float, str]
"""x, y, size, text; every letter as wide as it is high."""


def pdf(
    pages: Sequence[Sequence[Text]], *, image: bool = False, drawn: str = "", entries: str = "", trailer: str = ""
) -> bytes:
    """`drawn`: operators on each page before its text; `entries`: more of each page's dictionary."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"",
        b"<</Type/Font/Subtype/Type0/BaseFont/STSong-Light/Encoding/UniGB-UCS2-H/DescendantFonts[4 0 R]>>",
        b"<</Type/Font/Subtype/CIDFontType0/BaseFont/STSong-Light/CIDSystemInfo"
        b"<</Registry(Adobe)/Ordering(GB1)/Supplement 4>>/DW 1000/FontDescriptor 5 0 R>>",
        b"<</Type/FontDescriptor/FontName/STSong-Light/Flags 4/FontBBox[0 -200 1000 900]/ItalicAngle 0/Ascent 880"
        b"/Descent -120/CapHeight 800/StemV 80>>",
        stream(b"x", "/Type/XObject/Subtype/Image/Width 1/Height 1/ColorSpace/DeviceGray/BitsPerComponent 8"),
    ]
    kids = []
    for page in pages:
        ops = [drawn, "q 500 0 0 700 40 60 cm /I Do Q" if image else ""]
        ops += [
            f"BT /F {size} Tf 1 0 0 1 {x} {y} Tm <{text.encode('utf-16-be').hex()}> Tj ET" for x, y, size, text in page
        ]
        kids.append(f"{len(objects) + 1} 0 R")
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F 3 0 R>>/XObject<</I 6 0 R>>>>"
            b"/Contents %d 0 R%s>>" % (len(objects) + 2, entries.encode())
        )
        objects.append(stream("\n".join(ops).encode()))
    objects[1] = f"<</Type/Pages/Kids[{' '.join(kids)}]/Count {len(kids)}>>".encode()
    return assemble(objects, trailer)


def stream(data: bytes, entries: str = "") -> bytes:
    return b"<<%s/Length %d>>stream\n%s\nendstream" % (entries.encode(), len(data), data)


def assemble(objects: Sequence[bytes], trailer: str = "") -> bytes:
    """A PDF of these objects, the first one its catalogue."""
    out, offsets = b"%PDF-1.4\n", []
    for number, data in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj" % number + data + b"endobj\n"
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    return out + b"xref\n0 %d\n0000000000 65535 f \n%strailer<</Size %d/Root 1 0 R%s>>startxref\n%d\n%%%%EOF" % (
        size, table, size, trailer.encode(), len(out),
    )  # fmt: skip


def set_lines(texts: Sequence[str], top: float = 760, left: float = 90) -> list[Text]:
    """Lines of 14 points; a leading ideographic space indents by two letters."""
    return [
        (left + 28 * text.startswith("\u3000"), top - 26 * n, 14, text.strip("\u3000")) for n, text in enumerate(texts)
    ]


def draw(*lines: tuple[float, float, float, float]) -> str:
    return "\n".join(f"{x0} {y0} m {x1} {y1} l S" for x0, y0, x1, y1 in lines)


def draw_grid(xs: Sequence[float], ys: Sequence[float]) -> str:
    return draw(*((xs[0], y, xs[-1], y) for y in ys), *((x, ys[0], x, ys[-1]) for x in xs))


def set_cells(rows: Sequence[Sequence[str]], xs: Sequence[float], top: float, high: float = 30) -> list[Text]:
    """Rows of cells, each a little right of and below its corner; empty cells have no text."""
    return [
        (xs[column] + 4, top - high * n - 20, 12, text)
        for n, cells in enumerate(rows)
        for column, text in enumerate(cells)
        if text
    ]


# -- OFD --------------------------------------------------------------------------------------------------------------

OFD = 'xmlns:ofd="http://www.ofdspec.org/2016"'


def ofd(pages: Mapping[str, str], order: Sequence[str] = (), more: Mapping[str, str | bytes] = NOTHING) -> bytes:
    """`pages`: folder to the objects of its layer; `order`: the folders as the document lists them."""
    listed = "".join(f'<ofd:Page ID="{n}" BaseLoc="{name}/Content.xml"/>' for n, name in enumerate(order or pages, 1))
    document = (
        f"<ofd:Document {OFD}><ofd:CommonData><ofd:PageArea><ofd:PhysicalBox>0 0 210 297</ofd:PhysicalBox>"
        f"</ofd:PageArea></ofd:CommonData><ofd:Pages>{listed}</ofd:Pages></ofd:Document>"
    )
    root = f"<ofd:OFD {OFD}><ofd:DocBody><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>"
    contents = {
        f"Doc_0/{name}/Content.xml": f"<ofd:Page {OFD}><ofd:Content><ofd:Layer>{objects}</ofd:Layer></ofd:Content>"
        "</ofd:Page>"
        for name, objects in pages.items()
    }
    return package({"OFD.xml": root, "Doc_0/Document.xml": document, **contents, **more})


def text_object(x: float, y: float, text: str, size: float = 5, steps: str | None = None) -> str:
    """Text whose first letter has its lower left corner at x, y (millimetres from the upper left)."""
    deltas = f"g {len(text) - 1} {size}" if steps is None else steps
    return (
        f'<ofd:TextObject ID="1" Boundary="{x} {y - size} 200 {size}" Size="{size}">'
        f'<ofd:TextCode X="0" Y="{size}" DeltaX="{deltas}">{text}</ofd:TextCode></ofd:TextObject>'
    )


def path_object(*lines: tuple[float, float, float, float]) -> str:
    data = " ".join(f"M {x0} {y0} L {x1} {y1}" for x0, y0, x1, y1 in lines)
    data = f"<ofd:AbbreviatedData>{data}</ofd:AbbreviatedData>"
    return f'<ofd:PathObject ID="2" Boundary="0 0 210 297">{data}</ofd:PathObject>'


# -- doc --------------------------------------------------------------------------------------------------------------

_SECTOR = 512


def compound(streams: Mapping[str, bytes]) -> bytes:
    """A compound file; every stream is padded to the 4,096 bytes from which it has sectors of its own."""
    sectors: list[bytes] = []
    chain: list[int] = []
    entries = [_entry("Root Entry", 5, 0xFFFFFFFE, 0)]
    for name, data in streams.items():
        data = data.ljust(4096, b"\0")
        first, count = len(sectors), -(-len(data) // _SECTOR)
        sectors += [data[at : at + _SECTOR].ljust(_SECTOR, b"\0") for at in range(0, len(data), _SECTOR)]
        chain += [*range(first + 1, first + count), 0xFFFFFFFE]
        entries.append(_entry(name, 2, first, len(data)))
    directory = b"".join(entries)
    directory = directory.ljust(-(-len(directory) // _SECTOR) * _SECTOR, b"\0")
    start = len(sectors)
    sectors += [directory[at : at + _SECTOR] for at in range(0, len(directory), _SECTOR)]
    chain += [*range(start + 1, len(sectors)), 0xFFFFFFFE]
    n_fat = -(-(len(sectors) + 1) // 127)
    fat = [*chain, *[0xFFFFFFFD] * n_fat]
    fat += [0xFFFFFFFF] * (n_fat * 128 - len(fat))
    places = [*range(len(sectors), len(sectors) + n_fat)]
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16 + struct.pack("<5H", 0x3E, 3, 0xFFFE, 9, 6) + b"\0" * 10
    header += struct.pack("<8I", n_fat, start, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    header += struct.pack("<109I", *(places + [0xFFFFFFFF] * (109 - n_fat)))
    return header + b"".join(sectors) + struct.pack(f"<{len(fat)}I", *fat)


def _entry(name: str, kind: int, start: int, size: int) -> bytes:
    encoded = name.encode("utf-16-le")
    head = encoded.ljust(64, b"\0") + struct.pack("<HBB", len(encoded) + 2, kind, 1) + b"\xff" * 12
    return head + b"\0" * 36 + struct.pack("<IQ", start, size)


def doc(
    pieces: Sequence[str | bytes],
    *,
    deleted: str = "",
    inside: str = "",
    flags: int = 0x0200,
    version: int = 0x00C1,
    lengths: Sequence[int] = (),
) -> bytes:
    """A Word 97 document of pieces (bytes: one byte a letter). `lengths`: of its texts, where it is not one.

    Rows of tables end with a `\\x07` of their own after a cell's `\\x07`; what stands between them is a cell, and so
    are paragraphs that hold `inside`. `deleted`: text that carries a mark of deletion."""
    main = bytearray(_SECTOR * 4)  # the header, then two pages of runs, then text
    bounds, places, length = [0], [], 0
    for piece in pieces:
        encoded = piece if isinstance(piece, bytes) else piece.encode("utf-16-le")
        places.append(2 * len(main) | 0x40000000 if isinstance(piece, bytes) else len(main))
        main += encoded + b"\0" * (len(encoded) % 2)
        length += len(piece) if isinstance(piece, bytes) else len(encoded) // 2
        bounds.append(length)
    text, start = "".join(p.decode("cp1252") if isinstance(p, bytes) else p for p in pieces), 4 * _SECTOR
    plcf = struct.pack(f"<{len(bounds)}I", *bounds) + b"".join(struct.pack("<HIH", 0, at, 0) for at in places)
    pieces_at = b"\x01\x02\x00\x00\x00\x02" + struct.pack("<I", len(plcf)) + plcf
    at = text.find(deleted) if deleted else 0
    runs = [(start, b""), (start + 2 * at, b"\x00\x08\x01" if deleted else b""), (start + 2 * (at + len(deleted)), b"")]
    main[_SECTOR * 2 : _SECTOR * 3] = _page_of_runs(runs, len(main), is_paragraphs=False)
    main[_SECTOR * 3 : _SECTOR * 4] = _page_of_runs(_paragraphs(text, start, inside), len(main), is_paragraphs=True)
    characters, paragraphs = (struct.pack("<III", start, len(main), page) for page in (2, 3))
    table = characters + paragraphs + pieces_at
    struct.pack_into("<HH", main, 0, 0xA5EC, version)
    struct.pack_into("<H", main, 10, flags)
    lengths = lengths or (length,)
    struct.pack_into(f"<{len(lengths)}I", main, 0x4C, *lengths)
    struct.pack_into("<IIII", main, 0xFA, 0, 12, 12, 12)
    struct.pack_into("<II", main, 0x1A2, 24, len(pieces_at))
    return compound({"WordDocument": bytes(main), "1Table": table})


def _paragraphs(text: str, start: int, inside: str) -> list[tuple[int, bytes]]:
    runs, begin, before = list[tuple[int, bytes]](), 0, ""
    for at, char in enumerate(text):
        if char in "\r\x07":
            is_row_end = char == "\x07" and before == "\x07" and begin == at
            is_cell = char == "\x07" or (inside and inside in text[begin:at])
            properties = (b"\x16\x24\x01" if is_cell else b"") + (b"\x17\x24\x01" if is_row_end else b"")
            runs.append((start + 2 * begin, properties))
            begin, before = at + 1, char
    return runs


def _page_of_runs(runs: Sequence[tuple[int, bytes]], end: int, *, is_paragraphs: bool) -> bytes:
    page, step = bytearray(_SECTOR), 13 if is_paragraphs else 1
    struct.pack_into(f"<{len(runs) + 1}I", page, 0, *(place for place, _ in runs), end)
    at = 510
    for n, (_, properties) in enumerate(runs):
        if properties:
            data = properties if len(properties) % 2 or not is_paragraphs else properties + b"\0"
            body = bytes([(len(data) + 3) // 2]) + b"\0\0" + data if is_paragraphs else bytes([len(data)]) + data
            at = (at - len(body)) // 2 * 2
            page[at : at + len(body)] = body
            page[4 * (len(runs) + 1) + step * n] = at // 2
    page[511] = len(runs)
    return bytes(page)
