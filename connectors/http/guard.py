"""Our own rules on where a request may go, whatever a page or a redirect says.

Only http and https, only hosts (and ports) that the source names, no user:password. On the live network every
address that a name leads to must be public, and the addresses that were checked are the ones dialled (transport.py):
a name server that changes its mind between check and dial changes nothing.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache

import httpx

from connectors.errors import Refused, Transient

_MAX_URL = 4096
_PLAIN = re.compile(
    r"(https?://((?!xn--)[a-z0-9](?:[a-z0-9-]{0,62}\.){1,8}[a-z]{2,63}))"
    r"((?:/(?!\.{1,2}(?:[/?]|\Z))[A-Za-z0-9_~!$&()*+,=:@.-]*)+)(?:\?([A-Za-z0-9_~!$&()*+,;=:@/.?-]+))?"
)
"""Addresses that hold nothing to be put right, which most are: where they begin, host, path, query."""
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_IPV4_COMPATIBLE = ipaddress.IPv6Network("::/96")
_IPV4_TRANSLATED = ipaddress.IPv6Network("::ffff:0:0:0/96")
_CLOSED = tuple(
    map(
        ipaddress.ip_network,
        (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
            "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
            "203.0.113.0/24", "224.0.0.0/3",
            "168.63.129.16/32",  # a cloud's metadata service on an address that looks public
            "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16", "fc00::/7",
            "fe80::/9", "ff00::/8",
        ),
    )
)  # fmt: skip
"""IANA's special-purpose registries (RFC 6890 and later), multicast, and addresses of metadata services."""


def check_url(url: str, hosts: frozenset[str]) -> httpx.URL:
    """`url` without its fragment, ready to be asked for. Raises Refused.

    `hosts` holds host names, or `host:port` where the port is not the scheme's own."""
    if len(url) > _MAX_URL:
        raise Refused(f"address of {len(url)} characters refused: {url[:80]}…", url=url[:200])
    plain = _PLAIN.fullmatch(url)
    if plain is not None and plain[2] in hosts:
        return _cut(plain[1], plain[3], plain[4])
    try:
        parsed = httpx.URL(url.partition("#")[0].strip())
        host = parsed.raw_host.decode("ascii").lower().rstrip(".")
    except (httpx.InvalidURL, ValueError, TypeError) as error:
        raise Refused(f"no valid address: {url!r} ({error})", url=url) from error
    if parsed.scheme not in ("http", "https") or not host:
        raise Refused(f"only http and https addresses are fetched: {url!r}", url=url)
    if parsed.userinfo:
        raise Refused(f"an address with user and password is not fetched: {url!r}", url=url)
    if parsed.raw_host.endswith(b"."):
        parsed = parsed.copy_with(host=host)  # one host, one lane, whichever way a redirect spells it
    named = f"{host}:{parsed.port}" if parsed.port else host
    if named not in hosts:
        raise Refused(
            f"{named} is not a host of this source ({', '.join(sorted(hosts))}): {url} is not fetched; "
            "add it to `hosts` of the source if it belongs there",
            url=url,
        )
    return parsed


def _cut(origin: str, path: str, query: str | None) -> httpx.URL:
    """The plain address that these make up. httpx goes through each one letter by letter, which costs more than all
    else that is looked at before a request, and comes to the same (tests/connectors/test_client_guard.py)."""
    url = httpx.URL(_parse_origin(origin))
    url._uri_reference = url._uri_reference._replace(path=path, query=query)
    return url


@lru_cache(maxsize=4096)
def _parse_origin(origin: str) -> httpx.URL:
    return httpx.URL(origin)


async def lookup(host: str, port: int) -> tuple[str, ...]:
    """All addresses of a name, unchecked; of an address in plain spelling itself. Raises Transient when it does not
    resolve."""
    with suppress(ValueError):
        return (str(ipaddress.IPv4Address(host)),)
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Transient(f"{host} does not resolve: {error}") from error
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


async def resolve_public(host: str, port: int) -> Sequence[str]:
    """All addresses of a name, each of them public. Raises Refused, or Transient when it does not resolve."""
    found = await lookup(host, port)
    for address in found:
        if not is_public(address):
            raise Refused(f"{host} leads to {address}, no public address: nothing is asked there")
    return found


def is_public(address: str) -> bool:
    """True for an address of the public Internet. IPv4 inside IPv6 is judged as the IPv4 address it carries."""
    ip = ipaddress.ip_address(address.split("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if inner is None and any(ip in carrier for carrier in (_NAT64, _IPV4_COMPATIBLE, _IPV4_TRANSLATED)):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _CLOSED)
