"""Parts of a release that are read together say what they say when each is read by itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.warehouse.builders import batch, notice, report
from tests.warehouse.conftest import load
from tests.warehouse.tables import A, B
from warehouse import partitions, release_rows
from warehouse.release import make_release


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.parquet"))}


@pytest.mark.parametrize("together", [1, 3, 200])
def test_parts_read_together(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, together: int) -> None:
    monkeypatch.setattr(partitions, "WHOLE_UP_TO", 0)
    reports = [report(year, A if year % 3 else B + f"{year}年又收到{year}件。") for year in range(2010, 2018)]
    load(engine, batch(*reports, notice("n", "通知"), notice("m", "又一个通知")))
    monkeypatch.setattr(release_rows, "TOGETHER", 0)
    alone = make_release(engine, tmp_path / "alone", keep=1)
    monkeypatch.setattr(release_rows, "TOGETHER", together)
    joined = make_release(engine, tmp_path / "joined", keep=1)
    assert joined.name == alone.name and bytes_of(joined.path) == bytes_of(alone.path)
    assert len(list((joined.path / "fact_observation").iterdir())) == 8
