"""One spelling per address, and the identity of a document.

Portals serve one page as http and https, with session ids, `../` steps and either case in escapes. The canonical
address is what is fetched and stored; the document key is what makes two addresses one document.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from connectors.errors import Refused

_MAX_URL = 4000
_DEFAULT_PORTS = {"http": 80, "https": 443}
_SESSION_STEP = re.compile(r";(?:jsessionid|phpsessid|sessionid)=[^/?;&#]*", re.I)
"""At the end of a path's step, and where a link was put together by hand also behind the query."""
_SESSION_KEY = re.compile(r"(?:jsessionid|phpsessid|sessionid|aspsessionid\w*|asp\.net_sessionid)\Z", re.I)
_VISIT_KEY = re.compile(
    r"(?:utm_\w{1,40}|spm|hms[rc]|hmpl|hmcu|hmkw|hmci|bd_vid|qhclickid|nsukey|isappinstalled|gclid|gclsrc|dclid|fbclid"
    r"|msclkid|yclid|mc_[ce]id)\Z",
    re.I,
)
"""Keys that say where a visitor came from, never what is shown."""
_SLASHES = re.compile(r"/{2,}")
_LINE_BREAKS = re.compile(r"[\t\r\n]+")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PLAIN = re.compile(
    r"https?://(?!xn--)[a-z0-9](?:[a-z0-9-]{0,62}\.){1,8}[a-z]{2,63}"
    r"(?:/(?!\.{1,2}(?:[/?]|\Z))[A-Za-z0-9_~!$&'()*+,=:@.-]*)+(?:\?[A-Za-z0-9_~!$'()*+,=:@/.?-]+)?"
)
"""Addresses that are canonical as they stand, which most are: no port, no escape, no dots as a step, one key at most in
the query. Whether that key marks a visit is looked at besides."""
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_SAFE = "%/:@!$&'()*+,;=-._~[]"


def canonical(url: str, base: str | None = None) -> str:
    """The one spelling of an address: absolute, lower-case host, no fragment, default port, session id or
    `utm_` mark, dot segments resolved, percent escapes normal (RFC 3986, 6.2.2), query order kept.

    Raises Refused for an address that is not http(s), has no host, or cannot be read."""
    if len(url) <= _MAX_URL and _PLAIN.fullmatch(url) and not _is_visit(url.partition("?")[2].partition("=")[0]):
        return url
    return _spell(url, base)


def _spell(url: str, base: str | None) -> str:
    before, mark, query = _LINE_BREAKS.sub("", url).strip().partition("?")
    text = before.replace("\\", "/") + mark + query
    try:
        if len(text) > _MAX_URL:
            raise ValueError("too long")
        parts = urlsplit(urljoin(base, text) if base else text)
        host, port = parts.hostname, parts.port
        if parts.scheme not in _DEFAULT_PORTS or not host:
            raise ValueError("not an http address")
        return _compose(parts.scheme, host, port, parts.path, parts.query)
    except ValueError as cause:
        shown = f"{text[:80]!r} ({cause})"
        raise Refused(f"no address to fetch: {shown}; only http and https pages are read", url=text[:80]) from None


def _compose(scheme: str, host: str, port: int | None, path: str, query: str) -> str:
    host = host.rstrip(".").lower()
    if not host.isascii():
        host = host.encode("idna").decode("ascii")
    if ":" in host:
        host = f"[{host}]"
    netloc = host if port in (None, _DEFAULT_PORTS[scheme]) else f"{host}:{port}"
    path = _resolve_dots(_escape(without_session(path) or "/", _SAFE))  # `%2e%2e` is a step up, too
    query = without_session(query)
    kept = [pair for pair in query.split("&") if pair and not _is_visit(pair.partition("=")[0])]
    return urlunsplit((scheme, netloc, path, _escape("&".join(kept), _SAFE + "?"), ""))


def without_session(address: str) -> str:
    """Without the session id that servlets write behind a path, or a query."""
    return _SESSION_STEP.sub("", address)


def _is_visit(key: str) -> bool:
    """Whether a key of a query marks the visit instead of the page."""
    return _SESSION_KEY.match(key) is not None or _VISIT_KEY.match(key) is not None


def _resolve_dots(path: str) -> str:
    """Remove `.` and `..` segments (RFC 3986, 5.2.4); `..` at the root stays at the root."""
    output: list[str] = []
    segments = path.split("/")
    for segment in segments:
        if segment == "..":
            if len(output) > 1:
                output.pop()
        elif segment != ".":
            output.append(segment)
    if segments[-1] in (".", ".."):
        output.append("")
    joined = "/".join(output)
    return joined if joined.startswith("/") else f"/{joined}"


def _escape(text: str, safe: str) -> str:
    decoded = _ESCAPE.sub(_normalise_escape, _LONE_PERCENT.sub("%25", text))
    return quote(decoded, safe=safe, encoding="utf-8", errors="replace")


def _normalise_escape(match: re.Match[str]) -> str:
    char = chr(int(match[1], 16))
    return char if char in _UNRESERVED else f"%{match[1].upper()}"


@lru_cache(maxsize=65_536)
def document_key(url: str) -> str:
    """The identity of a document: the canonical address without its scheme."""
    return canonical(url).partition("://")[2]


def slash_key(key: str) -> str:
    """A document key with `//` in its path as `/`: two keys with the same one may be one page. Others must say so:
    some servers hang a whole address, or an empty step, on such a path."""
    path, mark, query = key.partition("?")
    return _SLASHES.sub("/", path) + mark + query


def named_host(url: str) -> str:
    """The host of an address as `hosts` of a source names it: with the port where that is not the scheme's own."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    host = host_of(url)
    return host if not host or port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f"{host}:{port}"


def host_of(url: str) -> str:
    """Lower-case host name of an address, empty where it has none."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""
