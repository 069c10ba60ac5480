"""The transport below httpx's requests and responses: HTTP/1.1 over asyncio, and nothing that a crawler does not need.

httpx's own transport costs 2–4 ms of CPU a page; this one a tenth of it. The checked address is the one dialled:
names are resolved here, every address is judged (guard.py), and the connection goes to that address while Host,
SNI and certificate keep the name. Connections are kept per scheme, host, port and TLS exception.
"""

from __future__ import annotations

import asyncio
import math
import ssl
import time
from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

import httpx

from connectors.errors import SourceError, Untrusted
from connectors.http.connection import Connection
from connectors.http.guard import resolve_public
from connectors.http.trust import TlsException, context_for, holds_pin
from connectors.http.wire import Head, Header, Incomplete

_MAX_IDLE = 512
"""Connections kept open at once; the oldest goes first."""
_IDLE_SECONDS = 20.0
_MAX_ADDRESSES = 4
"""Of one host, tried in turn."""
_LOOK_SECONDS = 0.25
"""Between two looks for answers that take too long: a timer for each request would cost more than the look."""


class Endpoint(NamedTuple):
    """Where a connection leads: connections of one endpoint are interchangeable."""

    scheme: str
    host: str
    port: int
    tls: TlsException | None = None


class LeanTransport(httpx.AsyncBaseTransport):
    """Sends one request at a time per connection. A client of httpx may use it as it is; ours asks without httpx's
    request and answer as objects, which for an answer without a body cost more than all else here."""

    def __init__(self) -> None:
        self._asked: dict[Connection, None] = {}
        """Connections with a limit of time, and some that have none any more."""
        self._look: asyncio.TimerHandle | None = None
        self._idle: dict[Endpoint, list[Connection]] = {}
        self._n_idle = 0

    def endpoint(self, url: httpx.URL, tls: TlsException | None) -> Endpoint:
        return Endpoint(url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80), tls)

    async def addresses(self, endpoint: Endpoint) -> Sequence[str]:
        """The addresses to dial, all of them checked. Raises Refused, or Transient when there is none."""
        return await resolve_public(endpoint.host, endpoint.port)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """httpx's way in, with httpx's own limits of time. Raises as `ask` does."""
        if request.method != "GET":
            raise httpx.UnsupportedProtocol(f"only GET is sent, not {request.method}")
        limits = request.extensions.get("timeout", {})
        connect, read = limits.get("connect") or math.inf, limits.get("read") or math.inf
        until = asyncio.get_running_loop().time() + read
        block = write_request(request.url.raw_path, request.headers.raw)
        head, body = await self.ask(request.url, str(request.url), block, until=until, connect=connect)
        return httpx.Response(head.status, headers=head.headers, stream=body)

    async def ask(
        self,
        url: httpx.URL,
        address: str,
        block: bytes,
        *,
        until: float,
        connect: float,
        tls: TlsException | None = None,
    ) -> tuple[Head, Body]:
        """Send `block` where `url` (as words: `address`) leads, and read the head of the answer. Until when its end
        must have been read: by the loop's clock; `connect`: seconds.

        Raises httpx.TransportError, TimeoutError, Refused, Untrusted, TooLarge or Transient."""
        endpoint = self.endpoint(url, tls)
        connection = self._take(endpoint)
        while True:
            if connection is None:
                async with asyncio.timeout_at(until):
                    connection = await self.dial(endpoint, connect)
            try:
                self._watch(connection, until)
                head = await connection.ask(block, address)
                return head, Body(self, endpoint, connection, head, address)
            except (Incomplete, httpx.ReadError):
                # A kept connection that ends without a byte was closed while it was idle: the request was not seen,
                # and goes out once more on a new one (RFC 9112, 9.3.1).
                connection.close()
                if not connection.has_answered or connection.buffer:
                    raise
                connection = None
            except BaseException:
                connection.close()
                raise

    def _watch(self, connection: Connection, until: float) -> None:
        """From now on the connection has an answer to bring until then."""
        connection.until = until
        self._asked[connection] = None
        if self._look is None:
            self._look = asyncio.get_running_loop().call_later(_LOOK_SECONDS, self._end_late)

    def _end_late(self) -> None:
        loop = asyncio.get_running_loop()
        self._asked = {one: None for one in self._asked if not one.is_over and one.until < math.inf}
        for connection in self._asked:
            if connection.until <= loop.time():
                connection.expire()
        self._look = loop.call_later(_LOOK_SECONDS, self._end_late) if self._asked else None

    def _take(self, endpoint: Endpoint) -> Connection | None:
        kept = self._idle.get(endpoint)
        while kept:
            connection = kept.pop()
            self._n_idle -= 1
            if not connection.is_over and time.monotonic() - connection.idle_since < _IDLE_SECONDS:
                return connection
            connection.close()
        self._idle.pop(endpoint, None)
        return None

    def keep(self, endpoint: Endpoint, connection: Connection) -> None:
        """Take back a connection whose answer was read to its end."""
        if not connection.rest():
            return
        self._idle.setdefault(endpoint, []).append(connection)
        self._n_idle += 1
        if self._n_idle > _MAX_IDLE:
            oldest = min(self._idle, key=lambda key: self._idle[key][0].idle_since)
            self._idle[oldest].pop(0).close()
            self._n_idle -= 1
            if not self._idle[oldest]:
                del self._idle[oldest]

    async def dial(self, endpoint: Endpoint, seconds: float) -> Connection:
        """Connect to one of the endpoint's checked addresses. `seconds` are for all tries together."""
        addresses = (await self.addresses(endpoint))[:_MAX_ADDRESSES]
        error: Exception | None = None
        for address in addresses:
            try:
                async with asyncio.timeout(seconds / len(addresses)):
                    return await _connect(endpoint, address)
            except TimeoutError:
                error = httpx.ConnectTimeout(f"no connection to {address} in time")
            except OSError as cause:
                error = httpx.ConnectError(str(cause) or type(cause).__name__)
        raise error or httpx.ConnectError(f"{endpoint.host} has no address")

    async def aclose(self) -> None:
        for kept in self._idle.values():
            for connection in kept:
                connection.close()
        self._idle.clear()
        self._n_idle = 0
        if self._look is not None:
            self._look.cancel()
            self._look = None
        await asyncio.sleep(0)  # lets the closed sockets go before the loop does


async def _connect(endpoint: Endpoint, address: str) -> Connection:
    loop = asyncio.get_running_loop()
    if endpoint.scheme == "http":
        _, connection = await loop.create_connection(Connection, address, endpoint.port)
        return connection
    try:
        _, connection = await loop.create_connection(
            Connection, address, endpoint.port, ssl=context_for(endpoint.tls), server_hostname=endpoint.host
        )
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
        raise ConnectionError(f"closed in the TLS handshake ({error})") from error
    except ssl.SSLError as error:
        raise _untrusted(endpoint.host, error) from error
    tls = endpoint.tls
    if tls is not None and not tls.is_http_only and not holds_pin(tls, connection.certificate()):
        connection.close()
        raise Untrusted(
            f"{endpoint.host} does not show the certificate that its source pins ({tls.rule[:23]}…): find out why, "
            "then pin the new one or remove `tls`"
        )
    return connection


def _untrusted(host: str, error: ssl.SSLError) -> SourceError:
    if isinstance(error, ssl.SSLCertVerificationError):
        words = f"{host} shows no valid certificate: {error.verify_message}"
    else:
        words = f"{host} offers no TLS that is safe: {error.reason or error}"
    return Untrusted(f"{words}; if its operator cannot mend it, state `tls` and `tls_reason` in the source")


def write_request(path: bytes, headers: Sequence[Header]) -> bytes:
    """A GET as it is sent. Raises LocalProtocolError for a value that would end its line."""
    lines = [b"%b: %b" % pair for pair in headers]
    block = b"\r\n".join([b"GET %b HTTP/1.1" % path, *lines, b"", b""])
    n_lines = len(lines) + 2
    if block.count(b"\n") != n_lines or block.count(b"\r") != n_lines or b"\0" in block:
        raise httpx.LocalProtocolError("a line break inside a header of ours")
    return block


class Body(httpx.AsyncByteStream):
    """An answer's body. Read to its end, the connection is kept; given up, it is closed."""

    def __init__(
        self, transport: LeanTransport, endpoint: Endpoint, connection: Connection, head: Head, url: str
    ) -> None:
        self._transport = transport
        self._endpoint = endpoint
        self._connection: Connection | None = connection
        self._head = head
        self._url = url
        self.lag = 0.0
        """How long the body's end had lain unread, seconds."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        connection, head = self._connection, self._head
        if connection is None:
            raise httpx.StreamClosed()
        async for part in connection.read_body(head, self._url):
            yield part
        self._finish(connection)

    def skip(self) -> bool:
        """True where the answer has no body at all: it is read to its end with that."""
        if self._head.framing != "none" or self._connection is None:
            return False
        self._finish(self._connection)
        return True

    def _finish(self, connection: Connection) -> None:
        self.lag = connection.lag()
        self._connection = None
        if self._head.keeps_alive:
            self._transport.keep(self._endpoint, connection)
        else:
            connection.close()

    def close(self) -> None:
        """What was not read is given up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def aclose(self) -> None:
        self.close()
