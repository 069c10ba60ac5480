"""`python -m tests.nightly.prefect_server FOLDER`: keeps the Prefect server that the workers of a run share."""

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
from tests.shared import keep

PREFECT = Path(sys.executable).parent / "prefect"


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """The address of its API, and the file of a database as a new server makes it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    env |= server_settings() | {"PREFECT_HOME": str(folder / "prefect")}
    env |= {"PREFECT_UI_API_URL": f"http://127.0.0.1:{port}/api"}
    process = subprocess.Popen([PREFECT, "server", "start", "--host", "127.0.0.1", "--port", str(port)], env=env)
    try:
        wait_until_healthy(f"http://127.0.0.1:{port}/api", process)
        database = folder / "new.db"
        with (
            closing(sqlite3.connect(folder / "prefect" / "prefect.db")) as made,
            closing(sqlite3.connect(database)) as kept,
        ):
            made.backup(kept)
        yield f"http://127.0.0.1:{port}/api {database}"
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


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
