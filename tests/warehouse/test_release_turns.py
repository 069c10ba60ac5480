"""A release after any change is what one made from nothing would be, however much of the one before is in it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.warehouse.builders import CATALOGUE, HOST, SOURCE, batch, notice, report
from tests.warehouse.conftest import load
from tests.warehouse.tables import A, B
from tests.warehouse.test_release import bytes_of
from warehouse import partitions
from warehouse.engine import is_sqlite
from warehouse.release import current_release, make_release

CHANGED = replace(CATALOGUE, metrics=(replace(CATALOGUE.metrics[0], name_zh="收到申请"), *CATALOGUE.metrics[1:]))
ELSEWHERE = replace(SOURCE, source_id="990102_jichuan", name_zh="霁川区人民政府", region_code="990102")
CHANGES = (
    batch(report(2019, A), report(2020, B), report(2021, A + "上年收到12件。"), run="c1", day=1),
    batch(report(2021, B + "调解员5件。", day=2), run="c2", day=2),  # a new text
    batch(report(2019, A, day=3, title="改过的标题"), run="c3", day=3),  # other particulars, the same text
    batch(report(2020, B, day=4, published="2021-02-02"), run="c4", day=4),  # facts carry another day
    batch(report(2020, A, name="e", day=5), run="c5", day=5, source=ELSEWHERE),  # another place
    batch(report(2020, B, name="0", day=6), run="c6", day=6, source=ELSEWHERE),  # the same text at another address
    batch(report(2019, A, day=7, region_code="990201"), run="c7", day=7),  # a document moves to another place
    batch(run="c8", day=8, gone=(f"{HOST}/2021.html",)),
    batch(report(2023, "收到3件。", day=9), run="c9", day=9, catalogue=CHANGED),  # a metric gets another version
    batch(run="c10", day=0.5, catalogue=CHANGED),  # and had it before: observations move to it
    batch(notice("n", "只是通知", day=11), run="c11", day=11),
    batch(report(2019, "", name="late", parsed=None, day=12), run="c12", day=12),
    batch(report(2021, B + "调解员5件。", day=13), run="c13", day=13),  # it is back
    batch(report(2021, B + "调解员5件。", day=14), run="c14", day=14),  # nothing new
)


@pytest.mark.slow
def test_a_release_after_a_change_is_the_one_made_from_nothing(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was taken over from the release before is, byte for byte, what would have been written. What decides that is
    the same on both engines, so a server's release is made after every second change only."""
    monkeypatch.setattr(os, "fsync", lambda _file: None)  # no test here cuts the power
    monkeypatch.setattr(partitions, "WHOLE_UP_TO", 0)
    monkeypatch.setattr(partitions, "YEARS_UP_TO", 0)
    linked = []
    for turn, one in enumerate(CHANGES):
        load(engine, one)
        if turn % 2 and one is not CHANGES[-1] and not is_sqlite(engine.url):
            continue
        made = make_release(engine, tmp_path / "all", keep=99)
        fresh = make_release(engine, tmp_path / str(turn), keep=1)
        assert made.name == fresh.name and bytes_of(made.path) == bytes_of(fresh.path), one.run_id
        assert fresh.n_linked == 0
        linked.append(made.n_linked)
    assert max(linked) > 20
    assert not made.is_new and made.path == current_release(tmp_path / "all")
