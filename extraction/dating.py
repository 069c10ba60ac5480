"""Status and period of a figure: actual, cumulative or target, and of which year or window."""

from __future__ import annotations

import re

from extraction import phrases
from extraction.catalogue import Metric
from extraction.model import Status
from extraction.periods import Time, Times
from extraction.structure import Structure
from extraction.windows import Number, Window

_STATUS: dict[str, Status] = {"window": "actual", "year": "actual", "last": "prior_period", "since": "cumulative"}
_YEAR = re.compile(r"20\d\d")
_COMING = re.compile(
    r"(?:(?<=[\n。;:,)])|至|到|是|确保|力争|争取|计划|预计|打算|拟)(20\d\d)年"
    r"(?:年?[底末])?(?:[前内,]|[^度,。;\d]{0,8},|(?=全年|计划|力争|将|拟))"
)
_WHOLE_YEAR = re.compile(r"全年|年底|年内")
_SPOKEN = 200
"""How far back in its sentence a word of accumulation is heard."""


class Dating:
    """Reads status, period and cut-off of numbers of one text."""

    def __init__(self, text: str, numbers: list[Number], structure: Structure, times: Times) -> None:
        self.text, self.numbers, self.structure, self.times = text, numbers, structure, times

    def date(self, number: Number, window: Window, metric: Metric) -> tuple[Status, str, str | None]:
        """Status, period (`YYYY` or `YYYY-MM/YYYY-MM`) and cut-off of a figure of this metric."""
        sentence = self.structure.sentence_start(number.start)
        before = self.text[max(window.left, number.start - phrases.REACH) : number.start]
        planned = self._find_coming_year(number, sentence)
        if self.structure.is_plan(number.start):
            return "target", planned or self._planned_year(number, sentence), None
        if planned:
            return "target", planned, None
        if phrases.is_target(before) or phrases.is_aim(self.text[number.end : number.end + 8]):
            return "target", str(self.times.year), None
        if year := self.glued_year(number):
            return "actual", year, None
        floor = self.structure.floor_at(number.start)
        time = self.times.before(number.start, min(floor, sentence))
        if time is not None and time.kind in _STATUS and self._rules(time, number, sentence):
            return _STATUS[time.kind], time.period, None
        gathered = self._is_gathered(number, metric, sentence, self.times.before(number.start, floor))
        return ("cumulative" if gathered else "actual"), self.times.default, self._cut_off(time, sentence, floor)

    def glued_year(self, number: Number) -> str | None:
        """2019214宗: the year that lost its 年 and ran into the number."""
        if not number.mention.damaged:
            return None
        before = self.text[max(0, number.start - 4) : number.start]
        return before if before.isdigit() and len(before) == 4 else None

    def _rules(self, time: Time, number: Number, sentence: int) -> bool:
        """A past year rules its clause, a window its sentence."""
        return time.start >= (self.structure.clause_start(number.start) if time.kind in ("year", "last") else sentence)

    def _cut_off(self, time: Time | None, sentence: int, floor: int) -> str | None:
        """截至X holds to the end of its block; 今年 in the same sentence does not lift it."""
        if time is not None and time.kind == "now":
            earlier = self.times.before(time.start, floor)
            time = earlier if earlier is not None and earlier.start >= sentence else None
        return time.as_of if time is not None and time.kind == "cut" else None

    def _find_coming_year(self, number: Number, sentence: int) -> str | None:
        """到2025年,…; 2023年,… in a report of 2022: the year to come that the sentence opens with or aims at."""
        start = max(sentence, number.start - _SPOKEN)
        coming = None
        for match in _COMING.finditer(self.text, start, number.start):
            if int(match[1]) > self.times.year:
                coming = match[1]
            elif coming:
                coming = None
        return coming

    def _planned_year(self, number: Number, sentence: int) -> str:
        """The year after the report's; this one where a part-year report speaks of the whole of it."""
        part = "/" in self.times.default
        if part and _WHOLE_YEAR.search(self.text, max(sentence, number.start - phrases.REACH), number.start):
            return str(self.times.year)
        return str(self.times.year + 1)

    def _is_gathered(self, number: Number, metric: Metric, sentence: int, time: Time | None) -> bool:
        """累计 without a year before it in the block or a comparison after it; 先后推出3批共163个 of a stock."""
        start = max(sentence, self.structure.clause_start(number.start), number.start - _SPOKEN)
        spoken = self.text[start : number.start]
        if metric.measure == "stock":
            earlier = self.numbers[number.index - 1] if number.index else None
            if earlier is not None and earlier.unit == "批" and number.start - earlier.end <= 3:
                return True
            if phrases.is_stocked(spoken):
                return True
        if not phrases.is_gathered(spoken):
            return False
        if time is not None and not (time.kind == "cut" and metric.measure == "stock"):
            return False
        return not phrases.is_compared(self.text[number.end : number.end + 12])


def year_before(period: str) -> str:
    """The same year or window a year earlier: 2022 → 2021, 2023-01/2023-11 → 2022-01/2022-11."""
    return _YEAR.sub(lambda year: str(int(year[0]) - 1), period)
