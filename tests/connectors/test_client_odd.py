"""Servers that mean well and do it oddly, and some that do not mean well: hosts, redirects, cookies, codings, waits."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

import pytest

from connectors.errors import Deferred, Gone, SourceError
from connectors.http.answers import read_retry_after
from connectors.http.client import Client
from connectors.http.guard import check_url, is_public
from connectors.http.model import Fetch, Validators
from tests.connectors.client_runs import HOST, HOSTS, HTML, PAGE, Run
from tests.servers import Site, sends


def redirect(*headers: bytes) -> bytes:
    return b"HTTP/1.1 302 Found\r\n" + b"".join(header + b"\r\n" for header in headers) + b"Content-Length: 0\r\n\r\n"


@pytest.mark.parametrize(
    "spelling", ["http://云溪.example/a", "http://xn--9kq759e.example/a", "http://XN--9KQ759E.example./a"]
)
def test_a_host_of_chinese_letters_is_one_host_in_every_spelling(spelling: str) -> None:
    url = check_url(spelling, frozenset({"xn--9kq759e.example"}))
    assert (url.raw_host, str(url)) == (b"xn--9kq759e.example", "http://xn--9kq759e.example/a")


@pytest.mark.parametrize("host", ["WWW.Yunxi.Example", f"{HOST}.", f"{HOST}:80", f"{HOST}.:80"])
def test_another_spelling_of_a_host_is_no_way_around_its_rules(site: Site, host: str) -> None:
    site.on("/robots.txt", "User-agent: *\nDisallow: /shut/", host=HOST)
    site.on("/page.html", raw=sends(redirect(f"Location: http://{host}/shut/1".encode())))
    with pytest.raises(SourceError, match="does not allow"):
        Run(site).fetch()
    assert site.asked("/shut/1") == [] and len(site.asked("/robots.txt")) == 1


@pytest.mark.parametrize("address", ["::ffff:0:127.0.0.1", "::ffff:0:10.0.0.1", "::ffff:0:169.254.169.254"])
def test_an_address_inside_a_translated_one_is_judged(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    ("location", "target"),
    [
        (b"/\xd6\xd0.html", "/%D6%D0.html"),
        (b"/\xe4\xb8\xad.html", "/%E4%B8%AD.html"),
        (b"/s?k=\xd6\xd0", "/s?k=%D6%D0"),
        (b"/%D6%D0.html#\xd6\xd0", "/%D6%D0.html"),
        (b" /a b.html ", "/a%20b.html"),
        (b"http:/b.html", "/b.html"),
        (b"//www.yunxi.example/c.html", "/c.html"),
        (b"?page=2", "/page.html?page=2"),
    ],
)
def test_a_location_leads_where_its_bytes_say(site: Site, location: bytes, target: str) -> None:
    site.on("/page.html", raw=sends(redirect(b"Location: " + location))).on(target, HTML)
    assert Run(site).fetch().status == 200
    assert len(site.asked(target)) == 1


def test_of_two_locations_the_first_counts(site: Site) -> None:
    site.on("/page.html", raw=sends(redirect(b"Location: /b.html", b"Location: /c.html"))).on("/b.html", HTML)
    assert Run(site).fetch().final_url.endswith("/b.html")


@pytest.mark.parametrize(
    "cookie",
    [b"n=\xe4\xb8\xad\xe6\x96\x87", b"n=\xd6\xd0\xce\xc4", b"\xd6\xd0=1", b"n=\x01\x7f", b"n=\xff\xfe\xfd"],
)
def test_a_cookie_goes_back_as_it_came(site: Site, cookie: bytes) -> None:
    site.on("/page.html", raw=sends(redirect(b"Location: /b.html", b"Set-Cookie: " + cookie + b"; path=/")))
    site.on("/b.html", HTML)
    assert Run(site).fetch().status == 200
    assert site.seen[-1].headers["cookie"].encode("latin-1") == cookie


@pytest.mark.parametrize(
    "cookie", [b"", b"=", b";;", b"n", b"a=1; Max-Age=" + b"9" * 40, b"a=1; Expires=Fri, 31 Dec 99999 23:59:59 GMT"]
)
def test_a_cookie_that_is_none_costs_no_page(site: Site, cookie: bytes) -> None:
    site.on("/page.html", raw=sends(redirect(b"Location: /b.html", b"Set-Cookie: " + cookie))).on("/b.html", HTML)
    assert Run(site).fetch().status == 200


@pytest.mark.parametrize(
    "coding", ["utf-8", "UTF-8", "gbk", "GB2312", "none", "binary", "8bit", "identity, identity", ","]
)
def test_a_coding_that_packs_nothing_is_none(site: Site, coding: str) -> None:
    site.on("/page.html", HTML, headers={"Content-Encoding": coding})
    assert Run(site).fetch().body == HTML.encode()


@pytest.mark.parametrize("coding", ["gzip, gzip", "text/html", "chunked", "utf-8, br", "gzip;q=1"])
def test_other_codings_are_refused(site: Site, coding: str) -> None:
    site.on("/page.html", HTML, headers={"Content-Encoding": coding})
    with pytest.raises(SourceError, match="only gzip was asked for"):
        Run(site, retries=0).fetch()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("1.5", 1.5), ("120, 60", 120), ("60, 120", 120), ("30;", 30), ("30 s", 30), ("2 seconds", 2), ("00005", 5),
        ("Sun Nov  6 08:49:37 1994", 0), ("Sunday, 06-Nov-94 08:49:37 GMT", 0), ("Mon, 01 Jan 0001 00:00:00 +2300", 0),
        ("1e9", None), ("5 minutes ago", None), ("٣", None), ("Fri, 31 Dec 2100 23:59:59 +9999", None),
        ("Mon, 32 Jan 2027 00:00:00 GMT", None), ("2026-11-27T00:00:00Z", None), (",", None), ("1," * 50_000, None),
    ],
)  # fmt: skip
def test_a_wait_is_read_however_it_is_written(value: str, seconds: float | None) -> None:
    assert read_retry_after(value, datetime(2026, 1, 1, tzinfo=UTC)) == seconds


HELD = Validators('"e"', "Mon, 06 Jan 2025 02:00:00 GMT")


def test_another_page_behind_a_redirect_is_asked_for_in_full(site: Site) -> None:
    """Its date says nothing about the page that we hold: an older one would pass for `not modified`."""
    site.on("/page.html", status=302, headers={"Location": "/new.html"}).on("/new.html", HTML)
    got = Run(site).fetch(validators=HELD)
    assert (got.status, got.not_modified) == (200, False)
    first, second = site.seen[1:]
    assert first.headers["if-none-match"] == '"e"' and "if-modified-since" in first.headers
    assert not {"if-none-match", "if-modified-since"} & second.headers.keys()


def test_the_same_page_behind_a_redirect_may_be_not_modified(site: Site) -> None:
    site.on("/page.html", status=301, headers={"Location": PAGE.replace("www.", "")}, host=HOST)
    site.on("/page.html", HTML, headers={"ETag": '"e"'}, host="yunxi.example")
    got = Run(site).fetch(hosts=frozenset({HOST, "yunxi.example"}), validators=HELD)
    assert got.not_modified


def test_what_may_not_be_asked_when_its_turn_has_come_is_not(site: Site) -> None:
    turns: list[int] = []

    async def may_ask() -> None:
        turns.append(len(site.asked("/page.html")))
        if len(turns) == 2:
            raise Deferred("the quiet hours have begun")

    site.on("/page.html", status=503)
    with pytest.raises(Deferred, match="quiet"):
        Run(site).fetch(may_ask=may_ask)
    assert turns == [0, 1], "asked before each request, the second one was not made"


def test_an_answer_that_lay_unread_here_makes_no_slow_host(site: Site) -> None:
    """The loop is busy for a while after the request has gone out: that is our time, not the host's."""
    site.on("/page.html", HTML).on("/robots.txt", status=404)
    run = Run(site, timeout=5)

    async def go() -> Fetch:
        async with Client(run.settings, run.log.append) as client:
            await client.fetch(PAGE, hosts=HOSTS, kind="page")
            asking = asyncio.create_task(client.fetch(PAGE, hosts=HOSTS, kind="page"))
            while len(site.asked("/page.html")) < 2:
                await asyncio.sleep(0)
            time.sleep(0.6)
            return await asking

    asyncio.run(go())
    assert run.log[-1].elapsed_ms < 300


def test_a_missing_page_under_a_strange_name_is_missing(site: Site) -> None:
    site.on("/page.html", raw=sends(redirect(b"Location: /b%zz.html")))
    with pytest.raises(Gone):
        Run(site).fetch()
    assert len(site.asked("/b%zz.html")) == 1
