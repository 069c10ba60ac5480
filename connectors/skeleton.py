"""What a page is built of, apart from what it says: the names of its elements and where its metadata stands.

Two states of a page are compared by it. A text that is edited keeps its page's skeleton; a portal that is rebuilt, or
whose template is, does not, even where everything can still be read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.engines.body import find_body
from connectors.engines.family import EDITORS, FamilyEngine
from connectors.engines.labels import LABELS, is_info_line, squeeze
from extraction.clean import parse_html

if TYPE_CHECKING:
    from lxml.html import HtmlElement

    from connectors.base import Engine

MIN_NAMES = 2
"""Fewer names say nothing."""
MIN_KEPT = 0.5
"""Share of its names that a page of the same layout keeps at least."""
_MIN_LABELS = 2
_MUCH = 0.4
_MAX_LABEL_TEXT = 60
_SERIAL = re.compile(r"\d{3,}")


@dataclass(frozen=True, slots=True)
class Skeleton:
    names: frozenset[str]
    labels_before: int
    """Metadata labels that stand before the body."""
    labels_after: int

    def kept_by(self, other: Skeleton) -> float:
        """Share of these names that another state of the page has; 1 where there are too few to tell."""
        return len(self.names & other.names) / len(self.names) if len(self.names) >= MIN_NAMES else 1.0

    def has_moved(self, other: Skeleton) -> bool:
        """Whether much of the metadata that stood on one side of the body stands on the other in another state."""
        left = self.labels_before - other.labels_before
        came = other.labels_after - self.labels_after
        if left < 0:
            left, came, stood = -came, -left, self.labels_after
        else:
            stood = self.labels_before
        return left >= max(_MIN_LABELS, _MUCH * stood) and came >= left / 2


def read_skeleton(text: str, engine: Engine, own: str | None = None) -> Skeleton:
    """`own`: the body selector that the source states."""
    root = parse_html(text)
    bodies = engine.bodies if isinstance(engine, FamilyEngine) else ()
    body = find_body(root, (*bodies, *EDITORS), own=own)
    inside = set() if body is None else set(body.node.iter())
    names: set[str] = set()
    sides = [0, 0]
    is_after = False
    for node in root.iter():
        if not isinstance(node.tag, str):
            continue
        is_after = is_after or node in inside
        if node in inside:
            continue
        names.update(_names(node))
        sides[is_after] += _is_label(node)
    return Skeleton(frozenset(names), sides[0], sides[1])


def _names(node: HtmlElement) -> list[str]:
    """Classes and ids, but for those that count or name one document."""
    words = [f".{word}" for word in (node.get("class") or "").split()[:20]]
    if node.get("id"):
        words.append(f"#{node.get('id')}")
    return [word[:80] for word in words if not _SERIAL.search(word)]


def _is_label(node: HtmlElement) -> bool:
    text = (node.text or "").strip()
    if not text or len(text) > _MAX_LABEL_TEXT:
        return False
    return squeeze(text.partition("：")[0].partition(":")[0]) in LABELS or is_info_line("".join(text.split()))
