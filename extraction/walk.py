"""The state of reading one text: its numbers, what is known of them, and the observations so far."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from extraction import phrases
from extraction.catalogue import Catalogue, Metric
from extraction.cells import label_cells
from extraction.dating import Dating
from extraction.drafts import Draft
from extraction.meaning import Claim, Meaning
from extraction.model import Mention
from extraction.periods import Times
from extraction.structure import Structure
from extraction.trace import Role, Trace
from extraction.view import View, blank_titles
from extraction.windows import Number, Window, Windows
from extraction.words import WordIndex

_RATE_LABEL = re.compile(r"%|率|占比|比例")
_YEAR_LABEL = re.compile(r"(20\d\d)年")


@lru_cache(maxsize=4)
def _index_words(catalogue: Catalogue) -> WordIndex:
    return WordIndex(catalogue)


class Walk:
    """Numbers are read in order, for what one says may decide what the next is."""

    def __init__(
        self,
        view: View,
        mentions: Sequence[Mention],
        catalogue: Catalogue,
        report_year: int,
        publish_date: str | None,
        trace: Trace | None = None,
    ) -> None:
        self.catalogue, self.year, self.trace = catalogue, report_year, trace
        self.text = blank_titles(view.text)
        self.numbers = [
            Number(index, view.forth(found.start), view.forth(found.end), found, catalogue.simplify(found.unit_zh))
            for index, found in enumerate(mentions)
        ]
        self.labels = label_cells(self.text, self.numbers)
        for index in self.labels:
            if not self.numbers[index].unit and any(map(_RATE_LABEL.search, self.label_texts(self.numbers[index]))):
                self.numbers[index] = replace(self.numbers[index], unit="%")
        self.structure = Structure(self.text, report_year, [number.start for number in self.numbers])
        words = _index_words(catalogue)
        self.meaning = Meaning(self.text, self.structure, words.find(self.text), words, catalogue, trace)
        self.windows = Windows(self.text, self.numbers, self.structure, catalogue.counted)
        times = Times(self.text, report_year, publish_date)
        times.set_default(min(self.structure.title_end(), self.numbers[0].start))
        self.dating = Dating(self.text, self.numbers, self.structure, times)
        self.drafts: list[Draft] = []
        self._asked: tuple[Number, Draft, bool] | None = None
        """The answer of `last_before`, which is asked for several times a number."""
        self.part_of: int | None = None
        """The draft whose parts are being listed."""

    def play(self, number: Number, role: Role) -> None:
        """Tell the trace, if there is one, what a number is that is no observation of its own."""
        if self.trace is not None:
            self.trace.play(number.index, role)

    def metric_of(self, claim: Claim) -> Metric:
        return self.catalogue.metrics[claim.reading.metric]

    def last_before(self, number: Number) -> Draft | None:
        """The draft before, when it stands in the same sentence, or this one opens its parts (保留事项中,…)."""
        if not self.drafts:
            return None
        last = self.drafts[-1]
        if self._asked is None or self._asked[0] is not number or self._asked[1] is not last:
            self._asked = number, last, self._reaches(last, number)
        return last if self._asked[2] else None

    def _reaches(self, last: Draft, number: Number) -> bool:
        sentence = self.structure.sentence_start(number.start)
        if last.number.start >= sentence:
            return True
        opened = phrases.opens_inside(self.text[sentence : sentence + phrases.REACH])
        return opened and self.structure.sentence_end(last.number.start) == sentence

    def add(self, number: Number, window: Window, metric: Metric, why: str, parent: int | None = None) -> Draft:
        status, period, as_of = self.dating.date(number, window, metric)
        draft = Draft(number, metric, status, period, as_of, why, parent)
        last = self.last_before(number)
        if last is not None and not last.has_value and last.metric is metric:
            # 纠纷较上年下降25%,调解96件: the change stood before its figure.
            draft.yoy_percent, draft.yoy_text = last.yoy_percent, last.yoy_text
            self.drafts.pop()
        elif last is not None and status == "actual" and period == str(self.year - 1) and self._is_set_against(draft):
            draft.status = "prior_period"
        self.drafts.append(draft)
        for label in self.label_texts(number):
            if year := _YEAR_LABEL.match(label):
                draft.period, earlier = year[1], int(year[1]) == self.year - 1
                draft.status = "prior_period" if earlier else draft.status
            elif why.partition("/")[0] not in label:
                draft.name_part(label)
        return draft

    def _is_set_against(self, draft: Draft) -> bool:
        """2023年调解5217件;2022年4980件: last year's figure told after this year's of the same metric."""
        sentence = self.structure.sentence_start(draft.number.start)
        for earlier in reversed(self.drafts[-6:]):
            if earlier.number.start < sentence:
                return False
            if earlier.metric is draft.metric:
                return earlier.status == "actual" and earlier.period == str(self.year)
        return False

    def label_texts(self, number: Number) -> list[str]:
        """The cells that label a number of a table, header first."""
        return [self.text[start:end] for start, end in self.labels.get(number.index, ())]


def same_kind(one: Number, other: Number, *, loose: bool = False) -> bool:
    """Whether two numbers count in the same measure word, or one has lost it. `loose`: 项 for 件 is a slip."""
    if (one.unit == "%") != (other.unit == "%"):
        return False
    cases = {"件", "宗", "起", "例", "项", "个", "条"} if loose else {"件", "宗", "起", "例"}
    return one.unit == other.unit or not one.unit or not other.unit or {one.unit, other.unit} <= cases


def is_less(part: Number, total: Number) -> bool:
    if part.mention.value is None or total.mention.value is None:
        return False
    return part.mention.value <= total.mention.value
