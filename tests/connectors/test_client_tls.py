"""Certificates: verified always, but for the one that a source pins with its reason."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.errors import Transient, Untrusted
from connectors.http import guard, trust
from connectors.http.client import Client, Fetch, TlsException
from tests.certificates import Certificate, make_certificate
from tests.connectors.client_runs import HOST, HTML, Run
from tests.servers import Site

REASON = "the operator's certificate ran out in March; asked on the phone"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"), HOST)


@pytest.fixture
def site(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """https with the test's certificate, to be dialled for every name."""
    with serve(certificate, monkeypatch) as running:
        yield running


def serve(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> Site:
    async def lookup(host: str, port: int) -> tuple[str, ...]:
        return ("127.0.0.1",)

    monkeypatch.setattr(guard, "lookup", lookup)
    monkeypatch.setattr(guard, "is_public", lambda address: True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.pem)
    return Site(context).on("/page.html", HTML)


def believe(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a public root had signed it."""
    context = ssl.create_default_context(cafile=str(certificate.pem))
    monkeypatch.setattr(trust, "verified_context", lambda: context)


def fetch(site: Site, host: str = HOST, tls: TlsException | None = None) -> tuple[Fetch, Run]:
    named = f"{host}:{site.url.rpartition(':')[2]}"
    run = Run(site, replay=None, retries=0)
    return run.fetch(f"https://{named}/page.html", hosts=frozenset({named}), tls=tls), run


def test_a_certificate_for_the_name_is_believed(
    site: Site, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    believe(certificate, monkeypatch)
    got, run = fetch(site)
    assert got.body == HTML.encode()
    assert [attempt.tls for attempt in run.log] == ["", ""]


def test_a_certificate_that_no_root_signed_is_not(site: Site) -> None:
    with pytest.raises(Untrusted, match=r"no valid certificate.*tls_reason"):
        fetch(site)
    assert site.seen == []


def test_a_host_that_is_not_trusted_is_dialled_once(site: Site) -> None:
    named = f"{HOST}:{site.url.rpartition(':')[2]}"
    run = Run(site, replay=None, retries=0)

    async def go() -> list[Fetch | BaseException]:
        async with Client(run.settings, run.log.append) as client:
            urls = (f"https://{named}/{number}.html" for number in range(3))
            jobs = (client.fetch(url, kind="page", hosts=frozenset({named})) for url in urls)
            return await asyncio.gather(*jobs, return_exceptions=True)

    assert [type(got) for got in asyncio.run(go())] == [Untrusted] * 3
    assert [(attempt.kind, attempt.outcome) for attempt in run.log] == [("robots", "untrusted")]


def test_nor_one_for_another_name(site: Site, certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    believe(certificate, monkeypatch)
    with pytest.raises(Untrusted, match="no valid certificate"):
        fetch(site, "other.yunxi.example")


def test_nor_one_that_has_expired(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expired = make_certificate(tmp_path, HOST, days=-1)
    believe(expired, monkeypatch)
    with serve(expired, monkeypatch) as site, pytest.raises(Untrusted, match="no valid certificate"):
        fetch(site)


def test_the_pinned_certificate_is_believed_under_any_name_and_told(site: Site, certificate: Certificate) -> None:
    pinned = TlsException(f"sha256:{certificate.sha256}", REASON)
    got, run = fetch(site, "old.yunxi.example", pinned)
    assert got.body == HTML.encode()
    assert {attempt.tls for attempt in run.log} == {f"sha256:{certificate.sha256[:16]} ({REASON})"}
    assert str(pinned) == run.log[0].tls


def test_another_certificate_than_the_pinned_one_gets_no_request(site: Site) -> None:
    with pytest.raises(Untrusted, match="does not show the certificate"):
        fetch(site, tls=TlsException("sha256:" + "0" * 64, REASON))
    assert site.seen == []


def test_old_tls_is_refused(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(certificate, monkeypatch) as site:
        believe(certificate, monkeypatch)
        trust.verified_context().minimum_version = ssl.TLSVersion.TLSv1_3
        site.tls.maximum_version = ssl.TLSVersion.TLSv1_2  # type: ignore[union-attr]
        with pytest.raises(Untrusted, match="no TLS that is safe"):
            fetch(site)


def test_http_where_https_is_asked_for(monkeypatch: pytest.MonkeyPatch, certificate: Certificate) -> None:
    serve(certificate, monkeypatch).close()  # for its names only
    with Site() as plain, pytest.raises((Untrusted, Transient)):
        fetch(plain)


def test_http_only_asks_https_addresses_as_http() -> None:
    with Site() as site:
        site.on("/page.html", status=302, headers={"Location": f"https://{HOST}/b.html"}).on("/b.html", HTML)
        run = Run(site)
        got = run.fetch(f"https://{HOST}/page.html", tls=TlsException("http-only", REASON))
    assert (got.final_url, got.body) == (f"http://{HOST}/b.html", HTML.encode())
    assert {attempt.url for attempt in run.log} == {
        f"http://{HOST}/{name}" for name in ("robots.txt", "page.html", "b.html")
    }
    assert {attempt.tls for attempt in run.log} == {f"http-only ({REASON})"}


@pytest.mark.parametrize(
    ("rule", "reason"), [("off", REASON), ("", REASON), ("sha256:12", REASON), ("http-only", " "), ("http-only", "")]
)
def test_an_exception_is_exact_and_has_its_reason(rule: str, reason: str) -> None:
    with pytest.raises(ValueError, match="tls"):
        TlsException(rule, reason)
