"""Text of a PDF that shows nothing is not read; the text that a machine has laid under a scanned page is, and said."""

from __future__ import annotations

import pytest

from connectors.attachments.formats import read_bytes
from connectors.attachments.result import AttachmentText
from tests.connectors.attachment_files import SENTENCE, pdf, set_cells, set_lines

LINES = set_lines([f"\u3000{SENTENCE}，各部门按照计划推进", f"\u3000{SENTENCE}，各乡镇按照计划推进"])
FALSE = "另收到申请九百九十九件"


def text(words: str = FALSE, *, size: float = 14, y: float = 500, before: str = "", after: str = "") -> str:
    return f"q {before} BT /F {size} Tf 1 0 0 1 90 {y} Tm <{words.encode('utf-16-be').hex()}> Tj ET {after} Q"


PAPER = "1 g 80 480 400 40 re f"
UNSEEN = {
    "in no mode that paints": (text(before="3 Tr"), ""),
    "as a path to clip": (text(before="7 Tr"), ""),
    "white": (text(before="1 g"), ""),
    "nearly white": (text(before="0.98 0.99 0.97 rg"), ""),
    "white on white": (f"q {PAPER} Q {text(before='1 g')}", ""),
    "painted over": (text(after=PAPER), ""),
    "painted over in a colour": (text(after="0.2 0.3 0.9 rg 80 480 400 40 re f"), ""),
    "too small": (text(size=1), ""),
    "out of the page": (text(y=-90), ""),
    "out of what is shown of the page": (text(y=100), "/CropBox[0 300 595 842]"),
    "on a page that is turned": (text(before="1 g"), "/Rotate 90"),
}
SEEN = {
    "white on dark": text(before="0 0 0.5 rg 80 480 400 40 re f 1 g"),
    "light on dark": text(before="0.1 g 80 480 400 40 re f 0.9 g"),
    "on a ground that is painted first": text(before="0.9 g 80 480 400 40 re f 0 g"),
    "framed afterwards": text(after="80 480 400 40 re S"),
    "beside what is filled afterwards": text(after="0.5 g 80 440 400 40 re f"),
    "outlined": text(before="1 Tr 1 g"),
    "grey": text(before="0.6 g"),
}


def read(drawn: str, entries: str = "") -> AttachmentText:
    return read_bytes(pdf([LINES], drawn=drawn, entries=entries), "a.pdf")


@pytest.mark.parametrize(("drawn", "entries"), UNSEEN.values(), ids=UNSEEN)
def test_what_shows_nothing_is_not_read(drawn: str, entries: str) -> None:
    plain, found = read("", entries), read(drawn, entries)
    assert found.text == plain.text and SENTENCE in found.text
    assert found.is_whole and found.notes == (f"{len(FALSE)} letters that show nothing are not in the text",)


@pytest.mark.parametrize("drawn", SEEN.values(), ids=SEEN)
def test_what_is_seen_stays(drawn: str) -> None:
    found = read(drawn)
    assert FALSE in found.text and found.notes == ()


def test_the_white_head_of_a_table_stays() -> None:
    cells = set_cells([["项目", "件数"], ["收到", "120"]], [80, 240, 400], 720)
    head = "0 0.2 0.5 rg 80 690 320 30 re f 1 g"
    found = read_bytes(pdf([cells], drawn=head), "a.pdf")
    assert "项目" in found.text and "120" not in found.text, "the rows below are white on white"


def test_text_under_a_scanned_page_is_read_and_told() -> None:
    found = read_bytes(pdf([LINES, LINES[:1]], image=True, drawn="3 Tr"), "a.pdf")
    assert found.kind == "pdf" and SENTENCE in found.text
    assert not found.is_whole and "2 of 2 pages are pictures; a machine has read their text" in found.notes


def test_text_under_a_picture_beside_text_that_is_seen_is_not_read() -> None:
    found = read_bytes(pdf([LINES], image=True, drawn=text(before="3 Tr")), "a.pdf")
    assert FALSE not in found.text and SENTENCE in found.text


def test_unpainted_text_without_a_picture_is_none() -> None:
    found = read_bytes(pdf([LINES], drawn="3 Tr"), "a.pdf")
    assert (found.kind, found.text) == ("needs_ocr", "")


def test_a_page_that_is_listed_twice_is_read_once() -> None:
    other = set_lines([f"\u3000{SENTENCE}，各街道按照计划推进"])
    once, twice = (read_bytes(pdf(pages), "a.pdf") for pages in ([LINES, other], [LINES, other, LINES]))
    assert twice.text == once.text and twice.is_whole
    assert twice.notes == ("1 pages say to the letter what one before them does, and are read once",)


def test_not_every_page_of_a_long_document_is_painted() -> None:
    pages = [set_lines([f"\u3000{SENTENCE}，第{number}部门按照计划推进"]) for number in range(103)]
    found = read_bytes(pdf(pages, drawn=text(before="1 g")), "a.pdf")
    assert found.text.count(FALSE) == 3 and not found.is_whole
    assert found.notes[0] == "3 pages hold text that may be covered, or too light to be seen"
