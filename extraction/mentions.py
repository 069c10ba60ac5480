"""Every numeric quantity of a text: `140余条`, `2.4万余条`, `百分之九`, `四个`, `99.04%`.

The rules are those of the annotation guide: a mention runs from the first digit to the end of its unit;
dates, document numbers, ordinals, list numbers and names are none. The grammar is in `extraction.quantities`,
the words are in `catalog/lookups/quantity_words.yml`. One pass over the text, cost linear in its length.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from decimal import Decimal
from typing import NamedTuple

from extraction.exclusions import find_excluded
from extraction.lexicon import Lexicon, load_lexicon
from extraction.model import Mention, Qualifier, build_mention
from extraction.numerals import MAX_DIGITS
from extraction.quantities import Reader, Reading, compile_search, scale_up
from extraction.view import View, build_view

MAX_CHARACTERS = 200_000
MAX_NUMERALS = 5_000
"""A report has some ten thousand characters and some hundreds of numerals. What stands behind these limits is not
read, so that no text takes longer than a second; `Scan.read_to` says where reading ended."""
_PLAIN = 5
"""The group of `compile_search` that holds the unit of a plain quantity."""
_LONGEST = MAX_DIGITS + 7
_LONG_RUN = re.compile(rf"[0-9](?=[0-9]{{{_LONGEST}}})[0-9]+")
_STRIDE = 5
_SAMPLED_RUN = re.compile(f"[0-9](?=[0-9]{{{(_LONGEST + 1) // _STRIDE - 1}}})")
"""A longer run shows in every fifth character of the text; most texts hold none and are not searched for one."""


class Scan(NamedTuple):
    """The mentions of a text, and how many of its characters were read for them: all, but for the limits."""

    mentions: tuple[Mention, ...]
    read_to: int


def _blank_identifiers(text: str) -> str:
    """The text with all runs of digits blanked that are too long for a number."""
    if not _SAMPLED_RUN.search(text[::_STRIDE]):
        return text
    return _LONG_RUN.sub(lambda match: "#" * len(match[0]), text)


def _to_plain_mention(stored: str, view: View, at: int, to: int, value: Decimal, unit: str, infix: str) -> Mention:
    """The mention of a plain quantity; where the view left nothing out inside, its span is simply shifted."""
    index = bisect_right(view.view_starts, at)
    if index < len(view.view_starts) and view.view_starts[index] < to:
        return _to_mention(stored, view, Reading(at, to, value, unit), "approx_more" if infix else "exact")
    shift = view.text_starts[index - 1] - view.view_starts[index - 1]
    start, end = at + shift, to + shift
    written = stored[start:end]
    unit = unit if unit == "%" else written[-len(unit) :]
    if infix:
        return build_mention(start, end, written, value, unit, "arabic", "approx_more", value)
    return build_mention(start, end, written, value, unit, "arabic", "exact")


def _to_mention(stored: str, view: View, reading: Reading, qualifier: Qualifier) -> Mention:
    value, unit, high = reading.value, reading.unit, reading.high
    start, end = view.back(reading.start), view.back(reading.end - 1) + 1
    written = stored[end - len(unit) : end]
    if written != unit and unit != "%":  # another script; or a blank or 余 inside, which is left out
        at = reading.end - len(unit)
        unit = written if view.back(at) == end - len(unit) and view.text.startswith(unit, at) else unit
    return build_mention(
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
    folded = _blank_identifiers(view.text)
    reader, find_numeral = Reader(folded, lexicon), compile_search(lexicon).search
    holes = iter([*find_excluded(folded, lexicon), (len(folded) + 1, len(folded) + 1)])
    hole_start, hole_end = next(holes)
    mentions: list[Mention] = []
    far = bool(reader.far)
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
        kind = found.lastindex
        if kind is None:
            reading, position = reader.read_at(start)
            if reading is not None:
                mentions.append(_to_mention(text, view, reading, reader.qualify(reading)))
                position = max(reading.end, start + 1)
            continue
        position = found.end()
        if kind == _PLAIN:
            digits, infix, scale, infix2, unit = found.group(1, 2, 3, 4, 5)
            value, infix = scale_up(Decimal(folded[start] + digits), scale), infix or infix2 or ""
            if far and reader.has_far(start):
                reading = Reading(start, position, value, unit, infix=infix)
                mentions.append(_to_mention(text, view, reading, reader.qualify(reading)))
            else:
                mentions.append(_to_plain_mention(text, view, start, position, value, unit, infix))
    return Scan(tuple(mentions), min(len(text), MAX_CHARACTERS))


def extract_mentions(text: str, lexicon: Lexicon | None = None) -> tuple[Mention, ...]:
    """The mentions of `scan_mentions`, which also says whether the limits cut the text."""
    return scan_mentions(text, lexicon).mentions
