"""Where a request may go: hosts, addresses, certificates. The address that was checked is the one dialled."""

from __future__ import annotations

import socket
from collections.abc import Sequence

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.errors import Refused, SourceError
from connectors.http import guard
from connectors.http.client import GatewayUnreachable
from connectors.http.replay import check_gateway
from tests.connectors.client_runs import HOST, HTML, Run
from tests.servers import Site


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


_LETTERS = "az09AZ-._~!$&'()*+,;=:@/?%|[]{}\\ \"<>^`#\t例"


@given(
    st.text(_LETTERS, max_size=30), st.sampled_from(["a.example", "www.b-2.c.example", "xn--fsq.example", "10.0.0.1"])
)
@example("/a/b.html?page=2&x=a/b", "a.example")
@example("/a/../b//c/.", "a.example")
@example("/a?b?c", "a.example")
@example("//a//", "a.example")
def test_an_address_is_cut_into_what_httpx_makes_of_it(rest: str, host: str) -> None:
    for url in (f"http://{host}/{rest}", f"https://{host}?{rest}"):
        try:
            got = guard.check_url(url, frozenset({host}))
        except SourceError:
            continue
        whole = httpx.URL(url.partition("#")[0].strip())
        assert (got, str(got), got.raw_path, got.host) == (whole, str(whole), whole.raw_path, whole.host)
        assert (got.scheme, got.netloc, got.port) == (whole.scheme, whole.netloc, whole.port)


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


class Names:
    """A name server of the test: the answers to each look-up in turn, the last one for good."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: Sequence[str], public: str = "127.0.0.1") -> None:
        self.asked: list[str] = []
        self._answers = list(answers)
        self._is_public = guard.is_public
        monkeypatch.setattr(guard, "lookup", self._lookup)
        monkeypatch.setattr(guard, "is_public", lambda address: address == public or self._is_public(address))
        monkeypatch.setattr(socket, "getaddrinfo", _no_name_server)

    async def _lookup(self, host: str, port: int) -> tuple[str, ...]:
        self.asked.append(host)
        return tuple(self._answers.pop(0) if len(self._answers) > 1 else self._answers[0])


def _no_name_server(*args: object, **more: object) -> None:
    raise AssertionError(f"a name was looked up again: {args}")


def live(site: Site, target: str = "/page.html") -> tuple[Run, str, frozenset[str]]:
    """Without replay: the site under a name of its own, with its port."""
    scheme, _, port = site.url.partition("://127.0.0.1:")
    return Run(site, replay=None, retries=0), f"{scheme}://{HOST}:{port}{target}", frozenset({f"{HOST}:{port}"})


def test_the_checked_address_is_dialled_and_the_name_is_kept(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.on("/page.html", HTML)
    names = Names(monkeypatch, ["127.0.0.1"], ["169.254.169.254"])
    run, url, hosts = live(site)
    assert run.fetch(url, hosts=hosts).body == HTML.encode()
    assert names.asked == [HOST]  # robots.txt and the page came over one connection
    assert {seen.host for seen in site.seen} == {url.split("/")[2]}


def test_a_name_that_changes_its_mind_is_refused_at_the_next_connection(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.on("/robots.txt", "User-agent: *\nAllow: /", headers={"Connection": "close"}).on("/page.html", HTML)
    names = Names(monkeypatch, ["127.0.0.1"], ["169.254.169.254"])
    run, url, hosts = live(site)
    with pytest.raises(Refused, match=r"169\.254\.169\.254, no public address"):
        run.fetch(url, hosts=hosts)
    assert (names.asked, site.asked("/page.html")) == ([HOST, HOST], [])
    assert run.outcomes() == [("refused", None)]


@pytest.mark.parametrize("second", ["10.0.0.1", "::1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "fe80::1%2"])
def test_one_address_that_is_not_public_spoils_the_name(
    site: Site, monkeypatch: pytest.MonkeyPatch, second: str
) -> None:
    Names(monkeypatch, ["127.0.0.1", second])
    run, url, hosts = live(site)
    with pytest.raises(SourceError, match="no public address"):
        run.fetch(url, hosts=hosts)
    assert site.seen == []


def test_each_redirect_is_checked_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.on("/page.html", status=302, headers={"Location": "http://inner.yunxi.example/"})
    Names(monkeypatch, ["127.0.0.1"], ["10.0.0.8"])
    run, url, hosts = live(site)
    with pytest.raises(SourceError, match=r"10\.0\.0\.8, no public address"):
        run.fetch(url, hosts=hosts | {"inner.yunxi.example"})


def test_what_is_refused_is_logged_without_a_request(site: Site) -> None:
    site.on("/page.html", status=302, headers={"Location": "http://elsewhere.example:8080/x\x01"})
    run = Run(site)
    for url in ("http://other.example/", f"http://{HOST}/page.html"):
        with pytest.raises(Refused):
            run.fetch(url)
    told = [(a.url, a.host, a.status, a.outcome, a.robots) for a in run.log if a.outcome == "refused"]
    assert told == [
        ("http://other.example/", "other.example", None, "refused", "not_checked"),
        ("http://elsewhere.example:8080/x%01", "elsewhere.example:8080", None, "refused", "not_checked"),
    ]
    messages = [a.message for a in run.log if a.outcome == "refused"]
    assert "is not a host of this source" in messages[0] and all(message.isprintable() for message in messages)
    assert not any(a.message for a in run.log if a.outcome != "refused" and a.kind != "robots")


def test_a_dead_address_is_passed_over_for_the_next(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.on("/page.html", HTML)
    Names(monkeypatch, ["127.0.0.2", "127.0.0.1"])
    monkeypatch.setattr(guard, "is_public", lambda address: True)
    run, url, hosts = live(site)
    assert run.fetch(url, hosts=hosts).status == 200


def test_a_name_that_is_not_known(site: Site) -> None:
    with pytest.raises(SourceError, match="does not resolve"):
        Run(site, replay=None, retries=0).fetch("http://nowhere.invalid/", hosts=frozenset({"nowhere.invalid"}))
