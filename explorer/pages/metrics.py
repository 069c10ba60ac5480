"""The list of metrics, and a metric's page: ranking and years; what is drawn on it is in drawing.py."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query
from starlette.responses import Response

from explorer.places import MAPS
from explorer.release import Reader
from explorer.view import Shown
from explorer.words import LEVELS, definitions_zh, sections

router = APIRouter()
PAGE = 50
MOST_LINES = 4
"""Regions whose years are drawn at once."""
Code = Annotated[str, Path(pattern=r"^[a-z0-9_]{1,80}$")]
Province = Annotated[str, Query(pattern=r"^([0-9]{2})?$")]
Area = Annotated[str, Query(pattern=r"^([0-9]{2}|[0-9]{4})?$")]
"""Where codes of regions begin: a province, or a prefecture."""
Level = Annotated[str, Query(pattern=r"^(province|city|county|unknown)?$")]
Year = Annotated[int | None, Query(ge=1900, le=2200)]


@router.get("/metrics")
def list_metrics(
    view: Shown, q: Annotated[str, Query(max_length=100)] = "", section: Annotated[str, Query(max_length=40)] = "",
    page: Annotated[int, Query(ge=1, le=1000)] = 1,
) -> Response:  # fmt: skip
    found = search_metrics(view.db, q)
    shown = [one for one in found if section in ("", one["section"])]
    first = (page - 1) * PAGE
    return view.page(
        "metrics.html", metrics=shown[first : first + PAGE], total=len(shown), page=page,
        pages=max(1, -(-len(shown) // PAGE)), q=q, section=section, sections=list(sections()),
    )  # fmt: skip


def search_metrics(db: Reader, q: str) -> list[dict[str, Any]]:
    """Metrics in whose names, code or definition every word occurs, whichever the language."""
    every = db.rows(
        "SELECT m.*, s.n_values, s.n_regions, s.first_year, s.last_year, s.n_disputed "
        "FROM ix.metric m LEFT JOIN ix.metric_stats s USING (metric_code) ORDER BY m.section, m.tier, m.metric_code"
    )
    terms = q.casefold().split()
    names, more = ("metric_code", "name_zh", "name_en", "definition"), definitions_zh()
    texts = ["\n".join([*(str(one[name]) for name in names), more.get(one["metric_code"], "")]) for one in every]
    return [one for one, text in zip(every, texts, strict=True) if all(term in text.casefold() for term in terms)]


def find_metric(db: Reader, code: str) -> dict[str, Any]:
    found = next((row for row in db.whole("metric") if row["metric_code"] == code), None)
    if found is None:
        raise HTTPException(404, f"no metric {code}")
    return found


@router.get("/metrics/{code}")
def show_metric(
    view: Shown, code: Code, year: Year = None, level: Level = "", province: Area = "",
    page: Annotated[int, Query(ge=1, le=1000)] = 1, regions: Annotated[str, Query(pattern=r"^[0-9,]{0,27}$")] = "",
) -> Response:  # fmt: skip
    db = view.db
    metric = find_metric(db, code)
    counts = db.rows("SELECT year, level, province, n FROM ix.metric_count WHERE metric_code = ?", [code])
    years = sorted({row["year"] for row in counts})
    level = level or _fullest(counts, "level") or "county"
    if year is None:
        year = _fullest([row for row in counts if row["level"] == level], "year")
    total = count_marks(db, metric["metric_no"], year, level, province)
    page = min(page, max(1, -(-total // PAGE)))
    chosen = [one for one in regions.split(",") if one][:MOST_LINES]
    return view.page(
        "metric.html",
        metric=metric,
        year=year,
        years=years,
        level=level,
        levels=[one for one in LEVELS if any(row["level"] == one for row in counts)],
        province=province,
        provinces=_provinces(db, {row["province"] for row in counts}),
        city=db.row("SELECT name_zh, name_en FROM ix.region WHERE region_code = ?", [province + "00"])
        if len(province) == 4
        else None,
        total=total,
        page=page,
        pages=max(1, -(-total // PAGE)),
        first=(page - 1) * PAGE,
        map_of=province[:2] or "china",
        maps=MAPS,
        ranking=read_marks(db, metric["metric_no"], year, level, province, PAGE, (page - 1) * PAGE),
        series=read_medians(db, code, level),
        chosen=chosen,
        lines=read_lines(db, code, chosen),
        is_fictional=bool(counts) and all(row["province"] == "99" for row in counts),
        rules=[rule for rule in db.whole("rule") if code in rule["formula"]],
    )


def _fullest(counts: list[dict[str, Any]], name: str) -> Any:
    """The value under which most figures stand; of years the latest of those that hold at least half as many."""
    sums: dict[Any, int] = {}
    for row in counts:
        sums[row[name]] = sums.get(row[name], 0) + row["n"]
    if not sums:
        return None
    most = max(sums.values())
    if name == "year":
        return max(key for key, n in sums.items() if 2 * n >= most)
    return max(sorted(sums), key=lambda key: sums[key])


def read_marks(
    db: Reader, metric_no: int, year: int | None, level: str, area: str, limit: int, offset: int
) -> list[dict[str, Any]]:
    """Figures of a year by size, the largest first; of regions whose code begins so."""
    return db.rows(
        "SELECT k.*, r.name_zh, r.name_en, r.level, r.province, r.city, r.province_zh, r.city_zh FROM ix.mark k "
        "JOIN ix.region r USING (region_code) WHERE k.metric_no = ? AND k.year = ? AND r.level = ? "
        "AND starts_with(k.region_code, ?) ORDER BY k.value DESC, k.region_code LIMIT ? OFFSET ?",
        [metric_no, year, level, area, limit, offset],
    )


def count_marks(db: Reader, metric_no: int, year: int | None, level: str, area: str) -> int:
    return int(
        db.value(
            "SELECT count(*) FROM ix.mark k JOIN ix.region r USING (region_code) "
            "WHERE k.metric_no = ? AND k.year = ? AND r.level = ? AND starts_with(k.region_code, ?)",
            [metric_no, year, level, area],
        )
    )


def read_medians(db: Reader, code: str, level: str) -> list[dict[str, Any]]:
    return db.rows(
        "SELECT year, regions, median, q1, q3 FROM ix.metric_year WHERE metric_code = ? AND level = ? ORDER BY year",
        [code, level],
    )


def read_lines(db: Reader, code: str, chosen: list[str]) -> dict[str, list[dict[str, Any]]]:
    """The years of some regions."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in chosen:
        rows = db.rows(
            "SELECT c.region_code, c.year, c.value, c.qualifier, c.chosen_by, c.is_disputed, c.observation_key, "
            "c.document_key, r.name_zh, r.name_en FROM ix.cell c JOIN ix.region r USING (region_code) "
            "WHERE c.region_code = ? AND c.metric_code = ? AND c.is_main ORDER BY c.year",
            [one, code],
        )
        if rows:
            found[one] = rows
    return found


def _provinces(db: Reader, wanted: set[str]) -> list[dict[str, Any]]:
    return [row for row in db.whole("province") if row["province"] in wanted]
