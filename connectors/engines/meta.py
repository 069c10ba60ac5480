"""The meta tags of 国办发〔2017〕47号, as portals spell them: any case, any quotes, twice, in the body."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from extraction.nodes import Parts

_GENERATED = ("htmlgeneratetime", "maketime", "generatetime", "others")
"""Tags that hold the time a page was generated, never that of publication."""
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,200}>")


def read_meta(parts: Parts) -> dict[str, str]:
    """Lower-case name to value; the first value that is not empty wins."""
    found: dict[str, str] = {}
    for own_name, own_property, content in parts.metas:
        name = (own_name or own_property or "").strip().lower()
        value = tidy(content or "")
        if name and value and name not in found:
            found[name] = value
    return found


def tidy(value: str) -> str:
    """One line, without markup and leftover entities."""
    if "&" in value:
        value = html.unescape(value)
    if "<" in value:
        value = _TAG.sub("", value)
    return " ".join(value[:2000].split())


def find_generated(meta: dict[str, str]) -> tuple[str, ...]:
    """What the page says about its own generation."""
    return tuple(meta[name] for name in _GENERATED if name in meta)
