"""Pages of status 200 that stand in for the content: not found, maintenance, login, a frame without text, a stub.

Words prove nothing in a long text, for reports speak of system maintenance and of pages that were removed; so they
count only where little else is said, and never on a page that bears the title or the labels of an article.
"""

from __future__ import annotations

import html
import re

from connectors.errors import EmptyShell, LoginRequired, Maintenance, ScriptRedirect, SoftGone, SourceError
from connectors.http.looks import Look, read_text
from connectors.http.words import ANNOUNCED, ARTICLE, GONE, GONE_TITLE, LOGIN, REPORT, WORKS

_NOTICE = 200
"""Characters beside links. A notice is a sentence or two; its frame adds an address and a phone number."""
_TITLED_NOTICE = 500
_STUB = 60
_PASSWORD = re.compile(rb"type\s*=\s*[\"']?password")
_LOGIN_TEXT = 400
_LOGIN_LINKS = 20
_ALERT = re.compile(rb"\balert\s*\(\s*[\"']([^\"'<>]{2,300})[\"']")
_PICTURE_OF_404 = re.compile(
    rb"<img\b[^<>]{0,300}[\"'/_-](?:error|err|page|img|pic)?[_-]?404(?:\.(?:png|jpe?g|gif|svg|webp)|[\"'_-])"
)
_META = re.compile(rb"<meta\b[^<>]*>", re.I)
_IS_REFRESH = re.compile(rb"http-equiv\s*=\s*[\"']?refresh\b", re.I)
_CONTENT = re.compile(r"""\bcontent\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]*))""", re.I)
_SECONDS_AND_URL = re.compile(r"\s*(\d{1,3})(?:\.\d*)?\s*(?:[;,\s]\s*(?:url\s*=)?\s*[\"']?([^\"']*)[\"']?\s*)?\Z", re.I)
_MAX_REFRESH_SECONDS = 10
_LOCATION = re.compile(
    rb"\blocation(?:\.href)?\s*=\s*[\"']([^\"'<>]{1,500})[\"']"
    rb"|\blocation\.(?:replace|assign)\s*\(\s*[\"']([^\"'<>]{1,500})[\"']",
    re.I,
)
_SHELL_TEXT = 30
_SHELL_SCRIPTS = 3000
"""Bytes of scripts inside the page: a list whose rows are written by scripts has more."""
_HOLDS_SOMETHING = re.compile(
    rb"<(?:a\s|img|i?frame|embed|object|input|area|record|datastore|canvas|table|li[\s>])", re.I
)


def find_stand_in(url: str, look: Look, *, is_list: bool = False) -> SourceError | None:
    """What the page is instead of content, other than a notice, as the error to raise; None for content.

    A list that is a script stub is for its engine, which knows the list's own address behind it."""
    if _is_login(look):
        return LoginRequired(f"{url} shows a login form: the page is not for the public", url=url, status=200)
    if not is_list and (target := _find_script_target(look)):
        return ScriptRedirect(
            f"{url} only holds a script that leads to {target!r}: if the page has moved, state that in the source",
            url=url,
            status=200,
        )
    if _is_shell(look):
        return EmptyShell(f"{url} holds no text, only a frame that scripts would fill", url=url, status=200)
    return None


def find_refresh(look: Look) -> str | None:
    """Where a page that says nothing sends its reader by meta refresh: `` for itself, None for no such page."""
    if len(look.text) >= _STUB:
        return None
    for tag in _META.finditer(look.shown):
        if not _IS_REFRESH.search(tag.group()):
            continue
        content = _CONTENT.search(tag.group().decode("utf-8", "replace"))
        value = html.unescape(next((part for part in content.groups() if part), "")) if content else ""
        parts = _SECONDS_AND_URL.match(value)
        if parts and int(parts[1]) <= _MAX_REFRESH_SECONDS:
            return (parts[2] or "").strip()
    return None


def find_notice(url: str, look: Look) -> SourceError | None:
    """SoftGone or Maintenance when that is all the page says."""
    if len(look.own_text) > _TITLED_NOTICE or ARTICLE.search(look.text) or REPORT.search(look.title):
        return None
    said = look.own_text if len(look.own_text) <= _NOTICE else ""
    if len(look.text) < _STUB:
        said += _read_alert(look)
    title = look.title[:80]
    is_picture = len(look.text) < _STUB and _PICTURE_OF_404.search(look.low) is not None
    if is_picture or GONE_TITLE.search(title) or GONE.search(title) or GONE.search(said):
        return SoftGone(f"{url} answers 200 but says that there is no such page", url=url, status=200)
    if WORKS.search(title) or (WORKS.search(said) and not ANNOUNCED.search(said)):
        return Maintenance(f"{url} answers 200 with a notice of maintenance", url=url, status=200)
    if LOGIN.search(said) and look.low.count(b"<a ") <= _LOGIN_LINKS:
        return LoginRequired(f"{url} says that one must log in: the page is not for the public", url=url, status=200)
    return None


def _read_alert(look: Look) -> str:
    """What a page without text says in a box before it leads away."""
    said = _ALERT.search(look.body)
    return read_text(said[1]) if said else ""


def _is_login(look: Look) -> bool:
    if len(look.text) > _LOGIN_TEXT or look.low.count(b"<a ") > _LOGIN_LINKS or ARTICLE.search(look.text):
        return False
    return _PASSWORD.search(look.shown.lower()) is not None


def _find_script_target(look: Look) -> str:
    if len(look.text) >= _STUB or _HOLDS_SOMETHING.search(look.shown):
        return ""
    match = _LOCATION.search(look.body)
    return (match[1] or match[2]).decode("utf-8", "replace") if match else ""


def _is_shell(look: Look) -> bool:
    if len(look.text) >= _SHELL_TEXT or _HOLDS_SOMETHING.search(look.low) or _LOCATION.search(look.low):
        return False
    has_mount = b"<script" in look.low and b"></div>" in look.low
    return (has_mount or not look.text) and _script_bytes(look.low) < _SHELL_SCRIPTS


def _script_bytes(low: bytes) -> int:
    total, at = 0, low.find(b"<script")
    while at >= 0:
        end = low.find(b"</script", at)
        total += (end if end >= 0 else len(low)) - at
        at = low.find(b"<script", end) if end >= 0 else -1
    return total
