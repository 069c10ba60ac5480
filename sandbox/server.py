"""The sandbox's gateway: serves the five portals on loopback, each by its host name.

A site is chosen by the Host header (a crawler with `FAZHI_REPLAY` set), by an absolute request target (a
proxy's), or by `/HOST/path` (a person's browser). Every answer of 200 carries ETag and Last-Modified, and a
conditional request is answered with 304 (RFC 9110, 13.1). Nothing but loopback is ever bound.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import socketserver
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import format_datetime, parsedate_to_datetime
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import parse_qsl, urlsplit

from fazhi.waiting import until_interrupted
from sandbox.model import DAYS, Day, Portal, Resource
from sandbox.portals import build_portals

_NOT_FOUND = '<html><head><meta charset="utf-8"><title>404</title></head><body>页面不存在或已删除</body></html>'
_IDLE_SECONDS = 60
_MAX_BODY = 65536


@dataclass(frozen=True, slots=True)
class Gateway:
    """A running sandbox: its address, and the hosts that it answers for."""

    url: str
    hosts: tuple[str, ...]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], portals: tuple[Portal, ...]) -> None:
        self.portals: Mapping[str, Portal] = {portal.site.host: portal for portal in portals}
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Without the reverse look-up of http.server, which can take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        assert isinstance(request, socket.socket)
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        assert isinstance(request, socket.socket)
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is none; anything else is shown as usual."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    def hang_up(self) -> None:
        """End the kept-alive connections, so that their threads end now and not when they are idle."""
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):  # the client was faster
                    connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "sandbox"
    sys_version = ""
    timeout = _IDLE_SECONDS
    disable_nagle_algorithm = True
    error_content_type: str = "text/plain;charset=utf-8"
    error_message_format: str = "%(code)d %(message)s"
    _NO_BODY: ClassVar = (HTTPStatus.NOT_MODIFIED,)

    def do_GET(self) -> None:
        if "transfer-encoding" in self.headers or not self._skip_body():
            self.close_connection = True
            self._send(HTTPStatus.BAD_REQUEST, b"bad request\n", "text/plain;charset=utf-8")
            return
        parts = urlsplit(self.path)
        host = (parts.hostname or self.headers.get("Host", "").rpartition("@")[2].partition(":")[0]).lower()
        portal = self.server.portals.get(host)
        path = parts.path or "/"
        if portal is None:
            portal, path = self._choose_by_path(path)
        if portal is None and path == "/":
            self._send(HTTPStatus.OK, _index_page(self.server.portals), "text/html;charset=utf-8")
        elif portal is None:
            self._redirect_to_referring_site(path, parts.query)
        else:
            self._answer(find_resource(portal, path, parts.query))

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: the crawler under test has its own log."""

    def _skip_body(self) -> bool:
        """A body says nothing to a portal; left unread it would be taken for the next request."""
        try:
            length = int(self.headers.get("Content-Length", "0"))
        except ValueError:
            return False
        if not 0 <= length <= _MAX_BODY:
            return False
        self.rfile.read(length)
        return True

    def _choose_by_path(self, path: str) -> tuple[Portal | None, str]:
        host, slash, rest = path[1:].partition("/")
        portal = self.server.portals.get(host.lower())
        return portal, f"/{rest}" if portal and slash else "/" if portal else path

    def _redirect_to_referring_site(self, path: str, query: str) -> None:
        """A link from the root of a site that is being read under /HOST/: back under that site."""
        portal, _ = self._choose_by_path(urlsplit(self.headers.get("Referer", "")).path or "/")
        if portal is None or not path.startswith("/") or path.startswith("//"):
            self._send(HTTPStatus.NOT_FOUND, _NOT_FOUND.encode(), "text/html;charset=utf-8")
            return
        location = f"/{portal.site.host}{path}" + (f"?{query}" if query else "")
        self._send(HTTPStatus.FOUND, b"", "text/plain", {"Location": location})

    def _answer(self, resource: Resource | None) -> None:
        if resource is None:
            self._send(HTTPStatus.NOT_FOUND, _NOT_FOUND.encode(), "text/html;charset=utf-8")
            return
        modified = format_datetime(resource.modified, usegmt=True)
        validators = {"ETag": resource.etag, "Last-Modified": modified}
        if self._is_fresh(resource):
            self._send(HTTPStatus.NOT_MODIFIED, b"", None, validators)
        else:
            self._send(HTTPStatus.OK, resource.body, resource.content_type, validators)

    def _is_fresh(self, resource: Resource) -> bool:
        """If-None-Match decides alone where it is sent; weak comparison (RFC 9110, 13.1.2)."""
        tags = self.headers.get("If-None-Match")
        if tags is not None:
            return tags.strip() == "*" or resource.etag in (tag.strip().removeprefix("W/") for tag in tags.split(","))
        since = self.headers.get("If-Modified-Since")
        if since is None:
            return False
        try:
            return parsedate_to_datetime(since) >= resource.modified
        except (ValueError, TypeError):  # no date, or one without a zone: as if it were not sent
            return False

    def _send(
        self, status: HTTPStatus, body: bytes, content_type: str | None, extra: Mapping[str, str] | None = None
    ) -> None:
        self.send_response(status)
        if content_type:
            self.send_header("Content-Type", content_type)
        if status not in self._NO_BODY:
            self.send_header("Content-Length", str(len(body)))
        for name, value in (extra or {}).items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def find_resource(portal: Portal, path: str, query: str) -> Resource | None:
    """The page of an address; a query that a static page does not know is ignored, as web servers do."""
    if path in portal.services:
        return portal.services[path](dict(parse_qsl(query, keep_blank_values=True)))
    found = portal.resources.get(f"{path}?{query}") if query else None
    return found or portal.resources.get(path)


def _index_page(portals: Mapping[str, Portal]) -> bytes:
    rows = "".join(
        f'<li><a href="/{host}/">{escape(portal.site.government)}</a> '
        f"{host} ({portal.site.layout}): "
        f'<a href="/{host}{portal.site.column_path}">{escape(portal.site.column)}</a></li>'
        for host, portal in portals.items()
    )
    return (
        '<!DOCTYPE html><html lang="zh"><head><meta charset="utf-8"><title>fazhi sandbox</title></head><body>'
        "<h1>演示门户 · Sandbox portals</h1><p>五个虚构地方的门户 · Five portals of places that do not exist</p>"
        f"<ul>{rows}</ul></body></html>"
    ).encode()


def _start(host: str, port: int, day: int) -> tuple[_Server, Gateway]:
    """Bind and build. Raises ValueError for an address that is not loopback or a day other than 1 and 2."""
    if day not in DAYS:
        raise ValueError(f"the sandbox has day 1 and day 2, not {day}")
    address = "127.0.0.1" if host == "localhost" else host
    try:
        is_loopback = ipaddress.ip_address(address).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise ValueError(f"the sandbox binds loopback addresses only, not {host!r}: use 127.0.0.1")
    chosen: Day = 1 if day == 1 else 2
    server = _Server((address, port), build_portals(chosen))
    shown = f"[{address}]" if ":" in address else address
    return server, Gateway(f"http://{shown}:{server.server_port}", tuple(server.portals))


@contextlib.contextmanager
def serve(host: str = "127.0.0.1", port: int = 0, day: int = 1) -> Iterator[Gateway]:
    """Serve in a thread while the context lasts. Port 0 takes a free one."""
    server, gateway = _start(host, port, day)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="sandbox", daemon=True)
    thread.start()
    try:
        yield gateway
    finally:
        server.shutdown()
        thread.join()
        server.hang_up()
        server.server_close()


def run(port: int = 8765, day: int = 1) -> None:
    """Serve until SIGINT or SIGTERM. Prints one ready line. Call it from the main thread.

    Raises OSError if the port is taken."""
    with until_interrupted() as stop, serve(port=port, day=day) as gateway:
        print(f"ready {gateway.url} day {day}: {' '.join(gateway.hosts)}", flush=True)
        stop.wait()
