"""Runs: those that left a record, with or without news, and those the release tells of; what changed by each."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Path, Query
from starlette.responses import Response

from explorer.release import Reader
from explorer.view import ShownAnyhow, View
from warehouse.run_records import OUTCOMES, RunRecord, SourceRun

router = APIRouter()
PAGE = 50
SHOWN = 200
FLOW_RUN = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
ENDED = ("done", "stopped")
"""Runs whose record tells how they went, source by source."""
RunId = Annotated[str, Path(max_length=80)]
NOTHING: Mapping[str, Any] = {"inserted": 0, "updated": 0, "deleted": 0, "quarantined": 0}


@router.get("/runs")
def list_runs(view: ShownAnyhow, page: Annotated[int, Query(ge=1, le=10_000)] = 1) -> Response:
    total = count_runs(view)
    return view.page(
        "runs.html",
        runs=last_runs(view, PAGE, (page - 1) * PAGE),
        total=total,
        page=page,
        pages=max(1, -(-total // PAGE)),
        unreadable=view.house.runs.seen().problems,
        **_changes(view.reader),
    )


@router.get("/runs/{run_id}")
def show_run(view: ShownAnyhow, run_id: RunId) -> Response:
    db = view.reader
    record, loads = find_run(view, run_id)
    documents: list[dict[str, Any]] = []
    if db is not None:
        documents = db.rows(
            "SELECT document_key, title, region_code, report_year, version_no, source_id FROM ix.document "
            "WHERE load_key IN (SELECT unnest(?::BIGINT[])) AND is_report ORDER BY region_code, report_year LIMIT ?",
            [[one["load_key"] for one in loads], SHOWN],
        )
    is_shown = record is not None and record.has_new_release and db is not None and record.release == db.told.name
    return view.page(
        "run.html",
        run_id=run_id,
        record=record,
        sources=_by_outcome(record),
        loads=loads,
        documents=documents,
        tests=_tests(loads),
        prefect=_prefect(view.house.prefect_ui, run_id if record is None else record.flow_run_id),
        is_shown=is_shown,
        **_changes(db),
    )


def find_run(view: View, run_id: str) -> tuple[RunRecord | None, list[dict[str, Any]]]:
    """The record of a run, and the loads of which the release tells. Raises 404 where there is neither."""
    record = view.house.runs.record(run_id)
    loads: list[dict[str, Any]] = []
    if view.reader is not None:
        loads = view.reader.rows(
            "SELECT l.*, s.name_zh, s.name_en, (epoch(l.published_at) - epoch(l.started_at))::DOUBLE AS seconds "
            "FROM ix.load l LEFT JOIN ix.source s USING (source_id) WHERE l.run_id = ? ORDER BY l.source_id",
            [run_id],
        )
    if not loads and record is None:
        raise HTTPException(404, f"no run {run_id} in this release or among the records of runs")
    return record, loads


def last_runs(view: View, limit: int, offset: int = 0) -> list[dict[str, Any]]:
    """The newest first: records, with what the release tells of their loads; older runs from the release alone."""
    seen = view.house.runs.seen()
    ids = [one.run_id for one in seen.runs]
    told = {row["run_id"]: row for row in _loaded(view.reader, ids, len(ids) + offset + limit)}
    runs = [
        {
            **NOTHING, **told.pop(one.run_id, {}), "run_id": one.run_id, "started_at": one.started_at,
            "seconds": one.seconds if one.status in ENDED else None, "status": one.status, "outcomes": one.outcomes,
            "is_new_release": one.is_new_release,
        }
        for one in seen.runs
    ]  # fmt: skip
    unknown = {"seconds": None, "status": "", "outcomes": None, "is_new_release": False}
    runs += [{**row, **unknown} for row in told.values()]
    runs.sort(key=lambda run: (run["started_at"], run["run_id"]), reverse=True)
    return runs[offset : offset + limit]


def count_runs(view: View) -> int:
    ids = [one.run_id for one in view.house.runs.seen().runs]
    if view.reader is None:
        return len(ids)
    others = "SELECT count(DISTINCT run_id) FROM ix.load WHERE NOT list_contains(?::VARCHAR[], run_id)"
    return len(ids) + int(view.reader.value(others, [ids]) or 0)


def _loaded(db: Reader | None, ids: Sequence[str], limit: int) -> list[dict[str, Any]]:
    """Runs of which the release tells: those named, then the newest ones."""
    if db is None:
        return []
    return db.rows(
        "SELECT run_id, min(started_at) AS started_at, count(*) AS sources, "
        "sum(n_inserted)::BIGINT AS inserted, sum(n_updated)::BIGINT AS updated, sum(n_deleted)::BIGINT AS deleted, "
        "sum(n_quarantined)::BIGINT AS quarantined FROM ix.load GROUP BY run_id "
        "ORDER BY list_contains(?::VARCHAR[], run_id) DESC, max(published_at) DESC, run_id LIMIT ?",
        [list(ids), limit],
    )


def _changes(db: Reader | None) -> dict[str, Any]:
    """What the release shown says otherwise than the one before it."""
    if db is None:
        return {"changed_from": None, "summary": [], "changes": []}
    return {
        "changed_from": db.value("SELECT name FROM ix.changed_from"),
        "summary": db.rows("SELECT * FROM ix.changed_count ORDER BY ALL"),
        "changes": db.rows("SELECT * FROM ix.changed ORDER BY what, line LIMIT ?", [SHOWN]),
    }


def _by_outcome(record: RunRecord | None) -> dict[str, list[SourceRun]]:
    """Sources of a run, the ones in trouble first."""
    found: dict[str, list[SourceRun]] = {name: [] for name in OUTCOMES}
    for one in record.sources if record is not None else ():
        found[one.outcome].append(one)
    return {name: some for name, some in found.items() if some}


def _prefect(ui: str | None, flow_run_id: str | None) -> str | None:
    if ui is None or flow_run_id is None or not FLOW_RUN.match(flow_run_id):
        return None
    return f"{ui.rstrip('/')}/runs/flow-run/{quote(flow_run_id)}"


def _tests(loads: list[dict[str, Any]]) -> list[tuple[str, int]]:
    """Data tests of a run, and how many rows each looked at."""
    sums: dict[str, int] = {}
    for one in loads:
        for name, count in json.loads(one["data_tests"]).items():
            sums[name] = sums.get(name, 0) + int(count)
    return sorted(sums.items())
