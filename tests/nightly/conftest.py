"""Whole runs of the installed command, as an operator starts them: own process, own data folder, real HTTP."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.nightly.commands import Commands

FAZHI = Path(sys.executable).parent / "fazhi"


@dataclass(frozen=True)
class House:
    """One data folder and the environment that points at it."""

    folder: Path
    commands: Commands | None = None
    """Forks the runs, which report to its Prefect server; None starts each as an operator does, with a server of its
    own."""

    def run(self, *arguments: str, timeout: float = 280, **settings: str) -> subprocess.CompletedProcess[str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("FAZHI_", "PREFECT_"))}
        env = clean | {"FAZHI_HOME": str(self.folder / "data"), "NO_COLOR": "1"}
        env |= {f"FAZHI_{name.upper()}": value for name, value in settings.items()}
        if self.commands is not None:
            return self.commands.run(arguments, env, self.folder, timeout)
        return subprocess.run(
            [str(FAZHI), *arguments], env=env, cwd=self.folder, capture_output=True, text=True, timeout=timeout
        )

    @property
    def warehouse(self) -> Path:
        return self.folder / "data" / "warehouse.sqlite"


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def end(process: subprocess.Popen[Any]) -> None:
    """End a process that a test started, by its own id."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def running(command: list[str]) -> Iterator[str]:
    """A server started for a test: its ready line's address, and its end by its own process id."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        address = next((word for word in line.split() if word.startswith("http://")), None)
        assert address, f"no ready line from {command[0]}: {line!r}"
        yield address
    finally:
        end(process)


@pytest.fixture(scope="module")
def gateway(corpus: Path) -> Iterator[str]:
    """The replica portals of the corpus, behind the corpus's own server."""
    server = corpus.parent / "tools" / "serve_sites.py"
    with running([sys.executable, str(server), str(corpus / "portals"), "--port", "0"]) as address:
        yield address


@pytest.fixture(scope="session")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: FAZHI_SCREENSHOTS, which CI keeps, or a folder that is gone with the run."""
    chosen = os.environ.get("FAZHI_SCREENSHOTS")
    folder = Path(chosen) if chosen else tmp_path_factory.mktemp("shots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
