"""Numbers at their place, and the stretch of text that may say what each of them is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import final

from extraction.model import Mention
from extraction.structure import Structure

Span = tuple[int, int]
REACH = 120
"""No word further away than this says what a number is."""
TAIL_REACH = 60
_DURATIONS = frozenset(
    ["天", "年", "个月", "月", "日", "小时", "个小时", "学时", "课时", "周", "个工作日", "工作日", "分钟", "周年"]
)
_PLACES = frozenset(["省", "市", "区", "县", "镇", "乡", "地", "级", "方"])
_RIGHT_END = re.compile(r"[,;。:\n|()!?]")
_OBJECT = re.compile(r"(?:^|[,;。:、\n])[^,;。:、\n]{0,4}?(?:对|将|把|就)[^,;。:\n]*$")
"""对13件文件,组织进行审查: what is done to the object is said after the comma."""
_DOES = re.compile("[对将把就]")
_ALL = re.compile(r",(?:并|且|已)?(?:均|全部|全都)")
_SUMMED = re.compile(r"^[^,。;:]{0,6}(?:共|共计|合计|总计)$")
"""12个部门共29个事项: the number before only says over how many."""
_COMMAS = frozenset(["、", ",", ",共", ",共计"])
_HEADS = frozenset(["人次", "人", "名"])
_ROUNDS = frozenset(["期", "次", "场", "班次", "场次"])
_CHANGES = frozenset(["%", "倍", "个百分点"])
_REACHED = re.compile(r"[,、]?(?:总[数量])?(?:达到?|升至|增至|降至|减至|达到了|为)")
_TURNS = frozenset(["次", "轮", "批"])
_IN_TURNS = re.compile(r"分[^,。;:\d]{0,8}$")


@final
class Number:
    """A mention at its place in the view."""

    __slots__ = (
        "block",
        "bracket",
        "clause",
        "end",
        "index",
        "is_aside",
        "mention",
        "piece",
        "sentence",
        "start",
        "unit",
    )

    def __init__(self, index: int, start: int, end: int, mention: Mention, unit: str) -> None:
        self.index, self.start, self.end, self.mention = index, start, end, mention
        self.unit = unit
        """The measure word in the script of the catalogue."""
        self.is_aside = unit in _DURATIONS or unit in _PLACES
        """A length of time or a number of places parts no phrase: 举办为期两天的培训, 与6市开展通办."""
        self.sentence = self.clause = self.piece = 0
        self.block: int | None = None
        self.bracket: Span | None = None

    def place(self, structure: Structure, before: Number | None) -> None:
        """Remember what is asked several times: where its sentence, clause and piece begin, its block and bracket.

        What begins before the number before is that number's too.
        """
        start = self.start
        earlier = -1 if before is None else before.start
        self.piece = structure.piece_start(start)
        if before is None or self.piece > earlier:
            self.clause = structure.clause_start(start)
        else:
            self.clause = before.clause
        if before is None or self.clause > earlier:
            self.sentence = structure.sentence_start(start)
        else:
            self.sentence = before.sentence
        self.block = structure.block_at(start)
        if structure.brackets:
            self.bracket = structure.bracket_around(start)


@final
class Window:
    """Half-open places of the view: words at `left:number` and `number:right` say what the number is."""

    __slots__ = ("free", "in_turns", "labels", "left", "piece", "right", "runs_on", "shared", "tail")

    def __init__(
        self, left: int, piece: int, right: int, tail: int, free: int, runs_on: bool = False, in_turns: bool = False,
        shared: Span | None = None, labels: tuple[Span, ...] = (),
    ) -> None:  # fmt: skip
        self.left, self.piece, self.right, self.tail = left, piece, right, tail
        self.free = free
        """Before this place the words of earlier pieces belong to the number before."""
        self.runs_on = runs_on
        """No mark stands between the phrase after the number and the next number: a lost one may have."""
        self.in_turns = in_turns
        """分上下半年两次: the verb that is done so many times follows somewhere in the sentence."""
        self.shared = shared
        """审查合同68份、规范性文件5件: where the verb of the number before stands, which may be this one's too."""
        self.labels = labels
        """Cells of a table that label the number: they stand for the phrase before it."""


class Windows:
    """The windows of the numbers of one text. `counted`: nouns that are counted themselves."""

    def __init__(self, text: str, numbers: list[Number], structure: Structure, counted: tuple[str, ...]) -> None:
        self.text, self.numbers, self.structure = text, numbers, structure
        self.counted = one_of(counted)
        self._phrase = (0, 0)
        before: Number | None = None
        for number in numbers:
            number.place(structure, before)
            before = number
        self._following = _find_following(numbers, len(text))

    def window(self, number: Number) -> Window:
        """Windows are asked for in the order of the numbers."""
        start, index, bracket, unit = number.start, number.index, number.bracket, number.unit
        text, numbers = self.text, self.numbers
        clause = number.clause
        if clause < start - REACH:
            clause = start - REACH
        left = spoken = clause
        if bracket and bracket[0] >= left:
            left = bracket[0] + 1
        edge, at = start, index
        last = index - 8 if index > 8 else 0
        while at > last:
            at -= 1
            other = numbers[at]
            if other.end <= left:
                break
            if other.is_aside and not (unit in _DURATIONS and other.unit in _DURATIONS):
                continue  # but 企业开办1天,不动产登记2天
            if other.bracket != bracket:
                continue
            if self._leads_on(number, other, text[other.end : edge]):
                edge = other.start
                continue
            left = other.end
            spoken = self.structure.piece_end(left) if other.unit else left
            break
        following = self._following[index]
        right = self._right(number.end, following)
        piece = number.piece if number.piece > left else left
        in_turns = unit in _TURNS and _IN_TURNS.search(text[left:start]) is not None
        tail = right
        if in_turns or text[right : right + 1] in ",和及":
            tail = self._tail(number, clause, right, following, in_turns)
        shared = None  # the phrase before the number before, when 、 joins the two numbers
        if text[left] == "、" and index > 0 and numbers[index - 1].end == left:
            shared = self._phrase
        self._phrase = shared or (piece, start)
        free = spoken if spoken < piece else piece
        return Window(left, piece, right, tail, free, right == following, in_turns, shared)

    def _leads_on(self, number: Number, other: Number, between: str) -> bool:
        """Whether a number before says only over how many, in how many rounds or by how much: its words go on."""
        if not between:
            return other.unit != number.unit  # 培训两期74人次
        if between in _COMMAS and number.unit in _HEADS and other.unit in _ROUNDS:  # 培训班2期,135人次
            return True
        if other.unit in _CHANGES and _REACHED.fullmatch(between):  # 同比增长1.2倍,达到231件
            return True
        mark = between[-1]
        if mark in "共计":
            return _SUMMED.match(between) is not None
        return mark == "、" and self.counted.fullmatch(between[:-1]) is not None

    def _tail(self, number: Number, clause: int, right: int, following: int, in_turns: bool) -> int:
        """How far what is done to the number's object may stand after the number's own phrase."""
        mark = self.text[right : right + 1]
        stop = min(self.structure.sentence_end(number.start), right + TAIL_REACH)
        if in_turns:
            return stop
        if _DOES.search(self.text, clause, number.start) and _OBJECT.search(self.text[clause : number.start]):
            shared = mark != "," and following <= right + 1
            return stop if shared else min(following, stop)
        if mark == "," and _ALL.match(self.text, right):
            return min(following, self.structure.clause_end(number.start), stop)
        return right

    def _right(self, start: int, following: int) -> int:
        """Where the phrase after a number that ends at `start` ends."""
        stop = _RIGHT_END.search(self.text, start, start + REACH)
        right = stop.start() if stop else min(start + REACH, len(self.text))
        if stop and right == start:
            return start
        while stop and self.text[right] == "(":
            bracket = self.structure.bracket_around(right)
            closing = self.text.find(")", right, right + 12)
            if bracket or closing < 0:
                break
            stop = _RIGHT_END.search(self.text, closing + 1, start + REACH)
            right = stop.start() if stop else min(start + REACH, len(self.text))
        if following < right:
            find = self.text.rfind
            cut = max(find("、", start, following), find("及", start, following), find("和", start, following))
            right = cut if cut >= 0 else following
        return right


def list_spoken(numbers: Sequence[Number], structure: Structure, labels: Iterable[tuple[int, int]]) -> list[Span]:
    """The stretches of a text in which a word may say what a number is, in order, whole sentences: from the beginning
    of each block to the last number in it, the heads above, and the cells that label numbers. Half of a report."""
    spans: list[Span] = list(labels)
    blocks, seen = structure.blocks, {-1}
    at = 0
    while at < len(numbers):
        first, block = numbers[at].start, structure.block_at(numbers[at].start)
        own = -1 if block is None else block
        stop = blocks[own + 1].start if own + 1 < len(blocks) else numbers[-1].end + 1
        while at < len(numbers) and numbers[at].start < stop:
            at += 1
        spans.append((min(first, blocks[own].start) if own >= 0 else first, numbers[at - 1].end))
        while own not in seen:
            seen.add(own)
            spans.append((blocks[own].start, blocks[own].head_end))
            parent = blocks[own].parent
            own = -1 if parent is None else parent
    spans.sort()
    joined: list[Span] = []
    for start, end in spans:
        if joined and end < joined[-1][1]:
            continue
        start, end = structure.sentence_start(start), structure.sentence_end(end)
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        else:
            joined.append((start, end))
    return joined


def _find_following(numbers: list[Number], end: int) -> list[int]:
    """For each number, where the next one of the five after it begins that is no aside."""
    following, place, at = [end] * len(numbers), end, len(numbers) + 5
    for number in reversed(numbers):
        following[number.index] = place if at - number.index <= 5 else end
        if not number.is_aside:
            place, at = number.start, number.index
    return following


@lru_cache(maxsize=16)
def one_of(words: tuple[str, ...]) -> re.Pattern[str]:
    """A pattern for the longest of the words; nothing at all when there are none."""
    ordered = sorted(words, key=lambda word: (-len(word), word))
    return re.compile("(?:" + "|".join(map(re.escape, ordered)) + ")" if ordered else "(?!)")


@lru_cache(maxsize=16)
def ends_in(words: tuple[str, ...]) -> re.Pattern[str]:
    """A pattern for one of the words at the end of what is searched."""
    return re.compile(one_of(words).pattern + "$")
