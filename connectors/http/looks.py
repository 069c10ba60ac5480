"""What a reader would see of an HTML answer: enough to tell content from what stands in for it, and cheap.

The whole page is cut with `bytes.find` and one linear expression; a parser would cost more than the fetch. A page
with the mandated title tag of an article, or with paragraphs in number, is content and is not looked at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_MAX_STUB, _MAX_PADDED = 65_536, 1 << 20
"""Bytes. What is larger is content, or the engine's business. A firewall's script, or a picture inside the page, may be
long; but then the page has no paragraph and next to no link."""
_PADDED_LINKS = 8
_HEAD = 8192
_ARTICLE_TITLE = re.compile(rb"<meta\b[^<>]{0,40}\barticletitle\b[^<>]{0,20}content\s*=\s*[\"']?([^\"'<>]{12,600})")
"""What 国办发〔2017〕47号 demands of articles, in lower case. Shorter ones may be `提示信息`."""
_NOTICE_WORDS = ("提示", "错误", "出错", "存在", "删除", "维护", "升级", "登录")
_NO_TITLE = re.compile(
    rb"error|not\s?found|40[0-9]|"
    + b"|".join(word.encode(charset) for word in _NOTICE_WORDS for charset in ("utf-8", "gb18030")),
    re.I,
)
_MANY_PARAGRAPHS = 12
_HTML = (
    b"<html", b"<!doctype html", b"<head", b"<body", b"<script", b"<meta", b"<title", b"<center", b"<h1", b"<h2",
    b"<h3", b"<div", b"<p>", b"<table", b"<font",
)  # fmt: skip
_DATA = (b"<rss", b"<feed", b"<rdf", b"<datastore", b"<urlset")
_TAG = re.compile(rb"<[^<>]*>")
_WIDE = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_HIDDEN = (b"script", b"style", b"title", b"noscript", b"template")


@dataclass(frozen=True, slots=True)
class Look:
    """The text is without any blanks."""

    body: bytes
    low: bytes
    """The body in lower case (ASCII letters only): its places are those of `body`."""
    shown: bytes
    """The body without scripts, styles, comments, title and noscript."""
    title: str
    text: str
    """Of `shown`."""
    own_text: str
    """The same without the text of links: what is said, not where one can go."""


def look_at(body: bytes) -> Look | None:
    """None for what is no HTML, and for what is content beyond doubt."""
    if len(body) > _MAX_STUB and not _is_padded(body):
        return None
    if body[:2] in _WIDE:
        body = body[2:].decode(_WIDE[body[:2]], "replace").encode()
    page = body.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not page.startswith(b"<"):
        return None
    head = page[:_HEAD].lower()
    if not any(mark in head for mark in _HTML) or any(mark in head[:1000] for mark in _DATA):
        return None
    titled = _ARTICLE_TITLE.search(head)
    if titled is not None and not _NO_TITLE.search(page[slice(*titled.span(1))]):
        return None
    if page.count(b"</p>") > _MANY_PARAGRAPHS:
        return None
    low = page.lower()
    title = _first(low, page, b"title")
    page, low = _cut(page, low, b"<!--", b"-->")
    for name in _HIDDEN:
        page, low = _cut(page, low, b"<" + name, b"</" + name)
    own, _ = _cut(page, low, b"<a ", b"</a")
    return Look(body, body.lower(), page, read_text(title), read_text(page), read_text(own))


def _is_padded(body: bytes) -> bool:
    at = 0
    for _ in range(_PADDED_LINKS + 1):  # a page of rows is told by its first ones
        at = body.find(b"<a ", at) + 1
        if not at:
            return len(body) <= _MAX_PADDED and b"</p>" not in body
    return False


def _cut(page: bytes, low: bytes, opening: bytes, closing: bytes) -> tuple[bytes, bytes]:
    """Both without what lies between the marks. `low` only serves to find them: GBK's second bytes look like letters,
    so text is always read from `page`."""
    at = low.find(opening)
    if at < 0:
        return page, low
    parts, low_parts, begin = [], [], 0
    while at >= 0:
        parts.append(page[begin:at])
        low_parts.append(low[begin:at])
        begin = low.find(closing, at)
        if begin < 0:
            begin = len(low)
        at = low.find(opening, begin)
    parts.append(page[begin:])
    low_parts.append(low[begin:])
    return b" ".join(parts), b" ".join(low_parts)


def _first(low: bytes, page: bytes, name: bytes) -> bytes:
    begin = low.find(b"<" + name)
    end = low.find(b"</" + name, begin)
    return page[begin : min(end, begin + 600)] if 0 <= begin < end else b""


def read_text(page: bytes) -> str:
    """What markup says, without blanks."""
    visible = _TAG.sub(b" ", page)
    try:
        text = visible.decode("utf-8")
    except UnicodeDecodeError:
        text = visible.decode("gb18030", "replace")
    return "".join(text.replace("&nbsp;", " ").split())
