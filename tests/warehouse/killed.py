"""What processes do that tests start and kill (`tests.forked`)."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, event

from tests.warehouse.builders import HOST, batch, notice, report
from tests.warehouse.conftest import load
from tests.warehouse.tables import A, B
from warehouse import upsert
from warehouse.engine import open_warehouse
from warehouse.upgrade import upgrade_warehouse

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


def load_killed(url: str) -> None:
    """Publish `KILLED`; whoever starts it says at which step it dies."""
    load(open_warehouse(url), KILLED)


def load_shuffled(url: str, seed: int) -> None:
    """Publish the history in an order of its own."""
    from tests.warehouse.test_load import HISTORY

    engine = open_warehouse(url)
    for one in random.Random(seed).sample(HISTORY, len(HISTORY)):
        load(engine, one)
    engine.dispose()


def load_and_die(url: str, fatal: str) -> None:
    """A load that dies when it has written to this table."""

    def then_die(write: Callable[..., Any]) -> Callable[..., None]:
        def write_and_die(conn: Any, table: Any, rows: Any) -> None:
            write(conn, table, rows)
            if table.name == fatal:
                os.kill(os.getpid(), signal.SIGKILL)

        return write_and_die

    vars(upsert).update({name: then_die(getattr(upsert, name)) for name in ("insert_new", "upsert")})
    load(open_warehouse(url), batch(report(2021, B, day=1), run="r2", day=1))


def upgrade_and_die(url: str, sign: str) -> None:
    """An upgrade that dies after the first statement with this in it."""

    def die(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        if sign in statement:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "after_cursor_execute", die)
    upgrade_warehouse(url)
