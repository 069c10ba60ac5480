"""The build of a report: numbered blocks with heads, sentences, pieces between commas, brackets.

All positions are positions of the view. Everything is found in single passes; nothing here knows a word of the domain
but the words with which a report announces its plans.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import lru_cache

_HAN = "一二三四五六七八九十"
_LINE = re.compile(r"[^\n]+")
_OPENING = re.compile(
    rf"(?P<l1>第?[{_HAN}]{{1,3}}[、章])|(?P<l2>\([{_HAN}]{{1,3}}\))|(?P<l3>\(?\d{{1,2}}[.、)](?!\d))|(?P<l4>[{_HAN}]{{1,2}}是)"
)
_INNER = re.compile(
    # One character is taken first, so that the search skips from one of these to the next.
    rf"[({_HAN}首其再另](?:(?P<l2>(?<=[。;:)]\()[{_HAN}]{{1,3}}\))"
    rf"|(?P<l4>(?<![唯之统第同万{_HAN}].)(?<=[{_HAN}])[{_HAN}]?是)"
    r"|(?<=[。;:,].)(?:(?<=首)先|(?<=其)次|(?<=再)次|(?<=另)一方面|(?<=一)方面)[,是]?)"
)
_LEVELS = {"l1": 1, "l2": 2, "l3": 3, "l4": 4}
_PARAGRAPH = 5
_MIN_PARAGRAPH = 15
_HEAD_END = re.compile(r"[。\n;:]")
_MAX_HEAD = 60
_MAX_TITLE_LINE = 40
_QUESTION = "问:"
"""An interview: each question heads the answer below it."""
_PIECE_END = re.compile(r"[。!?\n;,:|]")
_CLAUSE_MARKS = frozenset("。!?\n;")
_SENTENCE_MARKS = frozenset("。!?\n")
_IN_SENTENCES = re.compile("[。;,]")
_NO_TITLE = re.compile("[。;|]")
_BRACKET = re.compile(r"\(([^()\n]{1,120})\)")
_PLAN = re.compile(  # Each begins with a character, by which the search skips ahead.
    r"下一步|下步|下阶段|打算|工作计划|年计划|、计划|和计划|及计划|,计划|工作安排|工作思路|工作重点|年安排|工作展望"
    r"|努力方向|工作目标|年工作要点|今后工作|主要目标|工作要求|年重点工作|年主要工作|年工作(?!情况|总结|报告|回顾|开展|完成|的)|改进措施"
)
_PLAN_HEAD = re.compile(".{0,4}计划。?$")
_NEXT = "在?(?:下一步|下步|下阶段|今后|接下来|新的一年|明年|来年)"
_ANNOUNCED = re.compile(r"在?(?:下一步|下步|下阶段|今后|接下来|新的一年|[明来]年)")
_ANNOUNCING = frozenset("在下今接新明来")
_LEADS_ON = re.compile(r"(?:以下|如下|几个?方面|几项)[^。]{0,12}。$")
"""A paragraph that announces the items below it, as one that ends with a colon does."""
_REVIEW = re.compile(r"回顾|完成情况|落实情况|开展情况|工作情况|工作总结|上一年度")


@dataclass(slots=True, eq=False)
class Block:
    """A numbered part, written by nobody; `head_end` closes its heading. `is_plan`: it speaks of what is to come."""

    start: int
    head_end: int
    level: int
    parent: int | None
    is_plan: bool


class Structure:
    """Where sentences, clauses, pieces and blocks begin and end. Build once a text."""

    def __init__(self, text: str, report_year: int | None, number_starts: list[int]) -> None:
        self.text = text
        self._pieces = [match.end() for match in _PIECE_END.finditer(text)]
        self._clauses = [end for end in self._pieces if text[end - 1] in _CLAUSE_MARKS]
        self._sentences = [end for end in self._clauses if text[end - 1] in _SENTENCE_MARKS]
        self.brackets = [
            (match.start(), match.end())
            for match in _BRACKET.finditer(text)
            if bisect_left(number_starts, match.start()) < bisect_left(number_starts, match.end())
        ]
        self._bracket_starts = [start for start, _ in self.brackets]
        self.blocks = _find_blocks(text, report_year, number_starts)
        self.title_start = self.blocks[0].start if self.blocks and self.blocks[0].level < 0 else -1
        self.is_plan_title = self.title_start >= 0 and self.blocks[0].is_plan
        self._announced = [
            end
            for end in self._clauses
            if text[end : end + 1] in _ANNOUNCING and text[end - 1] in "。;!" and _ANNOUNCED.match(text, end)
        ]
        self._block_starts = [block.start for block in self.blocks]

    def sentence_start(self, position: int) -> int:
        index = bisect_right(self._sentences, position)
        return self._sentences[index - 1] if index else 0

    def sentence_end(self, position: int) -> int:
        index = bisect_right(self._sentences, position)
        return self._sentences[index] if index < len(self._sentences) else len(self.text)

    def clause_start(self, position: int) -> int:
        index = bisect_right(self._clauses, position)
        return self._clauses[index - 1] if index else 0

    def clause_end(self, position: int) -> int:
        index = bisect_right(self._clauses, position)
        return self._clauses[index] if index < len(self._clauses) else len(self.text)

    def piece_start(self, position: int) -> int:
        index = bisect_right(self._pieces, position)
        return self._pieces[index - 1] if index else 0

    def piece_end(self, position: int) -> int:
        """The end of the piece without the mark that closes it."""
        index = bisect_right(self._pieces, position)
        return self._pieces[index] - 1 if index < len(self._pieces) else len(self.text)

    def bracket_around(self, position: int) -> tuple[int, int] | None:
        """The bracket with numbers in it that holds the position."""
        index = bisect_right(self._bracket_starts, position) - 1
        if index >= 0 and self.brackets[index][1] > position:
            return self.brackets[index]
        return None

    def has_brackets(self, start: int, end: int) -> bool:
        """Whether any bracket with numbers in it lies in part between two places."""
        index = bisect_left(self._bracket_starts, end)
        return index > 0 and self.brackets[index - 1][1] > start

    def block_at(self, position: int) -> int | None:
        index = bisect_right(self._block_starts, position) - 1
        return index if index >= 0 else None

    def floor_at(self, position: int) -> int:
        """Where the block begins in which a time expression rules the position; a bare heading rules nothing."""
        index = self.block_at(position)
        if index is None:
            return 0
        block = self.blocks[index]
        return block.start if block.level > 0 else block.head_end

    def heads_above(self, index: int | None) -> list[tuple[int, int]]:
        """The heads of a block and of those around it, innermost first."""
        heads = []
        while index is not None:
            block = self.blocks[index]
            heads.append((block.start, block.head_end))
            index = block.parent
        return heads

    def title_end(self) -> int:
        """Where the first line that is not empty ends."""
        start = len(self.text) - len(self.text.lstrip("\n"))
        end = self.text.find("\n", start)
        return end if end >= 0 else len(self.text)

    def is_plan(self, position: int) -> bool:
        index = self.block_at(position)
        while index is not None:
            if self.blocks[index].is_plan:
                return True
            index = self.blocks[index].parent
        return False

    def announced_at(self, position: int) -> int | None:
        """Where an earlier sentence of the same paragraph begins to speak of what is to come."""
        index = bisect_right(self._announced, position) - 1
        if index < 0 or "\n" in self.text[self._announced[index] : position]:
            return None
        return self._announced[index]


@lru_cache(maxsize=64)
def _compile_opening(report_year: int | None) -> re.Pattern[str]:
    """How a part opens: its number, if it has one; where its words begin, the group `words`; and by what they turn to
    the time to come: in the group `next` a word, in the group `coming` the year itself."""
    coming = rf"|(?P<coming>{report_year + 1}年)" if report_year is not None else ""
    return re.compile(rf"(?:{_OPENING.pattern})?+(?P<words>)(?:\W{{0,3}}(?:(?P<next>{_NEXT}){coming}))?")


def _opens_plan(text: str, start: int, end: int, opening: re.Pattern[str], *, is_heading: bool) -> bool:
    """A heading that speaks of plans, or any part that begins with the year to come."""
    opened = opening.match(text, start, end)
    turn = opened.lastgroup if opened is not None else None
    if opened is None or turn == "coming" or not is_heading:
        return turn == "coming" or turn == "next"
    start = opened.start("words")
    if _PLAN.search(text, start, end) is None and _PLAN_HEAD.match(text, start, end) is None:
        return False
    return _REVIEW.search(text, start, end) is None


def _line_level(text: str, start: int, end: int, line: str, opening: re.Pattern[str]) -> int | None:
    """The level of the block that a line opens; None for a cell or scrap that belongs to what stands above."""
    if line.startswith(_QUESTION):
        return 0
    numbered = _OPENING.match(line)
    if numbered:
        return _LEVELS[numbered.lastgroup or "l4"]
    if "|" in line:
        return None
    is_short = len(line) <= _MAX_TITLE_LINE and not _IN_SENTENCES.search(line)
    if is_short and ("年" in line or _opens_plan(text, start, end, opening, is_heading=True)):
        return 0
    return _PARAGRAPH if len(line) >= _MIN_PARAGRAPH or line[-1] in "。;" else None


def _leads_on(line: str) -> bool:
    if line[-1] == "。":
        tail = line[-_MAX_TITLE_LINE:]
        return ("下" in tail or "几" in tail) and _LEADS_ON.search(tail) is not None
    return line[-1] == ":"


def _find_blocks(text: str, report_year: int | None, number_starts: list[int]) -> list[Block]:
    opening = _compile_opening(report_year)
    blocks: list[Block] = []
    open_blocks: list[int] = []
    leads_on = False
    """Whether the items that follow belong to a paragraph that has announced plans."""

    def add(start: int, end: int, level: int, is_plan: bool = False) -> None:
        while open_blocks and blocks[open_blocks[-1]].level >= level:
            open_blocks.pop()
        limit = min(end, start + _MAX_HEAD)
        blocks.append(Block(start, limit, level, open_blocks[-1] if open_blocks else None, is_plan))
        open_blocks.append(len(blocks) - 1)

    for match in _LINE.finditer(text):
        (start, end), line = match.span(), match[0]
        is_title = not blocks and len(line) <= _MAX_HEAD and not _NO_TITLE.search(line)
        level = -1 if is_title else _line_level(text, start, end, line, opening)
        if level is not None:
            leads_on = leads_on and 1 < level < _PARAGRAPH
            add(start, end, level, leads_on)
        if (level is None or level == _PARAGRAPH) and _leads_on(line):
            leads_on = _opens_plan(text, start, end, opening, is_heading=False)
        for inner in _INNER.finditer(text, start + 1, end):
            add(inner.start(), end, _LEVELS[inner.lastgroup] if inner.lastgroup else 4)
    _read_heads(text, blocks, number_starts, opening)
    return blocks


def _read_heads(text: str, blocks: list[Block], number_starts: list[int], opening: re.Pattern[str]) -> None:
    """Where the heads end, which were said to end at their limits, and which of them speak of plans: of the first
    block, of those with numbers in them and of those around these. Nobody asks for the others."""
    starts, asked = [block.start for block in blocks], set[int]()
    for place in (0, *number_starts):
        index: int | None = max(bisect_right(starts, place) - 1, 0) if blocks else None
        while index is not None and index not in asked:
            asked.add(index)
            index = blocks[index].parent
    for block in [blocks[index] for index in asked]:
        start, head_end = block.start, block.head_end
        stop = _HEAD_END.search(text, start + len(_QUESTION) if text.startswith(_QUESTION, start) else start, head_end)
        if stop is not None:
            head_end = stop.start()
        is_heading = block.level < _LEVELS["l4"]
        block.is_plan = block.is_plan or _opens_plan(text, start, head_end, opening, is_heading=is_heading)
        first = bisect_left(number_starts, start)
        if block.level == _PARAGRAPH or (first < len(number_starts) and number_starts[first] < head_end):
            head_end = start  # a sentence with a number is no heading
        block.head_end = head_end
