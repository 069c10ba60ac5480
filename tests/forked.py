"""Processes that tests start and kill. They are forked from one that has imported the program once: to import it takes
a process longer than what most of them then do. The process they are forked from has no threads and no test's state."""

from __future__ import annotations

import os
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess

from warehouse.steps import KILL_AT

_CONTEXT = get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.connectors.killed", "tests.warehouse.killed", "tasks.rereading"])


def start(work: Callable[..., None], *arguments: object, kill_at: str = "") -> ForkServerProcess:
    """A process that does the work, a function of a module, and dies at this step. A negative exit code is a signal."""
    process = _CONTEXT.Process(target=_do, args=(work, arguments, kill_at))
    process.start()
    return process


def _do(work: Callable[..., None], arguments: tuple[object, ...], kill_at: str) -> None:
    os.environ[KILL_AT] = kill_at
    work(*arguments)
