"""OFD, spreadsheets and Word documents of before 2007: what they say, and where it stands."""

from __future__ import annotations

import datetime
import io
from collections.abc import Callable

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from connectors.attachments.formats import read_bytes
from extraction.textmap import find_source
from tests.connectors.attachment_files import OFD, compound, doc, docx, ofd, package, par, text_object

LINES = ["云溪区法治政府建设情况报告，全年办理行政复议案件一百", "二十件，审结九十八件。"]


def page(*texts: str) -> str:
    return "".join(text_object(25, 40 + 9 * n, text) for n, text in enumerate(texts))


# -- OFD --------------------------------------------------------------------------------------------------------------


def test_the_pages_of_an_ofd_come_in_the_stated_order() -> None:
    body = ofd(
        {"Pages/Page_1": page("后一页：⾏政许可五十件"), "Pages/Page_0": page(*LINES)}, ["Pages/Page_0", "Pages/Page_1"]
    )
    got = read_bytes(body, "报告.ofd")
    assert (got.kind, got.n_pages, got.notes) == ("ofd", 2, ())
    assert got.text.split("\n") == ["".join(LINES), "后一页：行政许可五十件"]
    assert find_source(got.segments, got.text.index("五十件")) == ("page=2", 8)


def test_letters_of_an_ofd_in_any_number_of_objects() -> None:
    """One letter an object, codes that go on where the one before stood, steps written out, blocks in blocks."""
    single = "".join(text_object(25 + 5 * n, 40, letter) for n, letter in enumerate("审查合同"))
    codes = (
        '<ofd:PageBlock><ofd:TextObject ID="9" Boundary="25 50 100 10" Size="5"><ofd:TextCode X="0" Y="5" DeltaX="5 5">'
        '二百一</ofd:TextCode><ofd:TextCode X="15" DeltaX="g 9 5">十件</ofd:TextCode></ofd:TextObject></ofd:PageBlock>'
    )
    scaled = (
        '<ofd:TextObject ID="9" Boundary="25 70 100 10" CTM="5 0 0 5 0 0" Size="1"><ofd:TextCode X="0" Y="1" '
        'DeltaX="1 1">共三份</ofd:TextCode></ofd:TextObject>'
    )
    got = read_bytes(ofd({"P": single + codes + scaled}), "a.ofd")
    assert got.text.replace("\n", "") == "审查合同二百一十件共三份"


def test_a_template_of_an_ofd_is_read_once() -> None:
    def content(objects: str) -> str:
        return f"<ofd:Page {OFD}>{use}<ofd:Content><ofd:Layer>{objects}</ofd:Layer></ofd:Content></ofd:Page>"

    use = ""
    template = content(page("云溪区统计年报"))
    use = '<ofd:Template TemplateID="7"/>'
    document = (
        f'<ofd:Document {OFD}><ofd:CommonData><ofd:TemplatePage ID="7" BaseLoc="Tpls/T0.xml"/></ofd:CommonData>'
        '<ofd:Pages><ofd:Page ID="1" BaseLoc="/Doc_0/A/Content.xml"/><ofd:Page ID="2" BaseLoc="B/Content.xml"/>'
        "</ofd:Pages></ofd:Document>"
    )
    pages = {f"Doc_0/{name}/Content.xml": content(text_object(25, 70, f"{name}表")) for name in "AB"}
    got = read_bytes(ofd({}, more={}), "a.ofd")
    assert got.kind == "damaged", "an OFD without a page"
    root = f"<ofd:OFD {OFD}><ofd:DocBody><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>"
    parts = {"OFD.xml": root, "Doc_0/Document.xml": document, "Doc_0/Tpls/T0.xml": template}
    got = read_bytes(package({**parts, **pages}), "a.ofd")
    assert got.text.split("\n") == ["云溪区统计年报", "A表", "B表"]


def test_outcomes_of_an_ofd() -> None:
    scan = read_bytes(ofd({"P": '<ofd:ImageObject ID="3" Boundary="0 0 210 297" ResourceID="4"/>'}), "a.ofd")
    assert (scan.kind, scan.text, scan.notes) == ("needs_ocr", "", ("1 of 1 pages are pictures",))
    locked = f"<ofd:OFD {OFD}><ofd:DocBody/><ofd:Encryptions>Encryptions.xml</ofd:Encryptions></ofd:OFD>"
    assert read_bytes(package({"OFD.xml": locked}), "a.ofd").kind == "encrypted"
    lost = f"<ofd:OFD {OFD}><ofd:DocBody><ofd:DocRoot>../../etc/passwd</ofd:DocRoot></ofd:DocBody></ofd:OFD>"
    assert read_bytes(package({"OFD.xml": lost}), "a.ofd").kind == "damaged"
    part = read_bytes(ofd({"P": page(*LINES)}, ["P", "gone"]), "a.ofd")
    assert (part.kind, part.n_pages, part.notes) == ("ofd", 2, ("page 2 is not in the file",))


def test_numbers_of_an_ofd_that_are_none() -> None:
    odd = page(*LINES).replace('X="0"', 'X="NaN"').replace('Size="5"', 'Size="1e999"').replace("g 25 5", "g 1e9 x")
    assert "审结九十八件" in read_bytes(ofd({"P": odd}), "a.ofd").text.replace("\n", "")


# -- spreadsheets -----------------------------------------------------------------------------------------------------


def workbook(fill: Callable[[Worksheet], None], more: Callable[[openpyxl.Workbook], None] = lambda book: None) -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    assert book.active is not None
    fill(book.active)
    more(book)
    book.save(out)
    return out.getvalue()


def test_a_spreadsheet_as_it_is_shown() -> None:
    def fill(sheet: Worksheet) -> None:
        sheet.append(["云溪区行政执法统计表"])
        sheet.merge_cells("A1:D1")
        sheet.append(["类别", "件数", "占比", "截止"])
        sheet.append(["⾏政许可", 725, 0.375, datetime.date(2024, 12, 31)])
        sheet.append(["行政处罚\n（含简易）", 1208.5, 0.1 + 0.2, None])
        sheet["XFD9"] = None
        sheet["C3"].number_format = "0.0%"

    got = read_bytes(workbook(fill), "统计表.xlsx")
    assert (got.kind, got.notes) == ("xlsx", ())
    assert got.text.split("\n") == [
        "云溪区行政执法统计表 |  |  | ",
        "类别 | 件数 | 占比 | 截止",
        "行政许可 | 725 | 37.5% | 2024-12-31",
        "行政处罚 （含简易） | 1208.5 | 0.3 | ",
    ]
    assert find_source(got.segments, got.text.index("725")) == ("sheet=1&cell=B3", 0)


def test_sheets_of_a_spreadsheet() -> None:
    def more(book: openpyxl.Workbook) -> None:
        book.create_sheet("second")["B7"] = "第二表"
        hidden = book.create_sheet("third")
        hidden["A1"] = "底稿"
        hidden.sheet_state = "hidden"

    got = read_bytes(workbook(lambda sheet: sheet.append(["第一表", True]), more), "a.xlsx")
    assert got.text.split("\n") == ["第一表 | TRUE", "第二表"]
    assert got.notes == ("sheet 3 is hidden and not in the text",)
    assert find_source(got.segments, got.text.index("第二表")) == ("sheet=2&cell=B7", 0)


def sheet_of(cells: str, shared: str = "") -> bytes:
    """A workbook by hand, for what no writer writes."""
    rel = '<Relationship Id="{}" Type="x/{}" Target="{}"/>'
    book = '<workbook xmlns:r="x"><sheets><sheet name="a" r:id="r1"/></sheets></workbook>'
    rels = rel.format("r1", "worksheet", "s.xml") + rel.format("r2", "sharedStrings", "t.xml")
    return package(
        {
            "_rels/.rels": f"<Relationships>{rel.format('r1', 'officeDocument', '/xl/workbook.xml')}</Relationships>",
            "xl/workbook.xml": book,
            "xl/_rels/workbook.xml.rels": f"<Relationships>{rels}</Relationships>",
            "xl/s.xml": f"<worksheet><sheetData>{cells}</sheetData></worksheet>",
            "xl/t.xml": f"<sst>{shared}</sst>",
        }
    )


def test_cells_that_no_writer_writes() -> None:
    cells = (
        '<row><c t="s"><v>0</v></c><c t="s"><v>99999</v></c><c><v>NaN</v></c><c><v>1E999999</v></c></row>'
        '<row r="9"><c r="ZZZZ9" t="inlineStr"><is><r><t>甲</t></r><r><t>乙</t></r></is></c>'
        '<c t="e"><v>#REF!</v></c></row>'
    )
    got = read_bytes(sheet_of(cells, "<si><t>案</t><rPh><t>an</t></rPh></si>"), "a.xlsx")
    assert got.text.split("\n") == ["案 |  | NaN | 1E999999", "甲乙 | #REF! |  | "]


def test_a_cell_far_away_makes_no_long_row() -> None:
    cells = "".join(f'<row r="{n}"><c r="{chr(64 + n)}ZZ{n}"><v>{n}</v></c></row>' for n in range(1, 20))
    far = '<row r="1048576"><c r="XFD1048576"><v>7</v></c></row>'
    got = read_bytes(sheet_of(cells + far), "a.xlsx")
    assert got.text.count("\n") == 19 and len(got.text) < 2_000


# -- doc --------------------------------------------------------------------------------------------------------------


def test_a_word_document_of_before_2007() -> None:
    prose = "云溪区法治政府建设情况\r全年审结⾏政复议案件九十七98件。\r"
    table = "指标\x07件数\x07\x07申诉\r受理\x07120\x07\x07"
    got = read_bytes(doc([prose, table, "见\x13LINK x\x14附表\x15。\r"], deleted="九十七", inside="申诉"), "报告.doc")
    assert (got.kind, got.notes) == ("doc", ())
    assert got.text.split("\n") == [
        "云溪区法治政府建设情况", "全年审结行政复议案件98件。", "指标 | 件数", "申诉受理 | 120", "见附表。",
    ]  # fmt: skip
    assert find_source(got.segments, got.text.index("98")) == ("paragraph=2", 13)


def test_pieces_of_one_byte_and_of_two() -> None:
    got = read_bytes(doc(["合计", b"120/98\r", "件\r"]), "a.wps")
    assert (got.text, got.notes) == ("合计120/98\n件", ())


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (doc(["正文\r"], flags=0x0300), "encrypted", "password"),
        (doc(["正文\r"], version=0x65), "needs_reader", "before Word 97"),
        (compound({"EncryptedPackage": b"x"}), "encrypted", "password"),
        (compound({"Workbook": b"x"}), "needs_reader", "xls"),
        (compound({"PowerPoint Document": b"x"}), "needs_reader", "ppt"),
        (compound({"Contents": b"x"}), "unsupported", "no Word document"),
        (compound({"WordDocument": b"x"}), "needs_reader", "before Word 97"),
        (doc(["正文\r"])[:1500], "damaged", "compound file"),
        (doc(["\x01\r"]), "needs_ocr", "no text"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "damaged", "compound file"),
    ],
)  # fmt: skip
def test_outcomes_of_compound_files(body: bytes, kind: str, words: str) -> None:
    got = read_bytes(body, "a.doc")
    assert (got.kind, got.text) == (kind, "")
    assert words in got.notes[0]


def test_a_chain_that_bites_its_tail_ends() -> None:
    body = bytearray(doc(["正文\r"]))
    fat = len(body) - 512
    body[fat : fat + 32] = bytes(32)  # the sectors of the main stream lead to the first one
    assert read_bytes(bytes(body), "a.doc").kind in ("doc", "damaged")


def test_names_that_promise_another_format() -> None:
    assert read_bytes(doc(["正文\r"]), "a.docx").notes == ("named .docx, but is doc",)
    assert read_bytes(docx(par("正文")), "a.wps").notes == ()
    assert read_bytes(docx(par("正文")), "附件1. 2023年度报告").notes == ()
