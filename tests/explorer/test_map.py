"""The map: areas of the figures have shapes, and are drawn; figures are the benchmarks' made ones, for real codes."""

from __future__ import annotations

import csv
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from benchmarks.growing import check_nothing
from benchmarks.loading import CATALOGUE, batch_of, counties
from benchmarks.made import make_reports
from explorer.app import Options
from explorer.make_places import ARCHIVE, CODES, NotKnown, choose_points, read_archive
from explorer.places import points
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
    fit = [p for p in counties(3000) if any(f"{p.code[:4]}00" in codes(two) for two in ("34", "44", "51"))]
    known = [next(p for p in fit if p.code in points() and p.code[:2] == two) for two in ("34", "44")]
    places = [*known, next(p for p in fit if p.code not in points())]
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
        areas = {area["code"] for area in told["areas"]}
        stated = one.rows(
            "SELECT region_code, observation_key, document_key FROM ix.mark "
            "WHERE chosen_by IN ('final', 'later_report') "
            f"AND metric_code = '{best['metric_code']}' AND year = {best['year']}"
        )
        assert len(stated) >= 2
        assert areas == {row["region_code"][:2] + "0000" for row in stated} <= codes("china")
        has_point = {f"/documents/{row['document_key']}#o{row['observation_key']}": row["region_code"] in points()
                     for row in stated}  # fmt: skip
        assert {point["href"] for point in told["points"]} == {href for href, has in has_point.items() if has}
        assert told["missing"] == list(has_point.values()).count(False) == 1
        for two in (area[:2] for area in areas):
            inside = one.ask(f"{path}/chart.json?year={best['year']}&level=county&province={two}").json()["map"]
            assert inside["areas"] and {area["code"] for area in inside["areas"]} <= codes(two)
            listed = one.ask(inside["areas"][0]["href"].partition("#")[0]).text
            assert any(href in listed for href in has_point), "a median leads to the figures that it is made of"
        with reading(browser, one.address) as page:
            for where in ["", *(f"&province={area[:2]}" for area in sorted(areas))]:
                page.goto(f"{one.address}{path}?year={best['year']}&level=county{where}")
                page.wait_for_selector("#charts[data-drawn=yes]")
                assert page.locator("[data-chart=map] canvas").count() == 1
            page.goto(f"{one.address}{path}?year={best['year']}&level=county")
            page.wait_for_selector("#charts[data-drawn=yes]")
            drawn = page.evaluate("echarts.getInstanceByDom(document.querySelector('[data-chart=map]')).getOption()")
            assert {area["name"] for area in drawn["series"][0]["data"] if area.get("n")} == areas
            _click_leads_to_its_sentence(page, told["points"][0])


def _click_leads_to_its_sentence(page: Page, point: dict[str, Any]) -> None:
    at = page.evaluate(
        "at => echarts.getInstanceByDom(document.querySelector('[data-chart=map]')).convertToPixel('geo', at)",
        point["at"],
    )
    page.locator("[data-chart=map]").click(position={"x": at[0], "y": at[1]})
    page.wait_for_url("**" + point["href"])
    key = point["href"].partition("#o")[2]
    expect(page.locator("tr:target")).to_be_in_viewport()
    expect(page.locator(f'a.num-mark.sought[data-o~="{key}"]')).to_be_in_viewport()


def test_counties_lie_in_their_provinces() -> None:
    inside = {one[:2] for one in codes("china")}
    counties_of = Counter(code[:2] for code in points())
    assert set(counties_of) <= inside and len(points()) > 2900
    assert all(73 < east < 136 and 3 < north < 54 for east, north in points().values())
    assert points()["110101"] == (116.416, 39.928), "degrees east, then north"
    in_force = [one for one in read_regions() if one["level"] == "county" and not one["to"]]
    assert len([one for one in in_force if one["code"] not in points()]) == 42, "as README.md of the files says"


def test_points_follow_a_place_through_its_codes(tmp_path: Path) -> None:
    rows = [
        {"code": code, "level": "county", "to": to, "successors": successors}
        for code, to, successors in [("1", "9", "2"), ("2", "05", "3 4"), ("3", "10", ""), ("4", "", ""), ("5", "", "")]
    ]  # fmt: skip
    assert choose_points({"1": (1.0, 2.0), "9": (0.0, 0.0)}, rows) == {"1": (1.0, 2.0), "4": (1.0, 2.0)}
    (tmp_path / ARCHIVE).write_bytes(b"another archive")
    with pytest.raises(NotKnown, match="SHA-256"):
        read_archive(tmp_path / ARCHIVE)


def read_regions() -> list[dict[str, str]]:
    with CODES.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
