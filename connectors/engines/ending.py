"""Whether a page breaks off: half a page may come as a whole one, its length stated and right."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.html import HtmlElement

_BOXES = ("div", "table", "section", "article", "form", "ul")
"""Elements whose end tags nobody may leave out, or nobody does."""


def is_open(text: str) -> bool:
    """Whether a page begins a frame, and ends neither it nor the boxes in it.

    HTML lets an author leave out `</body>` and `</html>`: where each box was closed, and a tag is the last that stands
    there, that was done. There are portals that close nothing, so this proves nothing alone."""
    if text.rfind("</body") >= 0 or text.rfind("</html") >= 0:
        return False
    low = text.lower()
    if not ("<body" in low or "<html" in low) or "</body" in low or "</html" in low:
        return False
    return not (low.rstrip().endswith(">") and all(low.count(f"<{box}") <= low.count(f"</{box}") for box in _BOXES))


def is_last(node: HtmlElement) -> bool:
    """Whether nothing of the page stands behind an element."""
    while True:
        if node.getnext() is not None or (node.tail and not node.tail.isspace()):
            return False
        above = node.getparent()
        if above is None:
            return True
        node = above


def iter_behind(node: HtmlElement) -> Iterator[HtmlElement]:
    """The elements behind one that do not stand in it."""
    for above in (node, *node.iterancestors()):
        for sibling in above.itersiblings():
            yield from sibling.iter()
