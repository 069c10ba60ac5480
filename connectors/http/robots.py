"""robots.txt by RFC 9309: fetched once per host and run, matched by protego, and no when in doubt.

2xx: its rules. Redirects: followed up to five. 4xx but 429: no rules, and none in a page that says `not found` or an
empty frame, which some portals send for whatever they do not have. 429 is a wait: it is asked again after the pause
that it names, and in a later run when that is too long. Still 429, 5xx, another page and no answer at all: the whole
host is not crawled in this run (2.3.1.4). A firewall's page is a block like any other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx
from protego import Protego

from connectors.errors import (
    Blocked,
    Deferred,
    EmptyShell,
    Refused,
    RobotsDenied,
    ScriptRedirect,
    SoftGone,
    SourceError,
    Untrusted,
)
from connectors.http.replay import GatewayUnreachable
from connectors.http.trust import TlsException

MAX_ROBOTS_BYTES = 500 * 1024
"""What is beyond is not read (RFC 9309, 2.5)."""
MAX_CRAWL_DELAY = 300.0
"""Seconds. A host that asks for more between two requests does not want to be crawled."""

Ask = Callable[[str, TlsException | None], Awaitable[bytes]]
"""Fetches one robots.txt, with retries and redirects; raises SourceError."""
_Key = tuple[str, TlsException | None]
_NO_FILE = (SoftGone, EmptyShell, ScriptRedirect)


@dataclass(frozen=True, slots=True)
class Rules:
    """What one host's robots.txt says to us."""

    parser: Protego | None
    """None: it has no rules for anybody, or could not be read."""
    crawl_delay: float
    unreachable: str | None = None
    """Why it could not be read, in words."""
    out_of_bounds: SourceError | None = None
    """The host itself is refused or not trusted, whatever its rules."""


class Robots:
    """The robots.txt files of one run. `product` is our name in them (RFC 9309, 2.2.1)."""

    def __init__(self, product: str, ask: Ask) -> None:
        self._product = product
        self._ask = ask
        self._rules: dict[_Key, Rules] = {}
        self._locks: dict[_Key, asyncio.Lock] = {}

    async def check(self, url: httpx.URL, tls: TlsException | None = None) -> float:
        """The Crawl-delay in seconds (0 without one). Raises RobotsDenied when `url` must not be fetched.

        What closes the host itself (Blocked, Deferred, Refused, Untrusted) passes: it says nothing about rules."""
        host = url.netloc.decode("ascii")
        key = (host, tls)
        if key not in self._rules:
            async with self._locks.setdefault(key, asyncio.Lock()):
                if key not in self._rules:
                    self._rules[key] = await self._load(f"{url.scheme}://{host}/robots.txt", tls)
        rules = self._rules[key]
        if rules.out_of_bounds is not None:
            raise type(rules.out_of_bounds)(str(rules.out_of_bounds), url=str(url))
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

    def is_unreachable(self, url: httpx.URL, tls: TlsException | None = None) -> bool:
        rules = self._rules.get((url.netloc.decode("ascii"), tls))
        return rules is not None and rules.unreachable is not None

    async def _load(self, robots_url: str, tls: TlsException | None) -> Rules:
        try:
            body = await self._ask(robots_url, tls)
        except (GatewayUnreachable, Blocked, Deferred):
            raise
        except _NO_FILE:
            return Rules(None, 0.0)
        except SourceError as error:
            if isinstance(error, Refused | Untrusted) and error.url == robots_url:
                return Rules(None, 0.0, out_of_bounds=error)
            if error.status is not None and 400 <= error.status < 500 and error.status != 429:
                return Rules(None, 0.0)
            return Rules(None, 0.0, unreachable=str(error))
        parser = Protego.parse(body.decode("utf-8-sig", "replace"))
        return Rules(parser, parser.crawl_delay(self._product) or 0.0)
