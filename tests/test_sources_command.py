"""`fazhi sources` and its doctor: verdict, cause and cure; `fazhi new-source` as a command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from connectors.registry import default_ids, load_source, load_sources
from fazhi.settings import ROOT
from fazhi.sources_command import diagnose, find_lacking, mark_verified
from tests.onboarding.layouts import LAYOUTS
from tests.onboarding.replica import ReplicaSite

SOURCES = load_sources([ROOT / "connectors" / "sources"])
FAZHI = Path(sys.executable).parent / "fazhi"


def run(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FAZHI_")}
    env = clean | {"FAZHI_HOME": str(folder / "data"), "NO_COLOR": "1", "COLUMNS": "200"}
    env |= {f"FAZHI_{name.upper()}": value for name, value in settings.items()}
    return subprocess.run([str(FAZHI), *arguments], env=env, cwd=folder, capture_output=True, text=True, timeout=115)


@pytest.mark.parametrize(
    ("health", "failure", "verdict", "cure"),
    [
        ("ok", "", "healthy", "nothing to do"),
        ("overdue", "", "silent", "is due"),
        ("empty", "", "empty", "wanted titles"),
        ("failing", "x: layout-changed 版式变更: no page states its date", "layout changed", "proposed repair"),
        ("failing", "x answers 200: a challenge page (nsd=) instead of the content", "blocked", "wait"),
        ("failing", "x: the lists hold 2 rows, the source asserts at least 30", "too short", "min_list_rows"),
        ("failing", "x: robots.txt forbids it", "denied", "robots.txt"),
        ("failing", "http://x/ answers 404: there is no such page", "gone", "new-source"),
        ("failing", "something new", "failing", "FAZHI_LOG"),
    ],
)
def test_a_verdict_names_cause_and_cure(health: str, failure: str, verdict: str, cure: str) -> None:
    told = diagnose(SOURCES["640324_tongxin"], {"health": health, "last_failures": [failure] if failure else []})
    assert verdict in told[0] and cure in told[1]


def test_a_source_never_crawled_and_one_not_verified_are_told_apart() -> None:
    assert "never crawled" in diagnose(SOURCES["640324_tongxin"], {})[0]
    assert "unverified" in diagnose(SOURCES["420100_wuhan"], {})[0]


def test_the_doctor_is_not_content_with_what_never_ran(tmp_path: Path) -> None:
    done = run(tmp_path, "sources", "doctor", "640324_tongxin")
    assert done.returncode == 1
    assert "never crawled" in done.stdout and "fazhi nightly --source 640324_tongxin" in done.stdout
    assert run(tmp_path, "sources", "doctor", "640324_tongxi").returncode == 2


def test_the_list_shows_which_sources_nobody_has_confirmed(tmp_path: Path) -> None:
    lines = run(tmp_path, "sources").stdout.splitlines()
    assert sum("unverified" in line for line in lines) == sum(not one.verified for one in SOURCES.values())
    assert any("640324_tongxin" in line and "never crawled" in line for line in lines)


def test_what_nobody_has_confirmed_is_no_part_of_the_default_nightly() -> None:
    waiting = {name for name, source in SOURCES.items() if not source.verified}
    assert waiting and not waiting & set(default_ids(SOURCES))
    assert waiting | set(default_ids(SOURCES)) == set(SOURCES)


def test_a_source_without_fixture_or_without_a_good_run_is_not_verified(tmp_path: Path) -> None:
    folder = ROOT / "connectors" / "sources"
    done = run(tmp_path, "sources", "verify", "420100_wuhan")
    assert done.returncode == 1 and len(done.stderr.strip().splitlines()) == 1
    assert "no readable fixture" in done.stderr and "no good run" in done.stderr
    good = {"health": "overdue", "documents": 3}
    assert find_lacking(folder / "640324_tongxin.yaml", SOURCES["640324_tongxin"], good) == []
    (unrun,) = find_lacking(folder / "640324_tongxin.yaml", SOURCES["640324_tongxin"], {"health": "failing"})
    assert "fazhi nightly --source 640324_tongxin" in unrun
    assert "verified already" in run(tmp_path, "sources", "verify", "640324_tongxin").stdout


def test_the_mark_is_taken_out_and_nothing_else(tmp_path: Path) -> None:
    waiting = ROOT / "connectors" / "sources" / "420100_wuhan.yaml"
    path = tmp_path / waiting.name
    path.write_text(waiting.read_text(encoding="utf-8"), encoding="utf-8")
    mark_verified(path)
    assert load_source(path).verified
    assert path.read_text(encoding="utf-8") == waiting.read_text(encoding="utf-8").replace("verified: false\n", "")


def test_new_source_as_a_command(tmp_path: Path) -> None:
    portal = LAYOUTS["hanweb_store"][0]()
    with ReplicaSite(portal) as site:
        done = run(tmp_path, "new-source", f"{portal.host}/", "--yes", "--out", "new", replay=site.url)
        assert done.returncode == 0, done.stderr
        assert "hanweb" in done.stdout and "青禾县2024年法治政府建设情况报告" in done.stdout
        assert (tmp_path / "new" / "990501_qinghe.yaml").is_file()
        again = run(tmp_path, "new-source", f"http://{portal.host}/", "--yes", "--out", "new", replay=site.url)
        assert again.returncode == 0
        assert [path.name for path in (tmp_path / "new").glob("*.yaml")] == ["990501_qinghe.yaml"]
        missing = run(tmp_path, "new-source", "http://www.nowhere.example/", "--yes", "--out", "none", replay=site.url)
        assert missing.returncode == 1 and "cannot be had" in missing.stderr
        assert len(missing.stderr.strip().splitlines()) == 1
