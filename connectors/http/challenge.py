"""Challenge pages: what a firewall sends instead of the content. Recognised and recorded, never solved.

The marks are those of PORTALS.md, section 5. A mark alone proves nothing, for the same scripts ride along on good
pages; so a page counts as a challenge only when it shows a reader next to nothing.
"""

from __future__ import annotations

import re

from connectors.http.looks import Look

STATUSES = frozenset({403, 412, 521})
"""Answers that mean a firewall, whatever the body says (521: Jiasule)."""
STATUSES_OF_ROBOTS = frozenset({412, 521})
"""For robots.txt 403 is a plain `no such file for you` (RFC 9309, 2.3.1.3), unless the page bears a mark."""

_MARKS = re.compile(
    rb"\$_ss\b|\$_ts\b|\bnsd=|__jsl_clearance|\bwzws|reason:\s*geobl|\bct6ts?\b|\bc3vk\b|acw_sc__v2|_guard/"
    rb"|cdn-cgi/challenge|safedog|yunsuo_session"
)
_SELF_REPLACING = re.compile(rb"document\.cookie\s*=|location\.reload\s*\(|\beval\s*\(|_0x[0-9a-f]{4}|\.submit\s*\(")
_MARKED_TEXT = 150
_BARE_TEXT = 30
"""Characters a reader sees: 150 hold a notice of one sentence and a number, 30 hold `please wait`."""


def find_challenge(look: Look) -> str | None:
    """The mark that makes a page a challenge, or None."""
    if len(look.text) >= _MARKED_TEXT:
        return None
    if mark := _MARKS.search(look.low):
        return mark.group().decode("ascii")
    if b"<script" in look.low and len(look.text) < _BARE_TEXT and _SELF_REPLACING.search(look.low):
        return "a page of scripts only"
    return None


def describe_evidence(status: int, mark: str | None, n_bytes: int, server: str | None) -> str:
    """What is kept of a block, in one line of printable ASCII."""
    shown = "".join(char for char in (server or "")[:40] if " " <= char <= "~")
    parts = [f"status {status}", f"mark {mark}" if mark else "", f"{n_bytes} bytes", f"server {shown}" if shown else ""]
    return ", ".join(part for part in parts if part)
