"""What the workers of a run share. A server: the first one that asks starts it, it ends when nobody uses it any more.

A server is held by a keeper, a process of its own. Each user holds a file's lock shared; the keeper waits for it alone.
The kernel lifts the locks of the dead, so a server ends with its users however they ended, SIGKILL included.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TextIO

import pytest

ROOT = Path(__file__).resolve().parent.parent
USERS, READY, LOG = "users.lock", "ready", "keeper.log"
MEMORY, ROOM = Path("/dev/shm"), 2 << 30


def home_of_servers() -> Path:
    """In memory where there is room: a disk that others use as well makes a database's copy ten times as dear, and a
    Prefect server so slow that it refuses.

    The folder is not pytest's, whose rights each run of pytest narrows under the feet of all other runs."""
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).total > ROOM:
        return MEMORY
    return Path(tempfile.gettempdir())


@contextmanager
def shared(name: str, keeper: str) -> Iterator[str]:
    """What the server of this name tells its users. `keeper` is the module that calls `keep` with a folder."""
    folder = home_of_servers() / f"fazhi-{name}"
    process = None
    with _join(folder):
        with (folder / "start.lock").open("w") as start:
            fcntl.flock(start, fcntl.LOCK_EX)
            if not (folder / READY).exists():
                process = _start(keeper, folder)
        yield (folder / READY).read_text(encoding="utf-8")
    if process is not None:
        with suppress(subprocess.TimeoutExpired):  # others still use it
            process.wait(timeout=20)


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that the first worker of a run to ask makes, and all others only read."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            being_made = Path(tempfile.mkdtemp(dir=folder.parent))
            make(being_made)
            being_made.rename(folder)
    return folder


def _join(folder: Path) -> TextIO:
    """A user's hold on the server; waits while one is being ended, which takes the file away."""
    while True:
        folder.mkdir(exist_ok=True)
        with suppress(FileNotFoundError):
            users = (folder / USERS).open("a")
            fcntl.flock(users, fcntl.LOCK_SH)
            if os.path.samestat(os.fstat(users.fileno()), (folder / USERS).stat()):
                return users
            users.close()


def _start(keeper: str, folder: Path, seconds: float = 170) -> subprocess.Popen[bytes]:
    """Not in our session: a signal for all of it is not meant for what tidies up behind it."""
    deadline = time.monotonic() + seconds
    with (folder / LOG).open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", keeper, str(folder)], cwd=ROOT, stdout=log, stderr=log, start_new_session=True
        )
    while not (folder / READY).exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{keeper} has started nothing:\n{(folder / LOG).read_text(encoding='utf-8')}")
        time.sleep(0.05)
    return process


def keep(folder: Path, server: AbstractContextManager[str]) -> None:
    """A keeper's whole work: start the server, tell, wait until the last user has gone, end it, leave nothing."""
    with (folder / USERS).open("a") as users:
        with server as told:
            (folder / "telling").write_text(told, encoding="utf-8")
            (folder / "telling").rename(folder / READY)
            fcntl.flock(users, fcntl.LOCK_EX)
        shutil.rmtree(folder)
