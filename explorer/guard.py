"""What stands before every page: method, host, token, size of the question, rate; and the headers of every answer."""

from __future__ import annotations

import base64
import binascii
import hmac
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from secrets import token_hex

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOGGER = logging.getLogger("fazhi.explorer")
LONGEST_QUERY = 4096
CLIENTS = 10_000
"""Addresses remembered for their rate."""
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


@dataclass(slots=True)
class Rate:
    """So many questions a second from one address, and a burst of some seconds at once."""

    per_second: float
    burst: float
    _left: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def wait(self, client: str, now: float) -> float:
        """0 where the question is allowed, else the seconds to wait."""
        left, at = self._left.pop(client, (self.burst, now))
        left = min(self.burst, left + (now - at) * self.per_second)
        allowed = left >= 1
        self._left[client] = (left - 1 if allowed else left, now)
        if len(self._left) > CLIENTS:
            self._left.popitem(last=False)
        return 0 if allowed else (1 - left) / self.per_second


class Guard:
    """The outermost layer. Hosts are compared without their port. `tell_fault` makes the answer to a question that met
    a fault nobody expected, by the id under which the log has it."""

    def __init__(
        self, app: ASGIApp, hosts: tuple[str, ...], token: str | None, rate: Rate,
        tell_fault: Callable[[Scope, str], Response],
    ) -> None:  # fmt: skip
        self.app = app
        self.hosts = {host.lower() for host in (*LOOPBACK, *hosts)}
        self.token = token
        self.rate = rate
        self.tell_fault = tell_fault

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        is_begun = False

        async def send_guarded(message: Message) -> None:
            nonlocal is_begun
            is_begun = True
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                if "cache-control" not in headers:
                    headers["cache-control"] = "no-cache"
            await send(message)

        refusal = self._refusal(scope)
        try:
            await (refusal or self.app)(scope, receive, send_guarded)
        except Exception:
            fault = token_hex(4)
            LOGGER.exception("fault %s at %s", fault, ascii(scope["path"]))
            if is_begun:
                raise  # half an answer: the connection is cut, so that nobody takes it for a whole one
            await self.tell_fault(scope, fault)(scope, receive, send_guarded)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers = Headers(scope=scope)
        if scope["method"] not in ("GET", "HEAD"):
            return PlainTextResponse("only GET and HEAD: this server changes nothing\n", 405, {"allow": "GET, HEAD"})
        if host_of(headers.get("host", "")) not in self.hosts:
            return PlainTextResponse(
                "this name is not served here; the operator adds it with FAZHI_EXPLORE_HOSTS\n", 421
            )
        if len(scope["query_string"]) > LONGEST_QUERY:
            return PlainTextResponse(f"the question is longer than {LONGEST_QUERY} bytes\n", 414)
        if self.token is not None and not self._may_enter(headers.get("authorization", "")):
            challenge = {"www-authenticate": 'Basic realm="fazhi", charset="UTF-8"'}
            return PlainTextResponse("a token is needed: as the password, or as a bearer token\n", 401, challenge)
        if scope["path"].startswith("/static/"):
            return None
        client = scope["client"][0] if scope.get("client") else ""
        wait = self.rate.wait(client, time.monotonic())
        if wait:
            return PlainTextResponse("too many questions at once\n", 429, {"retry-after": str(int(wait) + 1)})
        return None

    def _may_enter(self, authorization: str) -> bool:
        """`Bearer <token>`, or `Basic` with the token as the password (what a browser asks for)."""
        assert self.token is not None
        kind, _, said = authorization.partition(" ")
        given = said.strip()
        if kind.lower() == "basic":
            try:
                given = base64.b64decode(given, validate=True).decode("utf-8").partition(":")[2]
            except (binascii.Error, UnicodeDecodeError):
                return False
        elif kind.lower() != "bearer":
            return False
        return hmac.compare_digest(given.encode(), self.token.encode())


def host_of(header: str) -> str:
    """The name in a Host header, without its port."""
    name = header.strip().lower()
    if name.startswith("["):
        return name.partition("]")[0] + "]"
    return name.partition(":")[0]
