"""The polite client against a real server that misbehaves on demand."""

from __future__ import annotations

import asyncio
import gzip
import socket
import time
import zlib
from collections.abc import Coroutine, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from typing import Any

import pytest

from connectors.errors import Blocked, Gone, Refused, SourceError, TooLarge, Transient
from connectors.http import guard
from connectors.http.answers import read_retry_after
from connectors.http.challenge import find_challenge
from connectors.http.client import Attempt, Client, Fetch, GatewayUnreachable, HttpSettings, Validators
from connectors.http.replay import check_gateway
from tests import servers
from tests.servers import Site

HOST = "www.yunxi.example"
HOSTS = frozenset({HOST})
PAGE = f"http://{HOST}/page.html"
HTML = "<html><body><p>" + "云溪区人民政府全年办理行政复议案件一百二十件。" * 8 + "</p></body></html>"


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


def settings(site: Site, **changes: Any) -> HttpSettings:
    base = HttpSettings(
        user_agent="fazhi-test/1 (+https://contact.example/)",
        replay=site.url,
        timeout=2,
        retries=2,
        backoff=0.01,
        delay=0,
    )
    return replace(base, **changes)


class Run:
    """One client, its answers or errors, and its attempt log."""

    def __init__(self, site: Site, **changes: Any) -> None:
        self.log: list[Attempt] = []
        self._settings = settings(site, **changes)

    def fetch(self, url: str = PAGE, *, kind: str = "page", hosts: frozenset[str] = HOSTS, **more: Any) -> Fetch:
        async def go() -> Fetch:
            async with Client(self._settings, self.log.append) as client:
                return await client.fetch(url, kind=kind, hosts=hosts, **more)

        return asyncio.run(asyncio.wait_for(go(), 10))

    def outcomes(self) -> list[tuple[str, int | None]]:
        return [(a.outcome, a.status) for a in self.log if not a.url.endswith("/robots.txt")]


def test_a_page_with_all_that_is_known_of_it(site: Site) -> None:
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "ETag": '"a1"',
        "Last-Modified": "Mon, 06 Jan 2020 08:00:00 GMT",
    }
    site.on("/page.html", HTML, headers=headers)
    run = Run(site)
    got = run.fetch(PAGE + "#top")
    assert got.body == HTML.encode()
    assert (got.status, got.final_url, got.not_modified) == (200, PAGE, False)
    assert (got.etag, got.last_modified, got.content_type) == (
        '"a1"',
        headers["Last-Modified"],
        headers["Content-Type"],
    )
    assert got.fetched_at.tzinfo is UTC
    assert [a.outcome for a in got.attempts] == ["ok"]
    assert got.attempts[0].n_bytes == len(got.body)
    assert [(a.url, a.robots) for a in run.log] == [(f"http://{HOST}/robots.txt", "not_checked"), (PAGE, "allowed")]


def test_what_the_server_sees(site: Site) -> None:
    site.on("/a/b.html?x=1&y=%D6%D0", HTML)
    Run(site).fetch(f"https://{HOST}/a/b.html?x=1&y=%D6%D0")
    seen = site.seen[-1]
    assert (seen.host, seen.target) == (HOST, "/a/b.html?x=1&y=%D6%D0")
    assert seen.headers["user-agent"].startswith("fazhi-test/1")
    assert seen.headers["accept-encoding"] == "gzip"
    assert "cookie" not in seen.headers


def test_conditional_get(site: Site) -> None:
    site.on("/page.html", HTML, headers={"ETag": '"a1"'})
    got = Run(site).fetch(validators=Validators('"a1"', "Mon, 06 Jan 2020 08:00:00 GMT"))
    assert (got.not_modified, got.status, got.body) == (True, 304, b"")
    assert site.seen[-1].headers["if-modified-since"] == "Mon, 06 Jan 2020 08:00:00 GMT"
    changed = Run(site).fetch(validators=Validators('"old"'))
    assert (changed.not_modified, changed.status) == (False, 200)


def test_a_304_that_nobody_asked_for_is_no_page(site: Site) -> None:
    site.on("/page.html", status=304)
    with pytest.raises(SourceError, match="304"):
        Run(site).fetch()


def test_a_validator_that_no_header_can_carry_is_left_out(site: Site) -> None:
    site.on("/page.html", HTML)
    Run(site).fetch(validators=Validators('"a\r\nX-Evil: 1"', "昨天"))
    assert not {"if-none-match", "if-modified-since", "x-evil"} & set(site.seen[-1].headers)


def test_503_twice_then_the_page(site: Site) -> None:
    site.on("/page.html", status=503).on("/page.html", status=503).on("/page.html", HTML)
    run = Run(site)
    got = run.fetch()
    assert got.status == 200
    assert run.outcomes() == [("transient", 503), ("transient", 503), ("ok", 200)]
    assert len(got.attempts) == 3


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 504])
def test_transient_statuses_end_after_the_retries(site: Site, status: int) -> None:
    site.on("/page.html", status=status)
    run = Run(site)
    with pytest.raises(Transient) as caught:
        run.fetch()
    assert caught.value.status == status
    assert len(run.outcomes()) == 3


@pytest.mark.parametrize("raw", [servers.hang, servers.trickle, servers.reset, servers.short_body])
def test_connections_that_fail_are_transient_and_bounded(site: Site, raw: servers.Raw) -> None:
    site.on("/page.html", raw=raw)
    run = Run(site, timeout=0.3, retries=1)
    started = time.monotonic()
    with pytest.raises(Transient):
        run.fetch()
    assert time.monotonic() - started < 5
    assert run.outcomes() == [("transient", run.log[-1].status)] * 2


def test_a_connection_that_fails_once_is_forgiven(site: Site) -> None:
    site.on("/page.html", raw=servers.reset).on("/page.html", HTML)
    assert Run(site).fetch().status == 200


@pytest.mark.parametrize(
    ("status", "error"), [(404, Gone), (410, Gone), (401, Blocked), (403, Blocked), (412, Blocked), (521, Blocked)]
)
def test_final_statuses_are_not_retried(site: Site, status: int, error: type[SourceError]) -> None:
    site.on("/page.html", "no", status=status)
    run = Run(site)
    with pytest.raises(error) as caught:
        run.fetch()
    assert run.outcomes() == [(caught.value.code, status)]


@pytest.mark.parametrize("status", [204, 206, 400, 405, 451])
def test_other_statuses_are_no_content(site: Site, status: int) -> None:
    site.on("/page.html", status=status)
    run = Run(site)
    with pytest.raises(SourceError) as caught:
        run.fetch()
    assert (caught.value.code, len(run.outcomes())) == ("failed", 1)


CHALLENGES = [
    b"<html><script>var $_ts={};$_ts.nsd=1</script><body></body></html>",
    b"<html><head><script>document.cookie='__jsl_clearance='+go()</script></head></html>",
    b"<html><body>WZWS-RAY: 1 reason:GeoBL</body></html>",
    b"<html><script src=/x.js?nsd=1></script><body><p>please wait</p></body></html>",
    b"<script>var _0x1f2e=['a'];document.cookie=_0x1f2e[0];location.reload()</script>",
]


@pytest.mark.parametrize("body", CHALLENGES)
@pytest.mark.parametrize("status", [200, 202, 405, 503])
def test_challenges_are_blocked_not_content(site: Site, body: bytes, status: int) -> None:
    site.on("/page.html", body, status=status)
    run = Run(site)
    with pytest.raises(Blocked):
        run.fetch()
    assert len(run.outcomes()) == 1


@pytest.mark.parametrize(
    "body",
    [
        HTML.replace("<body>", "<body><script>var $_ts={}; document.cookie='a=1'</script>").encode(),
        b'<html><script>location.href="/col/index.html"</script></html>',
        b"<html><body><div id=app></div><script src=/app.js></script></body></html>",
        b'callback({"result":"<script>"})',
        b"",
        b"%PDF-1.4 <script $_ts" + bytes(range(256)) * 9,
    ],
)
def test_pages_that_only_look_like_challenges(body: bytes) -> None:
    assert find_challenge(body) is None


def test_challenge_search_is_linear() -> None:
    started = time.perf_counter()
    for unit in (b"<script", b"<", b"nsd=", b"<script>$_ts</script>"):
        find_challenge(unit * (65_000 // len(unit)))
    assert time.perf_counter() - started < 1


def test_redirects_are_followed_by_hand(site: Site) -> None:
    site.on("/page.html", status=302, headers={"Location": "/b.html"})
    site.on("/b.html", status=301, headers={"Location": f"https://{HOST}/c.html"}).on("/c.html", HTML)
    got = Run(site).fetch()
    assert (got.url, got.final_url) == (PAGE, f"https://{HOST}/c.html")
    assert [a.outcome for a in got.attempts] == ["redirect", "redirect", "ok"]


def test_a_redirect_loop_ends(site: Site) -> None:
    site.on("/page.html", status=302, headers={"Location": "/page.html"})
    with pytest.raises(SourceError, match="redirects more than 5"):
        Run(site).fetch()
    assert len(site.asked("/page.html")) == 6


def test_a_cookie_goes_back_to_the_host_that_set_it_and_to_no_other(site: Site) -> None:
    gate = "gate.yunxi.example"
    cookie = {"Set-Cookie": "CT6T=1; Path=/; Domain=.yunxi.example"}
    site.on("/page.html", status=302, headers={"Location": "/page.html", **cookie}, host=HOST)
    site.on("/page.html", status=302, headers={"Location": f"http://{gate}/page.html"}, host=HOST)
    site.on("/page.html", HTML, host=gate)
    Run(site).fetch(hosts=frozenset({HOST, gate}))
    cookies = [(seen.host, seen.headers.get("cookie")) for seen in site.asked("/page.html")]
    assert cookies == [(HOST, None), (HOST, "CT6T=1"), (gate, None)]


@pytest.mark.parametrize(
    "location",
    ["http://evil.example/", "ftp://www.yunxi.example/x", "//evil.example/a", "http://[bad", "http://a:b@www.yunxi.example/",
     "http://www.yunxi.example:8080/", "file:///etc/passwd", "http://169.254.169.254/latest/"],
)  # fmt: skip
def test_redirects_out_of_the_source_are_refused(site: Site, location: str) -> None:
    site.on("/page.html", status=302, headers={"Location": location})
    with pytest.raises(Refused):
        Run(site).fetch()


@pytest.mark.parametrize(
    "url",
    [
        "http://other.example/",
        "javascript:alert(1)",
        "ftp://www.yunxi.example/",
        "",
        "http://",
        "http://[::1/",
        "x" * 9000,
    ],
)
def test_addresses_that_are_refused_before_any_request(site: Site, url: str) -> None:
    with pytest.raises(Refused):
        Run(site).fetch(url)
    assert site.seen == []


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


def test_gateway_that_is_not_there(site: Site) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        run = Run(site, replay=address)
        with pytest.raises(GatewayUnreachable) as caught:
            run.fetch()
        with pytest.raises(GatewayUnreachable) as checked:
            check_gateway(address)
    for error in (caught, checked):
        assert "FAZHI_REPLAY" in str(error.value)
        assert address in str(error.value)
    assert [a.outcome for a in run.log] == ["gateway_unreachable"]
    check_gateway(site.url)


def test_without_replay_private_addresses_are_refused(site: Site) -> None:
    port = site.url.rsplit(":", 1)[1]
    run = Run(site, replay=None, retries=0)
    with pytest.raises(SourceError, match="no public address"):
        run.fetch(f"http://127.0.0.1:{port}/", hosts=frozenset({f"127.0.0.1:{port}"}))
    assert site.seen == []


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("127.0.0.1", False), ("10.1.2.3", False), ("192.168.0.1", False), ("172.16.5.5", False),
        ("169.254.169.254", False),
        ("0.0.0.0", False), ("100.64.0.1", False), ("224.0.0.1", False), ("::1", False), ("fe80::1%eth0", False),
        ("fd00::1", False), ("::ffff:127.0.0.1", False), ("64:ff9b::7f00:1", False), ("2002:7f00:1::", False),
        ("8.8.8.8", True), ("2001:4860:4860::8888", True), ("::ffff:8.8.8.8", True),
    ],
)  # fmt: skip
def test_public_addresses(address: str, public: bool) -> None:
    assert guard.is_public(address) is public


def test_retry_after() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert read_retry_after("120", now) == 120
    assert read_retry_after(format_datetime(now + timedelta(seconds=90), usegmt=True), now) == 90
    assert read_retry_after(format_datetime(now - timedelta(seconds=90), usegmt=True), now) == 0
    assert [read_retry_after(value, now) for value in (None, "", "soon", "-1", "٣")] == [None] * 5


def test_retry_after_is_kept_and_a_long_one_is_not_waited_for(site: Site) -> None:
    site.on("/page.html", status=429, headers={"Retry-After": "1"}).on("/page.html", HTML)
    started = time.monotonic()
    assert Run(site, pace_real=True).fetch().status == 200
    assert time.monotonic() - started >= 1
    site.on("/later", status=503, headers={"Retry-After": "3600"})
    run = Run(site, pace_real=True)
    with pytest.raises(Transient) as caught:
        run.fetch(f"http://{HOST}/later")
    assert caught.value.retry_after == 3600
    assert len(run.outcomes()) == 1


def test_backoff_doubles_at_the_real_pace(site: Site) -> None:
    site.on("/page.html", status=503).on("/page.html", status=503).on("/page.html", HTML)
    attempts = Run(site, pace_real=True, backoff=0.2).fetch().attempts
    first, second = ((b.started_at - a.started_at).total_seconds() for a, b in pairwise(attempts))
    assert first >= 0.149  # a quarter of jitter
    assert second >= 0.299


def fetch_many(client: Client, urls: list[str]) -> Coroutine[Any, Any, list[Fetch]]:
    async def go() -> list[Fetch]:
        async with client:
            return await asyncio.gather(
                *(client.fetch(u, kind="page", hosts=frozenset({u.split("/")[2]})) for u in urls)
            )

    return go()


def test_one_lane_per_host_across_clients_and_tasks(site: Site) -> None:
    urls = [f"http://lane.example/{n}" for n in range(3)]
    for n in range(3):
        site.on(f"/{n}", HTML)

    log: list[Attempt] = []

    async def go() -> None:
        first, second = (Client(settings(site, delay=0.2, pace_real=True), log.append) for _ in range(2))
        await asyncio.gather(fetch_many(first, urls[:2]), fetch_many(second, urls[2:]))

    asyncio.run(go())
    times = sorted(attempt.started_at for attempt in log)
    assert len(times) == len(site.seen) == 5
    assert min(after - before for before, after in pairwise(times)) >= timedelta(seconds=0.195)


def test_two_hosts_do_not_wait_for_each_other(site: Site) -> None:
    site.on("/0", HTML)
    urls = ["http://one.example/0", "http://two.example/0"]
    started = time.monotonic()
    asyncio.run(fetch_many(Client(settings(site, delay=0.5, pace_real=True)), urls))
    assert time.monotonic() - started < 1.3


def test_in_replay_the_pace_is_recorded_not_slept(site: Site) -> None:
    site.on("/robots.txt", "User-agent: *\nCrawl-delay: 9").on("/page.html", HTML)
    started = time.monotonic()
    got = Run(site, delay=5).fetch()
    assert time.monotonic() - started < 2
    assert (got.attempts[-1].delay_s, got.attempts[-1].waited_s) == (9, 0)


def test_a_cancelled_task_leaves_the_lane_to_the_next(site: Site) -> None:
    site.on("/slow", raw=servers.hang).on("/page.html", HTML)

    async def go() -> Fetch:
        async with Client(settings(site, timeout=5)) as client:
            slow = asyncio.create_task(client.fetch(f"http://{HOST}/slow", kind="page", hosts=HOSTS))
            await asyncio.sleep(0.2)
            queued = asyncio.create_task(client.fetch(f"http://{HOST}/q", kind="page", hosts=HOSTS))
            await asyncio.sleep(0.1)
            queued.cancel()
            slow.cancel()
            await asyncio.gather(slow, queued, return_exceptions=True)
            return await asyncio.wait_for(client.fetch(PAGE, kind="page", hosts=HOSTS), 3)

    assert asyncio.run(go()).status == 200
