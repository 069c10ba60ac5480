"""Processes that tests start and kill: `kill URL STEP …` publishes a batch in a child that dies at the step, one after
the other; `load URL SEED` publishes the history in an order of its own.

One process imports the program once and forks for each step: starting an interpreter takes longer than a load."""

from __future__ import annotations

import os
import random
import sys

from tests.warehouse.builders import HOST, batch, notice, report
from tests.warehouse.conftest import load
from tests.warehouse.tables import A, B
from warehouse.engine import open_warehouse
from warehouse.steps import KILL_AT

FIRST = batch(report(2020, A), report(2019, A + "上年收到9件。", name="old"), notice("n", "通知"))
KILLED = batch(
    report(2020, B, day=1),
    report(2021, A + "上年收到11件。", day=1),
    report(2022, "出庭率120%。", name="bad", day=1),
    report(2019, A + "上年收到9件。", name="old", title="改过的标题", day=1),
    run="r2",
    day=1,
    gone=(f"{HOST}/n.html",),
)
"""A new and a changed report, another title, a page that is gone, a figure that is set aside."""


def kill(*pairs: str) -> None:
    """Publish `KILLED` at each URL and die at the step that follows it; prints what ended each child."""
    for url, step in zip(pairs[::2], pairs[1::2], strict=True):
        child = os.fork()
        if child == 0:
            os.environ[KILL_AT] = step
            load(open_warehouse(url), KILLED)
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def load_all(url: str, seed: str) -> None:
    from tests.warehouse.test_load import HISTORY

    engine = open_warehouse(url)
    shuffled = list(HISTORY)
    random.Random(seed).shuffle(shuffled)
    for one in shuffled:
        load(engine, one)
    engine.dispose()


if __name__ == "__main__":
    {"kill": kill, "load": load_all}[sys.argv[1]](*sys.argv[2:])
