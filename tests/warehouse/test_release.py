"""Releases: complete, checked, the same bytes for the same state, and never half there."""

from __future__ import annotations

import json
import os
import shutil
import threading
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine

from tests.postgres import Server
from tests.warehouse.builders import HOST, SOURCE, batch, notice, parse, report
from tests.warehouse.conftest import Make, Templates, check_nothing, load
from tests.warehouse.tables import A, B, rows
from warehouse import partitions, release_files
from warehouse.batch import Reading
from warehouse.engine import open_warehouse
from warehouse.errors import WarehouseError
from warehouse.keys import hash_text
from warehouse.release import Release, current_release, list_releases, make_release
from warehouse.release_diff import Difference, write_json
from warehouse.release_read import connect_release, find_release, read_release
from warehouse.reread import reread
from warehouse.schema import LOG, STAR, fact_observation
from warehouse.schema_dims import document_text


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test here cuts the power."""
    monkeypatch.setattr(os, "fsync", lambda _file: None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "releases"


LOADED = (
    batch(report(2020, A), report(2021, B + "上年收到11件。"), notice("n", "只是通知")),
    batch(report(2023, "收到3件（截至2023-11-30）。计划收到7件。", day=1), run="r2", day=1),
)


@pytest.fixture
def loaded(make: Make) -> Engine:
    return make("w", LOADED)


OF_LOADS = ("dim_load", "fact_document_progress", "datapackage.json", "parts.json")
"""Files of a release that tell when it was loaded, or the hashes of those."""
one_engine = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
"""For what reads releases: `test_both_engines_make_the_same_files`."""


def test_both_engines_make_the_same_files(templates: Templates, server: Server, folder: Path, cut: str) -> None:
    lite = shutil.copy(templates.of(None, LOADED), folder.with_suffix(".sqlite"))
    name = server.create(templates.of(server, LOADED))
    files = []
    for url in (f"sqlite:///{lite}", server.url(name)):
        engine = open_warehouse(url)
        made = bytes_of(make_release(engine, folder / engine.dialect.name, keep=1).path)
        engine.dispose()
        files.append({path: None if path.startswith(OF_LOADS) else told for path, told in made.items()})
    server.drop(name)
    assert files[0] == files[1] and sum(told is not None for told in files[0].values()) > 15


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
    assert {one["path"] for one in package["resources"]} | {
        "datapackage.json",
        "dictionary.md",
        "parts.json",
        "views.sql",
    } == set(bytes_of(made.path))
    observations = next(one for one in package["resources"] if one["name"] == "fact_observation")
    assert all(field["description"] for field in observations["schema"]["fields"])
    assert current_release(folder) == made.path


@one_engine
def test_values_keep_their_types(loaded: Engine, folder: Path) -> None:
    made = make_release(loaded, folder, keep=3)
    table = pq.read_table(made.path / "fact_observation.parquet")
    assert str(table.schema.field("value_num").type) == "decimal128(24, 6)"
    assert str(table.schema.field("observation_key").type) == "int64"
    assert Decimal("95") in table.to_pydict()["value_num"]
    wide = pq.read_table(made.path / "mart_region_year_disputes.parquet").to_pylist()
    assert [(row["year"], row["received"], row["rate"]) for row in wide] == [(2020, 10, 95), (2021, 10, None)]


@one_engine
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


@one_engine
def test_the_last_ones_are_kept(loaded: Engine, folder: Path) -> None:
    (folder / "notes").mkdir(parents=True)
    made = [make_release(loaded, folder, keep=2).name]
    for day, text in enumerate(("收到1件。", "收到2件。", "收到3件。"), start=5):
        load(loaded, batch(report(2020, text, day=day), run=f"d{day}", day=day))
        made.append(make_release(loaded, folder, keep=2).name)
    assert len(set(made)) == 4
    assert {path.name for path in folder.iterdir()} == {*made[-2:], "CURRENT", "notes", ".lock"}
    assert current_release(folder) == folder / made[-1]


@one_engine
def test_a_release_that_fails_its_check_leaves_the_one_before(
    loaded: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = make_release(loaded, folder, keep=2)
    load(loaded, batch(report(2020, B, day=9), run="d9", day=9))
    monkeypatch.setattr(release_files, "count_readable", lambda _path, _schema: 0)
    with pytest.raises(WarehouseError, match="the one before stays current"):
        make_release(loaded, folder, keep=2)
    assert current_release(folder) == before.path
    assert {path.name for path in folder.iterdir()} == {before.name, "CURRENT", ".lock"}


def test_nothing_loaded_means_nothing_to_release(engine: Engine, folder: Path) -> None:
    with pytest.raises(WarehouseError, match="nothing has been loaded yet"):
        make_release(engine, folder, keep=2)
    assert current_release(folder) is None


def test_a_folder_that_cannot_be_written(loaded: Engine, folder: Path) -> None:
    folder.write_text("in the way")
    with pytest.raises(WarehouseError, match=r"release .*releases.*permissions"):
        make_release(loaded, folder, keep=2)


@pytest.fixture(params=["whole", "years", "regions"])
def cut(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How finely the tables are cut into files: in real life by the number of documents."""
    monkeypatch.setattr(partitions, "WHOLE_UP_TO", 10**6 if request.param == "whole" else 0)
    monkeypatch.setattr(partitions, "YEARS_UP_TO", 10**6 if request.param == "years" else 0)
    return str(request.param)


def test_only_what_changed_is_written(engine: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions, "WHOLE_UP_TO", 0)
    load(engine, batch(*(report(year, A) for year in range(2010, 2020)), run="y1"))
    before = make_release(engine, folder, keep=3)
    load(engine, batch(report(2015, B, day=2), run="y2", day=2))
    after = make_release(engine, folder, keep=3)
    seen = {path.name: path.stat().st_ino for path in (before.path / "fact_observation").iterdir()}
    now = {path.name: path.stat().st_ino for path in (after.path / "fact_observation").iterdir()}
    assert len(now) == 10 and {name for name in now if now[name] != seen[name]} == {"2015.parquet"}
    values = {path.name for path in (after.path / "fact_metric_value").iterdir() if path.stat().st_nlink == 1}
    assert values == {"2015.parquet"}  # its target for 2016 is overruled there by the report of that year
    assert pq.read_table(after.path / "fact_observation").num_rows == len(rows(engine, fact_observation))
    assert all(not os.access(path, os.W_OK) or os.getuid() == 0 for path in after.path.rglob("*.parquet"))


def test_a_text_that_was_read_again_is_written_again(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The document's row stays as it was then: its progress tells."""
    monkeypatch.setattr(partitions, "WHOLE_UP_TO", 0)
    load(engine, batch(report(2019, A), report(2020, B), run="p1"))
    make_release(engine, tmp_path / "all", keep=3)
    better = Reading(f"{HOST}/2020.html", hash_text(B), parse(B.replace("受理7件", "收看7件"), 2020))
    reread(engine, batch(run="p2", day=3), [better], check_nothing)
    made, fresh = (make_release(engine, tmp_path / name, keep=3) for name in ("all", "fresh"))
    assert made.n_linked and bytes_of(made.path) == bytes_of(fresh.path)
    with Difference(find_release(tmp_path / "all", "PREVIOUS"), find_release(tmp_path / "all")) as found:
        assert [(row["change"], row["metric_code"]) for row in found.values()] == [("removed", "accepted")]


@one_engine
def test_a_file_that_was_lost_is_written_again(loaded: Engine, folder: Path) -> None:
    made = make_release(loaded, folder, keep=3)
    whole = bytes_of(made.path)
    (made.path / "fact_mention.parquet").unlink()
    (made.path / "datapackage.json").unlink()
    shutil.copytree(made.path, folder / "kept")
    shutil.rmtree(made.path)
    again = make_release(loaded, folder, keep=3)
    assert again.is_new and bytes_of(again.path) == whole


def test_two_makers_at_once_make_one(loaded: Engine, folder: Path) -> None:
    made: list[Release] = []
    threads = [threading.Thread(target=lambda: made.append(make_release(loaded, folder, keep=3))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one.name for one in made}) == 1 and sorted(one.is_new for one in made) == [False, False, True]
    assert {path.name for path in folder.iterdir()} == {made[0].name, "CURRENT", ".lock"}


@one_engine
def test_a_reader_never_sees_half(engine: Engine, folder: Path) -> None:
    """Releases are made and taken away while another thread opens whatever is current."""
    load(engine, batch(report(2020, A)))
    make_release(engine, folder, keep=1)
    problems: list[str] = []
    opened: set[str] = set()
    stop = threading.Event()

    def read() -> None:
        while not stop.wait(0.001):
            told = find_release(folder)
            tables = told.tables
            opened.add(told.name)
            if {path for paths in tables.values() for path in paths if not path.is_file()} and told.path.is_dir():
                problems.append(told.name)

    reader = threading.Thread(target=read)
    reader.start()
    for day in range(1, 6):
        load(engine, batch(report(2020, f"收到{day}件。", day=day), run=f"d{day}", day=day))
        make_release(engine, folder, keep=2)
    stop.set()
    reader.join()
    assert problems == [] and len(opened) > 1


@one_engine
def test_what_a_killed_maker_left_is_cleared_away(loaded: Engine, folder: Path) -> None:
    made = make_release(loaded, folder, keep=2)
    for name in (".draft.4711", ".old.2020-01-01_abc"):
        (folder / name / "fact_observation").mkdir(parents=True)
        (folder / name / "datapackage.json").write_text("{")
    assert [one.name for one in list_releases(folder)] == [made.name]
    make_release(loaded, folder, keep=2)
    assert {path.name for path in folder.iterdir()} == {made.name, "CURRENT", ".lock"}


@one_engine
def test_the_package_is_bilingual_and_names_sources_units_and_licences(loaded: Engine, folder: Path) -> None:
    package = read_release(make_release(loaded, folder, keep=3).path).package
    for one in package["resources"]:
        assert one["description"] and one["description_zh"], one["name"]
        lacking = [field["name"] for field in one["schema"]["fields"] if not field["description"]]
        assert not lacking or one["name"].startswith("mart_region_year_"), one["name"]
        assert one["hash"].startswith("sha256:") and sum(part["rows"] for part in one["parts"]) == one["rows"]
    assert [one["name"] for one in package["sources"]] == [SOURCE.source_id]
    assert {one["code"] for one in package["units"]} == {"case", "percent"} and len(package["licenses"]) == 2
    facts = next(one for one in package["resources"] if one["name"] == "fact_observation")
    assert facts["schema"]["primaryKey"] == ["observation_key"]
    assert {"fields": ["metric_key"], "reference": {"resource": "dim_metric", "fields": ["metric_key"]}} in facts[
        "schema"
    ]["foreignKeys"]


@one_engine
def test_every_table_has_a_view(loaded: Engine, folder: Path, cut: str) -> None:
    made = make_release(loaded, folder, keep=3)
    with duckdb.connect(config={"file_search_path": str(made.path)}) as duck, connect_release(made.path) as ours:
        duck.execute((made.path / "views.sql").read_text())
        for name, count in made.rows.items():
            ask = f'SELECT count(*) FROM "{name}"'
            assert duck.execute(ask).fetchone() == ours.execute(ask).fetchone() == (count,), name


@one_engine
def test_a_difference_is_told_fact_by_fact(engine: Engine, folder: Path, cut: str) -> None:
    load(engine, batch(report(2020, A), report(2021, "收到9件。")))
    old = make_release(engine, folder, keep=5)
    load(engine, batch(report(2020, B, day=2), report(2022, "收到4件。", day=2), run="r2", day=2))
    new = make_release(engine, folder, keep=5)
    with Difference(find_release(folder, "PREVIOUS"), find_release(folder, "current")) as found:
        assert (found.old.name, found.new.name) == (old.name, new.name)
        assert found.schema() == []
        documents = [(row["change"], row["document_id"]) for row in found.documents()]
        assert documents == [("new text", f"{HOST}/2020.html"), ("added", f"{HOST}/2022.html")]
        values = {
            (row["metric_code"], row["period_id"]): (row["change"], row["old_value_num"], row["new_value_num"])
            for row in found.values()
        }
        assert values == {
            ("accepted", "2020"): ("changed", 8, 7),
            ("rate", "2020"): ("removed", 95, None),
            ("received", "2020"): ("moved", 10, 10),
            ("rejected", "2020"): ("moved", 2, 2),
            ("received", "2022"): ("added", None, 4),
        }
        assert found.summary()["values"] == {"added": 1, "changed": 1, "moved": 2, "removed": 1}
        assert found.tables()["fact_observation"] == {"added": 4, "removed": 0, "changed": 0}
        quotes = {row["change"]: row["new_quote"] or row["old_quote"] for row in found.values()}
        assert quotes["changed"] == "受理7件" and quotes["removed"] == "出庭率95%"
        told = json.loads("".join(write_json(found)))
        assert told["summary"] == found.summary() and len(told["values"]) == 5
        assert told["values"][0]["new_value_num"] == 7
    with Difference(find_release(folder, new.name), find_release(folder, new.name[-5:])) as same:
        assert same.summary() == {"documents": {}, "values": {}} and list(same.values()) == []


@one_engine
def test_releases_of_other_cuts_and_columns_can_be_compared(
    loaded: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_release(loaded, folder / "a", keep=2)
    monkeypatch.setattr(partitions, "WHOLE_UP_TO", 0)
    make_release(loaded, folder / "b", keep=2)
    old, new = find_release(folder / "a"), find_release(folder / "b")
    assert old.tables.keys() == new.tables.keys()
    fields = old.package["resources"][0]["schema"]["fields"]
    fields.append({"name": "extra", "type": "string", "arrow_type": "string"})
    fields[0]["arrow_type"] = "int32"
    with Difference(old, new) as found:
        assert found.summary() == {"documents": {}, "values": {}}
        table, key = old.package["resources"][0]["name"], fields[0]["name"]
        assert found.schema() == [f"column {table}.extra: removed", f"column {table}.{key}: int32 became int64"]


@one_engine
def test_names_may_be_short_and_wrong_ones_are_told(engine: Engine, folder: Path) -> None:
    with pytest.raises(WarehouseError, match="no release in"):
        find_release(folder)
    load(engine, batch(report(2020, A)))
    only = make_release(engine, folder, keep=5)
    with pytest.raises(WarehouseError, match=f"{only.name} is the oldest one kept"):
        find_release(folder, "PREVIOUS")
    load(engine, batch(report(2020, B, day=2), run="r2", day=2))
    both = [only.name, make_release(engine, folder, keep=5).name]
    assert [one.name for one in list_releases(folder)] == both
    assert find_release(folder, both[0]).name == find_release(folder, both[0][-8:]).name == both[0]
    with pytest.raises(WarehouseError, match=f"2 releases begin or end with '20'; there are {', '.join(both)}"):
        find_release(folder, "20")
    with pytest.raises(WarehouseError, match="no release begins or ends with 'nonesuch'"):
        find_release(folder, "nonesuch")
    (folder / both[1] / "datapackage.json").write_text("{")
    with pytest.raises(WarehouseError, match=r"datapackage.json is missing or damaged"):
        find_release(folder)
