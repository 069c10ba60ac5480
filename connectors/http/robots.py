"""robots.txt by RFC 9309: fetched once per host and run, matched by protego, and no when in doubt.

2xx: its rules; 204 has none. Redirects: followed up to five, within the hosts of the source that asks. 4xx but 429: no
rules, and none in a page that says `not found` or an empty frame, which some portals send for whatever they do not
have. 429 is a wait: it is asked again after the pause that it names, and in a later run when that is too long. Still
429, 5xx, another page and no answer at all: the whole host is not crawled in this run (2.3.1.4). A firewall's page is
a block like any other.
"""

from __future__ import annotations

import asyncio
import re
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

Ask = Callable[[str, frozenset[str], TlsException | None], Awaitable[bytes]]
"""Fetches one robots.txt, with retries and redirects to these hosts; raises SourceError."""
_Key = tuple[str, str, TlsException | None]
"""Scheme and host with its port: http and https are two services (RFC 9309, 2.3), with rules of their own."""
_UTF16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_WIDE_COLON = re.compile(r"^([ \t]*[A-Za-z-]{5,20}[ \t]*)：", re.M)
_AGENT = re.compile(r"^([ \t]*user-agent[ \t]*:[ \t]*[A-Za-z_-]+)/[^\r\n]*", re.M | re.I)
_DELAY = re.compile(
    r"^([ \t]*crawl-delay[ \t]*:[ \t]*)(\d{1,9}(?:[.,]\d{1,9})?(?:e\+?\d)?)[ \t]*([a-z\u4e00-\u9fff]*)[^\r\n#]*",
    re.M | re.I,
)
_UNITS = (("ms", 0.001), ("毫秒", 0.001), ("m", 60.0), ("分", 60.0), ("h", 3600.0), ("小时", 3600.0), ("时", 3600.0))
"""How a unit begins, and its seconds; whatever else stands there are seconds."""
_NO_FILE = (SoftGone, EmptyShell, ScriptRedirect)


@dataclass(frozen=True, slots=True)
class Rules:
    """What one host's robots.txt says to us."""

    parser: Protego | None
    """None: it has no rules for anybody, or could not be read."""
    crawl_delay: float
    """The longer of Crawl-delay and what Request-rate comes to."""
    unreachable: str | None = None
    """Why it could not be read, in words."""
    out_of_bounds: SourceError | None = None
    """The host itself is refused or not trusted, whatever its rules."""
    led_out_of: frozenset[str] | None = None
    """It is redirected to a host that is none of these: a source with others may follow it."""


def read_robots(body: bytes) -> str:
    """The text of a robots.txt as its author meant it. A line that nobody understands is a rule that is not kept, so
    what hands get wrong is put right: UTF-16, marks and NULs, the colon of a Chinese keyboard, a version behind our
    name (the token of RFC 9309, 2.2.1 has none), a unit or a decimal comma in a Crawl-delay."""
    mark = next((name for start, name in _UTF16.items() if body.startswith(start)), None)
    text = body.decode(mark or "utf-8", "replace").replace("\ufeff", "").replace("\0", "")
    text = _WIDE_COLON.sub(r"\1:", text)
    text = _AGENT.sub(r"\1", text)
    return _DELAY.sub(_in_seconds, text)


def _in_seconds(delay: re.Match[str]) -> str:
    unit = delay[3].lower()
    factor = next((seconds for begins, seconds in _UNITS if unit.startswith(begins)), 1.0)
    return f"{delay[1]}{float(delay[2].replace(',', '.')) * factor:.3f}"


class Robots:
    """The robots.txt files of one run. `product` is our name in them (RFC 9309, 2.2.1)."""

    def __init__(self, product: str, ask: Ask) -> None:
        self._product = product
        self._ask = ask
        self._rules: dict[_Key, Rules] = {}
        self._locks: dict[_Key, asyncio.Lock] = {}

    async def check(
        self, url: httpx.URL, address: str, hosts: frozenset[str], tls: TlsException | None = None
    ) -> float:
        """The Crawl-delay in seconds (0 without one). Raises RobotsDenied when `url` (as words: `address`) must not be
        fetched. `hosts`: those of the source, to which a redirect of robots.txt is followed.

        What closes the host itself (Blocked, Deferred, Refused, Untrusted) passes: it says nothing about rules."""
        host = url.netloc.decode("ascii")
        key = (url.scheme, host, tls)
        if self._must_ask(key, hosts):
            async with self._locks.setdefault(key, asyncio.Lock()):
                if self._must_ask(key, hosts):
                    before = self._rules.get(key)
                    tried = hosts | (before.led_out_of or frozenset()) if before is not None else hosts
                    self._rules[key] = await self._load(f"{url.scheme}://{host}/robots.txt", hosts, tried, tls)
        rules = self._rules[key]
        if rules.out_of_bounds is not None:
            raise type(rules.out_of_bounds)(str(rules.out_of_bounds), url=address)
        if rules.unreachable:
            raise RobotsDenied(
                f"{host} is not crawled in this run: its robots.txt could not be read ({rules.unreachable})",
                url=address,
            )
        if rules.parser is not None and not rules.parser.can_fetch(address, self._product):
            raise RobotsDenied(f"robots.txt of {host} does not allow {address}", url=address)
        if rules.crawl_delay > MAX_CRAWL_DELAY:
            raise RobotsDenied(
                f"robots.txt of {host} asks for {rules.crawl_delay:g} seconds between requests, "
                f"more than the {MAX_CRAWL_DELAY:g} that a run waits",
                url=address,
            )
        return rules.crawl_delay

    def is_unreachable(self, url: httpx.URL, tls: TlsException | None = None) -> bool:
        rules = self._rules.get((url.scheme, url.netloc.decode("ascii"), tls))
        return rules is not None and rules.unreachable is not None

    def _must_ask(self, key: _Key, hosts: frozenset[str]) -> bool:
        rules = self._rules.get(key)
        return rules is None or (rules.led_out_of is not None and not hosts <= rules.led_out_of)

    async def _load(
        self, robots_url: str, hosts: frozenset[str], tried: frozenset[str], tls: TlsException | None
    ) -> Rules:
        """`tried`: `hosts`, and those of other sources that were led out of them before."""
        try:
            body = await self._ask(robots_url, hosts, tls)
        except (GatewayUnreachable, Blocked, Deferred):
            raise
        except _NO_FILE:
            return Rules(None, 0.0)
        except SourceError as error:
            if isinstance(error, Refused | Untrusted) and error.url == robots_url:
                return Rules(None, 0.0, out_of_bounds=error)
            if error.status == 204 or (error.status is not None and 400 <= error.status < 500 and error.status != 429):
                return Rules(None, 0.0)
            return Rules(None, 0.0, unreachable=str(error), led_out_of=tried if isinstance(error, Refused) else None)
        parser = Protego.parse(read_robots(body))
        rate = parser.request_rate(self._product)
        between = rate.seconds / rate.requests if rate is not None and rate.requests > 0 else 0.0
        return Rules(parser, max(parser.crawl_delay(self._product) or 0.0, between))
