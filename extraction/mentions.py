"""Every numeric quantity of a text: `140余条`, `2.4万余条`, `百分之九`, `四个`, `99.04%`.

The rules are those of the annotation guide: a mention runs from the first digit to the end of its unit;
dates, document numbers, ordinals, list numbers and names are none. The grammar is in `extraction.quantities`,
the words are in `catalog/lookups/quantity_words.yml`. One pass over the text, cost linear in its length.
"""

from __future__ import annotations

import re

from extraction.exclusions import find_excluded
from extraction.lexicon import Lexicon, load_lexicon
from extraction.model import Mention, Qualifier
from extraction.numerals import MAX_DIGITS
from extraction.quantities import Reader, Reading, compile_numbers

_LONG_RUN = re.compile(rf"\d{{{MAX_DIGITS + 8},}}")


def _to_mention(text: str, reading: Reading, qualifier: Qualifier, lexicon: Lexicon) -> Mention:
    low = reading.value if qualifier in ("at_least", "approx_more") or reading.high is not None else None
    high = reading.high if reading.high is not None else reading.value if qualifier == "at_most" else None
    written = text[reading.end - len(reading.unit) : reading.end] if reading.unit else ""
    return Mention(
        start=reading.start,
        end=reading.end,
        text=text[reading.start : reading.end],
        value=reading.value,
        unit_zh=written if reading.unit != "%" and written.translate(lexicon.fold) == reading.unit else reading.unit,
        numeral="han" if reading.is_han else "arabic",
        qualifier=qualifier,
        value_low=low,
        value_high=high,
        damaged=reading.damaged,
    )


def fold(text: str, lexicon: Lexicon) -> str:
    """The text for reading: full-width and traditional forms folded one for one, so offsets stay; long
    digit runs, which are identifiers, blanked."""
    folded = text.translate(lexicon.fold)
    return _LONG_RUN.sub(lambda match: "#" * len(match[0]), folded)


def extract_mentions(text: str, lexicon: Lexicon | None = None) -> tuple[Mention, ...]:
    """All quantity mentions of `text`, ordered by start; `text[m.start:m.end] == m.text` for each."""
    lexicon = lexicon or load_lexicon()
    folded = fold(text, lexicon)
    reader, pattern = Reader(folded, lexicon), compile_numbers(lexicon)
    excluded = iter([*find_excluded(folded, lexicon), (len(text), len(text))])
    hole = next(excluded)
    mentions: list[Mention] = []
    position = 0
    while match := pattern.search(folded, position):
        start, position = match.span()
        while hole[1] <= start and hole[0] < len(text):
            hole = next(excluded)
        if hole[0] <= start:
            position = max(hole[1], start + 1)
            continue
        if match["number"] is None:
            reading = reader.read_percent(match) if match["percent"] else reader.read_han(match)
        elif match["second"] is None:
            reading = reader.read_arabic(match)
        else:
            reading = reader.read_range(match)
            if reading is None:
                position = match.end("number")
                alone = pattern.match(folded, start, position)
                reading = reader.read_arabic(alone) if alone else None
        if reading is not None:
            mentions.append(_to_mention(text, reading, reader.qualify(reading), lexicon))
            position = max(reading.end, start + 1)
    return tuple(mentions)
