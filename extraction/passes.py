"""The passes over a page that cost most, compiled where `make fast` has built them: both answer the same.

A page that is read as Python takes some milliseconds, most of them for what a tree hands out one object at a time.
"""

from __future__ import annotations

from importlib.util import find_spec

IS_COMPILED = find_spec("extraction.native_lines") is not None

if IS_COMPILED:
    from extraction.native_lines import lay_out, read_lines
    from extraction.native_tree import find_by_text, find_links, find_named, find_texts, has_controls, read_attributes
else:
    from extraction.nodes import find_by_text, find_links, find_named, find_texts, has_controls, read_attributes
    from extraction.reading import read_lines
    from extraction.textmap import lay_out

__all__ = [
    "IS_COMPILED",
    "find_by_text",
    "find_links",
    "find_named",
    "find_texts",
    "has_controls",
    "lay_out",
    "read_attributes",
    "read_lines",
]
