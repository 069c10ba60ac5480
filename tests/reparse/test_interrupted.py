"""A reparse that is killed, whose workers die, or that meets a load, leaves a whole state, and the next one goes on."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.reparse import Selection
from tasks.rereading import BatchRead, Order, read_batch
from tasks.workers import _halves, read_in_workers
from tests.conftest import ROOT
from tests.reparse.conftest import Build
from tests.reparse.house import OLD, fill, items, older, older_text, source
from tests.reparse.test_reparse import print_of, reparse, rows_of
from warehouse.batch import LoadBatch
from warehouse.engine import reading
from warehouse.reparse import publish_differing
from warehouse.schema import fact_reparse_change
from warehouse.steps import REPARSE
from warehouse.stored import selected_ids


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_at_any_step_and_run_again_is_as_if_never_killed(build: Build) -> None:
    fresh, house = build("fresh"), build("house")
    fill(fresh, items(4))
    fill(house, items(4), older_text, by=OLD)
    steps = [REPARSE[1], "load-5-facts", REPARSE[3]]
    command = [sys.executable, "-m", "tests.reparse.killed", str(house.home), house.url]
    before = print_of(house)
    done = subprocess.run([*command, *steps], cwd=ROOT, capture_output=True, text=True, timeout=200)
    assert done.stdout.split() == [str(-signal.SIGKILL)] * len(steps), done.stdout + done.stderr
    assert print_of(house) == before and rows_of(house, fact_reparse_change) == []
    done = subprocess.run([*command, REPARSE[-1]], cwd=ROOT, capture_output=True, text=True, timeout=200)
    assert done.stdout.split() == [str(-signal.SIGKILL)], done.stdout + done.stderr
    assert print_of(house) == print_of(fresh)
    assert reparse(house).total("n_passed_over") == 4, "what was published is not read again"


def test_what_a_load_has_touched_meanwhile_waits(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    house = build("house")
    fill(house, items(4), older, by=OLD)

    def load_first(engine: object, batch: LoadBatch, *more: object) -> object:
        fill(house, items(2)[:1], older, by=OLD, day=9)
        return publish_differing(engine, batch, *more)  # type: ignore[arg-type]

    monkeypatch.setattr("tasks.reparse.publish_differing", load_first)
    result = reparse(house)
    monkeypatch.undo()
    assert result.total("n_published") == 2 and "loaded anew meanwhile" in result.findings[0]
    assert reparse(house).total("n_published") == 1
    assert print_of(house)


pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]


def die_of_one(order: Order) -> BatchRead:
    """A worker that one document ends, whatever stands beside it."""
    if any(document_id.endswith("_1002.html") for document_id in order.ids):
        os.kill(os.getpid(), signal.SIGKILL)
    return read_batch(order)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_document_that_ends_its_worker_costs_no_other(build: Build) -> None:
    house = build("house")
    fill(house, items(4), by=OLD)
    engine = house.engine()
    with reading(engine) as conn:
        ids = selected_ids(conn, Selection(), source().id, None, None)
    engine.dispose()
    orders = [Order(source(), (ids[1],), None), Order(source(), (ids[0],), None)]
    found = list(read_in_workers(iter(orders), house.settings, 1, die_of_one))
    assert [one for batch in found for one in batch.unchanged] == [ids[0]]
    (told,) = (told for batch in found for told in batch.findings)
    assert "ends the process that reads" in told


def test_an_order_can_be_sent_and_halved(tmp_path: Path) -> None:
    order = Order(source(), ("a", "b", "c"), tmp_path / "0000001")
    assert [(one.ids, one.spool and one.spool.name) for one in _halves(order)] == [
        (("a",), "0000001a"),
        (("b", "c"), "0000001b"),
    ]
    assert pickle.loads(pickle.dumps(order)) == order
