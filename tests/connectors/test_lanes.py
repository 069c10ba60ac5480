"""Lanes: the pace within a process, and one lane per host for every process that uses a warehouse."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from connectors.errors import Deferred, Transient
from connectors.http.book import Busy, LaneState, Lease
from connectors.http.client import Client, HttpSettings
from connectors.http.lanes import daily_budget, lane_name, lane_of, share_lanes
from tasks.lanes import WarehouseBook
from tests.conftest import ROOT
from tests.connectors.sharing import HOST
from tests.postgres import Server, running_server
from tests.servers import Raw, Site
from warehouse.crawl_state import open_crawl_state
from warehouse.engine import open_warehouse, writing
from warehouse.lanes import MAX_REQUESTS, HostLanes, Learned
from warehouse.schema_crawl import host_lane


@pytest.fixture(scope="module")
def server(testrun_uid: str) -> Iterator[Server]:
    with running_server(testrun_uid) as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'warehouse.sqlite'}"
        return
    running: Server = request.getfixturevalue("server")
    name = running.create()
    yield running.url(name)
    running.drop(name)


@contextmanager
def state_of(warehouse: str) -> Iterator[Engine]:
    engine = open_warehouse(warehouse)
    state = open_crawl_state(engine)
    try:
        yield state
    finally:
        state.dispose()
        engine.dispose()


def slow_page(seconds: float) -> tuple[list[tuple[float, float]], Raw]:
    """Spans in which requests were answered, and an answer that takes so long."""
    spans: list[tuple[float, float]] = []

    def answer(handler: BaseHTTPRequestHandler, stopping: threading.Event) -> None:
        began = time.monotonic()
        stopping.wait(seconds)
        body = "<html><body><p>乌有县公用事业局通知：本月检修如期进行，请各位居民提前安排。</p></body></html>".encode()
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n")
        handler.wfile.write(b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)
        spans.append((began, time.monotonic()))

    return spans, answer


@contextmanager
def askers(
    warehouse: str, gateway: str, pages: int, delay: float, names: str = "ab"
) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that begin to ask together."""
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.connectors.sharing", warehouse, gateway, name, str(pages), str(delay)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for name in names
    ]  # fmt: skip
    try:
        for process in started:
            assert process.stdout is not None and process.stdout.readline() == "ready\n"
        for process in started:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        yield started
    finally:
        for process in started:
            process.kill()
            process.communicate()


def test_two_processes_ask_a_host_no_faster_than_one(warehouse: str) -> None:
    delay, pages = 0.1, 8
    spans, answer = slow_page(0.03)
    with state_of(warehouse), Site() as site:
        for name in "ab":
            for number in range(pages):
                site.on(f"/{name}/{number}", raw=answer)
        with askers(warehouse, site.url, pages, delay) as started:
            for process in started:
                assert process.wait(60) == 0
        seen = sorted(one.at for one in site.seen)
    assert len(seen) == 2 * pages + 2, "each has asked for robots.txt once"
    for first, last in zip(seen, seen[12:], strict=False):  # what a busy machine adds to one request evens out
        assert last - first > 12 * delay * 0.75  # twice the rate would be half of it
    assert all(ended <= began for (_, ended), (began, _) in pairwise(sorted(spans))), "one request at a time"


def test_a_killed_process_keeps_nobody_from_asking(warehouse: str) -> None:
    _, answer = slow_page(0.0)
    with state_of(warehouse) as state, Site() as site:
        for number in range(1000):
            site.on(f"/a/{number}", raw=answer)
        with askers(warehouse, site.url, 1000, 0.05, "a") as (process,):
            while len(site.seen) < 3:
                time.sleep(0.01)
            book = WarehouseBook(state)
            assert isinstance(book.acquire(lane_name(HOST), None, None, 0), Busy)
            process.send_signal(signal.SIGKILL)
            process.wait()
        got = book.acquire(lane_name(HOST), None, None, 0)
        assert isinstance(got, Lease)
        assert got.state.since_start < 1, "it may have asked just before it died"


def let_pass(state: Engine, seconds: float) -> None:
    """As if so much time had passed since what the book tells."""
    times = ("lease_until", "waiter_until", "last_start", "not_before")
    with state.begin() as conn:
        conn.execute(update(host_lane).values({name: host_lane.c[name] - seconds for name in times}))


def test_a_lease_lapses_and_goes_to_who_waits(warehouse: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warehouse.lanes.POLL_SECONDS", 10.0)  # who waits does so for longer than a test
    with state_of(warehouse) as state:
        first, second = (HostLanes(state, lease_seconds=60) for _ in range(2))
        assert not isinstance(first.acquire("a.example", None), float)
        let_pass(state, 55)
        assert isinstance(second.acquire("a.example", None), float)
        assert isinstance(first.acquire("a.example", None), float), "it has had its turn, and somebody waits"
        let_pass(state, 60)
        assert not isinstance(second.acquire("a.example", None), float)


def test_all_leases_of_a_process_are_renewed_at_once(warehouse: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warehouse.lanes.POLL_SECONDS", 10.0)
    with state_of(warehouse) as state:
        first, second = (HostLanes(state, lease_seconds=60) for _ in range(2))
        for host in ("a.example", "b.example"):
            assert not isinstance(first.acquire(host, None), float)
        let_pass(state, 40)
        assert isinstance(second.acquire("a.example", None), float)
        learned = Learned(since_start=0.1, hold=99.0, response=2.0, slowdown=1.5)
        told = dict.fromkeys(("a.example", "b.example", "c.example"), learned)
        assert first.renew(told) == {"b.example"}, "of `a` it is told that somebody waits; `c` it never held"
        assert second.renew(told) == set(), "who holds nothing renews nothing"
        let_pass(state, 40)
        assert all(isinstance(second.acquire(host, None), float) for host in ("a.example", "b.example"))
        first.settle("a.example", learned, unused=MAX_REQUESTS - 2)
        got = second.acquire("a.example", None)
        assert not isinstance(got, float)
        assert (got.known.response, got.known.slowdown, got.asked_today) == (2.0, 1.5, 2)
        assert 40 < got.known.hold < 99


class Counting(WarehouseBook):
    """A book with short leases that counts what it is asked."""

    def __init__(self, state: Engine) -> None:
        super().__init__(state)
        self._lanes = HostLanes(state, lease_seconds=0.6)
        self.asked: list[str] = []

    def acquire(self, host: str, limit: int | None, learned: LaneState | None, unused: int) -> Lease | Busy:
        self.asked.append("acquire")
        return super().acquire(host, limit, learned, unused)

    def renew(self, learned: Mapping[str, LaneState]) -> Collection[str]:
        self.asked.append("renew")
        return super().renew(learned)


def test_many_lanes_cost_few_transactions(warehouse: str) -> None:
    async def ask(host: str) -> None:
        for _ in range(12):
            await take(host, 0.1)

    async def go() -> None:
        await asyncio.gather(*(ask(f"{uuid.uuid4().hex}.example") for _ in range(10)))

    with state_of(warehouse) as state:
        book = Counting(state)
        with share_lanes(book):
            asyncio.run(go())
    assert book.asked.count("acquire") <= 12, "one for each host; two more if this machine stood still"
    assert 1 <= book.asked.count("renew") <= 12


def test_a_long_answer_holds_its_lane_though_somebody_waits(warehouse: str) -> None:
    host = f"{uuid.uuid4().hex}.example"

    async def go(other: HostLanes) -> list[bool]:
        waits = []
        async with lane_of(host).slot(0.01):
            for _ in range(10):
                await asyncio.sleep(0.2)
                waits.append(isinstance(await asyncio.to_thread(other.acquire, host, None), float))
        return waits

    with state_of(warehouse) as state:
        book, other = Counting(state), HostLanes(state)
        with share_lanes(book):
            assert all(asyncio.run(go(other)))
        assert book.asked.count("renew") >= 3
        assert not isinstance(other.acquire(host, None), float)


def test_a_clock_that_was_set_back_holds_up_no_lane(warehouse: str) -> None:
    """Leases and starts of the future, as they are found after a clock was an hour ahead."""
    with state_of(warehouse) as state:
        first, second = HostLanes(state), HostLanes(state)
        assert not isinstance(first.acquire("a.example", None), float)
        with state.begin() as conn:
            conn.exec_driver_sql(
                "UPDATE host_lane SET lease_until = lease_until + 3600, last_start = lease_until + 3600"
            )
        got = second.acquire("a.example", None)
        assert not isinstance(got, float)
        assert got.known.since_start == 0.0


def test_a_load_that_takes_its_time_holds_up_no_lane(tmp_path: Path) -> None:
    engine = open_warehouse(f"sqlite:///{tmp_path / 'warehouse.sqlite'}")
    state = open_crawl_state(engine)
    with writing(engine):
        began = time.monotonic()
        assert isinstance(WarehouseBook(state).acquire("a.example", None, None, 0), Lease)
        assert time.monotonic() - began < 10
    state.dispose()
    engine.dispose()


async def take(host: str, delay: float, error: Exception | None = None) -> float:
    async with lane_of(host).slot(delay) as waited:
        if error is not None:
            raise error
        return waited


def test_what_one_process_is_told_by_retry_after_holds_for_all(warehouse: str) -> None:
    host, delay = f"{uuid.uuid4().hex}.example", 0.01
    with state_of(warehouse) as state, share_lanes(WarehouseBook(state)):
        with pytest.raises(Transient):
            asyncio.run(take(host, delay, Transient("429", status=429, retry_after=30)))
        # The lease is still ours: what was learned is in the book at once.
        with state.connect() as conn:
            told = conn.exec_driver_sql("SELECT not_before, slowdown FROM host_lane").one()
    assert 25 < told[0] - time.time() < 31
    assert told[1] == 1.5
    with state_of(warehouse) as state:
        got = WarehouseBook(state).acquire(host, None, None, 0)
        assert isinstance(got, Lease) and 20 < got.state.hold < 31 and got.state.slowdown == 1.5


def test_a_host_that_asks_for_an_hour_is_left_to_a_later_run(tmp_path: Path) -> None:
    host = f"{uuid.uuid4().hex}.example"
    with state_of(f"sqlite:///{tmp_path / 'w.sqlite'}") as state, share_lanes(WarehouseBook(state)):
        with pytest.raises(Transient):
            asyncio.run(take(host, 0.01, Transient("503", status=503, retry_after=3600)))
        with pytest.raises(Deferred, match=r"example asked for a pause of 3\d\d\d s"):
            asyncio.run(take(host, 0.01))


def test_the_budget_of_a_day_is_one_for_all_runs(warehouse: str) -> None:
    host = f"{uuid.uuid4().hex}.example"
    for expected in (3, 0):  # the second run of the day finds nothing left
        with state_of(warehouse) as state, share_lanes(WarehouseBook(state)), daily_budget(3):
            done = 0
            with pytest.raises(Deferred, match=r"example: the 3 requests of today are spent"):
                while True:
                    asyncio.run(take(host, 0.0))
                    done += 1
            assert done == expected
    with state_of(warehouse) as state, share_lanes(WarehouseBook(state)):
        asyncio.run(take(host, 0.0))  # another source's budget is its own


def test_a_day_later_the_budget_is_whole_again(tmp_path: Path) -> None:
    with state_of(f"sqlite:///{tmp_path / 'w.sqlite'}") as state:
        lanes = HostLanes(state)
        got = lanes.acquire("e.example", None)
        assert not isinstance(got, float) and got.asked_today == 0
        with state.begin() as conn:
            conn.exec_driver_sql("UPDATE host_lane SET day = '2020-01-01', n_day = 500")
        again = lanes.acquire("e.example", None)
        assert not isinstance(again, float) and again.asked_today == 0


def test_a_lease_that_outlives_the_day_does_not_keep_its_count(tmp_path: Path) -> None:
    host = f"{uuid.uuid4().hex}.example"
    with state_of(f"sqlite:///{tmp_path / 'w.sqlite'}") as state, share_lanes(WarehouseBook(state)), daily_budget(61):
        for _ in range(61):
            asyncio.run(take(host, 0.0))
        with state.begin() as conn:
            conn.execute(update(host_lane).values(day="2020-01-01"))
        with pytest.raises(Deferred):
            asyncio.run(take(host, 0.0))
        held = lane_of(host)._held
        assert held is not None
        held.since -= 2 * held.seconds
        asyncio.run(take(host, 0.0))


def test_a_name_with_www_is_the_same_lane_on_every_port() -> None:
    host = f"{uuid.uuid4().hex}.example"
    asked = [f"http://{name}/{number}" for number in range(3) for name in (host, f"www.{host}:8080")]
    with Site() as site:
        for number in range(3):
            site.on(f"/{number}", "<p>ok</p>")

        async def go() -> None:
            settings = HttpSettings("fazhi-test/1", replay=site.url, pace_real=True, delay=0.1)
            async with Client(settings) as client:
                allowed = frozenset(url.split("/")[2] for url in asked)
                await asyncio.gather(*(client.fetch(url, hosts=allowed, kind="page") for url in asked))

        asyncio.run(go())
        times = sorted(one.at for one in site.seen)
    assert len(times) == len(asked) + 2, "each name and port has its own robots.txt"
    assert times[-1] - times[0] > 0.1 * 0.9 * (len(times) - 1)


@pytest.mark.parametrize(("status", "after", "slowdown"), [(503, None, 1.0), (503, 0.0, 1.5), (429, None, 1.5)])
def test_what_a_host_means_is_heeded_at_once(tmp_path: Path, status: int, after: float | None, slowdown: float) -> None:
    host = f"{uuid.uuid4().hex}.example"
    with state_of(f"sqlite:///{tmp_path / 'w.sqlite'}") as state, share_lanes(WarehouseBook(state)):
        for _ in range(10):
            asyncio.run(take(host, 0.001))
        with pytest.raises(Transient):
            asyncio.run(take(host, 0.001, Transient("refused", status=status, retry_after=after)))
        with state.connect() as conn:
            assert conn.exec_driver_sql("SELECT slowdown FROM host_lane").scalar_one() == pytest.approx(slowdown)
