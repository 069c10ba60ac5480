"""Faults of names and of TLS against the client as it is on the live network: no gateway, every check in force.

The name server is the test's own: it stands where Python asks for addresses. Where a connection must really be made,
loopback is declared public, for there is no other network here.
"""

from __future__ import annotations

import asyncio
import datetime
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from connectors.errors import SourceError
from connectors.http import guard
from connectors.http.client import Attempt, Client, HttpSettings
from sandbox.chaos_live import LIVE
from sandbox.chaos_portal import STRUCK_PAGE, host_of

PUBLIC, LOOPBACK = "8.8.8.8", "127.0.0.1"
NAMES: dict[str, list[Sequence[str]]] = {
    "dns_changes_its_mind": [(PUBLIC,), (LOOPBACK,)],
    "dns_loopback_beside": [(PUBLIC, LOOPBACK)],
    "dns_metadata": [("169.254.169.254",)],
    "dns_private_in_ipv6": [("::ffff:10.0.0.1",)],
    "dns_nothing": [()],
}
"""What each look-up answers; the last answer for good."""
SHAPES = ("tls_self_signed", "tls_not_tls", "tls_closed", "tls_hang")


def ask(host: str, attempts: list[Attempt]) -> str:
    """The code that one page from the live network ends with. Its robots.txt comes first."""
    settings = HttpSettings("fazhi-test/1 (+https://fazhi.example)", timeout=0.5, retries=1, backoff=0.01, delay=0.0)

    async def go() -> None:
        async with Client(settings, attempts.append) as client:
            await client.fetch(f"https://{host}{STRUCK_PAGE}", hosts=frozenset({host}), kind="page")

    with pytest.raises(SourceError) as caught:
        asyncio.run(asyncio.wait_for(go(), 8))
    return caught.value.code


def check(name: str, code: str, attempts: list[Attempt]) -> None:
    """What cannot be reached now says nothing of its rules, and without rules nothing is asked (RFC 9309)."""
    expected = next(one.outcome for one in LIVE if one.name == name)
    assert [attempt.outcome for attempt in attempts if attempt.kind == "robots"][-1] == expected
    assert code == ("robots_denied" if expected == "transient" else expected)


@pytest.mark.parametrize("name", NAMES)
def test_names(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answers, dialled = list(NAMES[name]), list[str]()

    def resolve(host: object, port: object, *_: object, **__: object) -> list[tuple[object, ...]]:
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        family = {True: socket.AF_INET6, False: socket.AF_INET}
        return [(family[":" in one], socket.SOCK_STREAM, 6, "", (one, port)) for one in found]

    async def connect(_loop: object, _factory: object, host: str, *_: object, **__: object) -> object:
        dialled.append(host)
        raise ConnectionRefusedError("nobody is dialled in tests")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(asyncio.BaseEventLoop, "create_connection", connect)
    attempts: list[Attempt] = []
    check(name, ask(host_of(name), attempts), attempts)
    assert set(dialled) <= {PUBLIC}, "only what was checked is dialled"
    assert bool(dialled) == (name == "dns_changes_its_mind")


def make_certificate(folder: Path, host: str) -> tuple[Path, Path]:
    """A self-signed certificate for `host`, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate, secret = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, secret


@contextmanager
def tls_server(shape: str, folder: Path, seen: list[bytes]) -> Iterator[int]:
    """Listens on loopback and misbehaves in the handshake. `seen` gets what was sent inside TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*make_certificate(folder, host_of(shape)))
    listener = socket.create_server((LOOPBACK, 0))
    listener.settimeout(0.05)
    stop = threading.Event()

    def answer(connection: socket.socket) -> None:
        connection.settimeout(0.1)
        if shape == "tls_not_tls":
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        elif shape == "tls_hang":
            stop.wait(1)
        elif shape == "tls_self_signed":
            with context.wrap_socket(connection, server_side=True) as inside:
                seen.append(inside.recv(1000))

    def work() -> None:
        while not stop.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            with connection:
                try:
                    answer(connection)
                except OSError:
                    continue  # the client has had enough: that is what the test is about

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        stop.set()
        thread.join()
        listener.close()


@pytest.mark.parametrize("shape", SHAPES)
def test_tls(shape: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    resolve = socket.getaddrinfo

    def to_loopback(host: object, *more: object, **options: object) -> object:
        return resolve(LOOPBACK, *more, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", to_loopback)
    monkeypatch.setattr(guard, "is_public", lambda address: True)
    attempts: list[Attempt] = []
    seen: list[bytes] = []
    with tls_server(shape, tmp_path, seen) as port:
        code = ask(f"{host_of(shape)}:{port}", attempts)
    check(shape, code, attempts)
    assert b"".join(seen) == b"", "nothing is said to a stranger"


def test_every_live_fault_is_met() -> None:
    assert {one.name for one in LIVE} == {*NAMES, *SHAPES}
