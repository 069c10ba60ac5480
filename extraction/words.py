"""Finding the words of the catalogue in a text: one pass of an Aho-Corasick automaton."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import ahocorasick

from extraction.catalogue import Catalogue, Reading

_ASTRAL = re.compile("[\U00010000-\U0010ffff]")


@dataclass(slots=True)
class Word:
    """A word of the catalogue and all that it may mean."""

    text: str
    topics: list[str] = field(default_factory=list)
    names: list[Reading] = field(default_factory=list)
    names_by_unit: dict[str, list[Reading]] = field(default_factory=dict)
    """The readings that accept a measure word, remembered."""
    openings: list[Word] = field(default_factory=list)
    """Words that this one begins with (审查 of 审查合同): the verb that a list may share."""
    needs: set[int] = field(default_factory=set)
    forbids: set[int] = field(default_factory=set)
    size: int = 0
    is_mark: bool = False


class Hit(NamedTuple):
    start: int
    end: int
    word: Word


_as_hit = partial(tuple.__new__, Hit)
"""A hit from a plain tuple, made without a call into Python."""


class WordIndex:
    """The catalogue's words, compiled. Build once, use for every text."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.readings = catalogue.readings
        self.numbers = {id(reading): index for index, reading in enumerate(self.readings)}
        words: dict[str, Word] = {}

        def word(text: str) -> Word:
            return words.setdefault(text, Word(text))

        for topic, names in catalogue.topics.items():
            for text in names:
                word(text).topics.append(topic)
        for index, reading in enumerate(self.readings):
            for text in dict.fromkeys(reading.words):
                word(text).names.append(reading)
            for text in reading.needs:
                word(text).needs.add(index)
            for text in reading.forbids:
                word(text).forbids.add(index)
        for text, entry in words.items():
            shorter = (words.get(text[:size]) for size in range(2, len(text)))
            entry.openings = [opening for opening in shorter if opening is not None and opening.names]
        self._automaton = ahocorasick.Automaton()
        for text, entry in words.items():
            entry.size, entry.is_mark = len(text), bool(entry.needs or entry.forbids)
            self._automaton.add_word(_as_symbols(text), entry)
        self._automaton.make_automaton()

    def find(self, text: str) -> Hits:
        """All hits. A name inside a longer name and a topic inside a longer topic are not seen (受理 in 不予受理)."""
        names: list[tuple[int, int, Word]] = []
        topics: list[tuple[int, int, Word]] = []
        marks: list[Word] = []
        mark_ends: list[int] = []
        for last, word in self._automaton.iter(_as_symbols(text)):  # in order of their ends, the longest first
            if not last & 1:
                continue  # across two characters
            end = (last >> 1) + 1
            if word.is_mark:
                marks.append(word)
                mark_ends.append(end)
            if word.names:
                start = end - word.size
                while names and names[-1][0] >= start:
                    names.pop()
                if not names or names[-1][1] < end:
                    names.append((start, end, word))
            if word.topics:
                start = end - word.size
                while topics and topics[-1][0] >= start:
                    topics.pop()
                if not topics or topics[-1][1] < end:
                    topics.append((start, end, word))
        return Hits(HitRow(names), HitRow(topics), MarkRow(marks, mark_ends))


def _as_symbols(text: str) -> str:
    """Two symbols for each character, its high and its low byte: a state of the automaton looks through all its
    successors one by one, and at the root there are some hundreds of characters but only some dozens of high bytes."""
    symbols = text.encode("utf-16-be", "surrogatepass").decode("latin-1")
    return symbols if len(symbols) == 2 * len(text) else _as_symbols(_ASTRAL.sub("\ufffd", text))


class HitRow:
    """Hits in order of start, sliced by position."""

    def __init__(self, hits: Iterable[tuple[int, int, Word]]) -> None:
        self.hits: list[Hit] = list(map(_as_hit, hits))
        self._starts = [hit[0] for hit in self.hits]

    def inside(self, start: int, end: int) -> Iterator[Hit]:
        first = bisect_left(self._starts, start)
        last = bisect_left(self._starts, end, first)
        return iter([hit for hit in self.hits[first:last] if hit[1] <= end] if first < last else ())

    def last_before(self, position: int, floor: int) -> Hit | None:
        """The last hit that starts before `position` and not before `floor`."""
        index = bisect_left(self._starts, position) - 1
        return self.hits[index] if index >= 0 and self._starts[index] >= floor else None


class MarkRow:
    """Words that readings need or forbid, in order of their ends; several may overlap."""

    def __init__(self, words: list[Word], ends: list[int]) -> None:
        self._words, self._ends = words, ends

    def inside(self, start: int, end: int) -> Iterator[Hit]:
        first = bisect_right(self._ends, start)
        last = bisect_right(self._ends, end, first)
        for at in range(first, last):
            word, place = self._words[at], self._ends[at]
            if place - word.size >= start:
                yield _as_hit((place - word.size, place, word))


@dataclass(frozen=True, slots=True)
class Hits:
    names: HitRow
    topics: HitRow
    marks: MarkRow


def topics_of(hits: Iterable[Hit]) -> dict[str, int]:
    """Topic code to the length of the longest word that names it."""
    longest: dict[str, int] = {}
    for start, end, word in hits:
        for topic in word.topics:
            if longest.get(topic, 0) < end - start:
                longest[topic] = end - start
    return longest
