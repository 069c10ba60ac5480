"""The one polite client: robots first, one lane per host, retries of what may pass, limits on everything.

Retries are a loop of our own. A retrying transport (httpx-retries) sits below the lane, so its pauses would not
keep other tasks off a host in trouble; it never sees a body that breaks off; and it leaves no line per attempt.

Redirects are followed by hand, because every hop is checked against the source's hosts and its robots.txt. The
httpx transport is used without httpx's client on top: a client keeps one cookie jar for all hosts and follows the
proxy variables of the environment.
"""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from types import TracebackType
from typing import Self
from urllib.parse import urljoin

import httpx

from connectors.errors import Refused, RobotsDenied, SourceError, Transient
from connectors.http.answers import REDIRECTS, build_conditions, build_fetch, judge
from connectors.http.body import read_body
from connectors.http.guard import check_address, check_url
from connectors.http.lanes import lane_of
from connectors.http.model import Answer, Attempt, Fetch, HttpSettings, Job, Validators
from connectors.http.replay import GatewayUnreachable, ReplayTransport
from connectors.http.robots import MAX_ROBOTS_BYTES, Robots

__all__ = ["Attempt", "Client", "Fetch", "GatewayUnreachable", "HttpSettings", "Validators"]

MAX_REDIRECTS = 5
MAX_RETRY_AFTER = 120.0
"""Seconds. A server that wants a longer pause is asked again by a later run."""
_REPLAY_PAUSE = 0.05
_MAX_BACKOFF = 60.0
_MAX_COOKIES = 50
_MAX_CONNECT = 10.0
_HEADERS = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5",
    "Accept-Encoding": "gzip",
}


@cache
def _trusted_roots() -> ssl.SSLContext:
    """Certificates are always verified. Loading the roots takes 30 ms: once per process."""
    return httpx.create_ssl_context(trust_env=False)


class Client:
    """Fetches pages politely. An async context manager; one per run and event loop.

    `on_attempt` is called for every request made, failed ones and robots.txt included."""

    def __init__(self, settings: HttpSettings, on_attempt: Callable[[Attempt], None] | None = None) -> None:
        self.settings = settings
        self._on_attempt = on_attempt
        self._is_paced = settings.replay is None or settings.pace_real
        self._cookies: dict[str, httpx.Cookies] = {}
        self._checked_hosts: set[str] = set()
        self._robots = Robots(settings.user_agent.split("/")[0].split()[0], self._fetch_robots)
        self._transport: httpx.AsyncBaseTransport | None = None

    async def __aenter__(self) -> Self:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=64, keepalive_expiry=10)
        inner = httpx.AsyncHTTPTransport(verify=_trusted_roots(), limits=limits, trust_env=False)
        replay = self.settings.replay
        self._transport = ReplayTransport(replay, inner) if replay else inner
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
    ) -> Fetch:
        """Fetch one page of a source that owns `hosts`; `kind` is `list`, `page`, `feed` or `attachment`.

        Raises one of the source errors: Transient (after the retries), Gone, Blocked, RobotsDenied, TooLarge,
        Refused, GatewayUnreachable, or SourceError for an answer that is none of these."""
        our_delay = max(self.settings.delay, delay or 0.0)
        job = Job(kind, our_delay, build_conditions(validators))
        target = check_url(url, hosts)
        for _ in range(MAX_REDIRECTS + 1):
            job.pace = max(our_delay, await self._check_robots(target, job))
            answer = await self._ask(target, job)
            if answer.status not in REDIRECTS:
                return build_fetch(url, target, answer, job)
            target = self._next_hop(target, answer, hosts)
        raise SourceError(f"{url} redirects more than {MAX_REDIRECTS} times", url=url)

    async def _fetch_robots(self, url: str) -> bytes:
        """robots.txt with our own pace; redirects stay on hosts of the same name, with or without `www.`."""
        host = httpx.URL(url).netloc.decode("ascii")
        bare = host.removeprefix("www.")
        hosts = frozenset({host, bare, f"www.{bare}"})
        job = Job("robots", self.settings.delay, {}, "not_checked")
        target = check_url(url, hosts)
        for _ in range(MAX_REDIRECTS + 1):
            answer = await self._ask(target, job)
            if answer.status not in REDIRECTS:
                return answer.body
            target = self._next_hop(target, answer, hosts)
        raise SourceError(f"{url} redirects more than {MAX_REDIRECTS} times", url=url)

    @staticmethod
    def _next_hop(here: httpx.URL, answer: Answer, hosts: frozenset[str]) -> httpx.URL:
        location = answer.headers.get("location")
        if not location:
            raise SourceError(f"{here} answers {answer.status} without a Location", url=str(here), status=answer.status)
        try:
            return check_url(urljoin(str(here), location), hosts)
        except ValueError as error:
            raise Refused(f"{here} redirects to no valid address: {location!r}", url=str(here)) from error

    async def _check_robots(self, url: httpx.URL, job: Job) -> float:
        """The host's Crawl-delay. Raises RobotsDenied, logged as an attempt without a request."""
        try:
            return await self._robots.check(url)
        except RobotsDenied as error:
            job.robots = "unreachable" if self._robots.is_unreachable(url) else "denied"
            self._log(job, url, datetime.now(UTC), 0, None, 0, error.code, 0.0)
            raise

    async def _ask(self, url: httpx.URL, job: Job) -> Answer:
        """One hop, with retries of transient failures."""
        for number in range(self.settings.retries + 1):
            try:
                return await self._attempt(url, job)
            except Transient as error:
                pause = self._pause(number, error)
                if number == self.settings.retries or pause is None:
                    raise
                lane_of(url.host).hold_off(pause)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _pause(self, number: int, error: Transient) -> float | None:
        """Seconds before the next attempt: doubled each time, with jitter, at least Retry-After. None: give up."""
        if error.retry_after is not None and error.retry_after > MAX_RETRY_AFTER:
            return None
        backoff = min(self.settings.backoff * 2.0**number, _MAX_BACKOFF) * random.uniform(0.75, 1.25)
        pause = max(backoff, error.retry_after or 0.0)
        return pause if self._is_paced else min(pause, _REPLAY_PAUSE)

    async def _attempt(self, url: httpx.URL, job: Job) -> Answer:
        async with lane_of(url.host).slot(job.pace if self._is_paced else 0.0) as waited:
            started_at, clock = datetime.now(UTC), time.perf_counter()
            status, n_bytes, outcome = None, 0, "cancelled"
            try:
                answer = await self._exchange(url, job, started_at, clock)
                status, n_bytes = answer.status, len(answer.body)
                judge(str(url), answer, job)
                outcome = "not_modified" if status == 304 else "redirect" if status in REDIRECTS else "ok"
                return answer
            except SourceError as error:
                status, outcome = error.status or status, error.code
                raise
            finally:
                elapsed_ms = round((time.perf_counter() - clock) * 1000)
                self._log(job, url, started_at, elapsed_ms, status, n_bytes, outcome, waited)

    async def _exchange(self, url: httpx.URL, job: Job, started_at: datetime, clock: float) -> Answer:
        """Send one request and read its whole answer within the time limit. Raises Transient, TooLarge, Refused."""
        seconds = self.settings.timeout
        try:
            async with asyncio.timeout(seconds):
                if self.settings.replay is None and url.host not in self._checked_hosts:
                    await check_address(url)
                    self._checked_hosts.add(url.host)
                status, headers, body = await self._send(url, job)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise Transient(f"{url} took longer than {seconds:g} s", url=str(url)) from error
        except (httpx.TransportError, httpx.StreamError) as error:
            if isinstance(error.__cause__, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY" in str(error):
                raise SourceError(f"{url.host} shows no valid certificate: {error}", url=str(url)) from error
            words = str(error) or type(error).__name__
            raise Transient(f"{url} could not be read: {words}", url=str(url)) from error
        return Answer(status, headers, body, started_at, round((time.perf_counter() - clock) * 1000))

    async def _send(self, url: httpx.URL, job: Job) -> tuple[int, httpx.Headers, bytes]:
        if self._transport is None:
            raise RuntimeError("the client is used outside `async with`")
        headers = {**_HEADERS, "User-Agent": self.settings.user_agent, **job.conditions}
        seconds = self.settings.timeout
        timeouts = httpx.Timeout(seconds, connect=min(_MAX_CONNECT, seconds * 0.8)).as_dict()
        request = httpx.Request("GET", url, headers=headers, extensions={"timeout": timeouts})
        cookies = self._cookies.setdefault(url.host, httpx.Cookies())
        cookies.set_cookie_header(request)
        response = await self._transport.handle_async_request(request)
        try:
            response.request = request
            cookies.extract_cookies(response)
            if len(cookies.jar) > _MAX_COOKIES:
                cookies.clear()
            if job.kind == "robots":
                body = await read_body(response, MAX_ROBOTS_BYTES, url=str(url), truncate=True)
            else:
                s = self.settings
                limit = s.max_attachment_bytes if job.kind == "attachment" else s.max_page_bytes
                body = await read_body(response, limit, url=str(url))
        finally:
            await response.aclose()
        return response.status_code, response.headers, body

    def _log(
        self, job: Job, url: httpx.URL, started_at: datetime, elapsed_ms: int, status: int | None,
        n_bytes: int, outcome: str, waited: float,
    ) -> None:  # fmt: skip
        attempt = Attempt(
            str(url),
            url.netloc.decode("ascii"),
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
        )
        job.attempts.append(attempt)
        if self._on_attempt is not None:
            self._on_attempt(attempt)
