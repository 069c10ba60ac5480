"""The frontier of runs that have not ended, and what `page` keeps of an address between runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect, select

from tests.warehouse.builders import SOURCE, batch
from tests.warehouse.conftest import load
from warehouse.batch import PageState, SnapshotRef
from warehouse.compare import compare_schema
from warehouse.crawl_state import changing, crawl_state_url, open_crawl_state
from warehouse.engine import open_warehouse, writing
from warehouse.frontier import Frontier, FrontierRow, count_frontier
from warehouse.read import load_pages
from warehouse.schema_crawl import crawl_run

HOUR = timedelta(hours=1)
URL = "https://www.wuyou.example/a.html"
ADDRESS = "www.wuyou.example/a.html"
HELD = SnapshotRef("a.warc.gz", 7, 11, "0" * 64)


@pytest.fixture
def state(engine: Engine) -> Iterator[Engine]:
    opened = open_crawl_state(engine)
    yield opened
    opened.dispose()


def answer(state: str = "done", ago: timedelta = timedelta(0)) -> FrontierRow:
    held = HELD if state == "done" else None
    return FrontierRow(ADDRESS, URL, "page", state, datetime.now(UTC) - ago, "ok", 200, '"e"', None, held)


def test_the_next_run_takes_over_what_was_answered_and_nothing_else(state: Engine) -> None:
    killed = Frontier(state, "killed", HOUR)
    killed.plan("s", [(ADDRESS, URL, "page"), ("b", "http://b", "page"), ("c", "http://c", "page")])
    asked = FrontierRow("b", "http://b", "page", "in_flight", datetime.now(UTC))
    killed.record([("s", asked._replace(state="failed")), ("s", answer()), ("s", asked)])
    assert count_frontier(state, "s") == {"due": 1, "in_flight": 1, "done": 1, "failed": 0, "gone": 0}
    following = Frontier(state, "following", HOUR)
    (row,) = following.recall("s").answers.values()
    assert (row.url, row.snapshot, row.etag, row.status) == (URL, HELD, '"e"', 200)
    assert following.recall("other").answers == {}
    following.plan("s", [(ADDRESS, URL, "page"), ("b", "http://b", "page")])
    assert count_frontier(state)["done"] == 1, "what is answered is not due"
    following.finish()
    assert sum(count_frontier(state).values()) == 0


def test_answers_go_stale(state: Engine) -> None:
    Frontier(state, "killed", HOUR).record([("s", answer(ago=2 * HOUR))])
    assert Frontier(state, "following", HOUR).recall("s").answers == {}


def test_a_run_that_ends_leaves_the_rows_of_others(state: Engine) -> None:
    first, second = Frontier(state, "first", HOUR), Frontier(state, "second", HOUR)
    first.record([("s", answer())])
    second.record([("t", answer("gone"))])
    first.finish()
    assert count_frontier(state)["gone"] == 1 and count_frontier(state)["done"] == 0


def test_the_last_word_on_an_address_counts(state: Engine) -> None:
    killed = Frontier(state, "killed", HOUR)
    killed.record([("s", answer())])
    killed.record([("s", answer()._replace(state="in_flight")), ("t", answer("gone"))])
    following = Frontier(state, "following", HOUR)
    assert following.recall("s").answers == {}, "it was asked again, and nobody knows what came of that"
    following.plan("s", [(ADDRESS, URL, "page")])
    following.plan("t", [(ADDRESS, URL, "page")])
    assert count_frontier(state, "s")["due"] == count_frontier(state, "t")["gone"] == 1
    following.record([("t", answer("due")._replace(outcome="deferred"))])
    assert count_frontier(state, "t")["due"] == 1


def test_a_run_that_lives_keeps_its_words(state: Engine) -> None:
    first, second, third = (Frontier(state, name, HOUR) for name in ("first", "second", "third"))
    first.beat()
    first.record([("s", answer())])
    found = second.recall("s")
    assert [row.snapshot for row in found.answers.values()] == [HELD] and found.taken == []
    second.record([("s", answer("in_flight"))])
    assert third.recall("s").answers.keys() == {ADDRESS}, "what the second asks says nothing of what the first had"
    second.finish()
    third.finish()
    first.leave()
    (taken,) = Frontier(state, "fourth", HOUR).recall("s").taken
    assert taken.said_to == ("first", "fourth")
    (taken,) = Frontier(state, "fifth", HOUR).recall("s").taken
    assert taken.said_to == ("first", "fourth", "fifth"), "any of them may have logged it"


def test_runs_at_once_hear_of_each_other(state: Engine) -> None:
    first, second = Frontier(state, "first", HOUR), Frontier(state, "second", HOUR)
    assert first.recall("s").answers == {}
    first.beat()
    second.beat()
    second.record([("s", answer()), ("t", answer())])
    assert first.news() == {}, "it has not looked who else is there"
    first.beat()
    assert first.others == {"second"}
    assert {source_id: list(rows) for source_id, rows in first.news().items()} == {"s": [ADDRESS]}
    assert first.news() == {}
    second.record(
        [("s", answer("in_flight")), ("s", answer("gone")), ("s", answer(ago=2 * HOUR)._replace(address="b"))]
    )
    (row,) = first.news()["s"].values()
    assert row.state == "gone"
    second.leave()
    second.beat()
    first.beat()
    assert not first.others, "a beat that was under way when its run ended brings it back to no life"


def test_a_process_of_another_machine_lives_while_its_lease_lasts(state: Engine) -> None:
    frontier = Frontier(state, "here", HOUR)
    for name, until in (("living", 60.0), ("lost", -1.0)):
        row = {"run_id": name, "worker": "elsewhere/1/1/1", "lease_until": time.time() + until}
        with changing(state) as conn:
            conn.execute(crawl_run.insert(), row)
    frontier.beat()
    assert frontier.others == {"living"}
    with state.connect() as conn:
        assert {one for (one,) in conn.execute(select(crawl_run.c.run_id))} == {"here", "living"}


def test_words_for_the_log_are_no_state_of_an_address(state: Engine) -> None:
    killed = Frontier(state, "killed", HOUR)
    killed.record([("s", answer()), ("s", answer("tried")._replace(told="[]"))])
    assert count_frontier(state) == {"due": 0, "in_flight": 0, "done": 1, "failed": 0, "gone": 0}
    found = Frontier(state, "following", HOUR).recall("s")
    assert found.answers[ADDRESS].state == "done"
    assert [(row.state, row.told) for row in found.taken] == [("done", None), ("tried", "[]")]


def test_a_frontier_of_an_older_version_is_made_anew(engine: Engine, state: Engine) -> None:
    Frontier(state, "killed", HOUR).record([("s", answer())])
    open_crawl_state(engine).dispose()
    assert count_frontier(state)["done"] == 1, "one of this version stays"
    with changing(state) as conn:
        conn.exec_driver_sql("ALTER TABLE frontier DROP COLUMN outcome")
    open_crawl_state(engine).dispose()
    assert sum(count_frontier(state).values()) == 0


def test_it_waits_for_no_load(engine: Engine, state: Engine) -> None:
    with writing(engine):
        Frontier(state, "run", HOUR).record([("s", answer())])
        assert count_frontier(state)["done"] == 1


def test_it_is_no_part_of_the_schema(engine: Engine, state: Engine) -> None:
    url = engine.url.render_as_string(hide_password=False)
    assert [one.name for one in compare_schema(url) if not one.holds] == []
    assert "frontier" in inspect(state).get_table_names()


def test_beside_a_file_it_is_a_file_of_its_own(tmp_path: Path) -> None:
    engine = open_warehouse(f"sqlite:///{tmp_path / 'w.sqlite'}")
    assert crawl_state_url(engine.url).database == str(tmp_path / "w-crawl.sqlite")
    engine.dispose()


def remember(engine: Engine, *states: PageState) -> PageState:
    """What is known of the address after each was loaded in turn."""
    for number, one in enumerate(states):
        load(engine, replace(batch(run_id=f"r{number}"), pages=(one,)))
    return load_pages(engine, SOURCE.source_id)[URL]


def page(**changes: object) -> PageState:
    state = PageState(
        URL, "page", SOURCE.source_id, ADDRESS, '"e"', None, HELD, HELD.sha256, 200, title="题", text_hash="t",
        last_seen_at=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    return replace(state, **changes)  # type: ignore[arg-type]


def test_a_failure_costs_nothing_of_what_was_known(engine: Engine) -> None:
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    failed = PageState(
        URL, "page", SOURCE.source_id, ADDRESS, last_status=503, last_outcome="transient", state="failed", n_failed=3,
        due_at=moment, last_seen_at=moment,
    )  # fmt: skip
    found = remember(engine, page(), failed)
    assert (found.state, found.n_failed, found.due_at, found.last_outcome) == ("failed", 3, moment, "transient")
    assert (found.etag, found.snapshot, found.text_hash, found.title) == ('"e"', HELD, "t", "题")
    again = remember(engine, page(last_seen_at=datetime(2026, 1, 3, tzinfo=UTC)))
    assert (again.state, again.n_failed, again.due_at) == ("active", 0, None)


def test_a_row_of_a_list_is_known_before_it_is_asked_for(engine: Engine) -> None:
    listed = PageState(
        URL, "page", SOURCE.source_id, ADDRESS, last_outcome="listed", state="known", title="新题",
        found_on="http://l/", last_seen_at=datetime(2026, 1, 2, tzinfo=UTC),
    )  # fmt: skip
    assert remember(engine, listed).state == "known"
    found = remember(engine, page(last_seen_at=datetime(2026, 1, 3, tzinfo=UTC)), listed)
    assert (found.state, found.title, found.found_on, found.etag) == ("active", "新题", "http://l/", '"e"')
