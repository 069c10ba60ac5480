"""The crawl's log and memory: fetches, source runs, pages. Written with the batch, never part of the content."""

from __future__ import annotations

from datetime import UTC

from sqlalchemy import Connection, select

from warehouse.batch import FetchRow, LoadBatch, LoadResult, PageState
from warehouse.columns import Row
from warehouse.dim_rows import source_key, to_json
from warehouse.keys import NOT_APPLICABLE, key_near, key_of
from warehouse.schema import fact_fetch, fact_source_run, page
from warehouse.upsert import merge_rows, read_rows

BROUGHT = ("n_new", "n_changed", "n_updated", "n_gone", "n_observations", "n_mentions", "n_quarantined")
"""What the load counts, not the crawl."""

LISTED = frozenset({"title", "listed_date", "found_on"})
"""What a list says of a page."""
FAILED = LISTED | {"last_status", "last_outcome", "n_failed", "due_at", "last_seen_at"}
"""What a failure says of a page."""


def write_fetches(conn: Connection, batch: LoadBatch) -> None:
    """One row per attempt. What this run took over it logs only where no run before it did."""
    taken_from = sorted({run_id for fetch in batch.fetches for run_id in fetch.answered_to})
    logged = fact_fetch.c
    chosen = select(logged.url, logged.started_at).where(logged.run_id.in_(taken_from))
    known = {tuple(row) for row in conn.execute(chosen)} if taken_from else set()
    rows = [fetch for fetch in batch.fetches if not (fetch.answered_to and (fetch.url, fetch.started_at) in known)]
    run = _source_run_key(batch)
    merge_rows(conn, fact_fetch, [_fetch_row(batch, fetch, run) for fetch in rows])


def write_pages(conn: Connection, batch: LoadBatch, rejected_ids: set[str]) -> None:
    """What a later batch knows wins, first times stay. A page whose document was set aside is asked for anew.

    A page that could not be had, or is only listed, keeps what was known of it: it is what the warehouse holds. What
    was learned by asking wins over what only a list says, also when it is older: it may come from a run that died."""
    rows = {row["page_key"]: row for row in (_page_row(batch, state, rejected_ids) for state in batch.pages)}
    held = read_rows(conn, page, list(rows))
    for key, stored in held.items():
        row = rows[key]
        if row["state"] in ("known", "failed"):
            _keep_what_was_had(row, stored)
        is_older = row["last_seen_at"] < stored["last_seen_at"]
        if is_older and not (stored["state"] == "known" and row["state"] != "known"):
            row.update(stored, first_seen_at=row["first_seen_at"])
        row["first_seen_at"] = min(row["first_seen_at"], stored["first_seen_at"])
    merge_rows(conn, page, rows.values(), stored=held)


def write_source_run(conn: Connection, batch: LoadBatch, result: LoadResult) -> None:
    """One row per source and run, when its last batch comes; the same batch again leaves it, a retry after a failure
    replaces it, and what a second batch of the run brings adds up in it."""
    if batch.is_part or not batch.is_crawl:
        return
    row = _source_run_row(batch, result.after(batch.before))
    stored = read_rows(conn, fact_source_run, [row["source_run_key"]]).get(row["source_run_key"])
    if stored is None or stored["status"] != "ok":
        merge_rows(conn, fact_source_run, [row])
    elif result.load_key is not None:
        alone = _source_run_row(batch, result)
        brought = {name: stored[name] + alone[name] for name in BROUGHT}
        merge_rows(conn, fact_source_run, [{**stored, **brought, "load_key": result.load_key}])


def _keep_what_was_had(row: Row, stored: Row) -> None:
    learned = LISTED if row["state"] == "known" else FAILED
    kept = {name: value for name, value in stored.items() if name not in learned}
    if stored["state"] in ("gone", "rejected") or row["state"] == "known":
        kept["state"] = stored["state"]
    else:
        kept["state"] = row["state"]
    row.update(kept)
    for name in ("title", "listed_date", "found_on"):
        row[name] = row[name] or stored[name]


def _fetch_row(batch: LoadBatch, fetch: FetchRow, run: int) -> Row:
    key = source_key(batch.source.source_id)
    moment = fetch.started_at.astimezone(UTC).isoformat()
    return {
        "fetch_key": key_near(
            run, "fetch", f"{key},{moment},{fetch.attempt},{len(batch.run_id)},{batch.run_id},{fetch.url}"
        ),
        "source_key": key,
        "run_id": batch.run_id,
        "url": fetch.url,
        "attempt": fetch.attempt,
        "kind": fetch.kind,
        "started_at": fetch.started_at,
        "status": fetch.status,
        "outcome": fetch.outcome,
        "is_conditional": fetch.is_conditional,
        "robots": fetch.robots,
        "n_bytes": fetch.n_bytes,
        "elapsed_ms": fetch.elapsed_ms,
        "message": fetch.message,
        "evidence": fetch.evidence,
        "tls": fetch.tls,
        "snapshot_file": fetch.snapshot.file if fetch.snapshot else None,
        "snapshot_offset": fetch.snapshot.offset if fetch.snapshot else None,
        "snapshot_length": fetch.snapshot.length if fetch.snapshot else None,
    }


def _page_row(batch: LoadBatch, state: PageState, rejected_ids: set[str]) -> Row:
    is_rejected = state.document_id in rejected_ids
    seen = state.last_seen_at or batch.finished_at
    return {
        "page_key": key_near(source_key(batch.source.source_id), "page", f"{batch.source.source_id},{state.url}"),
        "source_id": batch.source.source_id,
        "url": state.url,
        "kind": state.kind,
        "document_id": state.document_id,
        "title": state.title,
        "listed_date": state.listed_date,
        "found_on": state.found_on,
        "etag": None if is_rejected else state.etag,
        "last_modified": None if is_rejected else state.last_modified,
        "bytes_hash": None if is_rejected else state.bytes_hash,
        "snapshot_file": state.snapshot.file if state.snapshot else None,
        "snapshot_offset": state.snapshot.offset if state.snapshot else None,
        "snapshot_length": state.snapshot.length if state.snapshot else None,
        "snapshot_sha256": state.snapshot.sha256 if state.snapshot else None,
        "text_hash": None if is_rejected else state.text_hash,
        "last_status": state.last_status,
        "last_outcome": state.last_outcome,
        "state": "rejected" if is_rejected else state.state,
        "n_failed": state.n_failed,
        "due_at": state.due_at,
        "walked_at": state.walked_at,
        "first_seen_at": state.first_seen_at or seen,
        "last_seen_at": seen,
    }


def _source_run_key(batch: LoadBatch) -> int:
    return key_of("source_run", batch.run_id, source_key(batch.source.source_id))


def _source_run_row(batch: LoadBatch, result: LoadResult) -> Row:
    key, counts = source_key(batch.source.source_id), batch.counts
    return {
        "source_run_key": _source_run_key(batch),
        "source_key": key,
        "run_id": batch.run_id,
        "status": batch.status,
        "started_at": batch.started_at,
        "finished_at": batch.finished_at,
        "n_planned": counts.planned,
        "n_fetched": counts.fetched,
        "n_unchanged": counts.unchanged,
        "n_not_modified": counts.not_modified,
        "n_same_bytes": counts.same_bytes,
        "n_same_text": counts.same_text,
        "n_new": result.documents_new,
        "n_changed": result.documents_changed,
        "n_updated": result.documents_updated,
        "n_gone": result.documents_gone,
        "n_blocked": counts.blocked,
        "n_failed": counts.failed,
        "n_deferred": counts.deferred,
        "n_resumed": counts.resumed,
        "n_rejected": counts.rejected,
        "n_observations": result.observations,
        "n_mentions": result.mentions,
        "n_quarantined": result.quarantined,
        "failures": to_json(batch.failures),
        "findings": to_json(batch.findings),
        "load_key": NOT_APPLICABLE if result.load_key is None else result.load_key,
    }
