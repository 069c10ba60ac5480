"""The warehouse's frontier, as the crawl takes it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from connectors.archive import SnapshotRef
from connectors.frontier import Answered
from connectors.urls import document_key
from warehouse.batch import SnapshotRef as StoredRef
from warehouse.errors import WarehouseError
from warehouse.frontier import Frontier, FrontierRow

_GROUP_SECONDS = 0.02
"""Pages that are answered within it are written down together: a transaction each would cost more than asking."""


class WarehouseJournal:
    """`connectors.frontier.Journal`, kept by the warehouse. Calls come from one event loop's thread."""

    def __init__(self, frontier: Frontier) -> None:
        self._frontier = frontier
        self._rows: list[tuple[str, FrontierRow]] = []
        """Not written yet, in the order in which they came."""
        self._written: asyncio.Future[None] | None = None
        """Done when they are."""

    def recall(self, source_id: str) -> Mapping[str, Answered]:
        return {address: _answered(row) for address, row in self._frontier.recall(source_id).items()}

    def plan(self, source_id: str, pages: Iterable[tuple[str, str]]) -> None:
        self._frontier.plan(source_id, [(document_key(url), url, kind) for url, kind in pages])

    def begin(self, source_id: str, url: str, kind: str) -> None:
        self._add(source_id, FrontierRow(document_key(url), url, kind, "in_flight", datetime.now(UTC)))

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
        await asyncio.shield(self._add(source_id, row))

    async def fail(self, source_id: str, url: str, kind: str, code: str) -> None:
        state = "due" if code == "deferred" else "failed"
        row = FrontierRow(document_key(url), url, kind, state, datetime.now(UTC), code)
        await asyncio.shield(self._add(source_id, row))

    def _add(self, source_id: str, row: FrontierRow) -> asyncio.Future[None]:
        self._rows.append((source_id, row))
        if self._written is None:
            loop = asyncio.get_running_loop()
            self._written = loop.create_future()
            loop.call_later(_GROUP_SECONDS, self._write)
        return self._written

    def _write(self) -> None:
        """Whoever waits is told of an error. Rows that nobody waits for are tried again with the next ones."""
        rows, written = self._rows, self._written
        assert written is not None
        self._rows, self._written = [], None
        try:
            self._frontier.record(rows)
        except WarehouseError as error:
            self._rows = [(source_id, row) for source_id, row in rows if row.state == "in_flight"]
            written.set_exception(error)
            written.exception()  # seen: those who wait raise it
        else:
            written.set_result(None)


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
