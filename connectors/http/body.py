"""Reading an answer's body within limits: bytes on the wire, bytes after decompression, and their ratio."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Iterator

import httpx

from connectors.errors import SourceError, TooLarge, Transient

_MAX_RATIO = 200
"""Decompressed to compressed. Real list pages stay below 30; a bomb is near 1,000."""
_RATIO_FROM = 1 << 20
"""Decompressed bytes from which the ratio counts."""
_PART = 65_536
_GZIP_MAGIC = b"\x1f\x8b"


async def read_body(response: httpx.Response, limit: int, *, url: str, truncate: bool = False) -> bytes:
    """The body, decompressed, chunk by chunk. Raises TooLarge beyond `limit` bytes, or cuts there if `truncate`.

    Raises Transient for a compressed body that ends early or is damaged."""
    length = response.headers.get("content-length", "")
    if not truncate and length.isascii() and length.isdigit() and int(length[:18]) > limit:
        raise TooLarge(f"{url} announces {length} bytes, the limit is {limit}", url=url)
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise SourceError(f"{url} is sent as {encoding!r}, though only gzip was asked for", url=url)
    body = bytearray()
    async for chunk in _inflate(response.aiter_raw(), encoding, limit, url):
        body += chunk
        if len(body) > limit:
            if truncate:
                return bytes(body[:limit])
            raise TooLarge(f"{url} holds more than {limit} bytes", url=url)
    return bytes(body)


async def _inflate(raw: AsyncIterator[bytes], encoding: str, limit: int, url: str) -> AsyncIterator[bytes]:
    """Decompressed chunks. What says gzip but is plain passes as it is: servers behind a proxy do that."""
    inflater: _Inflater | None = None
    n_raw = n_out = 0
    async for chunk in raw:
        if not chunk:
            continue
        n_raw += len(chunk)
        if n_raw == len(chunk):
            inflater = _choose_inflater(encoding, chunk)
        if inflater is None:
            yield chunk
            continue
        for part in inflater.feed(chunk, url):
            n_out += len(part)
            if n_out > _RATIO_FROM and n_out > _MAX_RATIO * n_raw:
                raise TooLarge(f"{url} grows {n_out // n_raw} times when decompressed", url=url)
            yield part
    if inflater is not None and not inflater.done:
        raise Transient(f"{url}: the compressed body ends early", url=url)


class _Inflater:
    """gzip (also several members in a row) or deflate, at most 64 KiB at a time."""

    def __init__(self, wbits: int) -> None:
        self._wbits = wbits
        self._z = zlib.decompressobj(wbits)

    @property
    def done(self) -> bool:
        return self._z.eof

    def feed(self, data: bytes, url: str) -> Iterator[bytes]:
        part = b""
        while data or len(part) == _PART:
            if self._z.eof:
                if not data.startswith(_GZIP_MAGIC):
                    return  # padding after the last member
                self._z = zlib.decompressobj(self._wbits)
            try:
                part = self._z.decompress(data, _PART)
            except zlib.error as error:
                raise Transient(f"{url}: the compressed body is damaged ({error})", url=url) from error
            yield part
            data = self._z.unused_data if self._z.eof else self._z.unconsumed_tail


def _choose_inflater(encoding: str, first: bytes) -> _Inflater | None:
    if encoding in ("gzip", "x-gzip"):
        return _Inflater(16 + zlib.MAX_WBITS) if first.startswith(_GZIP_MAGIC[: len(first)]) else None
    if encoding == "deflate":
        # RFC 9110, 8.4.1.2 says zlib; some servers send the bare stream. A zlib header is a multiple of 31.
        is_zlib = len(first) > 1 and first[0] & 0x0F == 8 and int.from_bytes(first[:2], "big") % 31 == 0
        return _Inflater(zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)
    return None
