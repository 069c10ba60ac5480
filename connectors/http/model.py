"""What the client is given and what it gives back."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

import httpx

from connectors.http.trust import TlsException
from connectors.http.wire import Header

RobotsState = Literal["allowed", "denied", "unreachable", "not_checked"]


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """What the client must know. Times in seconds, sizes in bytes after decompression."""

    user_agent: str
    replay: str | None = None
    pace_real: bool = False
    """Wait at the real pace also in replay."""
    timeout: float = 30.0
    """For one whole request: connect, headers and body."""
    patience: float = 10.0
    """From when on a body must come at some pace."""
    retries: int = 3
    backoff: float = 1.0
    delay: float = 1.0
    max_page_bytes: int = 16 << 20
    max_attachment_bytes: int = 64 << 20


class Validators(NamedTuple):
    """What an earlier answer gave us to ask `has it changed?` (RFC 9110, 13.1)."""

    etag: str | None = None
    last_modified: str | None = None


class Attempt(NamedTuple):
    """One request made, or not made because robots.txt said no: a row of the fetch log."""

    url: str
    host: str
    """As in `hosts` of a source: with the port where it is not the scheme's own."""
    started_at: datetime
    elapsed_ms: int
    status: int | None
    n_bytes: int
    outcome: str
    """`ok`, `not_modified`, `redirect`, or the code of the error."""
    robots: RobotsState
    """`not_checked` is robots.txt itself."""
    delay_s: float
    """Pace of the host's lane: the larger of ours and its Crawl-delay."""
    waited_s: float
    """What was really slept for it: nothing in replay."""
    kind: str = "page"
    """`list`, `page`, `feed`, `attachment` or `robots`."""
    is_conditional: bool = False
    """A validator was sent along."""
    evidence: str = ""
    """Of a block: status, mark, size and server, in one line."""
    tls: str = ""
    """The source's exception from TLS and its reason; empty where certificates are verified as usual."""
    message: str = ""
    """Why it failed, in one line."""
    asked: str = ""
    """The address whose page was wanted, which redirects led away from."""


class Fetch(NamedTuple):
    """One page, as the server gave it."""

    url: str
    final_url: str
    """Differs from `url` after redirects."""
    status: int
    headers: Mapping[str, str]
    """Lower-case names; repeated ones joined by `, `."""
    body: bytes
    """Decompressed; empty when not modified."""
    not_modified: bool
    etag: str | None
    last_modified: str | None
    content_type: str | None
    fetched_at: datetime
    """When the last request began, UTC."""
    elapsed_ms: int
    attempts: tuple[Attempt, ...]
    """Those for this page, redirects and failures included; `on_attempt` also sees robots.txt."""
    request: bytes = b""
    """The last request as it was sent, without cookies."""
    hops: tuple[Fetch, ...] = ()
    """The answers that led to this one, redirects and refreshes; `final_url` of each is the address that gave it."""

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


@dataclass(slots=True)
class Answer:
    """One response, read to its end."""

    status: int
    headers: Mapping[str, str]
    """As in `Fetch`."""
    locations: list[bytes]
    """Its Location headers as they were sent."""
    body: bytes
    started_at: datetime
    elapsed_ms: int
    request: bytes


MayAsk = Callable[[], Awaitable[None]]
"""Called when the host's turn has come, before each request; what it raises is raised."""


async def ask_at_once() -> None:
    """Nobody minds."""


@dataclass(slots=True)
class Job:
    """What all requests for one page share, and the log they leave."""

    kind: str
    pace: float
    conditions: list[Header]
    """Headers of a conditional request."""
    address: str = ""
    """What is asked for just now, after redirects."""
    host: str = ""
    """Its host, with the port where it is not the scheme's own."""
    asked: str = ""
    """What was asked for at first, as the caller spells it."""
    robots: RobotsState = "allowed"
    tls: TlsException | None = None
    may_ask: MayAsk = ask_at_once
    attempts: list[Attempt] = field(default_factory=list)

    def aim(self, url: httpx.URL) -> None:
        """This is what is asked for now."""
        self.address, self.host = str(url), url.netloc.decode("ascii")
