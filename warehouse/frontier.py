"""The frontier of runs that have not ended: what each has planned, is asking and was answered, address by address.

`page` holds what the warehouse took in, in one transaction with the documents. This is what came since: written at
once, on its own (see `warehouse.crawl_state`), so that the run after a killed one finds it. It is a log, in which the
last word on an address counts. When a run ends its words are deleted, for all that it was answered is in `page` by
then, or failed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Engine, Row, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from warehouse.batch import SnapshotRef
from warehouse.crawl_state import Prepared, changing
from warehouse.engine import explained, is_sqlite
from warehouse.patience import retried
from warehouse.schema_crawl import frontier, list_page

NO_LISTINGS: Mapping[tuple[str, str], str] = {}
ANSWERED = frozenset({"done", "gone"})
STATES = ("due", "in_flight", "done", "failed", "gone")
_WORD = tuple(column.name for column in frontier.columns if column.name != "number")
_NOWHERE = (None, None, None, None)


class FrontierRow(NamedTuple):
    """A word on one address. `address` is the key: canonical, without the scheme."""

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
    run_id: str = ""
    """Of a word that is recalled: the run that it was said to."""


class Frontier:
    """The frontier as one run uses it. `validity`: how long an answer of a run that did not end stays good."""

    def __init__(self, state: Engine, run_id: str, validity: timedelta) -> None:
        self._engine = state
        self._run_id = run_id
        self._validity = validity
        into = sqlite.insert if is_sqlite(state.url) else postgresql.insert
        keep = into(list_page)
        self._keep = keep.on_conflict_do_update(
            index_elements=["source_id", "address"], set_={"said": keep.excluded["said"]}
        )
        self._say = Prepared(state, frontier.insert().inline(), _WORD)

    @retried
    def recall(self, source_id: str) -> dict[str, FrontierRow]:
        """Answers that are still good, by address; they are this run's from now on. Older ones are dropped."""
        of_source = frontier.c.source_id == source_id
        said_to = {word.number: word.run_id for word in self._words(source_id)}
        if not said_to:
            return {}
        since = datetime.now(UTC) - self._validity
        with changing(self._engine) as conn:
            conn.execute(delete(frontier).where(of_source, frontier.c.asked_at <= since.timestamp()))
            conn.execute(update(frontier).where(of_source).values(run_id=self._run_id))
        last = _last_words(self._words(source_id))
        answers = {address: row for (_, address), row in last.items() if row.state in ANSWERED}
        return {address: _read(row, said_to.get(row.number, self._run_id)) for address, row in answers.items()}

    def _words(self, source_id: str) -> Sequence[Row[Any]]:
        chosen = select(frontier).where(frontier.c.source_id == source_id).order_by(frontier.c.number)
        with explained(self._engine), self._engine.connect() as conn:
            return conn.execute(chosen).all()

    @retried
    def plan(self, source_id: str, pages: Iterable[tuple[str, str, str]]) -> None:
        """(address, URL, kind) of what is due; what was answered already stays so."""
        now, run = datetime.now(UTC).timestamp(), self._run_id
        unasked = (None, None, None, *_NOWHERE)
        words = [(source_id, address, url, kind, run, "due", "", now, *unasked) for address, url, kind in pages]
        if words:
            with changing(self._engine) as conn:
                self._say.run(conn, words)

    @retried
    def record(
        self, rows: Sequence[tuple[str, FrontierRow]], listings: Mapping[tuple[str, str], str] = NO_LISTINGS
    ) -> None:
        """(source, row) as they came about, written in one go: of an address told twice the last word counts.
        `listings`: by source and address, what was read of list pages, see `listings`."""
        with changing(self._engine) as conn:
            self._say.run(conn, [self._word(source_id, row) for source_id, row in rows])
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

    def _word(self, source_id: str, row: FrontierRow) -> tuple[str | float | None, ...]:
        address, url, kind, state, asked_at, outcome, status, etag, modified, ref, _ = row
        told = (source_id, address, url, kind, self._run_id, state, outcome, asked_at.timestamp())
        where = _NOWHERE if ref is None else (ref.file, ref.offset, ref.length, ref.sha256)
        return (*told, status, etag, modified, *where)


def _last_words(words: Iterable[Row[Any]]) -> dict[tuple[str, str], Row[Any]]:
    """By source and address. That an address is planned says nothing about one that is answered."""
    last: dict[tuple[str, str], Row[Any]] = {}
    for word in words:
        key = word.source_id, word.address
        is_planned = word.state == "due" and not word.outcome
        if not (is_planned and key in last and last[key].state in ANSWERED):
            last[key] = word
    return last


def count_frontier(state: Engine, source_id: str | None = None) -> dict[str, int]:
    """Addresses of unfinished runs by state, those of one source or of all."""
    chosen = select(frontier).order_by(frontier.c.number)
    if source_id is not None:
        chosen = chosen.where(frontier.c.source_id == source_id)
    with explained(state), state.connect() as conn:
        counts = Counter(word.state for word in _last_words(conn.execute(chosen)).values())
    return {name: counts[name] for name in STATES}


def _read(row: Row[Any], run_id: str) -> FrontierRow:
    snapshot = None
    if row.snapshot_file is not None:
        snapshot = SnapshotRef(row.snapshot_file, row.snapshot_offset, row.snapshot_length, row.snapshot_sha256)
    asked_at = datetime.fromtimestamp(row.asked_at, UTC)
    return FrontierRow(
        row.address, row.url, row.kind, row.state, asked_at, row.outcome, row.status, row.etag, row.last_modified,
        snapshot, run_id,
    )  # fmt: skip
