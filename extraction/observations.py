"""Observations: the mentions whose meaning the catalogue defines. Rules: docs/extraction.md.

Numbers are walked in order. Each gets the best claim of a metric (`meaning`), unless the grammar says that it is an
earlier year's figure, a change, a share or a part: then it takes its meaning from the figure it stands beside.
Precision first: what fits nothing stays a mention.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile

from extraction import phrases
from extraction.catalogue import Catalogue, Metric
from extraction.drafts import Draft, Finisher
from extraction.meaning import Claim
from extraction.model import Mention, Observation
from extraction.trace import Trace
from extraction.view import build_view
from extraction.walk import Walk, is_less, same_kind
from extraction.windows import Number, Window

MAX_NUMBERS = 10_000
"""A report has some hundreds of numbers. A text with more than this is none: the rest stays mentions."""
_MAX_LABEL = 16
_PARALLEL = 12
_NEAR_SCORE = 6.0
_MAX_CHANGED = 14
_RATES = frozenset(["%", "个百分点", "百分点", "倍", "成"])


def extract_observations(
    text: str,
    mentions: Sequence[Mention],
    catalogue: Catalogue,
    report_year: int | None,
    publish_date: str | None = None,
    trace: Trace | None = None,
) -> tuple[Observation, ...]:
    """The observations of one report in order of their place. Without a report year nothing can be dated: none.

    A `trace` is told what became of each number (`extraction.explain`).
    """
    if report_year is None or not mentions:
        return ()
    mentions = sorted(mentions, key=lambda mention: mention.start)[:MAX_NUMBERS]
    view = build_view(text, catalogue.script)
    walk = _Reader(view, mentions, catalogue, report_year, publish_date, trace)
    walk.read_all()
    finisher = Finisher(text, view, walk.structure)
    return tuple(finisher.finish(draft) for draft in walk.drafts)


class _Reader(Walk):
    """Decides for each number what it is."""

    def read_all(self) -> None:
        for number in self.numbers:
            window = self.windows.window(number)
            if number.index in self.labels:
                window = replace(window, labels=self.labels[number.index])
            before = self.text[max(window.left, number.start - phrases.REACH) : number.start]
            if self.dating.glued_year(number):
                before += "年"
            if phrases.is_pool(before, self.text[number.end : number.end + 20]):
                self.play(number, "pool")
            elif phrases.is_per_one(self.text[window.piece : number.start]):
                self.play(number, "per_one")
            else:
                self._read(number, window, before)

    def _read(self, number: Number, window: Window, before: str) -> None:
        last = self.last_before(number)
        claims = self.meaning.claims(number, window)
        prior = phrases.find_prior(before, self.year)
        origin, self.origin = self.origin, None
        if prior is not None:
            self._read_prior(number, window, claims, last, prior)
        elif origin is not None and phrases.closes_range(before):
            self.add(number, window, origin, "range")
        elif phrases.opens_range(before):
            self.origin = self.metric_of(claims[0]) if claims else None
            self.play(number, "range_start")
        elif self._read_change(number, window, before, claims, last):
            self.play(number, "change")
        elif self._completes(number):
            self.add(number, window, self.drafts[self.part_of or 0].metric, "part", self.part_of)
        elif (
            last is not None
            and last.why == "part"
            and before.startswith("、")
            and self._read_part(number, window, before, last)
        ):
            return
        elif whole := self._whole_of_list(number, before):
            self.add(number, window, whole, "total")
        elif claims:
            self._read_claims(number, window, claims, before)
        elif number.unit == "%":
            self._read_share(number, window, before, last)
        elif number.index in self.labels:
            self.play(number, "table_cell")
        elif last is not None and phrases.is_only_time(before):
            self._read_parallel(number, window)
        else:
            self._read_part(number, window, before, last)

    # -- figures with a meaning of their own --------------------------------------------------------------------

    def _read_claims(self, number: Number, window: Window, claims: list[Claim], before: str) -> None:
        best = claims[0]
        if not phrases.says_each(before) and self.meaning.is_joint(best):
            self.play(number, "joint")
            return
        parent, last = None, self.last_before(number)
        for claim in [best, *(claim for claim in claims[1:] if self._is_second(claim, best, number, window, before))]:
            metric = self.metric_of(claim)
            parent = self._parent_of(number, window, metric)
            self.add(number, window, metric, claim.why, parent)
        if best.side == "right":
            self.meaning.taken = best.hit.end
        if parent is None and last is not None and self.part_of is not None and self.part_of < len(self.drafts):
            total = self.drafts[self.part_of]
            if self.drafts[-1].metric.part_of == total.metric.code and is_less(number, total.number):
                return  # 权力2486项:行政许可297项、行政处罚…: the list of the total goes on
        self.part_of = parent if parent is not None else len(self.drafts) - 1

    def _is_second(self, claim: Claim, best: Claim, number: Number, window: Window, before: str) -> bool:
        """Whether a figure says a second thing too: 各1宗, 341名…培训、考试, 13件…进行审查,报…备案."""
        if claim.side == "tail":
            return self.meaning.is_done(claim, number)
        if best.side == "tail":
            return True
        if claim.hit is best.hit or claim.side != best.side:
            return False
        low, high = sorted((claim.hit, best.hit), key=lambda hit: hit.start)
        between = self.text[low.end : high.start]
        if phrases.says_each(before):
            return len(between) <= 6
        return between in {"、", "和", "及"} and claim.side == "right" and claim.score > best.score - _NEAR_SCORE

    def _parent_of(self, number: Number, window: Window, metric: Metric) -> int | None:
        """The total of the same metric that this figure is a part of (其中…)."""
        if self.last_before(number) is None or self.part_of is None or metric.kind == "rate":
            return None
        if self.part_of >= len(self.drafts) or self.drafts[self.part_of].metric is not metric:
            return None
        opened = phrases.opens_parts(self.text[window.left : number.start])
        if not opened and self.structure.bracket_around(number.start) is None:
            return None
        return self.part_of if is_less(number, self.drafts[self.part_of].number) else None

    # -- figures that lean on another ---------------------------------------------------------------------------

    def _read_prior(self, number: Number, window: Window, claims: list[Claim], last: Draft | None, year: str) -> None:
        """较2018年的176件: last year's figure of the metric named right before it, else of the figure before."""
        if claims and claims[0].side == "left" and claims[0].hit.start >= window.piece:
            metric = self.metric_of(claims[0])
        elif last is not None and same_kind(last.number, number):
            metric = last.metric
        elif claims:
            metric = self.metric_of(claims[0])
        else:
            return
        self.drafts.append(Draft(number, metric, "prior_period", year, None, "prior year"))
        self.origin = metric

    def _read_change(
        self, number: Number, window: Window, before: str, claims: list[Claim], last: Draft | None
    ) -> bool:
        """增长25.6%, 较去年增加237宗: the change of the figure before, no figure of its own."""
        sign = phrases.find_change(before)
        if sign is None:
            return False
        if number.unit not in _RATES:
            if not phrases.is_compared(self.text[max(window.left, number.start - phrases.REACH) : number.start]):
                return False
            if last is not None and last.yoy_change is None and same_kind(last.number, number):
                last.yoy_change = phrases.signed(sign, number.mention.value)
            return True
        if claims and claims[0].reading.needs and claims[0].hit.end >= number.start - 8:
            return False
        if number.unit != "%" or self._add_changed(number, window, sign, last):
            return True
        if "分别" in before or (last is not None and self.numbers[number.index - 1] is not last.number):
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
            metric, gap = self.metric_of(claim), number.start - claim.hit.end
            if claim.side != "left" or claim.hit.start < window.piece or gap > _MAX_CHANGED or metric.measure != "flow":
                continue
            if last is not None and last.metric is metric:
                continue
            draft = self.add(number, window, metric, "change only")
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
                self.add(number, window, last.metric, "target")
            return
        beside = self.numbers[number.index - 1] is last.number
        listed = self._parts_without_share(last) if phrases.is_share(before) and phrases.is_joint(before) else ()
        if len(listed) > 1:
            rate = self.catalogue.rate_of(listed, last.metric.part_of)
            if rate is not None and not self._is_told_apart(rate, listed, last):
                self.add(number, window, rate, "joint share")
            return
        if last.share_percent is None and beside and (phrases.is_share(before) or not before.strip(",:(")):
            last.share_percent, last.share_of = number.mention.value, last.metric.part_of
            self.play(number, "share")

    def _parts_without_share(self, last: Draft) -> list[str]:
        """撤销31宗,变更16宗,合计占5.4%: the metrics of the parts that the joint share is of, back to the last share."""
        parts: list[str] = []
        sentence = self.structure.sentence_start(last.number.start)
        for draft in reversed(self.drafts):
            is_part = draft.metric.part_of is not None and draft.metric.part_of == last.metric.part_of
            if not is_part or draft.share_percent is not None or draft.number.start < sentence:
                break
            parts.append(draft.metric.code)
        return parts

    def _is_told_apart(self, rate: Metric, listed: list[str], last: Draft) -> bool:
        """Whether a part of the rate's numerator has been told with a share of its own: then this is not the rate."""
        terms = set((rate.rate_numerator or "").split("+")) - set(listed)
        sentence = self.structure.sentence_start(last.number.start)
        here = takewhile(lambda draft: draft.number.start >= sentence, reversed(self.drafts))
        return any(draft.metric.code in terms for draft in here)

    def _completes(self, number: Number) -> bool:
        """908宗(含结余80宗、新收828宗): a figure in the bracket that fills up the total is its part."""
        bracket = self.structure.bracket_around(number.start)
        if bracket is None or number.index < 2:
            return False
        total, other = self.numbers[number.index - 2], self.numbers[number.index - 1]
        if not 0 <= bracket[0] - total.end <= 1 or other.start < bracket[0] or not same_kind(total, number):
            return False
        recent = range(max(0, len(self.drafts) - 3), len(self.drafts))
        owner = next((index for index in recent if self.drafts[index].number is total), None)
        whole, rest, own = total.mention.value, other.mention.value, number.mention.value
        if owner is None or whole is None or rest is None or own is None or self.drafts[owner].metric.kind == "rate":
            return False
        self.part_of = owner
        return whole == rest + own

    def _whole_of_list(self, number: Number, before: str) -> Metric | None:
        """建议74件、提案121件,共195件: what the two figures right before are the parts of."""
        if len(self.drafts) < 2 or not phrases.is_total(before):
            return None
        one, other = self.drafts[-2:]
        whole = one.metric.part_of
        beside = other.number.index == number.index - 1 and one.number.index == number.index - 2
        if whole is None or other.metric.part_of != whole or one.metric is other.metric or not beside:
            return None
        fits = same_kind(other.number, number) and is_less(one.number, number) and is_less(other.number, number)
        return self.catalogue.metrics[whole] if fits else None

    def _read_parallel(self, number: Number, window: Window) -> None:
        """2018年调解2447起,…;2019年2518起: the same again for another year."""
        sentence, piece = self.structure.sentence_start(number.start), self.structure.piece_start(number.start)
        for draft in reversed(self.drafts[-_PARALLEL:]):
            if draft.number.start < sentence:
                return
            if draft.number.start >= piece or not same_kind(draft.number, number):
                continue
            start = max(self.structure.clause_start(draft.number.start), draft.number.start - phrases.REACH)
            if phrases.starts_with_time(self.text[start : draft.number.start]):
                self.add(number, window, draft.metric, "parallel year")
                return

    def _read_part(self, number: Number, window: Window, before: str, last: Draft | None) -> bool:
        """Parts of a total, and further values of a list (分别为8件、15件). Whether the figure was one."""
        listed = last is not None and last.why == "part" and before.startswith("、")
        if last is None or last.metric.kind == "rate" or not same_kind(last.number, number, loose=listed):
            return False
        metric, follows = last.metric, self.text[number.end : window.right]
        if not before.strip("、,和及与以 "):
            beside = self.numbers[number.index - 1] is last.number and not follows
            start = max(self.structure.clause_start(last.number.start), last.number.start - phrases.FAR)
            if beside and "分别" in self.text[start : last.number.start]:
                self.add(number, window, metric, "list", last.parent)
                return True
            return False
        if self.part_of is None or self.part_of >= len(self.drafts):
            return False
        total = self.drafts[self.part_of]
        chained = (last.parent == self.part_of or metric.part_of == total.metric.code) and self._chains(last, number)
        if total.metric is not metric and not (chained and metric.part_of == total.metric.code):
            return False
        if not listed and number.unit and not any(number.unit in reading.units for reading in total.metric.readings):
            return False
        opened = phrases.opens_parts(before) or self._in_bracket_after(number, total.number)
        if total.metric.measure == "level" or not (opened or chained):
            return False
        label = before.lstrip("、,;:( ").removeprefix("其中").lstrip(",:") or follows
        staged = any(word in label + follows for word in self.catalogue.stages)
        if not label or len(label) > _MAX_LABEL or staged or not is_less(number, total.number):
            return False
        self.add(number, window, total.metric, "part", self.part_of).name_part(label)
        return True

    def _chains(self, last: Draft, number: Number) -> bool:
        """Whether nothing but shares and marks lies between the part before and this one."""
        between = self.numbers[last.number.index + 1 : number.index]
        same_clause = self.structure.clause_start(last.number.start) == self.structure.clause_start(number.start)
        return all(other.unit == "%" for other in between) and (same_clause or bool(between))

    def _in_bracket_after(self, number: Number, total: Number) -> bool:
        bracket = self.structure.bracket_around(number.start)
        return bracket is not None and 0 <= bracket[0] - total.end <= 12
