"""The benchmark of Prefect's share in a night, on a tiny scale."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.orchestration import main
from fazhi.house import server_settings


def test_the_server_of_the_benchmark_is_set_up_as_the_houses_own() -> None:
    settings = server_settings()
    assert settings["PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE"] == "200"
    assert all(name.startswith(("PREFECT_SERVER_", "DO_NOT_TRACK")) for name in settings)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_both_nights_do_the_same_and_are_told_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "figures.json"
    assert main(["--sources", "3", "--pages", "12", "--repeat", "1", "--pace", "bare", "--json", str(out)]) == 0
    figures = json.loads(out.read_text(encoding="utf-8"))
    assert json.loads(capsys.readouterr().out) == figures
    (recorded,), (plain,) = figures["bare"]["prefect"], figures["bare"]["plain"]
    for night in (recorded, plain):
        assert night["unchanged"] and not night["failed"]
        assert night["pages_unchanged"] >= 3 * 12
    assert recorded["pages_unchanged"] == plain["pages_unchanged"]
    assert recorded["run_id"] != plain["run_id"]
    assert recorded["task_runs_per_source"] <= 5, "the bar"
    assert "task_runs" not in plain
    assert {"wall_overhead", "cpu_overhead", "process_wall_overhead"} <= figures["bare"].keys()
