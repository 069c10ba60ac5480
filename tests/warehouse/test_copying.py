"""A warehouse copied to another database is the same warehouse."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.warehouse.builders import batch, notice, report
from tests.warehouse.conftest import Make, load
from tests.warehouse.tables import A, B, everything
from warehouse.compare import compare_schema
from warehouse.copying import copy_warehouse
from warehouse.engine import open_warehouse
from warehouse.errors import WarehouseError
from warehouse.fingerprint import fingerprint


def url_of(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def test_every_row_arrives_and_loads_go_on_there(make: Make, tmp_path: Path) -> None:
    source = make("source")
    load(source, batch(report(2020, A), notice("n", "一则通知"), report(2019, "出庭率120%。", name="bad")))
    load(source, batch(report(2020, B, day=1), run="r2", day=1))
    before = everything(source)
    for target in (url_of(make("target")), f"sqlite:///{tmp_path / 'other.sqlite'}"):  # the same engine, and a file
        copied = copy_warehouse(url_of(source), target)
        other = open_warehouse(target)
        assert everything(other) == before
        assert copied.fingerprint == fingerprint(source) == fingerprint(other)
        assert copied.rows["fact_observation"] == len(before["fact_observation"]) > 0
        assert all(check.holds for check in compare_schema(target))
        assert load(other, batch(report(2020, B, day=1), run="r2", day=1)).is_unchanged
        other.dispose()
    assert everything(source) == before


def test_what_cannot_be_copied_is_said(make: Make, tmp_path: Path) -> None:
    source, taken = make("source"), make("taken")
    load(source, batch(report(2020, A)))
    load(taken, batch(report(2020, B)))
    before = everything(taken)
    with pytest.raises(WarehouseError, match="it has loads of its own; copy into an empty database"):
        copy_warehouse(url_of(source), url_of(taken))
    assert everything(taken) == before
    with pytest.raises(WarehouseError, match="not copied onto itself"):
        copy_warehouse(url_of(source), url_of(source))
    with pytest.raises(WarehouseError, match="there is no warehouse to copy yet"):
        copy_warehouse(f"sqlite:///{tmp_path / 'missing.sqlite'}", url_of(taken))
