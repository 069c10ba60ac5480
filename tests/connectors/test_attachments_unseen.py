"""What a reader of the file does not see is not read, what is drawn twice is read once, and what is missing is told."""

from __future__ import annotations

import gzip
import zlib

import pytest
from lxml import etree

from connectors.attachments import read_attachment
from connectors.attachments.docx import _Reader
from connectors.attachments.formats import read_bytes
from tests.connectors.attachment_files import (
    OFFICE,
    SENTENCE,
    Text,
    W,
    doc,
    docx,
    draw_grid,
    ofd,
    package,
    par,
    pdf,
    row,
    run,
    set_cells,
    set_lines,
    text_object,
)


def hide(mark: str = "") -> str:
    return f"<w:r><w:rPr><w:vanish{mark}/></w:rPr><w:t>受理999件</w:t></w:r>"


ON, OFF = ' w:val="1"', ' w:val="false"'
LINES = set_lines([f"\u3000{SENTENCE}，各部门按照计划推进", f"\u3000{SENTENCE}，各乡镇按照计划推进"])
SHIFTS = {
    "the same place": [(0.0, 0.0)],
    "bold": [(0.3, 0.0)],
    "bolder": [(0.3, 0.0), (0.3, 0.3)],
    "a shadow": [(1.2, -1.2)],
}


def again(texts: list[Text], shifts: list[tuple[float, float]]) -> list[Text]:
    return [*texts, *((x + right, y + up, size, text) for right, up in shifts for x, y, size, text in texts)]


@pytest.mark.parametrize("shifts", SHIFTS.values(), ids=SHIFTS)
def test_what_a_pdf_draws_over_itself_is_read_once(shifts: list[tuple[float, float]]) -> None:
    once = read_bytes(pdf([LINES]), "a.pdf")
    twice = read_bytes(pdf([again(LINES, shifts)]), "a.pdf")
    assert twice.text == once.text and SENTENCE in once.text


def test_cells_drawn_in_bold_hold_their_figures_once() -> None:
    cells = set_cells([["项目", "件数"], ["收到", "120"], ["受理", "11"]], [80, 240, 400], 720)
    grid = draw_grid([80, 240, 400], [720, 690, 660, 630])
    found = read_bytes(pdf([again(cells, [(0.3, 0.0)])], drawn=grid), "a.pdf")
    assert found.text == "项目 | 件数\n收到 | 120\n受理 | 11"


def test_an_ofd_drawn_over_itself_and_what_it_does_not_show() -> None:
    seen, unseen = text_object(20, 30, SENTENCE), text_object(20, 60, "受理999件")
    for mark in ('Visible="false" ', 'Alpha="0" '):
        objects = seen + text_object(20.1, 30, SENTENCE) + unseen.replace("ID=", f"{mark}ID=", 1)
        assert read_bytes(ofd({"P": objects}), "a.ofd").text == SENTENCE


def test_hidden_runs_and_deleted_rows_of_a_docx_stay_out() -> None:
    body = (
        f"<w:p>{run(SENTENCE)}{hide()}{hide(ON)}</w:p>"
        f'<w:tbl><w:tr><w:trPr><w:del w:id="1"/></w:trPr><w:tc>{par("删去的行")}</w:tc></w:tr>'
        f'<w:tr><w:tc><w:tcPr><w:cellDel w:id="2"/></w:tcPr>{par("删去的格")}</w:tc>'
        f"<w:tc>{par('留下的格')}</w:tc></w:tr></w:tbl>"
        f"<w:p><w:r><w:ruby><w:rt>{run('fa')}</w:rt><w:rubyBase>{run('法')}</w:rubyBase></w:ruby></w:r>{run('治')}</w:p>"
    )
    assert read_bytes(docx(body), "a.docx").text == f"{SENTENCE}\n留下的格\n法治"
    shown = read_bytes(docx(f"<w:p>{hide(OFF)}</w:p>"), "a.docx")
    assert shown.text == "受理999件"


WHITE, DARK = '<w:color w:val="FFFFFF"/>', '<w:shd w:val="clear" w:fill="1F3864"/>'
MARKED, RED = '<w:highlight w:val="black"/>', '<w:color w:val="C00000"/>'
SMALL = '<w:color w:val="auto"/><w:sz w:val="4"/>'


def written(properties: str, text: str = "受理999件") -> str:
    return f"<w:r><w:rPr>{properties}</w:rPr><w:t>{text}</w:t></w:r>"


@pytest.mark.parametrize(
    "properties",
    [
        WHITE,
        '<w:b/><w:color w:val="fefefe"/>',
        '<w:sz w:val="2"/>',
        WHITE + '<w:shd w:val="clear" w:fill="auto"/>',
        WHITE + '<w:shd w:val="clear" w:fill="FFFFFF"/>',
    ],
)
def test_white_and_tiny_runs_of_a_docx_stay_out(properties: str) -> None:
    found = read_bytes(docx(f"<w:p>{run(SENTENCE)}{written(properties)}</w:p>"), "a.docx")
    assert found.text == SENTENCE and found.is_whole
    assert found.notes == ("6 letters that show nothing are not in the text",)


@pytest.mark.parametrize(
    "body",
    [
        f"<w:p>{written(WHITE + DARK)}</w:p>",
        f"<w:p>{written(WHITE + MARKED)}</w:p>",
        f"<w:p><w:pPr>{DARK}</w:pPr>{written(WHITE)}</w:p>",
        f"<w:tbl><w:tr><w:tc><w:tcPr>{DARK}</w:tcPr><w:p>{written(WHITE)}</w:p></w:tc></w:tr></w:tbl>",
        '<w:tbl><w:tblPr><w:tblStyle w:val="a3"/></w:tblPr>'
        f"<w:tr><w:tc><w:p>{written(WHITE)}</w:p></w:tc></w:tr></w:tbl>",
        f"<w:p><w:r><w:txbxContent><w:p>{written(WHITE)}</w:p></w:txbxContent></w:r></w:p>",
        f"<w:p>{written(RED)}</w:p>",
        f"<w:p>{written(SMALL)}</w:p>",
    ],
)
def test_white_on_what_may_be_dark_and_what_is_only_small_is_read(body: str) -> None:
    found = read_bytes(docx(body), "a.docx")
    assert (found.text, found.notes) == ("受理999件", ())


@pytest.mark.parametrize("properties", [WHITE, '<w:sz w:val="2"/>'])
def test_what_hangs_on_a_run_that_nobody_sees_is_read(properties: str) -> None:
    box = f"<w:pict><w:txbxContent><w:p>{run('框内')}</w:p></w:txbxContent></w:pict>"
    hung = f'<w:r><w:rPr>{properties}</w:rPr><w:t>受理999件</w:t>{box}<w:footnoteReference w:id="7"/></w:r>'
    found = read_bytes(docx(f"<w:p>{run(SENTENCE)}{hung}</w:p>"), "a.docx")
    assert found.text == f"{SENTENCE}\n框内"
    assert found.notes == ("6 letters that show nothing are not in the text", "1 footnotes are not in the file")


@pytest.mark.timeout(12)
@pytest.mark.parametrize("is_one", [True, False])
def test_many_white_runs_take_no_square_of_time(is_one: bool) -> None:
    runs = [written(WHITE)] * 20_000
    paragraphs = f"<w:p>{''.join(runs)}</w:p>" if is_one else "".join(f"<w:p>{one}</w:p>" for one in runs)
    reader = _Reader()
    assert reader.read_blocks(etree.fromstring(f"<w:document {W}><w:body>{paragraphs}</w:body></w:document>")) == []
    assert reader.n_unseen == 120_000


def test_what_is_missing_from_a_docx_is_told() -> None:
    foreign = read_bytes(docx(f'{par(SENTENCE)}<w:altChunk w:id="x"/>'), "a.docx")
    assert (foreign.text, foreign.is_whole) == (SENTENCE, False) and "altChunk" in foreign.notes[0]
    pictures = read_bytes(docx(par("2022年报告") + "<w:p><w:r><w:drawing/></w:r></w:p>" * 8), "a.docx")
    assert not pictures.is_whole and "8 pictures" in pictures.notes[0]
    footnotes = read_bytes(docx(f"<w:p>{run(SENTENCE)}<w:r><w:footnoteReference/></w:r></w:p>"), "a.docx")
    assert not footnotes.is_whole and footnotes.notes == ("1 footnotes are not in the file",)


def name_note(kind: str, number: int) -> str:
    return f'<w:r><w:{kind}Reference w:id="{number}"/></w:r>'


def test_notes_of_a_docx_stand_behind_its_text_in_the_order_of_the_text() -> None:
    notes = "".join(f'<w:footnote w:id="{n}">{par(text)}</w:footnote>' for n, text in ((0, "线"), (2, "乙"), (3, "甲")))
    ends = f'<w:endnote w:id="1">{par("丙")}{par("丁")}</w:endnote>'
    body = (
        f"<w:p>{run('一')}{name_note('footnote', 3)}{run('二')}{name_note('endnote', 1)}</w:p>"
        f"<w:p>{run('三')}{name_note('footnote', 2)}{name_note('footnote', 3)}</w:p>"
        f'<w:p><w:del>{name_note("footnote", 0)}</w:del><w:r><w:commentReference w:id="1"/></w:r></w:p>'
    )
    kinds = [("r1", "footnotes", "notes.xml"), ("r2", "endnotes", "ends.xml"), ("r3", "comments", "said.xml")]
    rels = "".join(f'<Relationship Id="{at}" Type="{OFFICE}/{kind}" Target="{name}"/>' for at, kind, name in kinds)
    more = {
        "word/_rels/document.xml.rels": f"<Relationships>{rels}</Relationships>",
        "word/notes.xml": f"<w:footnotes {W}>{notes}</w:footnotes>",
        "word/ends.xml": f"<w:endnotes {W}>{ends}</w:endnotes>",
        "word/said.xml": f"<w:comments {W}>{par('批注999件')}</w:comments>",
    }
    found = read_bytes(docx(body, more=more), "a.docx")
    assert found.text == "一二\n三\n脚注：甲\n脚注：乙\n尾注：丙\n丁" and (found.is_whole, found.notes) == (True, ())
    own = [found.text[start:end] for start, end, _, _ in found.segments]
    assert own == ["一二", "三", "甲", "乙", "丙", "丁"], "the words before a note are ours"


def test_notes_and_boxes_of_a_doc_are_read_and_what_stands_in_its_margins_is_not() -> None:
    texts = ["正文。\r", "\x02 甲\r\x02 乙\r", "页眉999\r", "", "批注999\r", "\x02丙\r", "框内\r\r", "页眉框\r"]
    found = read_bytes(doc(texts, lengths=[len(text) for text in texts]), "a.doc")
    assert found.text == "正文。\n框内\n脚注：甲\n脚注：乙\n尾注：丙"
    astral = ["𠮷正文。\r", "甲\r"]
    found = read_bytes(doc(astral, lengths=[len(text.encode("utf-16-le")) // 2 for text in astral]), "a.doc")
    assert found.text == "𠮷正文。\n脚注：甲"


@pytest.mark.parametrize(("y", "size"), [(400, 5.0), (-30, 5.0), (60, 0.3)], ids=["below", "above", "too small"])
def test_text_of_an_ofd_that_nobody_sees(y: float, size: float) -> None:
    found = read_bytes(ofd({"P": text_object(20, 30, SENTENCE) + text_object(20, y, "受理999件", size)}), "a.ofd")
    assert found.text == SENTENCE and found.is_whole
    assert found.notes == ("6 letters that show nothing are not in the text",)


def coloured(fill: str) -> str:
    return text_object(20, 60, "受理999件").replace("<ofd:TextCode", f"<ofd:FillColor {fill}/><ofd:TextCode", 1)


@pytest.mark.parametrize("fill", ['Value="255 255 255"', 'Value="240 250 255"', 'Value="0 0 0" Alpha="0"'])
def test_white_text_of_an_ofd_is_not_read_where_the_paper_is_white(fill: str) -> None:
    page = text_object(20, 30, SENTENCE) + coloured(fill)
    found = read_bytes(ofd({"P": page}), "a.ofd")
    assert found.text == SENTENCE and found.notes == ("6 letters that show nothing are not in the text",)
    block = '<ofd:PathObject ID="2" Boundary="0 0 210 297" Fill="true"><ofd:FillColor Value="0 0 90"/></ofd:PathObject>'
    on_dark = SENTENCE if "Alpha" in fill else f"{SENTENCE}\n受理999件"
    assert read_bytes(ofd({"P": block + page}), "a.ofd").text == on_dark
    outlined = page.replace("<ofd:TextObject", '<ofd:TextObject Stroke="true"')
    assert read_bytes(ofd({"P": outlined}), "a.ofd").text == f"{SENTENCE}\n受理999件"


def test_dark_text_of_an_ofd_is_read() -> None:
    page = text_object(20, 30, SENTENCE) + coloured('Value="255 0 0"')
    assert read_bytes(ofd({"P": page}), "a.ofd").text == f"{SENTENCE}\n受理999件"


def test_a_page_of_an_ofd_that_is_listed_twice_is_read_once() -> None:
    pages = {"A": text_object(20, 30, SENTENCE), "B": text_object(20, 30, "受理一百一十一件整，其余正在审理之中")}
    once, twice = read_bytes(ofd(pages), "a.ofd"), read_bytes(ofd(pages, order=["A", "B", "A", "B"]), "a.ofd")
    assert (twice.text, twice.n_pages, twice.is_whole, twice.notes) == (once.text, 2, True, ())
    copied = read_bytes(ofd({**pages, "C": pages["A"]}), "a.ofd")
    assert copied.text == once.text and "read once" in copied.notes[0] and copied.is_whole


def workbook(rows: str, columns: str = "", *, after: str = "", sheets: int = 1) -> bytes:
    listed = '<sheet name="s" r:id="r1"/>' * sheets
    parts = {
        "_rels/.rels": f'<R><Relationship Id="r1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></R>',
        "xl/workbook.xml": f'<workbook xmlns:r="{OFFICE}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<R><Relationship Id="r1" Type="{OFFICE}/worksheet" Target="s.xml"/></R>',
        "xl/s.xml": f"<worksheet>{columns}<sheetData>{rows}</sheetData>{after}</worksheet>",
    }
    return package(parts)


def cell(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


def test_hidden_rows_and_columns_of_a_sheet_stay_out_and_are_told() -> None:
    rows = f'<row r="1">{cell("A1", "收到")}{cell("C1", "藏")}</row><row r="2" hidden="1">{cell("A2", "藏")}</row>'
    found = read_bytes(workbook(rows, '<cols><col min="2" max="4" hidden="1"/></cols>'), "a.xlsx")
    assert found.text == "收到" and found.notes == ("2 cells in hidden rows and columns are not in the text",)


def test_what_lies_under_a_merged_cell_stays_out_and_is_told() -> None:
    rows = (
        f'<row r="1">{cell("A1", "收到")}{cell("B1", "藏")}{cell("C1", "9")}</row><row r="2">{cell("B2", "藏")}</row>'
    )
    merged = '<mergeCells><mergeCell ref="A1:B2"/><mergeCell ref="C1"/><mergeCell ref="??:C3"/></mergeCells>'
    found = read_bytes(workbook(rows, after=merged), "a.xlsx")
    assert found.text == "收到 | 9" and found.notes == ("2 cells under merged ones are not in the text",)


def test_a_sheet_that_is_listed_twice_is_read_once() -> None:
    rows = f'<row r="1">{cell("A1", "收到")}</row>'
    found = read_bytes(workbook(rows, sheets=2), "a.xlsx")
    assert (found.text, found.is_whole) == ("收到", True) and "read once" in found.notes[0]


def test_formulas_that_nobody_worked_out_are_told() -> None:
    rows = f'<row r="1">{cell("A1", "合计")}<c r="B1"><f>SUM(B2:B9)</f></c><c r="C1" t="str"><f>X</f><v></v></c></row>'
    found = read_bytes(workbook(rows), "a.xlsx")
    assert (found.text, found.is_whole, found.notes) == ("合计", False, ("1 formulas have no value in the file",))


def test_a_sheet_of_many_empty_rows_is_read() -> None:
    rows = "".join(f'<row r="{n}"/>' for n in range(1, 500_000))
    found = read_attachment(workbook(f'{rows}<row r="500000">{cell("A500000", "末行")}</row>'), "a.xlsx")
    assert (found.text, found.is_whole) == ("末行", True)


def test_a_file_that_its_server_keeps_packed() -> None:
    file = docx(par(SENTENCE))
    assert read_bytes(gzip.compress(file), "a.docx").text == SENTENCE
    for body, kind in (
        (gzip.compress(gzip.compress(file)), "unsupported"),
        (gzip.compress(file)[:-12], "damaged"),
        (gzip.compress(file)[:10] + b"\xff" * 20, "damaged"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\3" + squeeze(), "too_large"),
    ):
        assert read_bytes(body, "a.docx").kind == kind


def squeeze() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return b"".join(packer.compress(b" " * (1 << 20)) for _ in range(65)) + packer.flush()


OFFICE_PAGE = '<html xmlns:o="urn:schemas-microsoft-com:office:office"><body>正文</body></html>'


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("<div>文件不存在</div>", "web_page"),
        ("<html><body>%PDF-1.4</body></html>", "web_page"),
        ('{"code":500,"msg":"文件不存在"}', "web_page"),
        (OFFICE_PAGE, "needs_reader"),
        (f'<?xml version="1.0"?><?mso-application progid="Word.Document"?><w:wordDocument {W}/>', "needs_reader"),
        ("MIME-Version: 1.0\r\nContent-Type: multipart/related", "needs_reader"),
        ('<svg xmlns="http://www.w3.org/2000/svg"/>', "needs_ocr"),
    ],
)
@pytest.mark.parametrize("charset", ["utf-8", "utf-16"])
def test_markup_in_place_of_a_file_is_told_apart(body: str, kind: str, charset: str) -> None:
    assert read_bytes(body.encode(charset), "a.doc").kind == kind


@pytest.mark.parametrize("body", [b"\0\0\0\x18ftypheic", b"\0\0\0\x0cjP  \r\n\x87\n", b"II+\0", b"\0\0\0\x18ftypavif"])
def test_pictures_of_further_kinds_need_eyes(body: bytes) -> None:
    assert read_bytes(body + bytes(50), "a.jpg").kind == "needs_ocr"


def test_damaged_pages_are_counted_not_listed() -> None:
    body = pdf([LINES]).replace(b"/Count 1", b"/Count 400")
    found = read_attachment(body, "a.pdf")
    assert sum(map(len, found.notes)) < 300


def test_rows_stay_rows() -> None:
    assert read_bytes(docx(f"<w:tbl>{row(par('甲'), par('1'))}</w:tbl>"), "a.docx").text == "甲 | 1"
