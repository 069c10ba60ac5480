"""Which reports are expected of each source, which are there, and why the others are not."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Integer, String, Text, and_, case, extract, func, literal, null, or_, select, union_all
from sqlalchemy import cast as sql_cast
from sqlalchemy.sql.selectable import CTE, CompoundSelect, Select

from warehouse.run_records import BLOCKED_WORDS, NO_COLUMN_WORDS
from warehouse.schema import dim_document as doc
from warehouse.schema import fact_source_run as run
from warehouse.schema import page
from warehouse.schema_dims import dim_region as region
from warehouse.schema_dims import dim_source as source

_BLOCKED, _NO_COLUMN = ([f"%{word}%" for word in words] for words in (BLOCKED_WORDS, NO_COLUMN_WORDS))


def select_expected_reports() -> Select[Any]:
    """One row per source and year from its first report to the one that is due by its last run; `reason` says why.

    A year without report: `blocked`, `column_not_found`, `layout_changed`, `failed`, `unreadable`, `not_published`; a
    report with a file that could not be read: `attachment_unreadable`."""
    last, found, years = _last_runs(), _found(), _years()
    n_reports = func.coalesce(found.c.n_reports, literal(0))
    return (
        select(
            source.c.source_id,
            source.c.name_zh,
            region.c.region_code,
            region.c.name_zh.label("region_zh"),
            region.c.level,
            years.c.year,
            n_reports.label("n_reports"),
            (n_reports == 0).label("is_gap"),
            _reason(n_reports, found, last, years).label("reason"),
        )
        .select_from(years)
        .join(source, and_(source.c.source_id == years.c.source_id, source.c.is_current))
        .join(region, region.c.region_key == source.c.region_key)
        .outerjoin(last, and_(last.c.source_id == years.c.source_id, last.c.recency == 1))
        .outerjoin(found, and_(found.c.source_id == years.c.source_id, found.c.year == years.c.year))
        .order_by(source.c.source_id, years.c.year)
    )


def explain_gaps(coverage: Select[Any]) -> CompoundSelect[Any]:
    """The rows of `coverage` with the reason of each gap, and those of years and places that it does not come to."""
    expected = select_expected_reports().order_by(None).cte("expected_reports")
    by_place = (
        select(
            expected.c.region_code,
            expected.c.year,
            func.max(expected.c.n_reports).label("n_reports"),
            func.min(expected.c.reason).label("reason"),
        )
        .group_by(expected.c.region_code, expected.c.year)
        .cte("expected_by_place")
    )
    known = coverage.order_by(None).cte("covered")
    is_same = and_(
        by_place.c.region_code == known.c.region_code, by_place.c.year == known.c.year, known.c.agency_zh.is_(None)
    )
    is_told = or_(known.c.is_gap, by_place.c.reason == "attachment_unreadable")
    there = select(*known.c, case((is_told, by_place.c.reason)).label("reason")).outerjoin(by_place, is_same)
    place = region.alias("place")
    others = (
        select(
            place.c.region_code,
            place.c.province_zh,
            place.c.city_zh,
            place.c.name_zh.label("region_zh"),
            sql_cast(null(), Text).label("agency_zh"),
            by_place.c.year,
            by_place.c.n_reports,
            (by_place.c.n_reports == 0).label("is_gap"),
            by_place.c.reason,
        )
        .join(place, and_(place.c.region_code == by_place.c.region_code, place.c.is_current))
        .where(~select(literal(1)).where(is_same).exists())
    )
    return union_all(there, others)


def _last_runs() -> CTE:
    recency = func.row_number().over(partition_by=source.c.source_id, order_by=(run.c.started_at.desc(), run.c.run_id))
    return (
        select(source.c.source_id, run.c.status, run.c.failures, run.c.n_blocked, recency.label("recency"))
        .join(source, source.c.source_key == run.c.source_key)
        .cte("last_runs")
    )


def _found() -> CTE:
    """Current reports by source and year; `n_whole` of them without a file that could not be read."""
    has_unread = doc.c.notes.like("%attachment\\_%", escape="\\")
    return (
        select(
            source.c.source_id,
            doc.c.report_year.label("year"),
            func.count().label("n_reports"),
            func.sum(case((has_unread, 0), else_=1)).label("n_whole"),
        )
        .join(source, source.c.source_key == doc.c.source_key)
        .where(doc.c.is_current, doc.c.is_report, doc.c.report_year.is_not(None))
        .group_by(source.c.source_id, doc.c.report_year)
        .cte("found_reports")
    )


def _years() -> CTE:
    """From a source's first report to last year's; before the month in which that is expected, to the year before. A
    source without any report is expected to have the one that is due."""
    last = func.max(run.c.started_at)
    month, year = (sql_cast(extract(part, last), Integer) for part in ("month", "year"))
    due = (
        select(
            source.c.source_id,
            case((month >= func.max(source.c.expected_month), year - 1), else_=year - 2).label("due"),
        )
        .join(run, run.c.source_key == source.c.source_key)
        .where(source.c.source_key >= 0)
        .group_by(source.c.source_id)
        .cte("due_years")
    )
    first = (
        select(source.c.source_id, func.min(doc.c.report_year).label("first"))
        .join(doc, doc.c.source_key == source.c.source_key)
        .where(doc.c.is_current, doc.c.is_report, doc.c.report_year.is_not(None))
        .group_by(source.c.source_id)
        .cte("first_years")
    )
    begin = func.coalesce(first.c.first, due.c.due)
    spans = (
        select(due.c.source_id, begin.label("year"), due.c.due.label("due"))
        .outerjoin(first, first.c.source_id == due.c.source_id)
        .cte("expected_years", recursive=True)
    )
    return spans.union_all(select(spans.c.source_id, spans.c.year + 1, spans.c.due).where(spans.c.year < spans.c.due))


def _reason(n_reports: Any, found: CTE, last: CTE, years: CTE) -> Any:
    titled = page.c.title.like(literal("%").concat(sql_cast(years.c.year, String)).concat(literal("年%")))
    unread = (
        select(literal(1))  # not *: PostgreSQL spells that out, in the order that columns came to the table
        .where(page.c.source_id == years.c.source_id, page.c.kind == "page")
        .where(page.c.state.in_(("rejected", "failed")), titled)
        .exists()
    )
    is_failed = last.c.status != "ok"
    return case(
        (and_(n_reports > 0, found.c.n_whole == 0), "attachment_unreadable"),
        (n_reports > 0, None),
        (or_(last.c.n_blocked > 0, *(and_(is_failed, last.c.failures.like(one)) for one in _BLOCKED)), "blocked"),
        (and_(is_failed, or_(*(last.c.failures.like(one) for one in _NO_COLUMN))), "column_not_found"),
        (and_(is_failed, last.c.failures.like("%layout-changed%")), "layout_changed"),
        (is_failed, "failed"),
        (unread, "unreadable"),
        else_="not_published",
    )
