"""`fazhi serve` and deployments/prefect.yaml: one definition, runs carried out, whole ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.nightly.conftest import FAZHI
from tests.nightly.machines import descendants
from tests.nightly.prefect_api import ask
from tests.nightly.prefect_server import UNSCHEDULED

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def wait_for(line: str, process: subprocess.Popen[str]) -> list[str]:
    """The lines printed up to one that holds this."""
    assert process.stdout is not None
    seen: list[str] = []
    for told in process.stdout:
        seen.append(told)
        if line in told:
            return seen
    raise AssertionError(f"ended without {line!r}: {''.join(seen)}")


def wait_until_done(api: str, run_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + 400
    while time.monotonic() < deadline:
        found = ask(api, f"flow_runs/{run_id}")
        if found["state"]["type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED"):
            return found
        time.sleep(0.5)
    raise AssertionError(f"not done: {found['state']}")


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_the_file_and_the_command_have_one_definition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FAZHI_COMMIT", raising=False)
    from flows.deployments import DEPLOYMENTS, FILE, to_yaml

    written = FILE.read_text(encoding="utf-8")
    assert written == to_yaml(), "write it anew: python -m flows.deployments"
    assert [one["name"] for one in yaml.safe_load(written)["deployments"]] == [one.name for one in DEPLOYMENTS]
    assert len({one.name for one in DEPLOYMENTS}) == len(DEPLOYMENTS)


def test_serve_carries_out_what_is_asked_for_and_ends_whole(
    tmp_path: Path, give_prefect: Callable[[Path], None]
) -> None:
    give_prefect(tmp_path / "data")
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "FAZHI_"))}
    env |= UNSCHEDULED | {"FAZHI_HOME": str(tmp_path / "data"), "FAZHI_CONTACT": "https://fazhi.example/contact"}
    from flows.deployments import DEPLOYMENTS

    port = free_port()
    api = f"http://127.0.0.1:{port}/api"
    process = subprocess.Popen(
        [str(FAZHI), "serve", "--port", str(port)],
        env=env, cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=(tmp_path / "err").open("w"),
    )  # fmt: skip
    try:
        told = "".join(wait_for("Deployments:", process))
        assert f"http://127.0.0.1:{port}/" in told and "Deployments: nightly, " in told
        environments = [Path(f"/proc/{pid}/environ").read_bytes().split(b"\0") for pid in descendants(process.pid)]
        assert any(b"PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE=200" in one for one in environments)
        deadline = time.monotonic() + 90
        while len(found := ask(api, "deployments/filter", {})) < len(DEPLOYMENTS) and time.monotonic() < deadline:
            time.sleep(0.3)
        by_name = {one["name"]: one for one in found}
        assert set(by_name) == {one.name for one in DEPLOYMENTS}
        assert by_name["nightly"]["schedules"][0]["schedule"]["timezone"] == "Asia/Shanghai"
        assert by_name["nightly"]["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"
        assert by_name["nightly"]["version"] and by_name["nightly"]["description"]
        form = by_name["maintain"]["parameter_openapi_schema"]["properties"]
        assert "Keep the newest" in form["keep_versions"]["description"]
        run = ask(api, f"deployments/{by_name['maintain']['id']}/create_flow_run", {"parameters": {}})
        done = wait_until_done(api, run["id"])
        assert done["state"]["type"] == "COMPLETED", done["state"]
        assert done["name"].startswith("Upkeep of 20")
        (kept,) = ask(api, "automations/filter", {})
        assert kept["actions"][0]["state"] == "CRASHED", "runs that are lost are shown so, whoever is told of what"
        artifacts = ask(api, "artifacts/filter", {})
        assert any("archive: kept whole" in one["data"] for one in artifacts if one["key"] == "maintain")
        with pytest.raises(urllib.error.HTTPError) as refused:
            ask(api, f"deployments/{by_name['maintain']['id']}/create_flow_run", {"parameters": {"keep_days": "many"}})
        assert refused.value.code in (409, 422) and b"keep_days" in refused.value.read()
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(240)
    assert code == 0, (tmp_path / "err").read_text(encoding="utf-8")[-2000:]
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"{api}/health", timeout=5)
    taken = socket.create_server(("127.0.0.1", port))
    try:
        again = subprocess.run([str(FAZHI), "serve", "--port", str(port)], env=env, capture_output=True, text=True)
    finally:
        taken.close()
    assert again.returncode == 3 and f"127.0.0.1:{port} cannot be listened on" in again.stderr


def test_serve_ends_whole_when_its_terminal_is_closed_and_names_a_server_that_is_there(
    tmp_path: Path, give_prefect: Callable[[Path], None]
) -> None:
    """The server has a session of its own and hears nothing of a terminal: it must not be left behind on its port."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "FAZHI_"))}
    env |= UNSCHEDULED | {"FAZHI_HOME": str(tmp_path / "data"), "FAZHI_CONTACT": "https://fazhi.example/contact"}
    give_prefect(tmp_path / "data")
    port = free_port()
    command = [str(FAZHI), "serve", "--port", str(port)]
    process = subprocess.Popen(
        command, env=env, cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=(tmp_path / "err").open("w"),
        preexec_fn=partial(signal.signal, signal.SIGHUP, signal.SIG_DFL),  # the tests themselves may run under nohup
    )  # fmt: skip
    try:
        wait_for("Deployments:", process)
        second = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True)
        assert second.returncode == 3
        assert f"PREFECT_API_URL=http://127.0.0.1:{port}/api makes use of it" in second.stderr
    finally:
        process.send_signal(signal.SIGHUP)
        try:
            process.wait(240)
        except subprocess.TimeoutExpired:  # the test has failed, and leaves nothing behind
            process.terminate()
            process.wait(60)
            raise
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health", timeout=5)


def test_an_interruption_that_is_lost_is_told_again_until_it_is_heard() -> None:
    code = """
import os, signal, time
from fazhi import serving

serving.TOLD_AGAIN, heard, ending = 0.2, 0, serving._Ending()
signal.signal(signal.SIGTERM, lambda *_: ending.tell())
with ending:
    while heard < 2:
        try:
            if not heard:
                os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(30)
        except KeyboardInterrupt:
            heard += 1
time.sleep(0.6)  # and not once more
print(heard)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr, done.returncode) == ("2\n", "", 0)
