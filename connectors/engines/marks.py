"""Signs by which a page tells the family of its CMS, and the verdict on a page with its evidence.

A sign is a pattern in the page's markup or address, worth some points. The addresses of detail pages are the strongest
sign: no family writes another's. Nothing here decides alone: whoever onboards a portal tries the families in order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.engines.rows import detail_address, find_addresses
from extraction.clean import parse_html

if TYPE_CHECKING:
    from collections.abc import Iterable

    from connectors.base import Page
    from connectors.engines.family import FamilyEngine

_MAX_TEXT = 400_000
"""Characters of a page that are looked through for signs."""
_PER_LINK = 2
_MOST_LINKS = 10
"""Links of the family's shape that count: a list says no more with a hundred rows than with ten."""


@dataclass(frozen=True, slots=True)
class Mark:
    pattern: re.Pattern[str]
    points: int
    words: str
    """What it is, for a person."""


@dataclass(frozen=True, slots=True)
class Verdict:
    engine: str
    points: int
    evidence: tuple[str, ...]


def mark(pattern: str, points: int, words: str) -> Mark:
    return Mark(re.compile(pattern, re.I), points, words)


def recognise(page: Page, engines: Iterable[FamilyEngine]) -> tuple[Verdict, ...]:
    """The families that a page bears signs of, the likeliest first; equal ones in order of their names."""
    addresses = find_addresses(parse_html(page.text), page.url)
    text = page.text[:_MAX_TEXT]
    verdicts = (_judge(engine, page.url, text, addresses) for engine in engines)
    return tuple(sorted((found for found in verdicts if found.points), key=lambda found: (-found.points, found.engine)))


def _judge(engine: FamilyEngine, url: str, text: str, addresses: list[str]) -> Verdict:
    points, evidence = 0, []
    for sign in engine.marks:
        found = sign.pattern.search(text) or sign.pattern.search(url)
        if found:
            points += sign.points
            evidence.append(f"{sign.words} ({' '.join(found[0].split())[:60]})")
    if engine.is_telling:
        details = [one for one in dict.fromkeys(addresses) if detail_address(one, url, engine.detail)]
        if engine.detail.search(url):
            details.append(url)
        if details:
            points += _PER_LINK * min(len(details), _MOST_LINKS)
            evidence.append(f"{len(details)} addresses of its detail pages, e.g. {details[0]}")
    return Verdict(engine.name, points, tuple(evidence))
