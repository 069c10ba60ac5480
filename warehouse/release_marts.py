"""The marts of a release in DuckDB's words: the selects of `warehouse.marts` over the release's own files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Select
from sqlalchemy.dialects import postgresql

from warehouse.arrow_columns import numbers
from warehouse.columns import PLACES
from warehouse.parquet import ROWS
from warehouse.release_read import name_files, quoted

REGION_YEAR = "mart_region_year"
WHOLE_PERIOD = ("final", "later_report")
"""What a wide table shows: a part-year figure never stands for a year."""
WIDE = "One row per authority and year, one column per metric; empty where no whole-period figure is known."
_PLACE = ("region_code", "province_zh", "city_zh", "region_zh", "agency_zh")


def mart_sql(query: Select[Any]) -> str:
    """A select of the marts in DuckDB's words, which are PostgreSQL's."""
    return str(query.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}))  # type: ignore[no-untyped-call]


def read_batches(duck: duckdb.DuckDBPyConnection, sql: str) -> Iterator[pa.RecordBatch]:
    yield from duck.sql(sql).to_arrow_reader(ROWS)


def read_sections(duck: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """The metrics of every section of the catalogue."""
    rows = duck.execute(
        "SELECT section, list(metric_code ORDER BY metric_code) FROM dim_metric "
        "WHERE metric_key >= 0 AND is_current GROUP BY section ORDER BY section"
    ).fetchall()
    return dict(rows)


def wide_schema(codes: list[str]) -> pa.Schema:
    head = [pa.field(name, pa.string()) for name in _PLACE] + [pa.field("year", pa.int32())]
    return pa.schema(head + [pa.field(code, pa.decimal128(24, PLACES)) for code in codes])


def long_sql() -> str:
    """What stands in the wide tables: a cell a row, by section, and within one by the line that it stands in."""
    head = ", ".join((*_PLACE, "year"))
    classes = ", ".join(map(quoted, WHOLE_PERIOD))
    order = ", ".join(f"{name} NULLS FIRST" for name in (*_PLACE, "year"))
    return (
        f"SELECT section, dense_rank() OVER (PARTITION BY section ORDER BY {order}) - 1 AS line, {head}, metric_code, "
        f"max(value_num) AS value_num FROM {REGION_YEAR} WHERE basis = 'period' AND scope = '' AND dimension = '' "
        f"AND chosen_by IN ({classes}) AND period_id = CAST(year AS VARCHAR) "
        f"GROUP BY section, {head}, metric_code ORDER BY section, line"
    )


class WideTables:
    """The wide tables of one part: authorities and years down, a section's metrics across. One question gives the cells
    of all, asked when the first table is wanted: each costs DuckDB as much, and there are a dozen sections."""

    def __init__(self, duck: duckdb.DuckDBPyConnection) -> None:
        self.sql = long_sql()
        self._sections = _read_by_section(read_batches(duck, self.sql))
        self._next: tuple[str, pa.Table] | None = None
        self._is_begun = False

    def read(self, section: str, codes: list[str]) -> Iterator[pa.RecordBatch]:
        """Of one section; sections are asked for in their order, and some may be passed over."""
        while not self._is_begun or (self._next is not None and self._next[0] < section):
            self._next, self._is_begun = next(self._sections, None), True
        if self._next is not None and self._next[0] == section:
            yield from _widen(self._next[1], codes).to_batches()


def _read_by_section(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[str, pa.Table]]:
    """The cells of a section together; rows come sorted by it."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        runs = pc.run_end_encode(batch["section"])
        start = 0
        for end in runs.run_ends.to_pylist():
            some = batch.slice(start, end - start)
            if held and held[0]["section"][0] != some["section"][0]:
                yield held[0]["section"][0].as_py(), pa.Table.from_batches(held)
                held = []
            held.append(some)
            start = end
    if held:
        yield held[0]["section"][0].as_py(), pa.Table.from_batches(held)


def _widen(cells: pa.Table, codes: list[str]) -> pa.Table:
    """A line for each authority and year, a column for each code; empty where there is no cell."""
    lines = cells["line"].to_pylist()
    firsts: list[int] = []
    places: dict[str, list[int | None]] = {code: [None] * (lines[-1] + 1) for code in codes}
    for i, (line, code) in enumerate(zip(lines, cells["metric_code"].to_pylist(), strict=True)):
        if line == len(firsts):
            firsts.append(i)
        places[code][line] = i
    values = cells["value_num"].combine_chunks()
    head = cells.select((*_PLACE, "year")).take(numbers(firsts, pa.int64()))
    across = [values.take(numbers(places[code], pa.int64())) for code in codes]
    return pa.Table.from_arrays([*head.columns, *across], names=[*head.column_names, *codes])


@contextmanager
def narrowed(
    duck: duckdb.DuckDBPyConnection, files: Mapping[str, list[Path]], all_files: Mapping[str, list[Path]]
) -> Iterator[None]:
    """For a while, tables hold some of their files only."""
    for name, paths in files.items():
        name_files(duck, name, paths or all_files[name])
    try:
        yield
    finally:
        for name in files:
            name_files(duck, name, all_files[name])
