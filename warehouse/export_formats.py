"""The formats of an export: typed Parquet, CSV that a spreadsheet cannot be harmed by, and one Excel workbook."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import duckdb

from warehouse.cells import plain_cell
from warehouse.errors import WarehouseError
from warehouse.export_tables import ExportTable
from warehouse.parquet import write_batches, write_rows
from warehouse.release_marts import read_batches
from warehouse.xlsx import CellTooLong, Sheet, write_workbook

Format = Literal["parquet", "csv", "xlsx"]
Rows = list[tuple[str, ...]]
Written = list[tuple[str, str, int]]
"""Table, file, rows."""

WORKBOOK = "fazhi.xlsx"


def write_parquet(
    duck: duckdb.DuckDBPyConnection, folder: Path, tables: Iterable[ExportTable], dictionary: Rows
) -> Written:
    written = []
    for table in tables:
        path = folder / f"{table.name}.parquet"
        if table.source:
            done = write_batches(read_batches(duck, table.sql), table.schema, path)
        else:
            done = write_rows(dictionary, table.schema, path)
        written.append((table.name, path.name, done.rows))
    return written


def write_csv(
    duck: duckdb.DuckDBPyConnection, folder: Path, tables: Iterable[ExportTable], dictionary: Rows
) -> Written:
    """UTF-8 with the mark that Excel asks for; numbers are written bare, dates as YYYY-MM-DD."""
    written = []
    for table in tables:
        path = folder / f"{table.name}.csv"
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            out = csv.writer(file)
            out.writerow([column.name for column in table.columns])
            rows = 0
            for row in _rows(duck, table, dictionary):
                out.writerow([plain_cell(value) for value in row])
                rows += 1
        written.append((table.name, path.name, rows))
    return written


def write_xlsx(
    duck: duckdb.DuckDBPyConnection, folder: Path, tables: Iterable[ExportTable], dictionary: Rows
) -> Written:
    """One workbook with a sheet per table (more where one is too long for Excel)."""
    counts: dict[str, int] = {}

    def counted(table: ExportTable) -> Iterator[Sequence[object]]:
        counts[table.name] = 0
        for row in _rows(duck, table, dictionary):
            counts[table.name] += 1
            yield row

    sheets = [
        Sheet(
            f"{table.zh} {table.name}",
            [f"{column.zh}\n{column.en}" for column in table.columns],
            [column.width for column in table.columns],
            counted(table),
        )
        for table in tables
    ]
    try:
        write_workbook(folder / WORKBOOK, sheets)
    except CellTooLong as error:
        raise WarehouseError(f"export {WORKBOOK}: {error}") from error
    return [(name, WORKBOOK, rows) for name, rows in counts.items()]


def _rows(duck: duckdb.DuckDBPyConnection, table: ExportTable, dictionary: Rows) -> Iterator[tuple[Any, ...]]:
    if not table.source:
        yield from dictionary
        return
    result = duck.execute(table.sql)
    while some := result.fetchmany(2000):
        yield from some


WRITERS: dict[Format, Callable[[duckdb.DuckDBPyConnection, Path, Iterable[ExportTable], Rows], Written]] = {
    "parquet": write_parquet,
    "csv": write_csv,
    "xlsx": write_xlsx,
}
