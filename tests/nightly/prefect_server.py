"""`python -m tests.nightly.prefect_server FOLDER`: keeps the Prefect server that the workers of a run share, and the
process that forks their commands."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from fazhi.house import server_settings
from tests.nightly.commands import SOCKET
from tests.shared import keep

PREFECT = Path(sys.executable).parent / "prefect"
UNSCHEDULED = {"PREFECT_SERVER_SERVICES_SCHEDULER_ENABLED": "false"}
"""For servers with deployments: the night's own hour may come while they are tested."""


def without_settings() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("FAZHI_", "PREFECT_"))}


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """The address of its API, and the file of a database as a new server makes it; beside it the socket of commands."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = without_settings() | server_settings() | {"PREFECT_HOME": str(folder / "prefect")}
    api = f"http://127.0.0.1:{port}/api"
    env |= {"PREFECT_UI_API_URL": api}
    process = subprocess.Popen([PREFECT, "server", "start", "--host", "127.0.0.1", "--port", str(port)], env=env)
    forking = subprocess.Popen(
        [sys.executable, "-m", "tests.nightly.commands", str(folder / SOCKET), api],
        env=without_settings(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert forking.stdout is not None and forking.stdout.readline() == "ready\n"
        wait_until_healthy(api, process)
        database = folder / "new.db"
        with (
            closing(sqlite3.connect(folder / "prefect" / "prefect.db")) as made,
            closing(sqlite3.connect(database)) as kept,
        ):
            made.backup(kept)
        yield f"{api} {database}"
    finally:
        for one in (process, forking):
            one.terminate()
        for one in (process, forking):
            try:
                one.wait(timeout=15)
            except subprocess.TimeoutExpired:
                one.kill()
                one.wait()


def wait_until_healthy(api: str, process: subprocess.Popen[bytes], seconds: float = 160) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert process.poll() is None, "the Prefect server ended at once"
        try:
            with urllib.request.urlopen(f"{api}/health", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.3)  # not listening yet
    raise AssertionError(f"no healthy Prefect server after {seconds} s")


if __name__ == "__main__":
    keep(Path(sys.argv[1]), serve(Path(sys.argv[1])))
