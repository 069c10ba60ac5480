"""Finding the words of the catalogue in a text: one pass of an Aho-Corasick automaton."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

import ahocorasick

from extraction.catalogue import Catalogue, Reading

_ASTRAL = re.compile("[\U00010000-\U0010ffff]")


@final
class Word:
    """A word of the catalogue and all that it may mean."""

    __slots__ = (
        "forbids",
        "is_name",
        "is_said",
        "is_topic",
        "names",
        "names_by_unit",
        "needs",
        "openings",
        "size",
        "text",
        "topics",
    )

    def __init__(self, text: str) -> None:
        self.text, self.size = text, len(text)
        self.topics: list[str] = []
        self.names: list[Reading] = []
        self.names_by_unit: dict[str, list[Reading]] = {}
        """The readings that accept a measure word, remembered."""
        self.openings: list[Word] = []
        """Words that this one begins with (审查 of 审查合同): the verb that a list may share."""
        self.needs: set[int] = set()
        self.forbids: set[int] = set()
        self.is_name = self.is_topic = self.is_said = False
        """Whether it is a name, names a topic, or is either: many words that are found only mark others."""


@final
class Hit:
    """A word at its place in the view. Plain classes like this are made often, and are the fastest when compiled."""

    __slots__ = ("end", "start", "word")

    def __init__(self, start: int, end: int, word: Word) -> None:
        self.start, self.end, self.word = start, end, word


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
            entry.is_name, entry.is_topic = bool(entry.names), bool(entry.topics)
            entry.is_said = entry.is_name or entry.is_topic
            self._automaton.add_word(_as_symbols(text), entry)
        self._automaton.make_automaton()

    def find(self, text: str, spans: Iterable[tuple[int, int]] | None = None) -> Hits:
        """All hits in these spans, which are in order and do not meet, or in the whole text.

        A name inside a longer name and a topic inside a longer topic are not seen (受理 in 不予受理).
        """
        symbols = _as_symbols(text)
        found: list[tuple[int, Word]] = []
        for first, stop in ((0, len(text)),) if spans is None else spans:
            found += self._automaton.iter(symbols, 2 * first, 2 * stop)  # in order of their ends, the longest first
        names: list[Hit] = []
        topics: list[Hit] = []
        name_end = topic_end = 0
        for last, word in found:
            if not word.is_said or not last & 1:  # an even one: across two characters
                continue
            end = (last >> 1) + 1
            is_name = end != name_end and word.is_name
            if not is_name and (end == topic_end or not word.is_topic):
                continue
            start = end - word.size
            hit = Hit(start, end, word)
            if is_name:
                name_end = end
                while names and names[-1].start >= start:
                    names.pop()
                names.append(hit)
            if word.is_topic and end != topic_end:
                topic_end = end
                while topics and topics[-1].start >= start:
                    topics.pop()
                topics.append(hit)
        return Hits(HitRow(names), HitRow(topics), MarkRow(found))


def _as_symbols(text: str) -> str:
    """Two symbols for each character, its high and its low byte: a state of the automaton looks through all its
    successors one by one, and at the root there are some hundreds of characters but only some dozens of high bytes."""
    symbols = text.encode("utf-16-be", "surrogatepass").decode("latin-1")
    return symbols if len(symbols) == 2 * len(text) else _as_symbols(_ASTRAL.sub("\ufffd", text))


class HitRow:
    """Hits in order of start, sliced by position."""

    def __init__(self, hits: list[Hit]) -> None:
        self.hits = hits
        self._starts = [hit.start for hit in hits]

    def inside(self, start: int, end: int) -> list[Hit]:
        starts = self._starts
        first = bisect_left(starts, start)
        if first == len(starts) or starts[first] >= end:
            return []
        found = self.hits[first : bisect_left(starts, end, first + 1)]
        return found if found[-1].end <= end else [hit for hit in found if hit.end <= end]

    def last_before(self, position: int, floor: int) -> Hit | None:
        """The last hit that starts before `position` and not before `floor`."""
        index = bisect_left(self._starts, position) - 1
        return self.hits[index] if index >= 0 and self._starts[index] >= floor else None


class MarkRow:
    """Words that readings need or forbid among all that were found, in order of their ends; several may overlap."""

    def __init__(self, found: list[tuple[int, Word]]) -> None:
        """`found`: each word and its last symbol."""
        self._found = found
        self._lasts = [last for last, _ in found]

    def forbidding(self, index: int, start: int, end: int) -> list[Hit]:
        """The words inside a stretch that forbid a reading."""
        hits: list[Hit] = []
        first = bisect_left(self._lasts, 2 * start)
        for last, word in self._found[first : bisect_left(self._lasts, 2 * end, first)]:
            if index in word.forbids and last & 1 and (last >> 1) + 1 - word.size >= start:
                hits.append(Hit((last >> 1) + 1 - word.size, (last >> 1) + 1, word))
        return hits

    def needed(self, start: int, end: int) -> set[int]:
        """The readings of which a word that they need is inside a stretch."""
        readings: set[int] = set()
        first = bisect_left(self._lasts, 2 * start)
        for last, word in self._found[first : bisect_left(self._lasts, 2 * end, first)]:
            if word.needs and last & 1 and (last >> 1) + 1 - word.size >= start:
                readings |= word.needs
        return readings


@dataclass(frozen=True, slots=True)
class Hits:
    names: HitRow
    topics: HitRow
    marks: MarkRow


def topics_of(hits: Iterable[Hit]) -> dict[str, int]:
    """Topic code to the length of the longest word that names it."""
    longest: dict[str, int] = {}
    for hit in hits:
        size = hit.end - hit.start
        for topic in hit.word.topics:
            if longest.get(topic, 0) < size:
                longest[topic] = size
    return longest
