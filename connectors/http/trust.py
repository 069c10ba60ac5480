"""Which certificates are believed: the public roots, or one exception that a source states with its reason.

`tls: http-only` is for a portal without working https: its https addresses are asked as http. `tls: sha256:<hex>`
is for a portal whose certificate no root vouches for (expired, self-signed, another name): exactly that certificate
is believed, and it is compared before anything is sent. Nothing else ever turns verification off.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import ssl
from dataclasses import dataclass
from functools import cache

import certifi

HTTP_ONLY = "http-only"
_PIN = re.compile(r"sha256:[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True)
class TlsException:
    """One source's exception: `http-only` or `sha256:` and 64 hex digits of its certificate (DER), and why."""

    rule: str
    reason: str

    def __post_init__(self) -> None:
        if self.rule != HTTP_ONLY and not _PIN.match(self.rule):
            raise ValueError(f"tls is {HTTP_ONLY!r} or 'sha256:' with 64 lower-case hex digits, not {self.rule[:80]!r}")
        if not self.reason.strip():
            raise ValueError(f"tls {self.rule[:23]} needs tls_reason: say why")

    @property
    def is_http_only(self) -> bool:
        return self.rule == HTTP_ONLY

    def __str__(self) -> str:
        """As each attempt records it and the run report shows it."""
        return f"{self.rule[:23]} ({' '.join(self.reason.split())})"


@cache
def verified_context() -> ssl.SSLContext:
    """Roots, name and dates are verified. Loading the roots takes 30 ms: once per process."""
    context = ssl.create_default_context(cafile=certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    return context


@cache
def _pinned_context() -> ssl.SSLContext:
    """For pinned certificates only: `check_pin` takes the place of the chain."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    return context


def context_for(exception: TlsException | None) -> ssl.SSLContext:
    return verified_context() if exception is None or exception.is_http_only else _pinned_context()


def holds_pin(exception: TlsException, certificate: bytes | None) -> bool:
    """Whether the certificate (DER) shown in the handshake is the one that the source pins."""
    digest = hashlib.sha256(certificate or b"").hexdigest()
    return hmac.compare_digest(exception.rule, f"sha256:{digest}")
