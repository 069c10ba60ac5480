"""`fazhi db current|check|upgrade`, as an operator uses them on a database of an earlier release."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from fazhi.cli import main
from warehouse.creation import REVISION

FIXTURES = Path(__file__).parent / "fixtures"


def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FAZHI_HOME", str(tmp_path))
    monkeypatch.setenv("FAZHI_DATABASE_URL", "")

    def run(*words: str) -> tuple[int, str, str]:
        code = main(["db", *words])
        return code, *capsys.readouterr()

    code, _, err = run("current")
    assert code == 2 and "no warehouse at" in err
    (tmp_path / "warehouse.sqlite").write_bytes(gzip.decompress((FIXTURES / "version-1.sqlite.gz").read_bytes()))
    code, out, _ = run("current")
    assert code == 0 and "revision   0001" in out and "run `fazhi db upgrade`" in out and "engine     sqlite 3" in out
    code, out, err = run("check")
    assert code == 1 and "FAIL tables" in out and "the schema differs" in err
    code, out, err = run("upgrade")
    assert (code, err) == (0, "") and "0002 History" in out and f"from revision 0001 to {REVISION}" in out
    code, out, _ = run("check")
    assert code == 0 and "FAIL" not in out and "ok   reserved members" in out
    code, out, _ = run("upgrade")
    assert code == 0 and f"revision {REVISION} already" in out
