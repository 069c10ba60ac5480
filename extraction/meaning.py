"""What a number counts: topic x aspect x unit.

Each number has a window: the words before it back to the number before, and those after it up to the next mark. A
reading of a metric is claimed where one of its words stands in the window, its topic is being talked about (in the
number's own phrase, else in the nearest phrase before that names one, else in a heading), the measure word fits and
no forbidding word stands in the phrase. The claims are weighed: longer words, nearer words, nearer topics win.
"""

from __future__ import annotations

import re
from typing import final

from extraction.catalogue import Catalogue, Reading
from extraction.structure import Structure
from extraction.trace import Considered, Outcome, Trace
from extraction.windows import REACH, TAIL_REACH, Number, Window, ends_in, one_of
from extraction.words import Hit, Hits, WordIndex, topics_of

_NEEDS_REACH = 160
_MIN_SCORE = 4.0
_JOINTS = frozenset("、和及与或")
_MAX_JOINED = 12
_PLAIN = re.compile(r"(?:个?事项|案件|问题|文件|意见|建议|人次|以上)?$")
"""After such a noun, or none, a word of an earlier piece may still say what is counted."""
_DONE = re.compile(r"进行|予以|报|向")
_NOTHING: dict[str, float] = {}
_TITLE = re.compile(r"《[^《》]*》")


@final
class Claim:
    """A reading that fits, how well, and by which word."""

    __slots__ = ("hit", "reading", "score", "side")

    def __init__(self, reading: Reading, hit: Hit, score: float, side: str) -> None:
        self.reading, self.hit, self.score, self.side = reading, hit, score, side

    @property
    def why(self) -> str:
        return f"{self.hit.word.text}/{self.side}"


class Meaning:
    """The claims of metrics on the numbers of one text."""

    def __init__(
        self, text: str, structure: Structure, hits: Hits, words: WordIndex, catalogue: Catalogue, trace: Trace | None
    ) -> None:
        self.text, self.structure, self.hits, self.words, self.trace = text, structure, hits, words, trace
        self._carriers, self._counted = one_of(catalogue.carriers), one_of(catalogue.counted)
        self._carried_before = ends_in(catalogue.carriers)
        self._carrier_firsts = frozenset(word[:1] for word in catalogue.carriers)
        self._carrier_lasts = frozenset(["\n", *(word[-1:] for word in catalogue.carriers)])
        self._counted_firsts = frozenset(word[:1] for word in catalogue.counted)
        self.taken = 0
        """Words before this place have already said what a number before them is (1件申请人撤回,1件维持)."""
        self._general = catalogue.general
        self._lowered: dict[str, float] = {}
        self._heads: tuple[int | None, int, dict[str, float]] | None = None
        self._seen: Number | None = None
        self._follows: re.Match[str] | None = None
        self._carried: re.Match[str] | None = None

    def claims(self, number: Number, window: Window, *, changed: bool = False) -> list[Claim]:
        """All readings that fit, best first, one per metric. `changed`: those of which a rate of change is stated."""
        trace, unit = self.trace, number.unit
        fitting: list[tuple[Hit, str, int, list[Reading]]] = []
        for hit, side, gap in self._named(number, window):
            readings = hit.word.names_by_unit.get(unit) if unit and not changed else None
            if readings is None:
                readings = self._list_fitting(hit, side, gap, number, changed)
            if readings:
                fitting.append((hit, side, gap, readings))
            if trace is not None and not changed:
                for reading in hit.word.names:
                    if reading not in readings:
                        self._tell(number, reading, hit, side, "unit", unit)
        if not fitting:
            return []
        own = self._own_topics(number, window)
        spoken = own
        if window.right < window.tail:
            spoken = own | topics_of(self.hits.topics.inside(window.right, window.tail))
        inherited = _NOTHING if own else self._inherited(number, window)
        needed: set[int] | None = None
        best: dict[str, Claim] = {}
        for hit, side, gap, readings in fitting:
            base: float | None = None
            for reading in readings:
                topic: float | None = 3.0
                if reading.topics:
                    topic = _weigh_topics(reading, spoken if side == "tail" else own, inherited)
                if topic is None or (side == "shared" and own.keys().isdisjoint(reading.topics)):
                    if trace is not None:
                        self._tell(number, reading, hit, side, "topic", "、".join(reading.topics))
                    continue
                if base is None:
                    base = self._weigh_place(hit, side, gap, number, window)
                score = base + 2.0 if reading.needs else base
                score = (score - 8.0 if reading.weak else score) + topic
                held = best.get(reading.metric)
                if score < _MIN_SCORE or (held is not None and held.score >= score):
                    if trace is not None:
                        outcome: Outcome = "weak_score" if score < _MIN_SCORE else "outranked"
                        self._tell(number, reading, hit, side, outcome, "", score)
                    continue
                if reading.needs and needed is None:
                    needed = self._needed(number, window)
                barred = self._find_bar(reading, hit, side, number, window, needed)
                if barred is not None:
                    if trace is not None:
                        self._tell(number, reading, hit, side, *barred, score)
                    continue
                best[reading.metric] = Claim(reading, hit, score, side)
        claims = self._rank(number, window, best)
        if trace is not None and not changed:
            for metric, claim in best.items():
                outcome = "taken" if claims and claims[0].reading.metric == metric else "outranked"
                spoken_here = [topic for topic in claim.reading.topics if topic in spoken]
                above = [f"{topic}↑" for topic in claim.reading.topics if topic in inherited and not spoken_here]
                told = "、".join(spoken_here or above)
                self._tell(number, claim.reading, claim.hit, claim.side, outcome, told, claim.score)
        return claims

    @staticmethod
    def _list_fitting(hit: Hit, side: str, gap: int, number: Number, changed: bool) -> list[Reading]:
        """The readings of a word whose measure word fits; where there is one they depend on nothing else."""
        if changed:
            return [reading for reading in hit.word.names if "%" not in reading.units]
        if not number.unit:
            if hit.word.text[-1] == "率":  # 网上可办率98.2: the sign is lost
                beside = side == "left" and gap <= 1 and (number.mention.value or 0) <= 100
                return [reading for reading in hit.word.names if beside and "%" in reading.units]
            return [reading for reading in hit.word.names if accepts_unit(reading, number, gap, side)]
        readings = hit.word.names_by_unit.get(number.unit)
        if readings is None:
            readings = [reading for reading in hit.word.names if accepts_unit(reading, number, gap, side)]
            hit.word.names_by_unit[number.unit] = readings
        return readings

    def _rank(self, number: Number, window: Window, best: dict[str, Claim]) -> list[Claim]:
        """The claims that stand beside each other, best first."""
        if not best or (len(best) < 2 and not window.runs_on):
            return list(best.values())
        if not all(claim.side == "shared" for claim in best.values()):
            best = {metric: claim for metric, claim in best.items() if claim.side != "shared"}
        if not all(claim.reading.weak for claim in best.values()):
            best = {metric: claim for metric, claim in best.items() if not claim.reading.weak}
        if window.runs_on and any(number.start - claim.hit.end in (0, 1) for claim in best.values()):
            best = {metric: claim for metric, claim in best.items() if claim.side != "right"}
        return sorted(best.values(), key=lambda claim: (-claim.score, self.words.numbers[id(claim.reading)]))

    def _tell(
        self, number: Number, reading: Reading, hit: Hit, side: str, outcome: Outcome, detail: str,
        score: float | None = None,
    ) -> None:  # fmt: skip
        """Write into the trace, if there is one, what became of a reading."""
        if self.trace is not None:
            told = Considered(reading.metric, hit.word.text, hit.start, side, outcome, detail, score)
            self.trace.consider(number.index, told)

    def _find_bar(
        self, reading: Reading, hit: Hit, side: str, number: Number, window: Window, needed: set[int] | None
    ) -> tuple[Outcome, str] | None:
        """What in the text says that the reading is not meant here, with the words that say so."""
        if reading.needs and (needed is None or self.words.numbers[id(reading)] not in needed):
            return "needs", "、".join(reading.needs[:6])
        if self._seen is not number:
            self._look_around(number)
        follows, carried = self._follows, self._carried
        if follows is not None and not self._counts(reading, follows[0], side, hit, number):
            return "counted", follows[0]
        carrier = None
        if self.text[hit.end : hit.end + 1] in self._carrier_firsts:
            carrier = self._carriers.match(self.text, hit.end)
        if carrier is None and carried is not None and hit.end <= carried.start():
            carrier = carried
        if carrier is not None:
            return "carrier", carrier[0]
        if not reading.forbids:
            return None
        forbidding = self._find_forbidding(self.words.numbers[id(reading)], hit, number, window)
        return None if forbidding is None else ("forbidden", forbidding)

    def _look_around(self, number: Number) -> None:
        """The noun after a number and the carrier before it (复议受理窗口15个), which may be what it counts."""
        text, start, end = self.text, number.start, number.end
        self._seen, self._follows, self._carried = number, None, None
        if number.unit and text[end : end + 1] in self._counted_firsts:
            self._follows = self._counted.match(text, end)
        if text[start - 1] in self._carrier_lasts:
            self._carried = self._carried_before.search(text, max(0, start - _MAX_JOINED), start)

    def _weigh_place(self, hit: Hit, side: str, gap: int, number: Number, window: Window) -> float:
        size = hit.end - hit.start
        score = 2.0 * size if size < 6 else 12.0
        if side == "left":
            score -= gap / 3 if gap < 18 else 6.0
            if hit.start < window.piece and not any(start <= hit.start < end for start, end in window.labels):
                score -= 2.0 if _PLAIN.match(self.text[number.end : window.right]) else 4.0
        elif side == "right":
            score -= min(gap / 3, 6.0) + 1.0
        elif side == "shared":
            score -= 3.0
        else:
            score -= 1.0 if window.in_turns else 6.0 + min(gap / 8, 2.0)
        return score

    def _counts(self, reading: Reading, noun: str, side: str, hit: Hit, number: Number) -> bool:
        """A counted noun after the number leaves it only to readings that count it or name something right there."""
        if any(noun in count or count in noun for count in reading.counts):
            return True
        return side == "right" and hit.start < number.end + len(noun) and not reading.counts

    def _find_forbidding(self, index: int, hit: Hit, number: Number, window: Window) -> str | None:
        """The forbidding word that stands in the phrase, from the piece of the naming word on, but not inside it."""
        start = window.piece
        if window.left < start and hit.start < start:
            start = min(start, max(window.left, self.structure.piece_start(hit.start)))
        forbidding = self.hits.marks.forbidding
        marks = [] if start == number.start else forbidding(index, start, number.start)
        if window.labels:
            marks = [mark for label in window.labels for mark in forbidding(index, *label)] + marks
        end = max(window.right, hit.end)
        if number.unit and end > number.end:
            beside = 0 <= number.start - hit.end <= 1
            if not (beside and window.runs_on):  # where a mark was lost another phrase has begun
                marks += forbidding(index, number.end, end)
        for mark in marks:
            inside = hit.start <= mark.start and mark.end <= hit.end
            if not inside and self._is_outside_brackets(mark.start, number):
                return mark.word.text
        return None

    def _own_topics(self, number: Number, window: Window) -> dict[str, int]:
        inside = self.hits.topics.inside
        found: list[Hit] = []
        for start, end in window.labels:
            found += inside(start, end)
        if window.piece < number.start and (hits := inside(window.piece, number.start)):
            found += self._outside_brackets(hits, window.piece, number) if self.structure.brackets else hits
        if number.end < window.right:
            found += inside(number.end, window.right)
        return topics_of(found) if found else {}

    def _outside_brackets(self, hits: list[Hit], start: int, number: Number) -> list[Hit]:
        """Those of `hits`, which lie from `start` on near a number, that lie in no bracket or in the number's own."""
        structure = self.structure
        if not hits or not structure.has_brackets(start, number.end + REACH + TAIL_REACH + 20):
            return hits
        return [hit for hit in hits if structure.bracket_around(hit.start) in (None, number.bracket)]

    def _is_outside_brackets(self, place: int, number: Number) -> bool:
        bracket = self.structure.bracket_around(place)
        return bracket is None or bracket == number.bracket

    def _named(self, number: Number, window: Window) -> list[tuple[Hit, str, int]]:
        inside = self.hits.names.inside
        found: list[tuple[Hit, str, int]] = []
        for label in window.labels:
            found += [(hit, "left", 0) for hit in inside(*label)]
        left, start = max(window.left, self.taken, window.free), number.start
        if left < start and (hits := inside(left, start)):
            plain = "《" not in self.text[left:start] and self.text[start - 1] != ")"
            if self.structure.brackets:
                hits = self._outside_brackets(hits, left, number)
            for hit in hits:
                found.append((hit, "left", start - hit.end if plain else self._gap(hit.end, start)))
        if window.shared:
            for hit in inside(*window.shared):
                for word in [hit.word, *hit.word.openings]:
                    found.append((Hit(hit.start, hit.start + len(word.text), word), "shared", 0))
        if not number.unit:
            return found
        if number.end < window.right:
            for hit in inside(number.end, window.right):
                if not (window.runs_on and hit.end == window.right):  # 发3起破3起: a word at the next number is its own
                    found.append((hit, "right", hit.start - number.end))
        if window.right < window.tail:
            found += [(hit, "tail", hit.start - number.end) for hit in inside(window.right, window.tail)]
        return found

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
        floor = max(number.sentence, number.start - _NEEDS_REACH)
        needed = self.hits.marks.needed(floor, window.tail)
        for start, end in window.labels:
            needed |= self.hits.marks.needed(start, end)
        if number.block is not None:
            head = self.structure.blocks[number.block]
            if head.start != self.structure.title_start:
                needed |= self.hits.marks.needed(head.start, head.head_end)
        return needed

    def _inherited(self, number: Number, window: Window) -> dict[str, float]:
        """Topics in force at the number though its phrase does not name them, with their worth."""
        block = number.block
        worth = self._worth_of_heads(block, window.piece)
        floor = self.structure.blocks[block].start if block is not None else 0
        last = self.hits.topics.last_before(window.piece, floor)
        if last is None:
            return worth
        in_sentence = last.start >= number.sentence
        start = max(self.structure.piece_start(last.start), floor, last.start - TAIL_REACH)
        near = 4.0 if in_sentence else 2.5
        # a title is too far away where the sentence itself has named something
        worth = dict(self._lowered if in_sentence else worth)
        for hit in self.hits.topics.inside(start, window.piece):
            for topic in hit.word.topics:
                worth[topic] = near
        return worth

    def _worth_of_heads(self, block: int | None, piece: int) -> dict[str, float]:
        """The topics of the heads above a place; remembered, for all numbers of a block are below the same heads."""
        if self._heads is not None and self._heads[0] == block and self._heads[1] <= piece:
            return self._heads[2]
        worth: dict[str, float] = {}
        heads = self.structure.heads_above(block)
        for depth, (start, end) in enumerate(heads):
            named = topics_of(self.hits.topics.inside(start, min(end, piece)))
            if start == self.structure.title_start and self._general & set(named):
                continue
            for topic in named:
                worth.setdefault(topic, 2.0 - 0.5 * min(depth, 3))
        self._lowered = {topic: value - 1.0 for topic, value in worth.items() if value > 1.0}
        last_end = max([end for _, end in heads], default=0)
        self._heads = None
        if last_end <= piece:
            self._heads = block, last_end, worth
        return worth


def _weigh_topics(reading: Reading, own: dict[str, int], inherited: dict[str, float]) -> float | None:
    """What the topics of a reading that are spoken of are worth; None where none is."""
    longest, worth = 0, 0.0
    if own:
        for topic in reading.topics:
            if topic in own and own[topic] > longest:
                longest = own[topic]
        if longest:
            return 2.0 + longest if longest < 6 else 8.0
    if inherited:
        for topic in reading.topics:
            if topic in inherited and inherited[topic] > worth:
                worth = inherited[topic]
    return worth or None  # what is inherited is always worth something


def accepts_unit(reading: Reading, number: Number, gap: int, side: str) -> bool:
    """Whether the measure word fits. A lost one is read through where the naming word stands right at the number."""
    unit = number.unit
    if unit in reading.units:
        return True
    if not unit:
        return side == "left" and gap <= 1 and not reading.units & {"%", "元"} and number.mention.numeral == "arabic"
    if unit.endswith("元"):
        return "元" in reading.units
    if unit == "人次":  # attendances are no persons
        return False
    return (unit[0] in "余多" and unit[1:] in reading.units) or (unit[-1] == "次" and unit[:-1] in reading.units)
