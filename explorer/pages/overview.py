"""The first page: what is in the release, coverage, the last runs, what is worth a look."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from explorer.pages.runs import last_runs
from explorer.release import Reader
from explorer.view import Shown

router = APIRouter()
MOST_ROWS = 60
"""Regions up to which the grid has a row per region; beyond, it has one per province."""
MOST_YEARS = 15
SHOWN = 6


@router.get("/")
def overview(view: Shown) -> Response:
    db = view.db
    verdicts = {row["verdict"]: row["n"] for row in db.rows("SELECT verdict, sum(n) AS n FROM ix.verdict GROUP BY 1")}
    return view.page(
        "overview.html",
        totals=db.whole("totals")[0],
        verdicts=verdicts,
        grid=coverage_grid(db),
        runs=last_runs(view, SHOWN),
        troubles=view.house.runs.seen().in_trouble,
        restated=db.rows("SELECT * FROM ix.restated LIMIT ?", [SHOWN]),
        failed=db.rows("SELECT * FROM ix.newest_failed LIMIT ?", [SHOWN]),
    )


@router.get("/healthz")
def health(view: Shown) -> dict[str, str]:
    """For whatever watches the process: the release that is shown."""
    return {"release": view.db.told.name, "problem": view.house.current.problem}


def coverage_grid(db: Reader) -> dict[str, Any]:
    """Years across, regions (or provinces) down; a cell tells how many reports are there of those expected."""
    years = db.rows("SELECT DISTINCT year FROM ix.coverage ORDER BY year DESC LIMIT ?", [MOST_YEARS])
    across = sorted(row["year"] for row in years)
    is_by_region = (db.value("SELECT count(DISTINCT region_code) FROM ix.coverage") or 0) <= MOST_ROWS
    key = "region_code" if is_by_region else "left(region_code, 2)"
    cells = db.rows(
        f"SELECT {key} AS place, year, count(*) AS expected, count(*) FILTER (NOT is_gap) AS found "
        "FROM ix.coverage GROUP BY ALL ORDER BY place, year"
    )
    names = {row["province"]: row for row in db.whole("province")}
    if is_by_region:
        names = {row["region_code"]: row for row in db.rows("SELECT * FROM ix.region")}
    rows: dict[str, dict[int, Any]] = {}
    for cell in cells:
        rows.setdefault(cell["place"], {})[cell["year"]] = cell
    return {
        "years": across, "rows": rows, "names": names, "is_by_region": is_by_region,
    }  # fmt: skip
