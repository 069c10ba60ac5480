"""What a house of several machines has, on one: servers that a test can restart, workers that it can kill."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from tests.conftest import ROOT
from tests.nightly.prefect_api import ask
from tests.nightly.prefect_server import PREFECT, wait_until_healthy
from tests.postgres import OwnServer

T = TypeVar("T")


def clean_environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FAZHI_", "PREFECT_"))}
    return {**kept, "NO_COLOR": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false", **more}


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_for(what: str, look: Callable[[], T | None], seconds: float = 240) -> T:
    """What `look` sees as soon as it sees anything. Raises AssertionError."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        seen = look()
        if seen:
            return seen
        time.sleep(0.2)
    raise AssertionError(f"in vain for {seconds:.0f} s: {what}")


class PrefectServer:
    """A Prefect server with its database in a folder, always at the same address."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self.api = f"http://127.0.0.1:{self._port}/api"
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        self._folder.mkdir(exist_ok=True)
        env = clean_environment(PREFECT_HOME=str(self._folder), PREFECT_UI_ENABLED="false")
        command = [str(PREFECT), "server", "start", "--host", "127.0.0.1", "--port", str(self._port)]
        with (self._folder / "server.log").open("ab") as log:
            process = subprocess.Popen(command, env=env, stdout=log, stderr=log, start_new_session=True)
        wait_until_healthy(self.api, process)
        return process

    def restart(self) -> None:
        self.end()
        self._process = self._start()

    def end(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        return ask(self.api, path, body)

    def command(self, *arguments: str) -> None:
        env = clean_environment(PREFECT_API_URL=self.api, PREFECT_HOME=str(self._folder), FAZHI_CHECKOUT=str(ROOT))
        done = subprocess.run(
            [str(PREFECT), "--no-prompt", *arguments], env=env, cwd=ROOT, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def start_run(self, deployment: str, **parameters: object) -> str:
        found = self.ask(f"deployments/name/{deployment}/{deployment}")
        return str(self.ask(f"deployments/{found['id']}/create_flow_run", {"parameters": parameters})["id"])

    def ended(self, run_id: str) -> dict[str, Any] | None:
        """The run's last state, once it has one. A server that is away knows none."""
        try:
            state: dict[str, Any] = self.ask(f"flow_runs/{run_id}")["state"]
        except OSError:
            return None
        return state if state["type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED") else None


class Worker:
    """`prefect worker start`, and the flow runs that it carries out: two at once, so that no worker takes them all."""

    def __init__(self, name: str, server: PrefectServer, folder: Path, **settings: str) -> None:
        env = clean_environment(
            PREFECT_API_URL=server.api,
            PREFECT_HOME=str(folder / f"worker-{name}"),
            PREFECT_WORKER_QUERY_SECONDS="1",
            PREFECT_LOGGING_LEVEL="INFO",
            **settings,
        )
        command = [
            str(PREFECT),
            "worker",
            "start",
            "--pool",
            "fazhi",
            "--type",
            "process",
            "--name",
            name,
            "--limit",
            "2",
        ]
        self.log = folder / f"worker-{name}.log"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(command, env=env, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)

    def runs(self) -> dict[str, int]:
        """Flow runs that are under way here: their ids, and the processes that carry them out."""
        found = {}
        for pid in descendants(self._process.pid):
            try:
                told = dict(
                    entry.partition(b"=")[::2] for entry in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
                )
            except OSError:
                continue
            if run := told.get(b"PREFECT__FLOW_RUN_ID", b"").decode():
                found[run] = pid
        return found

    def kill(self) -> None:
        """As a power cut: the worker and all that it has started, at once."""
        for pid in [self._process.pid, *descendants(self._process.pid)]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self._process.wait()


def descendants(pid: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
            except OSError:
                continue
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, left = list[int](), [pid]
    while left:
        children = parents.get(left.pop(), [])
        found += children
        left += children
    return found


@contextmanager
def several_machines(folder: Path) -> Iterator[tuple[PrefectServer, OwnServer]]:
    """A Prefect server with all deployments and a work pool, and a PostgreSQL."""
    with ExitStack() as stack:
        postgres = OwnServer(folder / "postgres")
        stack.callback(postgres.end)
        server = PrefectServer(folder / "prefect")
        stack.callback(server.end)
        server.command("work-pool", "create", "fazhi", "--type", "process")
        server.command("deploy", "--all", "--prefect-file", "deployments/prefect.yaml")
        yield server, postgres
