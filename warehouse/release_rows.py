"""Rows of a release's tables out of the warehouse, part by part.

Small parts that follow each other are asked for together: a question costs as much for one report as for a hundred.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, Select, Table, func, select

from warehouse.arrow_columns import numbers
from warehouse.fingerprint import published
from warehouse.keys import NOT_APPLICABLE
from warehouse.parquet import read_copied, read_raw
from warehouse.partitions import Part
from warehouse.raw import spell
from warehouse.schema import (
    bridge_check_observation,
    dim_document,
    document_text,
    fact_check,
    fact_document_progress,
    fact_mention,
    fact_metric_value,
    fact_observation,
)

OF_DOCUMENTS = (dim_document, document_text, fact_observation, fact_mention, fact_document_progress)
OF_CHECKS = (fact_check, bridge_check_observation)
CHUNK = 500
TOGETHER = 200
"""Documents or texts of several parts that are asked for together: some ten thousand figures."""


class Reader:
    """Reads a table's rows of parts that are asked for in their order."""

    def __init__(self, conn: Connection, table: Table, schema: pa.Schema, parts: Sequence[Part]) -> None:
        """`parts`: those that will be asked for."""
        self.conn, self.table, self.schema = conn, table, schema
        self._start = spell(conn, released(table).order_by(None))
        self._left = list(parts)
        self._ready: dict[str, list[pa.RecordBatch]] = {}

    def read(self, part: Part) -> Iterator[pa.RecordBatch]:
        """The rows of one part, in a fixed order."""
        if part.name not in self._ready:
            self._read_together(part)
        if part.name in self._ready:
            yield from self._ready.pop(part.name)
        elif self.table is not fact_metric_value:
            for keys in _some(_keys_of(self.table, part)):
                yield from self._select(*_of_keys(self.table, keys))
        for where, order in _of_pairs(self.table, part):
            yield from self._select(where, order)

    def _read_together(self, part: Part) -> None:
        """The rows of a part and of those after it, as far as they are few."""
        owner = _OWNER.get(self.table)
        group: dict[int, str] = {}
        while self._left and self._left[0].name != part.name:
            self._left.pop(0)
        for one in self._left:
            keys = _keys_of(self.table, one)
            if owner is None or len(group) + len(keys) > TOGETHER:
                break
            group |= dict.fromkeys(keys, one.name)
        if len(set(group.values())) < 2:
            return
        found: dict[str, list[pa.RecordBatch]] = {name: [] for name in group.values()}
        for batch in self._select(*_of_keys(self.table, sorted(group))):
            places: dict[str, list[int]] = {}
            for i, key in enumerate(batch[owner].to_pylist()):
                places.setdefault(group[key], []).append(i)
            for name, rows in places.items():
                found[name].append(batch.take(numbers(rows, pa.int64())))
        self._ready = found

    def _select(self, where: str, order: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Spelled here: SQLAlchemy takes longer for the keys than the engine for the rows."""
        (key,) = self.table.primary_key
        joint = "AND" if self.table is document_text else "WHERE"
        columns = ", ".join(f"{self.table.name}.{name}" for name in (*order, key.name))
        read = read_copied if self.conn.dialect.name == "postgresql" else read_raw
        return read(self.conn, f"{self._start} {joint} {where} ORDER BY {columns}", self.schema)


_OWNER = {table: "text_key" if table is document_text else "document_key" for table in (*OF_DOCUMENTS, fact_check)}
"""The column by which rows belong to a part."""


def _keys_of(table: Table, part: Part) -> list[int]:
    """Of the documents, or texts, in which a part's rows are, in order."""
    if table is document_text:
        return sorted(part.texts)
    if table is dim_document:
        return part.documents
    return [key for key in (part.documents if table is fact_document_progress else part.parsed) if key >= 0]


def _of_keys(table: Table, keys: Sequence[int]) -> tuple[str, Sequence[str]]:
    """What chooses the rows of documents, or texts, and orders them."""
    told = ", ".join(map(str, keys))
    if table is document_text:
        return f"{table.name}.text_key IN ({told})", ()
    if table is bridge_check_observation:
        return f"{table.name}.check_key IN (SELECT check_key FROM fact_check WHERE document_key IN ({told}))", ()
    return f"{table.name}.document_key IN ({told})", ("document_key",)


def _of_pairs(table: Table, part: Part) -> Iterator[tuple[str, Sequence[str]]]:
    """The same for rows that belong to no document: values, and checks across documents."""
    if table is fact_metric_value:
        for pairs in _some(sorted(part.authorities)):
            yield f"({table.name}.region_key, {table.name}.period_key) IN ({_spell_pairs(pairs)})", (
                "region_key", "metric_key",
            )  # fmt: skip
    elif table in OF_CHECKS:
        for pairs in _some(sorted(part.checked)):
            across = f"document_key = {NOT_APPLICABLE} AND (region_key, period_key) IN ({_spell_pairs(pairs)})"
            of_bridge = f"{table.name}.check_key IN (SELECT check_key FROM fact_check WHERE {across})"
            yield (of_bridge if table is bridge_check_observation else across), ()


def _spell_pairs(pairs: Sequence[tuple[int, int]]) -> str:
    return "VALUES " + ", ".join(f"({first}, {second})" for first, second in pairs)


def _some(keys: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(keys), CHUNK):
        yield keys[start : start + CHUNK]


def released(table: Table) -> Select[Any]:
    """The rows of a table that a release carries. Texts of notices are left out. Texts and what stands in them tell
    their report's year, so that a question about one year opens the files of that year only."""
    if table in (fact_observation, fact_mention):
        joined = table.join(dim_document, dim_document.c.document_key == table.c.document_key)
        return select(*table.columns, dim_document.c.report_year).select_from(joined).order_by(*table.primary_key)
    if table is not document_text:
        return published(table)
    text = document_text.c
    reports = select(dim_document.c.text_key).where(dim_document.c.is_report)
    year = select(func.max(dim_document.c.report_year)).where(dim_document.c.text_key == text.text_key)
    names = (text.text_key, text.document_id, year.scalar_subquery().label("report_year"), text.text_hash)
    chosen = select(*names, text.text_origin, text.text)
    return chosen.where(text.text_key.in_(reports)).order_by(text.text_key)
