"""A load that is killed, or meets a fault of the disk, the server or another loader: all of it, or none of it."""

from __future__ import annotations

import random
import resource
import signal
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event

from tests.forked import start
from tests.postgres import running_server
from tests.warehouse.builders import batch, notice, report
from tests.warehouse.conftest import Make, load
from tests.warehouse.killed import FIRST, KILLED, load_killed, load_shuffled
from tests.warehouse.tables import A, B, check_validity, content, everything, validity
from tests.warehouse.test_load import HISTORY
from warehouse.batch import LoadBatch
from warehouse.checkup import check_warehouse
from warehouse.engine import connect, is_sqlite, open_warehouse
from warehouse.errors import WarehouseError
from warehouse.fingerprint import fingerprint
from warehouse.steps import KILL_AT, LOAD, NIGHTLY, reach


def url_of(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def state(engine: Engine) -> dict[str, Any]:
    return {**content(engine), "validity": validity(engine)}


BEFORE = (FIRST,)


def test_a_load_killed_at_any_step_and_run_again_is_as_if_never_killed(make: Make) -> None:
    whole, *killed = (make(step, BEFORE) for step in ("whole", *LOAD))
    mark = fingerprint(whole)
    load(whole, KILLED)
    wanted = fingerprint(whole), validity(whole)
    assert wanted[0] != mark
    for engine, step in zip(killed, LOAD, strict=True):
        engine.dispose()
        child = start(load_killed, url_of(engine), kill_at=step)
        child.join()
        assert child.exitcode == -signal.SIGKILL, step
        assert fingerprint(engine) == (wanted[0] if step == LOAD[-1] else mark), step
        load(engine, KILLED)
        assert (fingerprint(engine), validity(engine)) == wanted, step


def test_a_step_kills_only_where_it_is_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    for step in (*LOAD, *NIGHTLY):
        reach(step)  # nothing is set: nothing happens
    monkeypatch.setenv(KILL_AT, "no-such-step")
    reach(LOAD[0])
    with pytest.raises(ValueError, match="no step is called 'load'"):
        reach("load")


def test_two_loaders_at_once_neither_deadlock_nor_count_twice(make: Make) -> None:
    alone, shared = make("alone", HISTORY), make("shared")
    loaders = [start(load_shuffled, url_of(shared), seed) for seed in range(2)]
    try:
        for loader in loaders:
            loader.join(110)
    finally:
        for loader in loaders:
            loader.kill()
            loader.join()
    assert [loader.exitcode for loader in loaders] == [0, 0]
    assert state(shared) == state(alone)
    check_validity(shared)
    assert [one.test.name for one in check_warehouse(shared) if one.outcome.n_failed] == []


BIG = batch(
    *(report(2021 + i, B + "法治" * 20_000, name=f"big{i}", day=1, parsed=None) for i in range(4)),
    report(2021, A, day=1),
    run="r2",
    day=1,
)


ONE_REPORT = (batch(report(2020, A)),)


def meets(engine: Engine, one: LoadBatch, told: str) -> None:
    """The load fails in one line and changes nothing; once the fault is mended it goes through."""
    with pytest.raises(WarehouseError, match=told):
        load(engine, one)


@pytest.fixture
def held(make: Make) -> Iterator[tuple[Engine, Engine]]:
    """A warehouse, and a second engine for it which a test may do harm to."""
    engine = make("w", ONE_REPORT)
    harmed = connect(url_of(engine))
    yield engine, harmed
    harmed.dispose()


@contextmanager
def nothing_half_done(engine: Engine, make: Make, one: LoadBatch) -> Iterator[None]:
    before = everything(engine)
    yield
    assert everything(engine) == before
    whole = make("whole", ONE_REPORT)
    for each in (engine, whole):
        load(each, one)
    assert state(engine) == state(whole)


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_a_full_disk_leaves_nothing_half_done_on_sqlite(held: tuple[Engine, Engine], make: Make) -> None:
    """Its own limit of pages raises the error of a full disk."""
    engine, harmed = held
    event.listen(harmed, "connect", lambda raw, _record: raw.execute("PRAGMA max_page_count = 1"))
    with nothing_half_done(engine, make, BIG):
        meets(harmed, BIG, "the disk is full")


def test_a_disk_that_takes_no_more_leaves_nothing_half_done_on_postgresql() -> None:
    """A server of its own, whose files the kernel lets grow to 17 MiB (one segment of its log has 16): a table that is
    to grow beyond fails where it fails on a full disk."""
    most = 17 << 20
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        starting = running_server(f"small-{uuid.uuid4().hex}")
        server = starting.__enter__()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    try:
        engine = open_warehouse(server.url(server.create()))
        load(engine, batch(report(2020, A)))
        before = everything(engine)
        letters = random.Random(1).choices(range(0x4E00, 0x9F00), k=most // 2)
        big = notice("big", "".join(map(chr, letters)), day=1)
        meets(engine, batch(report(2021, B, day=1), big, run="r2", day=1), "disk is full")
        assert everything(engine) == before
        assert load(engine, batch(report(2021, B, day=1), run="r2", day=1)).documents_new == 1
        engine.dispose()
    finally:
        starting.__exit__(None, None, None)


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_a_lost_connection_leaves_nothing_half_done(held: tuple[Engine, Engine], make: Make) -> None:
    """A file has none to lose: the kill-points are its losses."""
    engine, harmed = held

    @event.listens_for(harmed, "after_cursor_execute")
    def end_it(conn: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("INSERT INTO fact_metric_value"):
            pid = conn.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
            with engine.connect() as other:
                other.exec_driver_sql(f"SELECT pg_terminate_backend({pid})")

    with nothing_half_done(engine, make, KILLED):
        meets(harmed, KILLED, "server ended the connection|server went away")


def test_a_read_only_database_leaves_nothing_half_done(held: tuple[Engine, Engine], make: Make) -> None:
    engine, harmed = held
    if is_sqlite(engine.url):
        event.listen(harmed, "connect", lambda raw, _record: raw.execute("PRAGMA query_only = ON"))
    else:
        event.listen(
            harmed, "begin", lambda conn: conn.exec_driver_sql("SET LOCAL transaction_read_only = on")
        )  # fmt: skip
    with nothing_half_done(engine, make, KILLED):
        meets(harmed, KILLED, "it cannot be written")
