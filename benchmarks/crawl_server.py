"""The made portals over HTTP, in a process of their own and cheap: `python -m benchmarks.crawl_server --help`.

Every host `sNNN.yunxiu.example` (or the loopback address 127.0.N.N, for clients without a replay gateway) is a portal
of one layout. Pages are made once, kept in one file and sent from it; ETag and Last-Modified are honoured. The ready
line holds the address; the server ends when its standard input does.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import mmap
import random
import sys
import tempfile
from dataclasses import dataclass
from typing import IO, Any

from benchmarks.made_frame import LAYOUTS
from benchmarks.made_pages import MadePage, is_report, make_detail, make_lists, report_year

FAULTS = ("busy", "reset", "short", "stall")
"""What a faulty answer is: 503, a connection closed before any byte, half a body, or two seconds of silence."""


@dataclass(frozen=True, slots=True)
class Site:
    """How many hosts there are, and how many detail pages each has."""

    hosts: int
    pages: int
    is_shared: bool = False
    """The hosts of one layout hold the same pages: a night of 60,000 need not be 3 GB on the disk."""

    @staticmethod
    def name(number: int) -> str:
        return f"s{number:03}.yunxiu.example"

    @staticmethod
    def address(number: int) -> str:
        return f"127.0.{1 + number // 250}.{1 + number % 250}"

    def numbers(self, host: int) -> range:
        """The numbers of a host's detail pages. Hosts take turns in layouts, as the pages do."""
        first = 0 if self.is_shared else host // len(LAYOUTS) * self.pages
        return range(first * len(LAYOUTS) + host % len(LAYOUTS), (first + self.pages) * len(LAYOUTS), len(LAYOUTS))

    def make(self, host: int) -> list[MadePage]:
        """All pages of one host, lists first."""
        details = [make_detail(number, self.name(host)) for number in self.numbers(host)]
        return [*make_lists(details, self.name(host)), *details]

    def report_year(self, host: int) -> int:
        """A year of which the host has a report. Raises ValueError where it has too few pages to have any."""
        years = (report_year(number) for number in self.numbers(host) if is_report(number))
        year = next(years, None)
        if year is None:
            raise ValueError(f"{self.pages} pages a host are too few: there is no report among them")
        return year


class Store:
    """Whole answers in one unnamed file: a site of 300 MB must not be 300 MB of the server's memory."""

    def __init__(self, site: Site) -> None:
        self.places: dict[tuple[str, str], tuple[int, int, str]] = {}
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        at = 0
        for number in range(site.hosts):
            for page in site.make(number) if not site.is_shared or number < len(LAYOUTS) else ():
                etag = f'"{hashlib.sha256(page.body).hexdigest()[:20]}"'
                answer = _head(200, page.content_type, len(page.body), etag) + page.body
                self._file.write(answer)
                self._add(site, number, page.path, (at, len(answer), etag))
                at += len(answer)
        self._file.flush()
        self._map = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)

    def _add(self, site: Site, number: int, path: str, place: tuple[int, int, str]) -> None:
        step = len(LAYOUTS) if site.is_shared else site.hosts
        for host in range(number, site.hosts, step):
            self.places[site.name(host), path] = self.places[site.address(host), path] = place

    def read(self, at: int, length: int) -> bytes:
        return self._map[at : at + length]


def _head(status: int, content_type: str, length: int, etag: str) -> bytes:
    tags = f"ETag: {etag}\r\nLast-Modified: Mon, 06 Jan 2025 02:00:00 GMT\r\n" if etag else ""
    reason = {200: "OK", 304: "Not Modified", 404: "Not Found", 503: "Service Unavailable"}[status]
    size = "" if status == 304 else f"Content-Type: {content_type}\r\nContent-Length: {length}\r\n"
    return f"HTTP/1.1 {status} {reason}\r\n{size}{tags}\r\n".encode("ascii")


_ROBOTS = b"User-agent: *\nDisallow: /admin/\n"


class Portal(asyncio.Protocol):
    """One connection. Requests are answered in order; clients do not pipeline."""

    def __init__(self, store: Store, latency: float, faults: float, seed: int) -> None:
        self._store, self._latency, self._faults, self._seed = store, latency, faults, seed
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._buffer.endswith(b"\r\n\r\n"):
            return
        request, self._buffer = self._buffer, b""
        lines = request.decode("latin-1").split("\r\n")
        path = lines[0].split(" ")[1]
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
        if self._latency:
            asyncio.get_running_loop().call_later(self._latency, self._answer, path, headers)
        else:
            self._answer(path, headers)

    def _answer(self, path: str, headers: dict[str, str]) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        host = headers.get("host", "").partition(":")[0]
        place = self._store.places.get((host, path))
        if path == "/robots.txt":
            answer = _head(200, "text/plain", len(_ROBOTS), "") + _ROBOTS
        elif place is None:
            answer = _head(404, "text/plain", 0, "")
        elif headers.get("if-none-match") == place[2]:
            answer = _head(304, "", 0, place[2])
        else:
            answer = self._store.read(place[0], place[1])
        if self._faults and path != "/robots.txt" and random.random() < self._faults:
            self._fail(random.choice(FAULTS), answer)
        else:
            self._transport.write(answer)

    def _fail(self, fault: str, answer: bytes) -> None:
        assert self._transport is not None
        if fault == "busy":
            self._transport.write(_head(503, "text/plain", 0, ""))
        elif fault == "stall":
            asyncio.get_running_loop().call_later(2.0, self._transport.write, answer)
        else:
            if fault == "short":
                self._transport.write(answer[: len(answer) // 2])
            self._transport.close()


async def serve(options: argparse.Namespace) -> None:
    store = Store(Site(options.hosts, options.pages, options.shared))
    random.seed(options.seed)
    loop = asyncio.get_running_loop()

    def build() -> Portal:
        return Portal(store, options.latency_ms / 1000, options.faults, options.seed)

    server = await loop.create_server(build, "127.0.0.1", options.port, backlog=1024)
    port = server.sockets[0].getsockname()[1]
    if options.addresses:
        own = [Site.address(number) for number in range(options.hosts)]
        await loop.create_server(build, own, port, backlog=1024)
    print(f"ready http://127.0.0.1:{port} {len(store.places) // 2} pages", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crawl_server", description=__doc__)
    number: dict[str, Any] = {"type": int, "metavar": "N"}
    parser.add_argument("--hosts", default=32, **number)
    parser.add_argument("--pages", default=157, help="detail pages of each host", **number)
    parser.add_argument("--shared", action="store_true", help="hosts of one layout hold the same pages")
    parser.add_argument("--port", default=0, **number)
    parser.add_argument("--latency-ms", default=0, type=float, metavar="MS")
    parser.add_argument("--faults", default=0, type=float, metavar="SHARE", help="of the answers, 0 to 1")
    parser.add_argument("--seed", default=1, **number)
    parser.add_argument("--addresses", action="store_true", help="listen on each host's loopback address as well")
    asyncio.run(serve(parser.parse_args(arguments)))


if __name__ == "__main__":
    main()
