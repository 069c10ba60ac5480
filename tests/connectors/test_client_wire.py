"""HTTP/1.1 on the wire: framing, chunks, kept connections, and servers that get them wrong."""

from __future__ import annotations

import asyncio
import contextlib
import time

import httpx
import pytest

from connectors.errors import SourceError
from connectors.http import guard
from connectors.http.client import Client, Fetch, Validators
from connectors.http.transport import LeanTransport
from connectors.http.wire import Chunks, find_head, parse_head
from tests.connectors.client_runs import HOST, HTML, PAGE, Run
from tests.servers import Raw, Site, sends

BODY = HTML.encode()
OK = b"HTTP/1.1 200 OK\r\n"
LENGTH = b"Content-Length: %d\r\n\r\n" % len(BODY)
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def in_chunks(body: bytes, size: int, mark: bytes = b"") -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x%b\r\n%b\r\n" % (len(part), mark, part) for part in parts) + b"0\r\n\r\n"


READ = {
    "to the end": sends(OK + b"\r\n" + BODY),
    "http 1.0": sends(b"HTTP/1.0 200 OK\r\n" + LENGTH + BODY),
    "chunks": sends(CHUNKED + in_chunks(BODY, 50)),
    "chunks of a byte": sends(CHUNKED + in_chunks(BODY, 1)),
    "chunks in pieces": sends(CHUNKED, *[in_chunks(BODY, 99)[at : at + 70] for at in range(0, 2000, 70)], pause=0.001),
    "chunk extensions": sends(CHUNKED + in_chunks(BODY, 300, b' ;a="b c"')),
    "trailers": sends(CHUNKED + in_chunks(BODY, 300)[:-2] + b"X-Sum: 1\r\n\r\n"),
    "chunks and a length": sends(OK + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n" + in_chunks(BODY, 99)),
    "the same length twice": sends(OK + b"Content-Length: %d, %d\r\n" % (len(BODY), len(BODY)) + LENGTH + BODY),
    "bare line feeds": sends((OK + LENGTH).replace(b"\r", b"") + BODY),
    "no reason": sends(b"HTTP/1.1 200\r\n" + LENGTH + BODY),
    "early hints": sends(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n", OK + LENGTH + BODY, pause=0.01),
    "folded and odd headers": sends(OK + b"X-Fold: a\r\n\t b\r\nX-Blank : c\r\nno colon here\r\n" + LENGTH + BODY),
    "headers in pieces": sends(b"HT", b"TP/1.1 200 OK\r", b"\n", LENGTH[:-3], LENGTH[-3:], BODY, pause=0.01),
    "a line break after it": sends(OK + LENGTH + BODY + b"\r\n"),
    "identity": sends(OK + b"Transfer-Encoding: identity\r\n" + LENGTH + BODY),
}
TRANSIENT = {
    "shorter than announced": sends(OK + LENGTH + BODY[:-1]),
    "longer than announced": sends(OK + b"Content-Length: 100\r\n\r\n" + BODY),
    "two lengths": sends(OK + b"Content-Length: 3\r\n" + LENGTH + BODY),
    "a negative length": sends(OK + b"Content-Length: -1\r\n\r\n" + BODY),
    "a length in words": sends(OK + b"Content-Length: +12\r\n\r\n" + BODY),
    "no last chunk": sends(CHUNKED + in_chunks(BODY, 99)[:-5]),
    "half a chunk": sends(CHUNKED + in_chunks(BODY, 99)[:50]),
    "a size that is none": sends(CHUNKED + b"zz\r\n" + BODY),
    "a negative size": sends(CHUNKED + b"-5\r\n" + BODY),
    "a huge size": sends(CHUNKED + b"1000000000000000\r\n" + BODY),
    "a chunk that is too long": sends(CHUNKED + b"3\r\nabcdef\r\n0\r\n\r\n"),
    "a size line without end": sends(CHUNKED + b"5;" + b"x" * 5000),
    "another coding": sends(OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + in_chunks(BODY, 99)),
    "no http": sends(b"220 ftp.example ready\r\n"),
    "http 0.9": sends(BODY),
    "http 2": sends(b"HTTP/2 200 OK\r\n" + LENGTH + BODY),
    "a status in words": sends(b"HTTP/1.1 OK\r\n" + LENGTH + BODY),
    "a bare carriage return": sends(OK + b"X: a\rSet-Cookie: b=1\r\n" + LENGTH + BODY),
    "NUL": sends(OK + b"X: \0\r\n" + LENGTH + BODY),
    "no end of the headers": sends(OK + b"X: 1\r\n"),
    "nothing": sends(),
    "a flood of 1xx": sends(b"HTTP/1.1 100 Continue\r\n\r\n" * 50),
}


@pytest.mark.parametrize("raw", READ.values(), ids=READ)
def test_what_can_be_read_is(site: Site, raw: Raw) -> None:
    site.on("/page.html", raw=raw)
    assert Run(site, retries=0).fetch().body == BODY


@pytest.mark.parametrize("raw", TRANSIENT.values(), ids=TRANSIENT)
def test_a_broken_answer_is_transient_and_never_content(site: Site, raw: Raw) -> None:
    site.on("/robots.txt", status=404, headers={"Connection": "close"})
    site.on("/page.html", raw=raw).on("/page.html", HTML)
    run = Run(site, timeout=8)
    started = time.monotonic()
    assert run.fetch().body == BODY
    assert [outcome for outcome, _ in run.outcomes()] == ["transient", "ok"]
    assert time.monotonic() - started < 7


def test_switching_protocols_is_no_content(site: Site) -> None:
    site.on("/page.html", raw=sends(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n"))
    with pytest.raises(SourceError) as caught:
        Run(site).fetch()
    assert (caught.value.code, caught.value.status) == ("failed", 101)


def test_a_304_with_a_body_is_not_modified_and_spoils_nothing(site: Site) -> None:
    stale = b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 9\r\n\r\n<p>no</p>'
    site.on("/page.html", raw=sends(stale, keep=True)).on("/b.html", HTML)

    async def validated(run: Run) -> list[Fetch]:
        async with Client(run.settings, run.log.append) as client:
            hosts = frozenset({HOST})
            first = await client.fetch(PAGE, hosts=hosts, kind="page", validators=Validators('"a"'))
            return [first, await client.fetch(f"http://{HOST}/b.html", hosts=hosts, kind="page")]

    first, second = asyncio.run(validated(Run(site)))
    assert (first.not_modified, first.body, first.etag) == (True, b"", '"a"')
    assert second.body == BODY


def peers(site: Site, *urls: str, **changes: float) -> list[int]:
    for got in Run(site, **changes).fetch_all(*urls):
        assert isinstance(got, Fetch) and got.body == BODY, got
    return [seen.peer for seen in site.seen]


def test_one_connection_serves_many_requests(site: Site) -> None:
    site.on("/page.html", HTML)
    assert len(set(peers(site, *[PAGE] * 5))) == 1


def test_close_is_respected(site: Site) -> None:
    site.on("/page.html", HTML, headers={"Connection": "close"})
    assert len(set(peers(site, *[PAGE] * 3))) == 3


@pytest.mark.parametrize(
    "spoilt",
    {
        "closes silently": sends(OK + LENGTH + BODY),
        "a second answer": sends(OK + LENGTH + BODY + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", keep=True),
        "a second answer a moment later": sends(
            OK + LENGTH + BODY, b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", pause=0.02, keep=True
        ),
    }.values(),
)
def test_a_kept_connection_that_is_no_good_costs_no_page(site: Site, spoilt: Raw) -> None:
    site.on("/page.html", raw=spoilt)
    run = Run(site, retries=0)
    site.on("/b.html", HTML)
    got = run.fetch_all(PAGE, f"http://{HOST}/b.html", PAGE, f"http://{HOST}/b.html", pause=0.06)
    assert [fetch.body for fetch in got if isinstance(fetch, Fetch)] == [BODY] * 4
    assert {outcome for outcome, _ in run.outcomes()} == {"ok"}


def test_an_answer_given_up_ends_its_connection(site: Site) -> None:
    site.on("/page.html", b"x" * 300_000).on("/b.html", HTML)
    large, small = Run(site, max_page_bytes=5000).fetch_all(PAGE, f"http://{HOST}/b.html")
    assert isinstance(large, SourceError) and isinstance(small, Fetch)
    assert site.asked("/page.html")[0].peer != site.asked("/b.html")[0].peer


def test_a_client_of_httpx_may_use_the_transport(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.on("/page.html", HTML)
    monkeypatch.setattr(guard, "is_public", lambda address: address == "127.0.0.1")

    async def go() -> None:
        async with httpx.AsyncClient(transport=LeanTransport(), timeout=5.0) as client:
            got = [await client.get(f"{site.url}/page.html") for _ in range(2)]
            assert [(one.status_code, one.content) for one in got] == [(200, BODY)] * 2
            with pytest.raises(httpx.UnsupportedProtocol, match="only GET"):
                await client.post(f"{site.url}/page.html")

    asyncio.run(go())
    assert len({seen.peer for seen in site.seen}) == 1, "over one connection"


def test_a_line_break_in_a_header_of_ours_is_never_sent(site: Site) -> None:
    async def go() -> None:
        url = httpx.URL("http://127.0.0.1:9/")
        request = httpx.Request("GET", url, headers=[(b"Host", b"a"), (b"X", b"1\r\nY: 2")])
        await LeanTransport().handle_async_request(request)

    with pytest.raises(httpx.LocalProtocolError):
        asyncio.run(go())


def test_a_user_agent_is_named_whatever_it_holds(site: Site) -> None:
    site.on("/page.html", HTML)
    Run(site, user_agent="fazhi/1 (+https://例.example/)").fetch()
    assert site.seen[-1].headers["user-agent"].startswith("fazhi/1")


@pytest.mark.parametrize("unit", [b"\r", b"\n", b"\r\n ", b"a:b\r\n", b":", b"HTTP/1.1 200 OK\r\n", b"\t"])
def test_heads_are_read_in_linear_time(unit: bytes) -> None:
    block = OK + unit * (60_000 // len(unit)) + b"\r\n\r\n"
    started = time.process_time()
    find_head(bytearray(block), 0)
    with contextlib.suppress(SourceError, httpx.RemoteProtocolError):
        parse_head(block, PAGE)
    assert time.process_time() - started < 0.5


def test_a_flood_of_tiny_chunks_is_read_in_linear_time() -> None:
    buffer = bytearray(b"1\r\nx\r\n" * 80_000)
    chunks = Chunks(PAGE)
    started = time.process_time()
    assert len(chunks.take(buffer)) == 80_000
    assert time.process_time() - started < 1
    with pytest.raises(httpx.RemoteProtocolError):
        chunks.take(bytearray(b"q\r\n"))
