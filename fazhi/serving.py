"""`fazhi serve`: a Prefect server with all deployments, in one command."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from fazhi.exits import OUTSIDE, CommandFailed
from fazhi.settings import Settings

PORT = 4200
STARTS_WITHIN = 180.0
"""Seconds; the first start of a server makes its database."""
ENDS_WITHIN = 15.0
TOLD_AGAIN = 5.0
"""Seconds after which an interruption that was not heard is told again."""


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; behind a proxy leave it on loopback.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the server and its UI.")] = PORT,
) -> None:
    """Start a Prefect server, register all deployments and run them, on schedule or from the UI, until Ctrl-C.

    The server keeps its SQLite database in FAZHI_HOME/prefect; Prefect's own PREFECT_SERVER_DATABASE_CONNECTION_URL
    names a PostgreSQL instead. Where PREFECT_API_URL is set already, that server is used and none is started."""
    from fazhi.house import prepare_nightly, prepare_prefect, read_settings

    settings = read_settings()
    prepare_nightly(settings)
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "INFO")  # in the UI and here: nobody waits for a report
    os.environ.setdefault("PREFECT_SERVER_LOGGING_LEVEL", "WARNING")  # Prefect's default, for the server's log file
    prepare_prefect(settings)
    ending = _Ending()
    signal.signal(signal.SIGTERM, lambda *_: ending.tell())
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # the terminal is closed; under nohup it goes on
        signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))
    given = os.environ.get("PREFECT_API_URL")
    if given:
        with ending:
            _serve(given, given.removesuffix("/api"))
        return
    with _server(settings, host, port) as api, ending:
        os.environ["PREFECT_API_URL"] = api
        _serve(api, api.removesuffix("/api"))


class _Ending:
    """An interruption before Prefect's runner listens to signals itself. What registers the deployments waits on
    threads and loops of its own, where an exception can be lost: it is told again until the block has ended."""

    def __init__(self) -> None:
        self._again: threading.Timer | None = None

    def tell(self) -> NoReturn:
        self._again = threading.Timer(TOLD_AGAIN, os.kill, (os.getpid(), signal.SIGTERM))
        self._again.daemon = True
        self._again.start()
        raise KeyboardInterrupt

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None:
        if self._again is not None:
            self._again.cancel()


def _serve(api: str, shown: str) -> None:
    from flows.deployments import DEPLOYMENTS, serve_all

    typer.echo(f"Prefect's UI is at {shown}/  (Ctrl-C ends it)")
    typer.echo(f"Deployments: {', '.join(one.name for one in DEPLOYMENTS)}; API {api}")
    sys.stdout.flush()
    # The runner ends on SIGTERM with care: it cancels what runs and tells the server. Ctrl-C is to do the same.
    signal.signal(signal.SIGINT, lambda *_: signal.raise_signal(signal.SIGTERM))
    serve_all()


@contextmanager
def _server(settings: Settings, host: str, port: int) -> Iterator[str]:
    """The address of the API of a server that ends with this command. Raises CommandFailed where it does not start."""
    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        told = f"{host}:{port} cannot be listened on ({error.strerror}): choose another --port"
        if _answers(f"{_address(host, port)}/api/health"):
            told += f"; a Prefect server answers there: PREFECT_API_URL={_address(host, port)}/api makes use of it"
        raise CommandFailed(told, OUTSIDE) from error
    log = settings.home / "prefect" / "server.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    api = f"{_address(host, port)}/api"
    command = [str(Path(sys.executable).parent / "prefect"), "server", "start", "--host", host, "--port", str(port)]
    with log.open("ab") as out:  # in a session of its own: Ctrl-C must reach the runs before their server
        process = subprocess.Popen(
            command, stdout=out, stderr=out, start_new_session=True,
            env={**os.environ, "PREFECT_UI_API_URL": api},
        )  # fmt: skip
    try:
        _wait(process, f"{api}/health", log)
        yield api
    finally:
        process.terminate()
        try:
            process.wait(ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _address(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _answers(health: str) -> bool:
    try:
        with urllib.request.urlopen(health, timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, http.client.HTTPException):
        return False  # nobody, or no Prefect server


def _wait(process: subprocess.Popen[bytes], health: str, log: Path) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise CommandFailed(f"the Prefect server ended at once (exit {process.returncode}): read {log}", OUTSIDE)
        if _answers(health):
            return
        time.sleep(0.3)  # not listening yet
    raise CommandFailed(f"no answer from the Prefect server in {STARTS_WITHIN:.0f} s: read {log}", OUTSIDE)
