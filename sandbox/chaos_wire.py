"""Faults below and around HTTP: connections, framing, headers (RFC 9112)."""

from __future__ import annotations

import asyncio

from sandbox.chaos_model import Behaviour, Exchange, head
from sandbox.chaos_portal import STRUCK_YEAR, render_report

_HTML = ("Content-Type", "text/html; charset=utf-8")
_SLOW = 0.05
"""Seconds between two bytes: no single read times out."""
_STOLEN = render_report(STRUCK_YEAR).replace("行政复议申请", "行政复议申请9")
"""A page with other figures, which nobody asked for."""


def _halves(x: Exchange) -> tuple[bytes, bytes]:
    """The good body cut in the middle of its first figure."""
    body = x.good.body
    cut = body.index("受理".encode())
    return body[:cut], body[cut:]


def _framed(x: Exchange, *fields: tuple[str, str]) -> bytes:
    return head(200, [_HTML, *fields])


async def _hang(x: Exchange) -> None:
    await x.until_left()


async def _hang_in_headers(x: Exchange) -> None:
    await x.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/ht")
    await x.until_left()


async def _hang_in_body(x: Exchange) -> None:
    first, second = _halves(x)
    await x.send(_framed(x, ("Content-Length", str(len(first + second)))), first)
    await x.until_left()


async def _trickle_headers(x: Exchange) -> None:
    await x.send(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    await _trickle(x)


async def _trickle_body(x: Exchange) -> None:
    await x.send(_framed(x, ("Content-Length", "100000")))
    await _trickle(x)


async def _trickle(x: Exchange) -> None:
    while not x.stopping.is_set():
        await x.send(b"x")
        await x.pause(_SLOW)


async def _close(x: Exchange) -> None:
    """Nothing is sent; the server closes the connection."""


async def _reset(x: Exchange) -> None:
    x.reset()


async def _reset_in_body(x: Exchange) -> None:
    first, second = _halves(x)
    await x.send(_framed(x, ("Content-Length", str(len(first + second)))), first)
    await x.pause(_SLOW)
    x.reset()


async def _announce_more(x: Exchange) -> None:
    await x.reply(x.good.body, length=str(len(x.good.body) + 1000))


async def _announce_less(x: Exchange) -> None:
    first, _ = _halves(x)
    await x.reply(x.good.body, length=str(len(first)))


async def _announce_twice(x: Exchange) -> None:
    first, _ = _halves(x)
    await x.reply(x.good.body, headers=[("Content-Length", str(len(first)))])
    x.keep_open = False


async def _announce_nonsense(x: Exchange) -> None:
    await x.reply(x.good.body, length="-1")


async def _announce_nothing(x: Exchange) -> None:
    await x.reply(x.good.body, length=None)


def _chunked(x: Exchange, *parts: bytes) -> list[bytes]:
    return [_framed(x, ("Transfer-Encoding", "chunked")), *parts]


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


async def _chunk_size_garbage(x: Exchange) -> None:
    first, second = _halves(x)
    await x.send(*_chunked(x, _chunk(first), b"zz\r\n", second, b"\r\n0\r\n\r\n"))


async def _chunk_last_missing(x: Exchange) -> None:
    await x.send(*_chunked(x, *map(_chunk, _halves(x))))


async def _chunk_cut(x: Exchange) -> None:
    first, second = _halves(x)
    await x.send(*_chunked(x, _chunk(first), b"%x\r\n" % (len(second) + 99), second))


async def _chunk_size_huge(x: Exchange) -> None:
    await x.send(*_chunked(x, b"fffffffffffffff\r\n", x.good.body))


async def _one_byte_chunks(x: Exchange) -> None:
    body = x.good.body
    await x.send(*_chunked(x, b"".join(_chunk(body[i : i + 1]) for i in range(len(body))), b"0\r\n\r\n"))


async def _chunk_trimmings(x: Exchange) -> None:
    first, second = _halves(x)
    parts = (b"%X ; name=value\r\n%b\r\n" % (len(part), part) for part in (first, second))
    await x.send(*_chunked(x, *parts, b"000;last\r\nX-Trailer: 1\r\nContent-Length: 3\r\n\r\n"))


async def _old_http(x: Exchange) -> None:
    await x.send(x.good.body)


async def _bad_status_line(x: Exchange) -> None:
    await x.send(_framed(x).replace(b"HTTP/1.1 200 OK", b"HTP/1.1 2OO OK"), x.good.body)


async def _not_http(x: Exchange) -> None:
    await x.send(b"220 ftp.chaos.example FTP server ready\r\n")
    await x.until_left()


async def _early_hints(x: Exchange) -> None:
    await x.send(head("103 Early Hints", [("Link", "</css/style.css>; rel=preload")]))
    await x.reply(x.good.body)


async def _interim_flood(x: Exchange) -> None:
    while not x.stopping.is_set():
        await x.send(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)
        await asyncio.sleep(0)


async def _switch_protocols(x: Exchange) -> None:
    await x.send(head("101 Switching Protocols", [("Upgrade", "websocket"), ("Connection", "Upgrade")]), b"\x81\x00")


async def _many_headers(x: Exchange) -> None:
    await x.reply(x.good.body, headers=[(f"X-{number}", "1") for number in range(10_000)])


async def _huge_header(x: Exchange) -> None:
    await x.reply(x.good.body, headers=[("X-Huge", "x" * (1 << 20))])


async def _endless_headers(x: Exchange) -> None:
    await x.send(b"HTTP/1.1 200 OK\r\n")
    while not x.stopping.is_set():
        await x.send(b"X-More: more\r\n" * 1000)


async def _split_header(x: Exchange) -> None:
    await x.send(_framed(x, ("ETag", '"a"\rX-Injected: 1'), ("Content-Length", str(len(x.good.body)))), x.good.body)


async def _poisoned_validator(x: Exchange) -> None:
    await x.reply(
        x.good.body, headers=[("ETag", '"' + "\x80\xff" * 300 + '"'), ("Last-Modified", "昨天".encode().hex())]
    )


async def _answer_twice(x: Exchange) -> None:
    stolen = _STOLEN.encode()
    extra = head(200, [_HTML, ("Content-Length", str(len(stolen)))]) + stolen
    await x.send(_framed(x, ("Content-Length", str(len(x.good.body)))) + x.good.body + extra)
    x.keep_open = True


async def _close_silently(x: Exchange) -> None:
    await x.behave()
    x.keep_open = False


async def _refuse_every_third(x: Exchange) -> None:
    if x.request.total % 3 == 0:
        x.reset()
    else:
        await x.behave()


async def _status_999(x: Exchange) -> None:
    await x.reply(x.good.body, status="999 Request Denied")


async def _status_204(x: Exchange) -> None:
    await x.send(head("204 No Content"))


async def _status_206(x: Exchange) -> None:
    first, second = _halves(x)
    whole = len(first + second)
    await x.reply(first, status="206 Partial Content", headers=[("Content-Range", f"bytes 0-{len(first) - 1}/{whole}")])


async def _no_body(x: Exchange) -> None:
    await x.reply(b"")


WIRE = (
    Behaviour("hang_before_headers", "accepts the request and never answers", "page", "transient", _hang),
    Behaviour("hang_in_headers", "stops in the middle of a header", "page", "transient", _hang_in_headers),
    Behaviour("hang_in_body", "stops in the middle of the body", "page", "transient", _hang_in_body),
    Behaviour("hang_on_list", "accepts the request for a list page and never answers", "list", "transient", _hang),
    Behaviour("trickle_headers", "sends a byte of a header now and then", "page", "transient", _trickle_headers),
    Behaviour("trickle_body", "sends a byte of the body now and then", "page", "transient", _trickle_body),
    Behaviour("close_before_answer", "closes the connection instead of answering", "page", "transient", _close),
    Behaviour("reset_before_answer", "resets the connection instead of answering", "page", "transient", _reset),
    Behaviour("reset_in_body", "resets the connection in the middle of the body", "page", "transient", _reset_in_body),
    Behaviour("reset_on_list", "resets the connection in the middle of a list page", "list", "transient", _reset),
    Behaviour("length_too_long", "announces more bytes than it sends", "page", "transient", _announce_more),
    Behaviour("length_too_short", "announces half of the bytes that it sends", "page", "transient", _announce_less),
    Behaviour("length_twice", "sends two Content-Lengths that differ", "page", "transient", _announce_twice),
    Behaviour("length_nonsense", "sends a Content-Length of -1", "page", "transient", _announce_nonsense),
    Behaviour("length_missing", "sends no length and closes at the end", "page", "read", _announce_nothing),
    Behaviour("chunk_size_garbage", "sends a chunk size that is no number", "page", "transient", _chunk_size_garbage),
    Behaviour("chunk_size_huge", "announces a chunk of 2^60 bytes", "page", "transient", _chunk_size_huge),
    Behaviour("chunk_cut", "closes in the middle of a chunk", "page", "transient", _chunk_cut),
    Behaviour("chunk_last_missing", "closes without the last chunk", "page", "transient", _chunk_last_missing),
    Behaviour("chunks_of_one_byte", "sends every byte as a chunk", "page", "read", _one_byte_chunks),
    Behaviour("chunk_trimmings", "adds extensions to its chunks and trailers behind", "page", "read", _chunk_trimmings),
    Behaviour("http_0_9", "answers with the body alone, without a status line", "page", "transient", _old_http),
    Behaviour("status_line_garbage", "sends a status line that is none", "page", "transient", _bad_status_line),
    Behaviour("another_protocol", "greets like an FTP server and waits", "page", "transient", _not_http),
    Behaviour("early_hints", "sends 103 before the answer", "page", "read", _early_hints),
    Behaviour("interim_flood", "sends 100 Continue without end", "page", "transient", _interim_flood),
    Behaviour("switching_protocols", "answers 101 to a plain request", "page", "failed", _switch_protocols),
    Behaviour("status_204", "answers 204 for a page", "page", "failed", _status_204),
    Behaviour("status_206", "answers with a part that nobody asked for", "page", "failed", _status_206),
    Behaviour("status_999", "answers with a status outside the classes", "page", "transient", _status_999),
    Behaviour("body_empty", "answers 200 with nothing in it", "page", "transient", _no_body),
    Behaviour("headers_10000", "sends ten thousand headers", "page", "too_large", _many_headers),
    Behaviour("headers_endless", "sends headers without end", "page", "too_large", _endless_headers),
    Behaviour("header_huge", "sends one header of 1 MiB", "page", "too_large", _huge_header),
    Behaviour("header_split", "puts a bare CR and a second header into a value", "page", "transient", _split_header),
    Behaviour(
        "validator_poisoned",
        "sends an ETag that no request can carry, and a date that is none",
        "page",
        "read",
        _poisoned_validator,
    ),
    Behaviour(
        "answer_twice",
        "sends a second answer behind the first, for whatever is asked next",
        "page",
        "read",
        _answer_twice,
    ),
    Behaviour(
        "closes_silently",
        "closes each connection after its answer, though it said nothing of it",
        "site",
        "read",
        _close_silently,
    ),
    Behaviour("every_third_refused", "resets every third request", "site", "read", _refuse_every_third),
)
