"""The one polite client: robots first, one lane per host, retries of what may pass, limits on everything.

Retries are a loop of our own. A retrying transport (httpx-retries) sits below the lane, so its pauses would not
keep other tasks off a host in trouble; it never sees a body that breaks off; and it leaves no line per attempt.

Redirects (and meta refreshes of empty pages) are followed by hand, because every hop is checked against the source's
hosts and its robots.txt. Addresses, cookies and errors are httpx's; requests go over a transport of our own
(transport.py), without httpx's client on top: a client keeps one cookie jar for all hosts and follows the proxy
variables of the environment.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Self
from urllib.parse import urljoin

import httpx

from connectors.errors import Blocked, Deferred, Refused, RobotsDenied, SourceError, TooManyRedirects, Transient
from connectors.http.answers import build_conditions, build_fetch, fold, judge
from connectors.http.body import read_body
from connectors.http.cookies import AS_SENT, CookieJars
from connectors.http.guard import check_url
from connectors.http.lanes import MAX_PATIENCE, REFUSALS, Lane, lane_name, lane_of
from connectors.http.model import Answer, Attempt, Fetch, HttpSettings, Job, MayAsk, Validators, ask_at_once
from connectors.http.replay import GatewayUnreachable, ReplayTransport
from connectors.http.robots import MAX_ROBOTS_BYTES, Robots
from connectors.http.transport import Body, LeanTransport, write_request
from connectors.http.trust import TlsException
from connectors.http.wire import Header
from connectors.urls import named_host

__all__ = ["Attempt", "Client", "Fetch", "GatewayUnreachable", "HttpSettings", "TlsException", "Validators"]

MAX_REDIRECTS = 5
_REPLAY_PAUSE = 0.05
_MAX_BACKOFF = 60.0
_MAX_CONNECT = 10.0
_MAX_MESSAGE = 500
_HEADERS: list[Header] = [
    (b"Accept", b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    (b"Accept-Language", b"zh-CN,zh;q=0.9,en;q=0.5"),
    (b"Accept-Encoding", b"gzip"),
]


class Client:
    """Fetches pages politely. An async context manager; one per run and event loop.

    `on_attempt` is called for every request made, failed ones and robots.txt included."""

    def __init__(self, settings: HttpSettings, on_attempt: Callable[[Attempt], None] | None = None) -> None:
        self.settings = settings
        self._on_attempt = on_attempt
        self._is_paced = settings.replay is None or settings.pace_real
        self._cookies = CookieJars()
        self._closed: dict[str, SourceError] = {}
        """Lanes that are not asked any more in this run: blocked, or to be left alone for longer than it lasts."""
        self._delays: dict[str, float] = {}
        """Seconds between two requests that the sources of a lane's hosts ask for, the largest of them."""
        self._robots = Robots(settings.user_agent.split("/")[0].split()[0], self._fetch_robots)
        self._headers = [*_HEADERS, (b"User-Agent", settings.user_agent.encode("ascii", "ignore"))]
        self._transport: LeanTransport | None = None

    async def __aenter__(self) -> Self:
        replay = self.settings.replay
        self._transport = ReplayTransport(replay) if replay else LeanTransport()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._transport is not None:
            await self._transport.aclose()
            self._transport = None

    async def fetch(
        self,
        url: str,
        *,
        hosts: frozenset[str],
        kind: str,
        validators: Validators | None = None,
        delay: float | None = None,
        tls: TlsException | None = None,
        may_ask: MayAsk = ask_at_once,
    ) -> Fetch:
        """Fetch one page of a source that owns `hosts`; `kind` is `list`, `page`, `feed` or `attachment`. `may_ask` is
        called when the host's turn has come, before each request: what it raises is raised.

        Raises one of the source errors of connectors/errors.py; Transient after the retries, Blocked also without a
        request when the host has shown a challenge before in this run."""
        our_delay = max(self.settings.delay, delay or 0.0)
        job = Job(kind, our_delay, build_conditions(validators), asked=url, tls=tls, may_ask=may_ask)
        target, hops = self._admit(url, hosts, job), list[Fetch]()
        for _ in range(MAX_REDIRECTS + 1):
            target = _as_stated(target, tls)
            job.aim(target)
            self._check_open(target)
            host = lane_name(target.host)
            self._delays[host] = max(our_delay, self._delays.get(host, 0.0))
            job.pace = max(our_delay, await self._check_robots(target, hosts, job))
            answer, location = await self._ask(target, job)
            if location is None:
                return build_fetch(url, answer, job, hops)
            hops.append(build_fetch(url, answer, job))
            here, target = target, self._admit(location, hosts, job, target)
            if not _is_same_page(here, target):
                job.conditions = []  # they are about the page that we hold: another one is not `not modified`
        raise TooManyRedirects(f"{url} redirects more than {MAX_REDIRECTS} times", url=url)

    async def _fetch_robots(self, url: str, hosts: frozenset[str], tls: TlsException | None) -> bytes:
        """robots.txt at the pace of the sources that ask the host; redirects stay on `hosts` and on the same name, with
        or without `www.`."""
        host = httpx.URL(url).netloc.decode("ascii")
        bare = host.removeprefix("www.")
        hosts |= {host, bare, f"www.{bare}"}
        pace = self._delays.get(lane_name(httpx.URL(url).host), self.settings.delay)
        job = Job("robots", pace, [], robots="not_checked", tls=tls)
        target = self._admit(url, hosts, job)
        for _ in range(MAX_REDIRECTS + 1):
            target = _as_stated(target, tls)
            job.aim(target)
            answer, location = await self._ask(target, job)
            if location is None:
                return answer.body
            target = self._admit(location, hosts, job, target)
        raise TooManyRedirects(f"{url} redirects more than {MAX_REDIRECTS} times", url=url)

    def _admit(self, url: str, hosts: frozenset[str], job: Job, here: httpx.URL | None = None) -> httpx.URL:
        """Where to ask next: what is asked for, or where an answer from `here` sends us. Raises Refused, logged as an
        attempt without a request."""
        try:
            url = urljoin(str(here), url) if here is not None else url
            return check_url(url, hosts)
        except Refused as error:
            refused = error
        except ValueError:
            refused = Refused(f"{here} redirects to no valid address: {url!r}", url=str(here))
        shown = "".join(char if char.isprintable() else f"%{ord(char):02X}" for char in url[:_MAX_MESSAGE])
        aside = replace(job, address=shown, host=named_host(shown), robots="not_checked")
        self._log(aside, datetime.now(UTC), 0, None, 0, refused.code, 0.0, message=str(refused))
        raise refused

    def _check_open(self, url: httpx.URL) -> None:
        closed = self._closed.get(lane_name(url.host)) if self._closed else None
        if closed is not None:
            words = f"{url.host} is not asked any more in this run: {closed}"
            if isinstance(closed, Blocked):
                raise Blocked(words, url=str(url), evidence=closed.evidence)
            raise Deferred(words, url=str(url))

    async def _check_robots(self, url: httpx.URL, hosts: frozenset[str], job: Job) -> float:
        """The host's Crawl-delay. Raises RobotsDenied, logged as an attempt without a request."""
        try:
            return await self._robots.check(url, job.address, hosts, job.tls)
        except Blocked as error:
            name = lane_name(url.host)
            self._closed.setdefault(name, error)  # also when it was a host that its robots.txt redirects to
            raise
        except RobotsDenied as error:
            job.robots = "unreachable" if self._robots.is_unreachable(url, job.tls) else "denied"
            self._log(job, datetime.now(UTC), 0, None, 0, error.code, 0.0, message=str(error))
            raise

    async def _ask(self, url: httpx.URL, job: Job) -> tuple[Answer, str | None]:
        """One hop, with retries of transient failures: the answer, and where it sends us."""
        for number in range(self.settings.retries + 1):
            try:
                return await self._attempt(url, job)
            except Blocked as error:
                self._closed[lane_name(url.host)] = error
                raise
            except Transient as error:
                after = error.retry_after or 0.0
                if after > MAX_PATIENCE:
                    later = Deferred(f"{error}: a later run", url=str(url), status=error.status)
                    if error.status in REFUSALS:
                        self._closed[lane_name(url.host)] = later
                    raise later from error
                if number == self.settings.retries:
                    raise
                lane_of(url.host).hold_off(self._pause(number, after))
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _pause(self, number: int, after: float) -> float:
        """Seconds before the next attempt: doubled each time, with jitter, at least Retry-After."""
        backoff = min(self.settings.backoff * 2.0**number, _MAX_BACKOFF) * random.uniform(0.75, 1.0)
        pause = max(backoff, after)
        return pause if self._is_paced else min(pause, _REPLAY_PAUSE)

    async def _attempt(self, url: httpx.URL, job: Job) -> tuple[Answer, str | None]:
        lane = lane_of(url.host)
        async with lane.slot(job.pace if self._is_paced else 0.0) as waited:
            self._check_open(url)  # somebody before us in the lane may have met a challenge
            await job.may_ask()
            started_at, clock = datetime.now(UTC), time.perf_counter()
            answer: Answer | None = None
            status, n_bytes, outcome, evidence, message = None, 0, "cancelled", "", ""
            try:
                answer = await self._exchange(url, job, lane, started_at, clock)
                status, n_bytes = answer.status, len(answer.body)
                location = judge(job.address, answer, job)
                outcome = "redirect" if location is not None else "not_modified" if status == 304 else "ok"
                return answer, location
            except SourceError as error:
                status, outcome, message = error.status or status, error.code, str(error)
                evidence = error.evidence if isinstance(error, Blocked) else ""
                raise
            finally:
                elapsed_ms = answer.elapsed_ms if answer else round((time.perf_counter() - clock) * 1000)
                self._log(job, started_at, elapsed_ms, status, n_bytes, outcome, waited, evidence, message)

    async def _exchange(self, url: httpx.URL, job: Job, lane: Lane, started_at: datetime, clock: float) -> Answer:
        """Send one request and read its whole answer within the time limit. Raises Transient, TooLarge, Refused."""
        if self._transport is None:
            raise RuntimeError("the client is used outside `async with`")
        seconds, address = self.settings.timeout, job.address
        until, connect = asyncio.get_running_loop().time() + seconds, min(_MAX_CONNECT, seconds * 0.8)
        try:
            request = self._write(url, job)
            head, stream = await self._transport.ask(url, address, request, until=until, connect=connect, tls=job.tls)
            try:
                told = fold(head.headers)
                if "set-cookie" in told:
                    self._cookies.take_from(url, head.headers)
                body = b"" if stream.skip() else await self._read(stream, told, job)
            finally:
                stream.close()
        except (TimeoutError, httpx.TimeoutException) as error:
            raise Transient(f"{address} took longer than {seconds:g} s", url=address) from error
        except (httpx.TransportError, httpx.StreamError) as error:
            words = str(error) or type(error).__name__
            raise Transient(f"{address} could not be read: {words}", url=address) from error
        except SourceError as error:
            error.url = error.url or address
            raise
        lasted = time.perf_counter() - clock
        lane.lag = lag = min(stream.lag, lasted)
        locations = [value for name, value in head.headers if name.lower() == b"location"] if "location" in told else []
        return Answer(head.status, told, locations, body, started_at, round((lasted - lag) * 1000), request)

    def _write(self, url: httpx.URL, job: Job) -> bytes:
        """The request as it is sent."""
        headers = [(b"Host", url.netloc), *self._headers, *job.conditions]
        cookie = self._cookies.header_for(url)
        if cookie:
            headers.append((b"Cookie", cookie.encode(AS_SENT)))
        return write_request(url.raw_path, headers)

    async def _read(self, stream: Body, headers: dict[str, str], job: Job) -> bytes:
        s, is_robots = self.settings, job.kind == "robots"
        limit = s.max_attachment_bytes if job.kind == "attachment" else s.max_page_bytes
        limit = MAX_ROBOTS_BYTES if is_robots else limit
        return await read_body(stream, headers, limit, url=job.address, truncate=is_robots, patience=s.patience)

    def _log(
        self, job: Job, started_at: datetime, elapsed_ms: int, status: int | None, n_bytes: int, outcome: str,
        waited: float, evidence: str = "", message: str = "",
    ) -> None:  # fmt: skip
        attempt = Attempt(
            job.address,
            job.host,
            started_at,
            elapsed_ms,
            status,
            n_bytes,
            outcome,
            job.robots,
            job.pace,
            waited,
            job.kind,
            bool(job.conditions),
            evidence,
            str(job.tls) if job.tls is not None else "",
            _on_one_line(message) if message else "",
            job.asked or job.address,
        )
        job.attempts.append(attempt)
        if self._on_attempt is not None:
            self._on_attempt(attempt)


def _on_one_line(text: str) -> str:
    """Without line ends and control characters, which no database takes."""
    return " ".join("".join(char if char.isprintable() else " " for char in text[:_MAX_MESSAGE]).split())


def _as_stated(url: httpx.URL, tls: TlsException | None) -> httpx.URL:
    """With `tls: http-only`, https addresses are asked as http."""
    if tls is None or not tls.is_http_only or url.scheme != "https":
        return url
    return url.copy_with(scheme="http")


def _is_same_page(here: httpx.URL, there: httpx.URL) -> bool:
    """Whether a redirect only changes the scheme or adds `www.`, or leads back after setting a cookie."""
    hosts = {url.host.removeprefix("www.") for url in (here, there)}
    return len(hosts) == 1 and here.raw_path == there.raw_path
