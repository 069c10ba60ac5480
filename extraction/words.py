"""Finding the words of the catalogue in a text: one pass of an Aho-Corasick automaton."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import ahocorasick

from extraction.catalogue import Catalogue, Reading


@dataclass(slots=True)
class Word:
    """A word of the catalogue and all that it may mean."""

    text: str
    topics: list[str] = field(default_factory=list)
    names: list[Reading] = field(default_factory=list)
    openings: list[Word] = field(default_factory=list)
    """Words that this one begins with (审查 of 审查合同): the verb that a list may share."""
    needs: set[int] = field(default_factory=set)
    forbids: set[int] = field(default_factory=set)


class Hit(NamedTuple):
    start: int
    end: int
    word: Word


def _in_order(hit: Hit) -> tuple[int, int]:
    return hit.start, -hit.end


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
            self._automaton.add_word(text, (len(text) - 1, entry))
        self._automaton.make_automaton()

    def find(self, text: str) -> Hits:
        """All hits. A name inside a longer name and a topic inside a longer topic are not seen (受理 in 不予受理)."""
        found = [Hit(last - back, last + 1, word) for last, (back, word) in self._automaton.iter(text)]
        found.sort(key=_in_order)
        names, topics, marks = [], [], []
        name_end = topic_end = -1
        for hit in found:
            if hit.word.names:
                if hit.end > name_end:
                    names.append(hit)
                name_end = max(name_end, hit.end)
            if hit.word.topics:
                if hit.end > topic_end:
                    topics.append(hit)
                topic_end = max(topic_end, hit.end)
            if hit.word.needs or hit.word.forbids:
                marks.append(hit)
        return Hits(HitRow(names), HitRow(topics), HitRow(marks))


class HitRow:
    """Hits in order of start, sliced by position."""

    def __init__(self, hits: list[Hit]) -> None:
        self.hits = hits
        self._starts = [hit.start for hit in hits]

    def inside(self, start: int, end: int) -> Iterator[Hit]:
        for index in range(bisect_left(self._starts, start), len(self.hits)):
            hit = self.hits[index]
            if hit.start >= end:
                return
            if hit.end <= end:
                yield hit

    def last_before(self, position: int, floor: int) -> Hit | None:
        """The last hit that starts before `position` and not before `floor`."""
        index = bisect_left(self._starts, position) - 1
        return self.hits[index] if index >= 0 and self._starts[index] >= floor else None


@dataclass(frozen=True, slots=True)
class Hits:
    names: HitRow
    topics: HitRow
    marks: HitRow


def topics_of(hits: Iterator[Hit]) -> dict[str, int]:
    """Topic code to the length of the longest word that names it."""
    longest: dict[str, int] = defaultdict(int)
    for hit in hits:
        for topic in hit.word.topics:
            longest[topic] = max(longest[topic], hit.end - hit.start)
    return dict(longest)
