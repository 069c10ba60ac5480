"""The build of a report: numbered blocks with heads, sentences, pieces between commas, brackets.

All positions are positions of the view. Everything is found in single passes; nothing here knows a word of the domain
but the words with which a report announces its plans.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass

_HAN = "一二三四五六七八九十"
_LINE = re.compile(r"[^\n]+")
_OPENING = re.compile(
    rf"(?P<l1>第?[{_HAN}]{{1,3}}[、章])|(?P<l2>\([{_HAN}]{{1,3}}\))|(?P<l3>\(?\d{{1,2}}[.、)](?!\d))|(?P<l4>[{_HAN}]{{1,2}}是)"
)
_INNER = re.compile(
    rf"(?<=[。;:)])(?P<l2>\([{_HAN}]{{1,3}}\))"
    rf"|(?<![唯之统第同万{_HAN}])(?P<l4>[{_HAN}]{{1,2}}是)|(?<=[。;:,])(?:首先|其次|再次|另一方面|一方面)[,是]?"
)
_LEVELS = {"l1": 1, "l2": 2, "l3": 3, "l4": 4}
_PARAGRAPH = 5
_MIN_PARAGRAPH = 15
_HEAD_END = re.compile(r"[。\n;:]")
_MAX_HEAD = 60
_MAX_TITLE_LINE = 40
_SENTENCE_END = re.compile(r"[。!?\n]")
_CLAUSE_END = re.compile(r"[。!?\n;]")
_PIECE_END = re.compile(r"[。!?\n;,:|]")
_BRACKET = re.compile(r"\(([^()\n]{1,120})\)")
_PLAN = re.compile(
    r"下一步|下步|下阶段|打算|工作计划|年计划|[、和及,]计划|^.{0,4}计划。?$|工作安排|工作思路|工作重点|年安排|工作展望"
    r"|努力方向|工作目标|今后工作|主要目标|工作要求|年重点工作|年主要工作|年工作(?!情况|总结|报告|回顾|开展|完成|的)|改进措施"
)
_NEXT = re.compile(r"\W{0,3}(?:下一步|下步|下阶段|今后|接下来|新的一年|明年|来年)")
_REVIEW = re.compile(r"回顾|完成情况|落实情况|开展情况|工作情况|工作总结|上一年度")


@dataclass(frozen=True, slots=True)
class Block:
    """A numbered part; `head_end` closes its heading. `is_plan`: it speaks of what is to come."""

    start: int
    head_end: int
    level: int
    parent: int | None
    is_plan: bool


class Structure:
    """Where sentences, clauses, pieces and blocks begin and end. Build once a text."""

    def __init__(self, text: str, report_year: int | None, number_starts: list[int]) -> None:
        self.text = text
        self._sentences = [match.end() for match in _SENTENCE_END.finditer(text)]
        self._clauses = [match.end() for match in _CLAUSE_END.finditer(text)]
        self._pieces = [match.end() for match in _PIECE_END.finditer(text)]
        self.brackets = [
            (match.start(), match.end())
            for match in _BRACKET.finditer(text)
            if bisect_left(number_starts, match.start()) < bisect_left(number_starts, match.end())
        ]
        self._bracket_starts = [start for start, _ in self.brackets]
        self.blocks = _find_blocks(text, report_year, number_starts)
        self.title_start = self.blocks[0].start if self.blocks and self.blocks[0].level < 0 else -1
        self._block_starts = [block.start for block in self.blocks]

    @staticmethod
    def _start(ends: list[int], position: int) -> int:
        index = bisect_right(ends, position)
        return ends[index - 1] if index else 0

    def sentence_start(self, position: int) -> int:
        return self._start(self._sentences, position)

    def sentence_end(self, position: int) -> int:
        index = bisect_right(self._sentences, position)
        return self._sentences[index] if index < len(self._sentences) else len(self.text)

    def clause_start(self, position: int) -> int:
        return self._start(self._clauses, position)

    def clause_end(self, position: int) -> int:
        index = bisect_right(self._clauses, position)
        return self._clauses[index] if index < len(self._clauses) else len(self.text)

    def piece_start(self, position: int) -> int:
        return self._start(self._pieces, position)

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


def _opens_plan(head: str, report_year: int | None, *, is_heading: bool) -> bool:
    """A heading that speaks of plans, or any part that begins with the year to come."""
    opening = _OPENING.match(head)
    head = head[opening.end() :] if opening else head
    if report_year is not None and re.match(rf"\W{{0,3}}{report_year + 1}年", head):
        return True
    if not is_heading:
        return _NEXT.match(head) is not None
    return bool(_PLAN.search(head)) and not _REVIEW.search(head)


def _line_level(line: str, report_year: int | None) -> int | None:
    """The level of the block that a line opens; None for a cell or scrap that belongs to what stands above."""
    opening = _OPENING.match(line)
    if opening:
        return _LEVELS[opening.lastgroup or "l4"]
    if "|" in line:
        return None
    is_short = len(line) <= _MAX_TITLE_LINE and not re.search("[。;,]", line)
    if is_short and ("年" in line or _opens_plan(line, report_year, is_heading=True)):
        return 0
    return _PARAGRAPH if len(line) >= _MIN_PARAGRAPH else None


def _find_blocks(text: str, report_year: int | None, number_starts: list[int]) -> list[Block]:
    blocks: list[Block] = []
    open_blocks: list[int] = []

    def add(start: int, end: int, level: int) -> None:
        while open_blocks and blocks[open_blocks[-1]].level >= level:
            open_blocks.pop()
        stop = _HEAD_END.search(text, start, min(end, start + _MAX_HEAD))
        head_end = stop.start() if stop else min(end, start + _MAX_HEAD)
        first = bisect_left(number_starts, start)
        is_plan = _opens_plan(text[start:head_end], report_year, is_heading=level < _LEVELS["l4"])
        is_cut = first < len(number_starts) and number_starts[first] < head_end
        if level == _PARAGRAPH or is_cut:  # a sentence with a number is no heading
            head_end = start
        blocks.append(Block(start, head_end, level, open_blocks[-1] if open_blocks else None, is_plan))
        open_blocks.append(len(blocks) - 1)

    for line in _LINE.finditer(text):
        is_title = not blocks and len(line[0]) <= _MAX_HEAD and not re.search("[。;|]", line[0])
        level = -1 if is_title else _line_level(line[0], report_year)
        if level is not None:
            add(line.start(), line.end(), level)
        for inner in _INNER.finditer(text, line.start() + 1, line.end()):
            add(inner.start(), line.end(), _LEVELS[inner.lastgroup] if inner.lastgroup else 4)
    return blocks
