"""The list of regions, and a region's page: its figures by year, gaps with their reason, comparison."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query
from starlette.responses import Response

from explorer.pages.metrics import Province
from explorer.release import Reader
from explorer.view import Shown
from explorer.words import sections

router = APIRouter()
PAGE = 60
MOST_YEARS = 8
"""Years across; the latest ones."""
MOST_OTHERS = 3
MOST_FURTHER = 100
"""Figures of bodies, kinds and parts of years that are listed; all of them are in the downloads."""
Region = Annotated[str, Path(pattern=r"^[0-9]{6}$")]


@router.get("/regions")
def list_regions(
    view: Shown, q: Annotated[str, Query(max_length=60)] = "", province: Province = "",
    page: Annotated[int, Query(ge=1, le=1000)] = 1,
) -> Response:  # fmt: skip
    words = "%" + q.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    where = (
        "(? = '' OR province = ?) AND (name_zh ILIKE ? ESCAPE '\\' OR coalesce(name_en, '') ILIKE ? ESCAPE '\\' "
        "OR region_code LIKE ? ESCAPE '\\')"
    )
    values = [province, province, words, words, words]
    total = view.db.value(f"SELECT count(*) FROM ix.region WHERE {where}", values)
    found = view.db.rows(
        f"WITH page AS (SELECT * FROM ix.region WHERE {where} ORDER BY region_code LIMIT ? OFFSET ?) "
        "SELECT s.*, "
        "(SELECT count(*) FROM ix.report p WHERE p.region_code = s.region_code AND p.is_counted) AS reports, "
        "(SELECT max(report_year) FROM ix.report p WHERE p.region_code = s.region_code) AS last_year "
        "FROM page s ORDER BY s.region_code",
        [*values, PAGE, (page - 1) * PAGE],
    )
    return view.page(
        "regions.html", found=found, q=q, province=province, total=total, page=page, pages=max(1, -(-total // PAGE))
    )


def find_region(db: Reader, code: str) -> dict[str, Any]:
    found = db.row("SELECT * FROM ix.region WHERE region_code = ?", [code])
    if found is None:
        raise HTTPException(404, f"no region {code}")
    return found


@router.get("/regions/{code}")
def show_region(
    view: Shown, code: Region, others: Annotated[str, Query(alias="with", pattern=r"^[0-9, ]{0,40}$")] = "",
    year: Annotated[int | None, Query(ge=1900, le=2200)] = None,
) -> Response:  # fmt: skip
    db = view.db
    region = find_region(db, code)
    main = db.rows("SELECT * FROM ix.cell WHERE is_main AND region_code = ? ORDER BY metric_code, year", [code])
    further = db.rows(
        "SELECT *, count(*) OVER () AS n FROM ix.cell WHERE NOT is_main AND region_code = ? "
        "ORDER BY year DESC, metric_code, scope, dimension LIMIT ?",
        [code, MOST_FURTHER],
    )
    coverage = {row["year"]: row for row in db.rows("SELECT * FROM ix.coverage WHERE region_code = ?", [code])}
    years = sorted({cell["year"] for cell in main} | set(coverage))[-MOST_YEARS:]
    compared = [one for one in others.replace(" ", "").split(",") if len(one) == 6 and one != code][:MOST_OTHERS]
    year = year or max((cell["year"] for cell in main if cell["chosen_by"] != "forecast"), default=None)
    return view.page(
        "region.html",
        region=region,
        years=years,
        coverage=coverage,
        troubles=view.house.runs.seen().of_region(code),
        sections=_table(db, main),
        further=further,
        agencies={row["agency_key"]: row["name_zh"] for row in _agencies(db, further)},
        metrics=_metrics(db),
        reports=db.rows(
            "SELECT * FROM ix.report WHERE region_code = ? AND is_counted "
            "ORDER BY agency_zh IS NOT NULL, report_year DESC, document_key",
            [code],
        ),
        restated=db.rows("SELECT * FROM ix.restated WHERE region_code = ? LIMIT 20", [code]),
        failed=db.rows("SELECT * FROM ix.failed WHERE region_code = ? LIMIT 20", [code]),
        compared=_compare(db, region, compared, year),
        others=compared,
        year=year,
    )


def _metrics(db: Reader) -> dict[str, dict[str, Any]]:
    return {row["metric_code"]: row for row in db.whole("metric")}


def _table(db: Reader, main: list[dict[str, Any]]) -> dict[str, dict[str, dict[int, dict[str, Any]]]]:
    """Section to metric to year to value, sections in the reports' order."""
    where = {row["metric_code"]: row["section"] for row in db.whole("metric")}
    found: dict[str, dict[str, dict[int, dict[str, Any]]]] = {name: {} for name in sections()}
    for cell in main:
        section = found.setdefault(where[cell["metric_code"]], {})
        section.setdefault(cell["metric_code"], {})[cell["year"]] = cell
    return {name: metrics for name, metrics in found.items() if metrics}


def _agencies(db: Reader, cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    wanted = sorted({cell["agency_key"] for cell in cells if cell["agency_key"] >= 0})
    return db.rows("SELECT * FROM ix.agency WHERE agency_key IN (SELECT unnest(?::BIGINT[]))", [wanted])


def _compare(db: Reader, region: dict[str, Any], others: list[str], year: int | None) -> dict[str, Any]:
    """A year's figures beside those of other regions and the median of the parent's regions of the same level."""
    codes = [region["region_code"], *others]
    figures = db.rows(
        "SELECT region_code, metric_code, value, qualifier, chosen_by, is_disputed, observation_key, document_key "
        "FROM ix.cell WHERE region_code IN (SELECT unnest(?::VARCHAR[])) AND is_main AND year = ?",
        [codes, year],
    )
    low, high = region["province"] + "0000", region["province"] + "9999"
    medians = db.rows(
        "SELECT c.metric_code, median(c.value) AS median, count(*) AS n FROM ix.cell c "
        "JOIN ix.region r USING (region_code) WHERE c.region_code BETWEEN ? AND ? AND c.is_main AND c.year = ? "
        "AND c.chosen_by IN ('final', 'later_report') AND r.level = ? GROUP BY 1",
        [low, high, year, region["level"]],
    )
    names = db.rows(
        "SELECT region_code, name_zh, name_en FROM ix.region WHERE region_code IN (SELECT unnest(?::VARCHAR[]))",
        [codes],
    )
    by_metric: dict[str, dict[str, Any]] = {}
    for figure in figures:
        by_metric.setdefault(figure["metric_code"], {})[figure["region_code"]] = figure
    return {
        "codes": [code for code in codes if any(row["region_code"] == code for row in names)],
        "names": {row["region_code"]: row for row in names},
        "rows": {m: row for m, row in by_metric.items() if region["region_code"] in row},
        "medians": {row["metric_code"]: row for row in medians},
    }
