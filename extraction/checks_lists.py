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
from extraction.findings import compare_figures, make_comparison
from extraction.model import Check, Mention
from extraction.rules import Rule
from extraction.terms import Figures, Table

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
_LEAD = 60
"""Characters before the first number of a sentence in which it may say what it goes on from."""
_NO_COUNT = ("%", "％", "元", "日", "天", "年", "月")
_LIKE = frozenset("件宗份起例")
"""Measure words that one text uses for the same things by turns."""


def check_lists(table: Table, rule: Rule) -> Iterator[Check]:
    text, mentions = table.text, table.mentions
    least = 1 + max(1, min(2, rule.min_rows))
    first = 0
    for end in range(1, len(mentions) + 1):
        if end < len(mentions) and not _SENTENCE_END.search(text, mentions[end - 1].start, mentions[end].start):
            continue
        if end - first > 2:  # a total and two parts
            sentence = mentions[first:end]
            counts = [_count(mention) for mention in sentence]
            if len(counts) - counts.count(0) >= least:
                yield from _check_sentence(table, rule, sentence, counts)
        place = mentions[first].start
        lead = text[max(0, place - _LEAD) : place]
        if "中" in lead or "按" in lead or "看" in lead:
            yield from _check_going_on(table, rule, mentions[max(0, first - _LONGEST) : first], mentions[first:end])
        first = end


def _check_sentence(table: Table, rule: Rule, sentence: Sequence[Mention], counts: Sequence[int]) -> Iterator[Check]:
    taken = -1
    for at, total in enumerate(sentence[:-1]):
        if not (counts[at] and counts[at + 1]) or at <= taken or not _is_like(total, sentence[at + 1]):
            continue  # no part follows: nothing to add up
        end = at + 1
        while end < len(sentence) and end <= at + _LONGEST and counts[end] and _is_like(total, sentence[end]):
            end += 1
        run, following = sentence[at + 1 : end], sentence[at + 1 : at + 1 + _LONGEST]
        whole, parts = counts[at], counts[at + 1 : end]
        size = _closing_size(whole, parts, opened=True, fills=False)
        is_near = not size and _is_near(whole, parts, rule)
        spread: list[Mention] = []
        if not size and len(run) < len(following):  # sums of money and rates may stand between the parts
            like = [
                (one, count)
                for one, count in zip(following, counts[at + 1 :], strict=False)
                if count and _is_like(total, one)
            ]
            closing = _closing_size(whole, [count for _, count in like], opened=True, fills=False)
            spread = [one for one, _ in like[:closing]]
        if not (size or is_near or len(spread) >= _MANY):
            continue
        opened = _OPENS.search(table.text, total.end, run[0].start) is not None
        if size and not opened:
            size = _closing_size(whole, parts, opened=False, fills=end == len(sentence))
        if size:
            taken = at + size
            yield from _check_list(table, rule, total, run[:size])
        elif is_near and opened and _is_failed_list(table.text, total, run, following[len(run) : len(run) + 1]):
            taken = at + len(run)
            yield from _check_list(table, rule, total, run)
        elif opened and len(spread) >= _MANY:
            yield from _check_list(table, rule, total, spread)


def _check_going_on(
    table: Table, rule: Rule, before: Sequence[Mention], sentence: Sequence[Mention]
) -> Iterator[Check]:
    """共办理640件。其中刑事210件、民事412件、行政18件。 The nearest total that agrees; it can only agree."""
    first = sentence[0]
    begins = -1
    for end in _SENTENCE_END.finditer(table.text, max(0, first.start - _LEAD), first.start):
        begins = end.end()
    begun = _GOES_ON.match(table.text, begins) if begins >= 0 else None
    if begun is None:
        return
    least = _MANY if begun[0].endswith(("中,", "中，")) else 2
    for total in reversed(before):
        if first.start - total.end > PASSAGE:
            return
        whole = _count(total)
        if whole < _SMALL:
            continue
        rest = list(sentence)
        found = False
        while rest:
            run = _run(total, rest[:_LONGEST])
            size = _closing_size(whole, [_count(mention) for mention in run], opened=True, fills=False)
            if size < least:
                break
            found = True
            yield from _check_list(table, rule, total, run[:size])
            rest = rest[size:]
        if found:
            return


def _count(mention: Mention) -> int:
    """What a total or a part counts; 0 for a number that is neither."""
    value = mention.value
    if value is None or mention.qualifier != "exact" or mention.value_high is not None:
        return 0
    if mention.unit_zh.endswith(_NO_COUNT):
        return 0
    count = int(value)
    return count if count > 0 and count == value else 0


def _run(total: Mention, following: Sequence[Mention]) -> list[Mention]:
    """The numbers after a total that may be its parts: counts in its measure word, up to the first that is none."""
    run: list[Mention] = []
    for mention in following:
        if not _is_like(total, mention) or not _count(mention):
            break
        run.append(mention)
    return run


def _is_like(total: Mention, part: Mention) -> bool:
    one, other = total.unit_zh, part.unit_zh
    return one == other or not other or (one in _LIKE and other in _LIKE)


def _number(mention: Mention) -> Decimal:
    return mention.value or Decimal(0)


def _closing_size(total: int, run: Sequence[int], *, opened: bool, fills: bool) -> int:
    """How many numbers after a total add up to it; zero where they do not, or where that may be chance."""
    added = 0
    for size, count in enumerate(run, 1):
        added += count
        if added >= total:
            sure = size >= _MANY if not opened else size > 1
            if total < _SMALL:
                sure = size >= _MANY and (opened or (fills and size == len(run)))
            return size if added == total and sure else 0
    return 0


def _is_near(total: int, run: Sequence[int], rule: Rule) -> bool:
    """Whether a run all but fills its total."""
    return len(run) >= rule.min_rows and total >= _SMALL and 0 < abs(total - sum(run)) <= rule.near * total


def _is_failed_list(text: str, total: Mention, run: Sequence[Mention], after: Sequence[Mention]) -> bool:
    """Whether nothing but a mistake explains why a run, announced as a list, misses its total."""
    if any(_is_like(total, mention) for mention in after):
        return False
    tail = _CLAUSE_END.split(text[run[-1].end : run[-1].end + 20], maxsplit=1)[0]
    between = [text[a.end : b.start] for a, b in pairwise(run)]
    return (
        all(mention.unit_zh == total.unit_zh and mention.numeral == total.numeral for mention in run)
        and run[0].start - total.end <= 20
        and all(_SEPARATES.fullmatch(words) for words in between)
        and not any(_REST.search(words) for words in (*between, tail))
    )


def _check_list(table: Table, rule: Rule, total: Mention, run: Sequence[Mention]) -> Iterator[Check]:
    indexes = [_observation_at(table, mention) for mention in (total, *run)]
    words = " ".join(table.text[total.start : run[-1].end].split())[:60]
    yield from check_sum(table, rule, indexes, [_number(mention) for mention in (total, *run)], words)


def check_sum(
    table: Table, rule: Rule, indexes: Sequence[int], values: Sequence[Decimal], words: str
) -> Iterator[Check]:
    """A finding, unless one says the same so far. The total first, then its parts.

    An index is negative where no metric has read the number. A finding without any observation quotes its `words`.
    """
    whole, parts = Figures((indexes[0],), (values[0],)), Figures(tuple(indexes[1:]), tuple(values[1:]))
    compared = compare_figures(whole, parts, "=")
    if table.is_told(compared.formula):
        return
    known = [i for i in indexes if i >= 0]
    check = make_comparison(rule, compared, table.all[known[0]].period if known else None)
    quoted = "" if known else f"「{words}」"
    yield replace(
        check,
        observations=tuple(dict.fromkeys(check.observations)),
        n_checked=len(values),
        message_zh=check.message_zh + quoted,
        message_en=check.message_en + (" " + quoted if quoted else ""),
    )


def _observation_at(table: Table, mention: Mention) -> int:
    for i in table.list_at(mention.start):
        if table.all[i].end <= mention.end:
            return i
    return -1
