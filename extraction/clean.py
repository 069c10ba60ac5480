"""From a body container to clean text: what a reader reads, line by line, with the way back to the page.

Paragraphs and table rows are lines (cells joined by ` | `); inline text is joined without separators, so that a
number split over spans stays one number. Left out: hidden and injected links and elements, page furniture
(share widgets, QR blocks, font-size tools, attachment lists, neighbours, related lists) and a page number at the
very end. Everything left out that a reader might ask for is in `CleanText.removed`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from lxml import etree, html

from extraction.chrome import drop_furniture, is_furniture
from extraction.spam import (
    Style,
    find_hidden_names,
    find_hidden_reason,
    has_spam_word,
    is_foreign,
    is_spam_link,
    read_style,
)
from extraction.textmap import Line, LineBuilder, Removed, Segment, join_cells, lay_out, merge_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.html import HtmlElement

MAX_CHARS = 8_000_000
"""Longer pages are cut and reported; the longest real report page seen has 190,000."""
_TRUNCATED = "data-truncated"
_QUOTE = 200
"""Characters kept of a removed text."""

_BLOCKS = frozenset((
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "dialog",
    "dir", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4",
    "h5", "h6", "header", "hr", "legend", "li", "main", "menu", "nav", "ol", "p", "pre", "section", "summary",
    "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul", "ucapcontent",
))  # fmt: skip
_SKIPPED = frozenset((
    "script", "style", "noscript", "template", "iframe", "frame", "object", "embed", "applet", "video",
    "audio", "canvas", "svg", "math", "select", "option", "optgroup", "textarea", "button", "input", "head",
    "title", "meta", "link", "base", "map", "img",
))  # fmt: skip
_WORD_DATA = re.compile(r"w:|v:|x:|m:mathpr|o:(?!p\b)")
"""Elements of Word's `<xml>` blocks. The block itself is transparent: editors lose its end tag."""
_VOID_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]+")
_PAGE_NUMBER = re.compile(r"[-—–－\s]{0,8}\d{1,3}[-—–－\s]{0,8}|第\s?\d{1,3}\s?页(?:\s?共\s?\d{1,3}\s?页)?")
FILE_SUFFIX = re.compile(r"\.(?:pdf|docx?|xlsx?|pptx?|wps|et|ofd|ceb|zip|rar|7z|txt|csv|rtf|jpe?g|png|tiff?)$", re.I)
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
    markup = _VOID_TEXT.sub("", text[:MAX_CHARS])
    parser = html.HTMLParser(encoding="utf-8", huge_tree=False, no_network=True, remove_pis=False)
    try:
        root = html.document_fromstring(markup.encode("utf-8"), parser=parser, ensure_head_body=True)
    except (etree.ParserError, etree.XMLSyntaxError, AssertionError, TypeError):
        # Nothing in it that is markup: an empty page, a lone comment or processing instruction.
        return html.document_fromstring("<html><head></head><body></body></html>")
    if is_cut or any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log):
        root.set(_TRUNCATED, "1")
    return root


def is_truncated(root: HtmlElement) -> bool:
    return root.get(_TRUNCATED) is not None


def is_file_link(href: str, label: str = "") -> bool:
    """Whether a link leads to a document file: by its path, its query (`filename=…pdf`) or its label."""
    address = href.strip().partition("#")[0]
    path = address.partition("?")[0]
    if FILE_SUFFIX.search(path) or FILE_SUFFIX.search(label.strip()):
        return True
    return _FILE_QUERY.search(address[len(path) :]) is not None


def clean_body(node: HtmlElement, *, base_url: str, hidden_names: frozenset[str] | None = None) -> CleanText:
    """Clean one body container. `hidden_names` overrides what the page's own style sheets hide."""
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
    return CleanText(text, segments, tuple(removed), locate(node), tuple(notes))


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


@dataclass(slots=True)
class _Walk:
    base_url: str
    hidden_names: frozenset[str]
    shows_hidden: bool = False
    builder: LineBuilder = field(default_factory=LineBuilder)
    removed: list[Removed] = field(default_factory=list)
    hidden_chars: int = 0
    has_spam: bool = False

    def run(self, node: HtmlElement) -> None:
        self._walk_inside(node, "", _State())
        self.builder.end_line()

    def hides_the_body(self) -> bool:
        """Whether the page hides more than it shows and shows it by script later (tabs, lazy layouts)."""
        shown = sum(len(line.text) for line in self.builder.lines)
        return self.hidden_chars > max(shown, 100)

    def _walk_inside(self, element: HtmlElement, path: str, state: _State) -> None:
        if element.text:
            self._add(element.text, path, state)
        prefix = f"{path}." if path else ""
        for index, child in enumerate(element):
            child_path = f"{prefix}{index}"
            if isinstance(child.tag, str):
                self._walk_element(child, child_path, state)
            if child.tail:
                self._add(child.tail, f"{child_path}~", state)

    def _add(self, text: str, node: str, state: _State) -> None:
        if state.is_invisible:
            hidden = "".join(text.split())
            if hidden:
                self.hidden_chars += len(hidden)
                self.removed.append(Removed("hidden", text.strip()[:_QUOTE], node))
            return
        if not state.is_pre or "\n" not in text:
            self.builder.add(text, node, is_link=state.is_link, is_file=state.is_file)
            return
        done = 0
        for row in text.split("\n"):
            self.builder.add(row, node, is_link=state.is_link, is_file=state.is_file, base=done)
            self.builder.end_line()
            done += len(row) + 1

    def _walk_element(self, element: HtmlElement, path: str, state: _State) -> None:
        tag = cast(str, element.tag)
        if tag == "br":
            self.builder.end_line()
            return
        if tag in _SKIPPED or (":" in tag and _WORD_DATA.match(tag)):
            return
        style_text = element.get("style")
        style = read_style(style_text) if style_text else Style()
        if self._is_left_out(element, path, style):
            return
        if tag == "tr":
            self._walk_row(element, path, _inherit(state, tag, style))
            return
        is_block = (tag in _BLOCKS and style.display != "inline") or style.display == "block"
        if is_block:
            self.builder.end_line()
        inner: _State | None = _inherit(state, tag, style)
        if tag == "a" and inner is not None:
            inner = self._enter_link(element, path, inner)
        if inner is not None:
            self._walk_inside(element, path, inner)
        if is_block:
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
            if not isinstance(tag, str) or tag in _SKIPPED:
                continue
            child_path = f"{path}.{index}" if path else str(index)
            self.builder = LineBuilder()
            self._walk_element(child, child_path, state)
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


def _inherit(state: _State, tag: str, style: Style) -> _State:
    is_invisible = state.is_invisible
    if style.font:
        is_invisible = style.font == "zero"
    is_pre = state.is_pre or tag == "pre"
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
