"""One TCP or TLS connection: what arrives is kept in one bounded buffer until somebody takes it."""

from __future__ import annotations

import asyncio
import math
import socket
import sys
import time
from collections.abc import AsyncIterator
from typing import cast

import httpx

from connectors.errors import TooLarge
from connectors.http.wire import MAX_HEAD, MAX_INFORMATIONAL, Chunks, Head, Incomplete, find_head, parse_head

_TCP_INFO: int | None = getattr(socket, "TCP_INFO", None) if sys.platform == "linux" else None
_LAST_DATA_RECV = slice(52, 56)
"""In Linux's `struct tcp_info`: milliseconds since the last data came."""
_HIGH_WATER = 1 << 19
"""Bytes in the buffer from which the server must wait."""


class Connection(asyncio.Protocol):
    """Reads one answer after another. Bytes that nobody asked for end it: they are not the next answer."""

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.is_busy = True
        self.is_over = False
        self.has_answered = False
        """An answer was read from it: a failure of the next may only mean that it was idle for too long."""
        self.idle_since = 0.0
        self.until = math.inf
        """By the loop's clock: when the answer must be there. Its transport looks at that from time to time."""
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._is_paused = False
        self._transport: asyncio.Transport
        self._socket: socket.socket | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._socket = transport.get_extra_info("socket")

    def data_received(self, data: bytes) -> None:
        if not self.is_busy:
            self.close()
            return
        self.buffer += data
        if len(self.buffer) > _HIGH_WATER and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        self.is_over = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_over = True
        self._error = exc
        self._wake()

    def close(self) -> None:
        """At once: what is not read yet is not wanted."""
        self.is_over = True
        self._transport.abort()

    def expire(self) -> None:
        """The answer's time is over: whoever waits for it is told."""
        self.until = -math.inf
        self._wake()

    def certificate(self) -> bytes | None:
        """The certificate shown in the handshake, DER."""
        tls = self._transport.get_extra_info("ssl_object")
        shown: bytes | None = tls.getpeercert(binary_form=True) if tls is not None else None
        return shown

    def lag(self) -> float:
        """Seconds for which the last bytes had lain in the kernel: in that time the host waited for us, not we for it.
        0 where the kernel does not say so."""
        if self._socket is None or _TCP_INFO is None:
            return 0.0
        try:
            told = self._socket.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _LAST_DATA_RECV.stop)
        except OSError:  # closed meanwhile
            return 0.0
        return int.from_bytes(told[_LAST_DATA_RECV], sys.byteorder) / 1000

    def rest(self) -> bool:
        """Ready for the next request; False when it cannot be used again."""
        if self.is_over or self.buffer:
            self.close()
            return False
        self.is_busy, self.until = False, math.inf
        self.idle_since = time.monotonic()
        return True

    async def ask(self, request: bytes, url: str) -> Head:
        """Send a request and read the head of the answer; 1xx are passed over.

        Raises Incomplete, ReadError, RemoteProtocolError or TooLarge."""
        self.is_busy = True
        self._transport.write(request)
        if not self.buffer and not self.is_over:
            await self._wait()
        for _ in range(MAX_INFORMATIONAL):
            head = parse_head(await self._read_block(url), url)
            if head.status >= 200 or head.status == 101:
                self.has_answered = True
                return head
        raise httpx.RemoteProtocolError("informational answers without end")

    async def _read_block(self, url: str) -> bytes:
        scanned = 0
        if not self.buffer:
            await self._more()
        while (end := find_head(self.buffer, scanned)) < 0:
            scanned = len(self.buffer)
            if scanned > MAX_HEAD:
                break
            await self._more()
        if end < 0 or end > MAX_HEAD:
            raise TooLarge(f"{url} sends headers of more than {MAX_HEAD} bytes", url=url)
        block = bytes(self.buffer[:end])
        del self.buffer[:end]
        return block

    async def read_body(self, head: Head, url: str) -> AsyncIterator[bytes]:
        """The body as framed, in parts as they come. Raises Incomplete when it is shorter than announced, and
        RemoteProtocolError when it is seen to be longer: a page that is cut at its announced length is no page."""
        if head.framing == "length":
            left = head.length
            while left:
                if not self.buffer:
                    await self._more()
                part = self._take(left)
                left -= len(part)
                yield part
            if self.buffer.strip() and not self.buffer.startswith(b"HTTP/1."):
                raise httpx.RemoteProtocolError("the body is longer than announced")
        elif head.framing == "chunked":
            chunks = Chunks(url)
            while True:
                part = chunks.take(self.buffer)
                if part:
                    yield part
                if chunks.is_done:
                    return
                await self._more()
        elif head.framing == "close":
            while self.buffer or not self.is_over:
                if self.buffer:
                    yield self._take(len(self.buffer))
                else:
                    await self._wait()
            if self._error is not None:
                raise httpx.ReadError(f"connection lost in the body ({self._error})") from self._error

    def _take(self, most: int) -> bytes:
        if most >= len(self.buffer):
            part, self.buffer = bytes(self.buffer), bytearray()
            return part
        part = bytes(self.buffer[:most])
        del self.buffer[:most]
        return part

    async def _more(self) -> None:
        """Wait for further bytes. Raises Incomplete or ReadError when there will be none."""
        before = len(self.buffer)
        if not self.is_over:
            await self._wait()
        if len(self.buffer) > before:
            return
        if self._error is not None:
            raise httpx.ReadError(f"connection lost ({self._error})") from self._error
        raise Incomplete("the connection ended before the answer did")

    async def _wait(self) -> None:
        if self._is_paused:
            self._is_paused = False
            self._transport.resume_reading()
        if self.until > 0:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        if self.until < 0:
            raise httpx.ReadTimeout("the answer took too long")

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
