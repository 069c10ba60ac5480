"""What engines ask of a page's tree over and over, each in one pass. The compiled passes (extraction/native_tree.pyx)
answer the same; extraction/passes.py says which are used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from lxml import etree

if TYPE_CHECKING:
    from lxml.html import HtmlElement

Names = tuple[tuple[str, str], ...]
"""Pairs of `id` or `class` and a name."""

WITHOUT_CONTROLS = bytes(32 if (byte < 32 and byte not in b"\t\n\r") or byte == 127 else byte for byte in range(256))
"""A table for `bytes.translate`, which gives back the very same object where it had nothing to replace."""


def has_controls(markup: bytes) -> bool:
    """Whether there is a control character in text of a charset whose ASCII is ASCII."""
    return markup.translate(WITHOUT_CONTROLS) is not markup


def read_attributes(root: HtmlElement, tag: str, names: tuple[str, ...]) -> list[tuple[str | None, ...]]:
    """Of each element of that tag, in document order, the values of these attributes."""
    return [tuple([element.get(name) for name in names]) for element in root.iter(tag)]


def write_step(tag: str, names: Names) -> str:
    """The XPath of the elements of a tag, or of any, that bear these ids and classes. It goes by way of their first
    attribute: asking each element whether it has one takes libxml2 twice as long."""
    path = f"/descendant::{tag or '*'}"
    for number, (kind, name) in enumerate(names):
        test = f".='{name}'" if kind == "id" else f"contains(concat(' ', normalize-space(.), ' '), ' {name} ')"
        path += f"[@{kind}[{test}]]" if number else f"/@{kind}[{test}]/parent::*"
    return path


@lru_cache(maxsize=256)
def _compile_step(tag: str, names: Names) -> etree.XPath:
    return etree.XPath("." + write_step(tag, names))


def find_named(root: HtmlElement, tag: str, names: Names) -> list[HtmlElement]:
    """The elements below `root` of that tag, or of any where it is empty, that bear these ids and classes."""
    return cast("list[HtmlElement]", _compile_step(tag, names)(root))


def find_by_text(root: HtmlElement, tag: str, word: str) -> list[tuple[HtmlElement, str]]:
    """The elements of that tag whose own text holds the word, with that text, in document order."""
    return [(element, text) for element in root.iter(tag) if (text := element.text) is not None and word in text]


def find_links(root: HtmlElement, mark: str) -> list[tuple[HtmlElement, str, str]]:
    """The links whose address or label holds `mark`, or that have no label: each with both. Without a mark all that
    have an address."""
    found = []
    for link in root.iter("a"):
        href = link.get("href")
        if href:
            label = link.text_content() if len(link) else link.text or ""
            if mark in href or mark in label or not label or label.isspace():
                found.append((link, href, label))
    return found


def find_texts(
    root: HtmlElement, without: HtmlElement | None, kinds: Mapping[object, str], marks: tuple[str, str], beginnings: str
) -> list[tuple[HtmlElement, str | None, bool, bool]]:
    """Texts in document order, but for those of the element `without`: element, text, whether it is one that is looked
    for, whether it is the element's tail.

    Looked for are texts of two characters or more with one of the marks in them, or one of `beginnings` in front. Of
    the `kinds` of tags, `unread` means that an element's own text does not count, `closed` that nothing inside does,
    and the text of a `cell` that has children is listed whatever it is. Comments and their like are to be `unread`."""
    one, other = marks
    found: list[tuple[HtmlElement, str | None, bool, bool]] = []
    shut: set[HtmlElement] = set()
    for element in _outside(root, without):
        if element in shut:
            continue
        kind = kinds.get(element.tag, "read")
        if kind == "closed":
            shut.update(element.iterdescendants())
        elif kind != "unread":
            text = element.text
            is_wanted = bool(text and len(text) > 1) and (
                one in text or other in text or (text.lstrip()[:1] or "\n") in beginnings
            )
            if is_wanted or (kind == "cell" and len(element)):
                found.append((element, text, is_wanted, False))
        text = element.tail
        if text and len(text) > 1 and (one in text or other in text or (text.lstrip()[:1] or "\n") in beginnings):
            found.append((element, text, True, True))
    return found


def _outside(root: HtmlElement, body: HtmlElement | None) -> Iterator[HtmlElement]:
    """Elements and comments in document order, without the body and what is inside it."""
    for element in root.iter():
        if element is body:
            break
        yield element
    if body is not None:
        for above in (body, *body.iterancestors()):
            for sibling in above.itersiblings():
                yield from sibling.iter()
