"""The warehouse's frontier, as the crawl takes it."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from connectors.archive import SnapshotRef
from connectors.frontier import Answered
from connectors.urls import document_key
from warehouse.batch import SnapshotRef as StoredRef
from warehouse.errors import WarehouseError
from warehouse.frontier import Frontier, FrontierRow

_SHARE, _LEAST_WAIT, _LONGEST_WAIT = 0.1, 0.02, 0.1
"""What is answered within some time is written down together: a transaction each would cost more than asking. It waits
for a tenth of the time since the source's last answer, within these bounds, seconds: where a host is asked once a
second nobody is kept by it, and a replay is not slowed down."""


class WarehouseJournal:
    """`connectors.frontier.Journal`, kept by the warehouse. Calls come from one event loop's thread."""

    def __init__(self, frontier: Frontier) -> None:
        self._frontier = frontier
        self._rows: dict[tuple[str, str], FrontierRow] = {}
        """By source and address, not written yet: of an address told twice the last word counts."""
        self._listings: dict[tuple[str, str], str] = {}
        """Of list pages, not kept yet."""
        self._waiting: list[asyncio.Future[None]] = []
        """Done when they are."""
        self._timer: asyncio.TimerHandle | None = None
        self._written_at: dict[str, float] = {}
        """When the last answer to a source was."""

    def recall(self, source_id: str) -> Mapping[str, Answered]:
        return {address: _answered(row) for address, row in self._frontier.recall(source_id).items()}

    def plan(self, source_id: str, pages: Iterable[tuple[str, str]]) -> None:
        self._frontier.plan(source_id, [(document_key(url), url, kind) for url, kind in pages])

    def begin(self, source_id: str, url: str, kind: str) -> None:
        row = FrontierRow(document_key(url), url, kind, "in_flight", datetime.now(UTC))
        self._add(source_id, row, _LONGEST_WAIT)

    async def settle(self, source_id: str, answered: Answered) -> None:
        ref = answered.snapshot
        row = FrontierRow(
            address=document_key(answered.url),
            url=answered.url,
            kind=answered.kind,
            state="gone" if ref is None else "done",
            asked_at=answered.asked_at,
            outcome=answered.outcome,
            status=answered.status,
            etag=answered.etag,
            last_modified=answered.last_modified,
            snapshot=StoredRef(ref.file, ref.offset, ref.length, ref.sha256) if ref is not None else None,
        )
        await self._put(source_id, row)

    async def fail(self, source_id: str, url: str, kind: str, code: str) -> None:
        state = "due" if code == "deferred" else "failed"
        row = FrontierRow(document_key(url), url, kind, state, datetime.now(UTC), code)
        await self._put(source_id, row)

    def listings(self, source_id: str) -> Mapping[str, str]:
        return self._frontier.listings(source_id)

    def keep_listing(self, source_id: str, url: str, text: str) -> None:
        self._listings[source_id, document_key(url)] = text

    async def _put(self, source_id: str, row: FrontierRow) -> None:
        """Written down when this returns. How long the source took for its last address tells how long it may wait."""
        took = time.monotonic() - self._written_at.get(source_id, math.inf)
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(written)
        self._add(source_id, row, min(max(took * _SHARE, _LEAST_WAIT), _LONGEST_WAIT))
        await written
        self._written_at[source_id] = time.monotonic()

    def _add(self, source_id: str, row: FrontierRow, wait: float) -> None:
        self._rows[source_id, row.address] = row
        loop = asyncio.get_running_loop()
        at = loop.time() + wait
        if self._timer is None or at < self._timer.when():
            if self._timer is not None:
                self._timer.cancel()
            self._timer = loop.call_at(at, self._write)

    def _write(self) -> None:
        """Whoever waits is told of an error. Rows that nobody waits for are tried again with the next ones."""
        rows, waiting, self._timer = self._rows, self._waiting, None
        self._rows, self._waiting = {}, []
        error = None
        try:
            self._frontier.record([(source_id, row) for (source_id, _), row in rows.items()], self._listings)
            self._listings = {}
        except WarehouseError as raised:
            error = raised
            self._rows = {key: row for key, row in rows.items() if row.state == "in_flight"}
        for written in waiting:
            if written.done():  # its task was cancelled
                continue
            if error is None:
                written.set_result(None)
            else:
                written.set_exception(error)


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
