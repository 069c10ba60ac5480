"""Runs by their records: with and without news, stopped, unreadable; why a report is missing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Browser, expect

from explorer.app import Options
from explorer.run_log import RunLog
from tests.explorer.serving import Served, serving
from tests.explorer.test_browser import look, overflow, reading, serious
from warehouse.run_records import FORMAT, RunRecord, SourceRun, hold_run, run_files, write_run

NEWS, QUIET, STOPPED = (str(UUID(int=n)) for n in (1, 2, 3))
OK = SourceRun(
    "990101_lanhe", "990101", "岚禾县人民政府", "Lanhe County", "ok",
    {"planned": 3, "fetched": 1, "unchanged": 2, "new": 1}, 12, 40, 0, 2.5, (), (),
)  # fmt: skip
QUIET_ONE = replace(OK, counts={"planned": 3, "fetched": 0, "unchanged": 3, "new": 0}, observations=0)
WORDS = "990102_xishi: no row of the trs family on http://www.xishi.example/<b>zwgk</b>/"
FAILED = replace(
    OK, source_id="990102_xishi", region_code="990102", name_zh="溪石县人民政府", name_en="Xishi County",
    status="failed", counts={"planned": 1, "failed": 1}, observations=0, failures=(WORDS,), notes=("a note",),
)  # fmt: skip
BLOCKED = replace(OK, source_id="990201_b", region_code="990201", counts={"planned": 2, "fetched": 1, "blocked": 1})
SILENT = replace(OK, source_id="990202_s", region_code="990202", counts={"planned": 0})


def record(run_id: str, day: int, *sources: SourceRun, **more: object) -> RunRecord:
    told = RunRecord(
        FORMAT, run_id, run_id, "nightly", datetime(2026, 11, day, 18, tzinfo=UTC), 83.2, "done", "",
        tuple(one.source_id for one in sources), "2026-01-01_aaaaaaaa", "2026-01-01_aaaaaaaa", sources, (),
    )  # fmt: skip
    return replace(told, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, releases: Path) -> Path:
    folder = tmp_path_factory.mktemp("home") / "runs"
    current = (releases / "CURRENT").read_text(encoding="utf-8").strip()
    write_run(folder, record(NEWS, 20, OK, FAILED, BLOCKED, release=current), 10)
    write_run(folder, record(QUIET, 21, QUIET_ONE, FAILED, SILENT), 10)
    stopped = {"status": "stopped", "problem": "WarehouseError: disk full", "asked": (OK.source_id, "990102_xishi")}
    write_run(folder, record(STOPPED, 22, QUIET_ONE, **stopped), 10)
    (folder / "20261119T180000Z_old.json").write_text('{"format": 1, "run_id": 3}', encoding="utf-8")
    (folder / "20261118T180000Z_half.json").write_text('{"format": 1', encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def told(options: Options, folder: Path) -> Iterator[Served]:
    with serving(replace(options, runs=folder)) as running:
        running.wait()
        yield running


def test_every_run_is_listed_with_its_outcomes(told: Served) -> None:
    text = told.ask("/runs?lang=en").text
    order = re.findall(r'<th scope="row"><a href="/runs/([^"]+)"', text)
    assert order[:3] == [STOPPED, QUIET, NEWS] and "r1" in order, "and those that the release alone tells of"
    rows = {name: row for row in re.findall(r"<tr>.*?</tr>", text, re.S) for name in order if f"/runs/{name}" in row}
    assert ">stopped<" in rows[STOPPED] and ">not reached 1<" in rows[STOPPED] and ">unchanged 1<" in rows[STOPPED]
    assert all(f">{said} 1<" in rows[QUIET] for said in ("failed", "silent", "unchanged"))
    assert all(f">{said} 1<" in rows[NEWS] for said in ("failed", "blocked", "new")) and "1 min 23 s" in rows[NEWS]
    assert ">new release<" in rows[NEWS] and ">new release<" not in rows[QUIET]


def test_damaged_records_are_named_and_left_out(told: Served) -> None:
    text = told.ask("/runs?lang=en").text
    assert "20261119T180000Z_old.json: damaged, or of another version; left out" in text
    assert "20261118T180000Z_half.json: damaged" in text and "Traceback" not in text


def test_run_tells_its_sources_words_and_release(told: Served) -> None:
    text = told.ask(f"/runs/{NEWS}?lang=en").text
    assert f'href="http://127.0.0.1:4200/runs/flow-run/{NEWS}"' in text
    assert re.findall(r'id="s(\w+)"', text) == [FAILED.source_id, BLOCKED.source_id, OK.source_id]
    assert "no row of the trs family" in text and "&lt;b&gt;zwgk" in text and "a note" in text
    assert "new text" in text and "fazhi release diff" in text, "fact by fact: it made the release that is shown"
    quiet = told.ask(f"/runs/{QUIET}?lang=en").text
    assert "Nothing changed; the release stays" in quiet and "Data tests" not in quiet
    stopped = told.ask(f"/runs/{STOPPED}").text
    assert (
        "这次运行中断了：WarehouseError: disk full" in stopped
        and "未轮到" in stopped
        and "中断前没有做出新的发布" in stopped
    )


def test_overview_and_region_tell_what_failed_last(told: Served) -> None:
    text = told.ask("/?lang=en").text
    assert "Sources whose last crawl did not succeed (3)" in text
    assert f"/runs/{QUIET}#s990102_xishi" in text and "the column was not found" in text
    assert f"/runs/{NEWS}#s990201_b" in text and "pages blocked: 1" in text, "the last run that reached it"
    region = told.ask("/regions/990102?lang=en").text
    assert 'title="no report; last crawl: the column was not found"' in region and "no row of the trs" in region
    assert 'id="why"' not in told.ask("/regions/990101").text


def test_log_follows_its_folder(tmp_path: Path) -> None:
    log = RunLog(tmp_path / "runs", 0)
    assert log.seen().runs == () and log.record("none") is None
    write_run(tmp_path / "runs", record(NEWS, 20, FAILED), 2)
    assert [one.run_id for one in log.seen().runs] == [NEWS] and len(log.seen().in_trouble) == 1
    well = replace(FAILED, status="ok", counts={"planned": 1, "fetched": 1}, failures=())
    write_run(tmp_path / "runs", record(QUIET, 21, well), 2)
    assert log.seen().in_trouble == [], "mended since"
    for day in (22, 23):
        write_run(tmp_path / "runs", record(str(UUID(int=day)), day), 2)
    assert len(log.seen().runs) == len(run_files(tmp_path / "runs")) == 2 and log.seen().last == {}


def test_runs_are_data_at_stable_addresses(told: Served) -> None:
    answer = told.ask("/api/v1/runs?limit=2").json()
    assert [run["run_id"] for run in answer["runs"]] == [STOPPED, QUIET] and answer["total"] > 3
    assert answer["runs"][1]["outcomes"] == {"unchanged": 1, "failed": 1, "silent": 1}
    following = told.ask("/api/v1/runs?limit=2&offset=2").json()["runs"]
    assert following[0]["run_id"] == NEWS and following[1]["outcomes"] is None
    run = told.ask(f"/api/v1/runs/{STOPPED}").json()
    assert run["record"]["not_reached"] == ["990102_xishi"] and run["record"]["sources"][0]["outcome"] == "unchanged"
    brought = told.ask("/api/v1/runs/r1").json()
    assert brought["record"] is None and brought["loads"][0]["n_inserted"] > 0
    paths = told.ask("/api/openapi.json").json()["paths"]
    assert {"/api/v1/runs", "/api/v1/runs/{run_id}"} <= set(paths)


def test_run_that_goes_on_and_one_that_was_lost(options: Options, tmp_path: Path) -> None:
    folder, going, lost = tmp_path / "runs", str(UUID(int=8)), str(UUID(int=9))
    begun = {"status": "running", "seconds": 0.0, "asked": (OK.source_id,)}
    write_run(folder, record(lost, 23, **begun), 9)
    with hold_run(folder, record(going, 24, **begun), 9), serving(replace(options, runs=folder)) as one:
        one.wait()
        text = one.ask("/runs?lang=en").text
        assert ">running<" in text and ">lost<" in text and "not reached" not in text
        assert "is going on" in one.ask(f"/runs/{going}?lang=en").text
        assert "ended without a word" in one.ask(f"/runs/{lost}?lang=en").text
        assert one.ask(f"/api/v1/runs/{lost}").json()["record"]["status"] == "lost"
        assert [run["status"] for run in one.ask("/api/v1/runs?limit=2").json()["runs"]] == ["running", "lost"]
        assert "Sources whose last crawl" not in one.ask("/?lang=en").text


def test_first_night_that_failed_is_told_without_a_release(options: Options, tmp_path: Path) -> None:
    write_run(tmp_path / "runs", record(STOPPED, 22, FAILED, release=None, status="stopped", problem="x: full"), 2)
    with serving(replace(options, releases=tmp_path / "releases", runs=tmp_path / "runs")) as one:
        page = one.wait("/?lang=en", 503)
        while "Getting ready" in page.text:
            page = one.ask("/?lang=en")
        listed = one.ask("/runs?lang=en")
        told = one.ask(f"/runs/{STOPPED}?lang=en")
        data = one.ask("/api/v1/runs")
        assert one.ask("/runs/nothing").status == one.ask("/api/v1/runs/nothing").status == 404
    assert listed.status == told.status == data.status == 200, "runs are told without a release"
    assert f"/runs/{STOPPED}" in listed.text and "no row of the trs family" in told.text
    assert data.json()["release"] is None and [run["run_id"] for run in data.json()["runs"]] == [STOPPED]
    assert (
        "No release yet" in page.text
        and "no row of the trs family" in page.text
        and ">stopped<" in page.text
        and "x: full" in page.text
    )


@pytest.mark.parametrize("screen", ["wide", "phone"])
def test_runs_fit_the_screen_and_read_aloud(browser: Browser, told: Served, screen: str) -> None:
    with reading(browser, told.address, screen) as page:
        for path in ("/runs", f"/runs/{NEWS}", f"/runs/{STOPPED}", "/", "/regions/990102"):
            look(page, told, path, f"runs-{screen}-{len(path)}")
            assert overflow(page) == 0 and serious(page) == [], path
        page.goto(told.address)
        page.locator("#troubles + ul a").first.click()
        expect(page.locator("tr:target")).to_contain_text("溪石县人民政府")
