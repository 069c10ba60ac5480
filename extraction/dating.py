"""Status and period of a figure: actual, cumulative or target, and of which year or window."""

from __future__ import annotations

import re
from bisect import bisect_left

from extraction import phrases
from extraction.catalogue import Metric
from extraction.model import Status
from extraction.periods import Time, Times
from extraction.structure import Structure
from extraction.windows import Number, Window

_STATUS: dict[str, Status] = {"window": "actual", "year": "actual", "last": "prior_period", "since": "cumulative"}
_COMPARING = frozenset("较比与同")
_YEAR = re.compile(r"20\d\d")
_COMING = re.compile(
    r"(?:(?:确保|力争|争取|计划|预计|打算|拟)[到至在于是]?|(?<![年月])[到至])(?P<aimed>20\d\d)年(?!前)"
    r"|(?:(?<=[\n。;:,)])|[至到是])(?P<opened>20\d\d)年(?:年?[底末])?"
    r"(?:[前内,]|[^度,。;\d]{0,8},|(?=[^,。;\d]{0,6}(?:计划|力争|将|拟)|全年))"
    r"|(?<=[\n。;:,)])(?P<next>[明来]年)"
)
"""到2025年, 力争2023年, 2023年我们将, 明年: a year to come."""
_NAMED_YEAR = re.compile(r"20\d\d(?=年)")
_NEXT_YEAR = re.compile("明年"), re.compile("来年")
"""Patterns that begin with letters of their own are found many times faster than one for all."""
_WHOLE_YEAR = re.compile(r"全年|年底|年内")
_GATHERED = re.compile("累计|历年|迄今|至今|现已|先后|分别达")
_SPOKEN = 200
"""How far back in its sentence a word of accumulation is heard."""


class Dating:
    """Reads status, period and cut-off of numbers of one text."""

    def __init__(self, text: str, numbers: list[Number], structure: Structure, times: Times) -> None:
        self.text, self.numbers, self.structure, self.times = text, numbers, structure, times
        coming = [match.start() for match in _NAMED_YEAR.finditer(text) if int(match[0]) > times.year]
        self._coming = sorted([*coming, *(match.start() for word in _NEXT_YEAR for match in word.finditer(text))])
        self._gathered = [match.start() for match in _GATHERED.finditer(text)]
        """Where the words stand of which `phrases.is_gathered` and `phrases.is_stocked` know."""
        self._ruled: tuple[int | None, bool, int] = (-1, False, 0)
        """Of the last block asked for: whether it is a plan, and where the times that rule it begin."""

    def date(self, number: Number, window: Window, metric: Metric) -> tuple[Status, str, str | None]:
        """Status, period (`YYYY` or `YYYY-MM/YYYY-MM`) and cut-off of a figure of this metric."""
        sentence, start = number.sentence, number.start
        before = self.text[max(window.left, start - phrases.REACH) : start]
        planned = self._find_coming_year(number, sentence) if self._coming else None
        if self._ruled[0] != number.block:
            self._ruled = number.block, self.structure.is_plan(start), self.structure.floor_at(start)
        _, is_plan, floor = self._ruled
        if is_plan or self._is_announced(number):
            return "target", planned or self._planned_year(number, sentence), None
        if planned:
            return "target", planned, None
        if phrases.is_target(before) or phrases.is_aim(self.text[number.end : number.end + 8]):
            return "target", str(self.times.year), None
        if number.mention.damaged and (year := self.glued_year(number)):
            return "actual", year, None
        time = self.times.before(start, min(floor, sentence))
        if time is not None and time.kind in _STATUS and self._rules(time, number, sentence):
            compared = time.kind == "window" and int(time.period[:4]) < self.times.year and self._is_compared(time)
            return ("prior_period" if compared else _STATUS[time.kind]), self._name_period(time), None
        gathered = self._is_gathered(number, metric, floor)
        period = self._widen(time, sentence)
        return ("cumulative" if gathered else "actual"), period, self._cut_off(time, sentence, floor)

    def _name_period(self, time: Time) -> str:
        if time.period:
            return time.period
        return self.times.default if time.kind == "since" else year_before(self.times.default)

    def _is_compared(self, time: Time) -> bool:
        """较2021年四季度受理量3200件: a window of an earlier year that this one is set against."""
        return self.text[time.start - 1 : time.start] in _COMPARING

    def _widen(self, time: Time | None, sentence: int) -> str:
        """全年 and 今年以来 in a text of one month or half-year: more than what the title names."""
        default = self.times.default
        if "/" not in default or time is None or time.kind != "now" or time.start < sentence:
            return default
        if self.text[time.start - 1 : time.start] == "年":  # 去年全年
            return default
        word = self.text[time.start : time.end]
        if word == "全年":
            return str(self.times.year)
        so_far = word == "今年以来" or (word == "今年" and not self.text[time.end : time.end + 1].isdigit())
        return f"{default[:4]}-01{default[7:]}" if so_far and default[:4] == default[8:12] else default

    def _is_announced(self, number: Number) -> bool:
        """Whether an earlier sentence of the paragraph has turned to what is to come (…。下一步,…。) for good."""
        start = self.structure.announced_at(number.start)
        if start is None:
            return False
        time = self.times.before(number.start, start)
        return time is None or time.kind == "cut"

    def glued_year(self, number: Number) -> str | None:
        """2019214宗: the year that lost its 年 and ran into the number."""
        if not number.mention.damaged:
            return None
        before = self.text[max(0, number.start - 4) : number.start]
        return before if before.isdigit() and len(before) == 4 else None

    def _rules(self, time: Time, number: Number, sentence: int) -> bool:
        """A past year rules its clause and what is in its bracket, a window its sentence."""
        bracket = self.structure.bracket_around(time.start) if time.kind in ("year", "last") else None
        if bracket is not None and bracket[1] <= number.start:
            return False
        return time.start >= (number.clause if time.kind in ("year", "last") else sentence)

    def _cut_off(self, time: Time | None, sentence: int, floor: int) -> str | None:
        """截至X holds to the end of its block; 今年 in the same sentence does not lift it."""
        if time is not None and time.kind == "now":
            earlier = self.times.before(time.start, floor)
            time = earlier if earlier is not None and earlier.start >= sentence else None
        return time.as_of if time is not None and time.kind == "cut" else None

    def _find_coming_year(self, number: Number, sentence: int) -> str | None:
        """到2025年,…; 2023年,… in a report of 2022: the year to come that the sentence opens with or aims at."""
        start = max(sentence, number.start - _SPOKEN)
        first = bisect_left(self._coming, start)
        if first == len(self._coming) or self._coming[first] >= number.start:
            return None
        coming = None
        for match in _COMING.finditer(self.text, start, number.start):
            year = match["aimed"] or match["opened"] or str(self.times.year + 1)
            if int(year) > self.times.year:
                coming = year
            elif coming:
                coming = None
        return coming

    def _planned_year(self, number: Number, sentence: int) -> str:
        """The year after the report's; this one where a part-year report speaks of the whole of it."""
        if self.structure.is_plan_title:
            return str(self.times.year)
        part = "/" in self.times.default
        if part and _WHOLE_YEAR.search(self.text, max(sentence, number.start - phrases.REACH), number.start):
            return str(self.times.year)
        return str(self.times.year + 1)

    def _is_gathered(self, number: Number, metric: Metric, floor: int) -> bool:
        """累计 without a year before it in the block or a comparison after it; 先后推出3批共163个 of a stock."""
        if metric.measure == "stock":
            earlier = self.numbers[number.index - 1] if number.index else None
            if earlier is not None and earlier.unit == "批" and number.start - earlier.end <= 3:
                return True
        start = max(number.clause, number.start - _SPOKEN)
        first = bisect_left(self._gathered, start)
        if first == len(self._gathered) or self._gathered[first] >= number.start:
            return False
        spoken = self.text[start : number.start]
        if metric.measure == "stock" and phrases.is_stocked(spoken):
            return True
        if not phrases.is_gathered(spoken):
            return False
        time = self.times.before(number.start, floor)
        if time is not None and not (time.kind == "cut" and metric.measure == "stock"):
            return False
        return not phrases.is_compared(self.text[number.end : number.end + 12])


def year_before(period: str) -> str:
    """The same year or window a year earlier: 2022 → 2021, 2023-01/2023-11 → 2022-01/2022-11."""
    return _YEAR.sub(lambda year: str(int(year[0]) - 1), period)
