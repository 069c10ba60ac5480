"""Two runs at once on one source: neither takes the other for a dead one, and what one is answered is good for both."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.connectors.gates import Gate, asked, end, kill, logged, running
from tests.connectors.killed import run
from tests.connectors.portal import item, list_target, put
from tests.servers import Site
from warehouse.crawl_state import open_crawl_state
from warehouse.engine import open_warehouse
from warehouse.fingerprint import fingerprint
from warehouse.frontier import count_frontier
from warehouse.living import find_living

ITEMS = [item(number) for number in range(1, 13)]
LISTS = [ITEMS[:6], ITEMS[6:]]
ADDRESSES = [*(list_target(number) for number in range(len(LISTS))), *(one.target for one in ITEMS)]
AT, LATER = ITEMS[4], ITEMS[8]
"""Pages at which runs are stopped for a while."""


@pytest.fixture
def portal() -> Iterator[Site]:
    with Site() as site:
        put(site, LISTS, total=len(ITEMS))
        yield site


def left(home: Path) -> tuple[int, int]:
    """Addresses in the frontier that are answered, and runs that count as living."""
    engine = open_warehouse(f"sqlite:///{home / 'warehouse.sqlite'}")
    state = open_crawl_state(engine)
    with state.connect() as conn:
        found = count_frontier(state)["done"], len(find_living(conn))
    state.dispose()
    engine.dispose()
    return found


def mark(home: Path) -> str:
    engine = open_warehouse(f"sqlite:///{home / 'warehouse.sqlite'}")
    found = fingerprint(engine)
    engine.dispose()
    return found


def test_two_runs_at_once_ask_for_nothing_twice_and_log_it_once(portal: Site, tmp_path: Path) -> None:
    gate, later = Gate(portal, AT.target, AT.page), Gate(portal, LATER.target, LATER.page)
    with running(portal, tmp_path, gate) as first, running(portal, tmp_path, later) as second:
        gate.open.set()
        end(first)  # it has taken what the second was answered up to the other gate, and asked for the rest
        later.open.set()
        end(second)
    counts = asked(portal)
    assert set(counts) == set(ADDRESSES)
    assert {target for target, count in counts.items() if count > 1} == {AT.target, LATER.target}, "what was under way"
    rows = logged(tmp_path)
    assert Counter(row[0] for row in rows) == counts, "each attempt once, by the run that made it"
    assert {row[1] for row in rows} <= {"ok", "same_bytes"} and len({row[2] for row in rows}) == 2
    assert left(tmp_path) == (0, 0)
    portal.seen.clear()
    asyncio.run(run(portal.url, tmp_path / "alone"))
    assert mark(tmp_path) == mark(tmp_path / "alone")


def test_what_a_living_run_was_answered_is_its_own_and_survives_it(portal: Site, tmp_path: Path) -> None:
    gate = Gate(portal, AT.target, AT.page)
    with running(portal, tmp_path, gate) as first:
        had = asked(portal).total() - 1
        second = asyncio.run(run(portal.url, tmp_path))
        assert second.resumed == had and asked(portal).total() == len(ADDRESSES) + 1
        assert left(tmp_path) == (had, 1), "those of the run that lives stay, those of the one that ended go"
        assert len(logged(tmp_path)) == len(ADDRESSES) - had, "what the first has asked for is the first one's to log"
        kill(first)
    assert left(tmp_path) == (had, 0)
    third = asyncio.run(run(portal.url, tmp_path))
    assert third.resumed == had, "killed at last, it is taken over"
    counts = Counter(path for path, *_ in logged(tmp_path))
    assert counts.total() == asked(portal).total() - 1, "but for what was under way at the kill"
    assert left(tmp_path) == (0, 0)


def test_killed_while_the_other_lives_its_answers_are_used_and_logged_once(portal: Site, tmp_path: Path) -> None:
    gate, later = Gate(portal, AT.target, AT.page), Gate(portal, LATER.target, LATER.page)
    with running(portal, tmp_path, gate) as first, running(portal, tmp_path, later) as second:
        until = time.monotonic() + 30
        while left(tmp_path)[1] < 2 and time.monotonic() < until:
            time.sleep(0.01)
        kill(second)
        gate.open.set()
        end(first)
    third = asyncio.run(run(portal.url, tmp_path))
    counts = asked(portal)
    assert third.failures == [] and set(counts) == set(ADDRESSES)
    rows = Counter(path for path, *_ in logged(tmp_path))
    assert counts - rows == Counter([LATER.target]) and not rows - counts, "but for what was under way at the kill"
