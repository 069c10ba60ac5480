"""The words of the quantity grammar, read from `catalog/lookups/quantity_words.yml` and compiled once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from extraction.view import Folding

WORDS_PATH = Path(__file__).resolve().parent.parent / "catalog" / "lookups" / "quantity_words.yml"

_HAN_TO_ARABIC = dict(zip("零一二两三四五六七八九", "01223456789", strict=True))
_KEYS = {
    "units", "han_units", "stops", "durations", "qualifiers", "names", "lines",
    "identifier_lead", "name_follow", "traditional", "not_before_near", "after_bare_year",
}  # fmt: skip


class LexiconError(ValueError):
    """The words file breaks its contract; the message is one line naming the file and the key."""


@dataclass(frozen=True, slots=True, eq=False)
class Lexicon:
    """Compiled words. Every pattern works on the text of a view and is free of nested repetition."""

    traditional: Mapping[int, int | str]
    fold: Folding
    unit: str
    """Regex source: one unit after an Arabic number, longest first, with its stops."""
    han_unit: str
    han_unit_starts: str
    """The first characters of the units after a Han numeral."""
    names: re.Pattern[str]
    lines: frozenset[str]
    after_bare_year: frozenset[str]
    identifier_lead: re.Pattern[str]
    name_follow: re.Pattern[str]
    duration_lead: re.Pattern[str]
    window_lead: re.Pattern[str]
    programme: re.Pattern[str]
    near: Mapping[str, re.Pattern[str]]
    far: Mapping[str, re.Pattern[str]]
    after: Mapping[str, re.Pattern[str]]
    near_ends: frozenset[str]
    """The last characters of all near words: most numbers have none of them before them, and need no search."""
    far_starts: re.Pattern[str]
    after_starts: frozenset[str]


def _flatten(rows: Iterable[Any]) -> list[str]:
    words: list[str] = []
    for row in rows:
        words.extend(row if isinstance(row, list) else [row])
    return words


def any_of(words: Iterable[str]) -> str:
    """Regex source matching the longest of `words` first; nothing at all when there are none."""
    ordered = sorted(set(words), key=lambda word: (-len(word), word))
    return "(?:" + "|".join(map(re.escape, ordered)) + ")" if ordered else "(?!)"


def _with_stops(words: list[str], stops: Mapping[str, list[str]]) -> str:
    """Of words with the same first character the longest comes first; else the order of the file, which begins with
    the commonest, for a pattern tries one after the other."""
    place = {word[0]: at for at, word in reversed(list(enumerate(words)))}
    ordered = sorted(set(words), key=lambda word: (place[word[0]], -len(word), word))
    parts = [re.escape(word) + (f"(?!{any_of(stops[word])})" if stops.get(word) else "") for word in ordered]
    return "(?:" + "|".join(parts) + ")"


def _both_scripts(names: list[str]) -> list[str]:
    arabic = [
        "".join(_HAN_TO_ARABIC.get(char, char) if i == 0 else char for i, char in enumerate(name)) for name in names
    ]
    return names + arabic


@lru_cache(maxsize=4)
def load_lexicon(path: Path = WORDS_PATH) -> Lexicon:
    """Read and check the words file. Raises LexiconError."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise LexiconError(f"{path}: cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(data, dict) or set(data) != _KEYS:
        wrong = sorted(set(data) ^ _KEYS) if isinstance(data, dict) else "no mapping"
        raise LexiconError(f"{path}: keys missing or unknown: {wrong}")
    units, han_units = _flatten(data["units"]), _flatten(data["han_units"])
    unknown = sorted(set(data["stops"]) - set(units) - set(han_units))
    if unknown:
        raise LexiconError(f"{path}: stops for words that are no units: {unknown}")
    broken = [key for key, value in data["traditional"].items() if len(key) != 1 or len(value) != 1]
    if broken:
        raise LexiconError(f"{path}: traditional must map one character to one character: {broken}")
    quantity_words, durations = data["qualifiers"], data["durations"]

    def qualifying(place: str) -> list[str]:
        return [word for words in quantity_words.values() for word in words[place]]

    return Lexicon(
        traditional=str.maketrans(data["traditional"]),
        fold=Folding(str.maketrans(data["traditional"])),
        unit=_with_stops(units, data["stops"]),
        han_unit=_with_stops(han_units, data["stops"]),
        han_unit_starts="".join(sorted({word[0] for word in han_units})),
        names=re.compile(any_of(_both_scripts(_flatten(data["names"])))),
        lines=frozenset(data["lines"]),
        after_bare_year=frozenset(data["after_bare_year"]),
        identifier_lead=re.compile(any_of(data["identifier_lead"]) + r"[\s::]{0,2}$"),
        name_follow=re.compile(r"\s?" + any_of(data["name_follow"])),
        duration_lead=re.compile(any_of(durations["lead"]) + r"[至到了为]?$"),
        window_lead=re.compile(any_of(durations["window_lead"]) + "$"),
        programme=re.compile(any_of(durations["programme"])),
        near={
            name: re.compile(f"(?<![{data['not_before_near']}])" + any_of(words["near"]) + "$")
            for name, words in quantity_words.items()
        },
        far={
            name: re.compile(any_of(words["far"]) + r"[^\d,。;、:!?\n]{0,8}$") for name, words in quantity_words.items()
        },
        after={name: re.compile(any_of(words["after"])) for name, words in quantity_words.items()},
        near_ends=frozenset(word[-1] for word in qualifying("near")),
        far_starts=re.compile(any_of(word[0] for word in qualifying("far"))),
        after_starts=frozenset(word[0] for word in qualifying("after")),
    )
