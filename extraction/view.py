"""The text as the engine reads it: one script, one width, no blanks inside a line; with the way back.

Mirrors print Traditional characters, leave pinyin tails inside words (`建設(shè)`), entities (`&ldquo;`) and blanks
around numbers. All of that is read through here and never written back: every span handed out is one of the stored
text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

_DROPPED = re.compile(
    r"[^\S\n]+|[\u200b-\u200f\u2060\ufeff\r]+|&[a-z]{2,8};|[((][a-zāáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜü]{1,6}[))]"
)
_WIDTH = str.maketrans("，；：（）！？％．［］｜－０１２３４５６７８９", ",;:()!?%.[]|-0123456789")
_OTHER_BREAKS = re.compile("\r(?!\n)|[\x0b\x0c\x85\u2028\u2029]")
"""Line ends of other systems and of word processors; one character each, as a line feed is."""
_TITLE = re.compile(r"《[^《》\n]{13,120}》")


@dataclass(frozen=True, slots=True)
class View:
    """`text[i]` of the view stands at `back(i)` of the stored text."""

    text: str
    view_starts: list[int]
    text_starts: list[int]

    def back(self, position: int) -> int:
        index = bisect_right(self.view_starts, position) - 1
        return self.text_starts[index] + position - self.view_starts[index]

    def forth(self, position: int) -> int:
        """Where a position of the stored text stands in the view (a dropped one: where it would stand)."""
        index = bisect_right(self.text_starts, position) - 1
        if index < 0:
            return 0
        end = self.view_starts[index + 1] if index + 1 < len(self.view_starts) else len(self.text)
        return min(self.view_starts[index] + position - self.text_starts[index], end)


def build_view(text: str, script: Mapping[int, int]) -> View:
    """`script` maps single characters to the script of the catalogue, one for one."""
    folded = _OTHER_BREAKS.sub("\n", text).translate({**_WIDTH, **script})
    parts: list[str] = []
    view_starts, text_starts = [], []
    at = size = 0
    for match in _DROPPED.finditer(folded):
        if match.start() > at:
            view_starts.append(size)
            text_starts.append(at)
            parts.append(folded[at : match.start()])
            size += match.start() - at
        at = match.end()
    view_starts.append(size)
    text_starts.append(at)
    parts.append(folded[at:])
    return View("".join(parts), view_starts, text_starts)


def blank_titles(text: str) -> str:
    """The same length of text, with the names of documents blanked: a title counts nothing and says nothing."""
    return _TITLE.sub(lambda match: "《" + "＿" * (len(match[0]) - 2) + "》", text)
