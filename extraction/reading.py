"""The walk over a body: its text nodes into lines, without what a reader does not see.

It goes over the node's own markup, as libxml2 writes a tree: every tag closed, every `<` and `>` inside values
escaped. A page repeats a few dozen tags hundreds of times, so what a tag means is looked up by its spelling; only a
tag that asks for a closer look (links, rows, what may be hidden or furniture) is looked at as an element.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from lxml import etree

from extraction.chrome import MAX_NAMES, is_furniture, names_furniture
from extraction.files import is_file_link
from extraction.spam import (
    MAX_INLINE_STYLE,
    PLAIN,
    Style,
    find_hidden_reason,
    has_spam_word,
    is_foreign,
    is_spam_link,
    read_style,
)
from extraction.tags import find_role, restyle
from extraction.textmap import Line, LineBuilder, Removed, join_cells, merge_lines

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_QUOTE = 200
"""Characters kept of a removed text."""
_TAG = re.compile(r"(<!--.*?-->|<[^>]*>)", re.S)
_CDATA = re.compile(r"(<!--.*?-->)|<!\[CDATA\[(.*?)\]\]>", re.S)
_NO_CHAR = "&#x"
"""How libxml2 begins what it writes for a character that XML cannot hold: the tree knows which."""
_LONGEST_TAG = 300
_MOST_TAGS = 4096
_CLOSER_LOOK = "closer look"
_roles: dict[str, str] = {}
"""Tags as spelled, with what they do to the text: a role of extraction/tags.py, or `_CLOSER_LOOK`."""
_NONE: dict[str, str] = {}


class Markup(NamedTuple):
    """A node as it is written: each tag with the text that follows it, from the node's own start tag to its end tag.
    Comments and processing instructions count as tags."""

    pieces: list[tuple[str, str]]
    nests_tables: bool
    """Whether a table may stand in a row: one begins after a row has."""


def read_markup(node: HtmlElement) -> Markup:
    written = etree.tostring(node, encoding="unicode", with_tail=False)
    if "CDATA[" in written:
        written = _CDATA.sub(lambda match: match[1] or _escape(match[2]), written)
    pieces = _TAG.split(written)
    tags, texts = pieces[1::2], pieces[2::2]
    if "&" in written:
        if _NO_CHAR in written:
            texts = _read_texts(node, tags)
        else:
            texts = [_unescape(text) if "&" in text else text for text in texts]
    first_row = written.find("<tr")
    return Markup(list(zip(tags, texts, strict=True)), 0 <= first_row < written.rfind("<table"))


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&#13;", "\r").replace("&amp;", "&")


def _read_texts(node: HtmlElement, tags: list[str]) -> list[str]:
    """The text after each tag, from the tree."""
    texts: list[str] = []
    opened: list[HtmlElement] = []
    nodes = node.iter()
    for tag in tags:
        if tag[1] == "/":
            texts.append(opened.pop().tail or "")
            continue
        element = next(nodes)
        if _is_closed(tag):
            texts.append(element.tail or "")
        else:
            opened.append(element)
            texts.append(element.text or "")
    texts[-1] = ""
    return texts


def _is_closed(tag: str) -> bool:
    """Whether nothing stands inside: an empty element, a comment, a processing instruction."""
    return tag[-2] == "/" or tag[1] in "!?"


class State(NamedTuple):
    """What a text node inherits."""

    is_link: bool = False
    is_file: bool = False
    is_invisible: bool = False
    is_pre: bool = False


_PLAIN = State()


@dataclass(slots=True)
class Walk:
    """One walk over the markup of `root`. It passes every tag of every page, so it trades some elegance for speed."""

    base_url: str
    hidden_names: frozenset[str]
    root: HtmlElement
    shows_hidden: bool = False
    builder: LineBuilder = field(default_factory=LineBuilder)
    removed: list[Removed] = field(default_factory=list)
    hidden_chars: int = 0
    has_spam: bool = False
    _rest: Iterator[tuple[str, str]] = field(init=False)
    """What is still to be read: everybody takes from it the tags of the element that is being read."""
    _seen: int = 0
    """Nodes passed so far, in document order."""
    _nodes: list[HtmlElement] = field(default_factory=list)
    _roles: dict[str, str] = field(init=False)
    _nests_tables: bool = False

    def run(self, markup: Markup) -> None:
        self._rest = iter(markup.pieces)
        self._roles = {} if self.hidden_names else _roles
        self._nests_tables = markup.nests_tables
        tag, text = next(self._rest)
        self._read_inside(tag, text, "", _PLAIN)
        self.builder.end_line()

    def hides_the_body(self) -> bool:
        """Whether the page hides more than it shows and shows it by script later (tabs, lazy layouts)."""
        if self.hidden_chars <= 100:
            return False
        return self.hidden_chars > sum(len(line.text) for line in self.builder.lines)

    def _read_inside(self, tag: str, text: str, path: str, state: State) -> str:
        """Read what is inside an element, of which `tag` and the `text` behind it are taken. Returns its tail."""
        if _is_closed(tag):
            return text
        builder = self.builder
        add = builder.add if state is _PLAIN else partial(self._add_in, state)
        roles = _NONE if state.is_invisible else self._roles
        if text:
            add(text, path)
        outer, index = path, 0
        opened: list[tuple[str, int, str]] = []
        for tag, text in self._rest:
            if tag[1] == "/":
                if not opened:
                    return text
                path = outer
                outer, index, role = opened.pop()
                if role == "block":
                    builder.end_line()
            else:
                path, index = f"{outer}.{index}" if outer else str(index), index + 1
                self._seen += 1
                role = roles.get(tag) or self._role_of(tag, state)
                if role == "inline" or role == "block":
                    if role == "block":
                        builder.end_line()
                    if tag[-2] != "/":
                        opened.append((outer, index, role))
                        outer, index = path, 0
                        if text:
                            add(text, path)
                        continue
                elif role == "break" or role == "skip":
                    if role == "break":
                        builder.end_line()
                    text = self._pass_over(tag, text)
                elif role == "tr":
                    text = self._read_row(tag, text, path, state)
                else:
                    text = self._read_element(tag, text, path, state)
            if text and (text != "\n" or builder.parts):
                add(text, f"{path}~")
        raise AssertionError("markup of a tree without an end tag")

    def _pass_over(self, tag: str, text: str) -> str:
        """Leave an element out, of which `tag` and the `text` behind it are taken. Returns its tail."""
        depth = 0 if _is_closed(tag) else 1
        while depth:
            tag, text = next(self._rest)
            if tag[1] == "/":
                depth -= 1
            else:
                self._seen += 1
                depth += not _is_closed(tag)
        return text

    def _role_of(self, tag: str, state: State) -> str:
        """A role of extraction/tags.py, or `_CLOSER_LOOK` where more than the tag decides."""
        role = self._roles.get(tag) or self._learn(tag)
        sets_size = state.is_invisible and " style=" in tag and role not in ("break", "skip")
        return _CLOSER_LOOK if sets_size else role

    def _learn(self, tag: str) -> str:
        role = self._judge(self._node())
        if len(tag) <= _LONGEST_TAG and tag[1] not in "!?":
            if len(self._roles) >= _MOST_TAGS:
                self._roles.clear()
            self._roles[tag] = role
        return role

    def _judge(self, element: HtmlElement) -> str:
        role, style = find_role(element.tag), PLAIN
        if role in ("break", "skip"):
            return role
        for name, value in element.items():
            if name == "style":
                style = read_style(value[:MAX_INLINE_STYLE])
            elif (name == "class" or name == "id") and names_furniture(value[:MAX_NAMES]):
                return _CLOSER_LOOK
        if role not in ("inline", "block", "tr") or style.font == "zero":
            return _CLOSER_LOOK
        return _CLOSER_LOOK if find_hidden_reason(element, style, self.hidden_names) else restyle(role, style.display)

    def _node(self) -> HtmlElement:
        """The element, comment or instruction that the last tag taken has begun."""
        if not self._nodes:
            self._nodes = list(self.root.iter())
        return self._nodes[self._seen]

    def _add_in(self, state: State, text: str, node: str) -> None:
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

    def _read_element(self, tag: str, text: str, path: str, state: State) -> str:
        """Read one element whatever it is, of which `tag` and the `text` behind it are taken. Returns its tail."""
        element = self._node()
        role, style = find_role(element.tag), read_style((element.get("style") or "")[:MAX_INLINE_STYLE])
        if self._is_left_out(element, path, style):
            return self._pass_over(tag, text)
        state = _inherit(state, role, style)
        role = restyle(role, style.display)
        if role == "tr":
            return self._read_row(tag, text, path, state)
        is_block = role in ("block", "block link")
        if is_block:
            self.builder.end_line()
        inner = state if role in ("inline", "block") else self._enter_link(element, path, state)
        tail = self._pass_over(tag, text) if inner is None else self._read_inside(tag, text, path, inner)
        if is_block:
            self.builder.end_line()
        return tail

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

    def _enter_link(self, element: HtmlElement, path: str, state: State) -> State | None:
        """The state inside a link; None for an injected one, which is left out and noted."""
        href = element.get("href")
        if not href:
            return state
        label = element.text_content()
        if is_spam_link(label, href, self.base_url):
            self.has_spam = True
            self.removed.append(Removed("spam_link", " ".join(label.split())[:_QUOTE], path, href.strip()[:_QUOTE]))
            return None
        return state._replace(is_link=True, is_file=is_file_link(href, label))

    def _read_row(self, tag: str, text: str, path: str, state: State) -> str:
        """A row of one filled cell, or of cells that hold tables, is layout: its lines stay lines."""
        self.builder.end_line()
        if _is_closed(tag):
            return text
        outer, cells, is_layout, index = self.builder, list[list[Line]](), False, -1
        for tag, text in self._rest:
            if tag[1] == "/":
                break
            index, self._seen = index + 1, self._seen + 1
            role = self._role_of(tag, state)
            if self._nests_tables and role != "skip":
                is_layout = is_layout or next(self._node().iter("table"), None) is not None
            self.builder = LineBuilder()
            path_of_child = f"{path}.{index}" if path else str(index)
            if role in ("break", "skip"):
                self._pass_over(tag, text)
            elif role in ("inline", "block"):
                self._read_inside(tag, text, path_of_child, state)
            elif role == "tr":
                self._read_row(tag, text, path_of_child, state)
            else:
                self._read_element(tag, text, path_of_child, state)
            self.builder.end_line()
            lines = self.builder.lines
            if lines or (tag[:3] in ("<td", "<th") and tag[3] in " />"):
                cells.append(lines)
        self.builder = outer
        filled = [lines for lines in cells if lines]
        if is_layout or len(filled) == 1:
            for lines in filled:
                outer.extend(lines)
        elif filled:
            outer.extend([join_cells([merge_lines(lines) for lines in cells])])
        return text


def _inherit(state: State, role: str, style: Style) -> State:
    is_invisible = style.font == "zero" if style.font else state.is_invisible
    is_pre = state.is_pre or role == "pre"
    if is_invisible == state.is_invisible and is_pre == state.is_pre:
        return state
    return state._replace(is_invisible=is_invisible, is_pre=is_pre)


def _readable(element: HtmlElement) -> Iterator[str]:
    """The text of an element without that of scripts and styles."""
    for node in element.iter():
        if isinstance(node.tag, str) and node.tag not in ("script", "style"):
            yield node.text or ""
        if node is not element:
            yield node.tail or ""
