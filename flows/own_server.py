"""The Prefect server that a command starts for itself: it ends with the command, however that ends.

Prefect stops it at exit. Of a command that was killed it would live on for good, with 200 MB and its hand on the
database of the next one. So a shell waits for the end of a pipe that only this process holds: that it ends without a
word means that nobody is left to stop the server.
"""

from __future__ import annotations

import atexit
import subprocess
from typing import Any

from prefect.settings import PREFECT_API_URL

_WAIT = """read -r said && exit
kill "$1"
for second in 1 2 3 4 5 6 7 8 9 10; do sleep 1; kill -0 "$1" || exit; done
kill -9 "$1"
"""


def end_server_with_us() -> None:
    """Of a server that Prefect will start. With PREFECT_API_URL it starts none."""
    if PREFECT_API_URL.value():
        return
    from prefect.server.api.server import SubprocessASGIServer  # Prefect would import it now

    start = SubprocessASGIServer._run_uvicorn_command

    def start_and_watch(server: SubprocessASGIServer) -> subprocess.Popen[Any]:
        process = start(server)
        _watch(process.pid)
        return process

    SubprocessASGIServer._run_uvicorn_command = start_and_watch  # type: ignore[assignment, method-assign]


def _watch(pid: int) -> None:
    waiting = subprocess.Popen(
        ["/bin/sh", "-c", _WAIT, "sh", str(pid)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C at a terminal is for the command
    )

    def part() -> None:
        """At exit, before Prefect stops the server or after: there is nothing left to see to."""
        waiting.communicate(b"done\n")

    atexit.register(part)
