"""What a number counts: topic x aspect x unit.

Each number has a window: the words before it back to the number before, and those after it up to the next mark. A
reading of a metric is claimed where one of its words stands in the window, its topic is being talked about (in the
number's own phrase, else in the nearest phrase before that names one, else in a heading), the measure word fits and
no forbidding word stands in the phrase. The claims are weighed: longer words, nearer words, nearer topics win.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from extraction.catalogue import Catalogue, Reading
from extraction.model import Mention
from extraction.structure import Structure
from extraction.words import Hit, Hits, WordIndex, topics_of

_REACH = 120
"""No word further away than this says what a number is."""
_TAIL_REACH = 60
_NEEDS_REACH = 160
_DURATIONS = frozenset(
    ["天", "年", "个月", "月", "日", "小时", "个小时", "学时", "课时", "周", "个工作日", "工作日", "分钟", "周年"]
)
_RIGHT_END = re.compile(r"[,;。:\n|()!?]")
_OBJECT = re.compile(r"(?:^|[,;。:、\n])[^,;。:、\n]{0,4}?(?:对|将|把|就)[^,;。:\n]*$")
_MIN_SCORE = 4.0
_JOINTS = frozenset("、和及与或")
_MAX_JOINED = 12
_SUMMED = re.compile(r"^[^,。;:]{0,6}(?:共|共计|合计|总计)$")
"""12个部门共29个事项: the number before only says over how many."""
_IN_TURNS = re.compile(r"分[^,。;:\d]{0,8}$")
_PLAIN = re.compile(r"(?:个?事项|案件|问题|文件|意见|建议|人次|以上)?$")
"""After such a noun, or none, a word of an earlier piece may still say what is counted."""
_DONE = re.compile(r"进行|予以|报")
_TITLE = re.compile(r"《[^《》]*》")


@dataclass(frozen=True, slots=True)
class Number:
    """A mention at its place in the view."""

    index: int
    start: int
    end: int
    mention: Mention
    unit: str
    """The measure word in the script of the catalogue."""

    @property
    def is_duration(self) -> bool:
        return self.mention.unit_zh in _DURATIONS


@dataclass(frozen=True, slots=True)
class Window:
    """Half-open places of the view: words at `left:number` and `number:right` may say what the number is."""

    left: int
    piece: int
    right: int
    tail: int
    free: int
    """Before this place the words of earlier pieces belong to the number before."""
    in_turns: bool = False
    """分上下半年两次: the verb that is done so many times follows somewhere in the sentence."""
    labels: tuple[tuple[int, int], ...] = ()
    """Cells of a table that label the number: they stand for the phrase before it."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A reading that fits, how well, and by which word."""

    reading: Reading
    hit: Hit
    score: float
    side: str
    why: str


class Meaning:
    """Windows and claims of the numbers of one text."""

    def __init__(
        self, text: str, numbers: list[Number], structure: Structure, hits: Hits, words: WordIndex, catalogue: Catalogue
    ) -> None:
        self.text, self.numbers, self.structure, self.hits, self.words = text, numbers, structure, hits, words
        self._carriers = re.compile("(?:" + "|".join(map(re.escape, catalogue.carriers)) + ")")
        self.taken = 0
        """Words before this place have already said what a number before them is (1件申请人撤回,1件维持)."""
        self._general = catalogue.general
        counted = sorted(catalogue.counted, key=len, reverse=True)
        self._counted = re.compile("(?:" + "|".join(map(re.escape, counted)) + ")") if counted else None

    def window(self, number: Number) -> Window:
        bracket = self.structure.bracket_around(number.start)
        left = max(self.structure.clause_start(number.start), number.start - _REACH, 0)
        spoken = left
        if bracket:
            left = max(left, bracket[0] + 1)
        edge = number.start
        for other in reversed(self.numbers[max(0, number.index - 8) : number.index]):
            if other.end <= left:
                break
            if other.is_duration or self.structure.bracket_around(other.start) != bracket:
                continue
            between = self.text[other.end : edge]
            if _SUMMED.match(between) or (between.endswith("、") and self._is_counted(between[:-1])):
                edge = other.start
                continue
            left = other.end
            spoken = self.structure.piece_end(other.end) if other.unit else other.end
            break
        right, following = self._right(number)
        piece = max(left, self.structure.piece_start(number.start))
        tail = right
        clause = max(self.structure.clause_start(number.start), number.start - _REACH)
        if self.text[right : right + 1] in ",和及" and _OBJECT.search(self.text[clause : number.start]):
            shared = self.text[right : right + 1] != "," and following <= right + 1
            stop = self.structure.sentence_end(number.start)
            tail = min(stop if shared else following, stop, right + _TAIL_REACH)
        in_turns = number.unit in ("次", "轮", "批") and _IN_TURNS.search(self.text[left : number.start]) is not None
        if in_turns:
            tail = min(self.structure.sentence_end(number.start), right + _TAIL_REACH)
        return Window(left, piece, right, tail, min(spoken, piece), in_turns)

    def _is_counted(self, noun: str) -> bool:
        return self._counted is not None and self._counted.fullmatch(noun) is not None

    def _right(self, number: Number) -> tuple[int, int]:
        """Where the phrase after the number ends, and where the next number begins."""
        stop = _RIGHT_END.search(self.text, number.end, number.end + _REACH)
        if stop and stop.start() == number.end:
            return number.end, self._following(number)
        right = stop.start() if stop else min(number.end + _REACH, len(self.text))
        while stop and self.text[right] == "(":
            bracket = self.structure.bracket_around(right)
            closing = self.text.find(")", right, right + 12)
            if bracket or closing < 0:
                break
            stop = _RIGHT_END.search(self.text, closing + 1, number.end + _REACH)
            right = stop.start() if stop else min(number.end + _REACH, len(self.text))
        following = self._following(number)
        if following < right:
            cut = max(self.text.rfind(joint, number.end, following) for joint in "、及和")
            right = cut if cut >= 0 else following
        return right, following

    def _following(self, number: Number) -> int:
        """Where the next number that is no duration begins."""
        for other in self.numbers[number.index + 1 : number.index + 6]:
            if not other.is_duration:
                return other.start
        return len(self.text)

    def claims(self, number: Number, window: Window, *, changed: bool = False) -> list[Claim]:
        """All readings that fit, best first, one per metric. `changed`: those of which a rate of change is stated."""
        own = topics_of(self._own_topics(number, window))
        inherited = self._inherited(number, window, own)
        needs: set[int] | None = None
        spoken: dict[str, int] | None = None
        follows = self._counted.match(self.text, number.end) if self._counted and number.unit else None
        best: dict[str, Claim] = {}
        for hit, side, gap in self._named(number, window):
            for reading in hit.word.names:
                fits = "%" not in reading.units if changed else accepts_unit(reading, number, gap if side == "left" else 9)
                if not fits:
                    continue
                index = self.words.numbers[id(reading)]
                if self._carriers.match(self.text, hit.end) or self._is_forbidden(index, hit, number, window):
                    continue
                if follows and not self._counts(reading, follows[0], side, hit, number):
                    continue
                if side == "tail" and spoken is None:
                    spoken = own | topics_of(self.hits.topics.inside(window.right, window.tail))
                topic = self._topic_score(reading, spoken if side == "tail" and spoken else own, inherited)
                if topic is None:
                    continue
                if reading.needs:
                    needs = self._needed(number, window) if needs is None else needs
                    if index not in needs:
                        continue
                score = self._score(reading, hit, side, gap, number, window) + topic
                held = best.get(reading.metric)
                if score >= _MIN_SCORE and (held is None or score > held.score):
                    best[reading.metric] = Claim(reading, hit, score, side, f"{hit.word.text}/{side}")
        return sorted(best.values(), key=lambda claim: (-claim.score, self.words.numbers[id(claim.reading)]))

    def _score(self, reading: Reading, hit: Hit, side: str, gap: int, number: Number, window: Window) -> float:
        score = 2.0 * min(hit.end - hit.start, 6)
        if side == "left":
            labelled = any(start <= hit.start < end for start, end in window.labels)
            score -= min(gap / 3, 6.0)
            if hit.start < window.piece and not labelled:
                score -= 2.0 if _PLAIN.match(self.text[number.end : window.right]) else 4.0
        elif side == "right":
            score -= min(gap / 3, 6.0) + 1.0
        else:
            score -= 1.0 if window.in_turns else 6.0 + min(gap / 8, 4.0)
        if reading.needs:
            score += 2.0
        return score - (8.0 if reading.weak else 0.0)

    def _counts(self, reading: Reading, noun: str, side: str, hit: Hit, number: Number) -> bool:
        """A counted noun after the number leaves it only to readings that count it or name something right there."""
        if any(noun in count or count in noun for count in reading.counts):
            return True
        return side == "right" and hit.start - number.end <= 3 and not reading.counts

    def _is_forbidden(self, index: int, hit: Hit, number: Number, window: Window) -> bool:
        """Whether a forbidding word stands in the phrase, from the piece of the naming word on, but not inside it."""
        start = min(window.piece, max(window.left, self.structure.piece_start(hit.start)))
        spans = [*window.labels, (start, number.start), (number.end, max(window.right, hit.end))]
        return any(
            index in mark.word.forbids and not (hit.start <= mark.start and mark.end <= hit.end)
            for span in spans
            for mark in self._outside_brackets(self.hits.marks.inside(*span), number)
        )

    def _own_topics(self, number: Number, window: Window) -> Iterator[Hit]:
        topics = self.hits.topics
        for start, end in window.labels:
            yield from topics.inside(start, end)
        yield from self._outside_brackets(topics.inside(window.piece, number.start), number)
        yield from topics.inside(number.end, window.right)

    def _outside_brackets(self, hits: Iterator[Hit], number: Number) -> Iterator[Hit]:
        bracket = self.structure.bracket_around(number.start)
        return (hit for hit in hits if self.structure.bracket_around(hit.start) in (None, bracket))

    def _named(self, number: Number, window: Window) -> Iterator[tuple[Hit, str, int]]:
        for start, end in window.labels:
            for hit in self.hits.names.inside(start, end):
                yield hit, "left", 0
        for hit in self._outside_brackets(self.hits.names.inside(max(window.left, self.taken), number.start), number):
            if hit.start >= window.free:
                yield hit, "left", self._gap(hit.end, number.start)
        if not number.unit:
            return
        for hit in self.hits.names.inside(number.end, window.right):
            yield hit, "right", hit.start - number.end
        for hit in self.hits.names.inside(window.right, window.tail):
            yield hit, "tail", hit.start - number.end

    def _gap(self, start: int, end: int) -> int:
        """Characters between a word and its number; a bracket or a document's name is no distance."""
        if end > start and self.text[end - 1] == ")":
            bracket = self.structure.bracket_around(end - 1)
            end = max(start, bracket[0]) if bracket else end
        between = self.text[start:end]
        return len(_TITLE.sub("", between)) if "《" in between else len(between)

    def is_done(self, claim: Claim, number: Number) -> bool:
        """Whether a word after the number is something done to what it counts (进行了备案)."""
        start = max(self.structure.piece_start(claim.hit.start), number.end)
        return _DONE.search(self.text[start : claim.hit.end]) is not None

    def is_joint(self, claim: Claim) -> bool:
        """撤销和确认违法65件: one figure for two metrics of one topic is a figure of neither."""
        start, reading = claim.hit.start, claim.reading
        if claim.side != "left" or self.text[start - 1 : start] not in _JOINTS:
            return False
        for other in self.hits.names.inside(start - 1 - _MAX_JOINED, start - 1):
            if other.end == start - 1 and all(named.metric != reading.metric for named in other.word.names):
                return any(set(named.topics) & set(reading.topics) for named in other.word.names)
        return False

    def _needed(self, number: Number, window: Window) -> set[int]:
        floor = max(self.structure.sentence_start(number.start), number.start - _NEEDS_REACH)
        needed = {index for hit in self.hits.marks.inside(floor, window.tail) for index in hit.word.needs}
        for start, end in window.labels:
            needed |= {index for hit in self.hits.marks.inside(start, end) for index in hit.word.needs}
        for start, end in self.structure.heads_above(self.structure.block_at(number.start))[:1]:
            needed |= {index for hit in self.hits.marks.inside(start, end) for index in hit.word.needs}
        return needed

    def _inherited(self, number: Number, window: Window, own: dict[str, int]) -> dict[str, float]:
        """Topics in force at the number though its phrase does not name them, with their worth."""
        worth: dict[str, float] = {}
        block = self.structure.block_at(number.start)
        for depth, (start, end) in enumerate(self.structure.heads_above(block)):
            named = topics_of(self.hits.topics.inside(start, min(end, window.piece)))
            if start == self.structure.title_start and self._general & set(named):
                continue
            for topic in named:
                worth.setdefault(topic, 2.0 - 0.5 * min(depth, 3))
        floor = self.structure.blocks[block].start if block is not None else 0
        last = self.hits.topics.last_before(window.piece, floor)
        if last is None:
            return {} if own else worth
        sentence = self.structure.sentence_start(number.start)
        in_sentence = last.start >= sentence
        start = max(self.structure.piece_start(last.start), floor, last.start - _TAIL_REACH)
        near = topics_of(self.hits.topics.inside(start, window.piece))
        if in_sentence:
            worth = {topic: value - 1.0 for topic, value in worth.items()}
        worth |= dict.fromkeys(near, 4.0 if in_sentence else 2.5)
        return {} if own else worth

    @staticmethod
    def _topic_score(reading: Reading, own: dict[str, int], inherited: dict[str, float]) -> float | None:
        if not reading.topics:
            return 3.0
        owned = [min(own[topic], 6) for topic in reading.topics if topic in own]
        if owned:
            return 2.0 + max(owned)
        values = [inherited[topic] for topic in reading.topics if topic in inherited]
        return max(values) if values else None


def accepts_unit(reading: Reading, number: Number, gap: int) -> bool:
    """Whether the measure word fits. A lost one is read through where the naming word stands right at the number."""
    unit = number.unit
    if unit in reading.units:
        return True
    if not unit:
        return gap <= 1 and not reading.units & {"%", "元"} and number.mention.numeral == "arabic"
    if unit.endswith("元"):
        return "元" in reading.units
    return unit.startswith(("余", "多")) and unit[1:] in reading.units
