"""A server that the workers of a run share ends with the last of them, also where all are killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.conftest import ROOT
from tests.postgres import running_server
from tests.shared import home_of_servers, keep, shared

USER = """
import sys
from tests.postgres import running_server
from tests.shared import keep, shared

with running_server(sys.argv[1]) as server:
    print(server.url("postgres"), flush=True)
    sys.stdin.read()
"""


def answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def wait_for(holds: Callable[[], bool], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.05)
    return holds()


def test_a_server_ends_when_all_who_use_it_are_killed() -> None:
    name = uuid.uuid4().hex
    folder = home_of_servers() / f"fazhi-postgresql-{name}"
    command = [sys.executable, "-c", USER, name]
    users = [
        subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)
    ]
    try:
        first, second = (user.stdout.readline().strip() for user in users if user.stdout)
        assert first == second and answers(first), "both use one server"
        users[0].kill()
        assert users[0].wait() == -signal.SIGKILL
        with running_server(name) as server:
            assert server.url("postgres") == first and answers(first), "it goes on for the others, and takes more"
        users[1].kill()
        assert users[1].wait() == -signal.SIGKILL
        assert wait_for(lambda: not folder.exists()) and not answers(first)
    finally:
        for user in users:
            user.kill()
            user.communicate()


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Nothing but a file that is there as long as the server runs."""
    running = folder / uuid.uuid4().hex
    running.touch()
    yield str(running)
    running.unlink()


def test_who_comes_while_a_server_ends_has_a_new_one() -> None:
    name, seen = f"nothing-{uuid.uuid4().hex}", list[str]()

    def come_and_go() -> None:
        for _ in range(3):
            with shared(name, __name__) as running:
                assert Path(running).exists()
                seen.append(running)

    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(come_and_go) for _ in range(2)]:
            done.result()
    assert len(seen) == 6 and len(set(seen)) > 1


if __name__ == "__main__":
    keep(Path(sys.argv[1]), serve(Path(sys.argv[1])))
