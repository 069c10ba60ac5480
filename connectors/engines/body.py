"""Where the body of a detail page is: the source's selector, the family's, editors' marks, or by density."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.selectors import select

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lxml.html import HtmlElement

_BEGIN = re.compile(r"\s*(?:正文|内容|文章内容|content)\s*(?:start|begin|开始|起始)\s*", re.I)
_END = re.compile(r"\s*(?:正文|内容|文章内容|content)\s*(?:end|over|结束)\s*", re.I)
_PROSE = re.compile(r"[，。；！？]")
_NO_PROSE = frozenset(
    ("script", "style", "head", "nav", "header", "footer", "select", "option", "a", "noscript", "template", "button")
)
_HEADLINES = frozenset(("h1", "h2", "h3", "title"))
_INLINE = frozenset(("span", "font", "b", "strong", "i", "em", "u", "o:p", "sup", "sub", "br", "label"))
_IMPRINT = re.compile(r"ICP备|公网安备|公安备案|网站标识码|主办单位|版权所有|技术支持|承办单位")
_FRAME = re.compile(r"(?<![a-z])(?:foot(?:er)?|nav|head(?:er)?|copyright|bottom|crumb|position)(?![a-z])")
_MIN_PROSE = 5
"""Characters of prose below which density proves nothing: 详见附件。"""
_SHARE = 0.8
"""Share of a page's prose that its body holds; the rest is summaries and notes around it."""
_CONTAINERS = frozenset(("div", "td", "article", "section", "main", "ucapcontent"))


@dataclass(frozen=True, slots=True)
class Body:
    node: HtmlElement
    found_by: str
    """`selector`, `mark` or `density`."""


def find_body(root: HtmlElement, selectors: Iterable[str], *, own: str | None = None) -> Body | None:
    """The body container, or None. A source's `own` selector is final: where it finds nothing, nothing is found."""
    for selector in (own,) if own else selectors:
        found = _largest(select(root, selector))
        if found is not None:
            return Body(found, "selector")
    if own:
        return None
    marked = _find_marked(root)
    if marked is not None:
        return Body(marked, "mark")
    dense = find_dense(root)
    return None if dense is None else Body(dense, "density")


def _largest(found: list[HtmlElement]) -> HtmlElement | None:
    """The match with most text. Parts of one body side by side (an editor's pages) mean their parent."""
    if len(found) < 2:
        return found[0] if found else None
    matches = set(found)
    outer = [node for node in found if not any(above in matches for above in node.iterancestors())]
    filled = [node for node in outer if _size(node)]
    parents = {node.getparent() for node in filled}
    if len(filled) > 1 and len(parents) == 1:
        parent = parents.pop()
        if parent is not None and parent.tag != "body":
            return parent
    return max(outer, key=_size)


def _size(node: HtmlElement) -> int:
    return len("".join(node.text_content().split()))


def _find_marked(root: HtmlElement) -> HtmlElement | None:
    """The element inside `<!--正文开始--> … <!--正文结束-->`, `<!--content begin-->` and their kin."""
    for comment in _comments(root):
        if not _BEGIN.fullmatch(comment.text or ""):
            continue
        between: list[HtmlElement] = []
        sibling = comment.getnext()
        while sibling is not None:
            if not isinstance(sibling.tag, str) and _END.fullmatch(sibling.text or ""):
                if len(between) == 1 and between[0].tag in _CONTAINERS:
                    return between[0]
                return comment.getparent()
            if isinstance(sibling.tag, str):
                between.append(sibling)
            sibling = sibling.getnext()
    return None


def _comments(root: HtmlElement) -> Iterator[HtmlElement]:
    for node in root.iter():
        if not isinstance(node.tag, str):
            yield node


def find_dense(root: HtmlElement) -> HtmlElement | None:
    """The deepest container with most of the page's prose: blocks with Chinese sentence marks, outside links,
    headlines, frame and imprint. None where no container has it."""
    headline = "".join("".join(title.text_content().split()) for title in root.iter("title"))
    weights: dict[HtmlElement, int] = {}
    frames: dict[HtmlElement, bool] = {}
    total = 0
    for block, text in _gather_blocks(root).items():
        plain = "".join(text.split())
        if not _PROSE.search(plain) or _IMPRINT.search(plain) or plain in headline or _is_frame(block, frames):
            continue
        total += len(plain)
        for above in (block, *block.iterancestors()):
            weights[above] = weights.get(above, 0) + len(plain)
    if total < _MIN_PROSE:
        return None
    best = [node for node, weight in weights.items() if weight >= _SHARE * total and node.tag in _CONTAINERS]
    return max(best, key=lambda node: sum(1 for _ in node.iterancestors()), default=None)


def _gather_blocks(root: HtmlElement) -> dict[HtmlElement, str]:
    """Each block's own text: that of inline elements counts for the block around them, links for none."""
    blocks: dict[HtmlElement, str] = {}
    stack: list[tuple[HtmlElement, HtmlElement]] = [(root, root)]
    while stack:
        element, above = stack.pop()
        block = above if element.tag in _INLINE else element
        pieces = [element.text or ""]
        for child in element:
            pieces.append(child.tail or "")
            if isinstance(child.tag, str) and child.tag not in _NO_PROSE and child.tag not in _HEADLINES:
                stack.append((child, block))
        text = "".join(pieces)
        if text.strip():
            blocks[block] = blocks.get(block, "") + text
    return blocks


def _is_frame(element: HtmlElement, known: dict[HtmlElement, bool]) -> bool:
    """Whether an element stands in the page's header, navigation or footer, by name."""
    if element not in known:
        names = f"{element.get('class') or ''} {element.get('id') or ''}"[:500].lower()
        parent = element.getparent()
        known[element] = bool(_FRAME.search(names)) or (parent is not None and _is_frame(parent, known))
    return known[element]
