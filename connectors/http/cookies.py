"""Cookies, one jar per host: what a host sets goes back to that host and to no other, whatever Domain it names."""

from __future__ import annotations

import httpx

from connectors.http.wire import Header

AS_SENT = "iso-8859-1"
"""A cookie's bytes are the server's own matter: UTF-8, GBK or neither, they go back as they came."""
_MAX_COOKIES = 50
_MAX_BYTES = 8192
"""Of one host's cookies as sent; beyond either limit the jar begins anew."""


class CookieJars:
    def __init__(self) -> None:
        self._jars: dict[str, httpx.Cookies] = {}

    def header_for(self, url: httpx.URL) -> str:
        """What goes into `Cookie`; empty where it is not sent."""
        jar = self._jars.get(url.host)
        if jar is None:
            return ""
        request = httpx.Request("GET", url)
        request.headers.encoding = AS_SENT
        jar.set_cookie_header(request)
        told: str = request.headers.get("cookie", "")
        if len(told) <= _MAX_BYTES:
            return told
        del self._jars[url.host]
        return ""

    def take_from(self, url: httpx.URL, headers: list[Header]) -> None:
        """What an answer with `Set-Cookie` sets."""
        jar = self._jars.setdefault(url.host, httpx.Cookies())
        response = httpx.Response(200, headers=headers, request=httpx.Request("GET", url))
        response.headers.encoding = AS_SENT
        jar.extract_cookies(response)
        if len(jar.jar) > _MAX_COOKIES:
            jar.clear()
