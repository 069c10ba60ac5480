"""Reading an answer's body within limits: bytes on the wire, bytes after decompression, their ratio, and the pace."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator, Mapping

import httpx

from connectors.errors import SourceError, TooLarge, Transient

_MAX_RATIO = 200
"""Decompressed to compressed. Real list pages stay below 30; a bomb is near 1,000."""
_RATIO_FROM = 1 << 20
"""Decompressed bytes from which the ratio counts."""
_MIN_RATE = 512
"""Bytes on the wire per second. Whoever sends less holds the lane for nothing."""
_PART = 65_536
_NO_CODINGS = frozenset(
    ("", "identity", "none", "binary", "7bit", "8bit", "utf-8", "utf8", "gbk", "gb2312", "gb18030", "iso-8859-1")
)
"""What stands in Content-Encoding though it packs nothing: servers are set up to name the charset there."""
_GZIP_MAGIC = b"\x1f\x8b"


async def read_body(
    stream: httpx.AsyncByteStream,
    headers: Mapping[str, str],
    limit: int,
    *,
    url: str,
    truncate: bool = False,
    patience: float = 10.0,
) -> bytes:
    """The body, decompressed, chunk by chunk. Raises TooLarge beyond `limit` bytes, or cuts there if `truncate`.

    Raises Transient for a compressed body that ends early or is damaged, and for one that still trickles after
    `patience` seconds; SourceError for an encoding that nobody asked for."""
    length = headers.get("content-length", "")
    if not truncate and length.isascii() and length.isdigit() and int(length[:18]) > limit:
        raise TooLarge(f"{url} announces {length} bytes, the limit is {limit}", url=url)
    encoding = _read_coding(headers.get("content-encoding", ""), url)
    body, held, n_raw, began = bytearray(), b"", 0, time.monotonic()
    inflater: _Inflater | None = None
    async for new in stream:
        chunk = held + new
        if not n_raw:
            if len(chunk) < 2:  # two bytes tell how a body is packed
                held = chunk
                continue
            inflater, held = _choose_inflater(encoding, chunk), b""
        n_raw += len(chunk)
        _check_wire(n_raw, limit if not truncate else None, time.monotonic() - began, patience, url)
        for part in inflater.feed(chunk, url) if inflater else (chunk,):
            body += part
            if len(body) > _RATIO_FROM and len(body) > _MAX_RATIO * n_raw:
                raise TooLarge(f"{url} grows {len(body) // n_raw} times when decompressed", url=url)
            if len(body) > limit:
                if truncate:
                    return bytes(body[:limit])
                raise TooLarge(f"{url} holds more than {limit} bytes", url=url)
    if inflater is not None and not inflater.done:
        raise Transient(f"{url}: the compressed body ends early", url=url)
    return bytes(body) or held


def _read_coding(header: str, url: str) -> str:
    """How the body is packed; empty where it is not. Raises SourceError for what nobody asked for."""
    named = [name for part in header.lower().split(",") if (name := part.strip()) not in _NO_CODINGS]
    if not named:
        return ""
    if len(named) > 1 or named[0] not in ("gzip", "x-gzip", "deflate"):
        raise SourceError(f"{url} is sent as {header.strip()!r}, though only gzip was asked for", url=url)
    return named[0]


def _check_wire(n_raw: int, limit: int | None, lasted: float, patience: float, url: str) -> None:
    if limit is not None and n_raw > limit:
        raise TooLarge(f"{url} sends more than {limit} bytes", url=url)
    if lasted > patience and n_raw < _MIN_RATE * lasted:
        raise Transient(f"{url} trickles: {n_raw} bytes in {lasted:.1f} s", url=url)


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
    """What says gzip but is plain passes as it is: servers behind a proxy do that."""
    if encoding in ("gzip", "x-gzip"):
        return _Inflater(16 + zlib.MAX_WBITS) if first.startswith(_GZIP_MAGIC) else None
    if encoding == "deflate":
        # RFC 9110, 8.4.1.2 says zlib; some servers send the bare stream. A zlib header is a multiple of 31.
        is_zlib = first[0] & 0x0F == 8 and int.from_bytes(first[:2], "big") % 31 == 0
        return _Inflater(zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)
    return None
