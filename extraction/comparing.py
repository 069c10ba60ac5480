"""Figures that are set against others: earlier years, changes, from A to B, and rows told with 分别."""

from __future__ import annotations

from dataclasses import dataclass

from extraction import phrases
from extraction.catalogue import Metric
from extraction.dating import year_before
from extraction.drafts import Draft
from extraction.meaning import Claim
from extraction.respectively import Row, find_rows
from extraction.walk import Walk, same_kind
from extraction.windows import Number, Window

_MAX_CHANGED = 14
_MAX_BACK = 30
"""So many figures back may stand the one that a change belongs to."""
_MAX_NOUN = 16
_POINTS = frozenset(["个百分点", "百分点"])
_PERCENTS = frozenset(["%", "倍"])
_RATES = _POINTS | _PERCENTS


@dataclass(frozen=True, slots=True)
class Origin:
    """A of 由A降至B: what it is a figure of, and the number itself while it is no observation yet."""

    metric: Metric
    number: Number | None


class Comparing(Walk):
    """Reads the numbers that lean on a figure of another time or on a row of nouns."""

    def prepare(self) -> None:
        """What must be known before the first number is read."""
        self.rows = find_rows(self.text, self.numbers, self.structure)
        self.origin: Origin | None = None
        self._changes: dict[int, Draft] = {}
        """What figure each number that is a change belongs to."""
        self._told: dict[int, Metric] = {}
        """Metrics of the numbers of a row each noun of which names one."""
        self._shares_head = False
        """Whether the nouns of the row being read share the word that names its metric."""
        self._void: set[int] = set()
        """Numbers of a row of mere kinds, one of which sounds like a metric."""

    # -- another time -------------------------------------------------------------------------------------------

    def read_prior(self, number: Number, window: Window, claims: list[Claim], last: Draft | None, year: str) -> None:
        """较2018年的176件: last year's figure of the metric named right before it, else of the figure before."""
        if claims and claims[0].side == "left" and claims[0].hit.start >= window.piece:
            metric = self.metric_of(claims[0])
        elif last is not None and same_kind(last.number, number):
            metric = last.metric
        elif claims:
            metric = self.metric_of(claims[0])
        else:
            return
        same = last is not None and last.metric is metric and last.status == "actual"
        if (
            same
            and last is not None
            and year == str(self.year - 1)
            and "全年" not in self.text[window.piece : number.start]
        ):
            year = year_before(last.period)
        self.drafts.append(Draft(number, metric, "prior_period", year, None, "prior year"))
        self.origin = Origin(metric, None)

    def open_range(self, number: Number, claims: list[Claim], before: str) -> None:
        """由A: of the same metric as B; what the law allows (法定的20天) is no figure of an earlier time."""
        if claims:
            self.origin = Origin(self.metric_of(claims[0]), None if phrases.is_norm(before) else number)
        self.play(number, "range_start")

    def close_range(self, number: Number, window: Window, origin: Origin) -> None:
        """降至B: with it A becomes an observation of the year before, unless both are still to come."""
        status, period, _ = self.dating.date(number, window, origin.metric)
        if origin.number is not None and status == "actual":
            same = phrases.is_before_reform(self.text[max(0, origin.number.start - 4) : origin.number.start])
            earlier = period if same else year_before(period)
            before = Draft(origin.number, origin.metric, "prior_period", earlier, None, "range start")
            self.drafts.append(before)
        self.add(number, window, origin.metric, "range")
        self.part_of = len(self.drafts) - 1

    # -- changes ------------------------------------------------------------------------------------------------

    def read_change(self, number: Number, window: Window, before: str, claims: list[Claim], last: Draft | None) -> bool:
        """增长25.6%, 较去年增加237宗: the change of another figure, no figure of its own."""
        sign = phrases.find_change(before)
        if sign is None:
            return False
        if number.unit not in _RATES:
            here = self.text[max(window.left, number.start - phrases.REACH) : number.start]
            if not phrases.is_compared(here) and not self._is_beside_prior(number, last):
                return False
        elif claims and claims[0].reading.needs and claims[0].hit.end >= number.start - 8:
            return False
        piece = self.text[window.piece : number.start]
        if phrases.is_other_change(piece):
            if last is not None and last.number is self.numbers[number.index - 1]:
                self._changes[number.index] = last
            return True
        subject = phrases.subject_of_change(piece)
        named = self._name_changed(number, window) if subject and not phrases.is_of_rate(subject) else []
        owner = self._find_changed(number, window, subject, named, last)
        if owner is not None:
            self._set_change(owner, sign, number)
        elif named and number.unit in _PERCENTS:
            self._add_bare_change(number, window, named[0], sign)
        return True

    def _is_beside_prior(self, number: Number, last: Draft | None) -> bool:
        """较上年的80件减少12件: the comparison stood before the earlier figure."""
        return last is not None and last.status == "prior_period" and last.number is self.numbers[number.index - 1]

    def _name_changed(self, number: Number, window: Window) -> list[Metric]:
        """The metrics that may be named by the subject of a change (受理案件总数较去年增加…)."""
        return [
            self.metric_of(claim)
            for claim in self.meaning.claims(number, window, changed=True)
            if claim.side == "left" and claim.hit.start >= window.piece and number.start - claim.hit.end <= _MAX_CHANGED
            if self.metric_of(claim).measure == "flow"
        ]

    def _find_changed(
        self, number: Number, window: Window, subject: str, named: list[Metric], last: Draft | None
    ) -> Draft | None:
        """The figure of this sentence that a change belongs to: that of its subject, else the one right before it."""
        if last is None:
            return None
        before = self._changes.get(number.index - 1)
        if before is None and self.numbers[number.index - 1] is last.number:
            before = last
            if last.status == "prior_period":
                before = self.drafts[-2] if len(self.drafts) > 1 and self.drafts[-2].metric is last.metric else None
        if not subject:
            return before if before is not None and self._may_change(before, number) else None
        sentence = self.structure.sentence_start(number.start)
        here = [draft for draft in self.drafts[-_MAX_BACK:] if draft.number.start >= sentence]
        if not named and phrases.is_of_total(subject) and self.part_of is not None and self.part_of < len(self.drafts):
            here = [draft for draft in here if draft is self.drafts[self.part_of or 0]]
            return here[0] if here and self._may_change(here[0], number) else None
        clause = self.structure.clause_start(number.start)
        for metric in named:
            fits = [draft for draft in here if draft.metric is metric and self._may_change(draft, number)]
            fits = [draft for draft in fits if draft.number.start >= clause] or fits
            if fits:
                worded = [draft for draft in fits if draft.why.partition("/")[0] in subject]
                return (worded or [draft for draft in fits if draft.parent is None] or fits)[0]
        return None

    @staticmethod
    def _may_change(draft: Draft, number: Number) -> bool:
        """Whether a change of this kind is still missing from a figure of this time."""
        if draft.status == "prior_period":
            return False
        if number.unit in _POINTS:
            return draft.yoy_change is None and draft.metric.kind == "rate"
        if number.unit in _PERCENTS:
            return draft.yoy_percent is None
        return draft.yoy_change is None and draft.has_value and same_kind(draft.number, number)

    def _set_change(self, draft: Draft, sign: int, number: Number) -> None:
        self._changes[number.index] = draft
        if number.unit in _PERCENTS:
            _set_percent(draft, sign, number)
        else:
            draft.yoy_change = phrases.signed(sign, number.mention.value)

    def _add_bare_change(self, number: Number, window: Window, metric: Metric, sign: int) -> None:
        status, period, as_of = self.dating.date(number, window, metric)
        draft = Draft(number, metric, status, period, as_of, "change only", has_value=False)
        self._set_change(draft, sign, number)
        self.drafts.append(draft)

    # -- rows ---------------------------------------------------------------------------------------------------

    def read_row(self, number: Number, window: Window, row: Row, last: Draft | None) -> bool:
        """One number of a row told with 分别. Whether the row says what it is."""
        at = number.index - row.first
        verb = self.text[row.word : self.numbers[row.first].start]
        own = self.text[self.numbers[number.index - 1].end : number.start] if at else ""
        sign = phrases.find_change(own) or phrases.find_change(verb)
        if sign is not None or phrases.is_share(verb):
            if not self._follow(number, row, at, sign):
                self._read_changed(number, window, row, sign, last)
            return True
        if at == 0 and row.nouns:
            self._read_nouns(row)
        if number.index in self._void:
            self.play(number, "joint")
            return True
        metric = self._told.get(number.index)
        if metric is not None:
            self.add(number, window, metric, "row")
            self.part_of = len(self.drafts) - 1
        return metric is not None

    def _follow(self, number: Number, row: Row, at: int, sign: int | None) -> bool:
        """受理126件、审结118件,分别增长12%、8%: a change or share of the figure in the same place of the row before."""
        told = self.numbers[max(0, row.first - row.size) : row.first]
        if len(told) < row.size or told[0].start < self.structure.sentence_start(number.start):
            return False
        if phrases.subject_of_change(self.text[told[-1].end : row.word]):
            return False
        owner = next((draft for draft in self.drafts[-4 * row.size :] if draft.number is told[at]), None)
        if owner is None:
            return False
        if sign is None:
            owner.share_percent, owner.share_of = number.mention.value, owner.metric.part_of
        elif self._may_change(owner, number):
            self._set_change(owner, sign, number)
        self.play(number, "share" if sign is None else "change")
        return True

    def _read_changed(self, number: Number, window: Window, row: Row, sign: int | None, last: Draft | None) -> None:
        """刑事发案、命案分别下降8%、50%: the change of what the noun names, whether its figure is stated or not."""
        self.play(number, "share" if sign is None else "change")
        if (
            sign is None
            or number.unit not in _PERCENTS
            or phrases.is_other_change(self.text[max(0, row.word - 8) : row.word])
        ):
            return
        if row.nouns:
            noun = row.nouns[number.index - row.first]
            window = Window(number.start, number.start, number.end, number.end, number.start, labels=(noun,))
            subject = phrases.subject_of_change(self.text[slice(*noun)])
            named = [self.metric_of(claim) for claim in self.meaning.claims(number, window, changed=True)][:1]
            named = [metric for metric in named if metric.measure == "flow"]
        elif number.index == row.first:
            subject = phrases.subject_of_change(self.text[window.piece : row.word])
            named = self._name_changed(number, window)[:1]
        else:
            if last is not None and not last.has_value and last.number is self.numbers[number.index - 1]:
                self._add_bare_change(number, window, last.metric, sign)
            return
        if not named or phrases.is_of_rate(subject):
            return
        owner = self._find_changed(number, window, subject, named, last) if row.nouns else None
        if owner is not None:
            self._set_change(owner, sign, number)
        else:
            self._add_bare_change(number, window, named[0], sign)

    def _read_nouns(self, row: Row) -> None:
        """受理、审结分别为80件、75件: each noun names the metric of its number, or the row is no row of metrics."""
        verb = (row.word + 2, self.numbers[row.first].start)
        named: list[Claim | None] = []
        for number, noun in zip(self.numbers[row.first : row.first + row.size], row.nouns, strict=True):
            window = Window(number.start, number.start, number.end, number.end, number.start, labels=(noun, verb))
            named.append(next(iter(self.meaning.claims(number, window)), None))
        found = [self.metric_of(claim) for claim in named if claim is not None]
        if len(found) == row.size and len({metric.code for metric in found}) < row.size:
            return
        head = named[0]
        if len(found) < row.size:
            kinds = any(
                claim and claim.hit.start == noun[0] and claim.hit.end == noun[1]
                for claim, noun in zip(named[1:], row.nouns[1:], strict=True)
            )
            if head is None or len(found) == 1 or head.hit.end >= row.nouns[0][1]:
                if kinds and head is None:
                    self._void.update(self._indices(row))
                return
            # 复议案件集中在治安处罚、投诉举报,分别为9件、7件: kinds of one metric
            found = [self.metric_of(head)] * row.size
        self._told.update(zip(self._indices(row), found, strict=True))

    def continues_row(self, number: Number, window: Window, row: Row, claims: list[Claim], last: Draft | None) -> bool:
        """A further figure of the metric that all nouns of the row share (政府、部门的满意率分别为98%、99%)."""
        if number.index == row.first:
            own = bool(claims and row.nouns) and 0 <= row.nouns[0][1] - claims[0].hit.end < 2
            self._shares_head = bool(claims) and not own
            return False
        if not self._shares_head or last is None or last.number is not self.numbers[number.index - 1]:
            return False
        if not same_kind(last.number, number) or (claims and self.metric_of(claims[0]) is not last.metric):
            return False
        self.add(number, window, last.metric, "list", last.parent)
        return True

    def name_row(self, number: Number, row: Row) -> None:
        """部门、镇街规范性文件分别为8件、15件: who or what kind each figure of one metric is of."""
        draft = self.drafts[-1] if self.drafts else None
        if draft is not None and draft.number is number and row.years:
            draft.period, draft.as_of = row.years[number.index - row.first], None
            draft.dimension = None
            return
        if draft is None or draft.number is not number or draft.scope or draft.dimension or not row.nouns:
            return
        if (
            draft.why == "row"
            and len({metric.code for metric in map(self._told.get, self._indices(row)) if metric}) > 1
        ):
            return
        start, end = row.nouns[number.index - row.first]
        word = next(iter(self.meaning.hits.names.inside(start, end)), None)
        noun = self.text[start : word.start if word and word.start > start else end].rpartition("的")[2]
        if 1 < len(noun) <= _MAX_NOUN:
            draft.name_part(noun)

    @staticmethod
    def _indices(row: Row) -> range:
        return range(row.first, row.first + row.size)


def _set_percent(draft: Draft, sign: int, number: Number) -> None:
    """25.6% as it stands; 1.7倍 is 170%."""
    percent = phrases.signed(sign, number.mention.value)
    if percent is not None and number.unit == "倍":
        percent *= 100
    draft.yoy_percent, draft.yoy_text = percent, number.mention.text
