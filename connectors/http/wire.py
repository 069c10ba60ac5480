"""HTTP/1.1 answers on the wire (RFC 9112): head, framing of the body, chunks. Bytes in, no sockets.

Only what a crawler that sends GET needs, and strict where two readers could disagree on where a body ends: two
lengths, a length that is no number, a transfer coding that nobody asked for. Lenient where browsers are and nothing
is at stake: bare LF at line ends, folded lines, blanks around names, lines without a colon (ignored).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import httpx

from connectors.errors import TooLarge

MAX_HEAD = 65_536
"""Bytes of status line and headers, and of trailers."""
MAX_HEADERS = 128
MAX_INFORMATIONAL = 8
"""Answers 1xx before the real one."""
_MAX_CHUNK_LINE = 1024
_END = re.compile(rb"\r?\n\r?\n")
_STATUS_LINE = re.compile(rb"HTTP/1\.(\d) ([1-9]\d\d)(?: [^\r\n]*)?\Z")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,12})[ \t]*(?:;[^\r\n]*)?\Z")

Header = tuple[bytes, bytes]


class Incomplete(httpx.RemoteProtocolError):
    """The connection ended before the answer did."""


@dataclass(slots=True)
class Head:
    status: int
    headers: list[Header]
    framing: Literal["none", "length", "chunked", "close"]
    length: int
    """Bytes of the body when it is framed by its length."""
    keeps_alive: bool


def find_head(buffer: bytearray, scanned: int) -> int:
    """Where the head that begins `buffer` ends, or -1 while it does not; the first `scanned` bytes are known.

    Raises RemoteProtocolError for what is no HTTP, as soon as it shows."""
    if not b"HTTP/1.".startswith(bytes(buffer[:7])):
        raise httpx.RemoteProtocolError(f"no HTTP/1.1 answer, but {bytes(buffer[:16])!r}")
    match = _END.search(buffer, max(0, scanned - 3))
    return match.end() if match else -1


def parse_head(block: bytes, url: str) -> Head:
    """Raises RemoteProtocolError for a broken head, TooLarge for too many headers."""
    text = block.replace(b"\r\n", b"\n")
    lines = text.split(b"\n")
    match = _STATUS_LINE.match(lines[0])
    if match is None or b"\0" in block or b"\r" in text:
        raise httpx.RemoteProtocolError(f"broken status line or headers: {lines[0][:40]!r}")
    headers: list[Header] = []
    for line in lines[1:]:
        if line[:1] in (b" ", b"\t"):
            if headers:
                name, value = headers[-1]
                headers[-1] = (name, value + b" " + line.strip())
            continue
        raw_name, colon, value = line.partition(b":")
        name = raw_name.strip()
        if colon and name and name.isascii():
            headers.append((name, value.strip()))
    if len(headers) > MAX_HEADERS:
        raise TooLarge(f"{url} sends {len(headers)} headers, the limit is {MAX_HEADERS}", url=url)
    return _frame(int(match[2]), headers, is_old=match[1] == b"0")


def _frame(status: int, headers: list[Header], *, is_old: bool) -> Head:
    """Where the body ends (RFC 9112, 6.3), and whether the connection lives on."""
    lengths: set[bytes] = set()
    codings: list[bytes] = []
    options: set[bytes] = set()
    for name, value in headers:
        lower = name.lower()
        if lower == b"content-length":
            lengths.update(part.strip() for part in value.split(b","))
        elif lower == b"transfer-encoding":
            codings += [part.strip().lower() for part in value.split(b",") if part.strip()]
        elif lower == b"connection":
            options.update(part.strip().lower() for part in value.split(b","))
    keeps_alive = b"close" not in options and (not is_old or b"keep-alive" in options)
    if status < 200 or status in (204, 304):
        return Head(status, headers, "none", 0, keeps_alive)
    codings = [coding for coding in codings if coding != b"identity"]
    if codings:
        if codings != [b"chunked"]:
            raise httpx.RemoteProtocolError(f"a transfer coding that nobody asked for: {b', '.join(codings)[:40]!r}")
        # Both a length and chunks: the chunks count, and the connection is not trusted further.
        return Head(status, headers, "chunked", 0, keeps_alive and not lengths)
    if not lengths:
        return Head(status, headers, "close", 0, False)
    length = lengths.pop()
    if lengths or not (length.isdigit() and len(length) < 16):
        raise httpx.RemoteProtocolError("lengths that contradict each other or are no numbers")
    return Head(status, headers, "length", int(length), keeps_alive)


class Chunks:
    """A chunked body (RFC 9112, 7.1), taken out of the connection's buffer as far as it has come."""

    def __init__(self, url: str) -> None:
        self.is_done = False
        self._url = url
        self._left = 0
        self._expects: Literal["size", "data", "break", "trailer"] = "size"
        self._n_trailer = 0

    def take(self, buffer: bytearray) -> bytes:
        """The data of all chunks, or parts of them, that lie in `buffer`; they are removed from it.

        Raises RemoteProtocolError for broken chunks, TooLarge for trailers without end."""
        parts: list[bytes] = []
        at = 0
        while not self.is_done:
            if self._expects == "data":
                part = bytes(buffer[at : at + self._left])
                parts.append(part)
                at += len(part)
                self._left -= len(part)
                if self._left:
                    break
                self._expects = "break"
            end = buffer.find(b"\n", at)
            if end < 0:
                self._check_line(len(buffer) - at)
                break
            self._check_line(end - at)
            self._read_line(bytes(buffer[at:end]).rstrip(b"\r"))
            at = end + 1
        del buffer[:at]
        return b"".join(parts)

    def _check_line(self, length: int) -> None:
        if length > (MAX_HEAD if self._expects == "trailer" else _MAX_CHUNK_LINE):
            raise httpx.RemoteProtocolError("broken chunks: a line without end")

    def _read_line(self, line: bytes) -> None:
        if self._expects == "trailer":
            self._n_trailer += len(line) + 2
            self.is_done = not line
            if self._n_trailer > MAX_HEAD:
                raise TooLarge(f"{self._url} sends trailers of more than {MAX_HEAD} bytes", url=self._url)
        elif self._expects == "break":
            if line:
                raise httpx.RemoteProtocolError("broken chunks: one is longer than it says")
            self._expects = "size"
        else:
            match = _CHUNK_SIZE.match(line)
            if match is None:
                raise httpx.RemoteProtocolError(f"broken chunks: {line[:20]!r} is no size")
            self._left = int(match[1], 16)
            self._expects = "data" if self._left else "trailer"
