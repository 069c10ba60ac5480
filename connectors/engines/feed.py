"""RSS and Atom as portals write them: stray ampersands, HTML entities, control characters, whole bodies in CDATA.

The text is cleaned here, then read by lxml in recovery mode without DTD, entities or network. An item's date that
all items share, or that is the feed's own, is the time the feed was built: it says nothing about the item.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lxml import etree

from connectors.base import Listing, PageRef
from connectors.engines.dates import parse_moment
from connectors.engines.meta import tidy
from connectors.errors import Refused, SourceChanged
from connectors.urls import canonical, document_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors.base import Page

MAX_ITEMS = 2000
_MAX_CHARS = 8_000_000
_START = re.compile(r"[\s\ufeff]*(?:<\?xml\b[^>]{0,300}\?>\s*)?(?:<!--[^>]{0,500}-->\s*)?<(?:rss|feed|rdf:RDF)\b", re.I)
_DECLARATION = re.compile(r"\A[\s\ufeff]*<\?xml\b[^>]{0,300}\?>")
_DOCTYPE = re.compile(r"<!DOCTYPE\b[^<>\[]{0,500}(?:\[[^\]]{0,20000}\][^<>]{0,100})?>", re.I)
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]+")
_ENTITY = re.compile(r"&(?:(#\d{1,7}|#x[0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});)?")
_XML_ENTITIES = frozenset(("amp", "lt", "gt", "quot", "apos"))
_END = re.compile(r"</(?:rss|feed|rdf:RDF)\s*>\s*(?:<!--[^>]{0,100}-->\s*)?\Z", re.I)
_ITEM = re.compile(r"<(?:item|entry)[\s>]")
_MARKUP = re.compile(r"<(?:p|br|div|span|table|font|section)\b", re.I)
_CUT_SHORT = re.compile(r"(?:…|\.{3}|\[…\])\s*(?:</\w{1,10}>\s*){0,5}\Z")


@dataclass(frozen=True, slots=True)
class FeedItem:
    title: str | None
    link: str | None
    body: str | None
    """Markup of the description or content."""
    date_text: str | None


@dataclass(frozen=True, slots=True)
class Feed:
    title: str | None
    build_texts: tuple[str, ...]
    """The channel's own dates as written."""
    items: tuple[FeedItem, ...]
    n_items: int = 0
    """Of the whole feed, those beyond `MAX_ITEMS` as well."""
    is_cut: bool = False
    """It breaks off."""


def is_feed(page: Page) -> bool:
    return page.kind == "feed" or _START.match(page.text[:2000]) is not None


def clean_xml(text: str) -> str:
    """Text that an XML parser can read: no declaration, DOCTYPE, control characters or unknown entities."""
    text = _NOT_XML.sub("", text[:_MAX_CHARS])
    text = _DOCTYPE.sub("", _DECLARATION.sub("", text, count=1), count=1)
    parts = split_cdata(text)
    return "".join(f"<![CDATA[{part}]]>" if is_cdata else _ENTITY.sub(_repair, part) for is_cdata, part in parts)


def split_cdata(text: str) -> Iterator[tuple[bool, str]]:
    """Pieces of a text with whether each stood in a CDATA section. Linear, as a lazy pattern is not."""
    position = 0
    while True:
        start = text.find("<![CDATA[", position)
        end = text.find("]]>", start) if start >= 0 else -1
        if end < 0:
            yield False, text[position:]
            return
        yield False, text[position:start]
        yield True, text[start + 9 : end]
        position = end + 3


def _repair(match: re.Match[str]) -> str:
    name = match[1]
    if name is None:
        return "&amp;"
    if name in _XML_ENTITIES:
        return match[0]
    known = html.unescape(match[0])
    if known == match[0] or _NOT_XML.search(known):
        return f"&amp;{match[0][1:]}"
    return f"&#{ord(known)};" if len(known) == 1 else known


def parse_feed(text: str) -> Feed:
    """Read a feed. What cannot be read gives a feed without items, never an error."""
    parser = etree.XMLParser(
        recover=True, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True
    )
    try:
        root = etree.fromstring(clean_xml(text).encode("utf-8"), parser)
    except etree.XMLSyntaxError:
        root = None
    if root is None:
        return Feed(None, (), ())
    channel = next((node for node in root.iter() if _name(node) == "channel"), root)
    found = [node for node in root.iter() if _name(node) in ("item", "entry")]
    items = [_read_item(node) for node in found[:MAX_ITEMS]]
    is_cut = not _END.search(text[-200:])
    if items and is_cut:
        items[-1] = replace(items[-1], body=None)  # the feed is cut off in it
    own = {_name(child): _text(child) for child in channel if _name(child) not in ("item", "entry")}
    builds = (own.get(name) for name in ("pubdate", "lastbuilddate", "date", "updated"))
    n_items = max(len(found), len(_ITEM.findall(text)) if len(text) > _MAX_CHARS else 0)
    return Feed(own.get("title"), tuple(filter(None, builds)), tuple(items), n_items, is_cut)


def _name(node: etree._Element) -> str:
    """Without its namespace, or the prefix of one that is declared nowhere."""
    return node.tag.rpartition("}")[2].rpartition(":")[2].lower() if isinstance(node.tag, str) else ""


def _text(node: etree._Element) -> str | None:
    text = "".join(map(str, node.itertext())).strip()
    return text or None


def _read_item(node: etree._Element) -> FeedItem:
    found: dict[str, str] = {}
    link: str | None = None
    for child in node:
        name = _name(child)
        value = child.get("href") if name == "link" and child.get("href") else _text(child)
        if not value:
            continue
        if name == "link" and (link is None or child.get("rel") == "alternate"):
            link = value
        elif name not in found:
            found[name] = value
    if link is None and found.get("guid", "").startswith("http"):
        link = found["guid"]
    body = found.get("encoded") or found.get("content") or found.get("description") or found.get("summary")
    date_text = found.get("pubdate") or found.get("published") or found.get("date") or found.get("updated")
    return FeedItem(tidy(found.get("title", "")) or None, link, body, date_text)


def discover_feed(page: Page) -> Listing:
    """One PageRef per item with an address, on any host. Raises SourceChanged where there is none."""
    feed = parse_feed(page.text)
    build_times = _find_build_times(feed)
    refs: dict[str, PageRef] = {}
    for item in feed.items:
        if not item.link:
            continue  # without an address it would be the feed itself
        try:
            url = canonical(item.link, page.url)
        except Refused:
            continue
        moment = parse_moment(item.date_text) if item.date_text and item.date_text not in build_times else None
        ref = PageRef(url, item.title, moment[:10] if moment else None, _whole_body(item.body))
        refs.setdefault(document_key(url), ref)
    if not refs:
        raise SourceChanged(f"no item with an address in the feed {page.url}: look at the page", url=page.url)
    total = len(refs) + max(0, feed.n_items - len(feed.items))
    return Listing(tuple(refs.values()), stated_total=total, is_cut=feed.is_cut)


def _find_build_times(feed: Feed) -> frozenset[str]:
    texts = [item.date_text for item in feed.items if item.date_text]
    shared = set(texts) if len(texts) > 1 and len(set(texts)) == 1 else set()
    return frozenset(shared | set(feed.build_texts))


def _whole_body(body: str | None) -> str | None:
    """A description with markup is the body; plain text, or text that is cut short, is a summary."""
    if body is None or not _MARKUP.search(body) or _CUT_SHORT.search(body[-200:]):
        return None
    return body
