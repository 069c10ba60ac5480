"""A night over two workers in which everything is lost once, and the nights after it: as if nothing had been."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread

import psycopg
import pytest

from sandbox.server import serve
from tests.conftest import ROOT
from tests.nightly.conftest import FAZHI
from tests.nightly.machines import PrefectServer, Worker, clean_environment, several_machines, wait_for
from tests.postgres import OwnServer
from warehouse.checkup import check_warehouse
from warehouse.engine import open_warehouse
from warehouse.fingerprint import fingerprint
from warehouse.run_records import read_run, run_files
from warehouse.steps import KILL_AT

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

SOURCES = sorted(path.stem for path in (ROOT / "sandbox" / "sources").glob("*.yaml"))
LIMIT_MB = 64


def mark_of(url: str) -> str:
    engine = open_warehouse(url)
    try:
        assert [one.test.name for one in check_warehouse(engine) if not one.holds] == []
        return fingerprint(engine)
    finally:
        engine.dispose()


def begin_undisturbed(folder: Path, api: str, **settings: str) -> subprocess.Popen[str]:
    env = clean_environment(FAZHI_HOME=str(folder / "data"), PREFECT_API_URL=api, **settings)
    command = [str(FAZHI), "nightly", *(f"--source={name}" for name in SOURCES)]
    folder.mkdir()
    return subprocess.Popen(command, env=env, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def hurried(folder: Path) -> Path:
    """The sandbox's sources with less time between two requests: slow enough to be disturbed."""
    shutil.copytree(ROOT / "sandbox" / "sources", folder)
    for path in folder.glob("*.yaml"):
        told = path.read_text(encoding="utf-8")
        assert "delay_seconds: 1\n" in told
        path.write_text(told.replace("delay_seconds: 1\n", "delay_seconds: 0.6\n"), encoding="utf-8")
    return folder


def count(url: str, table: str, state: str) -> int:
    """Rows of the running night in this state; none while the database is away, or new."""
    try:
        with psycopg.connect(url) as conn:
            row = conn.execute(f"SELECT count(*) FROM {table} WHERE state = %s".encode(), [state]).fetchone()
    except psycopg.Error:
        return 0
    assert row is not None
    return int(row[0])


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PrefectServer, OwnServer]]:
    with several_machines(tmp_path_factory.mktemp("machines")) as (server, postgres):
        yield server, postgres


@contextmanager
def at_work(server: PrefectServer, folder: Path, **settings: str) -> Iterator[list[Worker]]:
    """Two workers."""
    with ExitStack() as stack:
        workers = [Worker(name, server, folder, FAZHI_CHECKOUT=str(ROOT), **settings) for name in ("a", "b")]
        for worker in workers:
            stack.callback(worker.kill)
        yield workers


def test_a_night_in_which_everything_is_lost_once(machines: tuple[PrefectServer, OwnServer], tmp_path: Path) -> None:
    server, postgres = machines
    url = postgres.url(postgres.create())
    raw = tmp_path / "data" / "raw"
    with serve(day=1) as gateway:
        house = {"FAZHI_REPLAY": gateway.url, "FAZHI_SOURCES": str(hurried(tmp_path / "sources"))}
        whole = begin_undisturbed(tmp_path / "whole", server.api, **house)
        house |= {"FAZHI_HOME": str(tmp_path / "data"), "FAZHI_DATABASE_URL": url, "FAZHI_CONCURRENCY": "1"}
        house |= {"FAZHI_PACE": "real", "FAZHI_DELAY": "0.6", "FAZHI_ARCHIVE_LIMIT_MB": str(LIMIT_MB)}
        with at_work(server, tmp_path, **house) as workers:
            assert whole.wait(300) == 0, whole.communicate()[0]
            night = server.start_run("nightly", source=SOURCES, shards=2)
            wait_for("both shards at work", lambda: count(url, "night_source", "working") == 2)
            (victim,) = [worker for worker in workers if night not in worker.runs()]
            killed = set(victim.runs())
            n_killed = len(killed)
            assert killed
            victim.kill()
            restarting = Thread(target=server.restart)  # on a busy machine it takes longer than the night
            restarting.start()
            wait_for("taken over", lambda: count(url, "night_worker", "lost") == n_killed)
            wait_for("somebody at work", lambda: count(url, "night_source", "working"))
            postgres.restart()
            wait_for("going on", lambda: count(url, "night_source", "done"))
            with (raw / "full").open("wb") as full:
                full.truncate(LIMIT_MB << 20)
            restarting.join()
            ended = wait_for("the end of the night", lambda: server.ended(night))
            assert {run: (server.ended(run) or {}).get("type") for run in killed} == dict.fromkeys(killed, "CRASHED")
            assert ended["type"] == "FAILED" and "FAZHI_ARCHIVE_LIMIT_MB is reached" in ended["message"], ended

            (raw / "full").unlink()
            night = server.start_run("nightly", source=SOURCES, shards=2)
            ended = wait_for("the end of the next night", lambda: server.ended(night))
            assert ended["type"] == "COMPLETED", ended
    assert mark_of(url) == mark_of(f"sqlite:///{tmp_path / 'whole' / 'data' / 'warehouse.sqlite'}")
    assert count(url, "night_source", "done") == 0, "a night that has ended leaves nothing"


def test_a_source_that_kills_its_workers_is_set_aside(
    machines: tuple[PrefectServer, OwnServer], tmp_path: Path
) -> None:
    """Each shard is killed with the first source that it has crawled: two of them, and the night is told without it."""
    server, postgres = machines
    url = postgres.url(postgres.create())
    with serve(day=1) as gateway:
        house = {"FAZHI_REPLAY": gateway.url, "FAZHI_SOURCES": str(ROOT / "sandbox" / "sources")}
        house |= {"FAZHI_HOME": str(tmp_path / "data"), "FAZHI_DATABASE_URL": url, KILL_AT: "nightly-2-crawled"}
        with at_work(server, tmp_path, **house):
            night = server.start_run("nightly", source=SOURCES[:1], shards=2)
            ended = wait_for("the end of the night", lambda: server.ended(night))
            assert ended["type"] == "FAILED" and "1 of 1 sources failed" in ended["message"], ended
    (record,) = [read_run(path) for path in run_files(tmp_path / "data" / "runs")]
    (source,) = record.sources
    assert (source.source_id, source.status) == (SOURCES[0], "failed")
    assert "2 workers lost while it was crawled" in source.failures[0]
