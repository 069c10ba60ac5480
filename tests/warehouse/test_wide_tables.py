"""The wide tables of a release beside what DuckDB itself makes of the same cells."""

from __future__ import annotations

import random

import duckdb
import pyarrow as pa

from warehouse import release_marts
from warehouse.release_marts import WideTables, wide_schema

SECTIONS = {"a_first": ["x", "y"], "b_empty": ["u"], "c_last": ["z", "never"]}
HEAD = "region_code, province_zh, city_zh, region_zh, agency_zh, year"


def made(n: int) -> duckdb.DuckDBPyConnection:
    """Cells of two sections: places without a city or an agency, lines of which some cells are missing, figures that
    the wide tables leave out."""
    chosen, duck = random.Random(7), duckdb.connect()
    duck.execute(
        "CREATE TABLE mart_region_year (section VARCHAR, region_code VARCHAR, province_zh VARCHAR, city_zh VARCHAR, "
        "region_zh VARCHAR, agency_zh VARCHAR, year INTEGER, period_id VARCHAR, metric_code VARCHAR, basis VARCHAR, "
        "scope VARCHAR, dimension VARCHAR, chosen_by VARCHAR, value_num DECIMAL(24,6))"
    )
    rows = []
    for i in range(n):
        section, code = chosen.choice([("a_first", "x"), ("a_first", "y"), ("c_last", "z")])
        year, place = chosen.randint(2019, 2023), chosen.randint(1, 9)
        rows.append(
            (
                section,
                f"00{place}",
                "甲省",
                chosen.choice([None, "乙市"]),
                f"丙{place}县",
                chosen.choice([None, "丁局"]),
                year,
                chosen.choice([f"{year}", f"{year}-01/{year}-06"]),
                code,
                "period",
                chosen.choice(["", "城区"]),
                "",
                chosen.choice(["final", "later_report", "forecast"]),
                f"{i}.5",
            )
        )
    if rows:
        duck.executemany(f"INSERT INTO mart_region_year VALUES ({', '.join('?' * 14)})", rows)
    return duck


def pivoted(duck: duckdb.DuckDBPyConnection, section: str) -> list[tuple[object, ...]]:
    cells = ", ".join(f"max(value_num) FILTER (WHERE metric_code = '{code}')" for code in SECTIONS[section])
    order = HEAD.replace(",", " NULLS FIRST,") + " NULLS FIRST"
    return duck.execute(
        f"SELECT {HEAD}, {cells} FROM mart_region_year WHERE section = '{section}' AND scope = '' "
        f"AND chosen_by <> 'forecast' AND period_id = CAST(year AS VARCHAR) GROUP BY {HEAD} ORDER BY {order}"
    ).fetchall()


def read(tables: WideTables, section: str) -> list[tuple[object, ...]]:
    schema = wide_schema(SECTIONS[section])
    batches = [pa.Table.from_batches([one]).cast(schema) for one in tables.read(section, SECTIONS[section])]
    return [tuple(row.values()) for one in batches for row in one.to_pylist()]


def test_every_section_is_as_pivoted() -> None:
    with made(900) as duck:
        tables = WideTables(duck)
        assert {name: read(tables, name) for name in SECTIONS} == {name: pivoted(duck, name) for name in SECTIONS}
        assert len(pivoted(duck, "a_first")) > 50 and not pivoted(duck, "b_empty")


def test_sections_may_be_passed_over_and_cut_anywhere() -> None:
    with made(200) as duck:
        expected = pivoted(duck, "c_last")
        assert read(WideTables(duck), "c_last") == expected
        whole = duck.sql(release_marts.long_sql()).to_arrow_table()
        cut = whole.to_batches(max_chunksize=7)
        told = {section: cells.num_rows for section, cells in release_marts._read_by_section(cut)}
        assert told == {
            name: sum(row == name for row in whole["section"].to_pylist()) for name in ("a_first", "c_last")
        }


def test_a_part_without_cells_gives_empty_tables() -> None:
    with made(0) as duck:
        tables = WideTables(duck)
        assert [read(tables, name) for name in SECTIONS] == [[], [], []]
