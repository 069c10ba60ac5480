"""Limits of the client: codings, bombs, sizes, headers, pace."""

from __future__ import annotations

import gzip
import time
import zlib

import pytest

from connectors.errors import SourceError, TooLarge, Transient
from tests import servers
from tests.connectors.client_runs import HOST, HTML, Run
from tests.servers import Site


def test_gzip_deflate_and_plain(site: Site) -> None:
    body = HTML.encode()
    half = len(body) // 2
    raw_deflate = zlib.compressobj(wbits=-15)
    variants = {
        "gzip": gzip.compress(body),
        "x-gzip": gzip.compress(body[:half]) + gzip.compress(body[half:]),
        "deflate": zlib.compress(body),
        "Deflate": raw_deflate.compress(body) + raw_deflate.flush(),
        "GZIP": body,
    }
    for number, (encoding, data) in enumerate(variants.items()):
        site.on(f"/{number}", data, headers={"Content-Encoding": encoding})
        assert Run(site).fetch(f"http://{HOST}/{number}").body == body, encoding


def test_an_encoding_that_nobody_asked_for(site: Site) -> None:
    site.on("/page.html", b"\x1b\x00", headers={"Content-Encoding": "br"})
    with pytest.raises(SourceError, match="'br'"):
        Run(site).fetch()


@pytest.mark.parametrize("cut", [slice(None, -12), slice(30, None)])
def test_damaged_gzip_is_transient(site: Site, cut: slice) -> None:
    data = gzip.compress(HTML.encode() + bytes(range(256)) * 20)
    site.on("/page.html", b"\x1f\x8b" + data[2:][cut], headers={"Content-Encoding": "gzip"})
    with pytest.raises(Transient):
        Run(site).fetch()


def test_a_gzip_bomb_is_cut_off(site: Site) -> None:
    site.on("/page.html", servers.gzip_bomb(64), headers={"Content-Encoding": "gzip"})
    with pytest.raises(TooLarge, match="when decompressed"):
        Run(site).fetch()
    with pytest.raises(TooLarge, match="more than 100000"):
        Run(site, max_page_bytes=100_000).fetch()


def test_size_limits_by_kind(site: Site) -> None:
    site.on("/page.html", b"x" * 3000).on("/endless", raw=servers.endless)
    small = Run(site, max_page_bytes=1000, max_attachment_bytes=5000)
    with pytest.raises(TooLarge, match="announces 3000"):
        small.fetch()
    assert len(small.outcomes()) == 1
    assert len(small.fetch(kind="attachment").body) == 3000
    with pytest.raises(TooLarge):
        small.fetch(f"http://{HOST}/endless", kind="list")


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "compress", "x"])
def test_codings_that_nobody_asked_for_are_not_unpacked(site: Site, coding: str) -> None:
    site.on("/page.html", servers.gzip_bomb(1), headers={"Content-Encoding": coding})
    with pytest.raises(SourceError, match="only gzip was asked for") as caught:
        Run(site).fetch()
    assert caught.value.code == "failed"


def test_a_bomb_of_many_empty_members_ends_at_the_limit_of_the_wire(site: Site) -> None:
    site.on("/page.html", gzip.compress(b"") * 60_000, headers={"Content-Encoding": "gzip", "Connection": "close"})
    with pytest.raises(TooLarge):
        Run(site, max_page_bytes=1 << 20).fetch()


@pytest.mark.parametrize(
    "head",
    [
        b"".join(b"X-%d: 1\r\n" % number for number in range(200)),
        b"X-Long: " + b"x" * 100_000 + b"\r\n",
        b"X: 1\r\n" * 20_000,
    ],
)
def test_headers_without_measure(site: Site, head: bytes) -> None:
    site.on("/page.html", raw=servers.sends(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + head + b"\r\nok"))
    run = Run(site)
    with pytest.raises(TooLarge, match="headers"):
        run.fetch()
    assert len(run.outcomes()) == 1


def test_trailers_without_measure(site: Site) -> None:
    chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n"
    site.on("/page.html", raw=servers.sends(chunks + b"X: 1\r\n" * 20_000))
    with pytest.raises(TooLarge, match="trailers"):
        Run(site).fetch()


def test_a_trickle_is_cut_off_long_before_the_time_is_up(site: Site) -> None:
    site.on("/page.html", raw=servers.trickle)
    started = time.monotonic()
    with pytest.raises(Transient, match="trickles"):
        Run(site, timeout=9.5, patience=0.3, retries=0).fetch()
    assert time.monotonic() - started < 8


def test_a_slow_page_within_the_pace_is_read(site: Site) -> None:
    parts = [b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n", *[b"x" * 1000] * 4]
    site.on("/page.html", raw=servers.sends(*parts, pause=0.15))
    assert len(Run(site, patience=0.2).fetch().body) == 4000


@pytest.mark.parametrize("coding", ["deflate", "gzip"])
def test_the_first_byte_may_come_alone(site: Site, coding: str) -> None:
    packed = zlib.compress(HTML.encode()) if coding == "deflate" else gzip.compress(HTML.encode())
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
    site.on("/page.html", raw=servers.sends(head, packed[:1], packed[1:], pause=0.02))
    assert Run(site, retries=0).fetch().body == HTML.encode()
