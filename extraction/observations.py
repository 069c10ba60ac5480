"""Observations: the mentions whose meaning the catalogue defines. Rules: docs/extraction.md.

Numbers are walked in order. Each gets the best claim of a metric (`meaning`), unless the grammar says that it is an
earlier year's figure, a change, a share or a part: then it takes its meaning from the figure it stands beside.
Precision first: what fits nothing stays a mention.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import lru_cache

from extraction import phrases
from extraction.catalogue import Catalogue, Metric
from extraction.meaning import Claim, Meaning, Number, Window
from extraction.model import Mention, Observation, Status
from extraction.periods import Time, Times
from extraction.structure import Structure
from extraction.cells import label_cells
from extraction.view import View, blank_titles, build_view
from extraction.words import WordIndex

MAX_NUMBERS = 10_000
"""A report has some hundreds of numbers. A text with more than this is none: the rest stays mentions."""
_MAX_QUOTE = 120
_MAX_LABEL = 16
_SPOKEN = 200
"""How far back in its sentence a word of accumulation is heard."""
_PARALLEL = 12
_NEAR_SCORE = 6.0
_MAX_CHANGED = 14
_JOINTS = frozenset(["", "、", "和", "及", "与", "以及", ",", "并"])


@dataclass(slots=True)
class Draft:
    """An observation in the making."""

    number: Number
    metric: Metric
    status: Status
    period: str
    as_of: str | None
    why: str
    parent: int | None = None
    scope: str | None = None
    dimension: str | None = None
    extra: dict[str, object] = field(default_factory=dict)


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
    return _Walk(text, view, mentions, catalogue, report_year, publish_date).run()


class _Walk:
    def __init__(
        self,
        text: str,
        view: View,
        mentions: Sequence[Mention],
        catalogue: Catalogue,
        report_year: int,
        publish_date: str | None,
    ) -> None:
        self.stored, self.view, self.catalogue, self.year = text, view, catalogue, report_year
        self.text = blank_titles(view.text)
        self.numbers = [
            Number(
                index, view.forth(mention.start), view.forth(mention.end), mention, mention.unit_zh.translate(catalogue.script)
            )
            for index, mention in enumerate(mentions)
        ]
        self.structure = Structure(self.text, report_year, [number.start for number in self.numbers])
        words = _index_words(catalogue)
        self.meaning = Meaning(self.text, self.numbers, self.structure, words.find(self.text), words, catalogue)
        self.times = Times(self.text, report_year, publish_date)
        first = next((number.start for number in self.numbers), 0)
        self.times.set_default(min(self.structure.title_end(), first))
        self.labels = label_cells(self.text, self.numbers)
        self.drafts: list[Draft] = []
        self.origin: Metric | None = None
        """The metric of A in 由A降至B, for B."""
        self.part_of: int | None = None
        """The draft whose parts are being listed."""

    def run(self) -> tuple[Observation, ...]:
        for number in self.numbers:
            self._read(number)
        return tuple(self._finish(draft) for draft in self.drafts)

    # -- one number ---------------------------------------------------------------------------------------------

    def _read(self, number: Number) -> None:
        window = self.meaning.window(number)
        if number.index in self.labels:
            window = replace(window, labels=self.labels[number.index])
        before = self.text[max(window.left, number.start - phrases.REACH) : number.start]
        if phrases.is_pool(before, self.text[number.end : number.end + 20]):
            return
        last = self._last(number)
        claims = self.meaning.claims(number, window)
        prior = phrases.find_prior(before, self.year)
        if prior is not None:
            self._read_prior(number, window, claims, last, prior)
            return
        if self.origin is not None and phrases.closes_range(before):
            self._add(number, window, self.origin, "range")
            self.origin = None
            return
        self.origin = None
        if phrases.opens_range(before):
            self.origin = self.catalogue.metrics[claims[0].reading.metric] if claims else None
            return
        if self._read_change(number, window, before, claims, last):
            return
        if self._completes(number):
            self._add(number, window, self.drafts[self.part_of or 0].metric, "part", self.part_of)
            return
        if claims:
            self._read_claims(number, window, claims, before)
            return
        if number.unit == "%":
            if last is not None and last.metric.kind == "rate" and phrases.is_target(before):
                self._add(number, window, last.metric, "target")
                return
            self._read_share(number, before, last)
            return
        if last is not None and phrases.is_only_time(before):
            self._read_parallel(number, window)
            return
        self._read_part(number, window, before, last)

    def _last(self, number: Number) -> Draft | None:
        """The draft before, when it stands in the same sentence."""
        if not self.drafts:
            return None
        last = self.drafts[-1]
        same = self.structure.sentence_start(number.start) == self.structure.sentence_start(last.number.start)
        return last if same else None

    def _read_claims(self, number: Number, window: Window, claims: list[Claim], before: str) -> None:
        best = claims[0]
        chosen = [best]
        for claim in claims[1:]:
            if claim.side == "tail" and self.meaning.is_done(claim, number) and window.tail > window.right:
                chosen.append(claim)
                continue
            if claim.hit is best.hit or claim.side != best.side:
                continue
            low, high = sorted((claim.hit, best.hit), key=lambda hit: hit.start)
            between = self.text[low.end : high.start]
            if (phrases.says_each(before) and len(between) <= 6) or (
                between in {"、", "和", "及"} and claim.side == "right" and claim.score > best.score - _NEAR_SCORE
            ):
                chosen.append(claim)
        parent = None
        for claim in chosen:
            metric = self.catalogue.metrics[claim.reading.metric]
            parent = self._parent_of(number, window, metric)
            self._add(number, window, metric, claim.why, parent)
        if best.side == "right":
            self.meaning.taken = best.hit.end
        self.part_of = parent if parent is not None else len(self.drafts) - 1

    def _completes(self, number: Number) -> bool:
        """908宗(含结余80宗、新收828宗): a figure in the bracket that fills up the total is its part."""
        bracket = self.structure.bracket_around(number.start)
        if bracket is None or number.index < 2 or self.part_of is None or self.part_of >= len(self.drafts):
            return False
        total, other = self.numbers[number.index - 2], self.numbers[number.index - 1]
        if not 0 <= bracket[0] - total.end <= 1 or other.start < bracket[0] or not _same_kind(total, number):
            return False
        owner = next((i for i, draft in enumerate(self.drafts) if draft.number is total), None)
        values = (total.mention.value, other.mention.value, number.mention.value)
        if owner is None or None in values or self.drafts[owner].metric.kind == "rate":
            return False
        self.part_of = owner
        return values[0] == values[1] + values[2]  # type: ignore[operator]

    def _read_parallel(self, number: Number, window: Window) -> None:
        """2018年调解2447起,…;2019年2518起: the same again for another year."""
        sentence = self.structure.sentence_start(number.start)
        clause = self.structure.clause_start(number.start)
        for draft in reversed(self.drafts[-_PARALLEL:]):
            if draft.number.start < sentence:
                return
            if draft.number.start >= clause or not _same_kind(draft.number, number):
                continue
            start = max(self.structure.clause_start(draft.number.start), draft.number.start - phrases.REACH)
            if phrases.starts_with_time(self.text[start : draft.number.start]):
                self._add(number, window, draft.metric, "parallel year")
                return

    def _parent_of(self, number: Number, window: Window, metric: Metric) -> int | None:
        """The total of the same metric that this figure is a part of (其中…)."""
        last = self._last(number)
        if last is None or not metric.additive and metric.measure != "stock" or metric.kind == "rate":
            return None
        total = self.part_of if self.part_of is not None else len(self.drafts) - 1
        if total is None or total >= len(self.drafts) or self.drafts[total].metric is not metric:
            return None
        opened = phrases.opens_parts(self.text[window.left : number.start]) or self.structure.bracket_around(number.start)
        return total if opened and _is_less(number, self.drafts[total].number) else None

    def _read_prior(
        self, number: Number, window: Window, claims: list[Claim], last: Draft | None, prior: tuple[int, str]
    ) -> None:
        metric: Metric | None = None
        if claims and claims[0].side == "left" and claims[0].hit.start >= window.piece:
            metric = self.catalogue.metrics[claims[0].reading.metric]
        elif last is not None and _same_kind(last.number, number):
            metric = last.metric
        elif claims:
            metric = self.catalogue.metrics[claims[0].reading.metric]
        if metric is None:
            return
        self.drafts.append(Draft(number, metric, "prior_period", prior[1], None, "prior year", scope=self._scope(number)))
        self.origin = metric

    def _read_change(self, number: Number, window: Window, before: str, claims: list[Claim], last: Draft | None) -> bool:
        """增长25.6%, 较去年增加237宗: the change of the figure before, no figure of its own."""
        sign = phrases.find_change(before)
        if sign is None:
            return False
        rated = bool(claims) and claims[0].reading.needs and claims[0].hit.end >= number.start - 8
        if number.unit in ("%", "个百分点", "百分点", "倍", "成"):
            if claims and rated:
                return False
            if self._add_changed(number, window, sign, last):
                return True
            current = last if last is None or last.status != "prior_period" else self._before_prior()
            if current is not None and number.unit == "%":
                current.extra.setdefault("yoy_percent", phrases.signed(sign, number.mention.value))
                current.extra.setdefault("yoy_text", number.mention.text)
            return True
        compared = phrases.is_compared(self.text[window.piece : number.start])
        if not compared:
            return False
        if last is not None and _same_kind(last.number, number):
            last.extra.setdefault("yoy_change", phrases.signed(sign, number.mention.value))
        return True

    def _add_changed(self, number: Number, window: Window, sign: int, last: Draft | None) -> bool:
        """刑事警情同比下降18.7% where the figure itself is not stated: a record without a value."""
        if number.unit != "%" or not phrases.is_compared(self.text[window.piece : number.start]):
            return False
        for claim in self.meaning.claims(number, window, changed=True):
            metric = self.catalogue.metrics[claim.reading.metric]
            near = claim.side == "left" and window.piece <= claim.hit.start and number.start - claim.hit.end <= _MAX_CHANGED
            if not near or metric.measure != "flow" or (last is not None and last.metric is metric):
                continue
            self._add(number, window, metric, "change only")
            self.drafts[-1].extra |= {
                "yoy_percent": phrases.signed(sign, number.mention.value),
                "yoy_text": number.mention.text,
                "value": None,
            }
            return True
        return False

    def _before_prior(self) -> Draft | None:
        return self.drafts[-2] if len(self.drafts) > 1 and self.drafts[-2].metric is self.drafts[-1].metric else None

    def _read_share(self, number: Number, before: str, last: Draft | None) -> None:
        if last is None or last.metric.kind == "rate" or "share_percent" in last.extra:
            return
        if self.numbers[number.index - 1] is not last.number:
            return
        if phrases.is_share(before) or before.strip(",:(") == "":
            last.extra["share_percent"] = number.mention.value
            last.extra["share_of"] = last.metric.part_of

    def _read_part(self, number: Number, window: Window, before: str, last: Draft | None) -> None:
        """Parts of a total, and further values of a list (分别为8件、15件)."""
        if last is None or last.metric.kind == "rate" or not _same_kind(last.number, number):
            return
        bare = before.strip("、,和及与以 ")
        follows = self.text[number.end : window.right]
        if not bare and self.numbers[number.index - 1] is last.number:
            clause = self.text[self.structure.clause_start(last.number.start) : last.number.start]
            if "分别" in clause and not follows:
                self._add(number, window, last.metric, "list", last.parent)
            return
        total = self.part_of
        if total is None or total >= len(self.drafts) or self.drafts[total].metric is not last.metric:
            return
        metric = last.metric
        label = before.lstrip("、,;:( ").removeprefix("其中").lstrip(",:")
        opened = phrases.opens_parts(before) or self._in_bracket_after(number, self.drafts[total].number)
        chained = last.parent == total and self._chains(last, number)
        if not (opened or chained) or metric.measure == "level":
            return
        if number.unit and not any(number.unit in reading.units for reading in metric.readings):
            return
        stage = next((word for word in self.catalogue.stages if word in label + follows), None)
        if stage or not (label or follows) or len(label) > _MAX_LABEL or not _is_less(number, self.drafts[total].number):
            return
        self._add(number, window, metric, "part", total, dimension=label or follows)

    def _chains(self, last: Draft, number: Number) -> bool:
        """Whether nothing but shares and marks lies between the part before and this one."""
        between = self.numbers[last.number.index + 1 : number.index]
        same_clause = self.structure.clause_start(last.number.start) == self.structure.clause_start(number.start)
        return all(other.unit == "%" for other in between) and (same_clause or bool(between))

    def _in_bracket_after(self, number: Number, total: Number) -> bool:
        bracket = self.structure.bracket_around(number.start)
        return bracket is not None and 0 <= bracket[0] - total.end <= 12

    # -- status, period, scope ----------------------------------------------------------------------------------

    def _add(
        self,
        number: Number,
        window: Window,
        metric: Metric,
        why: str,
        parent: int | None = None,
        dimension: str | None = None,
    ) -> None:
        status, period, as_of = self._date(number, window, metric)
        last = self._last(number)
        change: dict[str, object] = {}
        if last is not None and last.why == "change only" and last.metric is metric:
            change = {key: last.extra[key] for key in ("yoy_percent", "yoy_text")}
            self.drafts.pop()
        self.drafts.append(
            Draft(number, metric, status, period, as_of, why, parent, self._scope(number), dimension, change)
        )

    def _date(self, number: Number, window: Window, metric: Metric) -> tuple[Status, str, str | None]:
        sentence = self.structure.sentence_start(number.start)
        block = self.structure.block_at(number.start)
        floor = self.structure.blocks[block].start if block is not None else 0
        time = self.times.before(number.start, min(floor, sentence))
        before = self.text[max(window.left, number.start - phrases.REACH) : number.start]
        if self.structure.is_plan(number.start):
            return "target", self._planned_year(number, sentence), None
        if phrases.is_target(before):
            return "target", str(self.year), None
        period, as_of, since = self.times.default, None, False
        if time is not None:
            rules = self._rules(time, number, sentence)
            if rules and time.kind in ("window", "since", "year"):
                period, since = time.period, time.kind == "since"
            elif time.kind == "cut":
                as_of = time.as_of
            elif time.kind == "now":
                cut = self.times.before(time.start, floor)
                as_of = cut.as_of if cut is not None and cut.kind == "cut" and cut.start >= sentence else None
        if since:
            return "cumulative", period, as_of
        if self._is_cumulative(number, metric, sentence, floor):
            return "cumulative", period, as_of
        return "actual", period, as_of

    def _rules(self, time: Time, number: Number, sentence: int) -> bool:
        if time.kind == "year":
            return time.start >= self.structure.clause_start(number.start)
        return time.start >= sentence

    def _planned_year(self, number: Number, sentence: int) -> str:
        time = self.times.before(number.start, sentence)
        if time is not None and time.kind == "year" and int(time.period) > self.year:
            return time.period
        return str(self.year + 1)

    def _is_cumulative(self, number: Number, metric: Metric, sentence: int, floor: int) -> bool:
        time = self.times.before(number.start, floor)
        spoken = self.text[max(sentence, number.start - _SPOKEN) : number.start]
        if metric.measure == "stock":
            earlier = self.numbers[number.index - 1] if number.index else None
            if earlier is not None and earlier.unit == "批" and number.start - earlier.end <= 3:
                return True
            if phrases.is_stocked(spoken[spoken.rfind(";") + 1 :]):
                return True
        if not phrases.is_gathered(spoken):
            return False
        return time is None and not phrases.is_compared(self.text[number.end : number.end + 12])

    def _scope(self, number: Number) -> str | None:
        return None

    # -- the finished record ------------------------------------------------------------------------------------

    def _quote(self, number: Number) -> tuple[int, str]:
        start = self.structure.sentence_start(number.start)
        end = self.structure.sentence_end(number.start)
        if end - start > _MAX_QUOTE:
            start, end = self.structure.piece_start(number.start), self.structure.piece_end(number.end)
        if end - start > _MAX_QUOTE:
            start, end = max(start, number.start - _MAX_QUOTE // 2), min(end, number.end + _MAX_QUOTE // 4)
        first = self.view.back(start)
        last = self.view.back(max(end - 1, start)) + 1
        first, last = min(first, number.mention.start), max(last, number.mention.end)
        quote = self.stored[first:last]
        stripped = quote.strip()
        return first + len(quote) - len(quote.lstrip()), stripped

    def _finish(self, draft: Draft) -> Observation:
        mention = draft.number.mention
        quote_start, quote = self._quote(draft.number)
        return Observation(
            metric=draft.metric.code,
            start=mention.start,
            end=mention.end,
            text=mention.text,
            value=draft.extra.pop("value", mention.value),  # type: ignore[arg-type]
            unit=draft.metric.unit,
            unit_zh=mention.unit_zh,
            period=draft.period,
            status=draft.status,
            qualifier=mention.qualifier,
            quote=quote,
            quote_start=quote_start,
            value_low=mention.value_low,
            value_high=mention.value_high,
            as_of=draft.as_of,
            scope=draft.scope,
            dimension=draft.dimension,
            breakdown_of=draft.parent,
            damaged=mention.damaged,
            evidence=draft.why,
            **draft.extra,  # type: ignore[arg-type]
        )


def _same_kind(one: Number, other: Number) -> bool:
    """Whether two numbers count in the same measure word, or one has lost it."""
    if (one.unit == "%") != (other.unit == "%"):
        return False
    cases = {"件", "宗", "起", "例"}
    return one.unit == other.unit or not one.unit or not other.unit or {one.unit, other.unit} <= cases


def _is_less(part: Number, total: Number) -> bool:
    if part.mention.value is None or total.mention.value is None:
        return False
    return part.mention.value <= total.mention.value or total.mention.value == Decimal(0)
