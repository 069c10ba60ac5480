"""The polite client against a real server: answers, statuses, redirects, cookies."""

from __future__ import annotations

import time
from datetime import UTC
from http.server import BaseHTTPRequestHandler
from threading import Event

import pytest

from connectors.errors import Blocked, Gone, LoginRequired, Refused, SourceError, TooManyRedirects, Transient
from connectors.http.client import Validators
from tests import servers
from tests.connectors.client_runs import HOST, HTML, PAGE, Run
from tests.servers import Site


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
    ("status", "error"),
    [(404, Gone), (410, Gone), (401, LoginRequired), (403, Blocked), (412, Blocked), (521, Blocked)],
)
def test_final_statuses_are_not_retried(site: Site, status: int, error: type[SourceError]) -> None:
    site.on("/page.html", "no", status=status)
    run = Run(site)
    with pytest.raises(error) as caught:
        run.fetch()
    assert run.outcomes() == [(caught.value.code, status)]


@pytest.mark.parametrize("status", [204, 206, 400, 405, 451, 307])
def test_other_statuses_are_no_content(site: Site, status: int) -> None:
    site.on("/page.html", status=status)
    run = Run(site)
    with pytest.raises(SourceError) as caught:
        run.fetch()
    assert (caught.value.code, len(run.outcomes())) == ("failed", 1)


def test_redirects_are_followed_by_hand(site: Site) -> None:
    site.on("/page.html", status=302, headers={"Location": "/b.html"})
    site.on("/b.html", status=301, headers={"Location": f"https://{HOST}/c.html"}).on("/c.html", HTML)
    got = Run(site).fetch()
    assert (got.url, got.final_url) == (PAGE, f"https://{HOST}/c.html")
    assert [a.outcome for a in got.attempts] == ["redirect", "redirect", "ok"]


def test_a_redirect_loop_ends(site: Site) -> None:
    site.on("/page.html", status=302, headers={"Location": "/page.html"})
    with pytest.raises(TooManyRedirects, match="redirects more than 5"):
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


@pytest.mark.parametrize("kind", ["page", "feed", "attachment"])
def test_an_answer_with_nothing_in_it_is_no_page(site: Site, kind: str) -> None:
    site.on("/page.html", b"").on("/page.html", HTML)
    run = Run(site)
    assert run.fetch(kind=kind).body == HTML.encode()
    assert run.outcomes() == [("transient", 200), ("ok", 200)]


def test_an_empty_list_is_for_its_engine_to_judge(site: Site) -> None:
    site.on("/page.html", b"")
    assert Run(site).fetch(kind="list").body == b""


def test_cookies_without_number_begin_anew(site: Site) -> None:
    def flood(handler: BaseHTTPRequestHandler, stopping: Event) -> None:
        lines = "".join(f"Set-Cookie: c{number}={'x' * 300}; Path=/\r\n" for number in range(60))
        handler.wfile.write(f"HTTP/1.1 302 Found\r\nLocation: /b.html\r\n{lines}Content-Length: 0\r\n\r\n".encode())

    site.on("/page.html", raw=flood).on("/b.html", HTML)
    assert Run(site).fetch().status == 200
    assert "cookie" not in site.asked("/b.html")[0].headers
