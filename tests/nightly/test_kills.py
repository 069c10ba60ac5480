"""A nightly that is killed at any of its steps and run again leaves what one that was never killed leaves."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.server import serve
from tests.conftest import ROOT
from warehouse.checkup import check_warehouse
from warehouse.engine import Engine, open_warehouse
from warehouse.fingerprint import fingerprint
from warehouse.release import current_release
from warehouse.steps import NIGHTLY

SOURCES = ("990101_lanhe", "990202_qiluan")


def warehouse_of(home: Path) -> Engine:
    return open_warehouse(f"sqlite:///{home / 'warehouse.sqlite'}")


def marts_of(home: Path) -> dict[str, bytes]:
    """What analysts read of the current release: the other tables also tell which load brought a row."""
    release = current_release(home / "releases")
    assert release is not None
    files = [path for path in sorted(release.rglob("*.parquet")) if "mart_" in str(path.relative_to(release))]
    assert files
    return {str(path.relative_to(release)): path.read_bytes() for path in files}


def last_run(home: Path) -> tuple[int, int]:
    """Pages that the last run asked the portals for, and answers that it took from the archive instead."""
    with sqlite3.connect(home / "warehouse.sqlite") as conn:
        ((run_id,),) = conn.execute("SELECT run_id FROM fact_source_run ORDER BY started_at DESC LIMIT 1")
        asked = conn.execute("SELECT count(*) FROM fact_fetch WHERE kind <> 'robots' AND run_id = ?", [run_id])
        resumed = conn.execute("SELECT sum(n_resumed) FROM fact_source_run WHERE run_id = ?", [run_id])
        return asked.fetchone()[0], resumed.fetchone()[0]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_nightly_killed_at_any_step_and_run_again_is_as_if_never_killed(prefect_api: str, tmp_path: Path) -> None:
    steps = ("", *NIGHTLY, "load-5-facts:2")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("FAZHI_", "PREFECT_"))}
    with serve(day=1) as server:
        env = clean | {
            "FAZHI_REPLAY": server.url,
            "FAZHI_SOURCES": str(ROOT / "sandbox" / "sources"),
            "PREFECT_API_URL": prefect_api,
            "PREFECT_HOME": str(tmp_path / "prefect"),
            "PREFECT_LOGGING_LEVEL": "CRITICAL",
        }
        command = [sys.executable, "-m", "tests.nightly.killed", str(tmp_path), ",".join(SOURCES), *steps]
        done = subprocess.run(command, cwd=ROOT, env=env, timeout=570, capture_output=True, text=True, check=False)
    killed = [f"{step} {-signal.SIGKILL}\n{step} 0" for step in steps[1:]]
    assert done.stdout.splitlines() == "\n".join(["whole 0", *killed]).splitlines(), done.stderr
    whole = warehouse_of(tmp_path / "whole")
    mark = fingerprint(whole)
    for step in steps[1:]:
        engine = warehouse_of(tmp_path / step)
        assert fingerprint(engine) == mark, step
        assert [one.test.name for one in check_warehouse(engine) if not one.holds] == []
        assert marts_of(tmp_path / step) == marts_of(tmp_path / "whole"), step
        engine.dispose()
    n_asked, _ = last_run(tmp_path / "whole")
    for step in ("nightly-5-released", "nightly-6-reported"):
        assert last_run(tmp_path / step) == (0, n_asked), "a run that was killed at its end asks for nothing again"
    whole.dispose()
