"""The sandbox over real HTTP, for the tests of this folder."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from sandbox.server import Gateway, serve


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


Get = Callable[..., Answer]


def get(gateway: Gateway, url: str, method: str = "GET", **headers: str) -> Answer:
    """Ask the gateway for a portal's address, the way a replayed crawl does."""
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = http.client.HTTPConnection(urlsplit(gateway.url).netloc, timeout=10)
    try:
        fields = {"Host": parts.netloc} | {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, target, headers=fields)
        response = connection.getresponse()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    finally:
        connection.close()


@pytest.fixture(scope="session")
def day_1() -> Iterator[Gateway]:
    with serve() as gateway:
        yield gateway


@pytest.fixture(scope="session")
def day_2() -> Iterator[Gateway]:
    with serve(day=2) as gateway:
        yield gateway
