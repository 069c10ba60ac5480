"""Shards of a night as processes: one host between them, and a night that has no shards to be had."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.sharing import LOST, _Crew
from sandbox.server import serve
from tests.conftest import ROOT
from tests.nightly.conftest import House
from tests.nightly.machines import clean_environment, wait_for
from tests.nightly.prefect_api import ask
from warehouse.claims import Claims
from warehouse.crawl_state import open_crawl_state
from warehouse.engine import open_warehouse
from warehouse.run_records import read_run, run_files

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

NIGHT = "11111111-2222-4333-8444-555555555555"
SHARD = "import asyncio, sys; from flows.shard import shard; print(asyncio.run(shard(night=sys.argv[1])))"
DELAY = 0.3


def write_twins(folder: Path) -> list[str]:
    """Two sources on one host: a list each."""
    told = (ROOT / "sandbox" / "sources" / "990101_lanhe.yaml").read_text(encoding="utf-8")
    folder.mkdir()
    for source_id in ("990101_lanhea", "990101_lanheb"):
        text = told.replace("id: 990101_lanhe\n", f"id: {source_id}\n")
        text = text.replace("delay_seconds: 1\n", f"delay_seconds: {DELAY}\n")
        (folder / f"{source_id}.yaml").write_text(text, encoding="utf-8")
    return ["990101_lanhea", "990101_lanheb"]


@contextmanager
def shared_out(tmp_path: Path, ids: list[str]) -> Iterator[Claims]:
    """A night of which these sources are shared out."""
    engine = open_warehouse(f"sqlite:///{tmp_path / 'data' / 'warehouse.sqlite'}")
    state = open_crawl_state(engine)
    claims = Claims(state, NIGHT)
    claims.begin(ids)
    yield claims
    state.dispose()
    engine.dispose()


def start_shard(api: str, tmp_path: Path, gateway: str, delay: float) -> subprocess.Popen[str]:
    env = clean_environment(
        FAZHI_HOME=str(tmp_path / "data"), FAZHI_REPLAY=gateway, FAZHI_SOURCES=str(tmp_path / "sources"),
        FAZHI_PACE="real", FAZHI_DELAY=str(delay), FAZHI_CONCURRENCY="1", PREFECT_API_URL=api,
        PREFECT_HOME=str(tmp_path / "prefect"), PREFECT_LOGGING_LEVEL="CRITICAL",
    )  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-c", SHARD, NIGHT],
        cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_two_shards_ask_one_host_no_faster_than_one(prefect_api: str, tmp_path: Path) -> None:
    ids = write_twins(tmp_path / "sources")
    with serve(day=1) as gateway, shared_out(tmp_path, ids) as claims:
        shards = [start_shard(prefect_api, tmp_path, gateway.url, DELAY) for _ in range(2)]
        told = [shard.communicate(timeout=400) for shard in shards]
        assert [out for out, _ in told] == ["1 sources crawled\n"] * 2, told
        assert claims.look().done == 2
    with sqlite3.connect(tmp_path / "data" / "warehouse.sqlite") as conn:
        rows = conn.execute("SELECT started_at, run_id FROM fact_fetch ORDER BY 1").fetchall()
    starts = [datetime.fromisoformat(row[0]).timestamp() for row in rows]
    assert len(starts) > 20 and {row[1] for row in rows} == {NIGHT}, "both tell of the night, not of themselves"
    assert min(later - earlier for earlier, later in pairwise(starts)) > 0.8 * DELAY


def test_a_shard_stops_when_its_night_is_stopped_and_one_that_is_killed_has_crashed(
    prefect_api: str, tmp_path: Path
) -> None:
    ids = write_twins(tmp_path / "sources")
    with serve(day=1) as gateway, shared_out(tmp_path, ids) as claims:
        shard, victim = (start_shard(prefect_api, tmp_path, gateway.url, 20) for _ in range(2))
        wait_for("both shards at work", lambda: len(claims.look().alive) == 2)
        victim.kill()
        victim.communicate()
        (lost,) = wait_for("the loss of one", lambda: claims.look().lost)
        assert ask(prefect_api, f"flow_runs/{lost}")["state"]["type"] == "RUNNING", "nobody has told the server"
        (living,) = claims.look().alive
        crew = _Crew(cast(Any, SimpleNamespace(run_id=NIGHT)), 2)
        with temporary_settings({PREFECT_API_URL: prefect_api}):
            asyncio.run(crew.tell_lost(claims.look()))
        states = [ask(prefect_api, f"flow_runs/{run}")["state"] for run in (lost, living)]
        assert [state["type"] for state in states] == ["CRASHED", "RUNNING"]
        assert states[0]["message"] == LOST
        claims.end()
        out, err = shard.communicate(timeout=200)
    assert out == "the night is over\n", err


def test_a_night_without_shards_to_be_had_crawls_by_itself(house: House, give_prefect: Callable[[Path], None]) -> None:
    """The command starts a server of its own, which knows no deployment."""
    give_prefect(house.folder / "data")
    with serve(day=1) as gateway:
        settings = {"replay": gateway.url, "sources": str(ROOT / "sandbox" / "sources"), "shards": "2"}
        done = house.run("nightly", "--source", "990101_lanhe", "--source", "990102_jichuan", **settings)
    assert done.returncode == 0, done.stdout + done.stderr
    (record,) = [read_run(path) for path in run_files(house.folder / "data" / "runs")]
    assert [(one.source_id, one.status) for one in record.sources] == [("990101_lanhe", "ok"), ("990102_jichuan", "ok")]
    assert len(record.notes) == 1 and "the server knows no deployment shard/shard" in record.notes[0]
