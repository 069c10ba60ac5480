"""The warehouse's frontier, as the crawl takes it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

from connectors.archive import SnapshotRef
from connectors.frontier import Answered
from connectors.http.client import Attempt
from connectors.urls import document_key
from tasks.fetches import attempt_word, tells_more
from warehouse.batch import SnapshotRef as StoredRef
from warehouse.errors import WarehouseError
from warehouse.frontier import Frontier, FrontierRow

_SHARE, _LEAST_WAIT, _LONGEST_WAIT = 0.25, 0.02, 0.25
"""What is answered within some time is written down together: a transaction each would cost more than asking. It waits
for a quarter of the time since the source's last answer, within these bounds, seconds: where a host is asked once a
second nobody is kept by it (a slow one is asked every two response times), and a replay is not slowed down. What is
asked for is written down where its answer takes longer than that."""
BEAT_SECONDS = 10.0
"""Between two looks for other runs."""
_NO_NEWS: Mapping[str, Answered] = {}
_Key = tuple[str, str]
"""Source and address."""
_Failed = tuple[str, str, str, datetime]
"""URL, kind and code of an address that was asked for in vain, and when that was."""


class WarehouseJournal:
    """`connectors.frontier.Journal`, kept by the warehouse. Calls come from one event loop's thread."""

    def __init__(self, frontier: Frontier) -> None:
        self._frontier = frontier
        self._told: list[tuple[str, Answered | _Failed]] = []
        """By source, not written yet."""
        self._tried: list[tuple[str, FrontierRow]] = []
        """By source, attempts that are not written yet."""
        self._taken: dict[str, Sequence[FrontierRow]] = {}
        self._news: dict[str, dict[str, Answered]] = {}
        """By source and address, what other runs were answered meanwhile and nobody has looked at."""
        self._begun: dict[_Key, tuple[str, str, float]] = {}
        """URL, kind and moment of what is asked for, as far as that is not written down."""
        self._listings: dict[_Key, str] = {}
        """Of list pages, not kept yet."""
        self._waiting: list[asyncio.Future[None]] = []
        """Done when the rows are written."""
        self._timer: asyncio.TimerHandle | None = None
        self._told_at: dict[str, float] = {}
        """When the last answer to a source was."""

    @asynccontextmanager
    async def under_way(self) -> AsyncIterator[None]:
        """While it lasts, other runs take nothing over from this one, and each hears of what the others are answered.

        Raises WarehouseError."""
        self._frontier.beat()
        beating = asyncio.create_task(self._beat())
        try:
            yield
        finally:
            beating.cancel()
            with suppress(WarehouseError):  # then it is missed when its process is gone, or its lease
                self._frontier.leave()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            try:
                await asyncio.to_thread(self._frontier.beat)
                self._hear()
            except WarehouseError:
                continue  # the lease lasts for many beats; who needs the database to go on will tell

    def _hear(self) -> None:
        for source_id, rows in self._frontier.news().items():
            of_source = self._news.setdefault(source_id, {})
            of_source |= {address: _answered(row) for address, row in rows.items()}

    def recall(self, source_id: str) -> Mapping[str, Answered]:
        found = self._frontier.recall(source_id)
        self._taken[source_id] = found.taken
        return {address: _answered(row) for address, row in found.answers.items()}

    def news(self, source_id: str) -> Mapping[str, Answered]:
        if source_id in self._frontier.shared:
            self._hear()
        return self._news.pop(source_id, _NO_NEWS) if self._news else _NO_NEWS

    def taken(self, source_id: str) -> Sequence[FrontierRow]:
        """Attempts of runs that did not end, which this one is to log."""
        if source_id not in self._taken:
            self.recall(source_id)
        return self._taken[source_id]

    def note(self, source_id: str, attempt: Attempt) -> None:
        """Keep an attempt for the log of a later run, where no word on its address tells all of it: soon, and not
        waited for."""
        if tells_more(attempt):
            self._tried.append((source_id, attempt_word(attempt)))
            self._write_at(asyncio.get_running_loop().time() + _LONGEST_WAIT)

    def plan(self, source_id: str, pages: Iterable[tuple[str, str]]) -> None:
        self._frontier.plan(source_id, [(document_key(url), url, kind) for url, kind in pages])

    def begin(self, source_id: str, url: str, kind: str) -> None:
        now = asyncio.get_running_loop().time()
        self._begun[source_id, document_key(url)] = (url, kind, now)
        if self._timer is None:
            self._write_at(now + _LONGEST_WAIT)

    def settle(self, source_id: str, answered: Answered) -> asyncio.Future[None]:
        return self._put(source_id, answered.url, answered)

    def fail(self, source_id: str, url: str, kind: str, code: str) -> asyncio.Future[None]:
        return self._put(source_id, url, (url, kind, code, datetime.now(UTC)))

    def listings(self, source_id: str) -> Mapping[str, str]:
        return self._frontier.listings(source_id)

    def keep_listing(self, source_id: str, url: str, text: str) -> None:
        self._listings[source_id, document_key(url)] = text

    def _put(self, source_id: str, url: str, told: Answered | _Failed) -> asyncio.Future[None]:
        """Done when it is written down. How long the source took for its last address tells how long it may wait."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        wait = (now - self._told_at.get(source_id, math.inf)) * _SHARE
        self._told_at[source_id] = now
        self._told.append((source_id, told))
        self._begun.pop((source_id, document_key(url)), None)
        written: asyncio.Future[None] = loop.create_future()
        self._waiting.append(written)
        self._write_at(now + min(max(wait, _LEAST_WAIT), _LONGEST_WAIT))
        return written

    def _write_at(self, moment: float) -> None:
        if self._timer is not None:
            if self._timer.when() <= moment:
                return
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(moment, self._write)

    def _write(self) -> None:
        """Whoever waits is told of an error. Rows that nobody waits for are tried again with the next ones."""
        told, waiting, self._timer = self._told, self._waiting, None
        self._told, self._waiting = [], []
        now = asyncio.get_running_loop().time()
        asked = {key: begun for key, begun in self._begun.items() if now - begun[2] >= _LONGEST_WAIT}
        rows = [*self._tried, *((source_id, _row(one)) for source_id, one in told)]
        rows += [(key[0], _in_flight(key[1], begun, now)) for key, begun in asked.items()]
        error = None
        try:
            if rows or self._listings:
                self._frontier.record(rows, self._listings)
            self._listings, self._tried = {}, []
            for key in asked:
                del self._begun[key]
        except WarehouseError as raised:
            error = raised
        if self._begun:
            self._write_at(now + _LONGEST_WAIT)
        for written in waiting:
            if written.done():  # its task was cancelled
                continue
            if error is None:
                written.set_result(None)
            else:
                written.set_exception(error)


def _row(told: Answered | _Failed) -> FrontierRow:
    if not isinstance(told, Answered):
        url, kind, code, at = told
        return FrontierRow(document_key(url), url, kind, "due" if code == "deferred" else "failed", at, code)
    url, kind, outcome, status, asked_at, etag, last_modified, ref = told
    state = "gone" if ref is None else "done"
    held = None if ref is None else StoredRef(ref.file, ref.offset, ref.length, ref.sha256)
    return FrontierRow(document_key(url), url, kind, state, asked_at, outcome, status, etag, last_modified, held)


def _in_flight(address: str, begun: tuple[str, str, float], now: float) -> FrontierRow:
    url, kind, at = begun
    return FrontierRow(address, url, kind, "in_flight", datetime.now(UTC) - timedelta(seconds=now - at))


def _answered(row: FrontierRow) -> Answered:
    ref = row.snapshot
    return Answered(
        url=row.url,
        kind=row.kind,
        outcome=row.outcome,  # type: ignore[arg-type]  # written by `settle` above
        status=row.status or 0,
        asked_at=row.asked_at,
        etag=row.etag,
        last_modified=row.last_modified,
        snapshot=SnapshotRef(ref.file, ref.offset, ref.length, ref.sha256) if ref is not None else None,
    )
