"""Cookies, one jar per host: what a host sets goes back to that host and to no other, whatever Domain it names."""

from __future__ import annotations

import httpx

_AS_SENT = "iso-8859-1"
"""A cookie's bytes are the server's own matter: UTF-8, GBK or neither, they go back as they came."""
_MAX_COOKIES = 50
_MAX_BYTES = 8192
"""Of one host's cookies as sent; beyond either limit the jar begins anew."""


class CookieJars:
    def __init__(self) -> None:
        self._jars: dict[str, httpx.Cookies] = {}

    def add_to(self, request: httpx.Request) -> None:
        jar = self._jars.get(request.url.host)
        if jar is None:
            return
        request.headers.encoding = _AS_SENT
        jar.set_cookie_header(request)
        if len(request.headers.get("cookie", "")) > _MAX_BYTES:
            del request.headers["cookie"], self._jars[request.url.host]

    def take_from(self, response: httpx.Response, request: httpx.Request) -> None:
        """What an answer with `Set-Cookie` sets."""
        jar = self._jars.setdefault(request.url.host, httpx.Cookies())
        response.request, response.headers.encoding = request, _AS_SENT
        jar.extract_cookies(response)
        if len(jar.jar) > _MAX_COOKIES:
            jar.clear()
