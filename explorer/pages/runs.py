"""Runs that brought something into the release, and what the release says otherwise than the one before."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Path, Query
from starlette.responses import Response

from explorer.pages.overview import last_runs
from explorer.view import Shown

router = APIRouter()
PAGE = 50
SHOWN = 200
FLOW_RUN = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")


@router.get("/runs")
def list_runs(view: Shown, page: Annotated[int, Query(ge=1, le=10_000)] = 1) -> Response:
    total = view.db.value("SELECT count(DISTINCT run_id) FROM ix.load")
    return view.page(
        "runs.html",
        runs=last_runs(view.db, PAGE, (page - 1) * PAGE),
        total=total,
        page=page,
        pages=max(1, -(-total // PAGE)),
        changed_from=view.db.value("SELECT name FROM ix.changed_from"),
        summary=view.db.rows("SELECT * FROM ix.changed_count ORDER BY ALL"),
        changes=view.db.rows("SELECT * FROM ix.changed ORDER BY what, line LIMIT ?", [SHOWN]),
    )


@router.get("/runs/{run_id}")
def show_run(view: Shown, run_id: Annotated[str, Path(max_length=80)]) -> Response:
    db = view.db
    loads = db.rows(
        "SELECT l.*, s.name_zh, s.name_en, (epoch(l.published_at) - epoch(l.started_at))::DOUBLE AS seconds "
        "FROM ix.load l LEFT JOIN ix.source s USING (source_id) WHERE l.run_id = ? ORDER BY l.source_id",
        [run_id],
    )
    if not loads:
        raise HTTPException(404, f"no run {run_id} in this release")
    documents = db.rows(
        "SELECT document_key, title, region_code, report_year, version_no, source_id FROM ix.document "
        "WHERE load_key IN (SELECT unnest(?::BIGINT[])) AND is_report ORDER BY region_code, report_year LIMIT ?",
        [[one["load_key"] for one in loads], SHOWN],
    )
    ui = view.house.prefect_ui
    is_flow_run = ui is not None and FLOW_RUN.match(run_id)
    return view.page(
        "run.html",
        run_id=run_id,
        loads=loads,
        documents=documents,
        tests=_tests(loads),
        prefect=f"{ui.rstrip('/')}/runs/flow-run/{quote(run_id)}" if ui and is_flow_run else None,
    )


def _tests(loads: list[dict[str, Any]]) -> list[tuple[str, int]]:
    """Data tests of a run, and how many rows each looked at."""
    sums: dict[str, int] = {}
    for one in loads:
        for name, count in json.loads(one["data_tests"]).items():
            sums[name] = sums.get(name, 0) + int(count)
    return sorted(sums.items())
