"""A PostgreSQL that is restarted in the midst of things: nothing is lost, nothing is done twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from tests.postgres import OwnServer
from warehouse.claims import Claims
from warehouse.crawl_state import changing, open_crawl_state
from warehouse.engine import open_warehouse, reading
from warehouse.errors import WarehouseAway, WarehouseBusy, WarehouseError
from warehouse.frontier import Frontier, FrontierRow, count_frontier
from warehouse.lanes import HostLanes
from warehouse.patience import PATIENCE_SECONDS, is_away, retried
from warehouse.schema_crawl import frontier, night, night_source

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    running = OwnServer(tmp_path_factory.mktemp("own"))
    yield running
    running.end()


@pytest.mark.slow
def test_claims_lanes_and_frontier_outlast_a_restart(server: OwnServer) -> None:
    """Three restarts while one thread does nothing else than use them: each in the midst of something."""
    engine = open_warehouse(server.url(server.create()))
    state = open_crawl_state(engine)
    claims, lanes, asked = Claims(state, "n"), HostLanes(state), Frontier(state, "n", timedelta(hours=1))
    names = [f"s{number}" for number in range(5_000)]
    claims.begin(names)
    claims.beat("one")

    claimed: list[str] = []

    def restart() -> None:
        for _ in range(3):
            n_before, until = len(claimed), time.monotonic() + 2 * PATIENCE_SECONDS
            while len(claimed) < n_before + 2 and time.monotonic() < until:  # it goes on after the last restart
                time.sleep(0.02)
            server.restart()

    restarting = threading.Thread(target=restart, daemon=True)
    restarting.start()
    while restarting.is_alive():
        name = claims.claim(f"token {len(claimed)}")
        assert isinstance(name, str)
        claimed.append(name)
        assert not isinstance(lanes.acquire("a.example", None), float)
        asked.record([(name, FrontierRow(name, name, "page", "done", datetime.now(UTC)))])
        claims.complete(name, name)
    restarting.join()
    assert claimed == names[: len(claimed)], "each once, in order"
    assert len(claimed) >= 6
    assert claims.look().done == count_frontier(state)["done"] == len(claimed)
    with reading(engine) as conn:
        assert conn.exec_driver_sql("SELECT 1").scalar_one() == 1
    state.dispose()
    engine.dispose()


def test_work_that_is_cut_off_in_its_midst_is_done_anew(server: OwnServer) -> None:
    engine = open_warehouse(server.url(server.create()))
    state = open_crawl_state(engine)
    tries = []

    @retried
    def work(n_cut: int) -> int:
        with changing(state) as conn:
            tries.append(1)
            conn.exec_driver_sql(f"CREATE TABLE made_{n_cut} (x int)")
            if len(tries) <= n_cut:
                conn.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
        return len(tries)

    assert work(2) == 3
    tries.clear()
    with pytest.raises(WarehouseAway, match="the server"):
        work(99)
    assert len(tries) == 3
    state.dispose()
    engine.dispose()


def test_work_that_is_undone_to_end_a_deadlock_is_done_anew(server: OwnServer) -> None:
    engine = open_warehouse(server.url(server.create()))
    state = open_crawl_state(engine)
    Frontier(state, "n", timedelta(hours=1)).record(
        [("s", FrontierRow(name, name, "page", "due", datetime.now(UTC))) for name in ("a", "b")]
    )
    both_hold_one, tries = threading.Barrier(2, timeout=30), list[str]()

    @retried
    def work(first: str, second: str) -> None:
        is_first_try = first not in tries
        tries.append(first)
        with changing(state) as conn:
            for name in (first, second):
                conn.execute(update(frontier).where(frontier.c.address == name).values(outcome=f"{first} was here"))
                if is_first_try and name == first:
                    both_hold_one.wait()

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(work, "a", "b"), pool.submit(work, "b", "a")]:
            done.result(timeout=60)
    assert len(tries) == 3, "one of the two was undone, once"
    state.dispose()
    engine.dispose()


def test_who_did_not_get_a_lock_in_time_tries_again() -> None:
    tries = []

    @retried
    def work(n_busy: int) -> int:
        tries.append(1)
        if len(tries) <= n_busy:
            raise WarehouseBusy("another program holds it")
        return len(tries)

    assert work(2) == 3
    tries.clear()
    with pytest.raises(WarehouseBusy):
        work(99)
    assert len(tries) == 3


def test_a_night_that_ends_while_a_shard_leaves(server: OwnServer) -> None:
    """Both go by the night's row first, so neither holds what the other waits for."""
    engine = open_warehouse(server.url(server.create()))
    state = open_crawl_state(engine)
    claims, leaving = Claims(state, "n"), Claims(state, "n")
    claims.begin(["s"])
    leaving.beat("one")
    with ThreadPoolExecutor(1) as pool:
        with changing(state) as conn:
            conn.execute(select(night).with_for_update())
            ending = pool.submit(Claims.end.__wrapped__, claims)  # type: ignore[attr-defined]  # without a second try
            assert not wait([ending], timeout=0.5).done, "it waits"
            conn.execute(update(night_source).values(state="waiting"))
        ending.result(timeout=30)
    assert claims.look().left == 0
    state.dispose()
    engine.dispose()


def test_an_address_where_nobody_ever_answered_is_told_at_once() -> None:
    began = time.monotonic()
    with pytest.raises(WarehouseAway, match="no server answers"):
        open_warehouse("postgresql://postgres@127.0.0.1:1/none")
    assert time.monotonic() - began < 30


def test_what_will_not_mend_itself_is_not_waited_for(tmp_path: Path) -> None:
    assert is_away("FATAL:  the database system is starting up")
    assert is_away("server closed the connection unexpectedly")
    assert not is_away('FATAL:  password authentication failed for user "f"')
    assert not is_away("database is locked")
    (tmp_path / "warehouse.sqlite").write_text("no database at all, but long enough to be told so")
    with pytest.raises(WarehouseError) as told:
        open_warehouse(f"sqlite:///{tmp_path / 'warehouse.sqlite'}")
    assert not isinstance(told.value, WarehouseAway)
