"""A domain person's way: copy or edit catalog/, `fazhi catalog check`, `fazhi parse`. No Python is touched."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from fazhi.cli import main
from tests.conftest import ROOT

ADDED = """
- code: rol_kiosks
  tier: extended
  name_zh: 法治便民亭数
  name_en: rule-of-law kiosks
  definition: Kiosks where residents read about the law, in place at the time of the report.
  unit: site
  kind: count
  measure: stock
  additive: false
  part_of: null
  plausible_range: [0, 1000]
  synonyms_zh: [法治便民亭]
  readings:
  - topic: [publicity]
    words: [法治便民亭, 普法小站]
    not: [选址]
    units: [个, 处, 座]
  examples:
  - text: 加强普法宣传,建成法治便民亭18座。
    expect: {value: 18}
  - text: 开展普法宣传,完成普法小站选址18处。
    expect: {value: null}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the catalogue that FAZHI_CATALOG names."""
    copy = tmp_path / "catalog"
    shutil.copytree(ROOT / "catalog", copy)
    monkeypatch.setenv("FAZHI_CATALOG", str(copy))
    return copy


def _add(folder: Path, text: str) -> None:
    path = folder / "metrics" / "capacity_publicity.yml"
    path.write_text(path.read_text(encoding="utf-8").rstrip() + "\n" + text, encoding="utf-8")


def _parse(tmp_path: Path, sentence: str) -> list[tuple[str, float, str]]:
    report, out = tmp_path / "qingyan-2022.txt", tmp_path / "observations.jsonl"
    report.write_text(f"青岩县2022年法治政府建设年度报告\n{sentence}\n", encoding="utf-8")
    assert main(["parse", str(report), "--observations", str(out)]) == 0
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    return [(row["metric"], row["value"], row["unit"]) for row in rows]


def test_a_new_metric_is_checked_and_parsed_at_once(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _add(folder, ADDED)
    assert main(["catalog", "check"]) == 0
    assert "errors 0" in capsys.readouterr().out
    sentence = "三是深化普法宣传,在车站、集市新建普法小站25处。"
    assert _parse(tmp_path, sentence) == [("rol_kiosks", 25, "site")]
    monkeypatch.delenv("FAZHI_CATALOG")
    assert _parse(tmp_path, sentence) == []


def test_what_is_wrong_is_named_with_its_file_and_fails(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _add(folder, ADDED.replace("value: 18", "value: 81"))
    _add(folder, ADDED.replace("rol_kiosks", "rol_stands"))
    assert main(["catalog", "check"]) == 1
    said = capsys.readouterr()
    lines = said.out.splitlines()
    head = lines.index("error    example_fails  metrics/capacity_publicity.yml  rol_kiosks")
    assert "应得 81 (actual, 2022)" in lines[head + 1]
    assert "no number of that value is read (18座)" in lines[head + 2]
    head = lines.index("error    conflict  metrics/capacity_publicity.yml  rol_kiosks")
    assert "rol_stands" in lines[head + 1]
    assert "法治便民亭, 普法小站" in lines[head + 2]
    assert lines[-1] == f"{folder}: notes {_count(lines, 'note')}, warnings 2, errors {_count(lines, 'error')}"
    assert said.err == "fazhi: the catalogue has errors: each is named above with its file\n"


def _count(lines: list[str], severity: str) -> int:
    return sum(line.startswith(f"{severity} ") for line in lines)


def test_the_findings_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _add(folder, ADDED.partition("  examples:")[0])
    assert main(["catalog", "check", "--json"]) == 1
    record = json.loads(capsys.readouterr().out)
    (error,) = [finding for finding in record["findings"] if finding["severity"] == "error"]
    assert set(error) == {"code", "severity", "file", "key", "message_zh", "message_en"}
    assert (error["code"], error["key"]) == ("no_example", "rol_kiosks")
    assert record["counts"]["error"] == 1


@pytest.mark.parametrize("command", [["catalog", "check"], ["parse", "none.txt"]])
def test_a_catalogue_that_is_no_folder_is_one_line(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FAZHI_CATALOG", str(tmp_path / "nowhere"))
    assert main(command) == 2
    assert capsys.readouterr().err == f"fazhi: FAZHI_CATALOG: {tmp_path / 'nowhere'} is not a folder\n"


def test_broken_rules_are_one_line_for_parse(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "rules.yml").write_text("rules: []\n", encoding="utf-8")
    report = tmp_path / "report.txt"
    report.write_text("青岩县2022年法治政府建设年度报告", encoding="utf-8")
    assert main(["parse", str(report)]) == 2
    assert "rules.yml: expected the keys rules and deferred" in capsys.readouterr().err
