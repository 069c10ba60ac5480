"""Observations: the mentions whose meaning the catalogue defines. Rules: docs/extraction.md.

Numbers are walked in order. Each gets the best claim of a metric (`meaning`), unless the grammar says that it is an
earlier year's figure, a change, a share or a part: then it takes its meaning from the figure it stands beside.
Precision first: what fits nothing stays a mention.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from extraction import phrases
from extraction.catalogue import Catalogue, Metric, fold_of
from extraction.comparing import Comparing
from extraction.drafts import Draft, Finisher
from extraction.meaning import Claim
from extraction.model import Mention, Observation
from extraction.trace import Trace
from extraction.view import View, build_view
from extraction.walk import is_less, same_kind
from extraction.windows import Number, Window

MAX_NUMBERS = 10_000
"""A report has some hundreds of numbers. A text with more than this is none: the rest stays mentions."""
_MAX_LABEL = 16
_MAX_STAGE = 6
"""In a list of kinds a longer label is the name of a kind, whatever words it holds (投诉举报答复)."""
_PARALLEL = 12
_SUFFIX = 2
_NEAR_SCORE = 6.0


def extract_observations(
    text: str,
    mentions: Sequence[Mention],
    catalogue: Catalogue,
    report_year: int | None,
    publish_date: str | None = None,
    trace: Trace | None = None,
    view: View | None = None,
) -> tuple[Observation, ...]:
    """The observations of one report in order of their place. Without a report year nothing can be dated: none.

    A `trace` is told what became of each number (`extraction.explain`).
    """
    if report_year is None or not mentions:
        return ()
    mentions = sorted(mentions, key=lambda mention: mention.start)[:MAX_NUMBERS]
    view = view or build_view(text, fold_of(catalogue))
    walk = _Reader(view, mentions, catalogue, report_year, publish_date, trace)
    walk.read_all()
    finisher = Finisher(text, view, walk.structure)
    return tuple(finisher.finish(draft) for draft in walk.drafts)


class _Reader(Comparing):
    """Decides for each number what it is."""

    def read_all(self) -> None:
        self.prepare()
        self.is_local = phrases.is_below_city(self.text[: self.structure.title_end()])
        self._opening = -1
        self._kinds: tuple[int, int] | None = None
        """A total whose kinds are being told, and where its list ends."""
        text, labels, rows, place_window = self.text, self.labels, self.rows, self.windows.window
        for number in self.numbers:
            window = place_window(number)
            if labels and number.index in labels:
                window.labels = labels[number.index]
            start, piece = number.start, window.piece
            before = text[max(window.left, start - phrases.REACH) : start]
            if number.mention.damaged and self.dating.glued_year(number):
                before += "年"
            if phrases.is_pool(before, text, number.end):
                self.play(number, "pool")
            elif phrases.is_per_one(text[piece:start]):
                self.play(number, "per_one")
            elif phrases.is_elsewhere(before) or (self.is_local and phrases.is_wider(text[piece : piece + 16])):
                self.play(number, "elsewhere")
            else:
                self._read(number, window, before)
                if rows and (row := rows.get(number.index)):
                    self.name_row(number, row)

    def _read(self, number: Number, window: Window, before: str) -> None:
        last = self.last_before(number)
        if self.drafts and self.numbers[number.index - 1].start < number.sentence:
            self._open_total(number)
        row = self.rows.get(number.index) if self.rows else None
        if row and self.read_row(number, window, row, last):
            return
        claims = self.claims_of(number, window)
        if claims and self._kinds is not None:
            claims = self._leave_kinds(number, claims)
        if row and self.continues_row(number, window, row, claims, last):
            return
        turns = phrases.turns(before)
        prior = phrases.find_prior(before, self.year) if turns else None
        origin, self.origin = self.origin, None
        if origin is not None and number.bracket is not None:
            self.origin = origin  # 由96个工作日(法定的300个)压缩至46个: what a bracket adds ends nothing
        if prior is not None:
            self.read_prior(number, window, claims, last, prior)
        elif origin is not None and phrases.closes_range(before):
            self.close_range(number, window, origin)
        elif turns and phrases.opens_range(before, self.text, number.end):
            self.open_range(number, claims, before)
        elif turns and self.read_change(number, window, before, claims, last):
            self.play(number, "change")
        elif number.bracket is not None and self._completes(number, number.bracket):
            self.add(number, window, self.drafts[self.part_of or 0].metric, "part", self.part_of)
        elif (
            last is not None
            and last.why == "part"
            and (before[:1] == "、" or self._is_alike(before, last))
            and self._read_part(number, window, before, last)
        ):
            return
        elif before[-1:] in phrases.TOTAL_ENDS and (whole := self._whole_of_list(number, before)):
            self.add(number, window, whole, "total")
        elif claims:
            self._read_claims(number, window, claims, before)
        elif number.unit == "%":
            self._read_share(number, window, before, last)
        elif number.index in self.labels:
            if (above := self.whole_of_table(number)) is not None:
                parent = None if self.tables[number.index].is_sum else above
                self.add(number, window, self.drafts[above].metric, "table", parent)
                return
            self.play(number, "table_cell")
        elif last is not None and phrases.is_only_time(before):
            self._read_parallel(number, window)
        else:
            self._read_part(number, window, before, last)

    # -- figures with a meaning of their own --------------------------------------------------------------------

    def _read_claims(self, number: Number, window: Window, claims: list[Claim], before: str) -> None:
        best = claims[0]
        if self.meaning.is_joint(best) and not phrases.says_each(before):
            self.play(number, "joint")
            return
        parent, last = None, self.last_before(number)
        if len(claims) > 1:
            claims = [best, *(other for other in claims[1:] if self._is_second(other, best, number, window, before))]
        for claim in claims:
            metric = self.metric_of(claim)
            parent = self._parent_of(number, window, metric) if self.part_of is not None else None
            draft = self.add(number, window, metric, claim.why, parent)
            if not draft.dimension:
                draft.dimension = phrases.find_procedure(metric.code, self.text[window.piece : number.end])
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
        if self.part_of is None or self.part_of >= len(self.drafts) or metric.kind == "rate":
            return None
        if self.drafts[self.part_of].metric is not metric or (last := self.last_before(number)) is None:
            return None
        total = self.drafts[self.part_of]
        opened = phrases.opens_parts(self.text[window.left : number.start])
        if not opened and number.bracket is None:
            goes_on = last.parent == self.part_of and last.metric is metric and self._chains(last, number)
            return self.part_of if goes_on and self._leaves_room(total, number) else None
        return self.part_of if is_less(number, total.number) else None

    def _leaves_room(self, total: Draft, number: Number) -> bool:
        """Whether the parts that have been told and this one are no more than their total."""
        since = self.drafts[(self.part_of or 0) + 1 :][-_PARALLEL:]
        told = [draft.number for draft in since if draft.parent == self.part_of] + [number]
        values = [part.mention.value for part in told]
        whole = total.number.mention.value
        known = [value for value in values if value is not None]
        return whole is not None and len(known) == len(values) and sum(known) <= whole

    # -- figures that lean on another ---------------------------------------------------------------------------

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

    def _completes(self, number: Number, bracket: tuple[int, int]) -> bool:
        """908宗(含结余80宗、新收828宗): a figure in the bracket that fills up the total is its part."""
        if number.index < 2:
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
        sentence, piece = number.sentence, number.piece
        for draft in reversed(self.drafts[-_PARALLEL:]):
            if draft.number.start < sentence:
                return
            if draft.number.start >= piece or not same_kind(draft.number, number):
                continue
            start = max(self.structure.clause_start(draft.number.start), draft.number.start - phrases.REACH)
            if phrases.starts_with_time(self.text[start : draft.number.start]):
                self.add(number, window, draft.metric, "parallel year")
                return

    @staticmethod
    def _is_alike(before: str, last: Draft) -> bool:
        """其中民事案件560件,刑事案件260件,行政案件3件: named in the same way as the part before."""
        label, other = before.lstrip(","), last.dimension or last.scope or ""
        return len(label) == len(other) and len(label) > _SUFFIX and label[-_SUFFIX:] == other[-_SUFFIX:]

    def _open_total(self, number: Number) -> None:
        """受理的案件中,公安类62件: the sentence names the figure of the sentence before whose parts it tells."""
        sentence = number.sentence
        opener = phrases.opener(self.text[sentence : min(number.start, sentence + phrases.REACH)])
        previous = self.numbers[number.index - 1] if number.index else None
        if not opener or previous is None or previous.start >= sentence:
            return
        floor = self.structure.sentence_start(sentence - 1) if sentence else 0
        for index in range(len(self.drafts) - 1, -1, -1):
            draft = self.drafts[index]
            if draft.number.start < floor:
                return
            of_kinds = phrases.opens_kinds(opener)
            whole = index if draft.parent is None else draft.parent
            total = self.drafts[whole]
            named = of_kinds or total.why.partition("/")[0][:2] in opener or opener.startswith(("按", "从"))
            if named and total.metric.kind != "rate" and (draft.parent is None or of_kinds):
                self.part_of, self._opening = whole, number.index
                if of_kinds:
                    self._kinds = whole, self.structure.sentence_end(number.start)
                return

    def _leave_kinds(self, number: Number, claims: list[Claim]) -> list[Claim]:
        """复议申请133件。从案件类型看,行政处罚100件: a kind of the total, though it sounds like a metric."""
        if self._kinds is None or number.start >= self._kinds[1]:
            return claims
        total = self.drafts[self._kinds[0]]
        if not same_kind(total.number, number) or not is_less(number, total.number):
            return claims
        return [claim for claim in claims if total.metric.code in (claim.reading.metric, self.metric_of(claim).part_of)]

    def _read_part(self, number: Number, window: Window, before: str, last: Draft | None) -> bool:
        """Parts of a total, and further values of a list (分别为8件、15件). Whether the figure was one."""
        listed = last is not None and last.why == "part" and before.startswith("、")
        if last is None or not same_kind(last.number, number, loose=listed):
            return False
        metric, follows = last.metric, self.text[number.end : window.right]
        if not before.strip("、,和及与以 "):
            return False
        if metric.kind == "rate":
            return False
        if self.part_of is None or self.part_of >= len(self.drafts):
            return False
        total = self.drafts[self.part_of]
        chained = (last.parent == self.part_of or metric.part_of == total.metric.code) and self._chains(last, number)
        opens = number.index == self._opening
        if total.metric is not metric and not opens and not (chained and metric.part_of == total.metric.code):
            return False
        if not listed and number.unit and not any(number.unit in reading.units for reading in total.metric.readings):
            return False
        opened = (
            phrases.opens_parts(before) or number.index == self._opening or self._in_bracket_after(number, total.number)
        )
        if total.metric.measure == "level" or not (opened or chained):
            return False
        label = phrases.strip_opening(before) or follows
        staged = (not listed or len(label) <= _MAX_STAGE) and any(
            word in label + follows for word in self.catalogue.stages
        )
        if not label or len(label) > _MAX_LABEL or staged or not is_less(number, total.number):
            return False
        self.add(number, window, total.metric, "part", self.part_of).name_part(label)
        return True

    def _chains(self, last: Draft, number: Number) -> bool:
        """Whether nothing but shares and marks lies between the part before and this one."""
        between = self.numbers[last.number.index + 1 : number.index]
        same_clause = last.number.clause == number.clause
        return all(other.unit == "%" for other in between) and (same_clause or bool(between))

    def _in_bracket_after(self, number: Number, total: Number) -> bool:
        return number.bracket is not None and 0 <= number.bracket[0] - total.end <= 12
