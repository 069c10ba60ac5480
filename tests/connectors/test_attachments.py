"""Attachments: what a file is, what it says, and that no file raises."""

from __future__ import annotations

import json
from pathlib import Path

import pypdfium2 as pdfium
import pytest

from connectors.attachments import AttachmentText, read_attachment
from connectors.attachments.formats import read_bytes
from connectors.attachments.radicals import fold_radicals
from extraction.textmap import find_source
from tests.connectors.attachment_files import docx, package, par, pdf, row, run, set_lines


def test_docx_paragraphs_and_rows_in_order() -> None:
    table = (
        "<w:tbl><w:tblPr/>"
        + row(par("指标"), par("件数"))
        + row(par("行政复议"), par("12", "0") + par("件"))
        + "</w:tbl>"
    )
    got = read_bytes(docx(par("一、总体情况") + table + par("", "  ") + par("全年260", "余", "份。")), "a.docx")
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
    got = read_bytes(docx(smart + inserted + control + link + twice), "a.docx")
    assert got.text.split("\n") == ["2023年", "办结98件", "控件内容", "链接", "换行 制表", "正文", "文本框"]


def test_docx_tables_inside_tables_and_empty_cells() -> None:
    inner = "<w:tbl>" + row(par("内一"), par("内二")) + "</w:tbl>"
    table = "<w:tbl>" + row(par("甲"), par(""), inner + par("")) + row(par(""), par("")) + "</w:tbl>"
    assert read_bytes(docx(table), "a.docx").text == "甲 |  | 内一 | 内二"


def test_docx_whose_main_part_has_another_name() -> None:
    assert read_bytes(docx(par("正文"), part="word/document2.xml"), "a.docx").text == "正文"


def test_docx_notes() -> None:
    numbered = f"<w:p><w:pPr><w:numPr/></w:pPr>{run('第一项')}</w:p>"
    assert read_bytes(docx(numbered), "a.docx").notes == ("automatic numbering is not in the text",)
    scan = read_bytes(docx(par(""), more={"word/media/image1.png": b"x"}), "a.docx")
    assert (scan.kind, scan.text) == ("needs_ocr", "")


def test_the_magic_number_decides_not_the_name() -> None:
    got = read_bytes(docx(par("正文")), "report.pdf")
    assert (got.kind, got.text, got.notes) == ("docx", "正文", ("named .pdf, but is docx",))
    assert read_bytes(pdf([set_lines(["全年共办理行政复议案件一百二十件整"])]), "a.docx").kind == "pdf"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"Rar!\x1a\x07\x00", "unsupported"),
        (b"no format that there is", "unsupported"),
        (package({"readme.txt": "a"}), "unsupported"),
        (b"<html><body>404</body></html>", "web_page"),
        (b"\xef\xbb\xbf\r\n<!DOCTYPE html><html>", "web_page"),
        (b"\x89PNG\r\n\x1a\n", "needs_ocr"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "needs_ocr"),
        (b"II*\0", "needs_ocr"),
        (b"{\\rtf1\\ansi", "needs_reader"),
        (b"", "damaged"),
        (docx(par("正文"))[:200], "damaged"),
        (b"%PDF-1.7\nnothing", "damaged"),
        (docx("<w:p>"), "damaged"),
        (docx("<w:p>" * 5000 + "</w:p>" * 5000), "damaged"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_an_outcome(body: bytes, kind: str) -> None:
    got = read_bytes(body, "附件.doc")
    assert (got.kind, got.text) == (kind, "")
    assert got.notes


def test_pdf_lines_become_paragraphs_by_indent() -> None:
    title = [(150.0, 800.0, 20.0, "云溪区法治政府建设情况报告")]
    first = set_lines(
        ["\u3000\u3000全年共办理行政复议案件一百二十件，审结九", "十八件，其中维持六十件，纠错率百分之十二点5",
         "0，同比下降。", "\u3000\u3000二是持续推进行政执法三项制度全面落实到位",
         "各项任务如期完成，各镇街和各部门认真组织实施"],
    )  # fmt: skip
    number = [(290.0, 40.0, 10.0, "- 1 -")]
    second = set_lines(["并按季度公开。", "\u3000\u3000云溪区人民政府办公室负责解释本报告全文。"])
    got = read_bytes(pdf([title + first + number, [*second, (290.0, 40.0, 10.0, "2")]]), "a.pdf")
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
    got = read_bytes(pdf([set_lines(lines)]), "a.pdf")
    assert got.text.split("\n") == [lines[0] + lines[1], lines[2] + lines[3]]


def test_a_number_in_the_text_is_no_page_number() -> None:
    got = read_bytes(pdf([set_lines(["行政复议案件审结数量统计表如下", "120"], top=500)]), "a.pdf")
    assert "120" in got.text


def test_pdf_radicals_are_folded() -> None:
    assert fold_radicals("⼈⺠法⾏政⻓\uf9e4①２") == "人民法行政长理①２"
    got = read_bytes(pdf([set_lines(["云溪区⼈民政府⾏政复议案件⼀百件整"])]), "a.pdf")
    assert got.text == "云溪区人民政府行政复议案件一百件整"


def test_scanned_pdf_needs_ocr() -> None:
    scan = read_bytes(pdf([[], [(290.0, 40.0, 10.0, "- 2 -")]], image=True), "a.pdf")
    assert (scan.kind, scan.n_pages, scan.notes) == ("needs_ocr", 2, ("2 of 2 pages are pictures",))
    mixed = read_bytes(pdf([set_lines(["全年共办理行政复议案件一百二十件"] * 4), []], image=True), "a.pdf")
    assert (mixed.kind, mixed.notes, mixed.is_whole) == ("pdf", ("1 of 2 pages are pictures",), False)
    assert read_bytes(pdf([[]]), "a.pdf").kind == "needs_ocr"


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


def find(got: AttachmentText, words: str) -> tuple[str, int]:
    """Where a piece of the text stands in its file."""
    place = find_source(got.segments, got.text.index(words))
    assert place is not None
    return place


def test_every_piece_leads_back_to_its_page() -> None:
    pages = [set_lines(["云溪区法治政府建设情况", "全年审查合同⼆百一十件，"]), set_lines(["\u3000审结九十八件"])]
    body = pdf(pages)
    got = read_bytes(body, "a.pdf")
    assert find(got, "审结九十八件")[0] == "page=2"
    with pdfium.PdfDocument(body) as document:
        for start, end, place, at in got.segments:
            textpage = document[int(place.removeprefix("page=")) - 1].get_textpage()
            assert fold_radicals(textpage.get_text_range(at, end - start)) == got.text[start:end]
    covered = sum(end - start for start, end, _, _ in got.segments)
    assert covered == len(got.text.replace("\n", "")), "every letter of the text is the file's own"


def test_every_paragraph_of_a_docx_has_its_number() -> None:
    table = "<w:tbl>" + row(par("指标"), par("件数")) + row(par("行政复议"), par("1", "20")) + "</w:tbl>"
    got = read_bytes(docx(par("") + par("甲：", "办结 ", "98", "件") + table), "a.docx")
    assert got.text == "甲：办结 98件\n指标 | 件数\n行政复议 | 120"
    assert find(got, "98") == ("paragraph=2", 5)
    assert find(got, "120") == ("paragraph=6", 0)
    assert find_source(got.segments, got.text.index("|")) is None, "marks between cells are ours"
