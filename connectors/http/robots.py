"""robots.txt by RFC 9309: fetched once per host and run, matched by protego, and no when in doubt.

2xx: its rules. Redirects: followed up to five. 4xx but 429: no rules. 429, 5xx and no answer at all: the whole
host is not crawled in this run (2.3.1.4).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx
from protego import Protego

from connectors.errors import RobotsDenied, SourceError
from connectors.http.replay import GatewayUnreachable

MAX_ROBOTS_BYTES = 500 * 1024
"""What is beyond is not read (RFC 9309, 2.5)."""
MAX_CRAWL_DELAY = 300.0
"""Seconds. A host that asks for more between two requests does not want to be crawled."""

Ask = Callable[[str], Awaitable[bytes]]
"""Fetches one robots.txt, with retries and redirects; raises SourceError."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What one host's robots.txt says to us."""

    parser: Protego | None
    """None: it has no rules for anybody, or could not be read."""
    crawl_delay: float
    unreachable: str | None = None
    """Why it could not be read, in words."""


class Robots:
    """The robots.txt files of one run. `product` is our name in them (RFC 9309, 2.2.1)."""

    def __init__(self, product: str, ask: Ask) -> None:
        self._product = product
        self._ask = ask
        self._rules: dict[str, Rules] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def check(self, url: httpx.URL) -> float:
        """The Crawl-delay in seconds (0 without one). Raises RobotsDenied when `url` must not be fetched."""
        host = url.netloc.decode("ascii")
        async with self._locks.setdefault(host, asyncio.Lock()):
            if host not in self._rules:
                self._rules[host] = await self._load(f"{url.scheme}://{host}/robots.txt")
        rules = self._rules[host]
        if rules.unreachable:
            raise RobotsDenied(
                f"{host} is not crawled in this run: its robots.txt could not be read ({rules.unreachable})",
                url=str(url),
            )
        if rules.parser is not None and not rules.parser.can_fetch(str(url), self._product):
            raise RobotsDenied(f"robots.txt of {host} does not allow {url}", url=str(url))
        if rules.crawl_delay > MAX_CRAWL_DELAY:
            raise RobotsDenied(
                f"robots.txt of {host} asks for {rules.crawl_delay:g} seconds between requests, "
                f"more than the {MAX_CRAWL_DELAY:g} that a run waits",
                url=str(url),
            )
        return rules.crawl_delay

    def is_unreachable(self, url: httpx.URL) -> bool:
        rules = self._rules.get(url.netloc.decode("ascii"))
        return rules is not None and rules.unreachable is not None

    async def _load(self, robots_url: str) -> Rules:
        try:
            body = await self._ask(robots_url)
        except GatewayUnreachable:
            raise
        except SourceError as error:
            if error.status is not None and 400 <= error.status < 500 and error.status != 429:
                return Rules(None, 0.0)
            return Rules(None, 0.0, unreachable=str(error))
        parser = Protego.parse(body.decode("utf-8-sig", "replace"))
        return Rules(parser, parser.crawl_delay(self._product) or 0.0)
