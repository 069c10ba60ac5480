"""Typed Parquet from a select: the schema comes from the columns' types, never from the values."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import BigInteger, Boolean, Connection, Date, Integer, LargeBinary, Select, String
from sqlalchemy.types import TypeEngine

from warehouse.columns import PLACES, Quantity, UtcDateTime
from warehouse.fingerprint import stream

ROWS = 50_000
"""Rows in a row group."""

TYPES: tuple[tuple[type[TypeEngine[Any]] | type[Quantity] | type[UtcDateTime], pa.DataType], ...] = (
    (Quantity, pa.decimal128(24, PLACES)),
    (UtcDateTime, pa.timestamp("us", tz="UTC")),
    (Boolean, pa.bool_()),
    (Date, pa.date32()),
    (BigInteger, pa.int64()),
    (Integer, pa.int32()),
    (String, pa.string()),
    (LargeBinary, pa.binary()),
)
"""The first that fits; narrower types stand before the wider ones."""


def arrow_schema(query: Select[Any]) -> pa.Schema:
    """One field per column of the select."""
    return pa.schema([pa.field(column.name, arrow_type(column.type)) for column in query.selected_columns])


def arrow_type(kind: TypeEngine[Any]) -> pa.DataType:
    for known, arrow in TYPES:
        if isinstance(kind, known):
            return arrow
    raise TypeError(f"no Parquet type for {kind!r}")


def write_query(conn: Connection, query: Select[Any], path: Path) -> int:
    """Write the rows of a select; gives their number. The same rows give the same bytes."""
    schema = arrow_schema(query)
    return write_rows((tuple(row) for row in stream(conn, query)), schema, path)


def write_rows(rows: Iterator[tuple[Any, ...]], schema: pa.Schema, path: Path) -> int:
    total = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        while group := list(islice(rows, ROWS)):
            columns = [
                pa.array(column, kind) for column, kind in zip(zip(*group, strict=True), schema.types, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
            total += len(group)
    return total


def count_readable(path: Path, schema: pa.Schema) -> int:
    """Rows that can be read back with the schema that was meant; -1 where the schema differs."""
    with pq.ParquetFile(path) as file:
        if not file.schema_arrow.equals(schema):
            return -1
        return sum(batch.num_rows for batch in file.iter_batches())
