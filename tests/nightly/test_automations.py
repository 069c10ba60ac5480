"""Automations on a real server: put into force once or twice alike, and a receiver that is told."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.nightly.conftest import FAZHI

pytestmark = [pytest.mark.slow, pytest.mark.timeout(280)]

EMIT = """
from tasks.events import Event, Told, tell_all
from prefect.events.worker import EventsWorker
tell_all([Told(Event.LAYOUT_CHANGED, f"99010{n}_x", f'news "{n}" 版式') for n in range(3)])
EventsWorker.instance().wait_until_empty()
"""
FAIL = "import asyncio; from flows.canary import canary; asyncio.run(canary(source=['990101_nobody']))"


@pytest.fixture
def receiver() -> Iterator[tuple[str, queue.Queue[dict[str, Any]]]]:
    """A webhook's address, and what it was sent."""
    sent: queue.Queue[dict[str, Any]] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/hook", sent
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def run(api: str, home: Path, *command: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("FAZHI_", "PREFECT_"))}
    env |= {"PREFECT_API_URL": api, "FAZHI_HOME": str(home), "FAZHI_CONTACT": "https://fazhi.example/contact"}
    return subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=120)


def wait_for(sent: queue.Queue[dict[str, Any]], automation: str, seconds: float = 60) -> dict[str, Any]:
    """The next notice of an automation; those of others, which tests beside this one may bring about, are let go."""
    while True:
        told = sent.get(timeout=seconds)
        if automation in told["automation"]:
            return told


def test_automations_tell_and_are_applied_once(
    tmp_path: Path, prefect_api: str, receiver: tuple[str, queue.Queue[dict[str, Any]]]
) -> None:
    address, sent = receiver

    def automations(*words: str) -> list[str]:
        done = run(prefect_api, tmp_path, str(FAZHI), "automations", *words)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    n_files = len(list((ROOT / "deployments" / "automations").glob("*.yaml")))
    made = automations("apply", "--webhook", address)
    assert len(made) == n_files and all(line.startswith("made") for line in made)
    again = automations("apply", "--webhook", address)
    assert len(again) == n_files and all(line.startswith("as it was") for line in again)

    emitted = run(prefect_api, tmp_path, sys.executable, "-c", EMIT)
    assert emitted.returncode == 0, emitted.stderr
    told = wait_for(sent, "a layout has changed")
    n = told["resource"].removeprefix("fazhi.source.99010")[0]  # of three sent at once any may be seen first
    assert f'news "{n}" 版式 (3 in this run' in told["text"]
    assert (told["event"], told["resource"]) == ("fazhi.source.layout-changed", f"fazhi.source.99010{n}_x")
    failed = run(prefect_api, tmp_path, sys.executable, "-c", FAIL)
    assert failed.returncode != 0
    assert "no source has the id '990101_nobody'" in wait_for(sent, "a run failed")["text"]

    changed = automations("apply", "--webhook", address, "--missing-hours", "0.003")
    assert [line for line in changed if line.startswith("changed")] == ["changed    fazhi: no nightly 夜间抓取缺失"]
    assert wait_for(sent, "no nightly", 90)["event"] == ""
    assert len(automations("remove")) == n_files
    assert automations("remove") == []
    with pytest.raises(queue.Empty):
        while True:  # those that were on their way; three in ten minutes would have been told once
            assert "a layout has changed" not in sent.get(timeout=1)["automation"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "say who is told"),
        (("--webhook", "ftp://x"), "begins with http"),
        (("--block", "webhook/nobody"), "the server has no such block"),
    ],
)
def test_what_cannot_be_applied(words: tuple[str, ...], told: str, tmp_path: Path, prefect_api: str) -> None:
    done = run(prefect_api, tmp_path, str(FAZHI), "automations", "apply", *words)
    assert done.returncode == 2 and told in done.stderr
