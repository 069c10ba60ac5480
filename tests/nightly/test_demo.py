"""`fazhi demo` as a newcomer meets it: day 1 twice, then the portals a day later."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pandas as pd
import pytest

from tests.nightly.commands import Commands
from tests.nightly.conftest import House

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_demo_twice_then_a_day_later(tmp_path: Path, commands: Commands) -> None:
    first = House(tmp_path).run("demo")  # with a Prefect server of its own, as a newcomer's
    house = House(tmp_path, commands)
    assert first.returncode == 0, first.stderr
    assert "Where to look next" in first.stdout
    assert first.stdout.count("“") >= 3, "the three most telling findings are quoted with their sentence"
    with sqlite3.connect(house.warehouse) as connection:
        observations = connection.execute("select count(*) from fact_observation").fetchone()[0]
        verdicts = dict(connection.execute("select verdict, count(*) from fact_check group by 1"))
    assert observations > 100
    assert verdicts["holds"] and verdicts["fails"] and verdicts["truncated"] and verdicts["differs"]

    check_release(house)
    second = house.run("demo")
    assert second.returncode == 0, second.stderr
    assert "new 0, changed 0, gone 0" in second.stdout
    assert "warehouse unchanged" in second.stdout
    releases = house.folder / "data" / "releases"
    assert len([path for path in releases.iterdir() if path.is_dir()]) == 1, "the same state is the same release"

    later = house.run("demo", "--day", "2")
    assert later.returncode == 0, later.stderr
    assert "new 1, changed 1, gone 1" in later.stdout
    with sqlite3.connect(house.warehouse) as connection:
        versions = connection.execute(
            "select document_id, count(*), sum(is_current) from dim_document where document_key > 0 "
            "group by 1 having count(*) > 1"
        ).fetchall()
        changed = versions[0][0]
        spans = connection.execute(
            "select valid_from, valid_to from dim_document where document_id = ? order by version_no", (changed,)
        ).fetchall()
    assert [(row[1], row[2]) for row in versions] == [(2, 1)]
    assert spans[0][1] == spans[1][0], "half-open, no gap"


def check_release(house: House) -> None:
    """The release holds what the database holds, and pandas reads it."""
    releases = house.folder / "data" / "releases"
    folder = releases / (releases / "CURRENT").read_text(encoding="utf-8").strip()
    package = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    names = {resource["name"] for resource in package["resources"]}
    assert {"fact_observation", "fact_mention", "fact_check", "dim_document", "dim_metric"} <= names
    frame = pd.read_parquet(folder / "fact_observation.parquet")
    with sqlite3.connect(house.warehouse) as connection:
        assert len(frame) == connection.execute("select count(*) from fact_observation").fetchone()[0]
