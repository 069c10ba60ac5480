"""Rebuild what is chosen and checked across documents for the authorities and years that a batch touched."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, Select, String, Table, func, select, true

from extraction.model import Check, Observation, build_observation
from warehouse.among import among_given, pairs_given
from warehouse.choosing import Chosen, Statement, build_statement, choose_values
from warehouse.columns import Row
from warehouse.dims import Members
from warehouse.errors import WarehouseError
from warehouse.facts import Subject, bridge_rows, check_row
from warehouse.keys import NOT_APPLICABLE, UNKNOWN, key_within
from warehouse.periods import parse_published
from warehouse.schema import (
    bridge_check_observation,
    dim_document,
    fact_check,
    fact_metric_value,
    fact_observation,
)
from warehouse.schema_dims import dim_date, dim_metric, dim_period, dim_region, dim_unit
from warehouse.upsert import CHUNK, Changes, delete_rows, fetch_by, merge_rows


class CheckAcross(Protocol):
    """Rules over the statements of one authority; `Check.observations` are indexes into them.

    Each check names its period, and rests on statements about that period's year and the year before only: where
    statements of a year have changed, checks of that year and the next are made anew."""

    def __call__(self, statements: Sequence[Statement], /) -> Sequence[Check]: ...


Authority = tuple[int, int]
"""Region (its current version's key) and body: statements are chosen among, and checked against, those of one."""
Years = frozenset[str] | None
"""Years, `YYYY`, in which periods begin; None: all."""

AT_ONCE = 1_000
"""Rows read together."""


def find_years(conn: Connection, documents: Mapping[Authority, set[int]]) -> dict[Authority, Years]:
    """The years that the figures of document versions, by key, speak of."""
    wanted = sorted({key for keys in documents.values() for key in keys})
    told: dict[int, set[str]] = defaultdict(set)
    for start in range(0, len(wanted), CHUNK):
        for document_key, year in conn.execute(_YEARS_TOLD, {"keys": wanted[start : start + CHUNK]}):
            told[document_key].add(year)
    return {one: frozenset().union(*(told[key] for key in keys)) for one, keys in documents.items()}


def join_years(*parts: Mapping[Authority, Years]) -> dict[Authority, Years]:
    """What any of them names; None, all years, takes the others in."""
    joined: dict[Authority, Years] = {}
    for part in parts:
        for authority, years in part.items():
            before = joined.get(authority, frozenset())
            joined[authority] = None if before is None or years is None else before | years
    return joined


def rebuild_values(
    conn: Connection, touched: Mapping[Authority, Years], check_across: CheckAcross, load_key: int
) -> tuple[Changes, Changes]:
    """Changes among chosen values, and among cross-document checks, of these authorities in these years; no other row
    is looked at. Where the region is not known nothing is chosen."""
    known = {one: years for one, years in touched.items() if one[0] != UNKNOWN and years != frozenset()}
    if not known:
        return Changes(), Changes()
    told = _Rebuild(conn, known, load_key)
    return told.values(), told.checks(check_across)


class _Rebuild:
    """Of authorities, each for the years in which something has changed for it."""

    def __init__(self, conn: Connection, touched: Mapping[Authority, Years], load_key: int) -> None:
        self.conn, self.touched, self.load_key = conn, touched, load_key
        self.checked = {one: _and_next(years) for one, years in touched.items()}
        around = {one: None if years is None else years | _shift(years, -1) for one, years in self.checked.items()}
        self.statements = read_statements(conn, around)

    def values(self) -> Changes:
        said = [one for one in self.statements if _is_among(self.touched[one.region_key, one.agency_key], one.period)]
        rows = {row["value_key"]: row for row in (value_row(one, self.load_key) for one in choose_values(said))}
        mixed = [row for row in rows.values() if row["status"] == "target" and row["chosen_by"] != "forecast"]
        if mixed:
            raise WarehouseError(f"{len(mixed)} targets were chosen as actual values; nothing was changed: report this")
        stale = _keys_of(self.conn, fact_metric_value, self.touched)
        changes = merge_rows(self.conn, fact_metric_value, rows.values(), stale)
        changes.add(delete_rows(self.conn, fact_metric_value, sorted(stale - set(rows))))
        return changes

    def checks(self, check_across: CheckAcross) -> Changes:
        by_authority: dict[Authority, list[Statement]] = defaultdict(list)
        for one in self.statements:
            by_authority[one.region_key, one.agency_key].append(one)
        members = Members()
        checks: dict[int, Row] = {}
        bridges: dict[int, Row] = {}
        for (region_key, agency_key), group in sorted(by_authority.items()):
            for check in check_across(group):
                if check.period is None:
                    raise WarehouseError(f"rule {check.rule}: a check across documents names no period; report this")
                if not _is_among(self.checked[region_key, agency_key], check.period):
                    continue
                figures = [group[i].observation_key for i in check.observations]
                subject_id = f"{region_key}/{agency_key}/{check.period}"
                subject = Subject("region_period", subject_id, NOT_APPLICABLE, region_key, agency_key)
                row = check_row(subject, check, figures, members, self.load_key)
                checks[row["check_key"]] = row
                bridges.update((link["bridge_key"], link) for link in bridge_rows(row["check_key"], figures))
        members.write(self.conn)
        return self._replace_checks(checks, bridges)

    def _replace_checks(self, checks: dict[int, Row], bridges: dict[int, Row]) -> Changes:
        stored = _keys_of(self.conn, fact_check, self.checked)
        before = sorted(stored)
        old_links: set[int] = set()
        for start in range(0, len(before), CHUNK):
            old_links.update(self.conn.execute(_LINKS, {"keys": before[start : start + CHUNK]}).scalars())
        changes = delete_rows(self.conn, bridge_check_observation, sorted(old_links - set(bridges)))
        changes.add(delete_rows(self.conn, fact_check, sorted(stored - set(checks))))
        changes.add(merge_rows(self.conn, fact_check, checks.values(), stored))
        changes.add(merge_rows(self.conn, bridge_check_observation, bridges.values(), old_links))
        return changes


YEAR = func.substr(dim_period.c.period_id, 1, 4, type_=String)


def _shift(years: frozenset[str], by: int) -> frozenset[str]:
    return frozenset(f"{int(year) + by:04}" for year in years if year.isdigit())


def _and_next(years: Years) -> Years:
    return None if years is None else years | _shift(years, 1)


def _is_among(years: Years, period: str) -> bool:
    """Whether a period begins in one of the years."""
    return years is None or period[:4] in years


_YEARS_TOLD = (
    select(fact_observation.c.document_key, YEAR)
    .distinct()
    .join(dim_period, dim_period.c.period_key == fact_observation.c.period_key)
    .where(among_given(fact_observation.c.document_key))
)
_LINKS = select(bridge_check_observation.c.bridge_key).where(among_given(bridge_check_observation.c.check_key))
_COUNTED = select(dim_document.c.document_id, dim_document.c.document_key).where(
    pairs_given(dim_document.c.region_key, dim_document.c.agency_key), dim_document.c.is_counted
)


def read_statements(conn: Connection, wanted: Mapping[Authority, Years]) -> list[Statement]:
    """Every statement of the authorities about their years in documents that count, in a fixed order: over all
    versions of a region and of a metric, under the keys of the current ones."""
    versions: dict[int, list[int]] = defaultdict(list)
    for row in fetch_by(conn, dim_region.c.current_key, sorted({region_key for region_key, _ in wanted})):
        versions[row["current_key"]].append(row["region_key"])
    named = sorted((version, agency_key) for region_key, agency_key in wanted for version in versions[region_key])
    counted: list[tuple[str, int]] = []
    for some in _parts(named):
        counted.extend(map(tuple, conn.execute(_COUNTED, {"pairs": some})))
    documents = [key for _, key in sorted(counted)]
    every = [years for years in wanted.values() if years is not None]
    is_cut = len(every) == len(wanted)
    given = {"years": sorted(frozenset().union(*every))} if is_cut else {}
    rows: list[Statement] = []
    for start in range(0, len(documents), CHUNK):
        found = conn.execute(_statements_of_documents(is_cut), {"keys": documents[start : start + CHUNK], **given})
        names = tuple(found.keys())
        for some_rows in found.partitions(AT_ONCE):
            for values in some_rows:
                row = dict(zip(names, values, strict=True))
                if _is_among(wanted[row["current_region_key"], row["agency_key"]], row["period_id"]):
                    rows.append(to_statement(row))
    return rows


@lru_cache(maxsize=2)
def _statements_of_documents(is_cut: bool) -> Select[Any]:
    """Of some `keys`; cut to `years`, or not."""
    chosen: Select[Any] = statement_query(
        among_given(dim_document.c.document_key), among_given(YEAR, "years") if is_cut else true()
    )
    return chosen


def _parts(authorities: Sequence[Authority]) -> Iterator[Sequence[Authority]]:
    for start in range(0, len(authorities), CHUNK):
        yield authorities[start : start + CHUNK]


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
        .join(dim_region, dim_region.c.region_key == doc.c.region_key)
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
    return build_statement(
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
    return build_observation(
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


def value_name(region: int, agency: int, metric: int, period: int, basis: str, scope: str, dimension: str) -> str:
    return f"{region},{agency},{metric},{period},{basis},{len(scope)},{scope},{dimension}"


def value_row(chosen: Chosen, load_key: int) -> Row:
    best = chosen.best
    region_key, agency_key, metric_key, period_key, basis, scope, dimension = chosen.group
    return {
        "value_key": key_within(region_key, "value", value_name(*chosen.group)),
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


def _keys_of(conn: Connection, table: Table, wanted: Mapping[Authority, Years]) -> set[int]:
    """Stored rows of authorities whose period begins in one of their years; of checks, those across documents."""
    found: set[int] = set()
    for some in _parts(sorted(wanted)):
        given = {"pairs": some, "keys": sorted({region_key for region_key, _ in some})}
        for key, region_key, agency_key, year in conn.execute(_stored_of(table), given):
            if _is_among(wanted.get((region_key, agency_key), frozenset()), year):
                found.add(key)
    return found


@lru_cache(maxsize=10)
def _stored_of(table: Table) -> Select[Any]:
    (key,) = table.primary_key.columns
    chosen = select(key, table.c.region_key, table.c.agency_key, YEAR).join(
        dim_period, dim_period.c.period_key == table.c.period_key
    )
    if table is not fact_check:
        return chosen.where(pairs_given(table.c.region_key, table.c.agency_key))
    # By the region alone, and with the kind as a text made of it: for the kind, which all regions have, SQLite would
    # look in an index, and for a pair of which one has no index it would read the table.
    return chosen.where(among_given(table.c.region_key), table.c.subject_kind.concat("") == "region_period")
