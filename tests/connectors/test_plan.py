"""The plan of a backfill: what it would ask and how long that takes, from memory alone."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.wish import Wish
from fazhi.house import load_catalog
from tasks.assemble import source_row
from tasks.plan import Plan, Rate, plan_source
from tests.connectors.portal import BASE, HOST, item, source
from warehouse.asked import kept_gaps
from warehouse.batch import FetchRow, LoadBatch, PageState, SnapshotRef
from warehouse.catalogue import catalogue_rows
from warehouse.crawl_state import open_crawl_state
from warehouse.engine import open_warehouse
from warehouse.lanes import HostLanes, Learned, learned_paces
from warehouse.load import publish

RATE = Rate(1.0, 1000)


def states(n_held: int) -> dict[str, PageState]:
    """Memory of a list with reports of 2001 to 2008, of which the first ones are held."""
    found = [PageState(url=BASE, kind="list", source_id="990901_wuyou", last_outcome="ok")]
    for number, one in enumerate([item(number) for number in range(1, 9)]):
        ref = SnapshotRef("a.warc.gz", 0, 10, "0" * 64) if number < n_held else None
        found.append(
            PageState(
                url=f"https://{HOST}{one.target}", kind="page", source_id="990901_wuyou", title=one.title,
                listed_date=one.date, snapshot=ref, state="active" if ref else "known",
                last_outcome="ok" if ref else "listed",
            )
        )  # fmt: skip
    return {state.url: state for state in found}


def test_missing_and_refetch_count_pages_of_the_cut() -> None:
    held = states(4)
    missing = plan_source(source(), held, [2003, 2009], Wish("missing", years=(2003, 2006)), RATE)
    assert (missing.pages, missing.requests, missing.missing_years) == (2, 4, (2003,))
    again = plan_source(source(), held, (), Wish("refetch", years=(2003, 2006)), RATE)
    assert (again.pages, again.hours) == (4, pytest.approx(6 * source().politeness.delay_seconds / 3600))


def test_hours_know_what_the_last_run_kept_to(tmp_path: Path) -> None:
    """A Crawl-delay of 7 seconds, of which nothing but the log of the run tells."""
    engine = open_warehouse(f"sqlite:///{tmp_path / 'warehouse.sqlite'}")
    for run, gap in ("first", 30), ("last", 7):
        begun = datetime(2026, 3, 1 if run == "first" else 2, tzinfo=UTC)
        fetches = tuple(
            FetchRow(f"{BASE}{n}.html", 1, begun + timedelta(seconds=gap * n), "ok", 200) for n in range(1, 7)
        )
        robots = FetchRow("https://www.wuyou.example/robots.txt", 1, begun, "ok", 200, kind="robots")
        publish(
            engine,
            LoadBatch(
                run, source_row(source()), begun, begun + timedelta(hours=1), catalogue_rows(*load_catalog()), "1", "0",
                fetches=(robots, *fetches), status="failed",
            ),
        )  # fmt: skip
    kept = kept_gaps(engine, source().id)
    assert kept == {HOST: 7.0} and kept_gaps(engine, "990901_nobody") == {}
    engine.dispose()
    plan = plan_source(source(politeness={"delay_seconds": 1}), states(0), (), Wish("missing"), RATE, kept)
    assert plan.hours == pytest.approx(10 * 7 / 3600)


@pytest.mark.parametrize(
    ("politeness", "rate", "seconds"),
    [
        ({"delay_seconds": 5}, RATE, 50),
        ({"delay_seconds": 1}, Rate(3.0, 1000), 30),
        ({"delay_seconds": 1}, Rate(1.0, 1000, {HOST: (4.0, 1.5)}), 120),
        ({"delay_seconds": 1, "quiet_hours": ["08:00-20:00"]}, RATE, 20),
        ({"delay_seconds": 1, "daily_budget": 4}, RATE, 2 * 86400),
        ({"delay_seconds": 1}, Rate(1.0, 5), 86400),
    ],
)
def test_hours_are_those_of_the_polite_rate(politeness: dict[str, object], rate: Rate, seconds: float) -> None:
    """Ten requests: eight pages, a list, robots.txt."""
    plan = plan_source(source(politeness=politeness), states(0), (), Wish("missing"), rate)
    assert plan.requests == 10
    assert plan.hours == pytest.approx(seconds / 3600)


def test_sources_of_one_host_wait_for_each_other_and_the_limit_is_of_all() -> None:
    one = plan_source(source(), states(0), (), Wish("missing"), RATE)
    both = Plan("missing", 10, (one, one))
    assert (both.pages, both.requests, both.hours) == (10, 14, pytest.approx(2 * one.hours))


def test_learned_paces_are_read_without_a_trace(tmp_path: Path) -> None:
    engine = open_warehouse(f"sqlite:///{tmp_path / 'warehouse.sqlite'}")
    try:
        before = tree(tmp_path)
        assert learned_paces(engine) == {} and tree(tmp_path) == before
        state = open_crawl_state(engine)
        lanes = HostLanes(state)
        lanes.acquire(HOST, None, None, 0)
        lanes.settle(HOST, Learned(1.0, 0.0, 4.0, 1.5), unused=0)
        state.dispose()
        before = tree(tmp_path)
        assert learned_paces(engine) == {HOST: (4.0, 1.5)} and tree(tmp_path) == before
    finally:
        engine.dispose()


def tree(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.sqlite")}
