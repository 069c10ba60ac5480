"""The selectors that a source may state: `tag`, `#id`, `.class`, joined (`div.content#zoom`), nested by blanks."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from lxml import etree

from extraction.nodes import write_step
from extraction.passes import find_named

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_STEP = re.compile(r"([a-zA-Z][\w:-]*|\*)?((?:[#.][\w-]+)*)")
_ATTRIBUTES = {"#": "id", ".": "class"}


@lru_cache(maxsize=256)
def read_selector(selector: str) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """The steps of a selector: a tag, empty for any, with the ids and classes that an element must have. Raises
    ValueError for anything but tags, ids, classes and nesting."""
    steps = []
    for step in selector.split():
        match = _STEP.fullmatch(step)
        if match is None:
            raise ValueError(f"selector {selector!r}: only tag, #id, .class and nesting by blanks are known")
        names = tuple((_ATTRIBUTES[mark], name) for mark, name in re.findall(r"([#.])([\w-]+)", match[2]))
        steps.append(("" if match[1] in (None, "*") else match[1].lower(), names))
    if not steps:
        raise ValueError("an empty selector")
    return tuple(steps)


@lru_cache(maxsize=256)
def _compile_nested(selector: str) -> etree.XPath:
    return etree.XPath("." + "".join(write_step(tag, names) for tag, names in read_selector(selector)))


def select(root: HtmlElement, selector: str) -> list[HtmlElement]:
    """All matches in document order."""
    steps = read_selector(selector)
    if len(steps) == 1:
        return find_named(root, *steps[0])
    return cast("list[HtmlElement]", _compile_nested(selector)(root))
