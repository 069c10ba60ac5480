"""分别: as many nouns as numbers, told in two rows (撤销、变更分别为3件、2件; 受理、审结80件、75件,分别增长5%、8%)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from extraction.structure import Structure
from extraction.windows import Number

_WORD = "分别"
_MAX_ROW = 80
_MAX_VERB = 14
"""Characters between 分别 and the first number, at most."""
_MAX_LIST = 8
_YEARS = re.compile(r"20\d\d(?:年度?)?(?:[、,和及与]20\d\d(?:年度?)?)+")
_JOINT = re.compile(r"、|和(?![解谐])|以及|(?<!涉)及(?!时)|(?<!参)与(?![会案])")
_BETWEEN = re.compile(
    r"(?:[、,](?:和|及|与|以及)?|和|及|与|以及)(?:同比)?(?:上升|下降|增长|增加|减少|提高|降低|提升|达到?|为)?(?:了|约|近)?"
)
_COMPARING = re.compile(
    r"(?:[,;]|均|各|同比|环比|占(?:总[量数])?的?|(?:比|较|与|同)(?:上年度?|去年|上一年|前一年|20\d\d年)(?:同期)?(?:相比)?)*$"
)


@dataclass(frozen=True, slots=True)
class Row:
    """The numbers of one 分别 and what stands for each of them before it."""

    first: int
    """Index of the first number."""
    size: int
    word: int
    """Where 分别 stands."""
    nouns: tuple[tuple[int, int], ...]
    """One stretch of text for each number; none where the text before is not as many nouns."""

    years: tuple[str, ...]
    """The year of each number, where the clause begins with as many years."""


def find_rows(text: str, numbers: list[Number], structure: Structure) -> dict[int, Row]:
    """The rows of a text by the index of each of their numbers."""
    rows: dict[int, Row] = {}
    starts = [number.start for number in numbers]
    index = 0
    place = text.find(_WORD)
    while place >= 0:
        while index < len(numbers) and starts[index] < place:
            index += 1
        if index < len(numbers) and starts[index] - place - len(_WORD) <= _MAX_VERB:
            size = _size(text, numbers, index)
            if size > 1:
                row = Row(
                    index, size, place, _nouns(text, place, size, structure), _years(text, place, size, structure)
                )
                rows.update(dict.fromkeys(range(index, index + size), row))
        place = text.find(_WORD, place + len(_WORD))
    return rows


def _size(text: str, numbers: list[Number], first: int) -> int:
    """How many numbers follow each other with nothing but a joint and perhaps a verb of change between them."""
    size = 1
    while size < _MAX_LIST and first + size < len(numbers):
        one, other = numbers[first + size - 1], numbers[first + size]
        if not _BETWEEN.fullmatch(text, one.end, other.start):
            break
        size += 1
    return size


def _nouns(text: str, place: int, size: int, structure: Structure) -> tuple[tuple[int, int], ...]:
    """The stretch before 分别, in the piece before where a comparison alone fills this one, cut at its joints."""
    floor = max(structure.clause_start(place), place - _MAX_ROW)
    end = place
    tail = _COMPARING.search(text, floor, end)
    if tail is not None:
        end = tail.start()
    start = max(floor, structure.piece_start(end))
    cuts = [start]
    nouns = []
    for joint in _JOINT.finditer(text, start, end):
        nouns.append((cuts[-1], joint.start()))
        cuts.append(joint.end())
    nouns.append((cuts[-1], end))
    if len(nouns) != size or any(low >= high for low, high in nouns):
        return ()
    return tuple(nouns)


def _years(text: str, place: int, size: int, structure: Structure) -> tuple[str, ...]:
    """2021年、2022年,…分别出台8件、6件."""
    found = _YEARS.match(text, structure.clause_start(place), place)
    years = tuple(re.findall(r"20\d\d", found[0])) if found else ()
    return years if len(years) == size else ()
