"""The frontier of runs that have not ended: what each has planned, is asking and was answered, address by address.

`page` holds what the warehouse took in, in one transaction with the documents. This is what came since: written at
once, on its own (see `warehouse.crawl_state`), so that the run after a killed one finds it. When a run ends its rows
are deleted, for all that it was answered is in `page` by then, or failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, delete, func, literal_column, select, update
from sqlalchemy.dialects import postgresql, sqlite

from warehouse.batch import SnapshotRef
from warehouse.crawl_state import Prepared, changing
from warehouse.engine import explained, is_sqlite
from warehouse.patience import retried
from warehouse.schema_crawl import frontier, list_page

NO_LISTINGS: Mapping[tuple[str, str], str] = {}
ANSWERED = ("done", "gone")
STATES = ("due", "in_flight", "done", "failed", "gone")


@dataclass(frozen=True, slots=True)
class FrontierRow:
    """One address as a run knows it. `address` is the key: canonical, without the scheme."""

    address: str
    url: str
    kind: str
    state: str
    asked_at: datetime
    outcome: str = ""
    status: int | None = None
    etag: str | None = None
    last_modified: str | None = None
    snapshot: SnapshotRef | None = None


class Frontier:
    """The frontier as one run uses it. `validity`: how long an answer of a run that did not end stays good."""

    def __init__(self, state: Engine, run_id: str, validity: timedelta) -> None:
        self._engine = state
        self._run_id = run_id
        self._validity = validity
        keys = ["source_id", "address"]
        into = sqlite.insert if is_sqlite(state.url) else postgresql.insert
        keep = into(list_page)
        self._keep = keep.on_conflict_do_update(index_elements=keys, set_={"said": keep.excluded["said"]})
        insert = into(frontier)
        others = {column.name: insert.excluded[column.name] for column in frontier.columns if column.name not in keys}
        self._write = Prepared(state, insert.on_conflict_do_update(index_elements=keys, set_=others))
        plan = {name: insert.excluded[name] for name in ("run_id", "url", "kind", "state", "outcome", "asked_at")}
        is_open = frontier.c.state.not_in([literal_column("'done'"), literal_column("'gone'")])
        self._plan = Prepared(state, insert.on_conflict_do_update(index_elements=keys, set_=plan, where=is_open))

    @retried
    def recall(self, source_id: str) -> dict[str, FrontierRow]:
        """Answers that are still good, by address; they are this run's from now on. Older ones are dropped."""
        since = datetime.now(UTC) - self._validity
        of_source = frontier.c.source_id == source_id
        with changing(self._engine) as conn:
            conn.execute(delete(frontier).where(of_source, frontier.c.asked_at <= since.timestamp()))
            chosen = select(frontier).where(of_source, frontier.c.state.in_(ANSWERED)).order_by(frontier.c.asked_at)
            rows = conn.execute(chosen).mappings().all()
            conn.execute(update(frontier).where(of_source).values(run_id=self._run_id))
        return {row["address"]: _read(row) for row in rows}

    @retried
    def plan(self, source_id: str, pages: Iterable[tuple[str, str, str]]) -> None:
        """(address, URL, kind) of what is due; what was answered already stays so."""
        now = datetime.now(UTC)
        rows = [self._row(source_id, FrontierRow(address, url, kind, "due", now)) for address, url, kind in pages]
        if rows:
            with changing(self._engine) as conn:
                self._plan.run(conn, rows)

    @retried
    def record(
        self, rows: Sequence[tuple[str, FrontierRow]], listings: Mapping[tuple[str, str], str] = NO_LISTINGS
    ) -> None:
        """(source, row) as they came about, written in one go: of an address told twice the last word counts.
        `listings`: by source and address, what was read of list pages, see `listings`.

        In order of their keys, so that two runs of one source cannot wait for each other."""
        in_order = sorted(rows, key=lambda told: (told[0], told[1].address))
        with changing(self._engine) as conn:
            self._write.run(conn, [self._row(source_id, row) for source_id, row in in_order])
            if listings:
                kept = [
                    {"source_id": key[0], "address": key[1], "said": said} for key, said in sorted(listings.items())
                ]
                conn.execute(self._keep, kept)

    @retried
    def listings(self, source_id: str) -> dict[str, str]:
        """What earlier runs read of a source's list pages, by address; a memory that may be lost."""
        chosen = select(list_page.c.address, list_page.c.said).where(list_page.c.source_id == source_id)
        with explained(self._engine), self._engine.connect() as conn:
            return {row.address: row.said for row in conn.execute(chosen)}

    @retried
    def finish(self) -> None:
        """The run has ended: nothing is left to resume."""
        with changing(self._engine) as conn:
            conn.execute(delete(frontier).where(frontier.c.run_id == self._run_id))

    def _row(self, source_id: str, row: FrontierRow) -> Mapping[str, Any]:
        ref = row.snapshot
        return {
            "source_id": source_id,
            "address": row.address,
            "url": row.url,
            "kind": row.kind,
            "run_id": self._run_id,
            "state": row.state,
            "outcome": row.outcome,
            "asked_at": row.asked_at.timestamp(),
            "status": row.status,
            "etag": row.etag,
            "last_modified": row.last_modified,
            "snapshot_file": ref.file if ref else None,
            "snapshot_offset": ref.offset if ref else None,
            "snapshot_length": ref.length if ref else None,
            "snapshot_sha256": ref.sha256 if ref else None,
        }


def count_frontier(state: Engine, source_id: str | None = None) -> dict[str, int]:
    """Addresses of unfinished runs by state, those of one source or of all."""
    chosen = select(frontier.c.state, func.count()).group_by(frontier.c.state)
    if source_id is not None:
        chosen = chosen.where(frontier.c.source_id == source_id)
    with explained(state), state.connect() as conn:
        counts = {row[0]: int(row[1]) for row in conn.execute(chosen)}
    return {name: counts.get(name, 0) for name in STATES}


def _read(row: Any) -> FrontierRow:
    snapshot = None
    if row["snapshot_file"] is not None:
        names = ("snapshot_file", "snapshot_offset", "snapshot_length", "snapshot_sha256")
        snapshot = SnapshotRef(*(row[name] for name in names))
    asked_at = datetime.fromtimestamp(row["asked_at"], UTC)
    same = ("address", "url", "kind", "state", "outcome", "status", "etag", "last_modified")
    return FrontierRow(asked_at=asked_at, snapshot=snapshot, **{name: row[name] for name in same})
