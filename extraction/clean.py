"""From a body container to clean text: what a reader reads, line by line, with the way back to the page.

Paragraphs and table rows are lines (cells joined by ` | `); inline text is joined without separators, so that a
number split over spans stays one number. Left out: hidden and injected links and elements, page furniture
(share widgets, QR blocks, font-size tools, attachment lists, neighbours, related lists) and a page number at the
very end. Everything left out that a reader might ask for is in `CleanText.removed`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from lxml import etree, html

from extraction.chrome import MAX_NAMES, drop_furniture, is_furniture, names_furniture
from extraction.spam import (
    MAX_INLINE_STYLE,
    PLAIN,
    Style,
    find_hidden_names,
    find_hidden_reason,
    has_spam_word,
    is_foreign,
    is_spam_link,
    read_style,
)
from extraction.tags import ROLES, find_role, restyle
from extraction.textmap import Line, LineBuilder, Removed, Segment, join_cells, lay_out, merge_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.html import HtmlElement

MAX_CHARS = 8_000_000
"""Longer pages are cut and reported; the longest real report page seen has 190,000."""
_TRUNCATED = "data-truncated"
_QUOTE = 200
"""Characters kept of a removed text."""

_VOID_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]+")
_VOID_BYTES = bytes(byte for byte in (*range(32), 127) if byte not in b"\t\n\r")
_PAGE_NUMBER = re.compile(r"[-—–－\s]{0,8}\d{1,3}[-—–－\s]{0,8}|第\s?\d{1,3}\s?页(?:\s?共\s?\d{1,3}\s?页)?")
_CLASSES = etree.ElementDefaultClassLookup(element=html.HtmlElement)
"""lxml.html's own lookup asks Python for the class of each node, which costs more than the parsing."""
_SUFFIXES = r"\.(?:pdf|docx?|xlsx?|pptx?|wps|et|ofd|ceb|zip|rar|7z|txt|csv|rtf|jpe?g|png|tiff?)"
FILE_HINT = re.compile(_SUFFIXES, re.I)
"""Without it, neither an address nor a label is that of a file."""
FILE_SUFFIX = re.compile(_SUFFIXES + "$", re.I)
_LONGEST_SUFFIX = 6
_FILE_QUERY = re.compile(r"\.(?:pdf|docx?|xlsx?|pptx?|wps|et|ofd|ceb|zip|rar|7z)(?=$|[&;#?])", re.I)


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


def parse_html(text: str) -> HtmlElement:
    """Parse a page or a fragment into a tree; junk gives a tree as well, never an error.

    Nesting is bounded by libxml2 (256), size by `MAX_CHARS`; `is_truncated` tells when either cut."""
    is_cut = len(text) > MAX_CHARS
    parser = etree.HTMLParser(encoding="utf-8", huge_tree=False, no_network=True, remove_pis=False)
    parser.set_element_class_lookup(_CLASSES)
    try:
        root = etree.fromstring(_encode(text[:MAX_CHARS]), parser)
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
            if len(markup.translate(None, _VOID_BYTES)) == len(markup):
                return markup
    return _VOID_TEXT.sub("", text).encode("utf-8")


def is_truncated(root: HtmlElement) -> bool:
    return root.get(_TRUNCATED) is not None


def is_file_link(href: str, label: str = "") -> bool:
    """Whether a link leads to a document file: by its path, its query (`filename=…pdf`) or its label."""
    address = href.strip().partition("#")[0]
    path, _, query = address.partition("?")
    ends = (path[-_LONGEST_SUFFIX:], label.strip()[-_LONGEST_SUFFIX:])
    if any(FILE_SUFFIX.search(end) for end in ends):
        return True
    return "." in query and _FILE_QUERY.search(query) is not None


def clean_body(node: HtmlElement, *, base_url: str, hidden_names: frozenset[str] | None = None) -> CleanText:
    """Clean one body container. `hidden_names` overrides what the page's own style sheets hide."""
    text, segments, removed, notes = _clean(node, base_url, hidden_names)
    return CleanText(text, segments, removed, locate(node), notes)


def clean_text(node: HtmlElement, *, base_url: str, hidden_names: frozenset[str] | None = None) -> str:
    """The text alone. Where a node stands among its siblings takes as long to find as they are many: a list of twelve
    thousand rows would take its time for nothing."""
    return _clean(node, base_url, hidden_names)[0]


def _clean(
    node: HtmlElement, base_url: str, hidden_names: frozenset[str] | None
) -> tuple[str, tuple[Segment, ...], tuple[Removed, ...], tuple[str, ...]]:
    document = node.getroottree().getroot()
    names = find_hidden_names(document) if hidden_names is None else hidden_names
    walk = _Walk(base_url, names)
    walk.run(node)
    notes: list[str] = []
    if walk.hides_the_body():
        walk = _Walk(base_url, names, shows_hidden=True)
        walk.run(node)
        notes.append("hidden_body_kept")
    removed = walk.removed
    lines = drop_furniture(walk.builder.lines, removed)
    _drop_page_number(lines, removed)
    text, segments = lay_out(lines)
    if walk.has_spam:
        notes.append("spam_removed")
    if is_truncated(document):
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


@dataclass(slots=True)
class _State:
    """What a text node inherits."""

    is_link: bool = False
    is_file: bool = False
    is_invisible: bool = False
    is_pre: bool = False


_PLAIN = _State()


@dataclass(slots=True)
class _Walk:
    """The recursion over a body. It visits every node of every page, so it trades some elegance for speed: one look
    at a tag's role, one pass over an element's attributes, and nothing called that most nodes do not need."""

    base_url: str
    hidden_names: frozenset[str]
    shows_hidden: bool = False
    builder: LineBuilder = field(default_factory=LineBuilder)
    removed: list[Removed] = field(default_factory=list)
    hidden_chars: int = 0
    has_spam: bool = False

    def run(self, node: HtmlElement) -> None:
        self._walk_inside(node, "", _PLAIN)
        self.builder.end_line()

    def hides_the_body(self) -> bool:
        """Whether the page hides more than it shows and shows it by script later (tabs, lazy layouts)."""
        if self.hidden_chars <= 100:
            return False
        return self.hidden_chars > sum(len(line.text) for line in self.builder.lines)

    def _walk_inside(self, element: HtmlElement, path: str, state: _State) -> None:
        add = self.builder.add if state is _PLAIN else partial(self._add_in, state)
        text = element.text
        if text:
            add(text, path)
        prefix = f"{path}." if path else ""
        for index, child in enumerate(element):
            child_path = f"{prefix}{index}"
            tag = child.tag
            role = ROLES.get(tag) or find_role(tag)
            if role == "break":
                self.builder.end_line()
            elif role != "skip":
                self._walk_element(child, role, child_path, state)
            text = child.tail
            if text:
                add(text, f"{child_path}~")

    def _add_in(self, state: _State, text: str, node: str) -> None:
        if state.is_invisible:
            hidden = "".join(text.split())
            if hidden:
                self.hidden_chars += len(hidden)
                self.removed.append(Removed("hidden", text.strip()[:_QUOTE], node))
        elif not state.is_pre or "\n" not in text:
            self.builder.add(text, node, state.is_link, state.is_file)
        else:
            done = 0
            for row in text.split("\n"):
                if row:
                    self.builder.add(row, node, state.is_link, state.is_file, done)
                self.builder.end_line()
                done += len(row) + 1

    def _walk_element(self, element: HtmlElement, role: str, path: str, state: _State) -> None:
        style, is_suspect = PLAIN, role == "marquee"
        for name, value in element.items():
            if name == "style":
                style = read_style(value[:MAX_INLINE_STYLE])
                is_suspect = is_suspect or style.is_hidden
            elif name == "class" or name == "id":
                is_suspect = is_suspect or bool(self.hidden_names) or names_furniture(value[:MAX_NAMES])
            elif name == "hidden":
                is_suspect = True
        if is_suspect and self._is_left_out(element, path, style):
            return
        if style is not PLAIN or role == "pre":
            state = _inherit(state, role, style)
            role = restyle(role, style.display)
        if role == "inline":
            self._walk_inside(element, path, state)
        elif role == "block":
            self.builder.end_line()
            self._walk_inside(element, path, state)
            self.builder.end_line()
        elif role == "tr":
            self._walk_row(element, path, state)
        else:
            if role == "block link":
                self.builder.end_line()
            inner = self._enter_link(element, path, state)
            if inner is not None:
                self._walk_inside(element, path, inner)
            if role == "block link":
                self.builder.end_line()

    def _is_left_out(self, element: HtmlElement, path: str, style: Style) -> bool:
        if find_hidden_reason(element, style, self.hidden_names):
            is_planted = self._is_planted(element)
            if is_planted or not self.shows_hidden:
                self._note_hidden(element, path, is_planted=is_planted)
                return True
        if is_furniture(element):
            text = " ".join(element.text_content().split())
            if text:
                self.removed.append(Removed("furniture", text[:_QUOTE], path))
            return True
        return False

    def _note_hidden(self, element: HtmlElement, path: str, *, is_planted: bool) -> None:
        text = " ".join("".join(_readable(element)).split())
        link = element if element.tag == "a" else next(element.iter("a"), None)
        href = None if link is None else link.get("href")
        if text or href:
            self.removed.append(Removed("hidden", text[:_QUOTE], path, href and href.strip()[:_QUOTE]))
        if is_planted:
            self.has_spam = True
        else:
            self.hidden_chars += len("".join(text.split()))

    def _is_planted(self, element: HtmlElement) -> bool:
        """Hidden and of the trade: it stays out even where the page hides its whole body."""
        if any(is_foreign(link.get("href") or "", self.base_url) for link in element.iter("a")):
            return True
        return has_spam_word("".join(_readable(element)))

    def _enter_link(self, element: HtmlElement, path: str, state: _State) -> _State | None:
        """The state inside a link; None for an injected one, which is left out and noted."""
        href = element.get("href")
        if not href:
            return state
        label = element.text_content()
        if is_spam_link(label, href, self.base_url):
            self.has_spam = True
            self.removed.append(Removed("spam_link", " ".join(label.split())[:_QUOTE], path, href.strip()[:_QUOTE]))
            return None
        is_file = is_file_link(href, label)
        return _State(True, is_file, state.is_invisible, state.is_pre)

    def _walk_row(self, row: HtmlElement, path: str, state: _State) -> None:
        """A row of one filled cell, or of cells that hold tables, is layout: its lines stay lines."""
        self.builder.end_line()
        outer, cells, is_layout = self.builder, [], False
        for index, child in enumerate(row):
            tag = child.tag
            role = find_role(tag)
            if role == "skip":
                continue
            child_path = f"{path}.{index}" if path else str(index)
            self.builder = LineBuilder()
            if role != "break":
                self._walk_element(child, role, child_path, state)
            self.builder.end_line()
            lines = self.builder.lines
            if lines or tag in ("td", "th"):
                cells.append(lines)
            is_layout = is_layout or next(child.iter("table"), None) is not None
        self.builder = outer
        filled = [lines for lines in cells if lines]
        if is_layout or len(filled) == 1:
            for lines in filled:
                outer.extend(lines)
        elif filled:
            outer.extend([join_cells([merge_lines(lines) for lines in cells])])


def _inherit(state: _State, role: str, style: Style) -> _State:
    is_invisible = style.font == "zero" if style.font else state.is_invisible
    is_pre = state.is_pre or role == "pre"
    if is_invisible == state.is_invisible and is_pre == state.is_pre:
        return state
    return _State(state.is_link, state.is_file, is_invisible, is_pre)


def _readable(element: HtmlElement) -> Iterator[str]:
    """The text of an element without that of scripts and styles."""
    for node in element.iter():
        if isinstance(node.tag, str) and node.tag not in ("script", "style"):
            yield node.text or ""
        if node is not element:
            yield node.tail or ""
