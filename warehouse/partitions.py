"""How a release cuts its big tables into files, and what says that a file would come out as it did before.

A part is a year, from some size on a year and one of the great regions (first digit of the GB/T 2260 code: 1 north,
2 north-east, 3 east, 4 central and south, 5 south-west, 6 north-west). Documents and what they state lie in the part
of their report's year, chosen values in that of their period. Documents are read whole (they are few beside their
figures) and hashed; the facts of a document version are fixed by its row, its progress and the versions of the
metrics. Chosen values and checks across documents are counted with the loads that last changed them, grouped by the
engine itself. So a part's state is known without reading its facts.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Select, Table, func, select

from warehouse.fingerprint import published, stream
from warehouse.keys import NOT_APPLICABLE
from warehouse.schema import dim_document, document_text, fact_check, fact_document_progress, fact_metric_value
from warehouse.schema_dims import dim_agency, dim_metric, dim_period, dim_region, dim_unit

FORMAT = "2"
"""Change it when the same rows are to be written otherwise: nothing is then taken over from older releases."""

WHOLE_UP_TO, YEARS_UP_TO = 3_000, 30_000
"""Documents up to which a table is one file, and up to which a year is one file."""

UNDATED = "undated"
"""Comes after the years: engines take the first of a table's files for a sample of all."""

_LOADS = 2_147_483_647
"""Loads are summed modulo this prime: a sum of 63-bit keys would overflow."""


@dataclass(slots=True)
class Part:
    """One part: what lies in it, and the states of its documents, checks and values."""

    name: str
    """Empty where the table is one file."""
    documents: list[int] = field(default_factory=list)
    parsed: list[int] = field(default_factory=list)
    """Those of the documents that figures were read from: facts belong to no other."""
    texts: list[int] = field(default_factory=list)
    """Texts of reports."""
    authorities: set[tuple[int, int]] = field(default_factory=set)
    """(region_key, period_key) of its chosen values."""
    checked: set[tuple[int, int]] = field(default_factory=set)
    """(region_key, period_key) of its checks across documents."""
    stated_in: set[str] = field(default_factory=set)
    """Parts that hold the documents of its chosen values."""
    document_state: Any = field(default_factory=hashlib.sha256)
    value_state: Any = field(default_factory=hashlib.sha256)
    check_state: Any = field(default_factory=hashlib.sha256)


class Plan:
    """The parts of the published state."""

    def __init__(self, conn: Connection) -> None:
        self.n_documents = conn.execute(select(func.count()).select_from(dim_document)).scalar_one()
        self._parts: dict[str, Part] = {}
        regions = conn.execute(select(dim_region.c.region_key, dim_region.c.region_code))
        self._great = {key: code[0] if code[:1].isdigit() else "0" for key, code in regions}
        periods = conn.execute(select(dim_period.c.period_key, dim_period.c.year))
        self._years = {row.period_key: row.year for row in periods}
        self._documents: dict[int, tuple[str, bytes]] = {}
        self._read_documents(conn)
        self._read_values(conn)
        self._read_checks(conn)

    def parts(self) -> list[Part]:
        return [self._parts[name] for name in sorted(self._parts)]

    def _part(self, year: int | None, region_key: int) -> Part:
        if self.n_documents <= WHOLE_UP_TO:
            name = ""
        else:
            name = f"{year:04d}" if year else UNDATED
            if self.n_documents > YEARS_UP_TO:
                name += f"-{self._great[region_key]}"
        return self._parts.setdefault(name, Part(name))

    def _read_documents(self, conn: Connection) -> None:
        versions = _digest(_metric_versions(conn))
        texts: set[int] = set()
        for row in stream(conn, _documents()):
            year = row.report_year or max(row.published_date_key, 0) // 10000
            part = self._part(year, row.region_key)
            if not part.documents:
                part.document_state.update(versions)
            mark = _digest([row])
            part.document_state.update(mark)
            part.documents.append(row.document_key)
            if row.is_parsed:
                part.parsed.append(row.document_key)
            self._documents[row.document_key] = (part.name, mark[:8])
            if row.is_report and row.text_key not in texts:
                texts.add(row.text_key)
                part.texts.append(row.text_key)

    def _read_values(self, conn: Connection) -> None:
        """A value shows names and its document's particulars too, so these belong to its state."""
        value = fact_metric_value.c
        names = _digest(row for table in (dim_metric, dim_unit) for row in stream(conn, published(table)))
        places = self._places(conn)
        for row in stream(conn, _grouped(fact_metric_value, value.region_key, value.period_key, value.document_key)):
            part = self._part(self._years[row.period_key], row.region_key)
            if not part.authorities:
                part.value_state.update(names + places[self._great[row.region_key] if "-" in part.name else ""])
            stated_in, mark = self._documents[row.document_key]
            part.value_state.update(_digest([row]) + mark)
            part.stated_in.add(stated_in)
            part.authorities.add((row.region_key, row.period_key))

    def _read_checks(self, conn: Connection) -> None:
        check = fact_check.c
        across = _grouped(fact_check, check.region_key, check.period_key).where(check.document_key == NOT_APPLICABLE)
        for row in stream(conn, across):
            part = self._part(self._years[row.period_key], row.region_key)
            part.check_state.update(_digest([row]))
            part.checked.add((row.region_key, row.period_key))

    def _places(self, conn: Connection) -> dict[str, bytes]:
        """Names of regions and agencies, hashed per great region and (under the empty name) together."""
        told: dict[str, list[Any]] = defaultdict(list)
        for table in (dim_region, dim_agency):
            for row in stream(conn, published(table)):
                told[self._great[row.region_key]].append(row)
                told[""].append(row)
        return {great: _digest(rows) for great, rows in told.items()}


def _documents() -> Select[Any]:
    """All that decides what is written of a document version, but for its facts."""
    progress = [column for column in fact_document_progress.columns if column.name != "document_key"]
    joined = dim_document.join(document_text, document_text.c.text_key == dim_document.c.text_key).outerjoin(
        fact_document_progress, fact_document_progress.c.document_key == dim_document.c.document_key
    )
    columns = [column.label(f"progress_{column.name}") for column in progress]
    return (
        select(dim_document, document_text.c.text_origin, *columns)
        .select_from(joined)
        .order_by(dim_document.c.document_key)
    )


def _grouped(table: Table, *columns: Any) -> Select[Any]:
    """Rows per group, and the loads that last changed them."""
    loads = func.sum(table.c.load_key % _LOADS)
    return select(*columns, func.count().label("n_rows"), loads.label("loads")).group_by(*columns).order_by(*columns)


def _metric_versions(conn: Connection) -> Iterator[Any]:
    """Metrics with more than one version: another cut moves observations from one version to another."""
    names = (dim_metric.c.metric_key, dim_metric.c.current_key, dim_metric.c.valid_from, dim_metric.c.valid_to)
    several = select(dim_metric.c.current_key).where(dim_metric.c.version_no > 1)
    return stream(conn, select(*names).where(dim_metric.c.current_key.in_(several)).order_by(dim_metric.c.metric_key))


def _digest(rows: Iterable[Any]) -> bytes:
    digest = hashlib.sha256()
    for row in rows:
        digest.update(repr(tuple(row)).encode())
    return digest.digest()
