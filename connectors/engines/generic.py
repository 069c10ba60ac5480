"""Where the body of a page is when no selector says so: by its prose, else by what is left without the frame.

Nothing here knows a family. Prose is text with Chinese sentence marks outside links, headlines, navigation, footer and
imprint. A page without any (a table, a caption, one line) is judged by exclusion: labels and their values, tools and
share widgets are taken away as well. Linear in the size of the page.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from connectors.engines.ancestry import Ancestry
from connectors.engines.labels import LABELS, is_info_line, squeeze
from connectors.engines.meta import read_meta
from extraction.chrome import MAX_NAMES, is_furniture_line, names_furniture
from extraction.passes import find_parts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lxml.html import HtmlElement

CONTAINERS = frozenset(("div", "td", "article", "section", "main", "ucapcontent"))
_PROSE = re.compile(r"[，。；！？]")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_NO_TEXT = frozenset((
    "script", "style", "head", "nav", "header", "footer", "select", "option", "a", "noscript", "template", "button",
    "h1", "h2", "h3", "title",
))  # fmt: skip
_INLINE = frozenset(("span", "font", "b", "strong", "i", "em", "u", "o:p", "sup", "sub", "br", "label"))
_IMPRINT = re.compile(r"ICP备|公网安备|公安备案|网站标识码|主办单位|版权所有|技术支持|承办单位")
_FRAME = re.compile(r"(?<![a-z])(?:foot(?:er)?|nav|head(?:er)?|copyright|bottom|crumb|position)(?![a-z])")
_LABELLED = ("tr", "li", "dl", "table")
_MIN_TEXT = 5
"""Characters below which nothing is proved: 详见附件。"""
_MANY_LABELS = 2
"""One may stand in a body: `来源：` under a picture."""
_SHARE = 0.8
"""Share of a page's prose that its body holds; the rest is summaries and notes around it."""


def find_main(root: HtmlElement) -> HtmlElement | None:
    """The deepest container with most of the page's prose, or of what else is left. None where nothing is."""
    meta = read_meta(find_parts(root))
    titles = [*(title.text_content() for title in root.iter("title")), meta.get("articletitle", "")]
    headline = "".join("".join(titles).split())
    blocks = [
        (block, plain)
        for block, text in _gather_blocks(root).items()
        if (plain := "".join(text.split())) not in headline and not _IMPRINT.search(plain)
    ]
    found = _find_deepest((block, plain) for block, plain in blocks if _PROSE.search(plain))
    return found if found is not None else _find_rest(blocks)


def _find_rest(blocks: list[tuple[HtmlElement, str]]) -> HtmlElement | None:
    """By exclusion. A container that holds several labels or info lines as well is the page, not its body."""
    labelled = [block for block, plain in blocks if squeeze(plain) in LABELS or is_info_line(plain)]
    around = Ancestry(lambda element: element.tag in _LABELLED)
    rows = {block if (row := around.find(block.getparent())) is None else row for block in labelled}
    apart = Ancestry(lambda element: element in rows or _is_tool(element))
    found = _find_deepest(
        (block, plain)
        for block, plain in blocks
        if _HAN.search(plain) and not is_furniture_line(plain) and apart.find(block) is None
    )
    if found is None:
        return None
    held = Ancestry(lambda element: element is found)
    return found if sum(held.find(row.getparent()) is not None for row in rows) < _MANY_LABELS else None


def _find_deepest(blocks: Iterable[tuple[HtmlElement, str]]) -> HtmlElement | None:
    weights: dict[HtmlElement, int] = {}
    total = 0
    for block, plain in blocks:
        total += len(plain)
        weights[block] = weights.get(block, 0) + len(plain)
    if total < _MIN_TEXT:
        return None
    depths = _measure_depths(weights)
    for node in sorted(depths, key=depths.__getitem__, reverse=True):
        above = node.getparent()
        if above is not None:
            weights[above] = weights.get(above, 0) + weights[node]
    best = [node for node, weight in weights.items() if weight >= _SHARE * total and node.tag in CONTAINERS]
    return max(best, key=depths.__getitem__, default=None)


def _measure_depths(blocks: Iterable[HtmlElement]) -> dict[HtmlElement, int]:
    """Of these elements and all above them."""
    depths: dict[HtmlElement, int] = {}
    for block in blocks:
        passed: list[HtmlElement] = []
        node: HtmlElement | None = block
        while node is not None and node not in depths:
            passed.append(node)
            node = node.getparent()
        above = -1 if node is None else depths[node]
        depths.update((below, above + step) for step, below in enumerate(reversed(passed), start=1))
    return depths


def _is_tool(element: HtmlElement) -> bool:
    """Whether an element is named as furniture."""
    names, name = element.get("class"), element.get("id")
    return bool((names and names_furniture(names[:MAX_NAMES])) or (name and names_furniture(name[:MAX_NAMES])))


def _gather_blocks(root: HtmlElement) -> dict[HtmlElement, str]:
    """Each block's own text: that of inline elements counts for the block around them, links for none. What is
    named as header, navigation or footer is not entered."""
    blocks: dict[HtmlElement, str] = {}
    stack: list[tuple[HtmlElement, HtmlElement]] = [(root, root)]
    while stack:
        element, block = stack.pop()
        text = element.text or ""
        for child in element:
            if child.tail:
                text += child.tail
            tag = child.tag
            if tag in _NO_TEXT or not isinstance(tag, str):
                continue
            if tag in _INLINE:
                stack.append((child, block))
            elif not _is_frame(child):
                stack.append((child, child))
        if not text.isspace() and text:
            blocks[block] = blocks.get(block, "") + text
    return blocks


def _is_frame(element: HtmlElement) -> bool:
    names, name = element.get("class"), element.get("id")
    if not names and not name:
        return False
    names = f"{names or ''} {name or ''}"
    return _FRAME.search(names[:MAX_NAMES].lower()) is not None
