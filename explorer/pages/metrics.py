"""The list of metrics, and a metric's page: map, ranking, years, distribution."""

from __future__ import annotations

from statistics import median
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query
from starlette.responses import JSONResponse, Response

from explorer.release import Reader
from explorer.view import Shown, View
from explorer.words import LEVELS, definitions_zh, kind_of, sections

router = APIRouter()
PAGE = 50
BINS = 20
MOST_LINES = 4
"""Regions whose years are drawn at once."""
BY_DISTRICT = ("11", "12", "31", "50", "81", "82")
"""Provinces whose shapes are districts, not prefectures."""
KEPT = {"cache-control": "private, max-age=60"}
Code = Annotated[str, Path(pattern=r"^[a-z0-9_]{1,80}$")]
Province = Annotated[str, Query(pattern=r"^([0-9]{2})?$")]
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
    view: Shown, code: Code, year: Year = None, level: Level = "", province: Province = "",
    page: Annotated[int, Query(ge=1, le=1000)] = 1, regions: Annotated[str, Query(pattern=r"^[0-9,]{0,27}$")] = "",
) -> Response:  # fmt: skip
    db = view.db
    metric = find_metric(db, code)
    counts = db.rows("SELECT year, level, province, n FROM ix.metric_count WHERE metric_code = ?", [code])
    years = sorted({row["year"] for row in counts})
    level = level or _fullest(counts, "level") or "county"
    if year is None:
        year = _fullest([row for row in counts if row["level"] == level], "year")
    fits = [r for r in counts if (r["year"], r["level"]) == (year, level) and province in ("", r["province"])]
    total = sum(row["n"] for row in fits)
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
        total=total,
        page=page,
        pages=max(1, -(-total // PAGE)),
        first=(page - 1) * PAGE,
        ranking=_marks(db, metric["metric_no"], year, level, province, PAGE, (page - 1) * PAGE),
        series=_medians(db, code, level),
        chosen=chosen,
        lines=_lines(db, code, chosen),
        is_fictional=bool(counts) and all(row["province"] == "99" for row in counts),
        rules=[rule for rule in db.whole("rule") if code in rule["formula"]],
    )


@router.get("/metrics/{code}/chart.json")
def chart(
    view: Shown, code: Code, year: Year = None, level: Level = "county", province: Province = "",
    regions: Annotated[str, Query(pattern=r"^[0-9,]{0,27}$")] = "",
) -> Response:  # fmt: skip
    """What the drawings of a metric's page show."""
    db = view.db
    metric = find_metric(db, code)
    marks = _marks(db, metric["metric_no"], year, level, province, 10_000, 0)
    chosen = [one for one in regions.split(",") if one][:MOST_LINES]
    answer = {
        "unit": view.words.unit(metric["unit_code"], metric["written_zh"]),
        "map": _areas(view, marks, province),
        "histogram": _histogram([mark["value"] for mark in marks if mark["chosen_by"] in ("final", "later_report")]),
        "medians": _medians(db, code, level),
        "lines": [
            {"name": view.words.pick(rows[0], "name"), "points": [_point(row) for row in rows]}
            for rows in _lines(db, code, chosen).values()
        ],
        "words": {
            "median": view.t("中位数", "median"), "middle": view.t("中间一半", "middle half"),
            "regions": view.t("地区数", "regions"), "none": view.t("无数据", "no figure"),
        },
    }  # fmt: skip
    return JSONResponse(answer, headers=KEPT)


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


def _marks(
    db: Reader, metric_no: int, year: int | None, level: str, province: str, limit: int, offset: int
) -> list[dict[str, Any]]:
    """Figures of a year by size, the largest first."""
    return db.rows(
        "SELECT k.*, r.name_zh, r.name_en, r.province, r.city, r.province_zh, r.city_zh FROM ix.mark k "
        "JOIN ix.region r USING (region_code) WHERE k.metric_no = ? AND k.year = ? AND r.level = ? "
        "AND (? = '' OR r.province = ?) ORDER BY k.value DESC, k.region_code LIMIT ? OFFSET ?",
        [metric_no, year, level, province, province, limit, offset],
    )


def _medians(db: Reader, code: str, level: str) -> list[dict[str, Any]]:
    return db.rows(
        "SELECT year, regions, median, q1, q3 FROM ix.metric_year WHERE metric_code = ? AND level = ? ORDER BY year",
        [code, level],
    )


def _lines(db: Reader, code: str, chosen: list[str]) -> dict[str, list[dict[str, Any]]]:
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


def _point(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "year": row["year"], "value": row["value"], "kind": kind_of(row),
        "href": f"/documents/{row['document_key']}#o{row['observation_key']}",
    }  # fmt: skip


def _areas(view: View, marks: list[dict[str, Any]], province: str) -> list[dict[str, Any]]:
    """Provinces, or a province's prefectures, with the median of the figures in them."""
    values: dict[str, list[float]] = {}
    for mark in marks:
        if mark["chosen_by"] in ("final", "later_report"):
            area = mark["province"] + "0000"
            if province:
                area = mark["region_code"] if province in BY_DISTRICT else mark["city"] + "00"
            values.setdefault(area, []).append(mark["value"])
    return [{"code": code, "value": median(some), "n": len(some)} for code, some in sorted(values.items())]


def _histogram(values: list[float]) -> list[dict[str, Any]]:
    if not values:
        return []
    low, high = min(values), max(values)
    width = (high - low) / BINS or 1.0
    bins = [0] * BINS
    for value in values:
        bins[min(BINS - 1, int((value - low) / width))] += 1
    last = BINS if high > low else 1
    return [{"from": low + i * width, "to": low + (i + 1) * width, "n": bins[i]} for i in range(last)]


def _provinces(db: Reader, wanted: set[str]) -> list[dict[str, Any]]:
    return [row for row in db.whole("province") if row["province"] in wanted]
