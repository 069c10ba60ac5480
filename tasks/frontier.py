"""The warehouse's frontier, as the crawl takes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from connectors.archive import SnapshotRef
from connectors.frontier import Answered
from connectors.urls import document_key
from warehouse.batch import SnapshotRef as StoredRef
from warehouse.frontier import Frontier, FrontierRow


class WarehouseJournal:
    """`connectors.frontier.Journal`, kept by the warehouse."""

    def __init__(self, frontier: Frontier) -> None:
        self._frontier = frontier

    def recall(self, source_id: str) -> Mapping[str, Answered]:
        return {address: _answered(row) for address, row in self._frontier.recall(source_id).items()}

    def plan(self, source_id: str, pages: Iterable[tuple[str, str]]) -> None:
        self._frontier.plan(source_id, [(document_key(url), url, kind) for url, kind in pages])

    def begin(self, source_id: str, url: str, kind: str) -> None:
        self._frontier.begin(source_id, document_key(url), url, kind)

    def settle(self, source_id: str, answered: Answered) -> None:
        ref = answered.snapshot
        self._frontier.settle(
            source_id,
            FrontierRow(
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
            ),
        )

    def fail(self, source_id: str, url: str, kind: str, code: str) -> None:
        state = "due" if code == "deferred" else "failed"
        self._frontier.fail(source_id, document_key(url), url, kind, state, code)


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
