"""Typed Parquet: the schema comes from the columns' types, never from the values; the same rows, the same bytes."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv
from sqlalchemy import BigInteger, Boolean, Connection, Date, Integer, LargeBinary, Select, String
from sqlalchemy.types import TypeEngine

from warehouse.arrow_columns import read_column
from warehouse.bulk import told_by
from warehouse.columns import PLACES, Quantity, UtcDateTime
from warehouse.raw import fetch_raw

ROWS = 50_000
"""Rows in a row group."""

TEXTS = 500
"""Texts in a row group: one is found by its key without reading thousands of others."""

JOINED = 2_000
"""Rows of COPY joined into one piece."""

BLOCK = 4 << 20
"""Bytes of CSV that are read together; a text is at most a few hundred kB."""

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


@dataclass(frozen=True, slots=True)
class Written:
    rows: int
    content: str
    """Hash of the rows, but for the columns that were left out."""


def arrow_schema(query: Select[Any]) -> pa.Schema:
    """One field per column of the select."""
    return pa.schema([pa.field(column.name, arrow_type(column.type)) for column in query.selected_columns])


def arrow_type(kind: TypeEngine[Any]) -> pa.DataType:
    for known, arrow in TYPES:
        if isinstance(kind, known):
            return arrow
    raise TypeError(f"no Parquet type for {kind!r}")


def write_rows(rows: Iterable[Any], schema: pa.Schema, path: Path, unhashed: Iterable[str] = ()) -> Written:
    """Write rows as tuples in the schema's order."""
    return _write(_groups_of_rows(iter(rows), schema), schema, path, unhashed)


def write_batches(
    batches: Iterable[pa.RecordBatch], schema: pa.Schema, path: Path, unhashed: Iterable[str] = ()
) -> Written:
    """Write record batches whose columns can be cast to the schema's."""
    return _write(_groups_of_batches(batches, schema), schema, path, unhashed)


def read_copied(conn: Connection, selected: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The rows of a select on PostgreSQL, by COPY and Arrow's own reader: no row becomes a Python object, which is some
    ten times faster. A field without quotes is NULL where it is empty, as COPY writes it."""
    driver: Any = conn.connection.driver_connection
    statement = f"COPY ({selected}) TO STDOUT (FORMAT csv)"
    with told_by(conn, statement), driver.cursor() as cursor, cursor.copy(statement) as copy:
        source = _Copied(iter(copy))
        if not source.is_empty():
            yield from csv.open_csv(
                pa.PythonFile(source, mode="r"),
                csv.ReadOptions(column_names=schema.names, block_size=BLOCK, use_threads=False),
                csv.ParseOptions(newlines_in_values=True),
                csv.ConvertOptions(
                    column_types=schema, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False,
                    true_values=["t"], false_values=["f"],
                ),
            )  # fmt: skip


def read_raw(conn: Connection, selected: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The rows of a select on SQLite, turned into Arrow's types column by column."""
    for rows in fetch_raw(conn, selected, ROWS, texts=bytes):
        columns = zip(zip(*rows, strict=True), schema.types, strict=True)
        yield pa.RecordBatch.from_arrays([read_column(values, kind) for values, kind in columns], schema=schema)


class _Copied(io.RawIOBase):
    """What COPY sends, as a file. It comes row by row: some thousands are joined at a time."""

    def __init__(self, rows: Iterator[memoryview]) -> None:
        self._rows = rows
        self._rest = memoryview(b"")

    def is_empty(self) -> bool:
        """Nothing is left to read."""
        if not self._rest:
            self._rest = memoryview(b"".join(islice(self._rows, JOINED)))
        return not self._rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fills the buffer where there is enough: Arrow asks for whole blocks."""
        room, filled = memoryview(buffer), 0
        while filled < len(room) and not self.is_empty():
            some = self._rest[: len(room) - filled]
            room[filled : filled + len(some)] = some
            self._rest = self._rest[len(some) :]
            filled += len(some)
        return filled


def count_readable(path: Path, schema: pa.Schema) -> int:
    """Rows that can be read back with the schema that was meant; -1 where the schema differs."""
    with pq.ParquetFile(path) as file:
        if not file.schema_arrow.equals(schema):
            return -1
        return sum(batch.num_rows for batch in file.iter_batches(use_threads=False))


def _write(groups: Iterator[pa.Table], schema: pa.Schema, path: Path, unhashed: Iterable[str]) -> Written:
    hashed = [name for name in schema.names if name not in set(unhashed)]
    digest, total = hashlib.sha256(), 0
    size = TEXTS if "text" in schema.names else ROWS
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for group in groups:
            writer.write_table(group, row_group_size=size)
            for batch in group.select(hashed).to_batches():
                digest.update(batch.serialize())
            total += group.num_rows
    return Written(total, digest.hexdigest())


def _groups_of_rows(rows: Iterator[Any], schema: pa.Schema) -> Iterator[pa.Table]:
    while group := list(islice(rows, ROWS)):
        columns = [pa.array(column, kind) for column, kind in zip(zip(*group, strict=True), schema.types, strict=True)]
        yield pa.Table.from_arrays(columns, schema=schema)


def _groups_of_batches(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    """However the batches were cut, the groups are full but for the last."""
    held: list[pa.Table] = []
    n_held = 0
    for batch in batches:
        held.append(pa.Table.from_batches([batch]).cast(schema))
        n_held += batch.num_rows
        while n_held >= ROWS:
            whole = pa.concat_tables(held)
            yield whole.slice(0, ROWS).combine_chunks()
            held, n_held = [whole.slice(ROWS)], n_held - ROWS
    if n_held:
        yield pa.concat_tables(held).combine_chunks()
