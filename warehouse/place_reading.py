"""Names of places in titles and names of bodies: read from the front, with the path that leads to them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from warehouse.authority import YEAR
from warehouse.regions import Gazetteer, Region

LEAD = re.compile(
    rf"(?:[【\[（(][^】\]）)]{{0,20}}[】\]）)]|关于(?:印发|转发|公布|报送|报告)?|转发[:：]?|中共|国家[一-鿿]{{2,8}}?局|{YEAR}度?|[\s《“\"：:])*"
)
UNLISTED = re.compile(
    r"(?P<name>(?:[一-鿿]{2,6}?[市州盟])?(?![省市县区州旗盟我本全各该])[一-鿿]{2,8}?(?:自治[县州旗区]|[省市县区旗州盟]))"
    rf"(?=人民政府|政府|委|关于|{YEAR}|[0-9]{{4}}年|法治政府|依法行政|推进|"
    r"[一-鿿]{2,20}?(?:局|委员会|办公室)(?:关于|[0-9]{4}年|法治|依法))"
)
"""A name that is built like a place's and stands where one would."""
NO_NAME = re.compile(
    r".*(?:城市|社区|园区|辖区|开发区|高新区|新区|保税区|试验区|示范区|度假区|合作区|景区|功能区|法治.)$"
)
AFTER_ELSEWHERE = re.compile(rf"人民政府|政府|{YEAR}|[0-9]{{4}}年|法治|依法|推进|[）)]|[一-鿿]{{2,20}}?局|$")
LONGEST_TITLE = 200


@dataclass(frozen=True, slots=True)
class Place:
    """A place as named. No candidates: built like a name, and not known."""

    words: str
    end: int
    candidates: tuple[Region, ...] = ()
    is_path: bool = False
    """A larger place is named before it."""
    is_own: bool = False
    """The source's own name for itself."""

    @property
    def last_name(self) -> str:
        return self.candidates[0].name_zh if self.candidates else self.words


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads places as they were called in some years."""

    gazetteer: Gazetteer
    first: int
    last: int
    own_names: tuple[str, ...] = ()
    """What the source calls its own place, where no list has that."""
    home_name: str = ""
    """The name of the source's place, listed or not."""

    def at_head(self, text: str, *, is_report: bool) -> Place | None:
        """The place at the head of a title, after what may stand before it. Only a report's title is trusted to begin
        with a name, so that what is built like one and is not listed is a place."""
        text = text[:LONGEST_TITLE]
        lead = LEAD.match(text)
        start = lead.end() if lead else 0
        return self.known_at(text, start) or (self._unlisted_at(text, start) if is_report else None)

    def anywhere(self, text: str) -> Place | None:
        """The first known place that is followed by what a report's title says next."""
        text = text[:LONGEST_TITLE]
        for start in range(len(text)):
            place = self.known_at(text, start)
            if place and len(place.words) > 2 and AFTER_ELSEWHERE.match(text, place.end):
                return place
        return None

    def known_at(self, text: str, start: int) -> Place | None:
        for name in self.own_names:
            if text.startswith(name, start):
                return Place(name, start + len(name), is_own=True)
        found, end, parts = self._first(text, start)
        while found:
            step = self._next(text, end, found)
            if step is None:
                break
            found, end = step
            parts += 1
        return Place(text[start:end], end, found, parts > 1) if parts else None

    def _first(self, text: str, start: int) -> tuple[tuple[Region, ...], int, int]:
        for found, end in self._names(text, start):
            return found, end, 1
        for length in range(min(6, len(text) - start), 1, -1):
            above = self.gazetteer.stems.get(text[start : start + length], ())
            if above:
                step = self._next(text, start + length, above)
                if step and step[0]:
                    return step[0], step[1], 2
        return (), start, 0

    def _next(self, text: str, start: int, above: tuple[Region, ...]) -> tuple[tuple[Region, ...], int] | None:
        """The name that goes on from one of the larger places. None found under them: a path that does not exist."""
        for found, end in self._names(text, start):
            below = tuple(one for one in found if any(_is_below(one.code, up.code) for up in above))
            if below or UNLISTED.match(text, start):
                return below, end
        return None

    def _names(self, text: str, start: int) -> Iterator[tuple[tuple[Region, ...], int]]:
        longest = min(self.gazetteer.longest, len(text) - start)
        for length in range(longest, 1, -1):
            if found := self.gazetteer.named(text[start : start + length], self.first, self.last):
                yield found, start + length
                return

    def _unlisted_at(self, text: str, start: int) -> Place | None:
        found = UNLISTED.match(text, start)
        if not found or NO_NAME.match(found["name"]):
            return None
        if self.home_name and found["name"].endswith(self.home_name):
            return self.known_at(text, found.end("name") - len(self.home_name))
        for inner in range(start + 1, found.end()):  # a known place after a larger one that is not listed
            place = self.known_at(text, inner)
            if place and place.end == found.end() and text[inner - 1] in "市州盟":
                return Place(found["name"], place.end, place.candidates, False, place.is_own)
        return Place(found["name"], found.end())


def _is_below(code: str, above: str) -> bool:
    prefix = above.removesuffix("0000") if above.endswith("0000") else above.removesuffix("00")
    return code != above and code.startswith(prefix) and len(prefix) < 6


def is_within(code: str, above: str) -> bool:
    """The same place, or one below it."""
    return code == above or _is_below(code, above)
