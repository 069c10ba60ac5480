"""The archive as a replay gateway: each address answers with the newest page that is held of it.

With it a warehouse that is lost is built anew, and a new reading is tried on all that was ever fetched, without a
request to any portal. An address that nobody fetched answers 404, robots.txt among them (a 404 is a yes, RFC 9309).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from connectors.archive.model import SnapshotRef
from connectors.archive.scan import Damaged, Held, file_names, scan
from connectors.archive.store import Archive
from connectors.errors import ContractBroken

Key = tuple[str, str]
"""Host as in a Host header, and path with query."""


@dataclass(frozen=True, slots=True)
class Newest:
    """What a gateway can answer with."""

    pages: dict[Key, Held]
    damaged: tuple[Damaged, ...]


def find_newest(archive: Archive) -> Newest:
    """The newest version of each address, by when it was fetched. A page that came by a redirect answers at the address
    that was asked as well, unless that has a page of its own."""
    asked: dict[Key, Held] = {}
    final: dict[Key, Held] = {}
    damaged = []
    for name in file_names(archive):
        for found in scan(archive, name):
            if isinstance(found, Damaged):
                damaged.append(found)
                continue
            for held, url in ((final, found.url), (asked, found.asked)):
                before = held.get(key := _key(url))
                if before is None or before.fetched_at <= found.fetched_at:
                    held[key] = found
    return Newest(asked | final, tuple(damaged))


def _key(url: str) -> Key:
    parts = urlsplit(url)
    return parts.netloc.lower(), (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


@contextmanager
def serve_newest(archive: Archive, newest: Newest, port: int = 0) -> Iterator[str]:
    """Serve on loopback while the context lasts; gives the address. Raises OSError where the port is taken."""
    refs: dict[Key, SnapshotRef] = {key: held.ref for key, held in newest.pages.items()}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            ref = refs.get((self.headers.get("Host", "").lower(), self.path))
            if ref is None:
                self._answer(404, "text/plain; charset=utf-8", b"not in the archive")
                return
            try:
                page = archive.load(ref)
            except ContractBroken as error:
                self._answer(500, "text/plain; charset=utf-8", str(error).encode())
                return
            self._answer(page.status, page.content_type, page.body)

        def _answer(self, status: int, content_type: str | None, body: bytes) -> None:
            self.send_response(status)
            if content_type is not None:
                self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Silent: the run that asks tells what it got."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="archive replay", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
