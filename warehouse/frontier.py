"""The frontier of runs that have not ended: what each has planned, is asking and was answered, address by address.

`page` holds what the warehouse took in, in one transaction with the documents. This is what came since: written at
once, on its own (see `warehouse.crawl_state`), so that the run after a killed one finds it. It is a log, in which the
last word on an address counts. When a run ends its words are deleted, for all that it was answered is in `page` by
then, or failed.

A run takes over the words of those that are dead. The words of one that lives stay its own: what it was answered is
good for both, and whoever asked for it writes it into the fetch log.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Engine, Row, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from warehouse.batch import SnapshotRef
from warehouse.crawl_state import Prepared, changing
from warehouse.engine import explained, is_sqlite
from warehouse.living import LivingRuns, find_living
from warehouse.patience import retried
from warehouse.schema_crawl import frontier, list_page

NO_LISTINGS: Mapping[tuple[str, str], str] = {}
ANSWERED = frozenset({"done", "gone"})
STATES = ("due", "in_flight", "done", "failed", "gone")
"""Of an address. `tried` is none of them: it tells the fetch log of an attempt."""
_LOGGED = frozenset({"done", "tried"})
"""Words that tell of one attempt each; those on failures come with a `tried` for each of theirs."""
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
    told: str | None = None
    """Of `tried`: what the fetch log has besides."""
    said_to: tuple[str, ...] = ()
    """Of a word that is recalled: the runs that have had it, the first one first."""


class Recalled(NamedTuple):
    """What is there of a source when a run begins it."""

    answers: dict[str, FrontierRow]
    """By address, those that are still good, of whatever run."""
    taken: list[FrontierRow]
    """Attempts of dead runs, and of this one before it was begun anew, which are now this run's to log."""


class Frontier:
    """The frontier as one run uses it. `validity`: how long an answer of another run stays good."""

    def __init__(self, state: Engine, run_id: str, validity: timedelta) -> None:
        self._engine = state
        self._run_id = run_id
        self._validity = validity
        self._living = LivingRuns(state, run_id)
        self.others: frozenset[str] = frozenset()
        """Other runs that were under way at the last beat."""
        self.shared: set[str] = set()
        """Sources of this run that others crawl as well, as far as it has heard."""
        self._begun: set[str] = set()
        """Sources that this run has recalled."""
        self._heard: set[tuple[str, int]] = set()
        """Words of others, by run and number, that are read."""
        self._read_to = 0
        """Their numbers up to here."""
        into = sqlite.insert if is_sqlite(state.url) else postgresql.insert
        keep = into(list_page)
        self._keep = keep.on_conflict_do_update(
            index_elements=["source_id", "address"], set_={"said": keep.excluded["said"]}
        )
        self._say = Prepared(state, frontier.insert().inline(), _WORD)

    def beat(self) -> None:
        """This process lives, and sees who else does: until it has beaten, others take its run for dead."""
        others = self._living.beat()
        if others != self.others:
            self._read_to = 0  # SQLite gives the numbers of words that were deleted to others
            self.others = others
        if not others:
            self.shared.clear()
            self._heard.clear()

    def leave(self) -> None:
        """This process does nothing more for its run: what is not finished is there for others."""
        self._living.leave()

    @retried
    def recall(self, source_id: str) -> Recalled:
        """What dead runs have said is this run's from now on."""
        words = self._words(source_id)
        self._begun.add(source_id)
        if not words:
            return Recalled({}, [])
        with changing(self._engine) as conn:
            said_by = {word.run_id for word in words} - {self._run_id}
            dead = said_by - find_living(conn)
            if said_by > dead:
                self.shared.add(source_id)
            is_taken = (frontier.c.source_id == source_id) & frontier.c.run_id.in_(sorted(dead))
            said_to = func.coalesce(frontier.c.said_to + " ", "") + frontier.c.run_id
            conn.execute(update(frontier).where(is_taken).values(said_to=said_to, run_id=self._run_id))
        words = self._words(source_id)
        self._heard |= {(word.run_id, word.number) for word in words if word.run_id != self._run_id}
        taken = [_read(word) for word in words if word.run_id == self._run_id and word.state in _LOGGED]
        return Recalled(self._good_answers(words), taken)

    @retried
    def news(self) -> dict[str, dict[str, FrontierRow]]:
        """By source and address, what other living runs were answered since this was last called: of the sources that
        this run has begun."""
        if not self.others:
            return {}
        is_theirs = frontier.c.run_id.in_(sorted(self.others)) & frontier.c.source_id.in_(sorted(self._begun))
        chosen = select(frontier).where(frontier.c.number > self._read_to, is_theirs).order_by(frontier.c.number)
        with explained(self._engine), self._engine.connect() as conn:
            read_to = conn.execute(select(func.max(frontier.c.number))).scalar_one() or 0
            words = conn.execute(chosen.where(frontier.c.number <= read_to)).all()
        by_source: dict[str, list[Row[Any]]] = {}
        for word in words:
            if (word.run_id, word.number) not in self._heard:
                by_source.setdefault(word.source_id, []).append(word)
        self._heard |= {(word.run_id, word.number) for word in words}
        self._read_to = read_to
        self.shared |= by_source.keys()
        return {source_id: self._good_answers(said) for source_id, said in by_source.items()}

    def _good_answers(self, words: Iterable[Row[Any]]) -> dict[str, FrontierRow]:
        """Of each run the last word on an address, and of several answers the last one."""
        last: dict[tuple[str, str], Row[Any]] = {}
        for word in words:
            _take_word(last, (word.said_to or word.run_id, word.address), word)
        since = (datetime.now(UTC) - self._validity).timestamp()
        good = [word for word in last.values() if word.state in ANSWERED and word.asked_at > since]
        return {word.address: _read(word) for word in sorted(good, key=lambda word: word.number)}

    def _words(self, source_id: str) -> Sequence[Row[Any]]:
        chosen = select(frontier).where(frontier.c.source_id == source_id).order_by(frontier.c.number)
        with explained(self._engine), self._engine.connect() as conn:
            return conn.execute(chosen).all()

    @retried
    def plan(self, source_id: str, pages: Iterable[tuple[str, str, str]]) -> None:
        """(address, URL, kind) of what is due; what was answered already stays so."""
        now, run = datetime.now(UTC).timestamp(), self._run_id
        unasked = (None, None, None, *_NOWHERE, None, None)
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
        address, url, kind, state, asked_at, outcome, status, etag, modified, ref, told, _ = row
        said = (source_id, address, url, kind, self._run_id, state, outcome, asked_at.timestamp())
        where = _NOWHERE if ref is None else (ref.file, ref.offset, ref.length, ref.sha256)
        return (*said, status, etag, modified, *where, None, told)


def _take_word(last: dict[tuple[str, str], Row[Any]], key: tuple[str, str], word: Row[Any]) -> None:
    """A further word: that an address is planned says nothing about one that is answered, and an attempt is for the
    log alone."""
    is_planned = word.state == "due" and not word.outcome
    if word.state != "tried" and not (is_planned and key in last and last[key].state in ANSWERED):
        last[key] = word


def count_frontier(state: Engine, source_id: str | None = None) -> dict[str, int]:
    """Addresses of unfinished runs by state, those of one source or of all."""
    chosen = select(frontier).order_by(frontier.c.number)
    if source_id is not None:
        chosen = chosen.where(frontier.c.source_id == source_id)
    with explained(state), state.connect() as conn:
        last: dict[tuple[str, str], Row[Any]] = {}
        for word in conn.execute(chosen):
            _take_word(last, (word.source_id, word.address), word)
    counts = Counter(word.state for word in last.values())
    return {name: counts[name] for name in STATES}


def _read(row: Row[Any]) -> FrontierRow:
    snapshot = None
    if row.snapshot_file is not None:
        snapshot = SnapshotRef(row.snapshot_file, row.snapshot_offset, row.snapshot_length, row.snapshot_sha256)
    asked_at = datetime.fromtimestamp(row.asked_at, UTC)
    return FrontierRow(
        row.address, row.url, row.kind, row.state, asked_at, row.outcome, row.status, row.etag, row.last_modified,
        snapshot, row.told, (*(row.said_to or "").split(), row.run_id),
    )  # fmt: skip
