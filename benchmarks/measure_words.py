"""The measure words as the peers are given them: the words alone, without what the engine knows of them."""

from __future__ import annotations

import re
from functools import lru_cache

import yaml

from extraction.lexicon import WORDS_PATH


@lru_cache(maxsize=1)
def unit_pattern() -> str:
    """Regex source of one measure word, the longest first."""
    rows = yaml.safe_load(WORDS_PATH.read_text(encoding="utf-8"))["units"]
    words = {word for row in rows for word in (row if isinstance(row, list) else [row])}
    return "(?:" + "|".join(map(re.escape, sorted(words, key=lambda word: (-len(word), word)))) + ")"


@lru_cache(maxsize=1)
def traditional_forms() -> dict[int, str]:
    """Traditional characters to their simplified forms, one for one, for `str.translate`."""
    return str.maketrans(yaml.safe_load(WORDS_PATH.read_text(encoding="utf-8"))["traditional"])
