"""From a body container to clean text: what a reader reads, line by line, with the way back to the page.

Paragraphs and table rows are lines (cells joined by ` | `); inline text is joined without separators, so that a
number split over spans stays one number. Left out: hidden and injected links and elements, page furniture
(share widgets, QR blocks, font-size tools, attachment lists, neighbours, related lists) and a page number at the
very end. Everything left out that a reader might ask for is in `CleanText.removed`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree, html

from extraction.chrome import drop_furniture, may_be_furniture
from extraction.judging import Judge
from extraction.octets import cut_long_tags
from extraction.passes import find_parts, has_controls, has_long_tag, lay_out, read_lines, read_plain
from extraction.sheets import find_hidden_names
from extraction.textmap import Line, Removed, Segment

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_Cleaned = tuple[str, "tuple[Segment, ...]", "tuple[Removed, ...]", tuple[str, ...]]
"""Text, map, what was left out, notes."""
MAX_CHARS = 4_000_000
"""Longer pages are cut and reported; the longest real report page seen has 190,000."""
_TRUNCATED = "data-truncated"
_VOID_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]+")
_PAGE_NUMBER = re.compile(r"[-—–－\s]{0,8}\d{1,3}[-—–－\s]{0,8}|第\s?\d{1,3}\s?页(?:\s?共\s?\d{1,3}\s?页)?")
_CLASSES = etree.ElementDefaultClassLookup(element=html.HtmlElement)
"""lxml.html's own lookup asks Python for the class of each node, which costs more than the parsing."""


@dataclass(frozen=True, slots=True)
class CleanText:
    """Clean text and its map. `root` is the cleaned node, named from the document's root."""

    text: str
    segments: tuple[Segment, ...] = ()
    removed: tuple[Removed, ...] = ()
    root: str = ""
    notes: tuple[str, ...] = ()
    """`truncated_html`, `hidden_body_kept`, `spam_removed`."""

    def count_removed(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for item in self.removed:
            counts[item.kind] = counts.get(item.kind, 0) + 1
        return counts


def parse_html(text: str, markup: bytes | None = None) -> HtmlElement:
    """Parse a page or a fragment into a tree; junk gives a tree as well, never an error. `markup` is the text as
    `Decoded.markup` has it.

    Nesting is bounded by libxml2 (256), size by `MAX_CHARS`, attributes of a tag by 1,000 where there are thousands;
    `is_truncated` tells when any of them cut."""
    is_cut = len(text) > MAX_CHARS
    data = markup if markup is not None and not is_cut else _encode(text[:MAX_CHARS])
    if has_long_tag(data):
        data, is_cut = cut_long_tags(data), True
    parser = etree.HTMLParser(encoding="utf-8", huge_tree=False, no_network=True, remove_pis=False, collect_ids=False)
    parser.set_element_class_lookup(_CLASSES)
    try:
        root = etree.fromstring(data, parser)
    except (etree.ParserError, etree.XMLSyntaxError, AssertionError, TypeError):
        root = None
    if not isinstance(root, html.HtmlElement):
        # Nothing in it that is markup: an empty page, a lone comment or processing instruction.
        return html.document_fromstring("<html><head></head><body></body></html>")
    if root.find("head") is None:
        root.insert(0, root.makeelement("head"))
    if root.find("body") is None:
        root.append(root.makeelement("body"))
    if is_cut or parser.error_log.filter_types(etree.ErrorTypes.ERR_RESOURCE_LIMIT):
        root.set(_TRUNCATED, "1")
    return root


def _encode(text: str) -> bytes:
    """A page as UTF-8, without what no tree can hold. The bytes tell fastest whether there is any of it."""
    if "\ufffe" not in text and "\uffff" not in text:
        try:
            markup = text.encode("utf-8")
        except UnicodeEncodeError:
            pass  # half a surrogate pair
        else:
            if not has_controls(markup):
                return markup
    return _VOID_TEXT.sub("", text).encode("utf-8")


def is_truncated(root: HtmlElement) -> bool:
    return root.get(_TRUNCATED) is not None


def clean_body(
    node: HtmlElement, *, base_url: str, hidden_names: frozenset[str] | None = None, has_map: bool = True
) -> CleanText:
    """Clean one body container. `hidden_names`: what the page's own style sheets hide, where the caller knows.

    Without `has_map` the text has no map, unless something was left out of it, whose place the map tells."""
    names = _hidden_names(node) if hidden_names is None else hidden_names
    plain = None if has_map else _clean_plain(node, base_url, names)
    text, segments, removed, notes = plain or _clean(node, base_url, names)
    return CleanText(text, segments if has_map or removed else (), removed, locate(node), notes)


def _hidden_names(node: HtmlElement) -> frozenset[str]:
    return find_hidden_names(find_parts(node.getroottree().getroot()))


def clean_text(node: HtmlElement, *, base_url: str, hidden_names: frozenset[str] | None = None) -> str:
    """The text alone. Where a node stands among its siblings takes as long to find as they are many: a list of twelve
    thousand rows would take its time for nothing."""
    names = _hidden_names(node) if hidden_names is None else hidden_names
    return _clean(node, base_url, names)[0]


def _clean_plain(node: HtmlElement, base_url: str, names: frozenset[str]) -> _Cleaned | None:
    """A body of which nothing is left out; None where that cannot be told without a closer look."""
    lines = read_plain(Judge(base_url, names), node)
    if lines is None or any(map(may_be_furniture, lines)) or (lines and _PAGE_NUMBER.fullmatch(lines[-1])):
        return None
    notes = ("truncated_html",) if is_truncated(node.getroottree().getroot()) else ()
    return "\n".join(lines), (), (), notes


def _clean(node: HtmlElement, base_url: str, names: frozenset[str]) -> _Cleaned:
    judge = Judge(base_url, names)
    lines = read_lines(judge, node)
    notes: list[str] = []
    if judge.hides_the_body(lines):
        judge = Judge(base_url, names, shows_hidden=True)
        lines = read_lines(judge, node)
        notes.append("hidden_body_kept")
    removed = judge.removed
    lines = drop_furniture(lines, removed)
    _drop_page_number(lines, removed)
    text, segments = lay_out(lines)
    if judge.has_spam:
        notes.append("spam_removed")
    if is_truncated(node.getroottree().getroot()):
        notes.append("truncated_html")
    return text, segments, tuple(removed), tuple(notes)


def locate(node: HtmlElement) -> str:
    """The node's name from the document's root (see `extraction.textmap`)."""
    steps: list[str] = []
    parent = node.getparent()
    while parent is not None:
        steps.append(str(parent.index(node)))
        node, parent = parent, parent.getparent()
    return ".".join(reversed(steps))


def _drop_page_number(lines: list[Line], removed: list[Removed]) -> None:
    """A bare number after at least three lines is a page number that the editor pasted along."""
    if len(lines) > 3 and _PAGE_NUMBER.fullmatch(lines[-1].text):
        line = lines.pop()
        removed.append(Removed("page_number", line.text, line.runs()[0].node))
