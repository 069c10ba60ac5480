"""Claims: sources shared out to processes, taken over from the lost, exactly once each."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.conftest import ROOT
from tests.postgres import Server, running_server
from warehouse.claims import Claims, Rest
from warehouse.crawl_state import open_crawl_state
from warehouse.engine import open_warehouse
from warehouse.schema_crawl import night, night_source, night_worker

NIGHT = "11111111-2222-4333-8444-555555555555"


@pytest.fixture(scope="module")
def server(testrun_uid: str) -> Iterator[Server]:
    with running_server(testrun_uid) as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'warehouse.sqlite'}"
        return
    running: Server = request.getfixturevalue("server")
    name = running.create()
    yield running.url(name)
    running.drop(name)


@contextmanager
def state_of(url: str) -> Iterator[Engine]:
    engine = open_warehouse(url)
    state = open_crawl_state(engine)
    try:
        yield state
    finally:
        state.dispose()
        engine.dispose()


def claim_and_die(url: str, *tokens: str) -> list[str]:
    """Another process that claims by these tokens and is killed; what it got."""
    code = (
        "import sys, time\n"
        "from warehouse.claims import Claims\n"
        "from warehouse.crawl_state import open_crawl_state\n"
        "from warehouse.engine import open_warehouse\n"
        f"claims = Claims(open_crawl_state(open_warehouse(sys.argv[1])), {NIGHT!r})\n"
        "claims.beat('other')\n"
        "print(*[claims.claim(token) for token in sys.argv[2:]], flush=True)\n"
        "time.sleep(60)\n"
    )
    command = [sys.executable, "-c", code, url, *tokens]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    got = process.stdout.readline().split()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return got


def test_each_source_is_claimed_once_and_the_first_outcome_counts(url: str) -> None:
    with state_of(url) as state:
        first, second = Claims(state, NIGHT), Claims(state, NIGHT)
        first.begin(["a", "b"])
        first.begin(["a", "b"])  # as after a commit that nobody heard of
        assert first.beat("one") and second.beat("two")
        assert (first.claim("t1"), second.claim("t2")) == ("a", "b")
        assert first.claim("t1") == "a", "the same claim asked for again"
        assert first.claim("t3") is Rest.WAIT
        first.complete("a", "A")
        second.complete("a", "late")
        second.complete("b", "B")
        assert first.claim("t3") is Rest.OVER
        look = first.look()
        assert (look.left, look.done, look.alive, look.n_lost) == (0, 2, {"one", "two"}, 0)
        assert [one.outcome for one in first.settled().values()] == ["A", "B"]
        first.end()
        assert not second.beat("two") and second.claim("t4") is Rest.OVER
        second.leave()
        with state.connect() as conn:
            assert all(not conn.execute(table.select()).all() for table in (night, night_worker, night_source))


def test_who_leaves_hands_back_and_no_source_is_blamed(url: str) -> None:
    with state_of(url) as state:
        first, second = Claims(state, NIGHT), Claims(state, NIGHT)
        first.begin(["a"])
        first.beat("one")
        second.beat("two")
        assert first.claim("t1") == "a"
        first.leave()
        assert second.claim("t2") == "a"
        look = second.look()
        assert (look.alive, look.seen, look.n_lost) == ({"two"}, {"one", "two"}, 0)
        assert second.settled()["a"].n_lost == 0


def test_what_a_killed_worker_held_is_taken_over_at_once_one_at_a_time(url: str) -> None:
    with state_of(url) as state:
        claims = Claims(state, NIGHT)
        claims.begin(["a", "b", "c", "d"])
        assert claim_and_die(url, "x1", "x2") == ["a", "b"]
        claims.beat("mine")
        assert [claims.claim(f"t{n}") for n in range(2)] == ["c", "d"], "those that nobody died of come first"
        assert claims.claim("t2") is Rest.WAIT, "a suspect is crawled alone"
        claims.complete("c", "C")
        assert claims.claim("t2") is Rest.WAIT
        claims.complete("d", "D")
        assert claims.claim("t2") == "a"
        assert claims.claim("t3") is Rest.WAIT, "and nothing beside it"
        claims.complete("a", "A")
        assert claims.claim("t3") == "b"


def test_a_source_that_takes_two_workers_with_it_is_set_aside(url: str) -> None:
    with state_of(url) as state:
        claims = Claims(state, NIGHT)
        claims.begin(["a", "b"])
        assert claim_and_die(url, "x1", "x2") == ["a", "b"]
        assert claim_and_die(url, "x3") == ["a"]
        claims.beat("mine")
        assert claims.look().n_lost == 2
        assert claims.claim("t0", takes_suspects=False) is Rest.OVER
        assert claims.claim("t1") == "b"
        claims.complete("b", "B")
        assert claims.claim("t2") is Rest.OVER
        settled = claims.settled()
        assert (settled["a"].state, settled["a"].n_lost, settled["a"].outcome) == ("aside", 2, None)
        assert settled["b"].state == "done"


def test_a_lease_that_lapsed_is_a_loss_and_who_comes_back_late_has_done_his_work(url: str) -> None:
    with state_of(url) as state:
        slow, other = Claims(state, NIGHT, lease_seconds=0.0), Claims(state, NIGHT)
        other.begin(["a"])
        slow.beat("slow")
        assert slow.claim("t1") == "a"
        other.beat("other")
        assert other.claim("t2") == "a"
        slow.complete("a", "done after all")
        look = other.look()
        assert (look.done, look.n_lost, look.alive) == (1, 1, {"other"})
        assert slow.claim("t3") is Rest.OVER
        assert other.settled()["a"].n_lost == 1
        assert other.settled()["a"].outcome == "done after all"


def test_what_nobody_is_left_for_is_set_aside(url: str) -> None:
    with state_of(url) as state:
        claims = Claims(state, NIGHT)
        claims.begin(["a"])
        claims.set_rest_aside()
        assert claims.look().left == 0
        assert claims.settled()["a"].state == "aside"
