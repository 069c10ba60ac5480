"""What the sentence around a figure proves: which figures it ties together, and what it says that they count.

Observations carry their sentence (`quote`, `quote_start`). Two figures may contradict each other only where the text
itself ties them; figures of two passages usually speak of two populations.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise

from extraction.model import Observation

PASSAGE = 300
"""Characters, about five sentences: a matter is told in one go; figures further apart may count something else."""
_MARKS = re.compile(r"[,;:。!?|\n()，；：！？（）]")
_JOINED = re.compile(r"[^,;:。!?|\n()，；：！？（）\d]{1,20}[和及与、]")
_SENTENCE_END = re.compile(r"[。!?\n！？]")
_REST = re.compile(r"等|其他|其它|其余|另有|另外")
_IN_ALL = re.compile(r"合计|共占|总计|一共|合占")
_NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
_RATE_BESIDE = re.compile(
    r"[^\d,，、；;。(（]{0,3}[,，、(（]?(?:同比|增幅|增长|增加|上升|提高|下降|降幅|减少|降低){1,2}[为达了约]{0,2}(\d+(?:\.\d+)?)[%％]"
)
_JOINT = re.compile(r"[,，、]?(?:合计|共计|共|总计|三者|二者|两者|四者)(?:合计)?占比?(?:为|达)?(\d+(?:\.\d+)?)[%％]")
_OPENS_JOINT = frozenset(",，、合共总三二两四")
"""What a joint share begins with: the figures beside which none stands are left at once."""
_WORDLESS = re.compile(r"[\s“”\"'‘’《》、·]")
_FILLERS = re.compile(
    r"截至目前|今年以来|一年来|全年|今年|本年度|年内|(?:19|20)\d\d年度?|共计|总计|合计|累计|其中|目前|共|已|了|的|为|达到|达"
)
_COMPARING = re.compile(
    r"同期|同比|去年|上年|上一年|前年|比例|相比|(?:19|20)\d\d年|分别|大幅|增长|增加|增幅|上升|提高|提升|下降|降低|减少|"
    r"[比较較与和的了为达超近约均仅余多增升降]"
)
_SLIP_DIGITS = 3
"""Of two random numbers with two digits every fifth pair differs in one digit only, with three digits every 37th."""


def _span(o: Observation) -> tuple[int, int]:
    return (o.quote_start, o.quote_start + len(o.quote)) if o.quote else (o.start, o.end)


def in_one_sentence(a: Observation, b: Observation) -> bool:
    """Quotes that overlap, or neighbouring pieces of a sentence too long to be quoted whole."""
    one, other = _span(a), _span(b)
    if one == other:
        return True
    gap, first = (other[0] - one[1], a) if one <= other else (one[0] - other[1], b)
    return gap < 0 or (gap <= 2 and not first.quote.endswith(("。", "!", "?", "！", "？")))


def are_joined(observations: Sequence[Observation]) -> bool:
    """260件政策文件和122件规范性文件: figures that one clause joins by 和, of different things."""
    rows = sorted(observations, key=lambda o: o.start)
    between = [
        a.quote[a.end - a.quote_start : b.start - a.quote_start] if in_one_sentence(a, b) else ""
        for a, b in pairwise(rows)
    ]
    return len(rows) > 1 and all(_JOINED.fullmatch(text) for text in between)


def says_of_which(total: Observation, part: Observation) -> bool:
    """Whether 其中 stands between a total and its part in one sentence."""
    if not in_one_sentence(total, part) or part.start < total.end:
        return False
    quote = total.quote if part.end <= total.quote_start + len(total.quote) else ""
    return "其中" in quote[total.end - total.quote_start : part.start - total.quote_start]


def in_one_passage(observations: Iterable[Observation]) -> bool:
    starts = sorted(o.start for o in observations)
    return all(after - before <= PASSAGE for before, after in pairwise(starts))


def may_refute(rows: Sequence[Observation]) -> bool:
    """Figures of different kinds (草案文本 against 党内文件) or of two passages can agree but refute nothing."""
    return len({row.dimension for row in rows}) == 1 and in_one_passage(rows)


def _around(o: Observation) -> tuple[str, str]:
    """The quote before and after the figure."""
    at = o.start - o.quote_start
    return o.quote[: max(at, 0)], o.quote[max(at, 0) + o.end - o.start :]


def counted_words(o: Observation) -> str:
    """The words of the figure's own phrase, without fillers: `全年共收到行政复议申请196宗` → `收到行政复议申请`."""
    before, after = _around(o)
    for pattern in (_MARKS, _NUMBER):
        ends = [match.end() for match in pattern.finditer(before)]
        before = before[ends[-1] :] if ends else before
        found = pattern.search(after)
        after = after[: found.start()] if found else after
    return _FILLERS.sub("", _WORDLESS.sub("", before)) + "|" + _FILLERS.sub("", _WORDLESS.sub("", after))


def is_slip(a: Decimal, b: Decimal) -> bool:
    """One digit mistyped, or two neighbours swapped, in whole numbers long enough that this is no accident."""
    one, other = f"{a:f}", f"{b:f}"
    if len(one) != len(other) or not (one.isdigit() and other.isdigit()):
        return False
    if max(len(one.rstrip("0")), len(other.rstrip("0"))) < _SLIP_DIGITS:
        return False
    wrong = [place for place, (x, y) in enumerate(zip(one, other, strict=True)) if x != y]
    if len(wrong) == 2 and wrong[1] == wrong[0] + 1:
        return one[wrong[0]] == other[wrong[1]] and one[wrong[1]] == other[wrong[0]]
    return len(wrong) == 1


@lru_cache(maxsize=256)
def _list_numbers(quote: str) -> tuple[tuple[int, int, Decimal, str, bool], ...]:
    """The Arabic numbers of a sentence, which is asked for by many rules: where each begins and ends, its value, the
    two characters after it, and whether it is plain: no part of a date and no percentage."""
    found = []
    for match in _NUMBER.finditer(quote):
        start, end = match.span()
        value, follows = Decimal(match[0].replace(",", "")), quote[end : end + 2]
        found.append((start, end, value, follows, not follows.startswith(("年", "月", "日", "号", "%", "％"))))
    return tuple(found)


def plain_numbers(observations: Sequence[Observation]) -> list[tuple[int, Decimal, str]]:
    """The Arabic numbers of these sentences with their place and the two characters after them, in text order."""
    found: dict[int, tuple[int, Decimal, str]] = {}
    for quote_start, quote in dict.fromkeys([(o.quote_start, o.quote) for o in observations]):
        for start, _, value, follows, is_plain in _list_numbers(quote):
            if is_plain:
                place = quote_start + start
                found.setdefault(place, (place, value, follows))
    return [found[place] for place in sorted(found)]


def find_unread(used: Sequence[Observation], everything: Sequence[Observation], value: Decimal) -> int | None:
    """The place of a number `value` in the sentences of `used`, in their unit, that no observation has read."""
    units = tuple({o.unit_zh for o in used if o.unit_zh})
    for place, number, follows in plain_numbers(used):
        if number == value and follows.startswith(units) and not any(o.start <= place < o.end for o in everything):
            return place
    return None


def find_listed(total: Observation, parts: Sequence[Observation], value: Decimal) -> int | None:
    """The place of a number `value` that stands with `parts` after their `total`, in the measure word of either."""
    units = tuple({o.unit_zh for o in (total, *parts) if o.unit_zh})
    own = {o.start for o in parts}
    for place, number, follows in plain_numbers([total, *parts]):
        if place >= total.end and place not in own and number == value and follows.startswith(units):
            return place
    return None


def find_worded(o: Observation, words: Sequence[str]) -> list[tuple[int, Decimal]]:
    """The numbers before `o` in its sentence whose own phrase has one of `words`, the nearest first.

    The empty word is in every phrase.
    """
    quote, limit = o.quote, o.start - o.quote_start
    found: list[tuple[int, Decimal]] = []
    if limit <= 0 or not any(word in quote for word in words):
        return found
    numbers = _list_numbers(quote)
    if any(start < limit < end for start, end, *_ in numbers):  # the figure ends a number: 2019214宗
        quote = quote[:limit] + "。" + quote[limit:]
        numbers = _list_numbers(quote)
    last = 0
    for start, end, value, _, _ in numbers:
        if end > limit:
            break
        phrase = ""
        if words != ("",):
            marks = [mark.end() for mark in _MARKS.finditer(quote, last, start)]
            phrase = quote[marks[-1] if marks else last : start]
        last = end
        is_count = not quote.startswith(("年", "月", "日", "%", "％", "个百分点", "万", "亿"), end)
        if is_count and any(word in phrase for word in words):
            found.insert(0, (o.quote_start + start, value))
    return found


def with_percent(o: Observation) -> Observation:
    """比上年增加37件，增长21.0%: the figure with the percentage told right after its change, where it has none yet."""
    if o.yoy_change is None or o.yoy_percent is not None:
        return o
    after = _around(o)[1]
    for change in _NUMBER.finditer(after):
        if Decimal(change[0].replace(",", "")) == abs(o.yoy_change):
            match = _RATE_BESIDE.match(after, change.end())
            if match is None:
                return o
            percent = Decimal(match[1]) if o.yoy_change >= 0 else -Decimal(match[1])
            return replace(o, yoy_percent=percent, yoy_text=f"{match[1]}%")
    return o


def may_open_joint(o: Observation) -> bool:
    """Whether a joint share may follow, from one character."""
    at = max(o.start - o.quote_start, 0) + o.end - o.start
    return o.quote[at : at + 1] in _OPENS_JOINT


def find_joint_share(o: Observation) -> tuple[int, Decimal] | None:
    """变更1宗、责令履行1宗,合计占比1.3%: the share of a list, told right after its last figure, and its place."""
    match = _JOINT.match(o.quote[max(o.start - o.quote_start, 0) + o.end - o.start :])
    return (o.end + match.start(1), Decimal(match[1])) if match else None


def ends_open(o: Observation) -> bool:
    """Whether a list that ends with this figure says that it is no complete one (等, 其他, 其余)."""
    after = _SENTENCE_END.split(_around(o)[1], maxsplit=1)[0]
    return _REST.search(after) is not None


def is_change_of(o: Observation) -> bool:
    """Whether the stated change belongs to this figure: nothing but comparison stands between the two."""
    after = _around(o)[1]
    at = after.find(o.yoy_text) if o.yoy_text else -1
    if at < 0:
        return True
    rest = _COMPARING.sub("", _MARKS.sub("", _WORDLESS.sub("", _NUMBER.sub("", after[:at]))))
    return len(rest.replace(o.unit_zh, "") if o.unit_zh else rest) <= 2


def sums_up(o: Observation) -> bool:
    """合计占比5.4%: the share that follows belongs to the figures before as well."""
    after = _around(o)[1]
    share = after.find("%")
    return _IN_ALL.search(after, 0, max(share, 0)) is not None
