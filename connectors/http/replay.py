"""Replay: every request goes to one gateway, with the original host in the Host header and the original path."""

from __future__ import annotations

import socket
from collections.abc import Sequence

import httpx

from connectors.errors import SourceError
from connectors.http.connection import Connection
from connectors.http.guard import lookup
from connectors.http.transport import Endpoint, LeanTransport
from connectors.http.trust import TlsException

_CONNECT_SECONDS = 10.0


class GatewayUnreachable(SourceError):
    """The replay gateway is not there. Every source would fail alike, so the run ends on it."""

    code = "gateway_unreachable"


def check_gateway(gateway: str) -> None:
    """Raises GatewayUnreachable when nothing listens at `gateway`: better known before a run begins."""
    url = httpx.URL(gateway)
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        socket.create_connection((url.host, port), timeout=_CONNECT_SECONDS).close()
    except (OSError, UnicodeError) as error:
        raise _unreachable(gateway, error) from error


def _unreachable(gateway: str, error: Exception) -> GatewayUnreachable:
    return GatewayUnreachable(
        f"FAZHI_REPLAY={gateway} does not answer ({error or type(error).__name__}): "
        "start the replay gateway there, or unset FAZHI_REPLAY to crawl the live portals"
    )


class ReplayTransport(LeanTransport):
    """Sends each request to `gateway`; nothing else about the request differs. The one way around the address check:
    the gateway stands where the settings say, on loopback most often."""

    def __init__(self, gateway: str) -> None:
        super().__init__()
        url = httpx.URL(gateway)
        self._gateway = gateway
        self._endpoint = Endpoint(url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80))

    def endpoint(self, url: httpx.URL, tls: TlsException | None) -> Endpoint:
        return self._endpoint

    async def addresses(self, endpoint: Endpoint) -> Sequence[str]:
        return await lookup(endpoint.host, endpoint.port)

    async def dial(self, endpoint: Endpoint, seconds: float) -> Connection:
        try:
            try:
                return await super().dial(endpoint, seconds)
            except httpx.ConnectTimeout:  # it, or we, may have been busy: one late connection must not end a run
                return await super().dial(endpoint, seconds)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise _unreachable(self._gateway, error) from error
