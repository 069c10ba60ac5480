"""The text of a report from its page and its attachments."""

from __future__ import annotations

import pytest

from connectors.attachments import AttachmentText, compose, wants_attachments
from connectors.attachments.formats import read_bytes
from connectors.base import AttachmentRef
from extraction.clean import CleanText
from extraction.textmap import find_source
from tests.connectors.attachment_files import docx, par, pdf, set_lines

REPORT = "".join(f"第{n}项工作：云溪区全年办理案件{n * 7}件，审结{n * 6}件，同比增长百分之{n}。" for n in range(1, 40))
OTHER = "".join(f"附表第{n}行，青禾镇调解纠纷{n * 3}件，成功{n * 2}件。" for n in range(1, 20))
URL = "https://www.yunxi.example/files/1.pdf"


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("", True),
        ("云溪区2024年法治政府建设情况报告", True),
        ("现将《云溪区2024年法治政府建设情况报告》予以公布。" * 5, True),
        (REPORT, False),
        (REPORT + "统计数据详见附件。", True),
        (REPORT + "各镇情况见附件2。", True),
        (REPORT + "请点击下方附件查看全文。", True),
        (REPORT + "全文查看文后附件。", True),
        (REPORT + "具体情况附件如下：", True),
        (REPORT + "印发实施意见附件。", False),
        (REPORT + "清理规范性文件附件三份。", False),
    ],
)
def test_when_attachments_are_asked_for(body: str, wanted: bool) -> None:
    assert wants_attachments(body) is wanted


def clean(text: str) -> CleanText:
    return CleanText(text, ((0, len(text), "0", 0),) if text else (), root="1.2")


def attached(*texts: str) -> list[tuple[AttachmentRef, AttachmentText]]:
    return [
        (
            AttachmentRef(URL.replace("1", str(n)), f"附件{n}.pdf"),
            AttachmentText(text, "pdf", 1, segments=((0, len(text), "page=3", 7),)),
        )
        for n, text in enumerate(texts, start=1)
    ]


def test_an_empty_page_is_its_attachments() -> None:
    got = compose(clean("附件：报告全文.pdf"), attached(REPORT, OTHER))
    assert got.text == got.attached == f"{REPORT}\n{OTHER}"
    assert find_source(got.segments, len(REPORT) + 1 + 5) == (f"{URL.replace('1', '2')}#page=3", 12)
    assert find_source(got.segments, len(REPORT)) is None


def test_a_page_that_sends_on_is_both() -> None:
    body = f"{REPORT}统计数据详见附件。"
    got = compose(clean(body), attached(OTHER))
    assert (got.text, got.attached) == (f"{body}\n{OTHER}", OTHER)
    assert find_source(got.segments, 3) == ("1.2.0", 3)
    assert find_source(got.segments, len(body) + 1) == (f"{URL}#page=3", 7)


def test_what_says_the_same_is_taken_once() -> None:
    again = REPORT.replace("。", "。\n") + "落款"
    assert compose(clean(REPORT), attached(again)).text == REPORT
    assert compose(clean("附件"), attached(REPORT, again, OTHER)).text == f"{REPORT}\n{OTHER}"
    note = REPORT[:120]
    got = compose(clean(note), attached(REPORT))
    assert (got.text, got.attached) == (REPORT, REPORT), "a page that quotes its attachment"


def test_without_text_in_attachments_the_page_stays() -> None:
    scan = [(AttachmentRef(URL, "a.pdf"), AttachmentText("", "needs_ocr"))]
    got = compose(clean("报告全文"), scan)
    assert (got.text, got.attached, got.segments) == ("报告全文", "", ((0, 4, "1.2.0", 0),))
    assert compose(clean(""), []).text == ""


def test_a_number_leads_to_the_page_of_the_file() -> None:
    files = {
        URL: pdf([set_lines(["云溪区法治政府建设情况报告"]), set_lines(["全年办理行政复议案件120件。"])]),
        URL.replace("pdf", "docx"): docx(par("附表") + par("青禾镇调解纠纷57件。")),
    }
    got = compose(clean(""), [(AttachmentRef(url, url), read_bytes(body, url)) for url, body in files.items()])
    assert find_source(got.segments, got.text.index("120")) == (f"{URL}#page=2", 10)
    assert find_source(got.segments, got.text.index("57")) == (f"{URL.replace('pdf', 'docx')}#paragraph=2", 7)
