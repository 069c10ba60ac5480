"""Where the body of a detail page is: the source's selector, the family's, editors' marks, or by density."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.engines.ancestry import Ancestry
from connectors.engines.generic import CONTAINERS, find_main
from connectors.selectors import select
from extraction.spam import MAX_INLINE_STYLE, find_hidden_reason, read_style

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lxml.html import HtmlElement

_BEGIN = re.compile(r"\s*(?:正文|内容|文章内容|content)\s*(?:start|begin|开始|起始)\s*", re.I)
_END = re.compile(r"\s*(?:正文|内容|文章内容|content)\s*(?:end|over|结束)\s*", re.I)


@dataclass(frozen=True, slots=True)
class Body:
    node: HtmlElement
    found_by: str
    """`selector`, `mark` or `density`."""


def find_body(
    root: HtmlElement, selectors: Iterable[str], *, own: str | None = None, hidden_names: frozenset[str] = frozenset()
) -> Body | None:
    """The body container, or None. A source's `own` selector is final: where it finds nothing, nothing is found.

    What the page hides is no body while anything that it shows is one. `hidden_names`: what its style sheets hide."""
    hiding = Ancestry(lambda element: _is_hidden(element, hidden_names))
    hidden: HtmlElement | None = None
    for selector in (own,) if own else selectors:
        matches = select(root, selector)
        shown = [node for node in matches if hiding.find(node) is None]
        found = _largest(shown)
        if found is not None:
            return Body(found, "selector")
        hidden = hidden if hidden is not None else _largest(matches)
    if hidden is not None:
        return Body(hidden, "selector")
    if own:
        return None
    marked = _find_marked(root)
    if marked is not None:
        return Body(marked, "mark")
    dense = find_main(root)
    return None if dense is None else Body(dense, "density")


def _largest(found: list[HtmlElement]) -> HtmlElement | None:
    """The match with most text. Parts of one body side by side (an editor's pages) mean their parent."""
    if len(found) < 2:
        return found[0] if found else None
    matches = set(found)
    holders = Ancestry(matches.__contains__)
    outer = [node for node in found if holders.find(node.getparent()) is None]
    filled = [node for node in outer if _size(node)]
    parents = {node.getparent() for node in filled}
    if len(filled) > 1 and len(parents) == 1:
        parent = parents.pop()
        if parent is not None and parent.tag != "body":
            return parent
    return max(outer, key=_size)


def _is_hidden(element: HtmlElement, hidden_names: frozenset[str]) -> bool:
    style = read_style((element.get("style") or "")[:MAX_INLINE_STYLE])
    return find_hidden_reason(element, style, hidden_names) is not None


def _size(node: HtmlElement) -> int:
    return len("".join(node.text_content().split()))


def _find_marked(root: HtmlElement) -> HtmlElement | None:
    """The element inside `<!--正文开始--> … <!--正文结束-->`, `<!--content begin-->` and their kin."""
    endless: set[HtmlElement | None] = set()
    for comment in _comments(root):
        if not _BEGIN.fullmatch(comment.text or "") or comment.getparent() in endless:
            continue
        between: list[HtmlElement] = []
        sibling = comment.getnext()
        while sibling is not None:
            if not isinstance(sibling.tag, str) and _END.fullmatch(sibling.text or ""):
                if len(between) == 1 and between[0].tag in CONTAINERS:
                    return between[0]
                return comment.getparent()
            if isinstance(sibling.tag, str):
                between.append(sibling)
            sibling = sibling.getnext()
        endless.add(comment.getparent())  # what has no end after its first beginning has none after the next
    return None


def _comments(root: HtmlElement) -> Iterator[HtmlElement]:
    for node in root.iter():
        if not isinstance(node.tag, str):
            yield node
