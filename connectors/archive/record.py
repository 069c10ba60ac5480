"""WARC 1.1 records (ISO 28500) as bytes: built, compressed one by one, read again.

A page is three records of one capture: `response` (the answer as kept), `request` (as it was sent) and `metadata` (how
it was asked for: source, kind of page, first address, time, attempts). Stored is the payload after decompression, with
the headers that still describe it; those of the wire are kept under the name that replay tools use for them
(`x-archive-orig-…`).
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from http import HTTPStatus
from importlib.metadata import version
from typing import IO, TYPE_CHECKING, cast

from isal import isal_zlib

from connectors.archive.model import StoredPage

if TYPE_CHECKING:
    from connectors.http.model import Fetch

GZIP = 31
"""zlib's `wbits` for the largest window in a gzip frame."""
LEVEL = 2
"""Of isal: a tenth more bytes than zlib's usual level, in a seventh of its time (docs/archive.md)."""
MAX_PLAIN = 1 << 30
"""Bytes of one record, decompressed: far beyond any page that the crawl takes, so beyond it lies damage."""

_CHUNK = 1 << 16
_BAD_GZIP = cast(type[Exception], isal_zlib.error)
"""Its stubs call it an instance."""
_BEGINS = b"\x1f\x8b\x08"
_BLANK = b"\r\n\r\n"
_WIRE = frozenset({"content-encoding", "content-length", "transfer-encoding"})
_DROPPED = frozenset({"connection", "keep-alive", "set-cookie"})
_BREAKS = re.compile(r"[\x00-\x1f\x7f]+")
_PHRASES = {int(status): status.phrase for status in HTTPStatus}


@dataclass(frozen=True, slots=True)
class Record:
    """A record of ours, read. Header names are in lower case."""

    kind: str
    headers: dict[str, str]
    plain: bytes
    start: int
    end: int
    """Of the block in `plain`: a page is large, and is copied once only."""

    @property
    def block(self) -> bytes:
        return self.plain[self.start : self.end]

    def is_redirect(self) -> bool:
        """Whether it is an answer without a page."""
        words = self.plain[self.start : min(self.start + 20, self.end)].split(b" ")
        return self.kind == "response" and len(words) > 1 and words[1].startswith(b"3")

    def payload(self) -> tuple[str, dict[str, str], bytes]:
        """Status line, headers and body of the answer in it. Raises ValueError."""
        blank = self.plain.find(_BLANK, self.start, self.end)
        if self.kind != "response" or blank < 0:
            raise ValueError("no record of an answer begins there")
        first, _, lines = self.plain[self.start : blank].decode("utf-8", "replace").partition("\r\n")
        return first, _fields(lines), self.plain[blank + len(_BLANK) : self.end]


@dataclass(frozen=True, slots=True)
class Member:
    """A stretch of a file: one whole gzip member, or (`why` given) bytes that are none."""

    offset: int
    length: int
    plain: bytes
    why: str = ""


def new_id() -> str:
    return f"<urn:uuid:{uuid.uuid4()}>"


def squeeze(plain: bytes) -> bytes:
    """One gzip member. Releases the GIL."""
    return isal_zlib.compress(plain, LEVEL, GZIP)


def unsqueeze(raw: bytes) -> bytes:
    """The content of bytes that are exactly one gzip member. Raises ValueError."""
    unzip = isal_zlib.decompressobj(GZIP)
    try:
        plain = unzip.decompress(raw, MAX_PLAIN)
    except _BAD_GZIP as error:
        raise ValueError(f"not the gzip member it was: {error}") from error
    if not unzip.eof or unzip.unused_data:
        raise ValueError("no whole record lies there")
    return plain


def warcinfo(name: str) -> bytes:
    """The record that opens every file."""
    lines = (
        f"software: fazhi/{version('fazhi')}",
        "format: WARC File Format 1.1",
        "conformsTo: https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
        "robots: obey",
        "description: payloads are stored decompressed; the headers of the wire are kept as x-archive-orig-*",
    )
    block = "".join(f"{line}\r\n" for line in lines).encode()
    named = [("WARC-Date", warc_date(datetime.now(UTC))), ("WARC-Filename", name)]
    return _record("warcinfo", new_id(), named, "application/warc-fields", block)


def response(fetch: Fetch, sha256: str, record_id: str, page_id: str = "") -> bytes:
    """An answer as kept; `page_id`: of a redirect, the record of the page that it led to.

    Line breaks in a hostile header become spaces: nothing in it can begin a line of its own."""
    lines = [f"HTTP/1.1 {fetch.status} {_PHRASES.get(fetch.status, 'Unknown')}"]
    for name, value in fetch.headers.items():
        name = _one_line(name).lower()
        if name in _DROPPED:
            continue
        lines.append(f"{'x-archive-orig-' if name in _WIRE else ''}{name}: {_one_line(value)}")
    lines.append(f"content-length: {len(fetch.body)}")
    head = "\r\n".join(lines).encode("utf-8", "replace")
    named = [
        ("WARC-Target-URI", fetch.final_url),
        ("WARC-Date", warc_date(fetch.fetched_at)),
        ("WARC-Payload-Digest", f"sha256:{sha256}"),
    ]
    if page_id:
        named.append(("WARC-Concurrent-To", page_id))
    return _record("response", record_id, named, "application/http;msgtype=response", head, _BLANK, fetch.body)


def request(fetch: Fetch, response_id: str) -> bytes:
    """The request that the answer is to, as it was sent. No cookies: they are a visit's, and none of ours is kept."""
    named = [
        ("WARC-Target-URI", fetch.final_url),
        ("WARC-Date", warc_date(fetch.fetched_at)),
        ("WARC-Concurrent-To", response_id),
    ]
    return _record("request", new_id(), named, "application/http;msgtype=request", fetch.request)


def metadata(fetch: Fetch, source: str, response_id: str) -> bytes:
    """How the page was asked for. `fetchTimeMs` is the standard's own word; the others are ours."""
    facts = [("asked", fetch.url), ("fetchTimeMs", str(fetch.elapsed_ms))]
    if source:
        facts.append(("source", source))
    if fetch.attempts:
        last = fetch.attempts[-1]
        facts += [("kind", last.kind), ("attempts", str(len(fetch.attempts))), ("robots", last.robots)]
    block = "".join(f"{name}: {_one_line(value)}\r\n" for name, value in facts).encode("utf-8", "replace")
    named = [
        ("WARC-Target-URI", fetch.final_url),
        ("WARC-Date", warc_date(fetch.fetched_at)),
        ("WARC-Concurrent-To", response_id),
    ]
    return _record("metadata", new_id(), named, "application/warc-fields", block)


@lru_cache(maxsize=64)
def warc_date(moment: datetime) -> str:
    """The records of a page have one."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse(plain: bytes) -> Record:
    """A decompressed record. Raises ValueError on anything that is not whole."""
    blank = plain.find(_BLANK)
    first, _, lines = plain[: max(blank, 0)].decode("utf-8", "replace").partition("\r\n")
    if not first.startswith("WARC/1."):
        raise ValueError("no WARC record lies there")
    headers = _fields(lines)
    kind, length = headers.get("warc-type"), headers.get("content-length", "")
    if kind is None or not length.isascii() or not length.isdigit():
        raise ValueError("a WARC record without type or length lies there")
    start = blank + len(_BLANK)
    end = start + int(length)
    if plain[end:] != _BLANK:
        raise ValueError("the WARC record there is not as long as it says")
    return Record(kind, headers, plain, start, end)


def parse_fields(block: bytes) -> dict[str, str]:
    """The content of a `warcinfo` or `metadata` record (application/warc-fields)."""
    return _fields(block.decode("utf-8", "replace"))


def read_page(record: Record, sha256: str) -> StoredPage:
    """The page of a `response` record. Raises ValueError unless it is the one with this digest."""
    first, headers, body = record.payload()
    if hashlib.sha256(body).hexdigest() != sha256:
        raise ValueError("its content does not match the stored digest")
    status = first.split(" ", 2)[1:2]
    return StoredPage(
        body=body,
        content_type=headers.get("content-type"),
        url=record.headers.get("warc-target-uri", ""),
        fetched_at=datetime.fromisoformat(record.headers.get("warc-date", "")),
        status=int("".join(status)),
    )


def stated_sha256(record: Record) -> str:
    """The payload digest that the record itself states, hex. Raises ValueError where it states none of that kind."""
    algorithm, _, value = record.headers.get("warc-payload-digest", "").partition(":")
    if algorithm != "sha256" or not value:
        raise ValueError("its record states no sha256 of its payload")
    return value


def read_members(file: IO[bytes]) -> Iterator[Member]:
    """Every gzip member of a file in order, and what lies between whole ones as members with `why`.

    A damaged stretch reaches to the next place where a WARC record really begins, or to the end of the file."""
    offset, ahead = 0, b""
    while True:
        ahead = ahead or file.read(_CHUNK)
        if not ahead:
            return
        try:
            plain, length, ahead = _read_one(file, ahead)
            yield Member(offset, length, plain)
        except ValueError as error:
            length = _next_start(file, offset + 1) - offset
            yield Member(offset, length, b"", str(error))
            file.seek(offset + length)
            ahead = b""
        offset += length


def _read_one(file: IO[bytes], ahead: bytes) -> tuple[bytes, int, bytes]:
    """Content and length of the member that begins with `ahead`, and what was read beyond it. Raises ValueError."""
    unzip, parts, size, used = isal_zlib.decompressobj(GZIP), [], 0, 0
    while ahead:
        try:
            parts.append(unzip.decompress(ahead))
        except _BAD_GZIP as error:
            raise ValueError(f"damaged gzip member: {error}") from error
        used += len(ahead)
        size += len(parts[-1])
        if unzip.eof:
            return b"".join(parts), used - len(unzip.unused_data), unzip.unused_data
        if size > MAX_PLAIN:
            raise ValueError("a member larger than any record")
        ahead = file.read(_CHUNK)
    raise ValueError("the file ends within a gzip member")


def _next_start(file: IO[bytes], offset: int) -> int:
    """Where the next record begins, at `offset` or after; the end of the file where none does."""
    file.seek(offset)
    window = b""
    while True:
        more = file.read(_CHUNK)
        window += more
        at = window.find(_BEGINS)
        while 0 <= at <= len(window) - (1024 if more else 0):
            if _is_record(window[at : at + 1024]):
                return offset + at
            at = window.find(_BEGINS, at + 1)
        if not more:
            return offset + len(window)
        done = max(0, len(window) - 1024)
        offset, window = offset + done, window[done:]


def _is_record(start: bytes) -> bool:
    try:
        return isal_zlib.decompressobj(GZIP).decompress(start, 64).startswith(b"WARC/1.")
    except _BAD_GZIP:
        return False


def _record(kind: str, record_id: str, named: list[tuple[str, str]], content_type: str, *block: bytes) -> bytes:
    lines = ["WARC/1.1", f"WARC-Type: {kind}", f"WARC-Record-ID: {record_id}"]
    lines += [f"{name}: {_one_line(value)}" for name, value in named]
    lines += [f"Content-Type: {content_type}", f"Content-Length: {sum(map(len, block))}"]
    return b"".join(("\r\n".join(lines).encode("utf-8", "replace"), _BLANK, *block, _BLANK))


def _fields(lines: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines.split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            found.setdefault(name.strip().lower(), value.strip())
    return found


def _one_line(text: str) -> str:
    return text if text.isprintable() else _BREAKS.sub(" ", text)
