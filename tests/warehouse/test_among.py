"""Many keys as one bound value, on both engines."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, delete, func, select

from warehouse.among import among, pairs_given
from warehouse.engine import reading, writing
from warehouse.schema import dim_document
from warehouse.schema_dims import dim_date, dim_unit
from warehouse.upsert import fetch_by, insert_rows


def _day(day: date) -> dict[str, Any]:
    key = int(f"{day:%Y%m%d}")
    return {
        "date_key": key, "date": day, "year": day.year, "quarter": 1, "month": day.month, "day": day.day, "weekday": 1
    }  # fmt: skip


def test_numbers_and_texts_are_found_and_nothing_else(engine: Engine) -> None:
    start = date(1990, 1, 1)
    days = [_day(start + timedelta(days=n)) for n in range(3_000)]
    units = [
        {"unit_key": n, "unit_code": code, "written_zh": "[]", "meaning": ""} for n, code in enumerate(("案'件", '"'))
    ]
    with writing(engine) as conn:
        insert_rows(conn, dim_date, days)
        insert_rows(conn, dim_unit, units)
        wanted = [row["date_key"] for row in days[1:]]
        counted = select(func.count()).select_from(dim_date)
        assert conn.execute(counted.where(among(dim_date.c.date_key, [*wanted, 99]))).scalar_one() == 2_999
        assert conn.execute(counted.where(among(dim_date.c.date_key, []))).scalar_one() == 0
        assert (
            conn.execute(counted.where(~among(dim_date.c.date_key, wanted), dim_date.c.date_key > 0)).scalar_one() == 1
        )
        named = select(dim_unit.c.unit_key).where(among(dim_unit.c.unit_code, ["案'件", '"', "none"]))
        assert sorted(conn.execute(named).scalars()) == [0, 1]
        assert conn.execute(delete(dim_date).where(among(dim_date.c.date_key, wanted))).rowcount == 2_999


def test_pairs_are_found_as_pairs_and_a_statement_serves_often(engine: Engine) -> None:
    days = [{**_day(date(1990, 1, 1) + timedelta(days=n)), "quarter": n % 2} for n in range(40)]
    counted = select(func.count()).select_from(dim_date).where(pairs_given(dim_date.c.date_key, dim_date.c.quarter))
    first, second = days[0]["date_key"], days[1]["date_key"]
    with writing(engine) as conn:
        insert_rows(conn, dim_date, days)
        for wanted, n in (([(first, 0), (second, 1), (9, 1)], 2), ([(first, 1), (second, 0)], 0), ([], 0)):
            assert conn.execute(counted, {"pairs": wanted}).scalar_one() == n
        keys = [row["date_key"] for row in fetch_by(conn, dim_date.c.date_key, [second, 9, first])]
        assert sorted(keys) == [first, second] and not fetch_by(conn, dim_date.c.date_key, [])


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_sqlite_looks_the_keys_up(engine: Engine) -> None:
    """With a function's truth for a condition it read the whole table."""
    chosen = select(dim_document.c.url).where(among(dim_document.c.document_key, [1, 2]))
    with reading(engine) as conn:
        asked = str(chosen.compile(dialect=conn.dialect, compile_kwargs={"render_postcompile": True}))
        plan = [row[-1] for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}", ("[1, 2]",))]
    assert any(step.startswith("SEARCH dim_document") for step in plan)
    assert not any(step.startswith("SCAN dim_document") for step in plan)
