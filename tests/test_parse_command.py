"""`fazhi parse` and the run report: derived values in a file of their own, and rules that never applied by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fazhi.cli import main
from fazhi.report import RunReport

TEXT = "青岩县2022年法治政府建设年度报告\n全年受理行政复议案件213件，比上年增加37件。信访总量357批次，下降15%。\n"


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_derived_values_go_to_their_own_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report, stated, derived = (tmp_path / name for name in ("a.txt", "observations.jsonl", "derived.jsonl"))
    report.write_text(TEXT, encoding="utf-8")
    assert main(["parse", str(report), "--observations", str(stated), "--derived", str(derived)]) == 0
    (row,) = lines(derived)
    wanted = {"doc": "a", "value": 176, "period": "2021", "status": "prior_period", "is_derived": True, "text": "37件"}
    assert {key: row[key] for key in wanted} == wanted
    assert row["evidence"] == "derived: 213 - 37"
    assert [one["value"] for one in lines(stated)] == [213, 357] and "is_derived" not in lines(stated)[0]
    assert "2 observations, 1 derived" in capsys.readouterr().out


def test_rules_that_never_applied_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "a.txt"
    report.write_text(TEXT + "收到行政复议申请142件，受理126件，不予受理16件。\n", encoding="utf-8")
    assert main(["parse", str(report)]) == 0
    told = capsys.readouterr().out.splitlines()[-1]
    silent, across = told.split("; ")
    assert "R02" in silent and "R01" not in silent
    assert across == "only between reports (nightly): R21, R28"


def test_the_run_report_names_them_too() -> None:
    report = RunReport(
        "r", "2024-03-01T00:00:00+00:00", 1.0, (), {}, {"holds": 3}, (), "a", "b", "warehouse.sqlite", None,
        never_applied=("R03", "R21"),
    )  # fmt: skip
    assert "Rules that never applied 未能适用的规则: R03, R21" in report.markdown()
