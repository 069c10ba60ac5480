"""Which raw pages the warehouse refers to."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Engine

from tests.warehouse.builders import SOURCE, at, batch, page_of, report
from tests.warehouse.conftest import load
from tests.warehouse.tables import A, B
from warehouse.batch import FetchRow, PageState, SnapshotRef
from warehouse.crawl_state import changing, open_crawl_state
from warehouse.schema import metadata
from warehouse.schema_crawl import crawl_metadata, frontier
from warehouse.snapshots import LOGS, referenced_snapshots


def ref(number: int) -> SnapshotRef:
    return SnapshotRef(f"{number}.warc.gz", number, 100 + number, f"{number:064x}")


def test_documents_of_all_versions_and_pages_hold_theirs_and_logs_hold_none(engine: Engine) -> None:
    one = report(2020, A, snapshot=ref(1), bytes_hash=ref(1).sha256)
    two = report(2020, B, day=1, snapshot=ref(2), bytes_hash=ref(2).sha256)
    listed = PageState(
        "http://x/list", "list", SOURCE.source_id, None, snapshot=ref(3), bytes_hash=ref(3).sha256,
        first_seen_at=at(0), last_seen_at=at(0),
    )  # fmt: skip
    logged = FetchRow("http://x/log", 1, at(0), "ok", 200, 10, 1, snapshot=ref(4))
    load(engine, batch(one, pages=(replace(page_of(one, 0), snapshot=ref(1)), listed), fetches=(logged,)))
    assert referenced_snapshots(engine) == {ref(1), ref(3)}
    load(engine, batch(two, run="r2", day=1, pages=(replace(page_of(two, 1), snapshot=ref(2)),)))
    assert referenced_snapshots(engine) == {ref(1), ref(2), ref(3)}


def test_an_empty_warehouse_refers_to_nothing(engine: Engine) -> None:
    assert referenced_snapshots(engine) == set()


def test_a_crawl_that_has_not_ended_holds_its_pages(engine: Engine) -> None:
    state = open_crawl_state(engine)
    held = ref(7)
    row = {
        "source_id": SOURCE.source_id, "address": "x/1.html", "url": "http://x/1.html", "kind": "page", "run_id": "r",
        "state": "done", "outcome": "ok", "asked_at": 1.0, "attempts": "[]", "snapshot_file": held.file,
        "snapshot_offset": held.offset, "snapshot_length": held.length, "snapshot_sha256": held.sha256,
    }  # fmt: skip
    with changing(state) as conn:
        conn.execute(frontier.insert(), row)
    state.dispose()
    assert referenced_snapshots(engine) == {held}


def test_no_table_with_raw_pages_is_forgotten() -> None:
    """Whoever adds a table that refers to raw pages gets it looked at, or names it a log."""
    tables = [*metadata.sorted_tables, *crawl_metadata.sorted_tables]
    refer = {table.name for table in tables if "snapshot_file" in table.c}
    assert refer == {"dim_document", "page", "fact_fetch", "frontier"}
    assert {table.name for table in LOGS} == {"fact_fetch"}
