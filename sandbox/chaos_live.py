"""Faults of names and of TLS. A replay gateway stands in the place of the network, so only tests can meet these."""

from __future__ import annotations

from sandbox.chaos_model import Behaviour, Exchange


async def _behave(x: Exchange) -> None:
    await x.behave()


def _live(name: str, does: str, outcome: str) -> Behaviour:
    return Behaviour(name, does, "site", outcome, _behave, "none", setting="live")


LIVE = (
    _live("dns_changes_its_mind", "has a name that is public when checked and 127.0.0.1 a moment later", "refused"),
    _live("dns_loopback_beside", "has a name with a public address and 127.0.0.1", "refused"),
    _live("dns_metadata", "has a name that leads to 169.254.169.254", "refused"),
    _live("dns_private_in_ipv6", "has a name that leads to 10.0.0.1 inside IPv6", "refused"),
    _live("dns_nothing", "has a name that does not resolve", "transient"),
    _live("tls_self_signed", "shows a certificate that nobody vouches for", "untrusted"),
    _live("tls_not_tls", "speaks plain HTTP where TLS should be", "untrusted"),
    _live("tls_closed", "closes the connection in the TLS handshake", "transient"),
    _live("tls_hang", "never answers in the TLS handshake", "transient"),
)
