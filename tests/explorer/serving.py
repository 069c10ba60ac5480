"""The explorer behind a real server on loopback, and a client that follows nothing and forgives nothing."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import uvicorn

from explorer.app import Options, create_app


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8")

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Served:
    address: str
    app: Any

    def ask(self, path: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> Answer:
        parts = urlsplit(self.address)
        link = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        try:
            link.request(method, quote(path, safe="/?&=%:#,+-"), headers=dict(headers or {}))
            answer = link.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, told, answer.read())
        finally:
            link.close()

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """What the release's reader answers: for looking up keys."""
        with self.app.state.house.current.reading() as reader:
            found: list[dict[str, Any]] = reader.rows(sql)
            return found

    def wait(self, path: str = "/healthz", status: int = 200, seconds: float = 60) -> Answer:
        end = time.monotonic() + seconds
        while (answer := self.ask(path)).status != status:
            assert time.monotonic() < end, f"{path}: {answer.status} {answer.text[:300]}"
            time.sleep(0.05)
        return answer


@contextmanager
def serving(options: Options) -> Iterator[Served]:
    app = create_app(options)
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, server_header=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield Served(f"http://127.0.0.1:{listening.getsockname()[1]}", app)
    finally:
        server.should_exit = True
        thread.join(timeout=30)
        listening.close()
        assert not thread.is_alive(), "the server did not end"
