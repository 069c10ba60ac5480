"""Challenge pages: what a firewall sends instead of the content. Recognised and recorded, never solved.

A mark alone proves nothing, for the same scripts ride along on good pages; so a page counts as a challenge only when it
shows a reader next to nothing, or when it says in the words of a firewall that a request was stopped or that a puzzle
must be solved: on a page of a few sentences with next to no links, which does not speak of itself as an article.
"""

from __future__ import annotations

import re

from connectors.http.looks import Look
from connectors.http.words import ARTICLE, GONE, GONE_TITLE, REPORT, STOPPED, STOPPED_TITLE

STATUSES = frozenset({403, 412, 521})
"""Answers that mean a firewall, whatever the body says (521: Jiasule)."""
STATUSES_OF_ROBOTS = frozenset({412, 521})
"""For robots.txt 403 is a plain `no such file for you` (RFC 9309, 2.3.1.3), unless the page bears a mark."""

_MARKS = re.compile(
    rb"\$_ss\b|\$_ts\b|\bnsd=|__jsl_clearance|\bwzws|reason:\s*geobl|\bct6ts?\b|\bc3vk\b|acw_sc__v2|_guard/"
    rb"|cdn-cgi/challenge|_cf_chl_opt|safedog|yunsuo_session|yunsuoautojump|security_(?:session_)?verify|/renji_[0-9a-f]{6}"
    rb"|btwaf|_incapsula_resource|x5secdata|/awsc\.js|errors\.aliyun\.com|/\.safeline/|\bslg-(?:box|bg|title)|wsidchk"
    rb"|eo_bot_ssid|__tst_status|awswafcookie|captcha-delivery|turing\.captcha|hwwafses"
)
_SELF_REPLACING = re.compile(rb"document\.cookie\s*=|location\.reload\s*\(|\beval\s*\(|_0x[0-9a-f]{4}|\.submit\s*\(")
_MARKED_TEXT = 150
_BARE_TEXT = 30
"""Characters a reader sees: 150 hold a notice of one sentence and a number, 30 hold `please wait`."""
_SAID, _SAID_LINKS = 700, 8
"""Characters beside links, and links: an English page tells at length what was stopped and whom to ask."""


def find_challenge(look: Look, status: int = 200) -> str | None:
    """The mark or the words that make a page a challenge, or None.

    404 and 410 speak for themselves, whatever scripts ride along: there the page must say nothing of it."""
    is_missing = status in (404, 410)
    mark = _MARKS.search(look.low) if len(look.text) < _MARKED_TEXT else None
    if mark and not (is_missing and _says_gone(look)):
        return mark.group().decode("ascii")
    if said := _find_words(look):
        return said
    is_bare = b"<script" in look.low and len(look.text) < _BARE_TEXT and not is_missing
    return "a page of scripts only" if is_bare and _SELF_REPLACING.search(look.low) else None


def _says_gone(look: Look) -> bool:
    told = look.title[:80] + look.text
    return "404" in told or "410" in told or bool(GONE.search(told) or GONE_TITLE.search(look.title[:80]))


def _find_words(look: Look) -> str | None:
    """What a firewall says on a page of its own. A login asks for a code as well, beside a password."""
    if len(look.own_text) > _SAID or look.low.count(b"<a ") > _SAID_LINKS or b"password" in look.shown.lower():
        return None
    if ARTICLE.search(look.text) or REPORT.search(look.title):
        return None
    titled = STOPPED_TITLE.fullmatch(look.title[:80].strip("_-|[]【】!！"))
    if titled is not None:
        return f"titled {titled.group()[:40]}"
    said = STOPPED.search(look.own_text) or STOPPED.search(look.title[:80])
    return f"saying {said.group()[:60]}" if said else None


def describe_evidence(status: int, mark: str | None, n_bytes: int, server: str | None) -> str:
    """What is kept of a block, in one line; of a server's name what is printable ASCII."""
    shown = "".join(char for char in (server or "")[:40] if " " <= char <= "~")
    parts = [f"status {status}", f"mark {mark}" if mark else "", f"{n_bytes} bytes", f"server {shown}" if shown else ""]
    return ", ".join(part for part in parts if part)
