"""The seven real reports of the shared corpus, read by the program, loaded, released, and walked through in a browser.

Nothing of their text stands here: what has to be seen comes from the corpus's hand-made observations.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from explorer.app import Options
from extraction.catalogue import load_catalogue
from extraction.parse import parse_report
from extraction.rules import load_rules
from tests.conftest import ROOT
from tests.explorer.serving import Served, serving
from tests.explorer.test_browser import overflow, reading, serious
from tests.warehouse.builders import SOURCE, batch, report
from tests.warehouse.conftest import check_nothing
from warehouse.catalogue import catalogue_rows
from warehouse.engine import open_warehouse
from warehouse.load import publish
from warehouse.release import make_release

pytestmark = [pytest.mark.corpus, pytest.mark.timeout(300)]

CODES = {"tongxin": "640324", "xinjian": "360112", "qianjiang": "500114", "haizhou": "320706", "nanhai": "440605"}
DOCUMENT = "tongxin-2020"


@pytest.fixture(scope="module")
def real(corpus: Path, options: Options, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("real")
    catalogue = load_catalogue(ROOT / "catalog")
    rules = load_rules(catalogue.metrics, ROOT / "catalog" / "rules.yml")
    rows = catalogue_rows(catalogue, rules)
    engine = open_warehouse(f"sqlite:///{folder / 'warehouse.sqlite'}")
    for turn, path in enumerate(sorted((corpus / "reports").glob("*.txt"))):
        with path.open(encoding="utf-8", newline="") as file:
            text = file.read()
        place, _, year = path.stem.partition("-")
        title = f"{year}年法治政府建设情况报告"
        source = replace(
            SOURCE, source_id=f"{CODES[place]}_{place}", region_code=CODES[place], hosts=(f"{place}.example",)
        )
        document_id = f"{place}.example/{year}.html"
        doc = report(
            int(year), text, day=turn, published=f"{int(year) + 1}-01-20", region_code=CODES[place],
            document_id=document_id, url=f"http://{document_id}", title=title,
            parsed=parse_report(text, catalogue, rules, title=title),
        )  # fmt: skip
        publish(engine, batch(doc, run=f"r{turn}", day=turn, source=source, catalogue=rows), check_nothing)
    make_release(engine, folder / "releases", keep=1)
    engine.dispose()
    with serving(replace(options, releases=folder / "releases", cache=folder / "cache")) as running:
        running.wait()
        yield running


@pytest.fixture(scope="module")
def stated(corpus: Path, real: Served) -> dict[str, Any]:
    """A figure of a year that a person found in the report, and that the explorer chose."""
    rows = map(json.loads, (corpus / "gold" / "gold.jsonl").read_text(encoding="utf-8").splitlines())
    chosen = {
        row["metric_code"]: row
        for row in real.rows(f"SELECT * FROM ix.mark WHERE region_code = '{CODES['tongxin']}' AND year = 2020")
    }
    return next(
        row | {"chosen": chosen[row["metric"]]}
        for row in rows
        if (row["doc"], row["period"], row["status"]) == (DOCUMENT, "2020", "actual")
        and row["metric"] in chosen
        and row["value"] is not None
        and float(row["value"]) == chosen[row["metric"]]["value"]
    )


def test_overview_tells_of_all_reports(real: Served) -> None:
    totals = real.rows("SELECT * FROM ix.totals")[0]
    assert (totals["reports"], totals["regions"]) == (7, 5) and totals["observations"] > 300


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_from_the_overview_to_the_sentence_of_a_real_report(
    browser: Browser, real: Served, corpus: Path, stated: dict[str, Any], lang: str
) -> None:
    metric = real.rows(f"SELECT * FROM ix.metric WHERE metric_code = '{stated['metric']}'")[0]
    region = real.rows(f"SELECT * FROM ix.region WHERE region_code = '{CODES['tongxin']}'")[0]
    with reading(browser, real.address) as page:
        page.goto(f"{real.address}/?lang={lang}")
        page.locator("input[type=search]").first.fill(metric[f"name_{lang}"])
        page.keyboard.press("Enter")
        page.locator(f"tbody th a[href='/metrics/{stated['metric']}']").click()
        page.wait_for_selector("#charts[data-drawn=yes]")
        page.goto(f"{page.url.partition('?')[0]}?year=2020&level=county")
        page.wait_for_selector("#charts[data-drawn=yes]")
        page.locator(f"tbody th a[href='/regions/{CODES['tongxin']}']").first.click()
        expect(page.locator("h1")).to_contain_text(region["name_zh"] if lang == "zh" else region["name_en"])
        key, observation = stated["chosen"]["document_key"], stated["chosen"]["observation_key"]
        page.locator(f".value a[href='/documents/{key}#o{observation}']").first.click()
        expect(page.locator("tr:target")).to_be_in_viewport()
        expect(page.locator("a.num-mark.sought")).to_be_in_viewport()
        page.locator("tr:target th a").click()
        with (corpus / "reports" / f"{DOCUMENT}.txt").open(encoding="utf-8", newline="") as file:
            text = file.read()
        _is_the_number(page, stated, text)


def _is_the_number(page: Page, stated: dict[str, Any], text: str) -> None:
    """The number at its very place, in the line in which it stands."""
    number = page.locator("a.num-mark:target")
    expect(number).to_have_attribute("id", f"n{stated['start']}")
    assert number.inner_text() == text[stated["start"] : stated["end"]]
    line = text[text.rfind("\n", 0, stated["start"]) + 1 : text.find("\n", stated["end"])].strip()
    shown = page.evaluate("document.querySelector('a.num-mark:target').closest('p').textContent")
    assert shown.strip() == line


@pytest.mark.parametrize("screen", ["wide", "phone"])
def test_real_reports_fit_the_screen_and_read_aloud(browser: Browser, real: Served, screen: str) -> None:
    keys = [row["document_key"] for row in real.rows("SELECT document_key FROM ix.report ORDER BY document_key")]
    worst = real.rows("SELECT document_key FROM ix.failed WHERE document_key >= 0 LIMIT 1")
    assert len(keys) == 7 and worst
    paths = ["/", "/findings", f"/regions/{CODES['nanhai']}", f"/documents/{worst[0]['document_key']}"]
    with reading(browser, real.address, screen) as page:
        for path in paths:
            page.goto(real.address + path)
            assert overflow(page) <= 0 and serious(page) == [], path
