"""The state of reading one text: its numbers, what is known of them, and the observations so far."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache

from extraction import phrases
from extraction.catalogue import Catalogue, Metric
from extraction.cells import Cell, is_plain, read_cells, strip_unit
from extraction.dating import Dating, year_before
from extraction.drafts import Draft
from extraction.meaning import Claim, Meaning
from extraction.model import Mention
from extraction.periods import Times
from extraction.structure import Structure
from extraction.trace import Role, Trace
from extraction.view import View, blank_titles
from extraction.windows import Number, Window, Windows, list_spoken
from extraction.words import WordIndex

_RATE_LABEL = re.compile(r"%|率|占比|比例")
_TIMES = {"百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}
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
        units = {unit: catalogue.simplify(unit) for unit in {found.unit_zh for found in mentions}}
        self.numbers = [
            Number(index, *view.forth_span(found.start, found.end), found, units[found.unit_zh])
            for index, found in enumerate(mentions)
        ]
        self.tables = read_cells(self.text, self.numbers)
        self.labels = {index: cell.labels for index, cell in self.tables.items()}
        for index, cell in self.tables.items():
            if not self.numbers[index].unit:
                self.numbers[index] = self._measure(self.numbers[index], cell)
        self.structure = Structure(self.text, report_year, [number.start for number in self.numbers])
        words = _index_words(catalogue)
        spoken = list_spoken(self.numbers, self.structure, _list_cells(self.tables.values()))
        self.meaning = Meaning(self.text, self.structure, words.find(self.text, spoken), words, catalogue, trace)
        self.windows = Windows(self.text, self.numbers, self.structure, catalogue.counted)
        times = Times(self.text, report_year, publish_date)
        times.set_default(min(self.structure.title_end(), self.numbers[0].start))
        self.dating = Dating(self.text, self.numbers, self.structure, times)
        self.drafts: list[Draft] = []
        self._asked: tuple[Number, Draft, bool] | None = None
        """The answer of `last_before`, which is asked for several times a number."""
        self._sums: dict[Spans, Decimal | None] | None = None
        self._named: dict[Spans, set[str]] | None = None
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
        if last.number.start >= number.sentence:
            return last
        if self._asked is None or self._asked[0] is not number or self._asked[1] is not last:
            self._asked = number, last, self._reaches(last, number.sentence)
        return last if self._asked[2] else None

    def _reaches(self, last: Draft, sentence: int) -> bool:
        opened = self.structure.sentence_end(last.number.start) == sentence
        return opened and phrases.opens_inside(self.text[sentence : sentence + phrases.REACH])

    def add(self, number: Number, window: Window, metric: Metric, why: str, parent: int | None = None) -> Draft:
        status, period, as_of = self.dating.date(number, window, metric)
        draft = Draft(number, metric, status, period, as_of, why, parent)
        last = self.last_before(number)
        if last is not None and not last.has_value and last.metric is metric:
            # 纠纷较上年下降25%,调解96件: the change stood before its figure.
            draft.yoy_percent, draft.yoy_text = last.yoy_percent, last.yoy_text
            self.drafts.pop()
        elif last is not None and status == "actual" and int(period[:4]) < self.year and self._is_set_against(draft):
            draft.status = "prior_period"
        self.drafts.append(draft)
        for start, end in self.labels.get(number.index, ()) if self.labels else ():
            label = self.text[start:end]
            time = self.dating.times.before(end, start) if label[-1] in "年季度月份" else None
            if time is not None and time.kind == "window":
                draft.period = time.period
            elif year := _YEAR_LABEL.match(label):
                draft.period, earlier = year[1], int(year[1]) == self.year - 1
                draft.status = "prior_period" if earlier else draft.status
            elif why.partition("/")[0] not in label and not is_plain(label) and not self._speaks(number, start, end):
                draft.name_part(strip_unit(label))
        return draft

    def _speaks(self, number: Number, start: int, end: int) -> bool:
        """Whether a header cell says what is counted (负责人出庭 above 应出庭) and not of whom or which kind."""
        cell = self.tables[number.index]
        is_name = (start, end) in cell.labels[len(cell.labels) - cell.names :]
        hits = self.meaning.hits
        return not is_name and any(any(found.inside(start, end)) for found in (hits.names, hits.topics))

    def _measure(self, bare: Number, cell: Cell) -> Number:
        """A figure of a table with the measure word that its header names: 320 below 罚没金额(万元) is 3200000元."""
        unit, mention = cell.unit, bare.mention
        if not unit:
            is_rate = any(map(_RATE_LABEL.search, self.label_texts(bare)))
            return Number(bare.index, bare.start, bare.end, mention, "%") if is_rate else bare
        times = _TIMES.get(unit[0], 1) if len(unit) > 1 else 1
        unit = unit[1:] if times > 1 else unit
        if times > 1 and mention.value is not None and mention.value_low is None and mention.value_high is None:
            mention = replace(mention, value=mention.value * times)
        elif times > 1:
            return bare
        return Number(bare.index, bare.start, bare.end, mention, unit)

    def claims_of(self, number: Number, window: Window) -> list[Claim]:
        """The claims on a number; where the cells of a table name no metric, by the line above the table too.

        Of rows that name things of their own the line above tells the topic only.
        """
        claims = self.meaning.claims(number, window)
        cell = self.tables.get(number.index) if self.tables else None
        if cell is not None and not cell.labels:
            return []
        if claims or cell is None or cell.caption is None or self._has_number(cell.caption):
            return claims
        names = cell.labels[len(cell.labels) - cell.names :]
        is_named = cell.is_item or any(any(self.meaning.hits.names.inside(*name)) for name in names if not cell.is_sum)
        window.labels = (*cell.labels, cell.caption)
        claims = self.meaning.claims(number, window)
        start, end = cell.caption
        beside = self._named_beside(cell)
        return [
            claim
            for claim in claims
            if not start <= claim.hit.start < end or not (is_named or (beside and claim.reading.metric not in beside))
        ]

    def _named_beside(self, cell: Cell) -> set[str]:
        """The metrics that the rows of a column may name: below 维持 and 撤销 a row 其他 is no whole (审结方式)."""
        if self._named is None:
            self._named = {}
            for other in self.tables.values():
                metrics = self._named.setdefault(_column_of(other), set())
                for name in () if other.is_sum else other.labels[len(other.labels) - other.names :]:
                    hits = self.meaning.hits.names.inside(*name)
                    metrics.update(reading.metric for hit in hits for reading in hit.word.names)
        return self._named[_column_of(cell)]

    def _has_number(self, span: tuple[int, int]) -> bool:
        at = bisect_left(self.numbers, span[0], key=lambda number: number.start)
        return at < len(self.numbers) and self.numbers[at].start < span[1]

    def whole_of_table(self, number: Number) -> int | None:
        """The draft told in the sentence above a table whose rows add up to it: 收到申请133件。/自然人/121/法人/12."""
        cell = self.tables[number.index]
        if cell.caption is None:
            return None
        if self._sums is None:
            self._sums = _add_up(self.tables, self.numbers)
        for index in range(len(self.drafts) - 1, -1, -1):
            draft = self.drafts[index]
            if draft.number.start < cell.caption[0]:
                return None
            told = draft.number.start < cell.caption[1] and draft.metric.kind != "rate"
            if told and draft.number.mention.value == self._sums[_column_of(cell)]:
                return index
        return None

    def _is_set_against(self, draft: Draft) -> bool:
        """2023年调解5217件;2022年4980件: last year's figure told after this year's of the same metric."""
        sentence = draft.number.sentence
        for earlier in reversed(self.drafts[-6:]):
            if earlier.number.start < sentence:
                return False
            if earlier.metric is draft.metric:
                return earlier.status == "actual" and draft.period == year_before(earlier.period)
        return False

    def label_texts(self, number: Number) -> list[str]:
        """The cells that label a number of a table, header first."""
        return [self.text[start:end] for start, end in self.labels.get(number.index, ())]


Spans = tuple[tuple[int, int], ...]


def _column_of(cell: Cell) -> Spans:
    """The line above a table and the header cells of one of its columns."""
    return (cell.caption or (0, 0), *cell.labels[: len(cell.labels) - cell.names])


def _add_up(tables: Mapping[int, Cell], numbers: Sequence[Number]) -> dict[Spans, Decimal | None]:
    """The total of each column: what its 合计 says, else the sum of its figures."""
    sums: dict[Spans, Decimal | None] = {}
    closed: set[Spans] = set()
    for index, cell in tables.items():
        column, value = _column_of(cell), numbers[index].mention.value
        if cell.is_sum:
            sums[column] = value
            closed.add(column)
        elif column not in closed:
            before = sums.get(column, Decimal(0))
            sums[column] = None if value is None or before is None else before + value
    return sums


def _list_cells(tables: Iterable[Cell]) -> Iterator[tuple[int, int]]:
    for cell in tables:
        yield from cell.labels
        if cell.caption is not None:
            yield cell.caption


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
