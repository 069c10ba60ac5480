"""The crawl of one source against a real server: TRS pages of a fictional county, behind a replay gateway."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.archive import Archive
from connectors.base import AttachmentRef
from connectors.crawl import crawl_source
from connectors.crawled import CrawlResult, Known
from connectors.engines import get_engine
from connectors.errors import RobotsDenied, SourceChanged
from connectors.http.client import Client, GatewayUnreachable, HttpSettings
from connectors.registry import Source
from connectors.wish import Wish
from tests.connectors.portal import BASE, HOST, Item, list_page, source
from tests.servers import Site

REPORTS = {2023: "202402/t20240205_1001", 2024: "202502/t20250211_1002"}
NOTICE = "202503/t20250301_1003"
BODY = "2024年，全县收到行政复议申请126件，受理112件。这一年法治政府建设各项工作按计划推进，没有遗漏。"
COUNTY = source(assertions={"min_list_rows": 3, "report_years": [2023, 2024]})
ROWS = [
    Item(f"{NOTICE}.html", "乌有县行政执法培训动态", "2025-03-01", BODY),
    Item(f"{REPORTS[2024]}.html", "乌有县2024年法治政府建设情况报告", "2025-02-11", BODY),
    Item(f"{REPORTS[2023]}.html", "乌有县2023年法治政府建设情况报告", "2024-02-05", BODY),
]


def detail(title: str, body: str, attachment: str = "") -> str:
    return (
        f'<html><head><meta charset="utf-8"><meta name="ArticleTitle" content="{title}">'
        f'<meta name="PubDate" content="2025-02-11 09:30"></head><body><div class="TRS_Editor"><p>{body}</p></div>'
        f'<div class="fj">{attachment}</div></body></html>'
    )


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as served:
        served.on("/robots.txt", "User-agent: *\nDisallow: /secret/\n")
        served.on("/zwgk/fzzf/", list_page(ROWS[:2], 2, 0), headers={"ETag": '"list-0"'})
        served.on("/zwgk/fzzf/index_1.html", list_page(ROWS[2:], 2, 1), headers={"ETag": '"list-1"'})
        for year, path in REPORTS.items():
            page = detail(f"乌有县{year}年法治政府建设情况报告", BODY)
            served.on(f"/zwgk/fzzf/{path}.html", page, headers={"ETag": f'"{year}"'})
        served.on(f"/zwgk/fzzf/{NOTICE}.html", detail("乌有县行政执法培训动态", BODY), headers={"ETag": '"n"'})
        yield served


def crawl(
    site_url: str,
    folder: Path,
    known: dict[str, Known] | None = None,
    *,
    all_pages: bool = False,
    of: Source = COUNTY,
) -> CrawlResult:
    result = CrawlResult(of)

    async def run() -> None:
        settings = HttpSettings("fazhi-test/1 (+https://fazhi.example)", replay=site_url, retries=1, backoff=0.01)
        with Archive(folder) as archive:
            async with Client(settings) as client:
                engine = get_engine(result.source.engine)
                await crawl_source(result, engine, client, archive, known or {}, wish=Wish(all_pages=all_pages))

    asyncio.run(run())
    counted = result.fetched + result.unchanged + len(result.gone) + result.blocked + result.failed
    assert result.planned == counted, "every planned page ends in exactly one count"
    return result


def remembered(result: CrawlResult) -> dict[str, Known]:
    return {seen.url: Known(seen.url, seen.kind, seen.etag, seen.last_modified, seen.snapshot) for seen in result.seen}


def test_reports_only_unless_asked(site: Site, tmp_path: Path) -> None:
    result = crawl(site.url, tmp_path)
    assert result.listed == 3
    assert [(page.is_report, page.report_year) for page in result.pages] == [(True, 2024), (True, 2023)]
    assert result.pages[0].article.body.text == BODY
    assert not site.asked(f"/zwgk/fzzf/{NOTICE}.html")
    everything = crawl(site.url, tmp_path, all_pages=True)
    assert len(everything.pages) == 3


def test_second_crawl_asks_conditionally_and_reads_nothing(site: Site, tmp_path: Path) -> None:
    first = crawl(site.url, tmp_path)
    second = crawl(site.url, tmp_path, remembered(first))
    assert (second.fetched, second.unchanged, second.pages) == (0, 4, [])
    assert [seen.etag for seen in second.seen] == [seen.etag for seen in first.seen]
    assert second.listed == 3, "rows of a list that is not modified come from its snapshot"


def test_a_page_that_is_not_modified_is_not_read_and_a_damaged_list_is_had_again(site: Site, tmp_path: Path) -> None:
    """Damage inside a page's record is for `fazhi archive verify`; a list is looked into every night."""
    first = crawl(site.url, tmp_path)
    for kind, told in (
        ("page", []),
        ("list", ["2 raw pages are missing or damaged in the archive and were fetched again"]),
    ):
        for one in first.seen:
            if one.kind == kind:
                with (tmp_path / one.snapshot.file).open("r+b") as file:
                    file.seek(one.snapshot.offset + one.snapshot.length // 2)
                    file.write(b"\0\0\0\0")
        second = crawl(site.url, tmp_path, remembered(first))
        assert (second.notes, second.failures, second.pages) == (told, [], [])


def test_same_bytes_without_validators_are_unchanged(site: Site, tmp_path: Path) -> None:
    first = crawl(site.url, tmp_path)
    known = {url: Known(url, entry.kind, None, None, entry.snapshot) for url, entry in remembered(first).items()}
    second = crawl(site.url, tmp_path, known)
    assert (second.fetched, second.unchanged, second.pages) == (0, 4, [])


def test_known_page_that_vanished_is_gone_and_nothing_else(site: Site, tmp_path: Path) -> None:
    address = f"{BASE}202201/t20220101_900.html"
    first = crawl(site.url, tmp_path)
    known = remembered(first) | {address: Known(address, "page", '"old"', None, first.seen[0].snapshot)}
    second = crawl(site.url, tmp_path, known)
    assert second.gone == [address]
    assert second.failures == []
    third = crawl(site.url, tmp_path, known | {address: Known(address, "page", is_gone=True)})
    assert third.gone == [], "what is gone is not asked for every night"


def test_listed_page_that_stays_gone_is_counted_as_gone_once(site: Site, tmp_path: Path) -> None:
    known = remembered(crawl(site.url, tmp_path))
    address = f"https://{HOST}/zwgk/fzzf/{REPORTS[2024]}.html"
    site.on(f"/zwgk/fzzf/{REPORTS[2024]}.html", "", status=404, host=HOST)
    second = crawl(site.url, tmp_path, known)
    assert (second.gone, second.unchanged) == ([address], 3)
    third = crawl(site.url, tmp_path, known | {address: Known(address, "page", is_gone=True)})
    assert (third.gone, third.unchanged, third.failures) == ([], 4, [])


def test_raw_pages_that_are_lost_are_fetched_again(site: Site, tmp_path: Path) -> None:
    known = remembered(crawl(site.url, tmp_path))
    for file in tmp_path.iterdir():
        file.unlink()
    second = crawl(site.url, tmp_path, known)
    assert (second.fetched, second.unchanged, second.failures) == (4, 0, [])
    assert second.notes == ["4 raw pages are missing or damaged in the archive and were fetched again"]
    third = crawl(site.url, tmp_path, remembered(second))
    assert (third.fetched, third.unchanged) == (0, 4)


def test_a_raw_page_that_is_damaged_is_kept_anew_though_its_bytes_are_the_same(site: Site, tmp_path: Path) -> None:
    first = crawl(site.url, tmp_path)
    known = {url: Known(url, entry.kind, None, None, entry.snapshot) for url, entry in remembered(first).items()}
    for file in tmp_path.iterdir():
        file.unlink()
    second = crawl(site.url, tmp_path, known)
    assert second.notes == ["4 raw pages are missing or damaged in the archive and were fetched again"]
    assert second.fetched == 4 and len(second.pages) == 2
    with Archive(tmp_path) as archive:
        assert all(archive.load(seen.snapshot).status == 200 for seen in second.seen)


ATTACHED = f"/zwgk/fzzf/{REPORTS[2024]}.docx"


@pytest.fixture
def attached(site: Site) -> Site:
    """The report of 2024 has no body, only an attachment."""
    site.on(f"/zwgk/fzzf/{REPORTS[2024]}.html", attached_page(), headers={"ETag": '"empty"'}, host=HOST)
    return site


def attached_page() -> str:
    title = "乌有县2024年法治政府建设情况报告"
    return detail(title, "", f'<a href="{ATTACHED}">{title}.docx</a>')


def docx(text: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
        body = f"<w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body>"
        archive.writestr("word/document.xml", f'<w:document xmlns:w="{space}">{body}</w:document>')
    return file.getvalue()


def attached_texts(result: CrawlResult) -> list[str]:
    return [found.text for page in result.pages if page.report_year == 2024 for _, found in page.attachment_texts]


@pytest.mark.parametrize(
    ("status", "kind", "body"),
    [
        (404, "text/html", b""),
        (503, "text/html", b""),
        (200, "text/html; charset=utf-8", "<html><body>文件不存在</body></html>".encode()),
        (200, "application/octet-stream", b""),
        (200, "application/octet-stream", b"PK\x03\x04 cut off"),
    ],
)
def test_attachment_that_failed_is_asked_for_again_though_its_page_is_not_modified(
    attached: Site, tmp_path: Path, status: int, kind: str, body: bytes
) -> None:
    wrong = 2 if status == 503 or (status == 200 and not body) else 1  # a 503, or nothing at all, is tried once more
    for _ in range(wrong):
        attached.on(ATTACHED, body, status=status, headers={"Content-Type": kind, "ETag": '"wrong"'})
    attached.on(ATTACHED, docx(BODY), headers={"ETag": '"right"'})
    first = crawl(attached.url, tmp_path)
    assert [text for text in attached_texts(first) if text] == []
    assert len(first.pages) == 2, "the page itself is loaded, without a text"
    second = crawl(attached.url, tmp_path, remembered(first))
    assert attached_texts(second) == [BODY]
    third = crawl(attached.url, tmp_path, remembered(second))
    assert (third.fetched, third.pages) == (0, [])


def test_a_page_may_not_have_attachments_asked_for_without_end(
    attached: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("attached", "crawl"):
        monkeypatch.setattr(f"connectors.{module}.MAX_FILES", 2)
    path = f"/zwgk/fzzf/{REPORTS[2024]}.html"
    title = "乌有县2024年法治政府建设情况报告"
    links = "".join(f'<a href="/zwgk/fzzf/P2025{number:03}.docx">附件{number}.docx</a>' for number in range(4))
    attached.forget(path)
    attached.on(path, detail(title, "", links), headers={"ETag": '"many"'})
    for number in range(4):
        attached.on(f"/zwgk/fzzf/P2025{number:03}.docx", docx(BODY))
    first = crawl(attached.url, tmp_path)
    assert len([seen for seen in attached.seen if seen.target.endswith(".docx")]) == 2
    assert attached_texts(first) == [BODY] * 2
    assert first.notes == [f"https://{HOST}{path}: 4 attachments, of which the first 2 are asked for"]
    page = f"https://{HOST}{path}"
    assert page not in remembered(first), "it is not whole: told, and read again, every night"
    held = tuple(AttachmentRef(f"{BASE}P2025{number:03}.docx", "报告.docx") for number in range(2))
    second = crawl(attached.url, tmp_path, remembered(first) | {page: Known(page, "page", attachments=held)})
    assert attached_texts(second) == [BODY] * 2 and second.notes == first.notes


@pytest.mark.parametrize(("status", "body"), [(404, b""), (200, b"PK\x03\x04 cut off"), (200, b"<html></html>")])
def test_text_of_an_earlier_run_stays_while_its_attachment_cannot_be_read(
    attached: Site, tmp_path: Path, status: int, body: bytes
) -> None:
    path = f"/zwgk/fzzf/{REPORTS[2024]}.html"
    page, file = f"https://{HOST}{path}", f"https://{HOST}{ATTACHED}"
    attached.on(path, attached_page() + "<!-- edited -->", headers={"ETag": '"edited"'}, host=HOST)
    attached.on(ATTACHED, docx(BODY), headers={"ETag": '"right"'})
    attached.on(ATTACHED, body, status=status, headers={"Content-Type": "text/html"})
    known = remembered(crawl(attached.url, tmp_path))
    known[page] = replace(known[page], attachments=(AttachmentRef(file, "报告.docx"),))
    second = crawl(attached.url, tmp_path, known)
    assert second.pages == []
    assert any("text of an earlier run stays" in note for note in second.notes)
    assert page not in remembered(second), "it is read again the next night"


def test_a_page_that_holds_the_report_of_another_year_is_told(site: Site, tmp_path: Path) -> None:
    page = detail("乌有县2023年法治政府建设情况报告", BODY)
    site.on(f"/zwgk/fzzf/{REPORTS[2024]}.html", page, headers={"ETag": '"other"'}, host=HOST)
    result = crawl(site.url, tmp_path)
    assert len(result.pages) == 2
    (note,) = result.notes
    assert f"{REPORTS[2024]}.html is listed as the report of 2024, holds that of 2023" in note


@pytest.mark.parametrize(
    ("body", "code"),
    [("", "empty_shell"), ("该文章已被删除", "soft_gone"), ("系统维护中，请稍后访问", "maintenance")],
)
def test_a_notice_in_the_frame_of_a_report_takes_nothing_away(site: Site, tmp_path: Path, body: str, code: str) -> None:
    known = remembered(crawl(site.url, tmp_path))
    target = f"/zwgk/fzzf/{REPORTS[2024]}.html"
    site.on(target, detail("乌有县2024年法治政府建设情况报告", body), headers={"ETag": '"notice"'}, host=HOST)
    second = crawl(site.url, tmp_path, known)
    assert [(failure.code, failure.url) for failure in second.failures] == [(code, f"https://{HOST}{target}")]
    assert (second.pages, second.gone, second.rejected) == ([], [], 1)
    assert not any(seen.url.endswith(target) for seen in second.seen), "and it is asked for again, in full"


def test_half_a_page_takes_nothing_away_and_is_read_when_it_is_all_there_is(site: Site, tmp_path: Path) -> None:
    known = remembered(crawl(site.url, tmp_path))
    target = f"/zwgk/fzzf/{REPORTS[2024]}.html"
    page = f"https://{HOST}{target}"
    whole = detail("乌有县2024年法治政府建设情况报告", BODY)
    site.on(target, whole[: whole.index("受理")], headers={"ETag": '"half"'}, host=HOST)
    second = crawl(site.url, tmp_path, known)
    assert [(failure.code, failure.url) for failure in second.failures] == [("transient", page)]
    assert "breaks off in its body" in second.failures[0].message
    assert (second.pages, second.rejected) == ([], 1)
    assert page not in remembered(second), "and it is asked for again, in full"
    third = crawl(site.url, tmp_path, {**known, page: replace(known[page], n_failed=2)})
    assert [read.article.body.text[-6:] for read in third.pages] == [BODY[: BODY.index("受理")][-6:]]
    assert third.failures == [] and "read as it is" in third.notes[0]
    assert page in remembered(third)


def test_a_listed_page_that_never_was_is_a_failure(site: Site, tmp_path: Path) -> None:
    extra = Item("202504/t20250401_1004.html", "乌有县2022年法治政府建设情况报告", "2025-04-01", BODY)
    with Site() as served:
        served.on("/robots.txt", "")
        served.on("/zwgk/fzzf/", list_page([*ROWS, extra], 1, 0))
        for year, path in REPORTS.items():
            served.on(f"/zwgk/fzzf/{path}.html", detail(f"乌有县{year}年法治政府建设情况报告", BODY))
        result = crawl(served.url, tmp_path)
    assert [failure.code for failure in result.failures] == ["gone"]
    assert len(result.pages) == 2


def test_endless_pager_ends_with_the_first_page_that_brings_nothing_new(tmp_path: Path) -> None:
    with Site() as served:
        served.on("/robots.txt", "")
        served.on("/zwgk/fzzf/", list_page(ROWS, 500, 0))
        served.on("/zwgk/fzzf/index_1.html", list_page(ROWS, 500, 1))
        for year, path in REPORTS.items():
            served.on(f"/zwgk/fzzf/{path}.html", detail(f"乌有县{year}年法治政府建设情况报告", BODY))
        crawl(served.url, tmp_path)
        asked = [seen.target for seen in served.seen if "index_" in seen.target]
    assert asked == ["/zwgk/fzzf/index_1.html"]


def test_too_few_rows_fail_the_source_before_any_page_is_asked(site: Site, tmp_path: Path) -> None:
    demanding = source(assertions={"min_list_rows": 30, "report_years": [2024]})
    with pytest.raises(SourceChanged, match=r"990901_wuyou: the lists hold 3 rows.*at least 30"):
        crawl(site.url, tmp_path, of=demanding)
    assert not [seen for seen in site.seen if "/t2" in seen.target]


def test_missing_report_year_fails_the_source(site: Site, tmp_path: Path) -> None:
    with pytest.raises(SourceChanged, match="no annual report listed for 2021"):
        crawl(site.url, tmp_path, of=source(assertions={"min_list_rows": 1, "report_years": [2021, 2024]}))


def test_challenge_page_ends_the_lane_and_is_no_content(site: Site, tmp_path: Path) -> None:
    site.on(f"/zwgk/fzzf/{REPORTS[2023]}.html", "", status=412, host=HOST)
    result = crawl(site.url, tmp_path, all_pages=True)
    assert [failure.code for failure in result.failures] == ["blocked"]
    assert (result.blocked, [page.report_year for page in result.pages]) == (2, [2024]), "reports are asked first"


def test_source_of_which_no_report_can_be_had_fails(site: Site, tmp_path: Path) -> None:
    for path in REPORTS.values():
        site.on(f"/zwgk/fzzf/{path}.html", "", status=302, headers={"Location": "https://other.example/"}, host=HOST)
    with pytest.raises(SourceChanged, match=r"none of its 2 listed reports could be read: .*other\.example"):
        crawl(site.url, tmp_path, all_pages=True)


def test_robots_that_cannot_be_read_is_a_no(tmp_path: Path) -> None:
    with Site() as served:
        served.on("/robots.txt", "", status=503)
        with pytest.raises(RobotsDenied):
            crawl(served.url, tmp_path)
        assert {seen.target for seen in served.seen} == {"/robots.txt"}


def test_page_that_cannot_be_read_is_rejected_and_asked_again(site: Site, tmp_path: Path) -> None:
    address = f"/zwgk/fzzf/{REPORTS[2024]}.html"
    site.on(
        address,
        "<html><body><p>本县山水与物产介绍，欢迎四方来客。</p></body></html>",
        headers={"ETag": '"x"'},
        host=HOST,
    )
    first = crawl(site.url, tmp_path)
    assert (first.rejected, len(first.pages)) == (1, 1)
    assert [failure.code for failure in first.failures] == ["source_changed"]
    assert f"https://{HOST}{address}" not in remembered(first), "without validators it is asked for in full again"


def test_gateway_that_is_not_there_ends_the_run(tmp_path: Path) -> None:
    with Site() as served:
        address = served.url
    with pytest.raises(GatewayUnreachable, match="FAZHI_REPLAY"):
        crawl(address, tmp_path)
