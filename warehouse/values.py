"""Rebuild what is chosen and checked across documents for the regions that a batch touched."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, select

from extraction.model import Check, Observation
from warehouse.choosing import Chosen, Statement, choose_values
from warehouse.dims import Members
from warehouse.errors import WarehouseError
from warehouse.facts import Subject, bridge_rows, check_row
from warehouse.keys import NOT_APPLICABLE, key_of
from warehouse.periods import parse_published
from warehouse.schema import (
    bridge_check_observation,
    dim_document,
    fact_check,
    fact_metric_value,
    fact_observation,
)
from warehouse.schema_dims import dim_date, dim_metric, dim_period, dim_region, dim_unit
from warehouse.upsert import CHUNK, Changes, Row, delete_rows, merge_rows


class CheckAcross(Protocol):
    """Rules over the statements of one authority; `Check.observations` are indexes into them."""

    def __call__(self, statements: Sequence[Statement], /) -> Sequence[Check]: ...


def rebuild_regions(
    conn: Connection, regions: set[int], check_across: CheckAcross, load_key: int
) -> tuple[Changes, Changes]:
    """Changes among chosen values, and among cross-document checks."""
    members = Members()
    statements = read_statements(conn, regions)
    values = _replace_values(conn, regions, choose_values(statements), load_key)
    by_authority: dict[tuple[int, int], list[Statement]] = defaultdict(list)
    for one in statements:
        by_authority[one.region_key, one.agency_key].append(one)
    checks: dict[int, Row] = {}
    bridges: dict[int, Row] = {}
    for (region_key, agency_key), group in sorted(by_authority.items()):
        for check in check_across(group):
            figures = [group[i].observation_key for i in check.observations]
            subject_id = f"{region_key}/{agency_key}/{check.period or ''}"
            subject = Subject("region_period", subject_id, NOT_APPLICABLE, region_key, agency_key)
            row = check_row(subject, check, figures, members, load_key)
            checks[row["check_key"]] = row
            bridges.update((link["bridge_key"], link) for link in bridge_rows(row["check_key"], figures))
    members.write(conn)
    return values, _replace_checks(conn, regions, checks, bridges)


def read_statements(conn: Connection, regions: set[int]) -> list[Statement]:
    """Every statement of the regions (current keys) in documents that count, in a fixed order: over all versions of a
    region and of a metric, under the keys of the current ones."""
    rows: list[Statement] = []
    wanted = sorted(regions)
    for start in range(0, len(wanted), CHUNK):
        chosen = statement_query(dim_region.c.current_key.in_(wanted[start : start + CHUNK]), dim_document.c.is_counted)
        rows.extend(to_statement(row) for row in conn.execute(chosen).mappings())
    return rows


def statement_query(where: ColumnElement[bool], counts: ColumnElement[bool]) -> Any:
    """`counts` says which document versions do."""
    seen, doc = fact_observation, dim_document
    as_of = dim_date.alias("as_of_date")
    end = dim_date.alias("end_date")
    version = dim_metric.alias("metric_version")
    return (
        select(
            seen,
            dim_region.c.current_key.label("current_region_key"),
            dim_metric.c.metric_key.label("current_metric_key"),
            doc.c.document_id,
            doc.c.published_at,
            doc.c.report_year,
            dim_metric.c.metric_code,
            dim_metric.c.measure,
            dim_unit.c.unit_code,
            dim_period.c.period_id,
            dim_period.c.year.label("period_year"),
            end.c.date.label("period_end"),
            as_of.c.date.label("as_of_day"),
        )
        .join(doc, doc.c.document_key == seen.c.document_key)
        .join(dim_region, dim_region.c.region_key == seen.c.region_key)
        .join(version, version.c.metric_key == seen.c.metric_key)
        .join(dim_metric, dim_metric.c.metric_key == version.c.current_key)
        .join(dim_unit, dim_unit.c.unit_key == seen.c.unit_key)
        .join(dim_period, dim_period.c.period_key == seen.c.period_key)
        .join(end, end.c.date_key == dim_period.c.end_date_key)
        .join(as_of, as_of.c.date_key == seen.c.as_of_date_key)
        .where(where, counts, seen.c.value_num.is_not(None))
        .order_by(doc.c.document_id, seen.c.position, seen.c.observation_key)
    )


def to_statement(row: Any) -> Statement:
    return Statement(
        observation_key=row["observation_key"],
        document_key=row["document_key"],
        document_id=row["document_id"],
        region_key=row["current_region_key"],
        agency_key=row["agency_key"],
        metric=row["metric_code"],
        metric_key=row["current_metric_key"],
        measure=row["measure"],
        unit=row["unit_code"],
        unit_key=row["unit_key"],
        period=row["period_id"],
        period_key=row["period_key"],
        period_year=row["period_year"],
        period_end=row["period_end"],
        as_of=row["as_of_day"],
        as_of_date_key=row["as_of_date_key"],
        published=parse_published(row["published_at"]),
        published_date_key=row["published_date_key"],
        report_year=row["report_year"],
        is_part=row["breakdown_of_key"] != NOT_APPLICABLE,
        value=row["value_num"],
        stated=_observation(row),
    )


def _observation(row: Any) -> Observation:
    """The observation as extraction gave it, but for `breakdown_of`: 0 says only that it is a part."""
    return Observation(
        metric=row["metric_code"],
        start=row["span_start"],
        end=row["span_end"],
        text=row["value_text"],
        value=row["value_num"],
        unit=row["unit_code"],
        unit_zh=row["unit_zh"],
        period=row["period_id"],
        status=row["status"],
        qualifier=row["qualifier"],
        quote=row["quote"],
        quote_start=row["quote_start"],
        value_low=row["value_low"],
        value_high=row["value_high"],
        as_of=row["as_of"],
        scope=row["scope"] or None,
        dimension=row["dimension"] or None,
        breakdown_of=None if row["breakdown_of_key"] == NOT_APPLICABLE else 0,
        share_percent=row["share_percent"],
        share_of=row["share_of"],
        yoy_percent=row["yoy_percent"],
        yoy_text=row["yoy_text"],
        yoy_change=row["yoy_change"],
        is_derived=row["is_derived"],
        damaged=row["is_damaged"],
        evidence=row["evidence"],
    )


def _replace_values(conn: Connection, regions: set[int], chosen: list[Chosen], load_key: int) -> Changes:
    rows = {row["value_key"]: row for row in (_value_row(one, load_key) for one in chosen)}
    mixed = [row for row in rows.values() if row["status"] == "target" and row["chosen_by"] != "forecast"]
    if mixed:
        raise WarehouseError(f"{len(mixed)} targets were chosen as actual values; nothing was changed: report this")
    stale = _keys_in(conn, fact_metric_value, regions) - set(rows)
    changes = merge_rows(conn, fact_metric_value, rows.values())
    changes.add(delete_rows(conn, fact_metric_value, sorted(stale)))
    return changes


def _value_row(chosen: Chosen, load_key: int) -> Row:
    best = chosen.best
    region_key, agency_key, metric_key, period_key, basis, scope, dimension = chosen.group
    return {
        "value_key": key_of("value", *chosen.group),
        "region_key": region_key,
        "agency_key": agency_key,
        "metric_key": metric_key,
        "period_key": period_key,
        "basis": basis,
        "scope": scope,
        "dimension": dimension,
        "observation_key": best.observation_key,
        "document_key": best.document_key,
        "unit_key": best.unit_key,
        "as_of_date_key": best.as_of_date_key,
        "published_date_key": best.published_date_key,
        "value_num": best.value,
        "value_low": best.stated.value_low,
        "value_high": best.stated.value_high,
        "qualifier": best.stated.qualifier,
        "status": best.stated.status,
        "chosen_by": chosen.chosen_by,
        "n_statements": chosen.n_statements,
        "n_documents": chosen.n_documents,
        "n_values": chosen.n_values,
        "is_disputed": chosen.is_disputed,
        "load_key": load_key,
    }


def _replace_checks(conn: Connection, regions: set[int], checks: dict[int, Row], bridges: dict[int, Row]) -> Changes:
    across = fact_check.c.subject_kind == "region_period"
    stale = _keys_in(conn, fact_check, regions, across) - set(checks)
    old_links = set(
        conn.execute(
            select(bridge_check_observation.c.bridge_key)
            .join(fact_check, fact_check.c.check_key == bridge_check_observation.c.check_key)
            .where(fact_check.c.region_key.in_(sorted(regions)), across)
        ).scalars()
    )
    changes = delete_rows(conn, bridge_check_observation, sorted(old_links - set(bridges)))
    changes.add(delete_rows(conn, fact_check, sorted(stale)))
    changes.add(merge_rows(conn, fact_check, checks.values()))
    changes.add(merge_rows(conn, bridge_check_observation, bridges.values()))
    return changes


def _keys_in(conn: Connection, table: Any, regions: set[int], *where: ColumnElement[bool]) -> set[int]:
    (key,) = table.primary_key.columns
    chosen = select(key).where(table.c.region_key.in_(sorted(regions)), *where)
    return set(conn.execute(chosen).scalars())
