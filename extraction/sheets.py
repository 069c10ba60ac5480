"""What a page's own style sheets and one-line scripts hide: names of classes and of elements."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from extraction.spam import MAX_INLINE_STYLE, read_style

if TYPE_CHECKING:
    from extraction.nodes import Parts

_MAX_STYLE = 200_000
"""Characters of one page's scripts and style sheets that are read."""
_MOST_HIDING = 500
"""Elements that one script hides: for each the whole script is looked through."""
_RULE_TARGET = re.compile(r"[a-z]{0,10}([.#][\w-]{1,80})")
_SCRIPT_HIDES = re.compile(r"getElementById\(\s?(['\"])([\w-]{1,80})\1\s?\)\.style\.display\s?=\s?['\"]none['\"]")


def find_hidden_names(parts: Parts) -> frozenset[str]:
    """`.class` and `#id` that the page itself hides: by its style sheets on every screen (@media rules do not
    count), or by a script that sets `display = "none"` and names the id nowhere else."""
    names: set[str] = set()
    budget = _MAX_STYLE
    for _, script in parts.scripts:
        if "none" not in script:
            continue
        text = script[:budget]
        budget -= len(text)
        hiding = islice(_SCRIPT_HIDES.finditer(text), _MOST_HIDING)
        names.update(f"#{match[2]}" for match in hiding if text.count(match[2]) == 1)
    for sheet in parts.sheets:
        css = sheet[:budget]
        budget -= len(css)
        names.update(_read_sheet(css))
        if budget <= 0:
            break
    return frozenset(names)


def _cut_comments(css: str) -> str:
    """Style sheet text without `/* … */`; one that never ends takes the rest. Linear, as a lazy pattern is not."""
    kept: list[str] = []
    at = 0
    while (begin := css.find("/*", at)) >= 0:
        kept.append(css[at:begin])
        end = css.find("*/", begin + 2)
        at = end + 2 if end >= 0 else len(css)
    kept.append(css[at:])
    return "".join(kept)


@lru_cache(maxsize=64)
def _read_sheet(sheet: str) -> frozenset[str]:
    """One pass over the braces: rules at depth 0 only. A later rule that shows a name again wins.

    A portal's pages carry the same few sheets, hence the cache."""
    css = _cut_comments(sheet)
    names: set[str] = set()
    depth = 0
    selector = ""
    position = 0
    for match in re.finditer(r"[{}]", css):
        piece = css[position : match.start()]
        position = match.end()
        if match[0] == "{":
            if depth == 0:
                selector = piece.rpartition(";")[2]
            depth += 1
            continue
        depth = max(depth - 1, 0)
        if depth == 0 and not selector.strip().startswith("@"):
            style = read_style(piece.strip()[:MAX_INLINE_STYLE])
            targets = {m[1] for part in selector.split(",") if (m := _RULE_TARGET.fullmatch(part.strip()))}
            if style.is_hidden or style.font == "zero":
                names |= targets
            elif style.display:
                names -= targets
    return frozenset(names)
