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
    """An XPath for a selector. Raises ValueError for anything but tags, ids, classes and nesting."""
    steps = selector.split()
    if not steps:
        raise ValueError("an empty selector")
    path = ""
    for step in steps:
        match = _STEP.fullmatch(step)
        if match is None or not step:
            raise ValueError(f"selector {selector!r}: only tag, #id, .class and nesting by blanks are known")
        path += f"/descendant::{'*' if match[1] in (None, '*') else match[1].lower()}"
        for mark, name in re.findall(r"([#.])([\w-]+)", match[2]):
            if mark == "#":
                path += f"[@id='{name}']"
            else:
                path += f"[@class][contains(concat(' ', normalize-space(@class), ' '), ' {name} ')]"
    return etree.XPath(f".{path}")


def select(root: HtmlElement, selector: str) -> list[HtmlElement]:
    """All matches in document order."""
    return cast("list[HtmlElement]", compile_selector(selector)(root))
