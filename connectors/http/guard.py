"""Our own rules on where a request may go, whatever a page or a redirect says.

Only http and https, only hosts (and ports) that the source names, no user:password. On the live network a name
that leads to a loopback, private, link-local or otherwise special address is refused as well. The address is
checked, not pinned: a name server that changes its answer between check and dial is a known gap.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket

import httpx

from connectors.errors import Refused, Transient

_MAX_URL = 4096


def check_url(url: str, hosts: frozenset[str]) -> httpx.URL:
    """`url` without its fragment, ready to be asked for. Raises Refused.

    `hosts` holds host names, or `host:port` where the port is not the scheme's own."""
    if len(url) > _MAX_URL:
        raise Refused(f"address of {len(url)} characters refused: {url[:80]}…", url=url[:200])
    try:
        parsed = httpx.URL(url.strip()).copy_with(fragment=None)
        host = parsed.host.lower().rstrip(".")
    except (httpx.InvalidURL, ValueError, TypeError) as error:
        raise Refused(f"no valid address: {url!r} ({error})", url=url) from error
    if parsed.scheme not in ("http", "https") or not host:
        raise Refused(f"only http and https addresses are fetched: {url!r}", url=url)
    if parsed.userinfo:
        raise Refused(f"an address with user and password is not fetched: {url!r}", url=url)
    named = f"{host}:{parsed.port}" if parsed.port else host
    if named not in hosts:
        raise Refused(
            f"{named} is not a host of this source ({', '.join(sorted(hosts))}): {url} is not fetched; "
            "add it to `hosts` of the source if it belongs there",
            url=url,
        )
    return parsed


async def check_address(url: httpx.URL) -> None:
    """Resolve the host and refuse special addresses. Raises Refused, or Transient when the name does not resolve."""
    loop = asyncio.get_running_loop()
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        found = await loop.getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Transient(f"{url.host} does not resolve: {error}", url=str(url)) from error
    for *_, address in found:
        if not is_public(str(address[0])):
            raise Refused(f"{url.host} leads to {address[0]}, no public address: {url} is not fetched", url=str(url))


def is_public(address: str) -> bool:
    """True for an address of the public Internet. IPv4 inside IPv6 is judged as the IPv4 address it carries."""
    ip = ipaddress.ip_address(address.split("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast
