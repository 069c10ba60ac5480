"""Dimension rows that a batch needs: collected while facts are built, written before them."""

from __future__ import annotations

import json
from datetime import date, timedelta

from sqlalchemy import Connection, Table, select

from warehouse.batch import CatalogueRows, SourceRow
from warehouse.keys import NOT_APPLICABLE, UNKNOWN, key_of
from warehouse.periods import Period, date_key_of
from warehouse.regions import load_regions
from warehouse.schema_dims import (
    dim_agency,
    dim_date,
    dim_metric,
    dim_period,
    dim_region,
    dim_rule,
    dim_source,
    dim_unit,
)
from warehouse.upsert import Changes, Row, insert_rows, merge_rows, read_rows

ORDER = (dim_region, dim_period, dim_agency, dim_source, dim_unit, dim_metric, dim_rule)
"""Referred-to tables first."""

SANDBOX_PREFIX = "99"


class Members:
    """Collects members; each method gives the key a fact refers to."""

    def __init__(self) -> None:
        self._rows: dict[Table, dict[int, Row]] = {table: {} for table in ORDER}
        self._years: set[int] = set()

    def date(self, day: date | None, missing: int = UNKNOWN) -> int:
        if day is None:
            return missing
        self._years.add(day.year)
        return date_key_of(day)

    def period(self, period: Period | None, missing: int = NOT_APPLICABLE) -> int:
        if period is None:
            return missing
        key = period_key(period.period_id)
        self._rows[dim_period][key] = {
            "period_key": key,
            "period_id": period.period_id,
            "kind": period.kind,
            "year": period.end.year,
            "n_months": period.n_months,
            "start_date_key": self.date(period.start),
            "end_date_key": self.date(period.end),
        }
        return key

    def region(self, code: str) -> int:
        """A code that catalog/regions.yml does not know becomes an inferred member."""
        key, known = region_key(code), load_regions().get(code)
        self._rows[dim_region][key] = {
            "region_key": key,
            "region_code": code,
            "name_zh": known.name_zh if known else code,
            "name_en": known.name_en if known else None,
            "level": known.level if known else "unknown",
            "province_zh": known.province_zh if known else None,
            "city_zh": known.city_zh if known else None,
            "is_sandbox": code.startswith(SANDBOX_PREFIX),
            "is_inferred": known is None,
        }
        return key

    def agency(self, region_code: str, name: str | None, missing: int) -> int:
        if not name:
            return missing
        key = key_of("agency", region_code, name)
        self._rows[dim_agency][key] = {
            "agency_key": key,
            "region_key": self.region(region_code),
            "name_zh": name,
        }
        return key

    def source(self, source: SourceRow) -> int:
        row = source_row(source)
        row["region_key"] = self.region(source.region_code)
        self._rows[dim_source][row["source_key"]] = row
        return source_key(source.source_id)

    def catalogue(self, catalogue: CatalogueRows) -> None:
        """The image of the catalogue: units, metrics, rules."""
        for unit in catalogue.units:
            key = unit_key(unit.code)
            self._rows[dim_unit][key] = {
                "unit_key": key,
                "unit_code": unit.code,
                "written_zh": to_json(unit.zh),
                "meaning": unit.meaning,
            }
        for metric in catalogue.metrics:
            key = metric_key(metric.code)
            self._rows[dim_metric][key] = {
                "metric_key": key,
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
        for rule in catalogue.rules:
            key = rule_key(rule.rule_id)
            self._rows[dim_rule][key] = {
                "rule_key": key,
                "rule_id": rule.rule_id,
                "kind": rule.kind,
                "formula": rule.formula,
                "name_zh": rule.name_zh or None,
                "name_en": rule.name_en or None,
                "notes": rule.notes or None,
            }

    def write(self, conn: Connection) -> Changes:
        changes = _write_years(conn, self._years)
        for table in ORDER:
            changes.add(merge_rows(conn, table, self._rows[table].values()))
        return changes


def source_row(source: SourceRow) -> Row:
    """The member without its region: what a source that never published is known by."""
    return {
        "source_key": source_key(source.source_id),
        "source_id": source.source_id,
        "name_zh": source.name_zh,
        "name_en": source.name_en,
        "region_key": UNKNOWN,
        "engine": source.engine,
        "hosts": to_json(source.hosts),
        "is_sandbox": source.is_sandbox,
        "rhythm": source.rhythm,
        "expected_month": source.expected_month,
    }


def infer_source(conn: Connection, source: SourceRow) -> int:
    """A failed source still needs a member for its log; one that is known already is left as it is."""
    key = source_key(source.source_id)
    if key not in read_rows(conn, dim_source, [key]):
        insert_rows(conn, dim_source, [source_row(source)])
    return key


def source_key(source_id: str) -> int:
    return key_of("source", source_id)


def region_key(code: str) -> int:
    return key_of("region", code)


def period_key(period_id: str) -> int:
    return key_of("period", period_id)


def unit_key(code: str) -> int:
    return key_of("unit", code)


def metric_key(code: str) -> int:
    return key_of("metric", code)


def rule_key(rule_id: str) -> int:
    return key_of("rule", rule_id)


def to_json(value: object) -> str:
    """Compact JSON, always the same bytes for the same value."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _write_years(conn: Connection, years: set[int]) -> Changes:
    changes = Changes()
    firsts = {year * 10000 + 101: year for year in years}
    chosen = select(dim_date.c.date_key).where(dim_date.c.date_key.in_(firsts))
    for present in conn.execute(chosen).scalars():
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
