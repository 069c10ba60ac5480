"""The walk over a body: its text nodes into lines, without what a reader does not see.

It goes over the node's own markup, as libxml2 writes a tree: every tag closed, every `<` and `>` inside values
escaped. What a tag means is looked up by its spelling; only a tag that asks for a closer look (links, what may be
hidden or furniture) is looked at as an element. The compiled walk (extraction/native_lines.pyx) does the same over
the tree itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from lxml import etree

from extraction.judging import CLOSER_LOOK, LONGEST_TAG, MOST_TAGS, Judge, State
from extraction.plain import unescape
from extraction.textmap import Line, LineBuilder, join_cells, merge_lines

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_TAG = re.compile(r"(<!--.*?-->|<[^>]*>)", re.S)
_CDATA = re.compile(r"(<!--.*?-->)|<!\[CDATA\[(.*?)\]\]>", re.S)
_NO_CHAR = "&#x"
"""How libxml2 begins what it writes for a character that XML cannot hold: the tree knows which."""
_PLAIN = State()
_roles: dict[str, str] = {}
"""Tags as spelled, with what they do to the text."""
_NONE: dict[str, str] = {}


def read_lines(judge: Judge, node: HtmlElement) -> list[Line]:
    """The lines of a body. What is left out of it, `judge` keeps. A body holds no `head`: libxml2 adds a tag of its own
    to that of an XHTML page."""
    return _Walk(judge, node).run()


class _Markup(NamedTuple):
    """A node as it is written: each tag with the text that follows it, from the node's own start tag to its end tag.
    Comments and processing instructions count as tags."""

    pieces: list[tuple[str, str]]
    nests_tables: bool
    """Whether a table may stand in a row: one begins after a row has."""


def _read_markup(node: HtmlElement) -> _Markup:
    written = etree.tostring(node, encoding="unicode", with_tail=False)
    if "CDATA[" in written:
        written = _CDATA.sub(lambda match: match[1] or _escape(match[2]), written)
    pieces = _TAG.split(written)
    tags, texts = pieces[1::2], pieces[2::2]
    if "&" in written:
        if _NO_CHAR in written:
            texts = _read_texts(node, tags)
        else:
            texts = [unescape(text) if "&" in text else text for text in texts]
    first_row = written.find("<tr")
    return _Markup(list(zip(tags, texts, strict=True)), 0 <= first_row < written.rfind("<table"))


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


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


class _Walk:
    """One walk over the markup of `root`. It passes every tag of every page, so it trades some elegance for speed."""

    def __init__(self, judge: Judge, root: HtmlElement) -> None:
        self._judge, self._root = judge, root
        self.builder = LineBuilder()
        markup = _read_markup(root)
        self._nests_tables = markup.nests_tables
        self._rest: Iterator[tuple[str, str]] = iter(markup.pieces)
        """What is still to be read: everybody takes from it the tags of the element that is being read."""
        self._seen = 0
        """Nodes passed so far, in document order."""
        self._nodes: list[HtmlElement] = []
        self._roles = {} if judge.hidden_names else _roles

    def run(self) -> list[Line]:
        tag, text = next(self._rest)
        self._read_inside(tag, text, "", _PLAIN)
        self.builder.end_line()
        return self.builder.lines

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
        """A role of extraction/tags.py, or `CLOSER_LOOK` where more than the tag decides."""
        role = self._roles.get(tag) or self._learn(tag)
        sets_size = state.is_invisible and " style=" in tag and role not in ("break", "skip")
        return CLOSER_LOOK if sets_size else role

    def _learn(self, tag: str) -> str:
        role = self._judge.judge(self._node())
        if len(tag) <= LONGEST_TAG and tag[1] not in "!?":
            if len(self._roles) >= MOST_TAGS:
                self._roles.clear()
            self._roles[tag] = role
        return role

    def _node(self) -> HtmlElement:
        """The element, comment or instruction that the last tag taken has begun."""
        if not self._nodes:
            self._nodes = list(self._root.iter())
        return self._nodes[self._seen]

    def _add_in(self, state: State, text: str, node: str) -> None:
        if state.is_invisible:
            self._judge.note_invisible(text, node)
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
        role, inner = self._judge.look(self._node(), path, state)
        if role == "tr":
            return self._read_row(tag, text, path, inner)
        if role == "block" or role == "break":
            self.builder.end_line()
        if role == "skip" or role == "break":
            return self._pass_over(tag, text)
        tail = self._read_inside(tag, text, path, inner)
        if role == "block":
            self.builder.end_line()
        return tail

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
