"""The marts of a release in DuckDB's words: the selects of `warehouse.marts` over the release's own files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from sqlalchemy import Select
from sqlalchemy.dialects import postgresql

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


def wide_sql(section: str, codes: list[str]) -> str:
    """Authorities and years down, the section's metrics across."""
    cells = ", ".join(f'max(value_num) FILTER (WHERE metric_code = {quoted(code)}) AS "{code}"' for code in codes)
    head = ", ".join((*_PLACE, "year"))
    classes = ", ".join(map(quoted, WHOLE_PERIOD))
    return (
        f"SELECT {head}, {cells} FROM {REGION_YEAR} WHERE section = {quoted(section)} AND basis = 'period' "
        f"AND scope = '' AND dimension = '' AND chosen_by IN ({classes}) AND period_id = CAST(year AS VARCHAR) "
        f"GROUP BY {head} ORDER BY {', '.join(f'{name} NULLS FIRST' for name in (*_PLACE, 'year'))}"
    )


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
