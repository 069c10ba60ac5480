"""The selectors that a source may state: `tag`, `#id`, `.class`, joined (`div.content#zoom`), nested by blanks."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from lxml import etree

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_STEP = re.compile(r"([a-zA-Z][\w:-]*|\*)?((?:[#.][\w-]+)*)")


@lru_cache(maxsize=256)
def compile_selector(selector: str) -> etree.XPath:
    """An XPath for a selector. Raises ValueError for anything but tags, ids, classes and nesting.

    It goes by way of a step's first attribute: asking each element whether it has one takes libxml2 twice as long."""
    steps = selector.split()
    if not steps:
        raise ValueError("an empty selector")
    path = ""
    for step in steps:
        match = _STEP.fullmatch(step)
        if match is None or not step:
            raise ValueError(f"selector {selector!r}: only tag, #id, .class and nesting by blanks are known")
        path += f"/descendant::{'*' if match[1] in (None, '*') else match[1].lower()}"
        for number, (mark, name) in enumerate(re.findall(r"([#.])([\w-]+)", match[2])):
            test = f".='{name}'" if mark == "#" else f"contains(concat(' ', normalize-space(.), ' '), ' {name} ')"
            attribute = f"@{'id' if mark == '#' else 'class'}[{test}]"
            path += f"[{attribute}]" if number else f"/{attribute}/parent::*"
    return etree.XPath(f".{path}")


def select(root: HtmlElement, selector: str) -> list[HtmlElement]:
    """All matches in document order."""
    return cast("list[HtmlElement]", compile_selector(selector)(root))
