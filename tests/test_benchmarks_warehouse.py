"""The made reports and warehouses of the benchmarks are what loads would make of them; the page is put together."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.growing import check_sample, grow, night, prime, rebuild_place
from benchmarks.loading import CATALOGUE, counties, execute_bare, load_ours, read_back, write_pandas
from benchmarks.made import DEPARTMENTS, PER_REPORT, make_report
from benchmarks.scale import questions
from benchmarks.warehouse_report import page
from tests.postgres import running_server
from warehouse.data_tests import Tester as DataTester  # pytest takes Test… for tests
from warehouse.engine import open_warehouse


def test_a_made_report_passes_every_data_test() -> None:
    (place,) = counties(1)
    doc = make_report(place, DEPARTMENTS[3], 2020, CATALOGUE.metrics)
    tester = DataTester(CATALOGUE)
    assert doc.parsed is not None and tester.accept_documents((doc,)) == [doc]
    accepted = tester.accept_figures(doc, doc.parsed)
    assert len(accepted.observations) == PER_REPORT and tester.rejected == []
    assert make_report(place, DEPARTMENTS[3], 2020, CATALOGUE.metrics) == doc


def test_a_grown_warehouse_is_as_loads_leave_it(testrun_uid: str) -> None:
    places = counties(2)
    with running_server(f"grown-{testrun_uid}") as server:
        url = server.url(server.create())
        prime(url, places[0])
        assert grow(url, places[1:]) == 120 * PER_REPORT
        assert check_sample(url, places) == 0
        assert [len(batch.documents) for batch in night(url, places, 6)] == [3, 3]
        engine = open_warehouse(url)
        assert rebuild_place(engine, places[1]) == 0
        engine.dispose()


def test_the_contenders_write_the_same_rows(tmp_path: Path) -> None:
    engine = open_warehouse(f"sqlite:///{tmp_path / 'w.sqlite'}")
    written, seconds = load_ours(engine, 200)
    assert written == 4 * PER_REPORT and seconds > 0
    assert execute_bare(tmp_path / "bare.sqlite", read_back(engine)) > 0
    rows = next(read_back(engine))
    assert len(rows) == written and write_pandas(engine, [row[:10] + (None,) * 27 for row in rows]) > 0
    engine.dispose()


def test_the_questions_are_those_of_the_cookbook() -> None:
    (place,) = counties(1)
    asked = questions(place)
    assert list(asked) == [str(number) for number in range(1, 11)]
    assert not any("990101" in sql for sql in asked.values()) and any(place.code in sql for sql in asked.values())


@pytest.mark.parametrize(("bare", "verdict"), [(100.0, "meets the bar"), (1000.0, "BELOW THE BAR")])
def test_the_page_tells_whether_bars_are_met(bare: float, verdict: str) -> None:
    loading = [{"engine": "postgresql", "rows": 9, "ours": 50.0, "bare": bare, "pandas": 1.0, "peak_mb": 9.0}]
    release = {"seconds": 1.0, "files": 9, "taken_over": 8, "mb": 1.0, "peak_mb": 1.0}
    names = ("dim_document", "fact_observation", "fact_mention", "fact_metric_value", "mb")
    scale = {
        "regions": 3, "rows": dict.fromkeys(names, 1000), "release": release, "next_release": release, "rebuild": 0.1,
        "night": {"seconds": 1.0, "choosing": 0.5, "documents": 10, "peak_mb": 1.0},
        "questions": {"1": 0.1},
    }  # fmt: skip
    told = page(loading, [scale])
    assert f"of bare, {verdict}" in told and "9, 8" in told
