"""What an element stands in, asked for many elements of a page: each of those above is looked at once, however deep
the page nests."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from lxml.html import HtmlElement


class Ancestry:
    """The nearest element of a kind, for any number of elements of one tree that stays as it is."""

    def __init__(self, is_kind: Callable[[HtmlElement], bool]) -> None:
        self._is_kind = is_kind
        self._nearest: dict[HtmlElement, HtmlElement | None] = {}

    def find(self, node: HtmlElement | None) -> HtmlElement | None:
        """The element itself where it is of the kind, else the nearest one above it that is."""
        passed: list[HtmlElement] = []
        while node is not None and node not in self._nearest:
            if self._is_kind(node):
                self._nearest[node] = node
                break
            passed.append(node)
            node = node.getparent()
        found = None if node is None else self._nearest[node]
        for below in passed:
            self._nearest[below] = found
        return found
