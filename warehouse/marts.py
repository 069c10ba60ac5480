"""Marts: readable views over the star. The same selects make the database's views and the release's files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import CompoundSelect, Connection, Select, and_, case, func, literal, or_, select

from warehouse.keys import NOT_APPLICABLE
from warehouse.marts_expected import explain_gaps
from warehouse.schema import dim_document as doc
from warehouse.schema import (
    fact_check,
    fact_metric_value,
    fact_observation,
    fact_source_run,
)
from warehouse.schema_dims import dim_agency as agency
from warehouse.schema_dims import dim_metric as metric
from warehouse.schema_dims import dim_period as period
from warehouse.schema_dims import dim_region as region
from warehouse.schema_dims import dim_rule, dim_source
from warehouse.schema_dims import dim_unit as unit

AGENCY = case((agency.c.agency_key == NOT_APPLICABLE, None), else_=agency.c.name_zh).label("agency_zh")
PLACE = (region.c.region_code, region.c.province_zh, region.c.city_zh, region.c.name_zh.label("region_zh"), AGENCY)
WHAT = (
    metric.c.section,
    metric.c.metric_code,
    metric.c.name_zh.label("metric_zh"),
    metric.c.name_en.label("metric_en"),
)
WHERE_STATED = (doc.c.title, doc.c.url, doc.c.published_at)


def select_region_year() -> Select[Any]:
    """One row per chosen value, with names and the sentence it comes from. Not summed: see `additivity`."""
    # By metric first: in a release a metric over all places is then a few row groups; a place over all metrics is a
    # row in each of the wide tables.
    value, seen = fact_metric_value, fact_observation
    return (
        select(
            *PLACE,
            *WHAT,
            metric.c.measure,
            metric.c.additivity,
            period.c.year,
            period.c.period_id,
            value.c.basis,
            value.c.scope,
            value.c.dimension,
            value.c.value_num,
            unit.c.unit_code,
            value.c.qualifier,
            value.c.status,
            value.c.chosen_by,
            value.c.n_statements,
            value.c.is_disputed,
            seen.c.value_text,
            seen.c.quote,
            *WHERE_STATED,
            value.c.value_key,
            value.c.observation_key,
        )
        .select_from(value)
        .join(region, region.c.region_key == value.c.region_key)
        .join(agency, agency.c.agency_key == value.c.agency_key)
        .join(metric, metric.c.metric_key == value.c.metric_key)
        .join(period, period.c.period_key == value.c.period_key)
        .join(unit, unit.c.unit_key == value.c.unit_key)
        .join(seen, seen.c.observation_key == value.c.observation_key)
        .join(doc, doc.c.document_key == value.c.document_key)
        .order_by(metric.c.metric_code, region.c.region_code, period.c.period_id, value.c.value_key)
    )


def select_restatements() -> Select[Any]:
    """One row per whole-period statement of a figure that is stated with different exact values."""
    value, seen = fact_metric_value, fact_observation
    basis = case((and_(seen.c.status == "cumulative", metric.c.measure != "stock"), "cumulative"), else_="period")
    place, version = region.alias("region_version"), metric.alias("metric_version")
    is_same = and_(
        value.c.region_key == place.c.current_key,
        value.c.agency_key == seen.c.agency_key,
        value.c.metric_key == metric.c.metric_key,
        value.c.period_key == seen.c.period_key,
        value.c.scope == seen.c.whole_scope,
        value.c.dimension == seen.c.dimension,
    )
    is_chosen = (seen.c.observation_key == value.c.observation_key).label("is_chosen")
    return (
        select(
            *PLACE,
            *WHAT,
            period.c.period_id,
            value.c.scope,
            value.c.dimension,
            seen.c.value_num,
            unit.c.unit_code,
            is_chosen,
            value.c.value_num.label("chosen_value"),
            value.c.is_disputed,
            doc.c.report_year,
            seen.c.status,
            seen.c.quote,
            *WHERE_STATED,
            value.c.value_key,
            seen.c.observation_key,
        )
        .select_from(seen)
        .join(doc, doc.c.document_key == seen.c.document_key)
        .join(place, place.c.region_key == seen.c.region_key)
        .join(version, version.c.metric_key == seen.c.metric_key)
        .join(metric, metric.c.metric_key == version.c.current_key)
        .join(value, and_(is_same, value.c.basis == basis))
        .join(region, region.c.region_key == value.c.region_key)
        .join(agency, agency.c.agency_key == value.c.agency_key)
        .join(period, period.c.period_key == value.c.period_key)
        .join(unit, unit.c.unit_key == seen.c.unit_key)
        .where(
            doc.c.is_counted,
            value.c.n_values > 1,
            seen.c.qualifier == "exact",
            seen.c.status != "target",
            seen.c.as_of_date_key == NOT_APPLICABLE,
            ~seen.c.is_derived,
            ~seen.c.is_damaged,
        )
        .order_by(region.c.region_code, metric.c.metric_code, period.c.period_id, seen.c.observation_key)
    )


def select_failed_checks() -> Select[Any]:
    """One row per check of a document that counts, or across documents, that did not hold."""
    check = fact_check
    return (
        select(
            *PLACE,
            check.c.subject_kind,
            dim_rule.c.rule_id,
            dim_rule.c.kind.label("rule_kind"),
            case((period.c.period_key == NOT_APPLICABLE, None), else_=period.c.period_id).label("period_id"),
            check.c.verdict,
            check.c.is_explained,
            check.c.expected,
            check.c.actual,
            check.c.tolerance,
            check.c.n_checked,
            check.c.formula,
            check.c.message_zh,
            check.c.message_en,
            *WHERE_STATED,
            check.c.check_key,
        )
        .select_from(check)
        .join(region, region.c.region_key == check.c.region_key)
        .join(agency, agency.c.agency_key == check.c.agency_key)
        .join(dim_rule, dim_rule.c.rule_key == check.c.rule_key)
        .join(period, period.c.period_key == check.c.period_key)
        .join(doc, doc.c.document_key == check.c.document_key)
        .where(
            check.c.verdict.in_(("fails", "differs", "truncated")),
            or_(doc.c.is_counted, check.c.document_key == NOT_APPLICABLE),
        )
        .order_by(region.c.region_code, doc.c.document_id, dim_rule.c.rule_id, check.c.check_key)
    )


def select_coverage() -> Select[Any]:
    """One row per authority and year from its first to its last report; a year without report is a gap."""
    version = region.alias("region_version")
    place = version.c.current_key.label("region_key")
    reports = (
        select(place, doc.c.agency_key, doc.c.report_year, func.count().label("n_reports"))
        .join(version, version.c.region_key == doc.c.region_key)
        .where(doc.c.is_counted, doc.c.is_report, doc.c.report_year.is_not(None))
        .group_by(place, doc.c.agency_key, doc.c.report_year)
        .cte("reports")
    )
    first = func.min(reports.c.report_year)
    spans = (
        select(
            reports.c.region_key,
            reports.c.agency_key,
            first.label("year"),
            func.max(reports.c.report_year).label("last_year"),
        )
        .group_by(reports.c.region_key, reports.c.agency_key)
        .cte("years", recursive=True)
    )
    years = spans.union_all(
        select(spans.c.region_key, spans.c.agency_key, spans.c.year + 1, spans.c.last_year).where(
            spans.c.year < spans.c.last_year
        )
    )
    n_reports = func.coalesce(reports.c.n_reports, literal(0))
    return (
        select(*PLACE, years.c.year, n_reports.label("n_reports"), (n_reports == 0).label("is_gap"))
        .select_from(years)
        .outerjoin(
            reports,
            and_(
                reports.c.region_key == years.c.region_key,
                reports.c.agency_key == years.c.agency_key,
                reports.c.report_year == years.c.year,
            ),
        )
        .join(region, region.c.region_key == years.c.region_key)
        .join(agency, agency.c.agency_key == years.c.agency_key)
        .order_by(region.c.region_code, agency.c.agency_key, years.c.year)
    )


def select_source_health() -> Select[Any]:
    """One row per source: its last runs and failure, and when it last brought anything."""
    run = fact_source_run
    news = run.c.n_new + run.c.n_changed > 0
    return (
        select(
            dim_source.c.source_id,
            dim_source.c.name_zh,
            dim_source.c.name_en,
            dim_source.c.engine,
            dim_source.c.is_sandbox,
            dim_source.c.rhythm,
            dim_source.c.expected_month,
            func.count(run.c.source_run_key).label("n_runs"),
            func.max(run.c.started_at).label("last_run_at"),
            func.max(case((run.c.status == "ok", run.c.started_at))).label("last_ok_at"),
            func.max(case((news, run.c.started_at))).label("last_news_at"),
            func.max(case((run.c.status != "ok", run.c.started_at))).label("last_failure_at"),
        )
        .select_from(dim_source)
        .outerjoin(run, run.c.source_key == dim_source.c.source_key)
        .where(dim_source.c.source_key >= 0, dim_source.c.is_current)
        .group_by(dim_source.c.source_key)
        .order_by(dim_source.c.source_id)
    )


RELEASED = {
    "mart_region_year": select_region_year,
    "mart_restatements": select_restatements,
    "mart_failed_checks": select_failed_checks,
    "mart_coverage": select_coverage,
}
"""Marts that a release carries."""


def select_explained_coverage() -> CompoundSelect[Any]:
    """One row per authority and year from its first to its last report, and per source and year to the report that is
    due; a year without report is a gap with its reason, by the last run: `blocked`, `column_not_found`,
    `layout_changed`, `failed`, `unreadable`, `not_published`. A file that could not be read is one too:
    `attachment_unreadable`. A release has no runs, so its mart has no reasons and ends with the last report."""
    return explain_gaps(select_coverage())


VIEWS: dict[str, Callable[[], Select[Any] | CompoundSelect[Any]]] = {
    **RELEASED,
    "mart_coverage": select_explained_coverage,
    "mart_source_health": select_source_health,
}


def create_views(conn: Connection) -> None:
    for name, make in VIEWS.items():
        text = make().compile(dialect=conn.dialect, compile_kwargs={"literal_binds": True})
        conn.exec_driver_sql(f"CREATE VIEW {name} AS {text}")
