"""Metrics that claim the same word with the same measure word while nothing, or nothing but luck, tells them apart."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import combinations

from extraction.catalogue import Catalogue, Metric, Reading
from extraction.catalogue_probes import probe_both


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two metrics and the words in dispute.

    `sentence`: one that scores alike for both, so that the order of the files decides. Empty: `one` names no topic, and
    so takes every figure of `other` whose topic the text leaves unsaid.
    """

    one: Metric
    other: Metric
    words: tuple[str, ...]
    topics: tuple[str, ...]
    units: tuple[str, ...]
    sentence: str


def find_conflicts(catalogue: Catalogue) -> list[Conflict]:
    """All conflicts, in the order of the metrics."""
    claimed: dict[str, list[Reading]] = defaultdict(list)
    for reading in catalogue.readings:
        for word in dict.fromkeys(reading.words):
            claimed[word].append(reading)
    disputes: dict[tuple[str, str, bool], list[tuple[str, Reading, Reading, str]]] = defaultdict(list)
    for word, readings in claimed.items():
        for one, other in combinations(readings, 2):
            if one.metric == other.metric:
                continue
            if asked := probe_both(one, other, word, catalogue):
                disputes[one.metric, other.metric, True].append((word, one, other, asked.text))
            elif bare := _find_topicless(one, other, word, catalogue):
                topical = other if bare is one else one
                disputes[bare.metric, topical.metric, False].append((word, bare, topical, ""))
    return [_to_conflict(catalogue, rows) for rows in disputes.values()]


def _to_conflict(catalogue: Catalogue, rows: list[tuple[str, Reading, Reading, str]]) -> Conflict:
    _, one, other, sentence = rows[0]
    words = tuple(dict.fromkeys(word for word, _, _, _ in rows))
    topics = [topic for topic in other.topics if not one.topics or topic in one.topics]
    units = tuple(sorted((one.units & other.units) - {""}))
    return Conflict(
        catalogue.metrics[one.metric], catalogue.metrics[other.metric], words, tuple(topics), units, sentence
    )


def _find_topicless(one: Reading, other: Reading, word: str, catalogue: Catalogue) -> Reading | None:
    """The reading without topic, unless its `not` steps back before the topic of the other (顾问 before 法律顾问).

    A word that holds the topic itself (行政复议申请) always speaks of it: there nothing is left to luck."""
    bare, topical = (other, one) if one.topics else (one, other)
    if bare.topics or not topical.topics or not bare.units & topical.units:
        return None
    if bare.needs or topical.needs or bare.weak or topical.weak or bare.counts != topical.counts:
        return None
    spoken = [name for code in topical.topics for name in catalogue.topics[code]]
    stepped_back = any(mark in name for mark in bare.forbids for name in spoken)
    return None if stepped_back or any(name in word for name in spoken) else bare
