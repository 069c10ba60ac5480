"""What is drawn on a metric's page: the map, the lines of years, the distribution.

Every mark leads on. One that is a single figure leads to its statement; one that sums several up (a median, a bar)
leads to those figures, each of which leads to its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import median
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.responses import JSONResponse, Response

from explorer.pages.metrics import (
    MOST_LINES,
    PAGE,
    Area,
    Code,
    Level,
    Year,
    find_metric,
    read_lines,
    read_marks,
    read_medians,
)
from explorer.places import points, shapes
from explorer.view import Shown, View
from explorer.words import KINDS, kind_of

router = APIRouter()
BINS = 20
WHOLE_YEAR = ("final", "later_report")
KEPT = {"cache-control": "private, max-age=60"}
Row = Mapping[str, Any]


@router.get("/metrics/{code}/chart.json")
def chart(
    view: Shown, code: Code, year: Year = None, level: Level = "county", province: Area = "",
    regions: Annotated[str, Query(pattern=r"^[0-9,]{0,27}$")] = "",
) -> Response:  # fmt: skip
    db = view.db
    metric = find_metric(db, code)
    marks = read_marks(db, metric["metric_no"], year, level, province, 10_000, 0)
    chosen = [one for one in regions.split(",") if one][:MOST_LINES]

    def page_of(**asked: object) -> str:
        kept = {"year": year, "level": level, "province": province, "regions": ",".join(chosen)} | asked
        return f"/metrics/{code}?{urlencode({name: said for name, said in kept.items() if said})}"

    lines = read_lines(db, code, chosen)
    answer = {
        "unit": view.words.unit(metric["unit_code"], metric["written_zh"]),
        "map": draw_map(view, marks, province, page_of),
        "histogram": _histogram(marks, page_of),
        "medians": [{**row, "href": page_of(year=row["year"]) + "#ranking"} for row in read_medians(db, code, level)],
        "lines": [
            {
                "name": view.words.pick(some[0], "name"),
                "points": [{"year": row["year"], **_figure(row)} for row in some],
            }
            for some in lines.values()
        ],
        "words": {
            "median": view.t("中位数", "median"), "middle": view.t("中间一半", "middle half"),
            "regions": view.t("地区数", "regions"), "none": view.t("无数据", "no figure"),
            "kinds": {kind: view.words.code(KINDS, kind) for kind in KINDS},
        },
    }  # fmt: skip
    return JSONResponse(answer, headers=KEPT)


def _figure(row: Row) -> dict[str, Any]:
    """A single figure, and where its statement is."""
    return {
        "value": row["value"], "kind": kind_of(row),
        "href": f"/documents/{row['document_key']}#o{row['observation_key']}",
    }  # fmt: skip


def draw_map(view: View, marks: list[dict[str, Any]], area: str, page_of: Callable[..., str]) -> dict[str, Any]:
    """Shapes that have a figure of their own, or the median of the whole-year figures within; counties as points.

    `missing` counts figures that have neither a shape nor a point of their own."""
    name = area[:2] or "china"
    drawn, dots, sums, missing = [], [], dict[str, list[float]](), 0
    for mark in marks:
        code = mark["region_code"]
        if code in shapes(name):
            drawn.append({"code": code, "n": 1, **_figure(mark)})
        elif mark["level"] == "county" and code in points():
            dots.append({"name": view.words.pick(mark, "name"), "at": points()[code], **_figure(mark)})
        else:
            missing += mark["level"] != "city" or bool(area)
        if code not in shapes(name) and mark["chosen_by"] in WHOLE_YEAR:
            sums.setdefault(mark["city"] + "00" if area else mark["province"] + "0000", []).append(mark["value"])
    drawn += [
        {
            "code": code, "value": median(some), "n": len(some), "kind": "",
            "href": page_of(province=code[:4] if area else code[:2]) + ("#ranking" if area else ""),
        }
        for code, some in sorted(sums.items())
    ]  # fmt: skip
    return {"areas": drawn, "points": dots, "missing": missing}


def _histogram(marks: list[dict[str, Any]], page_of: Callable[..., str]) -> list[dict[str, Any]]:
    """Bars of whole-year figures; each leads to the place in the ranking where its figures begin."""
    ranked = [(mark["value"], rank) for rank, mark in enumerate(marks, 1) if mark["chosen_by"] in WHOLE_YEAR]
    if not ranked:
        return []
    low, high = ranked[-1][0], ranked[0][0]
    width = (high - low) / BINS or 1.0
    bins, first = [0] * BINS, [0] * BINS
    for value, rank in ranked:
        at = min(BINS - 1, int((value - low) / width))
        bins[at] += 1
        first[at] = first[at] or rank
    last = BINS if high > low else 1
    return [
        {
            "from": low + i * width, "to": low + (i + 1) * width, "n": bins[i],
            "href": page_of(page=(first[i] - 1) // PAGE + 1) + f"#k{first[i]}" if bins[i] else None,
        }
        for i in range(last)
    ]  # fmt: skip
