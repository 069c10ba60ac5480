"""The text as the engine reads it: one script, one width, no blanks inside a line; with the way back.

Mirrors print Traditional characters, leave pinyin tails inside words (`建設(shè)`), entities (`&ldquo;`) and blanks
around numbers. All of that is read through here and never written back: every span handed out is one of the stored
text. Mentions and observations are read from the same view.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape

_WIDTH = {
    **{code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)},
    **str.maketrans("｡｢｣､﹪", "。「」、%"),
    **{code: 0x30 + int(chr(code)) for code in range(0x660, 0xFF10) if chr(code).isdecimal()},
    **dict.fromkeys(map(ord, "\x0b\x0c\x85\u2028\u2029"), ord("\n")),
}
"""Full-width and half-width forms; the digits of other scripts, so that all digits of a view are ASCII (but for those
of mathematical alphabets); line ends of other systems and of word processors. One character each."""
_USUAL = "，；：（）"
"""Marks of every text: each is found many times, unless it has been replaced."""
_LONE_RETURN = re.compile("\r(?!\n)")
_BLANK = " \t\x1c-\x1f\xa0\u1680\u2000-\u200a\u202f\u205f\u3000"
_INVISIBLE = "\r\u200b-\u200f\u2060\ufeff"
_DROPPED = re.compile(
    rf"[{_BLANK}{_INVISIBLE}&(](?:(?<=\()[{_BLANK}]{{0,2}}[a-zāáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜü]{{1,6}}[{_BLANK}]{{0,2}}\)"
    rf"|(?<=[{_BLANK}{_INVISIBLE}])[{_BLANK}{_INVISIBLE}]*|(?<=&)[a-z]{{2,8}};)"
)
_SEEN_BLANK = re.compile(f"[{_BLANK}]")
_TITLE = re.compile(r"《[^《》\n]{13,120}》")


class Folding:
    """One-for-one folding of single characters, compiled: few of them occur in a text, and those often."""

    def __init__(self, script: Mapping[int, int | str]) -> None:
        table = {**_WIDTH, **script}
        self._table = {chr(old): new if isinstance(new, str) else chr(new) for old, new in table.items()}
        self._foreign = re.compile("[" + re.escape("".join(self._table)) + "]")
        self._usual = [char for char in _USUAL if char in self._table]
        chained = self._table.keys() & set(self._table.values())
        self._translation = str.maketrans(self._table) if chained else None
        """Needed where what one character becomes is itself replaced: one after the other would replace it twice."""

    def __call__(self, text: str) -> str:
        if self._translation is not None:
            text = text.translate(self._translation)
        else:
            for char in self._usual:
                text = text.replace(char, self._table[char])
            for char in set(self._foreign.findall(text)):
                text = text.replace(char, self._table[char])
        return _LONE_RETURN.sub("\n", text) if "\r" in text else text


@dataclass(frozen=True, slots=True)
class View:
    """`text[i]` of the view stands at `back(i)` of the stored text."""

    text: str
    view_starts: list[int]
    text_starts: list[int]

    def back(self, position: int) -> int:
        index = bisect_right(self.view_starts, position) - 1
        return self.text_starts[index] + position - self.view_starts[index]

    def forth_span(self, start: int, end: int) -> tuple[int, int]:
        """Where a stretch of the stored text stands in the view: mostly it is simply shifted."""
        index = bisect_right(self.text_starts, start)
        if index and (index == len(self.text_starts) or end < self.text_starts[index]):
            shift = self.view_starts[index - 1] - self.text_starts[index - 1]
            limit = self.view_starts[index] if index < len(self.view_starts) else len(self.text)
            if end + shift <= limit:
                return start + shift, end + shift
        return self.forth(start), self.forth(end)

    def forth(self, position: int) -> int:
        """Where a position of the stored text stands in the view (a dropped one: where it would stand)."""
        index = bisect_right(self.text_starts, position) - 1
        if index < 0:
            return 0
        end = self.view_starts[index + 1] if index + 1 < len(self.view_starts) else len(self.text)
        return min(self.view_starts[index] + position - self.text_starts[index], end)


def build_view(text: str, script: Mapping[int, int] | Folding) -> View:
    """`script` maps single characters to the script of the catalogue, one for one."""
    folded = (script if isinstance(script, Folding) else Folding(script))(text)
    parts: list[str] = []
    view_starts, text_starts = [], []
    at = size = 0
    for match in _DROPPED.finditer(folded):
        start, end = match.span()
        if start > at:
            view_starts.append(size)
            text_starts.append(at)
            parts.append(folded[at:start])
            size += start - at
        at = end
        if kept := _read_through(folded, start, end):
            view_starts.append(size)
            text_starts.append(start)
            parts.append(kept)
            size += 1
    view_starts.append(size)
    text_starts.append(at)
    parts.append(folded[at:])
    return View("".join(parts), view_starts, text_starts)


def _read_through(text: str, start: int, end: int) -> str:
    """The one character that stands in the view for a stretch that is no text: mostly none.

    A blank that parts two numbers, or two words or numbers in Latin letters, is kept: `36 58 7`, `1. 12个`.
    """
    opening = text[start]
    if opening == "(":
        return ""
    if opening == "&":
        char = unescape(text[start:end])
        if len(char) != 1:
            return ""
        if not char.isspace():
            return char
    elif not _SEEN_BLANK.search(text, start, end):
        return ""
    left, right = text[start - 1 : start], text[end : end + 1]
    if not (left.isascii() and right.isascii()):
        return ""
    if left.isalnum():
        parted = right.isalnum() or (right in ".," and text[end + 1 : end + 2].isdigit())
    else:
        parted = left in ".," and right.isdigit() and text[start - 2 : start - 1].isdigit()
    return " " if parted else ""


def blank_titles(text: str) -> str:
    """The same length of text, with the names of documents blanked: a title counts nothing and says nothing."""
    return _TITLE.sub(lambda match: "《" + "＿" * (len(match[0]) - 2) + "》", text)
