"""The JSON API: stable addresses for the release, metrics, regions, documents and observations."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query
from starlette.responses import JSONResponse

from explorer.pages.documents import (
    Key,
    checks_of,
    find_document,
    find_observation,
    observations_of,
    removed_from,
    text_of,
    versions_of,
)
from explorer.pages.metrics import Code, Level, Province, Year, find_metric, search_metrics
from explorer.pages.regions import Region, find_region
from explorer.pages.runs import ENDED, RunId, count_runs, find_run, last_runs
from explorer.tables import for_json
from explorer.view import Shown, ShownAnyhow, View

router = APIRouter(prefix="/api/v1", tags=["v1"])
ABOUT = (
    "Figures of local governments' yearly rule-of-law reports, each with its sentence. Read only; keys are text; "
    "addresses stay, and answers are those of the current release (`release` names it)."
)
Query_ = Annotated[str, Query(max_length=100)]
Limit = Annotated[int, Query(ge=1, le=1000)]
Offset = Annotated[int, Query(ge=0, le=1_000_000)]


def _answer(view: Shown, **told: Any) -> JSONResponse:
    return JSONResponse(for_json({"release": view.db.told.name, **told}))


@router.get("/release", summary="The current release: name, last load, tables")
def get_release(view: Shown) -> JSONResponse:
    package = view.db.told.package
    tables = [
        {k: one[k] for k in ("name", "description", "description_zh", "rows", "bytes")} for one in package["resources"]
    ]
    told = {k: package[k] for k in ("fingerprint", "last_load_at", "licenses")}
    return _answer(view, **told, totals=view.db.whole("totals")[0], tables=tables)


@router.get("/metrics", summary="Metrics; q searches names, codes and definitions in both languages")
def get_metrics(view: Shown, q: Query_ = "") -> JSONResponse:
    return _answer(view, metrics=search_metrics(view.db, q))


@router.get("/metrics/{code}", summary="A metric and its chosen values")
def get_metric(
    view: Shown, code: Code, year: Year = None, level: Level = "", province: Province = "", limit: Limit = 100,
    offset: Offset = 0,
) -> JSONResponse:  # fmt: skip
    metric = find_metric(view.db, code)
    values = view.db.rows(
        "SELECT k.*, r.name_zh, r.name_en, r.level FROM ix.mark k JOIN ix.region r USING (region_code) "
        "WHERE k.metric_no = ? AND (?::INT IS NULL OR k.year = ?) AND (? = '' OR r.level = ?) "
        "AND (? = '' OR r.province = ?) ORDER BY k.year DESC, k.region_code LIMIT ? OFFSET ?",
        [metric["metric_no"], year, year, level, level, province, province, limit, offset],
    )
    years = view.db.rows("SELECT * FROM ix.metric_year WHERE metric_code = ? ORDER BY level, year", [code])
    return _answer(view, metric=metric, years=years, values=values)


@router.get("/regions", summary="Regions by name or code")
def get_regions(view: Shown, q: Query_ = "", limit: Limit = 100, offset: Offset = 0) -> JSONResponse:
    found = view.db.rows(
        "SELECT * FROM ix.region WHERE contains(name_zh, ?) OR contains(lower(coalesce(name_en, '')), lower(?)) "
        "OR starts_with(region_code, ?) ORDER BY region_code LIMIT ? OFFSET ?",
        [q, q, q, limit, offset],
    )
    return _answer(view, regions=found)


@router.get("/regions/{code}", summary="A region: its reports and chosen values, the government's own first")
def get_region(view: Shown, code: Region, year: Year = None, limit: Limit = 1000, offset: Offset = 0) -> JSONResponse:
    region = find_region(view.db, code)
    values = view.db.rows(
        "SELECT * FROM ix.cell WHERE region_code = ? AND (?::INT IS NULL OR year = ?) "
        "ORDER BY is_main DESC, metric_code, year LIMIT ? OFFSET ?",
        [code, year, year, limit, offset],
    )
    reports = view.db.rows("SELECT * FROM ix.report WHERE region_code = ? ORDER BY report_year, document_key", [code])
    return _answer(view, region=region, reports=reports, values=values)


@router.get("/documents", summary="Reports by region and year")
def get_documents(
    view: Shown, region: Annotated[str, Query(pattern=r"^([0-9]{6})?$")] = "", year: Year = None, limit: Limit = 100,
    offset: Offset = 0,
) -> JSONResponse:  # fmt: skip
    found = view.db.rows(
        "SELECT * FROM ix.report WHERE (? = '' OR region_code = ?) AND (?::INT IS NULL OR report_year = ?) "
        "ORDER BY region_code, report_year, document_key LIMIT ? OFFSET ?",
        [region, region, year, year, limit, offset],
    )
    return _answer(view, documents=found)


@router.get("/documents/{key}", summary="A document version: text, statements, checks, versions")
def get_document(view: Shown, key: Key) -> JSONResponse:
    document = find_document(view.db, key)
    checks = checks_of(view.db, document)
    observations = observations_of(view.db, document, checks)
    for one in observations:
        one["checks"] = [str(check["check_key"]) for check in one["checks"]]
    for check in checks:
        check["used"] = [str(one) for one in check["used"]]
    return _answer(
        view, document=document, text=text_of(view.db, document), observations=observations, checks=checks,
        versions=versions_of(view.db, document), removed=[asdict(one) for one in removed_from(view.db, key)],
    )  # fmt: skip


@router.get("/observations/{key}", summary="A statement: value, sentence, place in the text")
def get_observation(view: Shown, key: Key) -> JSONResponse:
    found = find_observation(view.db, key)
    document = find_document(view.db, found["document_key"])
    said = next((one for one in observations_of(view.db, document, []) if one["observation_key"] == key), None)
    if said is None:
        raise HTTPException(404, f"no observation {key}")
    told = {name: value for name, value in said.items() if name not in ("checks", "fate")}
    return _answer(
        view, observation=told, document={k: document[k] for k in ("document_key", "url", "title", "region_code")}
    )


@router.get("/runs", summary="Runs, the newest first: those with a record, and those of which the release tells")
def get_runs(view: ShownAnyhow, limit: Limit = 100, offset: Offset = 0) -> JSONResponse:
    """`outcomes` counts sources; null where the release alone tells of a run. Answers without a release too."""
    return _anyhow(view, total=count_runs(view), runs=last_runs(view, limit, offset))


@router.get("/runs/{run_id}", summary="A run: its record with its sources, and what it brought into the release")
def get_run(view: ShownAnyhow, run_id: RunId) -> JSONResponse:
    """`record` is null where the run left none, `loads` is empty where the release tells nothing of it."""
    record, loads = find_run(view, run_id)
    told = None
    if record is not None:
        told = {**asdict(record), "not_reached": record.not_reached if record.status in ENDED else None}
        told["sources"] = [{**asdict(one), "outcome": one.outcome, "reason": one.reason} for one in record.sources]
    return _anyhow(view, run_id=run_id, record=told, loads=loads)


def _anyhow(view: View, **told: Any) -> JSONResponse:
    return JSONResponse(for_json({"release": view.reader.told.name if view.reader else None, **told}))


def paths_of(openapi: dict[str, Any]) -> list[dict[str, Any]]:
    """What the API's page lists: address, summary, parameters."""
    return [
        {"path": path, "summary": said["get"].get("summary", ""), "parameters": said["get"].get("parameters", [])}
        for path, said in openapi["paths"].items()
        if "get" in said
    ]
