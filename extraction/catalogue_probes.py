"""Sentences made from the catalogue's own words, put to the engine: who takes the number?

A word is proved by construction. If no sentence that follows a reading to the letter gives its metric, the word is dead
or belongs to another; if two metrics come out of one sentence with the same score, nothing tells them apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from extraction.catalogue import Catalogue, Reading
from extraction.mentions import extract_mentions
from extraction.observations import extract_observations
from extraction.trace import Trace

TITLE = "云岭县2022年法治政府建设情况报告\n"
"""The head of every probe and example: its year is the report's, its topics are those of every report."""
YEAR = 2022
_MAX_EACH, _MAX_NEEDS = 3, 6
"""Words of a topic, measure words, and `with` words tried."""
_JOINTS = ("方面,", "的")
_SHAPES = (
    "{topic}{need}{word}12{unit}{noun}。",
    "{topic}{need}12{unit}{noun}{word}。",
    "{topic}12{unit}{noun}{word}{need}。",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A probe with the metrics read from its number, the words they were read by, and the scores of all weighed."""

    text: str
    taken: frozenset[str]
    by: frozenset[tuple[str, str]]
    scores: dict[str, float]


def ask(sentence: str, catalogue: Catalogue) -> Asked:
    """Put a sentence with one number to the engine."""
    text, trace = TITLE + sentence, Trace()
    mentions = extract_mentions(text)
    found = extract_observations(text, mentions, catalogue, YEAR, trace=trace)
    scores: dict[str, float] = defaultdict(float)
    weighed: set[tuple[str, str]] = set()
    for fate in trace.fates.values():
        for seen in fate.considered:
            if seen.outcome in ("taken", "outranked") and seen.score is not None:
                weighed.add((seen.metric, seen.word))
                scores[seen.metric] = max(scores[seen.metric], seen.score)
    taken = frozenset(one.metric for one in found)
    return Asked(sentence, taken, frozenset(pair for pair in weighed if pair[0] in taken), dict(scores))


def probe_word(reading: Reading, word: str, catalogue: Catalogue) -> Iterator[Asked]:
    """The sentences in which the word must name the reading's metric, that which names everything first."""
    topics = [catalogue.topics[code] for code in reading.topics]
    named = [*(name + joint for joint in _JOINTS for row in topics for name in row[:_MAX_EACH]), ""]
    needs = [*(f"{need}," for need in reading.needs[:_MAX_NEEDS]), ""]
    units = _plainest(reading.units)
    nouns = reading.counts[:1] or ("",)
    for topic, need, unit, noun, shape in product(named, needs, units, nouns, _SHAPES):
        yield ask(shape.format(topic=topic, need=need, word=word, unit=unit, noun=noun), catalogue)


def probe_both(one: Reading, other: Reading, word: str, catalogue: Catalogue) -> Asked | None:
    """A sentence that both readings claim with the same score, or None when there is something between them."""
    shared = sorted(set(one.topics) & set(other.topics))
    if bool(one.topics or other.topics) and not shared:
        return None
    needs = [need for need in one.needs if need in other.needs] if one.needs or other.needs else [""]
    units = _plainest(one.units & other.units)
    if not units or not needs or one.weak != other.weak or one.counts != other.counts:
        return None
    named = [name + joint for code in shared for name in catalogue.topics[code][:1] for joint in _JOINTS] or [""]
    noun = one.counts[0] if one.counts else ""
    for topic, unit, shape in product(named, units, _SHAPES[:2]):
        need = f"{needs[0]}," if needs[0] else ""
        asked = ask(shape.format(topic=topic, need=need, word=word, unit=unit, noun=noun), catalogue)
        first, second = asked.scores.get(one.metric), asked.scores.get(other.metric)
        if first is not None and first == second == max(asked.scores.values()):
            return asked
    return None


def _plainest(units: frozenset[str]) -> list[str]:
    return sorted(units, key=lambda unit: (not unit, len(unit), unit))[:_MAX_EACH]
