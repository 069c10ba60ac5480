"""The report of a run: what it says of the warehouse as a whole."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from fazhi.report import RunReport
from fazhi.settings import Settings
from tasks.report import build_report
from tests.warehouse.builders import batch, report
from tests.warehouse.conftest import load
from warehouse.engine import Engine, open_warehouse
from warehouse.fingerprint import fingerprint
from warehouse.release import Release, make_release


def test_a_released_state_is_told_by_its_release(tmp_path: Path) -> None:
    """To hash the warehouse once more would take as long as to load a tenth of it."""
    engine = open_warehouse(f"sqlite:///{tmp_path / 'w.sqlite'}")
    load(engine, batch(report(2020, "收到10件。")))
    made = make_release(engine, tmp_path / "releases", keep=1)
    for is_changed in (True, False):
        told = _report(engine, is_changed, made)
        assert told.fingerprint_after == made.fingerprint and told.is_unchanged is not is_changed
    assert _report(engine, True, None).fingerprint_after == fingerprint(engine)
    engine.dispose()


def _report(engine: Engine, is_changed: bool, made: Release | None) -> RunReport:
    return build_report(engine, "run-1", datetime.now(UTC), 1.0, (), is_changed, Settings(), made, (), ())
