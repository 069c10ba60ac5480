"""Replay: every request goes to one gateway, with the original host in the Host header and the original path."""

from __future__ import annotations

import socket

import httpx

from connectors.errors import SourceError

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


def _unreachable(gateway: str, error: Exception, url: str | None = None) -> GatewayUnreachable:
    return GatewayUnreachable(
        f"FAZHI_REPLAY={gateway} does not answer ({error or type(error).__name__}): "
        "start the replay gateway there, or unset FAZHI_REPLAY to crawl the live portals",
        url=url,
    )


class ReplayTransport(httpx.AsyncBaseTransport):
    """Sends each request to `gateway`; nothing else about the request differs."""

    def __init__(self, gateway: str, inner: httpx.AsyncBaseTransport) -> None:
        self._gateway = httpx.URL(gateway)
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        gateway = self._gateway
        url = request.url.copy_with(scheme=gateway.scheme, host=gateway.host, port=gateway.port)
        sent = httpx.Request(request.method, url, headers=request.headers, extensions=request.extensions)
        try:
            return await self._inner.handle_async_request(sent)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise _unreachable(str(gateway), error, str(request.url)) from error

    async def aclose(self) -> None:
        await self._inner.aclose()
