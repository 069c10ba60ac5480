"""Automations on a real server: put into force once or twice alike, and a receiver that is told."""

from __future__ import annotations

import email
import email.policy
import json
import os
import queue
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import typer

from fazhi.automating import automations as automations_app
from fazhi.exits import CommandFailed
from tests.conftest import ROOT
from tests.nightly.commands import Commands
from tests.nightly.prefect_api import ask
from tests.nightly.test_serving import wait_until_done

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

EMIT = """
from tasks.events import Event, Told, tell_all
from prefect.events.worker import EventsWorker
tell_all([Told(Event.LAYOUT_CHANGED, f"99010{n}_x", f'news "{n}" 版式') for n in range(3)])
EventsWorker.instance().wait_until_empty()
"""
LIVE = """
import time
from prefect import flow
from prefect.events.worker import EventsWorker
from prefect.runtime import flow_run
@flow(name="lost-on-the-way")
def live():
    time.sleep(0.5)
    EventsWorker.instance().wait_until_empty()  # its first heartbeat
    print(flow_run.id, flush=True)
    time.sleep(100)
live()
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


@pytest.fixture
def mailbox() -> Iterator[tuple[str, queue.Queue[EmailMessage]]]:
    """An address of e-mail, and what it was sent: as much of RFC 5321 as a client needs."""
    sent: queue.Queue[EmailMessage] = queue.Queue()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 mail.example\r\n")
            while command := self.rfile.readline().strip().upper():
                if command == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    told = b"".join(iter(self.rfile.readline, b".\r\n"))
                    sent.put(email.message_from_bytes(told, policy=email.policy.default))
                self.wfile.write(b"221 bye\r\n" if command == b"QUIT" else b"250 mail.example\r\n")

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        ends = "from=fazhi@fazhi.example&to=ops@fazhi.example"
        yield f"mailto://127.0.0.1:{server.server_address[1]}?{ends}&mode=insecure", sent
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def environment(api: str, home: Path) -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("FAZHI_", "PREFECT_"))}
    env |= {"PREFECT_API_URL": api, "FAZHI_HOME": str(home), "FAZHI_CONTACT": "https://fazhi.example/contact"}
    return env


def run(commands: Commands, home: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return commands.run(command, environment(commands.api, home), ROOT, 280)


def lose_a_run(api: str, home: Path) -> str:
    """Id of a run whose process is killed. That it is lost is to be seen after ten seconds and not after five minutes,
    and of no other run."""
    (there,) = [one for one in ask(api, "automations/filter", {}) if one["trigger"].get("after")]
    there["trigger"]["within"] = 10
    there["trigger"]["match_related"]["prefect.resource.name"] = "lost-on-the-way"
    body = {name: there[name] for name in ("name", "description", "enabled", "trigger", "actions", "tags")}
    ask(api, f"automations/{there['id']}", body, "PUT")
    living = subprocess.Popen(
        [sys.executable, "-c", LIVE], env=environment(api, home), stdout=subprocess.PIPE, text=True
    )
    assert living.stdout is not None
    run_id = living.stdout.readline().strip()
    living.kill()
    living.communicate()
    return run_id


def wait_for(sent: queue.Queue[dict[str, Any]], automation: str, seconds: float = 200) -> dict[str, Any]:
    """The next notice of an automation; those of others, which tests beside this one may bring about, are let go."""
    while True:
        told = sent.get(timeout=seconds)
        if automation in told["automation"]:
            return told


def test_automations_tell_and_are_applied_once(
    tmp_path: Path,
    commands: Commands,
    receiver: tuple[str, queue.Queue[dict[str, Any]]],
    mailbox: tuple[str, queue.Queue[EmailMessage]],
) -> None:
    (address, sent), (mail_address, mails), prefect_api = receiver, mailbox, commands.api

    def automations(*words: str) -> list[str]:
        done = run(commands, tmp_path, "automations", *words)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    n_files = len(list((ROOT / "deployments" / "automations").glob("*.yaml")))
    made = automations("apply", "--webhook", address)
    assert len(made) == n_files and all(line.startswith("made") for line in made)
    again = automations("apply", "--webhook", address)
    assert len(again) == n_files and all(line.startswith("as it was") for line in again)

    lost = lose_a_run(prefect_api, tmp_path)
    assert ask(prefect_api, f"flow_runs/{lost}")["state"]["type"] == "RUNNING"
    emitted = run(commands, tmp_path, "-c", EMIT)
    assert emitted.returncode == 0, emitted.stderr
    told = wait_for(sent, "a layout has changed")
    n = told["resource"].removeprefix("fazhi.source.99010")[0]  # of three sent at once any may be seen first
    assert f'news "{n}" 版式 (3 in this run' in told["text"]
    assert (told["event"], told["resource"]) == ("fazhi.source.layout-changed", f"fazhi.source.99010{n}_x")
    failed = run(commands, tmp_path, "-c", FAIL)
    assert failed.returncode != 0
    while "no source has the id '990101_nobody'" not in wait_for(sent, "a run failed")["text"]:
        pass  # runs of other tests fail as well

    ended = wait_until_done(prefect_api, lost)["state"]
    assert (ended["type"], "its process is gone" in ended["message"]) == ("CRASHED", True)
    changed = automations("apply", "--webhook", mail_address, "--missing-hours", "0.003")
    assert [line.split()[0] for line in changed] == ["changed"] * n_files, "all of them, and that of `lose_a_run`"
    while "no nightly" not in (mail := mails.get(timeout=200))["Subject"]:
        pass  # what other tests brought about
    assert mail["To"] == "ops@fazhi.example"
    body = mail.get_body(("plain",))
    assert body is not None and "规定时间内没有完成的夜间抓取" in body.get_content()
    assert len(automations("remove")) == n_files
    assert automations("remove") == []
    with pytest.raises(queue.Empty):
        while True:  # those that were on their way; three in ten minutes would have been told once
            assert "a layout has changed" not in sent.get(timeout=1)["automation"]


def test_who_is_told_is_said_once_and_rightly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FAZHI_WEBHOOK", raising=False)
    for words, told in ((), "say who is told"), (("--webhook", "ftp://x"), "begins with http"):
        with pytest.raises(CommandFailed, match=told):
            typer.main.get_command(automations_app).main(["apply", *words], standalone_mode=False)


def test_a_block_that_is_not_there(tmp_path: Path, commands: Commands) -> None:
    done = run(commands, tmp_path, "automations", "apply", "--block", "webhook/nobody")
    assert done.returncode == 2 and "the server has no such block" in done.stderr
