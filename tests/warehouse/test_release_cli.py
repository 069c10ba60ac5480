"""`fazhi release` and `fazhi export` as a person types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fazhi.cli import main
from tests.warehouse.builders import batch, report
from tests.warehouse.conftest import load
from tests.warehouse.tables import A, B
from warehouse.engine import open_warehouse


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FAZHI_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("FAZHI_DATABASE_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "data"


def fill(home: Path, day: int, text: str) -> None:
    engine = open_warehouse(f"sqlite:///{home / 'warehouse.sqlite'}")
    load(engine, batch(report(2020, text, day=day), run=f"r{day}", day=day))
    engine.dispose()


def test_make_list_diff_and_export(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["release", "make"]) == 2 and "run `fazhi nightly` first" in capsys.readouterr().err
    assert main(["release", "list"]) == 2 and "run `fazhi release make`" in capsys.readouterr().err
    fill(home, 1, A)
    assert main(["release", "make"]) == 0
    fill(home, 2, B)
    assert main(["release", "make"]) == 0 and main(["release", "make"]) == 0
    assert "nothing has changed since" in capsys.readouterr().out
    assert main(["release", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3 and lines[1].startswith("* ") and lines[2].startswith("  ")
    assert main(["release", "diff"]) == 0
    told = capsys.readouterr().out
    assert "values     1 changed, 2 moved, 2 removed" in told and "「受理7件」" in told
    assert "2020 accepted 受理: 8 case (final) -> 7 case (final)" in told
    assert main(["release", "diff", "--limit", "1"]) == 0 and "… 4 more" in capsys.readouterr().out
    assert main(["release", "diff", "PREVIOUS", "CURRENT", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["values"]) == 5
    assert main(["release", "diff", "1999"]) == 3 and "there are 20" in capsys.readouterr().err
    assert main(["export", "--to", "out", "--format", "xlsx", "--region", "99", "--metric", "accepted"]) == 0
    assert "1 values, 1 statements, 1 documents" in capsys.readouterr().out
    assert {path.name for path in (home.parent / "out").iterdir()} == {"fazhi.xlsx", "datapackage.json"}
    assert main(["export", "--to", "old", "--as-of", "2021-06-01", "--release", "PREVIOUS"]) == 0
    capsys.readouterr()
    for wrong, said in (
        (["--region", "33"], "near: 990101"),
        (["--metric", "acepted"], "near: accepted"),
        (["--as-of", "2021-13-01"], "2021-13-01"),
        (["--as-of", "1999-01-01"], "nothing to export"),
        (["--format", "pdf"], "pdf"),
    ):
        assert main(["export", "--to", "none", *wrong]) == 2
        assert said in capsys.readouterr().err
    assert not (home.parent / "none").exists()
