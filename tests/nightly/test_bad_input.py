"""What goes wrong outside ends with one clear line, an exit code that means something, and an unchanged warehouse."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fazhi.cli import main
from tests.nightly.commands import Commands
from tests.nightly.conftest import House

pytestmark = pytest.mark.timeout(600)

Command = Callable[..., subprocess.CompletedProcess[str]]


class AlwaysBroken(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(500)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def broken_gateway() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), AlwaysBroken)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def command(house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command in this process: for mistakes that are told before anything is started."""
    for name in [name for name in os.environ if name.startswith(("FAZHI_", "PREFECT_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("FAZHI_HOME", str(house.folder / "data"))
    monkeypatch.chdir(house.folder)

    def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        for name, value in settings.items():
            monkeypatch.setenv(f"FAZHI_{name.upper()}", value)
        code = main(list(arguments))
        return subprocess.CompletedProcess(arguments, code, *capsys.readouterr())

    return run


def one_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    assert len(lines) == 1, text
    assert "Traceback" not in text
    return lines[0]


def facts(warehouse: Path) -> int:
    with sqlite3.connect(warehouse) as connection:
        tables = (
            "fact_observation",
            "fact_mention",
            "fact_check",
            "fact_metric_value",
            "page",
            "dim_load where load_key > 0",
        )
        return sum(connection.execute(f"select count(*) from {name}").fetchone()[0] for name in tables)


def test_unknown_source(house: House) -> None:
    done = house.run("nightly", "--source", "440605_nanhaj", replay="http://127.0.0.1:1")
    assert done.returncode == 2
    line = one_line(done.stderr)
    assert "440605_nanhaj" in line and "did you mean 440605_nanhai" in line
    assert not house.warehouse.exists()


def test_unreachable_gateway(house: House) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    done = house.run("nightly", replay=address)
    assert done.returncode == 3
    assert "FAZHI_REPLAY" in (line := one_line(done.stderr)) and address in line


@pytest.mark.parametrize("address", ["localhost:8080", "http://", "http://127.0.0.1:99999", "http://127.0.0.1:1/sub"])
def test_gateway_that_is_no_address(command: Command, address: str) -> None:
    done = command("nightly", replay=address)
    assert done.returncode == 2
    assert "FAZHI_REPLAY" in one_line(done.stderr)


def test_live_crawl_needs_a_contact(command: Command) -> None:
    done = command("nightly")
    assert done.returncode == 2
    assert "FAZHI_CONTACT" in one_line(done.stderr)


def test_gateway_that_answers_500_for_everything(tmp_path: Path, commands: Commands, broken_gateway: str) -> None:
    house = House(tmp_path, commands)
    done = house.run("nightly", replay=broken_gateway)
    assert done.returncode == 1
    line = one_line(done.stderr)
    assert "5 of 5 sources failed" in line and "robots.txt" in line and "500" in line
    assert facts(house.warehouse) == 0
    with sqlite3.connect(house.warehouse) as connection:
        runs = connection.execute("select count(*), sum(status = 'failed') from fact_source_run").fetchone()
        causes = [json.loads(row[0]) for row in connection.execute("select failures from fact_source_run")]
    assert runs == (5, 5), "the failure itself is on record"
    assert [len(lines) for lines in causes] == [1] * 5, "and told once"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("id: 990199_wuyou\nname_zhh: 乌有县\n", "name_zhh"),
        ("id: 990199_wuyou\nid: 990199_wuyou\n", "id"),
        ("- not a mapping\n", "990199_wuyou.yaml"),
        ("id: [broken\n", "990199_wuyou.yaml"),
    ],
)
def test_source_file_with_a_mistake(house: House, command: Command, text: str, named: str) -> None:
    folder = house.folder / "more"
    folder.mkdir()
    (folder / "990199_wuyou.yaml").write_text(text, encoding="utf-8")
    done = command("sources", sources=str(folder))
    assert done.returncode == 2
    line = one_line(done.stderr)
    assert "990199_wuyou.yaml" in line and named in line


def test_warehouse_that_cannot_be_written(house: House) -> None:
    folder = house.folder / "data"
    folder.mkdir()
    (folder / "warehouse.sqlite").mkdir()  # a folder where the file should be stops root too
    with socket.socket() as gateway:
        gateway.bind(("127.0.0.1", 0))
        gateway.listen()
        done = house.run("nightly", replay=f"http://127.0.0.1:{gateway.getsockname()[1]}")
    assert done.returncode == 3
    assert "warehouse.sqlite" in one_line(done.stderr)


REPORT = "2024年，全县共收到行政复议申请126件，受理112件，不予受理14件。"


def test_output_through_a_link_or_a_pipe_leaves_them_what_they_are(house: House, command: Command) -> None:
    """A device such as the null device is the same case; a test must never try that as root."""
    text, link, pipe = house.folder / "a.txt", house.folder / "link.jsonl", house.folder / "pipe"
    text.write_text(REPORT, encoding="utf-8")
    link.symlink_to(house.folder / "real.jsonl")
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        done = command("parse", str(text), "--observations", str(link), "--mentions", str(pipe))
        assert done.returncode == 0, done.stderr
        assert os.read(reader, 65_536).count(b"\n") == 3
    finally:
        os.close(reader)
    assert link.is_symlink() and pipe.is_fifo()
    assert (house.folder / "real.jsonl").read_text(encoding="utf-8").startswith('{"doc": "a"')
    assert sorted(path.name for path in house.folder.iterdir()) == ["a.txt", "link.jsonl", "pipe", "real.jsonl"]


@pytest.mark.parametrize("outputs", [("o.jsonl", "./o.jsonl"), ("a.txt", "m.jsonl")])
def test_output_that_would_replace_an_input_or_another_output(
    house: House, command: Command, outputs: tuple[str, str]
) -> None:
    (house.folder / "a.txt").write_text(REPORT, encoding="utf-8")
    done = command("parse", "a.txt", "--observations", outputs[0], "--mentions", outputs[1])
    assert done.returncode == 2
    assert "named twice" in one_line(done.stderr)
    assert (house.folder / "a.txt").read_text(encoding="utf-8") == REPORT


def test_debug_may_stand_behind_the_command(house: House) -> None:
    done = house.run("status", "--debug")
    assert done.returncode == 2
    assert "Traceback" in done.stderr and done.stderr.splitlines()[-1].startswith("fazhi: no warehouse")


def test_settings_file_that_is_no_text(house: House, command: Command) -> None:
    (house.folder / ".env").write_bytes(b"\xff\xfe\x00")
    done = command("settings")
    assert done.returncode == 2
    assert ".env" in one_line(done.stderr)


@pytest.mark.parametrize("signal", ["KeyboardInterrupt", "prefect.exceptions.TerminationSignal(15)"])
def test_ctrl_c_or_sigterm_says_so_in_one_line(house: House, signal: str) -> None:
    """Raised inside a command, as both are: a signal's moment would be a matter of luck."""
    module = signal.rpartition(".")[0]
    code = (
        f"import sys{module and ', ' + module}, fazhi.cli as cli\n"
        f"def stop(): raise {signal}\n"
        "cli._settings = stop\n"
        "sys.exit(cli.main(['status']))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=house.folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 130
    assert "interrupted" in one_line(done.stderr)


def test_parse_names_the_file_it_cannot_read(house: House, command: Command) -> None:
    bad = house.folder / "latin.txt"
    bad.write_bytes("复议".encode("gb18030"))
    done = command("parse", str(bad))
    assert done.returncode == 2
    assert "latin.txt is not UTF-8" in one_line(done.stderr)
    assert command("parse", str(house.folder / "none.txt")).returncode == 2


def test_status_without_a_warehouse_says_what_to_do(house: House, command: Command) -> None:
    done = command("status")
    assert done.returncode == 2
    assert "make demo" in one_line(done.stderr)
    assert not house.warehouse.exists(), "a look must not create one"
