"""The passes over a page that cost most, compiled where `make fast` has built them: both answer the same.

A page that is read as Python takes some milliseconds, most of them for what a tree hands out one object at a time.
"""

from __future__ import annotations

from importlib.machinery import PathFinder

import extraction

IS_COMPILED = PathFinder.find_spec("extraction.native_lines", extraction.__path__) is not None
"""Here, and not in another checkout that Python would find as well."""

if IS_COMPILED:
    from extraction.native_lines import lay_out, read_lines, read_plain
    from extraction.native_octets import count_rare_gb, has_controls, has_long_tag, has_marks, has_utf8_run, read_gb
    from extraction.native_tree import (
        find_links,
        find_named,
        find_parts,
        find_texts,
        read_values,
    )
else:
    from extraction.nodes import (
        find_links,
        find_named,
        find_parts,
        find_texts,
        read_values,
    )
    from extraction.octets import count_rare_gb, has_controls, has_long_tag, has_marks, has_utf8_run, read_gb
    from extraction.plain import read_plain
    from extraction.reading import read_lines
    from extraction.textmap import lay_out

__all__ = [
    "IS_COMPILED",
    "count_rare_gb",
    "find_links",
    "find_named",
    "find_parts",
    "find_texts",
    "has_controls",
    "has_long_tag",
    "has_marks",
    "has_utf8_run",
    "lay_out",
    "read_gb",
    "read_lines",
    "read_plain",
    "read_values",
]
