"""Releases: complete, checked, the same bytes for the same state, and never half there."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine

from tests.warehouse.builders import batch, notice, report
from tests.warehouse.conftest import load
from tests.warehouse.tables import A, B, rows
from warehouse import release as release_module
from warehouse.errors import WarehouseError
from warehouse.release import current_release, make_release
from warehouse.schema import LOG, STAR
from warehouse.schema_dims import document_text


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "releases"


@pytest.fixture
def loaded(engine: Engine) -> Engine:
    load(engine, batch(report(2020, A), report(2021, B + "上年收到11件。"), notice("n", "只是通知")))
    load(engine, batch(report(2023, "收到3件（截至2023-11-30）。计划收到7件。", day=1), run="r2", day=1))
    return engine


def test_it_carries_the_star_and_the_marts_and_no_log(loaded: Engine, folder: Path) -> None:
    made = make_release(loaded, folder, keep=3)
    names = {path.stem for path in made.path.glob("*.parquet")}
    assert {table.name for table in STAR} <= names
    assert not {table.name for table in LOG} & names
    for table in STAR:
        if table is not document_text:
            assert pq.read_metadata(made.path / f"{table.name}.parquet").num_rows == len(rows(loaded, table)), (
                table.name
            )
    texts = pq.read_table(made.path / "document_text.parquet").to_pydict()["text"]
    assert A in texts and "只是通知" not in texts
    package = json.loads((made.path / "datapackage.json").read_text())
    assert package["fingerprint"] == made.fingerprint and package["version"] == made.name
    assert {one["path"] for one in package["resources"]} | {"datapackage.json", "dictionary.md"} == set(
        bytes_of(made.path)
    )
    observations = next(one for one in package["resources"] if one["name"] == "fact_observation")
    assert all(field["description"] for field in observations["schema"]["fields"])
    assert current_release(folder) == made.path


def test_values_keep_their_types(loaded: Engine, folder: Path) -> None:
    made = make_release(loaded, folder, keep=3)
    table = pq.read_table(made.path / "fact_observation.parquet")
    assert str(table.schema.field("value_num").type) == "decimal128(24, 6)"
    assert str(table.schema.field("observation_key").type) == "int64"
    assert Decimal("95") in table.to_pydict()["value_num"]
    wide = pq.read_table(made.path / "mart_region_year_disputes.parquet").to_pylist()
    assert [(row["year"], row["received"], row["rate"]) for row in wide] == [(2020, 10, 95), (2021, 10, None)]


def test_marts_say_what_they_promise(loaded: Engine, folder: Path) -> None:
    made = make_release(loaded, folder, keep=3)
    coverage = pq.read_table(made.path / "mart_coverage.parquet").to_pylist()
    assert [(row["year"], row["is_gap"]) for row in coverage] == [
        (2020, False),
        (2021, False),
        (2022, True),
        (2023, False),
    ]
    restated = pq.read_table(made.path / "mart_restatements.parquet").to_pylist()
    assert sorted((row["value_num"], row["is_chosen"], row["report_year"]) for row in restated) == [
        (10, True, 2020),
        (11, False, 2021),
    ]
    failed = pq.read_table(made.path / "mart_failed_checks.parquet").to_pylist()
    assert [(row["rule_id"], row["formula"]) for row in failed] == [("R01", "7 + 2 = 10")]
    chosen = pq.read_table(made.path / "mart_region_year.parquet").to_pylist()
    assert {(row["period_id"], row["chosen_by"]) for row in chosen if row["metric_code"] == "received"} == {
        ("2020", "final"), ("2021", "final"), ("2023", "part_year"), ("2024", "forecast"),
    }  # fmt: skip


def test_the_same_state_is_the_same_release(loaded: Engine, folder: Path) -> None:
    first = make_release(loaded, folder / "a", keep=3)
    load(loaded, batch(report(2020, A, day=2), run="r3", day=2))
    load(loaded, batch(run="r4", day=3, status="failed"))
    again = make_release(loaded, folder / "a", keep=3)
    assert (first.is_new, again.is_new, again.path, again.rows) == (True, False, first.path, first.rows)
    elsewhere = make_release(loaded, folder / "b", keep=3)
    assert elsewhere.is_new and bytes_of(elsewhere.path) == bytes_of(first.path)


def test_the_last_ones_are_kept(loaded: Engine, folder: Path) -> None:
    (folder / "notes").mkdir(parents=True)
    made = [make_release(loaded, folder, keep=2).name]
    for day, text in enumerate(("收到1件。", "收到2件。", "收到3件。"), start=5):
        load(loaded, batch(report(2020, text, day=day), run=f"d{day}", day=day))
        made.append(make_release(loaded, folder, keep=2).name)
    assert len(set(made)) == 4
    assert {path.name for path in folder.iterdir()} == {*made[-2:], "CURRENT", "notes"}
    assert current_release(folder) == folder / made[-1]


def test_a_release_that_fails_its_check_leaves_the_one_before(
    loaded: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = make_release(loaded, folder, keep=2)
    load(loaded, batch(report(2020, B, day=9), run="d9", day=9))
    monkeypatch.setattr(release_module, "count_readable", lambda _path, _schema: 0)
    with pytest.raises(WarehouseError, match="the one before stays current"):
        make_release(loaded, folder, keep=2)
    assert current_release(folder) == before.path
    assert {path.name for path in folder.iterdir()} == {before.name, "CURRENT"}


def test_nothing_loaded_means_nothing_to_release(engine: Engine, folder: Path) -> None:
    with pytest.raises(WarehouseError, match="nothing has been loaded yet"):
        make_release(engine, folder, keep=2)
    assert current_release(folder) is None


def test_a_folder_that_cannot_be_written(loaded: Engine, folder: Path) -> None:
    folder.write_text("in the way")
    with pytest.raises(WarehouseError, match=r"release .*releases.*permissions"):
        make_release(loaded, folder, keep=2)
