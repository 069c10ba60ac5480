"""Which reports are expected of a source, and the reason for each that is not there."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from tests.warehouse.builders import SOURCE, at, batch, report
from tests.warehouse.conftest import load
from warehouse.batch import LoadBatch, PageState, SourceCounts
from warehouse.marts_expected import select_expected_reports

TEXT = "收到10件，受理8件，不予受理2件。"


def told(engine: Engine) -> list[tuple[int, int, str | None]]:
    with engine.connect() as conn:
        found = [(row.year, row.n_reports, row.reason) for row in conn.execute(select_expected_reports())]
    return [(int(year), int(n), reason) for year, n, reason in found]


def gaps(engine: Engine) -> list[tuple[str, int, int, str | None]]:
    with engine.connect() as conn:
        rows = conn.exec_driver_sql(
            "SELECT region_code, year, n_reports, reason FROM mart_coverage ORDER BY year"
        ).all()
    return [(code, int(year), int(n), reason) for code, year, n, reason in rows]


def failed(line: str, **counts: int) -> LoadBatch:
    one = batch(run="run-2", day=1)
    return replace(one, failures=(line,), status="failed", counts=SourceCounts(planned=1, **counts))


def test_years_run_to_the_report_that_is_due(engine: Engine) -> None:
    """The run is of March 2024: the report on 2022 is due, that on 2023 not before April."""
    load(engine, batch(report(2019, TEXT), report(2021, TEXT + "二")))
    assert told(engine) == [(2019, 1, None), (2020, 0, "not_published"), (2021, 1, None), (2022, 0, "not_published")]
    assert gaps(engine) == [(SOURCE.region_code, *row) for row in told(engine)]


def test_from_the_expected_month_on_last_years_report_is_due(engine: Engine) -> None:
    load(engine, batch(report(2022, TEXT), day=40))
    assert told(engine) == [(2022, 1, None), (2023, 0, "not_published")]


def test_a_source_without_any_report_lacks_the_one_that_is_due(engine: Engine) -> None:
    load(engine, failed("x: http://x/ answers 404: there is no such page"))
    assert told(engine) == [(2022, 0, "column_not_found")]
    (gap,) = gaps(engine)
    assert gap[1:] == (2022, 0, "column_not_found"), "no report at all, and yet a row; no document has named its place"


@pytest.mark.parametrize(
    ("line", "counts", "reason"),
    [
        ("x answers 200: a challenge page (nsd=) instead of the content", {"blocked": 1}, "blocked"),
        ("x: robots.txt forbids it", {}, "blocked"),
        ("x: no row of the trs family on http://x/", {}, "column_not_found"),
        ("x: layout-changed 版式变更: no page states its date", {}, "layout_changed"),
        ("x took longer than 30 s", {}, "failed"),
    ],
)
def test_the_reason_is_that_of_the_last_run(engine: Engine, line: str, counts: dict[str, int], reason: str) -> None:
    load(engine, batch(report(2021, TEXT)))
    load(engine, failed(line, **counts))
    assert told(engine) == [(2021, 1, None), (2022, 0, reason)]
    assert gaps(engine)[-1][2:] == (0, reason)


def test_a_listed_report_that_could_not_be_read_is_no_unpublished_one(engine: Engine) -> None:
    page = PageState(
        "http://www.yunshui.example/2022.html", "page", SOURCE.source_id, title="云水县2022年法治政府建设情况报告",
        last_status=200, state="rejected", first_seen_at=at(0), last_seen_at=at(0),
    )  # fmt: skip
    one = batch(report(2021, TEXT))
    load(engine, replace(one, pages=(*one.pages, page)))
    assert told(engine) == [(2021, 1, None), (2022, 0, "unreadable")]


def test_a_report_whose_file_could_not_be_read_is_there_but_says_so(engine: Engine) -> None:
    load(engine, batch(report(2022, TEXT, notes=("attachment_scanned:附件.pdf",))))
    assert told(engine) == [(2022, 1, "attachment_unreadable")]
    assert gaps(engine) == [(SOURCE.region_code, 2022, 1, "attachment_unreadable")]
