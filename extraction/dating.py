"""Status and period of a figure: actual, cumulative or target, and of which year or window."""

from __future__ import annotations

from extraction import phrases
from extraction.catalogue import Metric
from extraction.model import Status
from extraction.periods import Time, Times
from extraction.structure import Structure
from extraction.windows import Number, Window

_STATUS: dict[str, Status] = {"window": "actual", "year": "actual", "last": "prior_period", "since": "cumulative"}
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
        if self.structure.is_plan(number.start):
            return "target", self._planned_year(number, sentence), None
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
        before = self.text[max(0, number.start - 4) : number.start]
        return before if number.mention.damaged and before.isdigit() and len(before) == 4 else None

    def _rules(self, time: Time, number: Number, sentence: int) -> bool:
        """A past year rules its clause, a window its sentence."""
        return time.start >= (self.structure.clause_start(number.start) if time.kind in ("year", "last") else sentence)

    def _cut_off(self, time: Time | None, sentence: int, floor: int) -> str | None:
        """截至X holds to the end of its block; 今年 in the same sentence does not lift it."""
        if time is not None and time.kind == "now":
            earlier = self.times.before(time.start, floor)
            time = earlier if earlier is not None and earlier.start >= sentence else None
        return time.as_of if time is not None and time.kind == "cut" else None

    def _planned_year(self, number: Number, sentence: int) -> str:
        time = self.times.before(number.start, sentence)
        if time is not None and time.kind == "year" and int(time.period) > self.times.year:
            return time.period
        return str(self.times.year + 1)

    def _is_gathered(self, number: Number, metric: Metric, sentence: int, time: Time | None) -> bool:
        """累计 without a year before it in the block or a comparison after it; 先后推出3批共163个 of a stock."""
        spoken = self.text[max(sentence, number.start - _SPOKEN) : number.start]
        if metric.measure == "stock":
            earlier = self.numbers[number.index - 1] if number.index else None
            if earlier is not None and earlier.unit == "批" and number.start - earlier.end <= 3:
                return True
            if phrases.is_stocked(spoken[spoken.rfind(";") + 1 :]):
                return True
        if not phrases.is_gathered(spoken):
            return False
        if time is not None and not (time.kind == "cut" and metric.measure == "stock"):
            return False
        return not phrases.is_compared(self.text[number.end : number.end + 12])
