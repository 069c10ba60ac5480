"""A real HTTP server on loopback that does as told: for tests of everything that opens a socket.

`with Site() as site:` starts it in a thread; `site.on(path, …)` says what a path answers, `site.url` is its
address. Used as a replay gateway it stands for every host at once; `host=` makes an answer hold for one host.
"""

from __future__ import annotations

import gzip
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    host: str
    target: str
    headers: Mapping[str, str]
    at: float
    """time.monotonic()"""
    peer: int
    """The client's port: the same for requests over one connection."""


@dataclass
class Reply:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: Callable[[BaseHTTPRequestHandler, threading.Event], None] | None = None
    """Writes to the socket itself; the event is set when the server stops."""


class Site:
    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.seen: list[Seen] = []
        self.tls = tls
        self._replies: dict[tuple[str | None, str], list[Reply]] = {}
        self._stopping = threading.Event()
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                site._answer(self)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that hangs up early is part of the tests."""

        self._server = Server(("127.0.0.1", 0), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._server.shutdown()
        self.close()
        self._thread.join(5)

    def close(self) -> None:
        self._server.server_close()

    def on(
        self,
        target: str,
        body: bytes | str = b"",
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        host: str | None = None,
        raw: Callable[[BaseHTTPRequestHandler, threading.Event], None] | None = None,
    ) -> Site:
        """Add an answer; several for one target are given in turn, the last one for good."""
        data = body.encode() if isinstance(body, str) else body
        self._replies.setdefault((host, target), []).append(Reply(status, data, headers or {}, raw))
        return self

    def forget(self, target: str) -> None:
        """Take back all answers for a target: it is not there any more."""
        for key in [key for key in self._replies if key[1] == target]:
            del self._replies[key]

    def asked(self, target: str) -> list[Seen]:
        return [seen for seen in self.seen if seen.target == target]

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        host = handler.headers.get("Host", "")
        headers = {name.lower(): value for name, value in handler.headers.items()}
        self.seen.append(Seen(host, handler.path, headers, time.monotonic(), handler.client_address[1]))
        queue = self._replies.get((host, handler.path)) or self._replies.get((None, handler.path))
        if queue is None:
            queue = [Reply(404, b"not here")]
        reply = queue.pop(0) if len(queue) > 1 else queue[0]
        if reply.raw is not None:
            handler.close_connection = True
            reply.raw(handler, self._stopping)
            return
        status, body = reply.status, reply.body
        etag = reply.headers.get("ETag")
        if etag is not None and headers.get("if-none-match") == etag:
            status, body = 304, b""
        handler.send_response(status)
        for name, value in reply.headers.items():
            handler.send_header(name, value)
        if status != 304:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)


Raw = Callable[[BaseHTTPRequestHandler, threading.Event], None]


def sends(*parts: bytes, pause: float = 0.0, keep: bool = False) -> Raw:
    """Exactly these bytes, with pauses in between; then the connection is closed, or kept for the next request."""

    def raw(handler: BaseHTTPRequestHandler, stopping: threading.Event) -> None:
        handler.close_connection = not keep
        for number, part in enumerate(parts):
            if number and stopping.wait(pause):
                return
            handler.wfile.write(part)
            handler.wfile.flush()

    return raw


def hang(handler: BaseHTTPRequestHandler, stopping: threading.Event) -> None:
    """Accept, and never answer."""
    stopping.wait(10)


def trickle(handler: BaseHTTPRequestHandler, stopping: threading.Event) -> None:
    """A byte now and then: no single read times out."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(200):
        if stopping.wait(0.05):
            return
        handler.wfile.write(b"x")
        handler.wfile.flush()


def reset(handler: BaseHTTPRequestHandler, stopping: threading.Event) -> None:
    """Close with RST."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def short_body(handler: BaseHTTPRequestHandler, stopping: threading.Event) -> None:
    """Announce more than is sent."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")


def endless(handler: BaseHTTPRequestHandler, stopping: threading.Event) -> None:
    """A body without length and without end."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
    while not stopping.is_set():
        handler.wfile.write(b"<p>" * 4000)


def gzip_bomb(megabytes: int) -> bytes:
    """That many MiB of one letter, compressed."""
    return gzip.compress(b"x" * (megabytes << 20))
