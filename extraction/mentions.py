"""Every numeric quantity of a text: `140余条`, `2.4万余条`, `百分之九`, `四个`, `99.04%`.

The rules are those of the annotation guide: a mention runs from the first digit to the end of its unit;
dates, document numbers, ordinals, list numbers and names are none. The grammar is in `extraction.quantities`,
the words are in `catalog/lookups/quantity_words.yml`. One pass over the text, cost linear in its length.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from extraction.exclusions import find_excluded
from extraction.lexicon import Lexicon, load_lexicon
from extraction.model import Mention, Qualifier
from extraction.numerals import MAX_DIGITS
from extraction.quantities import Reader, Reading, compile_search
from extraction.view import View, build_view

MAX_CHARACTERS = 200_000
MAX_NUMERALS = 5_000
"""A report has some ten thousand characters and some hundreds of numerals. What stands behind these limits is not
read, so that no text takes longer than a second; `Scan.read_to` says where reading ended."""
_LONG_RUN = re.compile(rf"\d(?=\d{{{MAX_DIGITS + 7}}})\d+")


class Scan(NamedTuple):
    """The mentions of a text, and how many of its characters were read for them: all, but for the limits."""

    mentions: tuple[Mention, ...]
    read_to: int


def _to_mention(stored: str, view: View, reading: Reading, qualifier: Qualifier) -> Mention:
    value, unit, high = reading.value, reading.unit, reading.high
    start, end = view.back(reading.start), view.back(reading.end - 1) + 1
    written = stored[end - len(unit) : end]
    if written != unit and unit != "%":  # another script; or a blank or 余 inside, which is left out
        at = reading.end - len(unit)
        unit = written if view.back(at) == end - len(unit) and view.text.startswith(unit, at) else unit
    return Mention(
        start,
        end,
        stored[start:end],
        value,
        unit,
        "han" if reading.is_han else "arabic",
        qualifier,
        value if qualifier in ("at_least", "approx_more") or high is not None else None,
        high if high is not None else value if qualifier == "at_most" else None,
        reading.damaged,
    )


def scan_mentions(text: str, lexicon: Lexicon | None = None, view: View | None = None) -> Scan:
    """All quantity mentions of `text` within the limits, ordered by start; `text[m.start:m.end] == m.text` for each.

    `view`: the view of the text up to MAX_CHARACTERS, where the caller has one.
    """
    lexicon = lexicon or load_lexicon()
    view = view or build_view(text[:MAX_CHARACTERS], lexicon.fold)
    folded = _LONG_RUN.sub(lambda match: "#" * len(match[0]), view.text)  # these are identifiers
    reader, find_numeral = Reader(folded, lexicon), compile_search(lexicon).search
    holes = iter([*find_excluded(folded, lexicon), (len(folded) + 1, len(folded) + 1)])
    hole_start, hole_end = next(holes)
    mentions: list[Mention] = []
    position = looked = 0
    while found := find_numeral(folded, position):
        start = found.start()
        while hole_end <= start:
            hole_start, hole_end = next(holes)
        if hole_start <= start:
            position = hole_end
            continue
        if looked == MAX_NUMERALS:
            return Scan(tuple(mentions), view.back(start))
        looked += 1
        if found.lastindex is not None:
            position = found.end()
            continue
        reading, position = reader.read_at(start)
        if reading is None:
            continue
        mentions.append(_to_mention(text, view, reading, reader.qualify(reading)))
        position = max(reading.end, start + 1)
    return Scan(tuple(mentions), min(len(text), MAX_CHARACTERS))


def extract_mentions(text: str, lexicon: Lexicon | None = None) -> tuple[Mention, ...]:
    """The mentions of `scan_mentions`, which also says whether the limits cut the text."""
    return scan_mentions(text, lexicon).mentions
