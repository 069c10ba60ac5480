"""The fetch log of a run that was killed: the run that takes it over logs each attempt of it, also those in vain."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Row, select

from tests.connectors.gates import Gate, asked, kill, running
from tests.connectors.killed import run
from tests.connectors.portal import HOST, item, put
from tests.servers import Site
from warehouse.crawl_state import open_crawl_state
from warehouse.engine import open_warehouse
from warehouse.schema import fact_fetch
from warehouse.schema_crawl import frontier

ITEMS = [item(number) for number in range(1, 9)]
BUSY, GONE, MOVED, LED_OUT, FORBIDDEN, BROKEN, HELD, LAST = ITEMS
THERE = "/zwgk/there.html"


@pytest.fixture
def portal() -> Iterator[Site]:
    """Whose pages show most of what an attempt may end with."""
    with Site() as site:
        put(site, [ITEMS])
        for one in (BUSY, GONE, MOVED, LED_OUT, BROKEN):
            site.forget(one.target)
        site.forget("/robots.txt")
        site.on("/robots.txt", f"User-agent: *\nDisallow: {FORBIDDEN.target}\n")
        site.on(BUSY.target, "busy", status=503).on(BUSY.target, BUSY.page)
        site.on(MOVED.target, status=302, headers={"Location": THERE}).on(THERE, MOVED.page)
        site.on(LED_OUT.target, status=302, headers={"Location": "https://elsewhere.example/"})
        site.on(BROKEN.target, "broken", status=500)
        yield site


def rows(home: Path) -> list[Row[Any]]:
    engine = open_warehouse(f"sqlite:///{home / 'warehouse.sqlite'}")
    with engine.connect() as conn:
        found = conn.execute(select(fact_fetch).order_by(fact_fetch.c.started_at)).all()
    engine.dispose()
    return list(found)


def told(row: Row[Any]) -> tuple[object, ...]:
    """What a row says but for its run, and that this is another than the one that asked."""
    message = row.message.replace("answered to a run that did not end", "")
    held = row.snapshot_file is not None
    return row.url, row.kind, row.status, row.outcome, row.robots, row.is_conditional, message, held


def test_all_that_a_killed_run_tried_is_logged_by_the_next(portal: Site, tmp_path: Path) -> None:
    gate = Gate(portal, HELD.target, HELD.page)
    with running(portal, tmp_path / "killed", gate) as process:
        kill(process)
    before = Counter(seen.target for seen in portal.seen)
    assert before[BUSY.target] == before[BROKEN.target] == 2 and before[GONE.target] == before["/robots.txt"] == 1
    asyncio.run(run(portal.url, tmp_path / "killed"))
    killed = rows(tmp_path / "killed")
    n_logged = Counter(row.url.removeprefix(f"https://{HOST}") for row in killed if row.status is not None)
    assert asked(portal) - n_logged == Counter([HELD.target]), "but for what was under way"
    assert n_logged["/robots.txt"] == 2, "each run has asked for it"
    outcomes = Counter(row.outcome for row in killed)
    assert outcomes["robots_denied"] == outcomes["refused"] == 2, "what was not asked for is logged as well"
    assert outcomes["redirect"] == 3, "the page that had come by one is not asked for again, the one led out is"

    portal.forget(BUSY.target)
    portal.on(BUSY.target, "busy", status=503).on(BUSY.target, BUSY.page)
    asyncio.run(run(portal.url, tmp_path / "whole"))
    whole = {told(row) for row in rows(tmp_path / "whole")}
    assert {told(row) for row in killed} == whole, "nothing is told otherwise than by a run that was not killed"
    assert max(Counter((row.url, row.started_at) for row in killed).values()) == 1


def tried(home: Path) -> list[Row[Any]]:
    """What the frontier keeps for the log."""
    engine = open_warehouse(f"sqlite:///{home / 'warehouse.sqlite'}")
    state = open_crawl_state(engine)
    with state.connect() as conn:
        found = conn.execute(select(frontier).where(frontier.c.state == "tried")).all()
    state.dispose()
    engine.dispose()
    return list(found)


def test_a_try_is_written_down_while_the_next_one_waits(portal: Site, tmp_path: Path) -> None:
    gate = Gate(portal, LAST.target, LAST.page, busy=1)
    with running(portal, tmp_path, gate) as process:
        until = time.monotonic() + 30
        while not any(word.url.endswith(LAST.path) for word in tried(tmp_path)) and time.monotonic() < until:
            time.sleep(0.05)
        kill(process)
    asyncio.run(run(portal.url, tmp_path))
    first, last = (row for row in rows(tmp_path) if row.url.endswith(LAST.path))
    assert (first.status, first.outcome, first.attempt) == (503, "transient", 1) and "answers 503" in first.message
    assert (last.outcome, last.attempt) == ("ok", 2)
    assert tried(tmp_path) == []
