"""`python -m tests.nightly.commands SOCKET API`: a process that has imported the program once, and forks `fazhi` from
it for tests: the import takes longer than what most of their commands then do.

A command has its own arguments, environment, folder and outputs. Prefect takes its settings when it is imported, so the
server is always that of this address: what starts a server of its own is started as an operator starts it.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SOCKET = "fork"
"""A short name: paths of sockets may have a hundred characters."""


@dataclass(frozen=True)
class Commands:
    """Whom tests ask: where it listens, and the Prefect server that its commands report to."""

    socket: Path
    api: str

    def run(
        self, arguments: Sequence[str], environment: Mapping[str, str], folder: Path, seconds: float
    ) -> subprocess.CompletedProcess[str]:
        """`fazhi` with these arguments, or Python with `-c` and what follows. Else as subprocess.run does it: raises
        subprocess.TimeoutExpired, when it has killed the command."""
        told = json.dumps([list(arguments), dict(environment), str(folder)]).encode()
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, socket.socket(socket.AF_UNIX) as line:
            line.connect(str(self.socket))
            socket.send_fds(line, [b"!"], [out.fileno(), err.fileno()])
            line.sendall(told)
            line.shutdown(socket.SHUT_WR)
            line.settimeout(seconds)
            with line.makefile() as answers:
                pid = int(answers.readline())
                try:
                    code = int(answers.readline())
                except TimeoutError:
                    os.kill(pid, signal.SIGKILL)
                    line.settimeout(seconds)
                    while line.recv(100):  # until its parent has seen its end
                        pass
                    raise subprocess.TimeoutExpired(list(arguments), seconds) from None
            for file in (out, err):
                file.seek(0)
            return subprocess.CompletedProcess(arguments, code, out.read().decode(), err.read().decode())


def serve(path: str) -> socket.socket:
    """Forks for each connection, and returns in the child alone."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen(16)
        print("ready", flush=True)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
        while True:
            line, _ = listening.accept()
            if not os.fork():
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                return line
            line.close()


def carry_out(line: socket.socket) -> int:
    """The command, in a child once more: its parent waits for it and tells its id and what ended it."""
    _, outputs, _, _ = socket.recv_fds(line, 1, 2)
    with line.makefile("rb") as given:
        arguments, environment, folder = json.loads(given.read())
    if child := os.fork():
        line.sendall(f"{child}\n".encode())
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        line.sendall(f"{code}\n".encode())
        os._exit(0)
    line.close()
    for number, output in enumerate(outputs, 1):
        os.dup2(output, number)
        os.close(output)
    os.environ.update(environment)
    os.chdir(folder)
    if arguments[0] == "-c":
        sys.argv = ["-c", *arguments[2:]]
        exec(arguments[1], {"__name__": "__main__"})
        return 0
    sys.argv = ["fazhi", *arguments]
    from fazhi.cli import main

    return main()


def prepare(home: Path, api: str) -> None:
    """Not the flows whose forms name sources and regions: they take them from the settings when they are imported."""
    from fazhi.house import prepare_prefect
    from fazhi.settings import Settings
    from tests.nightly.killed import prepare

    os.environ["PREFECT_API_URL"] = api
    prepare_prefect(Settings(home=home))
    prepare()
    import fazhi.cli  # noqa: F401

    gc.freeze()


if __name__ == "__main__":
    prepare(Path(sys.argv[1]).with_name("forked"), sys.argv[2])
    sys.exit(carry_out(serve(sys.argv[1])))
