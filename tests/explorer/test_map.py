"""The map: areas of the figures have shapes, and are drawn; figures are the benchmarks' made ones, for real codes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import Browser

from benchmarks.growing import check_nothing
from benchmarks.loading import CATALOGUE, batch_of, counties
from benchmarks.made import make_reports
from explorer.app import Options
from explorer.view import STATIC
from tests.explorer.serving import serving
from tests.explorer.test_browser import reading
from warehouse.engine import open_warehouse
from warehouse.load import publish
from warehouse.release import make_release

SHAPES = STATIC / "vendor" / "maps"


def codes(name: str) -> set[str]:
    told = json.loads((SHAPES / f"{name}.json").read_text(encoding="utf-8"))
    return {one["properties"]["code"] for one in told["features"]}


def test_every_province_has_shapes_of_its_own() -> None:
    provinces = codes("china")
    assert len(provinces) == 34
    for code in provinces - {"710000"}:
        inner = {one for one in codes(code[:2]) if one[:2] == code[:2]}
        assert inner, f"no shape within {code}"


def test_figures_are_drawn_on_the_map(browser: Browser, options: Options, tmp_path: Path) -> None:
    places = [next(p for p in counties(3000) if f"{p.code[:4]}00" in codes(two)) for two in ("34", "44", "51")]
    engine = open_warehouse(f"sqlite:///{tmp_path / 'warehouse.sqlite'}")
    for place in places:
        documents = tuple(make_reports([place], CATALOGUE.metrics))[:6]
        publish(engine, batch_of(place, f"r{place.code}", documents), check_nothing)
    make_release(engine, tmp_path / "releases", keep=1)
    engine.dispose()
    with serving(replace(options, releases=tmp_path / "releases", cache=tmp_path / "cache")) as one:
        one.wait()
        best = one.rows("SELECT metric_code, year FROM ix.metric_year ORDER BY regions DESC, metric_code LIMIT 1")[0]
        path = f"/metrics/{best['metric_code']}"
        told = one.ask(f"{path}/chart.json?year={best['year']}&level=county").json()["map"]
        areas = {area["code"] for area in told}
        stated = one.rows(
            "SELECT region_code FROM ix.mark WHERE chosen_by IN ('final', 'later_report') "
            f"AND metric_code = '{best['metric_code']}' AND year = {best['year']}"
        )
        assert len(stated) >= 2
        assert areas == {row["region_code"][:2] + "0000" for row in stated} <= codes("china")
        for two in (area[:2] for area in areas):
            inside = one.ask(f"{path}/chart.json?year={best['year']}&level=county&province={two}").json()["map"]
            assert inside and {area["code"] for area in inside} <= codes(two)
        with reading(browser, one.address) as page:
            for where in ["", *(f"&province={area[:2]}" for area in sorted(areas))]:
                page.goto(f"{one.address}{path}?year={best['year']}&level=county{where}")
                page.wait_for_selector("#charts[data-drawn=yes]")
                assert page.locator("[data-chart=map] canvas").count() == 1
            page.goto(f"{one.address}{path}?year={best['year']}&level=county")
            page.wait_for_selector("#charts[data-drawn=yes]")
            drawn = page.evaluate("echarts.getInstanceByDom(document.querySelector('[data-chart=map]')).getOption()")
            assert {area["name"] for area in drawn["series"][0]["data"] if area.get("n")} == areas
