"""Documents read again from the archive: the warehouse becomes what a fresh load of today would make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from flows.reparse import reparse_documents
from tasks.mass_change import Thresholds
from tasks.reparse import ReparseResult, Selection
from tests.connectors.portal import item
from tests.reparse.conftest import Build
from tests.reparse.house import OLD, House, fill, items, older, older_text, source
from warehouse.checkup import check_warehouse
from warehouse.columns import Row
from warehouse.engine import reading
from warehouse.fingerprint import fingerprint
from warehouse.run_records import read_run, run_files
from warehouse.schema import dim_document, document_reading, fact_reparse_change, metadata

pytestmark = pytest.mark.timeout(600)  # each starts worker processes of its own

FREE = Thresholds(1, 1, 1, 1)
ALL = Selection()
ZIWU: dict[str, Any] = {
    "id": "990902_ziwu",
    "region_code": "990902",
    "start": [{"url": "https://www.ziwu.example/zwgk/fzzf/"}],
}


def reparse(house: House, selection: Selection = ALL, **more: Any) -> ReparseResult:
    return reparse_documents(house.settings, selection, **{"processes": 1, "thresholds": FREE, **more})


def print_of(house: House) -> str:
    engine = house.engine()
    assert [one.test.name for one in check_warehouse(engine) if not one.holds] == []
    told = fingerprint(engine)
    engine.dispose()
    return told


def rows_of(house: House, table: Any) -> list[Row]:
    engine = house.engine()
    with reading(engine) as conn:
        rows = [dict(row) for row in conn.execute(select(table).order_by(*table.primary_key)).mappings()]
    engine.dispose()
    return rows


@pytest.mark.parametrize("alter", [older, older_text])
def test_reparsed_is_as_loaded_fresh(build: Build, alter: Any) -> None:
    fresh, house = build("fresh"), build("house")
    fill(fresh, items(6))
    fill(house, items(6), alter, by=OLD)
    assert print_of(house) != print_of(fresh)
    result = reparse(house)
    assert print_of(house) == print_of(fresh)
    n_same = 1 if alter is older else 0
    """The notice has no figures, but a text."""
    assert [result.total(f"n_{name}") for name in ("documents", "unchanged", "published")] == [6, n_same, 6 - n_same]
    assert result.findings == []
    assert result.counts == {"added": 5, "changed": 5}
    changes = rows_of(house, fact_reparse_change)
    assert len(changes) == 10 and {row["run_id"] for row in changes} == {result.run_id}
    assert all(row["new_value"] == row["old_value"] - 10 for row in changes if row["kind"] == "changed")
    assert len(rows_of(house, document_reading)) == 6


def test_what_is_as_it_was_costs_no_write_and_is_passed_over(build: Build) -> None:
    house = build("house")
    fill(house, items(4), by=OLD)
    first = reparse(house)
    assert (first.total("n_unchanged"), first.total("n_differing")) == (4, 0)
    before = {table.name: rows_of(house, table) for table in metadata.tables.values()}
    assert reparse(house).total("n_passed_over") == 4
    again = reparse(house, again=True)
    assert (again.total("n_documents"), again.total("n_unchanged")) == (4, 4)
    assert {table.name: rows_of(house, table) for table in metadata.tables.values()} == before


def test_what_was_loaded_by_today_is_passed_over(build: Build) -> None:
    house = build("house")
    fill(house, items(4))
    result = reparse(house)
    assert (result.total("n_passed_over"), result.total("n_documents")) == (4, 0)


def test_a_dry_run_writes_nothing(build: Build) -> None:
    house = build("house")
    fill(house, items(4), older, by=OLD)
    before = {table.name: rows_of(house, table) for table in metadata.tables.values()}
    files = sorted(path.name for path in house.home.iterdir())
    result = reparse(house, dry_run=True)
    assert result.counts == {"added": 3, "changed": 3} and len(result.changes) == 6
    assert {table.name: rows_of(house, table) for table in metadata.tables.values()} == before
    assert sorted(path.name for path in house.home.iterdir()) == files


def test_damage_is_a_finding_and_the_old_state_stays(build: Build) -> None:
    house = build("house")
    refs = fill(house, items(5), older, by=OLD)
    (path,) = (house.home / "raw").glob(f"{refs[1].file}*")
    raw = bytearray(path.read_bytes())
    raw[refs[1].offset + 40 : refs[1].offset + 60] = bytes(20)
    path.write_bytes(raw)
    before = rows_of(house, dim_document)
    result = reparse(house)
    assert result.total("n_unread") == 1 and "cannot be read" in result.findings[0]
    assert result.total("n_published") == 3
    assert [row["document_id"] for row in rows_of(house, dim_document)] == [row["document_id"] for row in before]
    assert print_of(house)
    assert reparse(house).total("n_unread") == 1, "the next run tries it again, and nothing else"


def test_every_version_is_read_from_its_own_answer(build: Build) -> None:
    fresh, house = build("fresh"), build("house")
    changed = [item(number) for number in (1, 2)]
    changed = [type(one)(one.path, one.title, one.date, one.body.replace("件", "宗")) for one in changed]
    for one, alter, by in ((fresh, lambda doc: doc, None), (house, older_text, OLD)):
        fill(one, items(4), alter, by=by)
        fill(one, changed, alter, by=by, day=30)
        fill(one, items(4)[:2], alter, by=by, day=60)
    assert max(row["version_no"] for row in rows_of(house, dim_document)) == 3
    reparse(house)
    assert print_of(house) == print_of(fresh)


def test_a_mass_drop_stops_a_source_unless_a_reason_is_given(build: Build) -> None:
    one, other = source(), source(**ZIWU)
    house = build("house", one, other)
    fill(house, items(12), older, by=OLD)
    fill(house, items(4), older, by=OLD, of=other)
    limits = Thresholds(0.05, 0.10, 1, 1, floor=5)
    result = reparse(house, thresholds=limits)
    assert result.sources[one.id].stopped and not result.sources[other.id].stopped
    assert (result.sources[one.id].n_published, result.sources[other.id].n_published) == (0, 3)
    assert any("nothing of it is published" in told for told in result.findings)
    record = read_run(run_files(house.settings.runs)[0])
    assert record.kind == "reparse" and {run.source_id: run.status for run in record.sources} == {
        one.id: "failed", other.id: "ok",
    }  # fmt: skip
    accepted = Thresholds(0.05, 0.10, 1, 1, floor=5, accept_mass_change="ten too many by a defect")
    done = reparse(house, thresholds=accepted)
    assert done.sources[one.id].n_published == 11 and done.accepted
    told = {row["accepted"] for row in rows_of(house, fact_reparse_change)}
    assert told == {"", "ten too many by a defect"}


def test_a_few_figures_never_stop_it_and_all_sources_together_may(build: Build) -> None:
    house = build("house")
    fill(house, items(4), older, by=OLD)
    stopped = reparse(house, thresholds=Thresholds(1, 1, 0.01, 0.01, floor=2))
    assert stopped.stopped and stopped.total("n_published") == 0
    assert reparse(house, thresholds=Thresholds(0, 0, 0, 0, floor=3)).total("n_published") == 3


def test_a_selection_leaves_the_rest_alone(build: Build) -> None:
    house = build("house")
    fill(house, items(8), older, by=OLD)
    by_year = reparse(house, Selection(years=(2001, 2002)))
    assert by_year.total("n_published") == 2
    by_day = reparse(house, Selection(published_from="2004-02-11", published_to="2005-02-11"))
    assert by_day.total("n_published") == 2
    assert reparse(house, Selection(sources=(source().id,), limit=1)).total("n_documents") == 1
    assert print_of(house)


def test_a_source_that_is_configured_no_more_is_a_finding(build: Build) -> None:
    house = build("house")
    fill(house, items(3), older, by=OLD)
    for path in Path(house.home / "sources").iterdir():
        path.unlink()
    result = reparse(house)
    assert result.total("n_published") == 0 and "is configured no more" in result.findings[0]
