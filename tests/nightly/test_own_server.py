"""The Prefect server that a command starts for itself."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from sandbox.server import serve
from tests.conftest import ROOT, do_without
from tests.nightly.conftest import FAZHI

SECONDS = 120.0
"""After which something hangs."""


def processes_of(home: Path, word: bytes) -> list[int]:
    """Ids of processes with files in this data folder and this word in their command."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command, env = ((process / name).read_bytes() for name in ("cmdline", "environ"))
        except OSError:
            continue  # ended, or another user's
        if word in command and f"PREFECT_HOME={home / 'prefect'}".encode() in env:
            found.append(int(process.name))
    return found


def servers_of(home: Path) -> list[int]:
    return processes_of(home, b"uvicorn")


def wait_until(said: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not said():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_command_that_is_killed_leaves_no_server_behind(tmp_path: Path) -> None:
    if not Path("/proc/self/environ").exists():
        do_without("the environment of processes is not told under /proc: who belongs to a command cannot be seen")
    home = tmp_path / "data"
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("FAZHI_", "PREFECT_"))}
    with serve(day=1) as portals:
        env = clean | {
            "FAZHI_HOME": str(home),
            "FAZHI_REPLAY": portals.url,
            "FAZHI_SOURCES": str(ROOT / "sandbox" / "sources"),
        }
        command = [str(FAZHI), "nightly", "--source", "990101_lanhe"]
        process = subprocess.Popen(command, env=env, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: bool(servers_of(home) and processes_of(home, b"read -r said")))
        finally:
            process.kill()
            process.wait()
    wait_until(lambda: not servers_of(home))
    wait_until(lambda: not processes_of(home, b"read -r said"))
