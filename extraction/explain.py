"""Each number of a text with its fate: which metric it is and why, or why it is none. For `fazhi explain`.

The engine is run with a trace, so what is told here is what it did. A person who mends a wrong value reads: the word
that named the metric, the topic that was spoken of, the readings that lost and the word that barred them; all of
these are data in `catalog/`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from extraction.catalogue import Catalogue, fold_of
from extraction.model import Check, Mention, Observation, Parsed
from extraction.observations import extract_observations
from extraction.parse import parse_report
from extraction.rules import Rules
from extraction.structure import Structure
from extraction.trace import Considered, Fate, Outcome, Role, Trace
from extraction.view import build_view

Told = tuple[str, str]
"""The same words in Chinese and in English."""

_OUTCOMES: dict[Outcome, Told] = {
    "taken": ("采用", "taken"),
    "outranked": ("另一读法更贴近", "another reading lies closer"),
    "forbidden": ("出现排除词“{}”", "the barring word “{}” stands in the phrase"),
    "needs": ("句中缺少 {}", "the sentence has none of {}"),
    "counted": ("数字计的是“{}”", "the number counts “{}”"),
    "carrier": ("属于“{}”，不是所指", "the word belongs to “{}”"),
    "weak_score": ("词离数字太远", "the word stands too far from the number"),
    "topic": ("没有谈到主题 {}", "the topic {} is not spoken of"),
    "unit": ("量词“{}”不合", "the measure word “{}” does not fit"),
}
"""In order of how near the reading came."""
_ROLES: dict[Role, Told] = {
    "pool": ("抽样总体，不是结果", "the pool that something was drawn from"),
    "per_one": ("平均数或定额，不是总数", "a mean or a norm for one of many"),
    "joint": ("两项指标合计，不能分开", "one figure for two metrics, a figure of neither"),
    "change": ("变化幅度，记在所属数字上", "a change, kept with the figure that it belongs to"),
    "share": ("占比，记在所属数字上", "a share, kept with the figure that it belongs to"),
    "range_start": ("由A至B中的A，年份不明", "A of a change from A to B, of no named time"),
    "table_cell": ("表格中的数，行列标题没有对应指标", "a table's figure whose labels name no metric"),
    "elsewhere": ("上级地区或他处的数，不是本地的", "a figure of a wider region or of another place"),
    "beyond_limit": ("超出可读数字上限", "beyond the number of figures that are read"),
}
_MAX_USED = 20
"""A rule that looked at more figures than this says nothing about one of them (the plausible ranges of all)."""
_NOTHING: Told = ("附近没有指标词", "no word of the catalogue stands near it")
_UNREAD: Told = ("有指标词，但读法不成立", "words of the catalogue stand near it, but no reading fits")


@dataclass(frozen=True, slots=True)
class NumberFate:
    """One mention, the observations made of it, and what else was considered."""

    mention: Mention
    observations: tuple[tuple[int, Observation], ...]
    """With their index in the document's observations."""
    considered: tuple[Considered, ...]
    reason: Told
    attached_to: Observation | None = None
    """The figure that a change or a share is kept with."""


@dataclass(frozen=True, slots=True)
class SentenceFate:
    """A sentence of the stored text (`text[start:end]`) with its numbers in order."""

    start: int
    end: int
    text: str
    numbers: tuple[NumberFate, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    parsed: Parsed
    sentences: tuple[SentenceFate, ...]
    words: dict[str, tuple[str, ...]]
    """Metric code to the words that name it, for a metric that nothing came near to."""

    def checks_of(self, observation: int) -> list[Check]:
        """The results that say something of the observation."""
        return [
            check
            for check in self.parsed.checks
            if observation in check.observations and len(check.observations) <= _MAX_USED
        ]


def tell_outcome(considered: Considered) -> Told:
    """Why a reading was not taken, in both languages."""
    zh, en = _OUTCOMES[considered.outcome]
    return zh.format(considered.detail), en.format(considered.detail)


def explain_report(
    text: str,
    catalogue: Catalogue,
    rules: Rules,
    *,
    title: str | None = None,
    publish_date: str | None = None,
    metric: str | None = None,
) -> Explanation:
    """The fate of every number; with `metric`, only sentences where that metric was taken or considered."""
    parsed = parse_report(text, catalogue, rules, title=title, publish_date=publish_date)
    trace = Trace()
    mentions = list(parsed.mentions)
    extract_observations(text, mentions, catalogue, parsed.report_year, publish_date, trace)
    numbers = list(_number_fates(mentions, parsed, trace))
    sentences = tuple(_by_sentence(text, catalogue, parsed, numbers))
    if metric is not None:
        sentences = tuple(sentence for sentence in sentences if any(_concerns(n, metric) for n in sentence.numbers))
    chosen = [metric] if metric is not None else []
    words = {
        code: tuple(dict.fromkeys(word for reading in catalogue.metrics[code].readings for word in reading.words))
        for code in chosen
    }
    return Explanation(parsed, sentences, words)


def _concerns(number: NumberFate, metric: str) -> bool:
    """Whether the metric was taken or a near miss; a word that only stood beside another metric's figure is none."""
    taken = any(found.metric == metric for _, found in number.observations)
    attached = number.attached_to is not None and number.attached_to.metric == metric
    settled: tuple[Outcome, ...] = ("unit", "topic") if number.observations else ("unit",)
    return taken or attached or any(seen.metric == metric and seen.outcome not in settled for seen in number.considered)


def _number_fates(mentions: list[Mention], parsed: Parsed, trace: Trace) -> Iterator[NumberFate]:
    by_place: dict[tuple[int, int], list[tuple[int, Observation]]] = {}
    for index, found in enumerate(parsed.observations):
        by_place.setdefault((found.start, found.end), []).append((index, found))
    before: list[Observation] = []
    for index, mention in enumerate(mentions):
        fate = trace.fates.get(index, Fate())
        observations = tuple(by_place.get((mention.start, mention.end), ()))
        attached = None
        if not observations and fate.role in ("change", "share"):
            attached = next((found for found in reversed(before[-3:]) if _carries(found, mention)), None)
        yield NumberFate(mention, observations, _sort(fate.considered), _reason(observations, fate), attached)
        before += [found for _, found in observations]


def _carries(found: Observation, mention: Mention) -> bool:
    """Whether the figure was given the mention as its change or its share."""
    changes = [abs(value) for value in (found.yoy_percent, found.yoy_change) if value is not None]
    return mention.value is not None and (mention.value in changes or mention.value == found.share_percent)


def _sort(considered: list[Considered]) -> tuple[Considered, ...]:
    """Nearest miss first, each reason of a metric once."""
    ranked = sorted(considered, key=_by_rank)
    return tuple({(seen.metric, seen.outcome, seen.detail): seen for seen in reversed(ranked)}.values())[::-1]


def _by_rank(seen: Considered) -> tuple[int, float, str, int]:
    return list(_OUTCOMES).index(seen.outcome), -(seen.score or 0.0), seen.metric, seen.start


def _reason(observations: tuple[tuple[int, Observation], ...], fate: Fate) -> Told:
    if observations:
        return _OUTCOMES["taken"]
    if fate.role is not None:
        return _ROLES[fate.role]
    return _UNREAD if fate.considered else _NOTHING


def _by_sentence(text: str, catalogue: Catalogue, parsed: Parsed, numbers: list[NumberFate]) -> Iterator[SentenceFate]:
    view = build_view(text, fold_of(catalogue))
    starts = [view.forth(number.mention.start) for number in numbers]
    structure = Structure(view.text, parsed.report_year, starts)
    at = 0
    while at < len(numbers):
        end = structure.sentence_end(starts[at])
        until = at + 1
        while until < len(numbers) and starts[until] < end:
            until += 1
        group = tuple(numbers[at:until])
        first = min(view.back(structure.sentence_start(starts[at])), group[0].mention.start)
        last = max(view.back(max(end - 1, 0)) + 1, group[-1].mention.end)
        written = text[first:last]
        first += len(written) - len(written.lstrip())
        yield SentenceFate(first, first + len(written.strip()), written.strip(), group)
        at = until
