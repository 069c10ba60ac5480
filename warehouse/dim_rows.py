"""Rows of dimensions as catalogue, source and region lists mean them, and the keys that all facts refer to. Pure but
for the days of the years that a load needs."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from functools import lru_cache

from sqlalchemy import Connection, Table

from warehouse.batch import CatalogueRows, SourceRow
from warehouse.columns import Row
from warehouse.history import BEGINNING, pack
from warehouse.keys import UNKNOWN, key_of
from warehouse.periods import CHINA, date_key_of
from warehouse.regions import Region, load_gazetteer
from warehouse.schema_dims import dim_date, dim_metric, dim_rule, dim_unit
from warehouse.upsert import Changes, insert_rows, read_rows

SANDBOX_PREFIX = "99"


@lru_cache(maxsize=4)
def catalogue_content(catalogue: CatalogueRows) -> str:
    """All that a catalogue says, as its state; every batch of a run comes with the same one."""
    return to_json({table.name: [pack(row) for row in rows] for table, rows in catalogue_rows(catalogue).items()})


def catalogue_rows(catalogue: CatalogueRows) -> dict[Table, list[Row]]:
    """The rows that a catalogue means, without what makes them versions."""
    units = [
        {"unit_code": unit.code, "written_zh": to_json(unit.zh), "meaning": unit.meaning} for unit in catalogue.units
    ]
    metrics: list[Row] = [
        {
            "metric_code": metric.code,
            "name_zh": metric.name_zh,
            "name_en": metric.name_en,
            "section": metric.section,
            "tier": metric.tier,
            "definition": metric.definition,
            "unit_key": unit_key(metric.unit),
            "kind": metric.kind,
            "measure": metric.measure,
            "additivity": ",".join(sorted(metric.additive_over, reverse=True)) or "none",
            "part_of": metric.part_of,
            "plausible_low": metric.plausible_low,
            "plausible_high": metric.plausible_high,
        }
        for metric in catalogue.metrics
    ]
    rules: list[Row] = [
        {
            "rule_id": rule.rule_id,
            "kind": rule.kind,
            "formula": rule.formula,
            "name_zh": rule.name_zh or None,
            "name_en": rule.name_en or None,
            "notes": rule.notes or None,
        }
        for rule in catalogue.rules
    ]
    return {dim_unit: units, dim_metric: metrics, dim_rule: rules}


def region_states(code: str) -> list[tuple[datetime, Row]]:
    """What the lists say of a place, from when on; in order of time.

    They tell the year of a change only, so it is put in the middle of that year, at most half a year off.
    """
    versions = load_gazetteer().versions(code) or [Region(code, code, "unknown")]
    is_known = code in load_gazetteer().by_code
    return [
        (
            datetime(one.since, 7, 1, tzinfo=CHINA) if number and one.since else BEGINNING,
            {
                "region_code": code,
                "listed_code": one.code,
                "name_zh": one.name_zh,
                "name_en": one.name_en,
                "level": one.level,
                "province_zh": one.province_zh,
                "city_zh": one.city_zh,
                "is_sandbox": code.startswith(SANDBOX_PREFIX),
                "is_inferred": not is_known,
            },
        )
        for number, one in enumerate(versions)
    ]


def source_row(source: SourceRow) -> Row:
    """The member without its region: what a source that never published is known by."""
    return {
        "source_id": source.source_id,
        "name_zh": source.name_zh,
        "name_en": source.name_en,
        "region_key": UNKNOWN,
        "engine": source.engine,
        "hosts": to_json(source.hosts),
        "is_sandbox": source.is_sandbox,
        "rhythm": source.rhythm,
        "expected_month": source.expected_month,
        "is_inferred": False,
    }


@lru_cache(maxsize=10_000)
def source_key(source_id: str) -> int:
    return key_of("source", source_id)


def region_key(code: str) -> int:
    return key_of("region", code)


def period_key(period_id: str) -> int:
    return key_of("period", period_id)


@lru_cache(maxsize=10_000)
def unit_key(code: str) -> int:
    return key_of("unit", code)


@lru_cache(maxsize=10_000)
def metric_key(code: str) -> int:
    return key_of("metric", code)


@lru_cache(maxsize=10_000)
def rule_key(rule_id: str) -> int:
    return key_of("rule", rule_id)


def to_json(value: object) -> str:
    """Compact JSON, always the same bytes for the same value."""
    return "[]" if value == () else _spell(value)  # most lists are: of attachments, notes, what was removed


_spell = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


def write_years(conn: Connection, years: set[int]) -> Changes:
    changes = Changes()
    firsts = {year * 10000 + 101: year for year in years}
    for present in read_rows(conn, dim_date, sorted(firsts)):
        del firsts[present]
    for year in sorted(firsts.values()):
        start = date(year, 1, 1)
        days = [start + timedelta(days=n) for n in range((date(year + 1, 1, 1) - start).days)]
        changes.add(insert_rows(conn, dim_date, [_date_row(day) for day in days]))
    return changes


def _date_row(day: date) -> Row:
    return {
        "date_key": date_key_of(day),
        "date": day,
        "year": day.year,
        "quarter": (day.month + 2) // 3,
        "month": day.month,
        "day": day.day,
        "weekday": day.isoweekday(),
    }
