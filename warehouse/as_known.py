"""Chosen values as they were known on a day: the same rule over what was published by then.

A document version counts on a day when it held at the day's end, in China: from its publication (or, where none is
stated, from when it was first seen) until its next version was seen. Of several addresses that carried one text on
that day, one counts, as it does today; what is no report today has not been one. So a text that was put right later
still gives its old figures for the days before, and a report of last year that is found tonight counts from the day
on which it was published.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Connection, Select, and_, func, or_, select, true

from warehouse.choosing import Chosen, choose_values
from warehouse.periods import CHINA, date_key_of
from warehouse.schema import dim_document
from warehouse.schema_dims import dim_metric, dim_region
from warehouse.statements import statement_query, to_statement

REGIONS_AT_ONCE = 50
"""A region's statements of all years are chosen among together; few regions at a time keep memory flat."""


def chosen_as_known(
    conn: Connection, day: date, regions: Collection[str] | None = None, metrics: Collection[str] | None = None
) -> Iterator[Chosen]:
    """Values chosen among what was known at the end of a day, by region code, then in the order of their groups.

    `regions` and `metrics` are codes; None means all, codes that the warehouse does not know give nothing. On the day
    of the last load, or later, and where no document is dated ahead, these are the values of `fact_metric_value`."""
    known = set(conn.execute(_known_versions(day)).scalars())
    asked = true() if metrics is None else dim_metric.c.metric_code.in_(sorted(metrics))
    keys = _regions_with_figures(conn, regions)
    for start in range(0, len(keys), REGIONS_AT_ONCE):
        some = keys[start : start + REGIONS_AT_ONCE]
        chosen = statement_query(dim_region.c.current_key.in_(some), asked)
        rows = conn.execute(chosen).mappings()
        found = choose_values(to_statement(row) for row in rows if row["document_key"] in known)
        place = {key: i for i, key in enumerate(some)}
        yield from sorted(found, key=lambda one: (place[one.group[0]], one.group[1:]))


def _known_versions(day: date) -> Select[tuple[int]]:
    """Keys of the document versions that count on a day."""
    doc = dim_document.c
    end = datetime.combine(day + timedelta(days=1), time(), CHINA).astimezone(UTC)
    is_published = or_(doc.published_date_key < 0, doc.published_date_key <= date_key_of(day))
    holds = and_(doc.valid_from < end, or_(doc.valid_to.is_(None), doc.valid_to >= end))
    order = func.row_number().over(partition_by=doc.text_hash, order_by=(doc.is_report.desc(), doc.document_id))
    known = (
        select(doc.document_key, doc.is_report, order.label("place"))
        .where(doc.document_key >= 0, is_published, holds)
        .subquery("known")
    )
    return select(known.c.document_key).where(known.c.place == 1, known.c.is_report)


def _regions_with_figures(conn: Connection, regions: Collection[str] | None) -> list[int]:
    """Current keys in the order of their codes."""
    version = dim_region.alias("version")
    has_figures = (
        select(dim_document.c.region_key)
        .join(version, version.c.region_key == dim_document.c.region_key)
        .where(version.c.current_key == dim_region.c.region_key, dim_document.c.is_parsed)
        .exists()
    )
    chosen = select(dim_region.c.region_key).where(dim_region.c.is_current, has_figures)
    if regions is not None:
        chosen = chosen.where(dim_region.c.region_code.in_(sorted(regions)))
    return list(conn.execute(chosen.order_by(dim_region.c.region_code)).scalars())
