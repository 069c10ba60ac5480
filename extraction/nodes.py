"""What engines ask of a page's tree over and over, each in one pass. The compiled passes (extraction/native_tree.pyx)
answer the same; extraction/passes.py says which are used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, cast

from lxml import etree

from extraction.files import FILE_HINT

if TYPE_CHECKING:
    from lxml.html import HtmlElement

Names = tuple[tuple[str, str], ...]
"""Pairs of `id` or `class` and a name."""

_SHORT = 40
_MOST_TEXTS = 4096
"""Texts up to this length, and so many, are known again."""


class Parts(NamedTuple):
    """What engines look for all over a page, in document order."""

    metas: list[tuple[str | None, str | None, str | None]]
    """Name, property and content of each meta tag."""
    scripts: list[tuple[HtmlElement, str]]
    """Those that hide something or write into the page: whose own text holds `none` or `document.write`."""
    sheets: list[str]
    """What style sheets hold."""
    links: list[tuple[HtmlElement, str, str]]
    """Those that may lead to a document file, with address and label: by a suffix somewhere in the address, by a dot
    in the label, or without any label."""


def find_parts(root: HtmlElement) -> Parts:
    parts = Parts([], [], [], [])
    for element in root.iter("a", "meta", "script", "style"):
        tag = element.tag
        if tag == "a":
            href = element.get("href")
            if href:
                label = element.text_content() if len(element) else element.text or ""
                if "." in label or not label or ("." in href and FILE_HINT.search(href)) or label.isspace():
                    parts.links.append((element, href, label))
        elif tag == "meta":
            parts.metas.append((element.get("name"), element.get("property"), element.get("content")))
        elif text := element.text:
            if tag == "style":
                parts.sheets.append(text)
            elif "none" in text or "document.write" in text:
                parts.scripts.append((element, text))
    return parts


@lru_cache(maxsize=16)
def _compile_values(tag: str, name: str) -> etree.XPath:
    return etree.XPath(f"descendant-or-self::{tag}/@{name}", smart_strings=False)


def read_values(root: HtmlElement, tag: str, name: str) -> list[str]:
    """The values of that attribute of the elements of that tag that have it, in document order."""
    return cast("list[str]", _compile_values(tag, name)(root))


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
    firsts, others = frozenset(beginnings), _other_texts(marks, beginnings)
    found: list[tuple[HtmlElement, str | None, bool, bool]] = []
    shut: set[HtmlElement] = set()

    def is_wanted(text: str) -> bool:
        if len(text) > 1 and (text[0] in firsts or one in text or other in text or text.lstrip()[:1] in firsts):
            return True
        if len(text) <= _SHORT:
            if len(others) >= _MOST_TEXTS:
                others.clear()
            others.add(text)
        return False

    for nodes in _outside(root, without):
        for element in nodes:
            if element is without:
                break
            if shut and element in shut:
                continue
            kind = kinds.get(element.tag, "read")
            if kind == "read" or kind == "cell":
                text = element.text
                wanted = bool(text) and text not in others and is_wanted(text)
                if wanted or (kind == "cell" and len(element)):
                    found.append((element, text, wanted, False))
            elif kind == "closed":
                shut.update(element.iterdescendants())
            text = element.tail
            if text and text not in others and is_wanted(text):
                found.append((element, text, True, True))
    return found


@lru_cache(maxsize=4)
def _other_texts(marks: tuple[str, str], beginnings: str) -> set[str]:
    """Short texts that were not looked for: a portal's navigation is the same on each of its pages."""
    return set()


def _outside(root: HtmlElement, body: HtmlElement | None) -> Iterator[Iterator[HtmlElement]]:
    """Elements and comments in document order, part by part: up to the body, then what comes after it."""
    yield root.iter()
    if body is not None:
        for above in (body, *body.iterancestors()):
            for sibling in above.itersiblings():
                yield sibling.iter()
