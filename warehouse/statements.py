"""Statements of authorities: observations of documents that count, with what choosing needs to know about them.

They are read from the warehouse; those of documents that a load has just written are built from what it holds, which
costs a fraction and gives the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, String, func, select, true

from extraction.model import Observation, build_observation
from warehouse.among import among_given, pairs_given
from warehouse.choosing import Statement, build_statement
from warehouse.columns import Row, plain, round_derived
from warehouse.dim_rows import period_key as key_of_period
from warehouse.dim_rows import unit_key
from warehouse.keys import NOT_APPLICABLE
from warehouse.periods import Period, date_key_of, parse_day, parse_period, parse_published
from warehouse.raw import ask
from warehouse.schema import dim_document, fact_observation
from warehouse.schema_dims import dim_date, dim_metric, dim_period, dim_region, dim_unit
from warehouse.upsert import CHUNK, fetch_by

Authority = tuple[int, int]
"""Region (its current version's key) and body: statements are chosen among, and checked against, those of one."""
Years = frozenset[str] | None
"""Years, `YYYY`, in which periods begin; None: all."""

AT_ONCE = 1_000
"""Rows read together."""


@dataclass(frozen=True, slots=True)
class Stated:
    """Observations of a document version as a load has written them."""

    version: Row
    """Of `dim_document`."""
    observations: Mapping[int, Observation]
    """By position."""
    keys: Mapping[int, int]
    """Of the observations, by position."""


YEAR = func.substr(dim_period.c.period_id, 1, 4, type_=String)


def is_among(years: Years, period: str) -> bool:
    """Whether a period begins in one of the years."""
    return years is None or period[:4] in years


_COUNTED = select(dim_document.c.document_id, dim_document.c.document_key).where(
    pairs_given(dim_document.c.region_key, dim_document.c.agency_key), dim_document.c.is_counted
)


def read_statements(
    conn: Connection, wanted: Mapping[Authority, Years], in_hand: Mapping[int, Stated]
) -> list[Statement]:
    """Every statement of the authorities about their years in documents that count, in a fixed order: over all
    versions of a region and of a metric, under the keys of the current ones.

    `in_hand`: what was just written, by document_key; the rest is read."""
    current: dict[int, int] = {}
    versions: dict[int, list[int]] = defaultdict(list)
    for row in fetch_by(conn, dim_region.c.current_key, sorted({region_key for region_key, _ in wanted})):
        current[row["region_key"]] = row["current_key"]
        versions[row["current_key"]].append(row["region_key"])
    named = sorted((version, agency_key) for region_key, agency_key in wanted for version in versions[region_key])
    counted: list[tuple[str, int]] = []
    for some in in_parts(named):
        counted.extend(map(tuple, ask(conn, _COUNTED, {"pairs": list(some)})))
    documents = [key for _, key in sorted(counted)]
    found = _read_stored(conn, wanted, [key for key in documents if key not in in_hand])
    written = [in_hand[key] for key in documents if key in in_hand]
    metrics = {code: (key, measure) for code, key, measure in ask(conn, _METRICS, {})} if written else {}
    for one in written:
        region_key, agency_key = current[one.version["region_key"]], one.version["agency_key"]
        statements = _build_statements(one, region_key, metrics, wanted[region_key, agency_key])
        found[one.version["document_key"]] = list(statements)
    return [one for key in documents for one in found.get(key, ())]


def _read_stored(
    conn: Connection, wanted: Mapping[Authority, Years], documents: Sequence[int]
) -> dict[int, list[Statement]]:
    """Statements by document."""
    every = [years for years in wanted.values() if years is not None]
    is_cut = len(every) == len(wanted)
    given = {"years": sorted(frozenset().union(*every))} if is_cut else {}
    stored: dict[int, list[Statement]] = defaultdict(list)
    for start in range(0, len(documents), CHUNK):
        found = conn.execute(_statements_of_documents(is_cut), {"keys": documents[start : start + CHUNK], **given})
        names = tuple(found.keys())
        for some_rows in found.partitions(AT_ONCE):
            for values in some_rows:
                row = dict(zip(names, values, strict=True))
                if is_among(wanted[row["current_region_key"], row["agency_key"]], row["period_id"]):
                    stored[row["document_key"]].append(to_statement(row))
    return stored


_METRICS = select(dim_metric.c.metric_code, dim_metric.c.metric_key, dim_metric.c.measure).where(
    dim_metric.c.is_current
)


def _build_statements(
    stated: Stated, region_key: int, metrics: Mapping[str, tuple[int, str]], years: Years
) -> Iterator[Statement]:
    """What reading the observations of a document back would give, in their order."""
    version = stated.version
    document_key, document_id, agency_key = version["document_key"], version["document_id"], version["agency_key"]
    published, published_date_key = parse_published(version["published_at"]), version["published_date_key"]
    for i, seen in stated.observations.items():
        if seen.value is None or not is_among(years, seen.period):
            continue
        observation = _as_stored(seen)
        assert observation.value is not None
        metric_key, measure = metrics[seen.metric]
        period_key, period = _period(seen.period)
        as_of = None if seen.as_of is None else parse_day(seen.as_of)
        yield build_statement(
            observation_key=stated.keys[i],
            document_key=document_key,
            document_id=document_id,
            region_key=region_key,
            agency_key=agency_key,
            metric=seen.metric,
            metric_key=metric_key,
            measure=measure,
            unit=seen.unit,
            unit_key=unit_key(seen.unit),
            period=seen.period,
            period_key=period_key,
            period_year=period.end.year,
            period_end=period.end,
            as_of=as_of,
            as_of_date_key=NOT_APPLICABLE if as_of is None else date_key_of(as_of),
            published=published,
            published_date_key=published_date_key,
            report_year=version["report_year"],
            is_part=seen.breakdown_of is not None,
            value=observation.value,
            stated=observation,
        )


@lru_cache(maxsize=1_000)
def _period(text: str) -> tuple[int, Period]:
    period = parse_period(text)
    assert period is not None, "the data tests have let no other period pass"
    return key_of_period(text), period


def _as_stored(seen: Observation) -> Observation:
    """See `_observation`."""
    keep = _derived if seen.is_derived else _quantity
    return build_observation(
        metric=seen.metric,
        start=seen.start,
        end=seen.end,
        text=seen.text,
        value=keep(seen.value),
        unit=seen.unit,
        unit_zh=seen.unit_zh,
        period=seen.period,
        status=seen.status,
        qualifier=seen.qualifier,
        quote=seen.quote,
        quote_start=seen.quote_start,
        value_low=keep(seen.value_low),
        value_high=keep(seen.value_high),
        as_of=seen.as_of,
        scope=seen.scope or None,
        dimension=seen.dimension or None,
        breakdown_of=None if seen.breakdown_of is None else 0,
        share_percent=keep(seen.share_percent),
        share_of=seen.share_of,
        yoy_percent=keep(seen.yoy_percent),
        yoy_text=seen.yoy_text,
        yoy_change=keep(seen.yoy_change),
        is_derived=seen.is_derived,
        damaged=seen.damaged,
        evidence=seen.evidence,
    )


def _quantity(value: Decimal | None) -> Decimal | None:
    return None if value is None else _plain(value)


def _derived(value: Decimal | None) -> Decimal | None:
    return _quantity(round_derived(value))


_plain = lru_cache(maxsize=20_000)(plain)


@lru_cache(maxsize=2)
def _statements_of_documents(is_cut: bool) -> Select[Any]:
    """Of some `keys`; cut to `years`, or not."""
    chosen: Select[Any] = statement_query(
        among_given(dim_document.c.document_key), among_given(YEAR, "years") if is_cut else true()
    )
    return chosen


def in_parts(authorities: Sequence[Authority]) -> Iterator[Sequence[Authority]]:
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
