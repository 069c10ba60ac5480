"""Every page, in both languages, over real HTTP: what it shows, and that nothing in it is run or trusted."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from tests.explorer.serving import Served

RATE = "reconsideration_applications_received"
PAGES = [
    "/", "/metrics", "/metrics?q=复议", f"/metrics/{RATE}", f"/metrics/{RATE}?year=2021&regions=990101,990102",
    f"/metrics/{RATE}?year=1999", "/regions", "/regions?q=岚", "/regions/990101",
    "/regions/990102?with=990101,990201&year=2021", "/documents", "/documents?region=990101&year=2021", "/findings",
    "/findings?kind=restated", "/findings?kind=damaged", "/findings?kind=spam&state=all",
    "/findings?rule=R09&verdict=fails&region=99&year=2021&state=all", "/runs", "/runs/r1", "/data",
    "/data/fact_observation", "/data/fact_check?verdict=fails", "/dictionary", "/dictionary?q=verdict", "/api",
]  # fmt: skip


def key_of(served: Served, year: int, region: str = "990101") -> int:
    rows = served.rows(f"SELECT document_key FROM ix.report WHERE report_year = {year} AND region_code = '{region}' "
                       "AND is_current ORDER BY title")  # fmt: skip
    return int(rows[0]["document_key"])


@pytest.mark.parametrize("path", PAGES)
def test_page_answers_in_both_languages(served: Served, path: str) -> None:
    join = "&" if "?" in path else "?"
    zh, en = (served.ask(f"{path}{join}lang={lang}") for lang in ("zh", "en"))
    assert (zh.status, en.status) == (200, 200)
    assert '<html lang="zh-CN">' in zh.text and '<html lang="en">' in en.text
    assert "跳到正文" in zh.text and "Skip to content" in en.text
    for answer in (zh, en):
        assert answer.text.count("<h1") == 1
        assert not re.search(r"<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=\"", answer.text), "inline script or style"


def test_language_is_remembered_and_guessed(served: Served) -> None:
    cookie = served.ask("/?lang=en").headers["set-cookie"]
    assert "fazhi_lang=en" in cookie and "HttpOnly" in cookie
    assert '<html lang="en">' in served.ask("/", {"cookie": "fazhi_lang=en", "accept-language": "zh-CN"}).text
    assert '<html lang="en">' in served.ask("/", {"accept-language": "fr, en-GB;q=0.8"}).text
    assert '<html lang="zh-CN">' in served.ask("/", {"accept-language": "fr"}).text


def test_overview_counts_and_gaps(served: Served) -> None:
    text = served.ask("/?lang=en").text
    for count, what in ((9, "reports"), (3, "regions"), (4, "years")):
        assert f"<strong>{count}</strong><span>{what}" in text
    assert text.count('<td class="gap">') == 1, "990102 has no report of 2020"
    assert "18 / 20 = 95%" in text


def test_search_finds_in_both_languages(served: Served) -> None:
    for words in ("收到行政复议", "reconsideration applications received", "RECONSIDERATION_applications"):
        found = served.ask(f"/metrics?q={quote(words)}")
        assert f"/metrics/{RATE}" in found.text and "disputes_mediated" not in found.text
    part = served.ask("/metrics?q=xyzzy&lang=en", {"hx-request": "true", "hx-target": "found"})
    assert "No metric fits" in part.text and "<html" not in part.text


def test_metric_marks_and_leads_to_statements(served: Served) -> None:
    text = served.ask("/metrics/reconsideration_correction_rate?year=2021&lang=en").text
    assert 'class="value disputed"' in text
    links = re.findall(r"/documents/(\d+)#o(\d+)", text)
    assert links
    for document, statement in links:
        assert f'id="o{statement}"' in served.ask(f"/documents/{document}").text
    target = served.ask("/metrics/disputes_mediated?year=2022&lang=en").text
    assert 'class="value target"' in target and '<span class="hidden"> target</span>' in target
    part = served.ask("/metrics/disputes_mediated?year=2020&lang=en").text
    assert 'class="value part"' in part


def test_chart_leaves_targets_and_part_years_out(served: Served) -> None:
    told = served.ask("/metrics/disputes_mediated/chart.json?year=2020&level=county").json()
    assert sum(one["n"] for one in told["histogram"]) == 1, "the part-year figure of 990201 is not compared"
    kinds = {
        point["kind"]
        for line in served.ask("/metrics/disputes_mediated/chart.json?year=2020&regions=990101,990201").json()["lines"]
        for point in line["points"]
    }
    assert {"", "part", "target"} <= kinds


def test_region_tells_why_a_cell_is_empty_and_compares(served: Served) -> None:
    text = served.ask("/regions/990102?lang=en&with=990101&year=2021").text
    assert 'title="no report"' in text
    assert "Restated figures" in text and "Median, same level and province" in text
    row = re.search(r'<tr><th scope="row"><a href="/metrics/disputes_mediated\?year=2021".*?</tr>', text, re.S)
    assert row and ">95<" in row[0] and ">520<" in row[0]


def test_reader_marks_numbers_and_links_both_ways(served: Served) -> None:
    text = served.ask(f"/documents/{key_of(served, 2021)}?lang=en").text
    marks = re.findall(r'<a class="num-mark fate-(\w+)" id="n(\d+)" href="#o(\d+)"', text)
    assert {"fails", "held", "target", "stated"} <= {fate for fate, _, _ in marks}
    for _, start, statement in marks:
        assert f'<tr id="o{statement}"' in text and f'href="#n{start}"' in text
    assert "95% stated; 18 / 20 = 95%" in text
    plain = re.sub(r"<[^>]+>", "", re.search(r"<article.*?</article>", text, re.S)[0])  # type: ignore[index]
    assert "收到复议申请75件，受理70件，不予受理5件。" in plain


def test_removed_passages_stand_at_their_places(served: Served) -> None:
    key = key_of(served, 2022, "990201")
    text = served.ask(f"/documents/{key}?lang=en").text
    article = re.search(r"<article.*?</article>", text, re.S)
    assert article and re.search(
        r'alert\(1\)&lt;/script&gt;<a class="cut" id="x1" href="#r1"[^>]*></a>收到', article[0]
    )
    assert re.findall(r'id="x(\d)"', article[0]) == ["1", "2"] and re.findall(r'<li id="r(\d)"', text) == list("123")
    assert "spam removed (2)" in text and "injected link to elsewhere" in text and "not within this text" in text
    assert 'href="http://evil.example' not in text and 'href="javascript:' not in text, "addresses are text only"
    removed = served.ask(f"/api/v1/documents/{key}").json()["removed"]
    assert [(one["number"], one["kind"]) for one in removed] == [(1, "spam_link"), (2, "hidden"), (3, "hidden")]
    found = served.ask("/findings?kind=spam&lang=en").text
    assert f'/documents/{key}#x1"' in found and f'/documents/{key}#r3"' in found


def test_restatements_are_filtered_by_source(served: Served) -> None:
    rows = served.rows("SELECT source_ids FROM ix.restated")
    source = rows[0]["source_ids"][0]
    fits = sum(source in row["source_ids"] for row in rows)
    assert 0 < fits < len(rows)
    assert f">{fits} findings<" in served.ask(f"/findings?kind=restated&lang=en&source={source}").text
    assert ">0 findings<" in served.ask("/findings?kind=restated&lang=en&source=nobody").text


def test_every_mark_of_a_drawing_leads_on(served: Served) -> None:
    told = served.ask("/metrics/disputes_mediated/chart.json?year=2021&level=county&regions=990101").json()
    bars = [one for one in told["histogram"] if one["n"]]
    marks = [*bars, *told["medians"], *told["map"]["points"], *(p for line in told["lines"] for p in line["points"])]
    assert len(marks) > 5
    for mark in marks:
        path, _, place = mark["href"].partition("#")
        answer = served.ask(path)
        assert answer.status == 200 and f'id="{place}"' in answer.text, mark["href"]


def test_versions_are_compared(served: Served) -> None:
    key = key_of(served, 2019)
    page = served.ask(f"/documents/{key}?lang=en").text
    other = re.search(rf"/documents/{key}/versions/(\d+)", page)
    assert other
    text = served.ask(f"/documents/{key}/versions/{other[1]}?lang=en").text
    assert "受理36件，不予受理4件。</del>" in text and "受理35件，不予受理5件。</ins>" in text
    assert ">36件<" in text and ">35件<" in text and ">300件<" not in text
    elsewhere = key_of(served, 2020)
    assert served.ask(f"/documents/{key}/versions/{elsewhere}").status == 404


def test_hostile_report_is_only_text(served: Served) -> None:
    key = key_of(served, 2022, "990201")
    for path in (f"/documents/{key}", "/documents", "/regions/990201"):
        text = served.ask(path).text
        assert "<script>alert" not in text and "<b>2022" not in text
    assert "&lt;script&gt;alert(1)" in served.ask(f"/documents/{key}").text
    source = served.ask(f"/documents/{key}/source").text
    assert "alert(" not in source or "&lt;script&gt;" in source


def test_observation_has_an_address_of_its_own(served: Served) -> None:
    one = served.rows("SELECT observation_key, document_key FROM ix.mark LIMIT 1")[0]
    answer = served.ask(f"/observations/{one['observation_key']}")
    assert answer.status == 302
    assert answer.headers["location"] == f"/documents/{one['document_key']}#o{one['observation_key']}"


def test_run_leads_to_what_it_brought(served: Served) -> None:
    text = served.ask("/runs/r1?lang=en").text
    assert "2020年法治政府建设情况报告" in text and "observation_value" in text
    changes = served.ask("/runs?lang=en").text
    assert "new text" in changes and "added" in changes and "fazhi release diff" in changes


@pytest.mark.parametrize(
    "path",
    ["/metrics/nope", "/regions/123456", "/documents/1", "/observations/1", "/runs/none", "/nowhere", "/data/nope"],
)
def test_what_is_not_there_is_said(served: Served, path: str) -> None:
    answer = served.ask(f"{path}?lang=en")
    assert answer.status == 404 and "Not found" in answer.text and "Traceback" not in answer.text


@pytest.mark.parametrize(
    "path", ["/regions/abc", "/metrics?section=" + "x" * 41, "/documents/x", "/findings?year=20", "/metrics/Rate%27--"]
)
def test_what_is_not_understood_is_said(served: Served, path: str) -> None:
    answer = served.ask(path)
    assert answer.status == 422 and "<h1>" in answer.text
