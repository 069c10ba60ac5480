"""A crawl killed at any moment and begun again: nothing is lost, and nothing that had come is asked for again."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, select

from connectors.crawl import PART_PAGES
from connectors.frontier import Answered
from fazhi.house import load_catalog
from tasks.assemble import source_row
from tasks.frontier import WarehouseJournal
from tests.connectors.killed import run, run_in_parts
from tests.connectors.portal import HOST, item, list_target, put, source
from tests.forked import start
from tests.servers import Site
from warehouse.batch import FetchRow, LoadBatch
from warehouse.catalogue import catalogue_rows
from warehouse.crawl_state import open_crawl_state
from warehouse.engine import open_warehouse
from warehouse.errors import WarehouseError
from warehouse.fingerprint import fingerprint
from warehouse.frontier import Frontier, count_frontier
from warehouse.load import publish
from warehouse.schema import fact_fetch

ITEMS = [item(number) for number in range(1, 25)]
LISTS = [ITEMS[:8], ITEMS[8:16], ITEMS[16:]]
ADDRESSES = [*(list_target(number) for number in range(len(LISTS))), *(one.target for one in ITEMS)]


@pytest.fixture
def portal() -> Iterator[Site]:
    with Site() as site:
        put(site, LISTS, total=len(ITEMS))
        yield site


def asked(site: Site) -> Counter[str]:
    return Counter(seen.target for seen in site.seen if seen.target != "/robots.txt")


def kill_after(site: Site, home: Path, requests: int) -> int:
    """The exit code of a run that is killed as soon as the portal has seen so many requests more."""
    wanted = sum(asked(site).values()) + requests
    process = start(run_in_parts, site.url, home, PART_PAGES)
    try:
        while sum(asked(site).values()) < wanted and process.is_alive():
            time.sleep(0.0005)
    finally:
        process.kill()
        process.join(60)
    assert process.exitcode == -signal.SIGKILL
    return process.exitcode


def test_killed_anywhere_nothing_is_lost_or_asked_for_twice(portal: Site, tmp_path: Path) -> None:
    kills = (1, 4, 9)
    for requests in kills:
        kill_after(portal, tmp_path / "killed", requests)
    last = asyncio.run(run(portal.url, tmp_path / "killed"))
    counts = asked(portal)
    assert set(counts) == set(ADDRESSES), "nothing lost"
    again = sum(counts.values()) - len(ADDRESSES)
    assert again <= len(kills), "only what was in flight at a kill is asked for again"
    assert last.resumed >= sum(kills) - len(kills) and last.resumed + counts.total() >= len(ADDRESSES)
    assert (len(last.pages), last.failures, last.planned) == (24, [], len(ADDRESSES))

    portal.seen.clear()
    asyncio.run(run(portal.url, tmp_path / "whole"))
    killed, whole = (
        open_warehouse(f"sqlite:///{tmp_path / name / 'warehouse.sqlite'}") for name in ("killed", "whole")
    )
    assert fingerprint(killed) == fingerprint(whole)
    state = open_crawl_state(killed)
    assert sum(count_frontier(state).values()) == 0, "a run that has ended leaves nothing to resume"
    for engine in (killed, whole, state):
        engine.dispose()


def test_each_answer_is_logged_once_whichever_run_was_given_it(portal: Site, tmp_path: Path) -> None:
    portal.forget(ITEMS[0].target)  # what is gone is an answer, too
    kills = (5, 8)
    for requests in kills:
        kill_after(portal, tmp_path, requests)
    last = asyncio.run(run(portal.url, tmp_path))
    assert last.resumed > 0
    engine = open_warehouse(f"sqlite:///{tmp_path / 'warehouse.sqlite'}")
    logged = select(fact_fetch.c.url, fact_fetch.c.snapshot_file).where(fact_fetch.c.kind != "robots")
    with engine.connect() as conn:
        rows = conn.execute(logged).all()
    engine.dispose()
    n_logged = Counter(row.url.removeprefix(f"https://{HOST}") for row in rows)
    assert set(n_logged) == set(ADDRESSES) and max(n_logged.values()) == 1
    assert sum(asked(portal).values()) - len(rows) <= len(kills), "but for what was in flight"
    assert sum(row.snapshot_file is None for row in rows) == 1


def test_a_log_that_was_loaded_is_not_loaded_again_by_the_run_that_takes_over(tmp_path: Path) -> None:
    engine = open_warehouse(f"sqlite:///{tmp_path / 'warehouse.sqlite'}")
    state = open_crawl_state(engine)
    moment = datetime.now(UTC)
    first = FetchRow("https://www.wuyou.example/1", 2, moment, "ok", 200, 9, 7)
    taken = FetchRow(first.url, 1, datetime.fromtimestamp(moment.timestamp(), UTC), "ok", 200, answered_to=("first",))
    for run_id, row in (("first", first), ("second", taken), ("third", replace(taken, answered_to=("lost",)))):
        batch = LoadBatch(
            run_id=run_id, source=source_row(source()), started_at=moment, finished_at=moment,
            catalogue=catalogue_rows(*load_catalog()), extractor_version="test", code_version="test", fetches=(row,),
        )  # fmt: skip
        publish(engine, batch)
    with engine.connect() as conn:
        told = conn.execute(select(fact_fetch.c.run_id, fact_fetch.c.n_bytes).order_by(fact_fetch.c.run_id)).all()
    assert [tuple(one) for one in told] == [("first", 9), ("third", 0)]
    state.dispose()
    engine.dispose()


def test_what_a_killed_run_left_is_in_the_frontier(portal: Site, tmp_path: Path) -> None:
    kill_after(portal, tmp_path, 9)
    engine = open_warehouse(f"sqlite:///{tmp_path / 'warehouse.sqlite'}")
    state = open_crawl_state(engine)
    counts = count_frontier(state, "990901_wuyou")
    assert counts["done"] >= 7
    assert counts["in_flight"] <= 1
    assert counts["done"] + counts["in_flight"] + counts["due"] == len(ADDRESSES)
    state.dispose()
    engine.dispose()


def test_answers_of_a_run_that_ended_are_asked_for_again(portal: Site, tmp_path: Path) -> None:
    asyncio.run(run(portal.url, tmp_path))
    portal.seen.clear()
    second = asyncio.run(run(portal.url, tmp_path))
    assert set(asked(portal)) == set(ADDRESSES)
    assert (second.not_modified, second.resumed, second.pages) == (len(ADDRESSES), 0, [])


def told(number: int) -> Answered:
    return Answered(f"http://www.wuyou.example/{number}", "page", "gone", 404, datetime.now(UTC))


def test_what_is_answered_together_is_written_down_together(tmp_path: Path) -> None:
    engine = open_warehouse(f"sqlite:///{tmp_path / 'warehouse.sqlite'}")
    state = open_crawl_state(engine)
    commits: list[str] = []
    event.listen(state, "before_cursor_execute", lambda *args: commits.append(args[2]))

    async def go() -> None:
        journal = WarehouseJournal(Frontier(state, "run", timedelta(hours=1)))
        for number in range(30):
            journal.begin("s", told(number).url, "page")
        while count_frontier(state, "s")["in_flight"] < 30:
            await asyncio.sleep(0.1)
        n_begun = commits.count("COMMIT")
        assert n_begun <= 3
        await asyncio.gather(*(journal.settle("s", told(number)) for number in range(25)))
        await journal.fail("s", told(25).url, "page", "deferred")
        assert commits.count("COMMIT") == n_begun + 2

    asyncio.run(go())
    assert count_frontier(state, "s") == {"due": 1, "in_flight": 4, "done": 0, "failed": 0, "gone": 25}
    state.dispose()
    engine.dispose()


def test_at_the_pace_of_a_portal_answers_wait_for_each_other(tmp_path: Path) -> None:
    engine = open_warehouse(f"sqlite:///{tmp_path / 'warehouse.sqlite'}")
    state = open_crawl_state(engine)
    commits: list[str] = []
    event.listen(state, "before_cursor_execute", lambda *args: commits.append(args[2]))

    async def wait_of(journal: WarehouseJournal, number: int) -> float:
        """Seconds until an answer is written down."""
        journal.begin("s", told(number).url, "page")
        settling = journal.settle("s", told(number))
        assert journal._timer is not None
        wait = journal._timer.when() - asyncio.get_running_loop().time()
        await settling
        return wait

    async def go() -> list[float]:
        journal = WarehouseJournal(Frontier(state, "run", timedelta(hours=1)))
        waits = [await wait_of(journal, 0)]
        journal._told_at["s"] -= 0.6  # as long ago was its last answer
        waits.append(await wait_of(journal, 1))
        journal._told_at["s"] -= 60.0
        return [*waits, await wait_of(journal, 2)]

    first, paced, slow = asyncio.run(go())
    assert first <= 0.02 and 0.1 < paced <= slow <= 0.25
    assert commits.count("COMMIT") == 3, "what was begun is written with its answer, once"
    assert count_frontier(state)["gone"] == 3
    state.dispose()
    engine.dispose()


def test_what_cannot_be_written_down_is_told_to_all_who_wait(tmp_path: Path) -> None:
    engine = open_warehouse(f"sqlite:///{tmp_path / 'warehouse.sqlite'}")
    state = open_crawl_state(engine)
    with state.connect() as conn:
        conn.exec_driver_sql("ALTER TABLE frontier RENAME TO elsewhere")

    async def go() -> None:
        journal = WarehouseJournal(Frontier(state, "run", timedelta(hours=1)))
        journal.begin("s", told(9).url, "page")
        got = await asyncio.gather(*(journal.settle("s", told(number)) for number in range(3)), return_exceptions=True)
        assert [type(one) for one in got] == [WarehouseError] * 3
        with state.connect() as conn:
            conn.exec_driver_sql("ALTER TABLE elsewhere RENAME TO frontier")
        await asyncio.sleep(0.3)
        await journal.settle("s", told(1))

    asyncio.run(go())
    assert count_frontier(state, "s") == {"due": 0, "in_flight": 1, "done": 0, "failed": 0, "gone": 1}
    state.dispose()
    engine.dispose()


def test_who_is_cancelled_while_waiting_costs_the_others_nothing(tmp_path: Path) -> None:
    engine = open_warehouse(f"sqlite:///{tmp_path / 'warehouse.sqlite'}")
    state = open_crawl_state(engine)

    async def go() -> None:
        journal = WarehouseJournal(Frontier(state, "run", timedelta(hours=1)))
        waiting = [journal.settle("s", told(number)) for number in range(3)]
        waiting[1].cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    asyncio.run(go())
    assert count_frontier(state, "s")["gone"] == 3
    state.dispose()
    engine.dispose()


def test_what_is_answered_at_once_is_never_written_down_as_asked_for(tmp_path: Path) -> None:
    engine = open_warehouse(f"sqlite:///{tmp_path / 'warehouse.sqlite'}")
    state = open_crawl_state(engine)

    async def go() -> None:
        journal = WarehouseJournal(Frontier(state, "run", timedelta(hours=1)))
        journal.keep_listing("s", told(9).url, "rows")
        for number in range(2):
            journal.begin("s", told(number).url, "page")
        await journal.settle("s", told(0))
        assert count_frontier(state, "s")["in_flight"] == 0, "its answer may be under way"
        await asyncio.sleep(0.35)
        assert count_frontier(state, "s")["in_flight"] == 1, "a slow one is told"
        await journal.fail("s", told(1).url, "page", "transient")

    asyncio.run(go())
    assert count_frontier(state, "s") == {"due": 0, "in_flight": 0, "done": 0, "failed": 1, "gone": 1}
    assert list(Frontier(state, "run", timedelta(hours=1)).listings("s").values()) == ["rows"]
    state.dispose()
    engine.dispose()
