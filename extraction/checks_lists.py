"""Plain lists of numbers in a sentence, added up whatever metric they belong to.

受理争议213件：裁决168件、调解38件、撤诉5件. They agree where the numbers after a total add up to it. They fail only as
a plain list, announced as such, in one measure word, without a rest, that fills its clause and all but its total:
anything else may be a selection.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

from extraction.checks_evidence import PASSAGE
from extraction.findings import compare_sums
from extraction.model import Check, Mention
from extraction.rules import Rule
from extraction.terms import Context, Figures, Table

_SENTENCE_END = re.compile(r"[。!?！？\n]")
_CLAUSE_END = re.compile(r"[,，;；。!?！？\n]")
_OPENS = re.compile(r"其中|包括|包含|分别|分为|按[^,，。]{1,10}分|[即含:：(（]")
_GOES_ON = re.compile(r"(?:其中|按[^,，。\d]{1,10}分|[分从][^,，。\d]{0,10}看)|[^,，。;；\d]{2,14}中[,，]")
"""How a sentence begins that lists the parts of a total of the sentence before."""
_SEPARATES = re.compile(r"[、,，]?[^、,，;；:：()（）\d]{0,14}")
_REST = re.compile(r"等|其他|其它|其余|另有|另外")
_MANY = 3
"""Parts of a list that is one: two numbers of a sentence often add up to a third by chance."""
_SMALL = 10
_LONGEST = 40
"""Numbers after a total that may be its parts: bounds the work on a text that is one endless sentence."""
_LIKE = frozenset("件宗份起例")
"""Measure words that one text uses for the same things by turns."""


def check_lists(table: Table, rule: Rule) -> Iterator[Check]:
    before: list[Mention] = []
    for sentence in _split(table.text, table.mentions):
        if len(sentence) > 2:  # a total and two parts
            yield from _check_sentence(table, rule, sentence)
        yield from _check_going_on(table, rule, before, sentence)
        before = [*before, *sentence][-_LONGEST:]


def _check_sentence(table: Table, rule: Rule, sentence: Sequence[Mention]) -> Iterator[Check]:
    taken = -1
    for at, total in enumerate(sentence[:-1]):
        if at <= taken or not _is_like(total, sentence[at + 1]) or not _is_count(total):
            continue  # no part follows: nothing to add up
        following = sentence[at + 1 : at + 1 + _LONGEST]
        run = _run(total, following)
        opened = bool(run) and _OPENS.search(table.text, total.end, run[0].start) is not None
        size = _closing_size(total, run, opened=opened, fills=at + len(run) == len(sentence) - 1)
        if size:
            taken = at + size
            yield _list_check(table, rule, total, run[:size])
        elif _is_failed_list(table.text, total, run, following[len(run) : len(run) + 1], rule):
            taken = at + len(run)
            yield _list_check(table, rule, total, run)
        elif opened:
            spread = [mention for mention in following if _is_count(mention) and _is_like(total, mention)]
            size = _closing_size(total, spread, opened=True, fills=False)
            if size >= _MANY:  # sums of money and rates may stand between the parts
                yield _list_check(table, rule, total, spread[:size])


def _check_going_on(
    table: Table, rule: Rule, before: Sequence[Mention], sentence: Sequence[Mention]
) -> Iterator[Check]:
    """共办理640件。其中刑事210件、民事412件、行政18件。 The nearest total that agrees; it can only agree."""
    first = sentence[0]
    lead = table.text[max(0, first.start - 60) : first.start]
    if not ("中" in lead or "按" in lead or "看" in lead):
        return
    ends = _SENTENCE_END.finditer(table.text, max(0, first.start - 60), first.start)
    begins = max((end.end() for end in ends), default=-1)
    begun = _GOES_ON.match(table.text, begins) if begins >= 0 else None
    if begun is None:
        return
    least = _MANY if begun[0].endswith(("中,", "中，")) else 2
    for total in reversed(before):
        if first.start - total.end > PASSAGE:
            return
        if not _is_count(total) or (_number(total) < _SMALL):
            continue
        rest = list(sentence)
        found = False
        while rest:
            run = _run(total, rest[:_LONGEST])
            size = _closing_size(total, run, opened=True, fills=False)
            if size < least:
                break
            found = True
            yield _list_check(table, rule, total, run[:size])
            rest = rest[size:]
        if found:
            return


def _split(text: str, mentions: Sequence[Mention]) -> Iterator[list[Mention]]:
    sentence: list[Mention] = []
    for mention in mentions:
        if sentence and _SENTENCE_END.search(text, sentence[-1].start, mention.start):
            yield sentence
            sentence = []
        sentence.append(mention)
    if sentence:
        yield sentence


def _is_count(mention: Mention) -> bool:
    value = mention.value
    return (
        value is not None
        and value > 0
        and value == value.to_integral_value()
        and mention.qualifier == "exact"
        and not mention.unit_zh.endswith(("%", "％", "元", "日", "天", "年", "月"))
        and mention.value_high is None
    )


def _run(total: Mention, following: Sequence[Mention]) -> list[Mention]:
    """The numbers after a total that may be its parts: counts in its measure word, up to the first that is none."""
    run: list[Mention] = []
    for mention in following:
        if not _is_count(mention) or not _is_like(total, mention):
            break
        run.append(mention)
    return run


def _is_like(total: Mention, part: Mention) -> bool:
    one, other = total.unit_zh, part.unit_zh
    return one == other or not other or (one in _LIKE and other in _LIKE)


def _number(mention: Mention) -> Decimal:
    return mention.value or Decimal(0)


def _closing_size(total: Mention, run: Sequence[Mention], *, opened: bool, fills: bool) -> int:
    """How many numbers after a total add up to it; zero where they do not, or where that may be chance."""
    added = Decimal(0)
    for size, mention in enumerate(run, 1):
        added += _number(mention)
        if added >= _number(total):
            sure = size >= _MANY if not opened else size > 1
            if _number(total) < _SMALL:
                sure = size >= _MANY and (opened or (fills and size == len(run)))
            return size if added == _number(total) and sure else 0
    return 0


def _is_failed_list(text: str, total: Mention, run: Sequence[Mention], after: Sequence[Mention], rule: Rule) -> bool:
    if len(run) < rule.min_rows or _number(total) < _SMALL or any(_is_like(total, mention) for mention in after):
        return False
    added = sum((_number(mention) for mention in run), Decimal(0))
    tail = _CLAUSE_END.split(text[run[-1].end : run[-1].end + 20], maxsplit=1)[0]
    between = [text[a.end : b.start] for a, b in pairwise(run)]
    return (
        0 < abs(_number(total) - added) <= rule.near * _number(total)
        and all(mention.unit_zh == total.unit_zh and mention.numeral == total.numeral for mention in run)
        and _OPENS.search(text, total.end, run[0].start) is not None
        and run[0].start - total.end <= 20
        and all(_SEPARATES.fullmatch(words) for words in between)
        and not any(_REST.search(words) for words in (*between, tail))
    )


def _list_check(table: Table, rule: Rule, total: Mention, run: Sequence[Mention]) -> Check:
    indexes = [_observation_at(table, mention) for mention in (total, *run)]
    words = " ".join(table.text[total.start : run[-1].end].split())[:60]
    return sum_check(table, rule, indexes, [_number(mention) for mention in (total, *run)], words)


def sum_check(table: Table, rule: Rule, indexes: Sequence[int], values: Sequence[Decimal], words: str) -> Check:
    """The total first, then its parts; an index is negative where no metric has read the number.

    A finding without any observation quotes its `words` in the message.
    """
    known = [i for i in indexes if i >= 0]
    period = table.all[known[0]].period if known else None
    context = Context(period or "", "actual", None, None, None)
    whole, parts = Figures((indexes[0],), (values[0],)), Figures(tuple(indexes[1:]), tuple(values[1:]))
    check = compare_sums(rule, whole, parts, "=", context)
    quoted = "" if known else f"「{words}」"
    return replace(
        check,
        observations=tuple(dict.fromkeys(check.observations)),
        n_checked=len(values),
        period=period,
        message_zh=check.message_zh + quoted,
        message_en=check.message_en + (" " + quoted if quoted else ""),
    )


def _observation_at(table: Table, mention: Mention) -> int:
    return next((i for i in table.list_at(mention.start) if table.all[i].end <= mention.end), -1)
