"""Observations: the mentions whose meaning the catalogue defines. Rules: docs/extraction.md.

Numbers are walked in order. Each gets the best claim of a metric (`meaning`), unless the grammar says that it is an
earlier year's figure, a change, a share or a part: then it takes its meaning from the figure it stands beside.
Precision first: what fits nothing stays a mention.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from extraction import phrases
from extraction.catalogue import Catalogue, Metric
from extraction.cells import label_cells
from extraction.dating import Dating
from extraction.drafts import Draft, Finisher
from extraction.meaning import Claim, Meaning, Number, Window
from extraction.model import Mention, Observation
from extraction.periods import Times
from extraction.structure import Structure
from extraction.view import View, blank_titles, build_view
from extraction.words import WordIndex

MAX_NUMBERS = 10_000
"""A report has some hundreds of numbers. A text with more than this is none: the rest stays mentions."""
_MAX_LABEL = 16
_PARALLEL = 12
_NEAR_SCORE = 6.0
_MAX_CHANGED = 14
_RATES = frozenset(["%", "个百分点", "百分点", "倍", "成"])


@lru_cache(maxsize=4)
def _index_words(catalogue: Catalogue) -> WordIndex:
    return WordIndex(catalogue)


def extract_observations(
    text: str,
    mentions: Sequence[Mention],
    catalogue: Catalogue,
    report_year: int | None,
    publish_date: str | None = None,
) -> tuple[Observation, ...]:
    """The observations of one report in order of their place. Without a report year nothing can be dated: none."""
    if report_year is None or not mentions:
        return ()
    mentions = sorted(mentions, key=lambda mention: mention.start)[:MAX_NUMBERS]
    view = build_view(text, catalogue.script)
    walk = _Walk(view, mentions, catalogue, report_year, publish_date)
    walk.read_all()
    finisher = Finisher(text, view, walk.structure)
    return tuple(finisher.finish(draft) for draft in walk.drafts)


class _Walk:
    """Reads the numbers of one text in order; what one says may decide what the next is."""

    def __init__(
        self, view: View, mentions: Sequence[Mention], catalogue: Catalogue, report_year: int, publish_date: str | None
    ) -> None:
        self.catalogue, self.year = catalogue, report_year
        self.text = blank_titles(view.text)
        self.numbers = [
            Number(index, view.forth(mention.start), view.forth(mention.end), mention, catalogue.simplify(mention.unit_zh))
            for index, mention in enumerate(mentions)
        ]
        self.structure = Structure(self.text, report_year, [number.start for number in self.numbers])
        words = _index_words(catalogue)
        self.meaning = Meaning(self.text, self.numbers, self.structure, words.find(self.text), words, catalogue)
        times = Times(self.text, report_year, publish_date)
        times.set_default(min(self.structure.title_end(), self.numbers[0].start))
        self.dating = Dating(self.text, self.numbers, self.structure, times)
        self.labels = label_cells(self.text, self.numbers)
        self.drafts: list[Draft] = []
        self.origin: Metric | None = None
        """The metric of A in 由A降至B, for B."""
        self.part_of: int | None = None
        """The draft whose parts are being listed."""

    def read_all(self) -> None:
        for number in self.numbers:
            window = self.meaning.window(number)
            if number.index in self.labels:
                window = replace(window, labels=self.labels[number.index])
            before = self.text[max(window.left, number.start - phrases.REACH) : number.start]
            if not phrases.is_pool(before, self.text[number.end : number.end + 20]):
                self._read(number, window, before)

    def _read(self, number: Number, window: Window, before: str) -> None:
        last = self._last(number)
        claims = self.meaning.claims(number, window)
        prior = phrases.find_prior(before, self.year)
        origin, self.origin = self.origin, None
        if prior is not None:
            self._read_prior(number, window, claims, last, prior)
        elif origin is not None and phrases.closes_range(before):
            self._add(number, window, origin, "range")
        elif phrases.opens_range(before):
            self.origin = self._metric(claims[0]) if claims else None
        elif self._read_change(number, window, before, claims, last):
            return
        elif self._completes(number):
            self._add(number, window, self.drafts[self.part_of or 0].metric, "part", self.part_of)
        elif claims:
            self._read_claims(number, window, claims, before)
        elif number.unit == "%":
            self._read_share(number, window, before, last)
        elif last is not None and phrases.is_only_time(before):
            self._read_parallel(number, window)
        else:
            self._read_part(number, window, before, last)

    def _metric(self, claim: Claim) -> Metric:
        return self.catalogue.metrics[claim.reading.metric]

    def _last(self, number: Number) -> Draft | None:
        """The draft before, when it stands in the same sentence."""
        if not self.drafts:
            return None
        last = self.drafts[-1]
        same = self.structure.sentence_start(number.start) == self.structure.sentence_start(last.number.start)
        return last if same else None

    def _add(self, number: Number, window: Window, metric: Metric, why: str, parent: int | None = None) -> Draft:
        status, period, as_of = self.dating.date(number, window, metric)
        draft = Draft(number, metric, status, period, as_of, why, parent)
        last = self._last(number)
        if last is not None and not last.has_value and last.metric is metric:
            # 纠纷较上年下降25%,调解96件: the change stood before its figure.
            draft.yoy_percent, draft.yoy_text = last.yoy_percent, last.yoy_text
            self.drafts.pop()
        self.drafts.append(draft)
        if number.index in self.labels and self.labels[number.index]:
            draft.name_part(self.text[slice(*self.labels[number.index][-1])])
        return draft

    # -- figures with a meaning of their own --------------------------------------------------------------------

    def _read_claims(self, number: Number, window: Window, claims: list[Claim], before: str) -> None:
        best = claims[0]
        if not phrases.says_each(before) and self.meaning.is_joint(best):
            return
        parent = None
        for claim in [best, *(claim for claim in claims[1:] if self._is_second(claim, best, number, window, before))]:
            metric = self._metric(claim)
            parent = self._parent_of(number, window, metric)
            self._add(number, window, metric, claim.why, parent)
        if best.side == "right":
            self.meaning.taken = best.hit.end
        self.part_of = parent if parent is not None else len(self.drafts) - 1

    def _is_second(self, claim: Claim, best: Claim, number: Number, window: Window, before: str) -> bool:
        """Whether a figure says a second thing too: 各1宗, 341名…培训、考试, 13件…进行审查,报…备案."""
        if claim.side == "tail":
            return self.meaning.is_done(claim, number)
        if claim.hit is best.hit or claim.side != best.side:
            return False
        low, high = sorted((claim.hit, best.hit), key=lambda hit: hit.start)
        between = self.text[low.end : high.start]
        if phrases.says_each(before):
            return len(between) <= 6
        return between in {"、", "和", "及"} and claim.side == "right" and claim.score > best.score - _NEAR_SCORE

    def _parent_of(self, number: Number, window: Window, metric: Metric) -> int | None:
        """The total of the same metric that this figure is a part of (其中…)."""
        if self._last(number) is None or self.part_of is None or metric.kind == "rate":
            return None
        if self.part_of >= len(self.drafts) or self.drafts[self.part_of].metric is not metric:
            return None
        opened = phrases.opens_parts(self.text[window.left : number.start])
        if not opened and self.structure.bracket_around(number.start) is None:
            return None
        return self.part_of if _is_less(number, self.drafts[self.part_of].number) else None

    # -- figures that lean on another ---------------------------------------------------------------------------

    def _read_prior(
        self, number: Number, window: Window, claims: list[Claim], last: Draft | None, year: str
    ) -> None:
        """较2018年的176件: last year's figure of the metric named right before it, else of the figure before."""
        if claims and claims[0].side == "left" and claims[0].hit.start >= window.piece:
            metric = self._metric(claims[0])
        elif last is not None and _same_kind(last.number, number):
            metric = last.metric
        elif claims:
            metric = self._metric(claims[0])
        else:
            return
        self.drafts.append(Draft(number, metric, "prior_period", year, None, "prior year"))
        self.origin = metric

    def _read_change(self, number: Number, window: Window, before: str, claims: list[Claim], last: Draft | None) -> bool:
        """增长25.6%, 较去年增加237宗: the change of the figure before, no figure of its own."""
        sign = phrases.find_change(before)
        if sign is None:
            return False
        if number.unit not in _RATES:
            if not phrases.is_compared(self.text[window.piece : number.start]):
                return False
            if last is not None and last.yoy_change is None and _same_kind(last.number, number):
                last.yoy_change = phrases.signed(sign, number.mention.value)
            return True
        if claims and claims[0].reading.needs and claims[0].hit.end >= number.start - 8:
            return False
        if number.unit != "%" or self._add_changed(number, window, sign, last):
            return True
        if last is not None and last.status == "prior_period":
            last = self.drafts[-2] if len(self.drafts) > 1 and self.drafts[-2].metric is last.metric else None
        if last is not None and last.yoy_percent is None:
            last.yoy_percent, last.yoy_text = phrases.signed(sign, number.mention.value), number.mention.text
        return True

    def _add_changed(self, number: Number, window: Window, sign: int, last: Draft | None) -> bool:
        """刑事警情同比下降18.7% where the figure itself is not stated: a record without a value."""
        if not phrases.is_compared(self.text[window.piece : number.start]):
            return False
        for claim in self.meaning.claims(number, window, changed=True):
            metric, gap = self._metric(claim), number.start - claim.hit.end
            if claim.side != "left" or claim.hit.start < window.piece or gap > _MAX_CHANGED or metric.measure != "flow":
                continue
            if last is not None and last.metric is metric:
                continue
            draft = self._add(number, window, metric, "change only")
            draft.has_value = False
            draft.yoy_percent, draft.yoy_text = phrases.signed(sign, number.mention.value), number.mention.text
            return True
        return False

    def _read_share(self, number: Number, window: Window, before: str, last: Draft | None) -> None:
        """占58.2% of the figure right before it; or the target of the rate before it."""
        if last is None:
            return
        if last.metric.kind == "rate":
            if phrases.is_target(before):
                self._add(number, window, last.metric, "target")
            return
        if last.share_percent is None and self.numbers[number.index - 1] is last.number:
            if phrases.is_share(before) or before.strip(",:(") == "":
                last.share_percent, last.share_of = number.mention.value, last.metric.part_of

    def _completes(self, number: Number) -> bool:
        """908宗(含结余80宗、新收828宗): a figure in the bracket that fills up the total is its part."""
        bracket = self.structure.bracket_around(number.start)
        if bracket is None or number.index < 2:
            return False
        total, other = self.numbers[number.index - 2], self.numbers[number.index - 1]
        if not 0 <= bracket[0] - total.end <= 1 or other.start < bracket[0] or not _same_kind(total, number):
            return False
        owner = next((i for i, draft in enumerate(self.drafts[-3:], max(0, len(self.drafts) - 3)) if draft.number is total), None)
        whole, rest, own = total.mention.value, other.mention.value, number.mention.value
        if owner is None or whole is None or rest is None or own is None or self.drafts[owner].metric.kind == "rate":
            return False
        self.part_of = owner
        return whole == rest + own

    def _read_parallel(self, number: Number, window: Window) -> None:
        """2018年调解2447起,…;2019年2518起: the same again for another year."""
        sentence, clause = self.structure.sentence_start(number.start), self.structure.clause_start(number.start)
        for draft in reversed(self.drafts[-_PARALLEL:]):
            if draft.number.start < sentence:
                return
            if draft.number.start >= clause or not _same_kind(draft.number, number):
                continue
            start = max(self.structure.clause_start(draft.number.start), draft.number.start - phrases.REACH)
            if phrases.starts_with_time(self.text[start : draft.number.start]):
                self._add(number, window, draft.metric, "parallel year")
                return

    def _read_part(self, number: Number, window: Window, before: str, last: Draft | None) -> None:
        """Parts of a total, and further values of a list (分别为8件、15件)."""
        if last is None or last.metric.kind == "rate" or not _same_kind(last.number, number):
            return
        metric, follows = last.metric, self.text[number.end : window.right]
        if not before.strip("、,和及与以 ") and self.numbers[number.index - 1] is last.number:
            clause = self.text[max(self.structure.clause_start(last.number.start), last.number.start - 120) : last.number.start]
            if "分别" in clause and not follows:
                self._add(number, window, metric, "list", last.parent)
            return
        total = self.part_of
        if total is None or total >= len(self.drafts) or self.drafts[total].metric is not metric:
            return
        if number.unit and not any(number.unit in reading.units for reading in metric.readings):
            return
        opened = phrases.opens_parts(before) or self._in_bracket_after(number, self.drafts[total].number)
        if metric.measure == "level" or not (opened or (last.parent == total and self._chains(last, number))):
            return
        label = before.lstrip("、,;:( ").removeprefix("其中").lstrip(",:") or follows
        staged = any(word in label + follows for word in self.catalogue.stages)
        if label and len(label) <= _MAX_LABEL and not staged and _is_less(number, self.drafts[total].number):
            self._add(number, window, metric, "part", total).name_part(label)

    def _chains(self, last: Draft, number: Number) -> bool:
        """Whether nothing but shares and marks lies between the part before and this one."""
        between = self.numbers[last.number.index + 1 : number.index]
        same_clause = self.structure.clause_start(last.number.start) == self.structure.clause_start(number.start)
        return all(other.unit == "%" for other in between) and (same_clause or bool(between))

    def _in_bracket_after(self, number: Number, total: Number) -> bool:
        bracket = self.structure.bracket_around(number.start)
        return bracket is not None and 0 <= bracket[0] - total.end <= 12


def _same_kind(one: Number, other: Number) -> bool:
    """Whether two numbers count in the same measure word, or one has lost it."""
    if (one.unit == "%") != (other.unit == "%"):
        return False
    cases = {"件", "宗", "起", "例"}
    return one.unit == other.unit or not one.unit or not other.unit or {one.unit, other.unit} <= cases


def _is_less(part: Number, total: Number) -> bool:
    if part.mention.value is None or total.mention.value is None:
        return False
    return part.mention.value <= total.mention.value
