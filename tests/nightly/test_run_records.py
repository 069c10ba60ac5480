"""The record that a run leaves: what it holds, when it is written, what a reader says of one it cannot read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.crawled import CrawlResult
from fazhi.report import SourceLine
from fazhi.settings import Settings
from tasks.watch import Watch, watch_run
from tests.conftest import ROOT
from tests.connectors.portal import source
from warehouse.batch import LoadResult
from warehouse.release import Release
from warehouse.run_records import (
    FORMAT,
    LOST,
    RunRecord,
    RunUnreadable,
    SourceRun,
    as_it_is,
    hold_run,
    now,
    read_run,
    run_files,
    write_run,
)

COUNTS = {"planned": 2, "fetched": 1, "unchanged": 1, "new": 1, "blocked": 0, "failed": 0, "deferred": 0}
LINE = SourceLine(source().id, "乌有县人民政府", "Wuyou County", "ok", COUNTS, 7, 9, 1, 1.25, ("x",), ("y",))
LOADED = LoadResult(source().id, 1, 0, 0, 1, 0, 0, 0, 7, 9, 0, 0, {}, 1)
FOLDER = Path("releases")


def crawl(watch: Watch, status: str = "ok") -> None:
    watch.begin_source(CrawlResult(source()))
    watch.end_source(source(), replace(LINE, status=status), LOADED)


def test_run_leaves_its_record(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    settings.releases.mkdir()
    (settings.releases / "CURRENT").write_text("2026-01-01_aaaaaaaa\n", encoding="utf-8")
    with watch_run(settings, "run-1", [source()]) as watch:
        crawl(watch)
        watch.release = Release("2026-01-02_bbbbbbbb", FOLDER, "bb", True, {}, 1, 0)
    (path,) = (tmp_path / "runs").iterdir()
    assert path.name.endswith("Z_run-1.json")
    told = json.loads(path.read_text(encoding="utf-8"))
    assert told["format"] == 1 and told["kind"] == "nightly" and told["sources"][0]["counts"] == COUNTS
    record = read_run(path)
    assert (record.run_id, record.flow_run_id, record.status, record.problem) == ("run-1", "run-1", "done", "")
    assert (record.release_before, record.release) == ("2026-01-01_aaaaaaaa", "2026-01-02_bbbbbbbb")
    assert record.has_new_release and record.asked == (source().id,) and record.not_reached == ()
    (one,) = record.sources
    assert (one.region_code, one.seconds, one.observations, one.outcome) == (source().region_code, 1.25, 7, "new")
    assert (one.failures, one.notes) == (("x",), ("y",))


def test_stopped_run_leaves_what_it_came_to(tmp_path: Path) -> None:
    other = source(id="990901_zaiyou")
    with pytest.raises(KeyboardInterrupt), watch_run(Settings(home=tmp_path), "run-2", [source(), other]) as watch:
        crawl(watch, "failed")
        raise KeyboardInterrupt
    (path,) = run_files(tmp_path / "runs")
    record = read_run(path)
    assert (record.status, record.problem, record.release) == ("stopped", "KeyboardInterrupt", None)
    assert [one.outcome for one in record.sources] == ["failed"] and record.not_reached == (other.id,)


def test_record_that_cannot_be_written_costs_a_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "runs").write_text("no folder", encoding="utf-8")
    with watch_run(Settings(home=tmp_path), "run-3", [source()]) as watch:
        crawl(watch)
    assert len(watch.notes) == 1 and "no record of this run in" in watch.notes[0]


KILLED = """
import sys
from pathlib import Path
from fazhi.settings import Settings
from tasks.watch import watch_run
with watch_run(Settings(home=Path(sys.argv[1])), "run-k", []):
    print("running", flush=True)
    sys.stdin.read()
"""


def test_run_that_was_killed_is_lost(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "running\n"
        (path,) = run_files(tmp_path / "runs")
        begun = read_run(path)
        assert begun.status == "running" and as_it_is(path, begun) == begun
        process.kill()
    lost = as_it_is(path, read_run(path))
    assert lost.status == "lost" and lost.problem == LOST and read_run(path).status == "running"
    with watch_run(Settings(home=tmp_path), "run-next", []):
        assert read_run(path) == lost, "the next run has marked it"
        running = next(one for one in run_files(tmp_path / "runs") if one != path)
        assert as_it_is(running, read_run(running)).status == "running"
    assert {read_run(one).status for one in run_files(tmp_path / "runs")} == {"lost", "done"}
    assert sorted(run_files(tmp_path / "runs")) == sorted((tmp_path / "runs").iterdir()), "no lock is left"


def test_lock_without_a_readable_record_is_taken_away(tmp_path: Path) -> None:
    for name in (".20250101T000000Z_gone.lock", ".20250102T000000Z_half.lock", "20250102T000000Z_half.json"):
        (tmp_path / name).write_bytes(b"{")
    record = RunRecord(FORMAT, "run-1", None, "nightly", now(), 0.0, "running", "", (), None, None, (), ())
    with hold_run(tmp_path, record, 5):
        assert len(list(tmp_path.glob(".*.lock"))) == 1
    assert [path.suffix for path in tmp_path.iterdir()] == [".json", ".json"]


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, keep_runs=2)
    for n in range(3):
        with watch_run(settings, f"run-{n}", []):
            pass
    left = run_files(settings.runs)
    assert [path.name.partition("_")[2] for path in left] == ["run-2.json", "run-1.json"]
    record, stale = read_run(left[0]), settings.runs / ".20250101T000000Z_x.json.1"
    stale.write_bytes(b"{")
    os.utime(stale, (0, 0))
    write_run(settings.runs, record, 2)
    assert sorted(settings.runs.iterdir()) == sorted(left)
    with pytest.raises(ValueError, match="run id"):
        write_run(settings.runs, replace(record, run_id="../x"), 2)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ('"seconds": 1', "damaged"),
        ('{"format": 1}', "damaged, or of another version; left out .run_id: Field required"),
        ("[]", "damaged"),
        ("\xff", "damaged"),
    ],
)
def test_record_that_cannot_be_read_is_named(tmp_path: Path, change: str, said: str) -> None:
    path = tmp_path / "20260101T000000Z_x.json"
    path.write_bytes(change.encode("latin-1"))
    with pytest.raises(RunUnreadable, match=f"^{path.name}: {said}") as caught:
        read_run(path)
    assert "\n" not in str(caught.value)


def test_record_of_another_format_is_named(tmp_path: Path) -> None:
    with watch_run(Settings(home=tmp_path), "run-1", []):
        pass
    (path,) = run_files(tmp_path / "runs")
    path.write_text(path.read_text(encoding="utf-8").replace('"format": 1', '"format": 2'), encoding="utf-8")
    with pytest.raises(RunUnreadable, match="format 2, and this program reads 1"):
        read_run(path)
    with pytest.raises(RunUnreadable, match="No such file"):
        read_run(tmp_path / "20260101T000000Z_none.json")


@pytest.mark.parametrize(
    ("status", "counts", "failures", "outcome", "reason"),
    [
        ("ok", {"fetched": 1, "changed": 1}, (), "changed", None),
        ("ok", {"unchanged": 4}, (), "unchanged", None),
        ("ok", {"unchanged": 4, "gone": 1}, (), "changed", None),
        ("ok", {"unchanged": 4, "failed": 1}, ("a page",), "unchanged", None),
        ("ok", {"failed": 3}, ("every page",), "failed", "failed"),
        ("ok", {"unchanged": 1, "deferred": 2}, (), "deferred", None),
        ("ok", {"unchanged": 1, "blocked": 1}, (), "blocked", "blocked"),
        ("ok", {"planned": 0}, (), "silent", "silent"),
        ("failed", {}, ("x: a challenge instead of the page",), "blocked", "blocked"),
        ("failed", {"fetched": 1}, ("x: the lists hold 0 rows",), "failed", "column_not_found"),
        ("failed", {"fetched": 9}, ("x: layout-changed: no title",), "failed", "layout_changed"),
        ("failed", {}, ("x: timed out",), "failed", "failed"),
    ],
)
def test_outcome_and_reason(
    status: str, counts: dict[str, int], failures: tuple[str, ...], outcome: str, reason: str | None
) -> None:
    one = SourceRun("990901_x", "990901", "", "", status, counts, 0, 0, 0, 0.0, failures, ())
    assert (one.outcome, one.reason) == (outcome, reason)
