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
from extraction.yaml_file import read_yaml

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
    units_by_first: Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]]
    """The same units with their stops by their first character, in the order in which they are tried."""
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
    near_words: tuple[str, ...]
    near_ends: frozenset[str]
    """The last characters of all near words: most numbers have none of them before them, and need no search."""
    far_spots: re.Pattern[str]
    """The first character of each far word of a text."""
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


def _group_by_first(words: Iterable[str]) -> dict[str, list[str]]:
    """The words by their first character, the longest first."""
    groups: dict[str, list[str]] = {}
    for word in sorted(set(words), key=lambda word: (-len(word), word)):
        groups.setdefault(word[0], []).append(word)
    return groups


def _dispatch(words: Iterable[str]) -> tuple[str, str]:
    """Two regex sources: the first character of one of `words`, and what follows it, the longest first; so that a
    search skips from one such character to the next and tries there the few words that begin with it."""
    groups = _group_by_first(words)
    if not groups:
        return "", "(?!)"
    seconds = {word[1:2] for word in words}
    gate = "" if "" in seconds else f"(?=[{re.escape(''.join(sorted(seconds)))}])"
    tails = [f"(?<={re.escape(first)}){any_of(word[1:] for word in group)}" for first, group in groups.items()]
    return f"[{re.escape(''.join(groups))}]", f"{gate}(?:{'|'.join(tails)})"


def _with_stops(words: list[str], stops: Mapping[str, list[str]]) -> str:
    """Of words with the same first character the longest comes first; else the order of the file, which begins with
    the commonest, for a pattern tries one after the other."""
    groups = _group_by_first(words)
    parts = [
        re.escape(word) + (f"(?!{any_of(stops[word])})" if stops.get(word) else "")
        for first in dict.fromkeys(word[0] for word in words)
        for word in groups[first]
    ]
    return f"(?=[{re.escape(''.join(groups))}])(?:{'|'.join(parts)})"


def _both_scripts(names: list[str]) -> list[str]:
    arabic = [
        "".join(_HAN_TO_ARABIC.get(char, char) if i == 0 else char for i, char in enumerate(name)) for name in names
    ]
    return names + arabic


@lru_cache(maxsize=4)
def load_lexicon(path: Path = WORDS_PATH) -> Lexicon:
    """Read and check the words file. Raises LexiconError."""
    try:
        data = read_yaml(path)
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
        units_by_first={
            first: tuple((word, tuple(data["stops"].get(word, ()))) for word in group)
            for first, group in _group_by_first(units).items()
        },
        han_unit=_with_stops(han_units, data["stops"]),
        han_unit_starts="".join(sorted({word[0] for word in han_units})),
        names=re.compile("".join(_dispatch(_both_scripts(_flatten(data["names"]))))),
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
        near_words=tuple(qualifying("near")),
        near_ends=frozenset(word[-1] for word in qualifying("near")),
        far_spots=re.compile("{}(?={})".format(*_dispatch(qualifying("far")))),
        after_starts=frozenset(word[0] for word in qualifying("after")),
    )
