"""A PostgreSQL that is restarted costs no run: connections wait for it, and work that it cut off is done anew. So is
work that it undid to end a deadlock, and on both engines what could not have a lock in time.

Only for a server that this engine has reached before: a wrong address is told at once. SQLite knows none of this.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import Engine, event

from warehouse.errors import WarehouseAway, WarehouseBusy, WarehouseUndone

P = ParamSpec("P")
T = TypeVar("T")

PATIENCE_SECONDS = 90.0
"""How long a connection waits for a server that is being started again."""
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0
"""Between two attempts, seconds; doubled each time."""
TRIES = 3
"""Of one piece of work: a server that goes away in the midst of each is not merely restarted."""

AWAY = (
    "connection refused",
    "is the server running",
    "starting up",
    "shutting down",
    "recovery mode",
    "not yet accepting",
    "terminating connection",
    "connection to server was lost",
    "server closed the connection",
    "connection is lost",
    "the connection is closed",
    "connection reset by peer",
)
"""What libpq and psycopg say of a server that is not there just now."""


def is_away(message: str) -> bool:
    """Whether a driver's message is about a server that may come back by itself."""
    low = message.lower()
    return any(sign in low for sign in AWAY)


def wait_for_server(engine: Engine) -> None:
    """From now on each new connection of the engine waits for a server that was there before."""
    has_been_there = False

    def connect(dialect: Any, _record: Any, arguments: list[Any], parameters: dict[str, Any]) -> Any:
        nonlocal has_been_there
        until, pause = time.monotonic() + PATIENCE_SECONDS, FIRST_PAUSE
        while True:
            try:
                connection = dialect.connect(*arguments, **parameters)
            except dialect.loaded_dbapi.Error as error:
                if not has_been_there or not is_away(str(error)) or time.monotonic() + pause > until:
                    raise
                time.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                has_been_there = True
                return connection

    event.listen(engine, "do_connect", connect)


def retried(work: Callable[P, T]) -> Callable[P, T]:
    """Work in one transaction, done anew where the server goes away in its midst or undoes it, or a lock was not had.

    It must be as good done twice as once: where the connection breaks in the very moment of the commit nobody can tell
    whether it was done."""

    @wraps(work)
    def patiently(*args: P.args, **kwargs: P.kwargs) -> T:
        for n_left in range(TRIES - 1, -1, -1):
            try:
                return work(*args, **kwargs)
            except (WarehouseAway, WarehouseBusy, WarehouseUndone):
                if not n_left:
                    raise
                time.sleep(FIRST_PAUSE)
        raise AssertionError("the last try returns or raises")

    return patiently
