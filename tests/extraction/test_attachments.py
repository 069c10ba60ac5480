"""Attachments: what a file is, what it says, and that no file raises."""

from __future__ import annotations

import io
import json
import random
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from extraction.attachments import read_attachment
from extraction.pdf_text import fold_radicals

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
MC = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"


def package(parts: dict[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return out.getvalue()


def docx(body: str, part: str = "word/document.xml", more: Mapping[str, str | bytes] = MappingProxyType({})) -> bytes:
    rels = f'<Relationships><Relationship Type="{DOCUMENT}" Target="{part}"/></Relationships>'
    return package({"_rels/.rels": rels, part: f"<w:document {W}{MC}><w:body>{body}</w:body></w:document>", **more})


def run(text: str) -> str:
    return f"<w:r><w:rPr><w:b/></w:rPr><w:t>{text}</w:t></w:r>"


def par(*texts: str) -> str:
    return f"<w:p><w:pPr/>{''.join(map(run, texts))}</w:p>"


def row(*cells: str) -> str:
    return "<w:tr>" + "".join(f"<w:tc><w:tcPr/>{cell}</w:tc>" for cell in cells) + "</w:tr>"


def pdf(pages: list[list[tuple[float, float, float, str]]], image: bool = False) -> bytes:
    """Pages of (x, y, size, text); every letter as wide as it is high."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"",
        b"<</Type/Font/Subtype/Type0/BaseFont/STSong-Light/Encoding/UniGB-UCS2-H/DescendantFonts[4 0 R]>>",
        b"<</Type/Font/Subtype/CIDFontType0/BaseFont/STSong-Light/CIDSystemInfo"
        b"<</Registry(Adobe)/Ordering(GB1)/Supplement 4>>/DW 1000/FontDescriptor 5 0 R>>",
        b"<</Type/FontDescriptor/FontName/STSong-Light/Flags 4/FontBBox[0 -200 1000 900]/ItalicAngle 0/Ascent 880"
        b"/Descent -120/CapHeight 800/StemV 80>>",
        b"<</Type/XObject/Subtype/Image/Width 1/Height 1/ColorSpace/DeviceGray/BitsPerComponent 8/Length 1>>"
        b"stream\nx\nendstream",
    ]
    kids = []
    for page in pages:
        ops = ["q 500 0 0 700 40 60 cm /I Do Q"] if image else []
        ops += [
            f"BT /F {size} Tf 1 0 0 1 {x} {y} Tm <{text.encode('utf-16-be').hex()}> Tj ET" for x, y, size, text in page
        ]
        data = "\n".join(ops).encode()
        kids.append(f"{len(objects) + 1} 0 R")
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F 3 0 R>>/XObject<</I 6 0 R>>>>"
            b"/Contents %d 0 R>>" % (len(objects) + 2)
        )
        objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(data), data))
    objects[1] = f"<</Type/Pages/Kids[{' '.join(kids)}]/Count {len(kids)}>>".encode()
    out, offsets = b"%PDF-1.4\n", []
    for number, data in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj" % number + data + b"endobj\n"
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    return out + b"xref\n0 %d\n0000000000 65535 f \n%strailer<</Size %d/Root 1 0 R>>startxref\n%d\n%%%%EOF" % (
        size, table, size, len(out),
    )  # fmt: skip


def set_lines(texts: list[str], top: float = 760, left: float = 90) -> list[tuple[float, float, float, str]]:
    """Lines of 14 points; a leading ideographic space indents by two letters."""
    return [
        (left + 28 * text.startswith("\u3000"), top - 26 * n, 14, text.strip("\u3000")) for n, text in enumerate(texts)
    ]


def test_docx_paragraphs_and_rows_in_order() -> None:
    table = (
        "<w:tbl><w:tblPr/>"
        + row(par("指标"), par("件数"))
        + row(par("行政复议"), par("12", "0") + par("件"))
        + "</w:tbl>"
    )
    got = read_attachment(docx(par("一、总体情况") + table + par("", "  ") + par("全年260", "余", "份。")), "a.docx")
    assert got.text.split("\n") == ["一、总体情况", "指标 | 件数", "行政复议 | 120 件", "全年260余份。"]
    assert (got.kind, got.n_pages, got.notes) == ("docx", None, ())


def test_docx_text_in_every_wrapping() -> None:
    smart = f"<w:p><w:smartTag><w:smartTag>{run('2023')}</w:smartTag></w:smartTag>{run('年')}</w:p>"
    deleted = "<w:del><w:r><w:delText>97</w:delText></w:r></w:del>"
    inserted = f"<w:p>{run('办结')}<w:ins>{run('98')}</w:ins>{deleted}{run('件')}</w:p>"
    control = f"<w:sdt><w:sdtPr/><w:sdtContent>{par('控件内容')}</w:sdtContent></w:sdt>"
    link = (
        f"<w:p><w:hyperlink>{run('链接')}</w:hyperlink><w:r><w:br/><w:t>换行</w:t><w:tab/><w:t>制表</w:t></w:r></w:p>"
    )
    box = "<w:r><w:pict><w:txbxContent>" + par("文本框") + "</w:txbxContent></w:pict></w:r>"
    choice = f"<mc:Choice>{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback>"
    twice = f"<w:p>{run('正文')}<mc:AlternateContent>{choice}</mc:AlternateContent></w:p>"
    got = read_attachment(docx(smart + inserted + control + link + twice), "a.docx")
    assert got.text.split("\n") == ["2023年", "办结98件", "控件内容", "链接", "换行 制表", "正文", "文本框"]


def test_docx_tables_inside_tables_and_empty_cells() -> None:
    inner = "<w:tbl>" + row(par("内一"), par("内二")) + "</w:tbl>"
    table = "<w:tbl>" + row(par("甲"), par(""), inner + par("")) + row(par(""), par("")) + "</w:tbl>"
    assert read_attachment(docx(table), "a.docx").text == "甲 |  | 内一 | 内二"


def test_docx_whose_main_part_has_another_name() -> None:
    assert read_attachment(docx(par("正文"), part="word/document2.xml"), "a.docx").text == "正文"


def test_docx_notes() -> None:
    numbered = f"<w:p><w:pPr><w:numPr/></w:pPr>{run('第一项')}</w:p>"
    assert read_attachment(docx(numbered), "a.docx").notes == ("automatic numbering is not in the text",)
    scan = read_attachment(docx(par(""), more={"word/media/image1.png": b"x"}), "a.docx")
    assert (scan.kind, scan.text) == ("needs_ocr", "")


def test_the_magic_number_decides_not_the_name() -> None:
    got = read_attachment(docx(par("正文")), "report.pdf")
    assert (got.kind, got.text, got.notes) == ("docx", "正文", ("named .pdf, but is docx",))
    assert read_attachment(pdf([set_lines(["全年共办理行政复议案件一百二十件整"])]), "a.docx").kind == "pdf"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "unsupported"),
        (b"Rar!\x1a\x07\x00", "unsupported"),
        (b"<html><body>404</body></html>", "unsupported"),
        (b"\x89PNG\r\n", "unsupported"),
        (package({"xl/workbook.xml": "<a/>"}), "unsupported"),
        (package({"OFD.xml": "<a/>"}), "unsupported"),
        (b"", "damaged"),
        (docx(par("正文"))[:200], "damaged"),
        (b"%PDF-1.7\nnothing", "damaged"),
        (docx("<w:p>"), "damaged"),
        (docx("<w:p>" * 5000 + "</w:p>" * 5000), "damaged"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_an_outcome(body: bytes, kind: str) -> None:
    got = read_attachment(body, "附件.doc")
    assert (got.kind, got.text) == (kind, "")
    assert got.notes


def test_bombs_are_refused_unopened() -> None:
    started = time.process_time()
    many = package({f"word/{n}.xml": "" for n in range(2500)})
    large = package({"word/document.xml": b" " * (70 << 20)})
    huge = package({f"word/{n}.bin": b"\0" * (60 << 20) for n in range(5)})
    entities = f"<!DOCTYPE a [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><w:document {W}>&b;</w:document>"
    for body in (many, large, huge, package({"word/document.xml": entities})):
        assert read_attachment(body, "a.docx").kind == "damaged"
    assert time.process_time() - started < 10


def test_pdf_lines_become_paragraphs_by_indent() -> None:
    title = [(150.0, 800.0, 20.0, "云溪区法治政府建设情况报告")]
    first = set_lines(
        ["\u3000\u3000全年共办理行政复议案件一百二十件，审结九", "十八件，其中维持六十件，纠错率百分之十二点5",
         "0，同比下降。", "\u3000\u3000二是持续推进行政执法三项制度全面落实到位",
         "各项任务如期完成，各镇街和各部门认真组织实施"],
    )  # fmt: skip
    number = [(290.0, 40.0, 10.0, "- 1 -")]
    second = set_lines(["并按季度公开。", "\u3000\u3000云溪区人民政府办公室负责解释本报告全文。"])
    got = read_attachment(pdf([title + first + number, [*second, (290.0, 40.0, 10.0, "2")]]), "a.pdf")
    assert got.text.split("\n") == [
        "云溪区法治政府建设情况报告",
        "全年共办理行政复议案件一百二十件，审结九十八件，其中维持六十件，纠错率百分之十二点50，同比下降。",
        "二是持续推进行政执法三项制度全面落实到位各项任务如期完成，各镇街和各部门认真组织实施并按季度公开。",
        "云溪区人民政府办公室负责解释本报告全文。",
    ]
    assert (got.kind, got.n_pages, got.notes) == ("pdf", 2, ())


def test_pdf_lines_become_paragraphs_by_fill() -> None:
    lines = [
        "全年共办理行政复议案件一百二十件，审结九十八",
        "件，其中维持六十件。",
        "全年共审查规范性文件三十九件，重大行政决策一",
        "十四件。",
    ]
    got = read_attachment(pdf([set_lines(lines)]), "a.pdf")
    assert got.text.split("\n") == [lines[0] + lines[1], lines[2] + lines[3]]


def test_a_number_in_the_text_is_no_page_number() -> None:
    got = read_attachment(pdf([set_lines(["行政复议案件审结数量统计表如下", "120"], top=500)]), "a.pdf")
    assert "120" in got.text


def test_pdf_radicals_are_folded() -> None:
    assert fold_radicals("⼈⺠法⾏政⻓\uf9e4①２") == "人民法行政长理①２"
    got = read_attachment(pdf([set_lines(["云溪区⼈民政府⾏政复议案件⼀百件整"])]), "a.pdf")
    assert got.text == "云溪区人民政府行政复议案件一百件整"


def test_scanned_pdf_needs_ocr() -> None:
    scan = read_attachment(pdf([[], [(290.0, 40.0, 10.0, "- 2 -")]], image=True), "a.pdf")
    assert (scan.kind, scan.n_pages, scan.notes) == ("needs_ocr", 2, ("2 of 2 pages are pictures",))
    mixed = read_attachment(pdf([set_lines(["全年共办理行政复议案件一百二十件"] * 4), []], image=True), "a.pdf")
    assert (mixed.kind, mixed.notes) == ("pdf", ("1 of 2 pages are pictures",))
    assert read_attachment(pdf([[]]), "a.pdf").kind == "needs_ocr"


def test_broken_files_never_raise() -> None:
    choose = random.Random(7)
    good = [
        docx(par("全年120件") + "<w:tbl>" + row(par("甲")) + "</w:tbl>"),
        pdf([set_lines(["全年共办理行政复议案件"])]),
    ]
    for n in range(300):
        body = bytearray(good[n % 2])
        for _ in range(choose.randint(1, 12)):
            body[choose.randrange(len(body))] = choose.randrange(256)
        read_attachment(bytes(body[: choose.randint(len(body) // 2, len(body))]), "a.docx")


@pytest.mark.corpus
def test_every_attachment_of_the_corpus(corpus: Path) -> None:
    folder = corpus / "portals"
    manifest = [json.loads(line) for line in (folder / "manifest.jsonl").read_text("utf-8").splitlines()]
    files = {row["url"]: folder / row["file"] for row in manifest}
    n_read = 0
    for line in (folder / "expected.jsonl").read_text("utf-8").splitlines():
        expected = json.loads(line)
        if expected.get("attachment_text"):
            url = expected["attachments"][0]
            got = read_attachment(files[url].read_bytes(), url)
            assert got.text.split() == expected["attachment_text"].split(), url
            assert got.text.count("\n") == expected["attachment_text"].count("\n"), url
            n_read += 1
    assert n_read == 10
