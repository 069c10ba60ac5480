"""A page that is set: letters and drawn lines at places. What PDF and OFD are read into, and text is made from.

Lengths in points, from the lower left corner of the page as it is read (turned pages are turned back).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from extraction.textmap import Line, LineBuilder


class Letter(NamedTuple):
    char: str
    at: int
    """Where it is in the file's own order of the page's letters."""
    left: float
    bottom: float
    right: float
    top: float


class Rule(NamedTuple):
    """A line drawn on the page, level or upright; the first end is the left or lower one."""

    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(slots=True)
class SetPage:
    number: int
    """From 1."""
    height: float
    lines: list[list[Letter]]
    """Letters that stand beside each other, in the order of the file. White space has the box of what is before it."""
    rules: list[Rule] = field(default_factory=list)
    has_images: bool = False
    is_recognised: bool = False
    """A picture, whose text a machine has read and laid under it."""
    n_unseen: int = 0
    """Letters that are left out because they show nothing."""

    @property
    def n_letters(self) -> int:
        return sum(letter.char.isalnum() for line in self.lines for letter in line)


@dataclass(frozen=True, slots=True)
class SetLine:
    """One line of letters, or one row of a table."""

    line: Line
    text: str
    left: float
    right: float
    bottom: float
    size: float
    is_row: bool = False


_TWICE, _TWICE_MOST = 0.2, 4.0
"""Letter sizes, and points, within which the same letter is the same one, drawn again."""


def drop_doubles(page: SetPage) -> None:
    """Leave out what is drawn again over itself: bold type and shadows are made so, and each figure would stand twice.

    Two letters of a kind beside each other are a third of their size apart at least, that of narrow figures."""
    drawn: set[tuple[str, int, int]] = set()
    for n, line in enumerate(page.lines):
        kept = []
        for letter in line:
            if not letter.char.isspace():
                step = min(_TWICE * abs(letter.top - letter.bottom), _TWICE_MOST) or _TWICE_MOST
                x, y = round(letter.left / step), round(letter.bottom / step)
                if any((letter.char, x + a, y + b) in drawn for a in (0, -1, 1) for b in (0, -1, 1)):
                    continue
                drawn.add((letter.char, x, y))
            kept.append(letter)
        page.lines[n] = kept
    page.lines = [line for line in page.lines if line]


TINY = 2.0
"""Points from the lowest to the highest letter: print that is read has five."""
LIGHT = 224
"""Of 255 in each colour, from which text may be lost on white paper."""
MIN_LETTERS = 15
"""Of a page, below which it is taken for a picture."""


def drop_unseen(page: SetPage, outside: set[int], unpainted: set[int], *, is_picture: bool) -> None:
    """Leave out letters that no reader sees. Unpainted text is all that a scanned page has to say, of unknown quality;
    beside text that is seen it is somebody's trick, or rest."""
    seen = sum(
        letter.char.isalnum() and letter.at not in unpainted and letter.at not in outside
        for line in page.lines
        for letter in line
    )
    page.is_recognised = is_picture and seen < MIN_LETTERS and len(unpainted) >= MIN_LETTERS
    unseen = outside if page.is_recognised else outside | unpainted
    if unseen:
        page.n_unseen = len(unseen)
        page.lines = [[letter for letter in line if letter.at not in unseen] for line in page.lines]
        page.lines = [line for line in page.lines if any(not letter.char.isspace() for letter in line)]


def find_twins(pages: Sequence[SetPage]) -> set[int]:
    """Numbers of the pages that show what one before them does, letter by letter in the same places: a file may list
    a page twice, and each figure would count twice."""
    known: set[tuple[tuple[str, int, int], ...]] = set()
    twins: set[int] = set()
    for page in pages:
        if page.n_letters >= MIN_LETTERS:
            said = tuple(
                (letter.char, round(letter.left), round(letter.bottom)) for line in page.lines for letter in line
            )
            if said in known:
                twins.add(page.number)
            known.add(said)
    return twins


def to_line(letters: Sequence[Letter], page: int) -> Line:
    """The letters with the way back. White space is one blank, none at the edges."""
    builder, place, start = LineBuilder(), f"page={page}", 0
    for at in range(1, len(letters) + 1):
        if at == len(letters) or letters[at].at != letters[at - 1].at + 1:
            run = letters[start:at]
            builder.add("".join(letter.char for letter in run), place, base=run[0].at)
            start = at
    builder.end_line()
    return builder.lines[0] if builder.lines else Line()


def to_set_line(letters: Sequence[Letter], page: int) -> SetLine | None:
    """None where nothing visible is in it."""
    line = to_line(letters, page)
    if not line.parts:
        return None
    seen = [letter for letter in letters if not letter.char.isspace()]
    sizes = sorted(abs(letter.top - letter.bottom) for letter in seen)
    left, right = min(letter.left for letter in seen), max(letter.right for letter in seen)
    bottom = min(letter.bottom for letter in seen)
    return SetLine(line, line.text, left, right, bottom, sizes[len(sizes) // 2])


def to_row(line: Line) -> SetLine:
    return SetLine(line, line.text, 0.0, 0.0, 0.0, 0.0, is_row=True)


def rules_of(points: Sequence[tuple[float, float]], min_length: float) -> list[Rule]:
    """The level and upright pieces of a drawn path; what slants, and what is shorter, is no rule."""
    found = []
    for (x0, y0), (x1, y1) in pairwise(points):
        wide, high = abs(x1 - x0), abs(y1 - y0)
        if max(wide, high) >= min_length and min(wide, high) < 1.0:
            found.append(Rule(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)))
    return found
