"""Releases for the explorer: fictional places, the catalogue's metrics and rules, and one hostile report."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from fazhi.house import load_catalog
from tests.warehouse.builders import SOURCE, batch, report
from tests.warehouse.conftest import check_nothing
from tests.warehouse.cookbook import PLACES, REPORTS, SECOND_PAGE, parse
from warehouse.batch import CatalogueRows, LoadBatch
from warehouse.catalogue import catalogue_rows
from warehouse.engine import open_warehouse
from warehouse.load import publish
from warehouse.release import make_release

HOSTILE = '</p><script>alert(1)</script>收到复议申请7件，受理7件。=HYPERLINK("http://evil.example")调解纠纷3件。'
NEW_TEXT = "收到复议申请40件，受理35件，不予受理5件。纠错率10%。调解纠纷300件。"
PLANTED = {
    "removed_links": 3,
    "removed": (
        (HOSTILE.index("收到"), "spam_link", "<b>某某论坛</b>", 'http://evil.example/"><script>alert(2)</script>'),
        (len(HOSTILE), "hidden", "", "javascript:alert(3)"),
        (-1, "hidden", "彩票平台", ""),
    ),
}
"""Passages that were taken out of it."""
CORRECTED = ("990101", 2019, "2020-03-10", NEW_TEXT)
"""The first report, with another text: a second version."""


@cache
def _catalogue() -> CatalogueRows:
    """One object for all batches, as in a real run."""
    return catalogue_rows(*load_catalog())


def _batch(turn: int, code: str, year: int, day: str, text: str, **more: Any) -> LoadBatch:
    place = PLACES[code] + more.pop("at", "")
    host = f"www.{place}.example"
    source = replace(SOURCE, source_id=f"{code}_{place}", region_code=code, hosts=(host,))
    document_id = f"{host}/{year}.html"
    told = {"title": f"{year}年法治政府建设情况报告", **more}
    doc = report(
        year, text, day=turn, published=day, region_code=code, document_id=document_id, url=f"http://{document_id}",
        parsed=parse(text, year), **told,
    )  # fmt: skip
    return batch(doc, run=f"r{turn}", day=turn, source=source, catalogue=_catalogue())


FIRST = [_batch(turn, *row) for turn, row in enumerate(REPORTS)]
LATER = [
    _batch(20, *SECOND_PAGE, at="-sfj"),
    _batch(21, "990201", 2022, "2023-01-30", HOSTILE, title='=1+1 "<b>2022年</b>法治政府建设情况报告"', **PLANTED),
    _batch(22, *CORRECTED),
]


def make_releases(folder: Path, *steps: list[LoadBatch]) -> Path:
    """Load step by step, a release after each; gives the folder of releases."""
    engine = open_warehouse(f"sqlite:///{folder / 'warehouse.sqlite'}")
    try:
        for step in steps:
            for one in step:
                publish(engine, one, check_nothing)
            make_release(engine, folder / "releases", keep=5)
    finally:
        engine.dispose()
    return folder / "releases"


def make_two(folder: Path) -> None:
    make_releases(folder, FIRST, LATER)
