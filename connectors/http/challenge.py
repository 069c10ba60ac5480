"""Challenge pages: what a firewall sends instead of the content. Recognised and recorded, never solved.

The marks are those of PORTALS.md, section 5. A mark alone proves nothing, for the same scripts ride along on good
pages; so a page counts as a challenge only when it shows a reader next to nothing.
"""

from __future__ import annotations

import re

STATUSES = frozenset({401, 403, 412, 521})
"""Answers that mean a login or a firewall, whatever the body says (521: Jiasule)."""

_MAX_STUB = 65_536
_MARKS = re.compile(
    rb"\$_ss\b|\$_ts\b|\bnsd=|__jsl_clearance|\bwzws|reason:\s*geobl|\bct6ts?\b|acw_sc__v2|_guard/", re.I
)
_SELF_REPLACING = re.compile(
    rb"document\.cookie\s*=|location\.reload\s*\(|\beval\s*\(|_0x[0-9a-f]{4}|\.submit\s*\(", re.I
)
_TAG = re.compile(rb"<[^<>]*>")
_MARKED_TEXT = 300
_BARE_TEXT = 60
"""Bytes a reader sees: 300 hold a notice of one sentence and a number, 60 hold `please wait`."""


def find_challenge(body: bytes) -> str | None:
    """The mark that makes `body` a challenge page, or None."""
    if len(body) > _MAX_STUB or not body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return None
    low = body.lower()
    mark = _MARKS.search(low)
    has_script = b"<script" in low
    if not mark and not has_script:
        return None
    n_visible = len(b"".join(_TAG.sub(b" ", _cut_scripts(low)).split()))
    if mark and n_visible < _MARKED_TEXT:
        return mark.group().decode("ascii")
    if has_script and n_visible < _BARE_TEXT and _SELF_REPLACING.search(low):
        return "a page of scripts only"
    return None


def _cut_scripts(low: bytes) -> bytes:
    for name in (b"script", b"style", b"title", b"noscript"):
        opening, closing, parts, at = b"<" + name, b"</" + name, [], 0
        while (start := low.find(opening, at)) >= 0:
            parts.append(low[at:start])
            at = low.find(closing, start)
            if at < 0:
                at = len(low)
        low = b"".join([*parts, low[at:]])
    return low
