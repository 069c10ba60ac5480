"""Which raw pages the warehouse still refers to: what looks after the archive must not take those out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, Engine, Table, select

from warehouse.batch import SnapshotRef
from warehouse.crawl_state import crawl_state_url, open_crawl_state
from warehouse.engine import explained, is_sqlite, reading
from warehouse.schema import fact_fetch, metadata
from warehouse.schema_crawl import crawl_metadata

LOGS = (fact_fetch,)
"""These tell what was once fetched; nobody reads a page through them, so they hold no page back."""


def referenced_snapshots(engine: Engine) -> set[SnapshotRef]:
    """Of every table that says where a raw page lies, logs excepted, and of crawls that have not ended.

    Raises WarehouseError."""
    # Crawls first: what one of them hands over to the warehouse meanwhile is then seen there.
    found = set(_of_crawls(engine))
    with reading(engine) as conn:
        for table in metadata.sorted_tables:
            if table not in LOGS:
                found |= set(_of_table(conn, table))
    return found


def _of_crawls(engine: Engine) -> Iterator[SnapshotRef]:
    url = crawl_state_url(engine.url)
    if is_sqlite(url) and not Path(url.database or "").is_file():
        return  # none has run yet, and a look makes no file
    state = open_crawl_state(engine)
    try:
        with explained(state), state.connect() as conn:
            for table in crawl_metadata.sorted_tables:
                yield from _of_table(conn, table)
    finally:
        state.dispose()


def _of_table(conn: Connection, table: Table) -> Iterator[SnapshotRef]:
    columns = table.c
    if "snapshot_file" not in columns:
        return
    sha256 = columns["snapshot_sha256" if "snapshot_sha256" in columns else "bytes_hash"]
    place = (columns["snapshot_file"], columns["snapshot_offset"], columns["snapshot_length"], sha256)
    for row in conn.execute(select(*place).where(columns["snapshot_file"].is_not(None)).distinct()):
        yield SnapshotRef(*row)
