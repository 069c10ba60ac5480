"""One numeral with what stands around it, read as a quantity or refused. The grammar of mentions.

Everything works on the text of a view (`extraction.view`): full-width and traditional forms and blanks are gone,
offsets are those of the view.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Set
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import NamedTuple

from extraction.exclusions import find_years
from extraction.lexicon import Lexicon
from extraction.model import Qualifier
from extraction.numerals import HAN_DIGITS, MAX_DIGITS, SCALES, read_arabic, read_han, read_han_percent
from extraction.tables import is_table_figure

_WINDOW = 12
"""Characters looked at on either side of a number."""
_IDENTIFIER_DIGITS = 8
"""A bare number this long is a date, a telephone or an index number."""
_SHARE = re.compile(r"[^,。;\n、]{1,6}[、,;]")
_LAST_SHARE = re.compile(_SHARE.pattern + "$")
_CLAUSE_END = re.compile(r"[ ]?(?:[,。;、:!?)\]\n|]|$)")
_JOINER = frozenset("_=&#@/+~\\×*")
_ROUND_HAN = {"百": 100, "千": 1000, "万": 10**4, "百万": 10**6, "千万": 10**7, "亿": 10**8}
_HAN_LOW = re.compile(rf"(?<![由从自第之{HAN_DIGITS}])([{HAN_DIGITS}]{{1,4}})[至到]$")
_CALENDAR_UNITS = frozenset(("期", "批", "层", "路", "年", "月", "日"))
"""Units of which the words around them say whether anything is counted."""
_TAIL_STARTS = frozenset("余多万亿千百至到-—–~")
"""What may stand between digits and unit."""
_NOT_BEFORE_HAN = frozenset("第数几某")
_NOT_BEFORE_ONE = frozenset("同每统任另某这那哪唯之")
_SPLIT = r"[人家场件户批篇][余多]次|个多(?:月|小时)"
_INDEFINITE_UNITS = frozenset(("起", "方面", "部分", "类", "种", "人", "位", "地", "区", "省", "市", "县"))


class Reading(NamedTuple):
    start: int
    end: int
    value: Decimal
    unit: str
    is_han: bool = False
    infix: str = ""
    damaged: bool = False
    high: Decimal | None = None


@lru_cache(maxsize=4)
def compile_numbers(lexicon: Lexicon) -> re.Pattern[str]:
    """One pattern for all numerals: whatever follows the digits is optional, so a match never backtracks far."""
    scale = r"(?:万亿|千万|百万|亿|万|千(?![克瓦米])|百(?!分))"
    unit = rf"(?P<split>{_SPLIT})|(?P<unit>{lexicon.unit}(?:/{lexicon.unit})?)"
    return re.compile(
        rf"百分之(?P<percent>\d{{1,3}}(?:\.\d{{1,6}})?|[点{HAN_DIGITS}]{{1,12}})"
        r"|(?P<number>\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?)"
        r"(?:\s?(?:[\-—–~]{1,2}|[至到])\s?(?P<second>\d{1,7}(?:\.\d{1,4})?)(?![\d.,\-/]))?"
        rf"[ ]{{0,2}}(?P<infix>[余多](?!元化))?(?P<scale>{scale})?(?P<infix2>[余多])?(?:[ ]{{0,2}}(?:{unit}))?"
        rf"|(?P<han>[{HAN_DIGITS}]+)(?P<hinfix>[余多])?(?:(?P<hsplit>{_SPLIT})|(?P<hunit>{lexicon.han_unit}))?"
    )


def _match_plain(lexicon: Lexicon) -> str:
    """Regex source for what follows the first digit of most quantities of a report: `123件`, `2.4万余条`. The groups:
    the other digits, infix, scale, infix, unit. What it leaves is read by `Reader`.

    Left out: units of which the words around them decide, what may be a glued year, a second unit, an infix inside
    the unit, near and after words. A far word may still qualify what matches.
    """
    guarded = _CALENDAR_UNITS | lexicon.after_bare_year | {"成"}
    parts = [
        re.escape(unit) + (f"(?!{'|'.join(map(re.escape, stops))})" if stops else "")
        for first, units in lexicon.units_by_first.items()
        if first not in _TAIL_STARTS and guarded.isdisjoint(unit for unit, _ in units)
        for unit, stops in units
    ]
    near: dict[int, list[str]] = {}
    for word in lexicon.near_words:
        near.setdefault(len(word), []).append(re.escape(word))
    unqualified = "".join(f"(?<!(?:{'|'.join(words)})[1-9])" for words in near.values())
    return (
        rf"(?<=[\u3000-\uffff\n,;:!?()|%][1-9]){unqualified}(?!(?:(?<=1)9|(?<=2)0)[0-9]{{3}})"
        rf"([0-9]{{0,7}}+(?:\.[0-9]{{1,6}}+)?)([余多](?!元化))?+(万亿|[万亿])?+([余多])?+(?P<unit>(?>{'|'.join(parts)}))(?![/余多{''.join(lexicon.after_starts)}])"
    )


@lru_cache(maxsize=4)
def compile_search(lexicon: Lexicon) -> re.Pattern[str]:
    """The beginning of a numeral. With the group `unit`: all of a plain quantity. With a later group: the end of
    a month (6月底), or Han digits without a measure word (一是, 统一), which are no quantity."""
    units = f"人家场件户批篇个{lexicon.han_unit_starts}"
    # One character is taken first, so that the search skips from one of these to the next.
    return re.compile(
        rf"[0-9{HAN_DIGITS}](?:(?<=[0-9])(?:{_match_plain(lexicon)}|[0-9]*+月(?![内/])(?P<month>)|)"
        rf"|[{HAN_DIGITS}]*+(?:(?=[余多]?[{units}]|分之)|(?<=零)|(?P<uncounted>)))"
    )


def _merge_split(unit: str) -> tuple[str, str]:
    """`人余次` → the unit `人次` and its infix `余`."""
    return unit[0] + unit[2:], unit[1]


def scale_up(value: Decimal, scale: str | None) -> Decimal:
    """万/亿 multiplied out, without the zeros that the product leaves behind the point: 7.26万 → 72600."""
    if not scale:
        return value
    product = value * SCALES[scale]
    return product.quantize(Decimal(1)) if product == product.to_integral_value() else product.normalize()


class Reader:
    """The decisions about the text of one view; lives for one call."""

    def __init__(self, text: str, lexicon: Lexicon) -> None:
        self.text, self.words = text, lexicon
        self._match = compile_numbers(lexicon).match
        self.far = [match.start() for match in lexicon.far_spots.finditer(text)]

    @cached_property
    def years(self) -> Set[str]:
        return find_years(self.text)

    def before(self, start: int) -> str:
        return self.text[max(0, start - _WINDOW) : start].rstrip(" ")

    def after(self, end: int) -> str:
        return self.text[end : end + _WINDOW]

    def read_at(self, start: int) -> tuple[Reading | None, int]:
        """The reading of the numeral that begins at `start`, and where the search goes on when it is no quantity."""
        match = self._match(self.text, start)
        if match is None:
            return None, start + 1
        number, second, percent = match.group("number", "second", "percent")
        if number is None:
            return (self.read_percent(match) if percent else self.read_han(match)), match.end()
        if second is None:
            return self.read_arabic(match), match.end()
        reading = self.read_range(match)
        if reading is not None:
            return reading, match.end()
        end = match.end("number")
        alone = self._match(self.text, start, end)
        return (self.read_arabic(alone) if alone else None), end

    # -- Arabic ---------------------------------------------------------------------------------

    def read_arabic(self, match: re.Match[str]) -> Reading | None:
        """The reading of one Arabic number with its tail, or None when it is no quantity."""
        start = match.start()
        digits, unit, scale, infix, infix2, split = match.group("number", "unit", "scale", "infix", "infix2", "split")
        if self._is_inside_code(start, match.end("number"), digits):
            return None
        unit, scale, infix = unit or "", scale or "", infix or infix2 or ""
        if split:
            unit, infix = _merge_split(split)
        glued = self._glued_year(start, digits, unit) if unit or scale else 0
        start, digits = start + glued, digits[glued:]
        value, end = read_arabic(digits), match.end()
        if value is None:
            return None
        if not unit and not scale:
            end = match.end("number")
            if not self._is_bare_quantity(start, end, digits):
                return None
            infix = self.text[end : end + 1] if self.text[end : end + 1] in "余多" else ""
            damaged = not infix and "\u4e00" <= self.text[end : end + 1] <= "\u9fff"
            return Reading(start, end + len(infix), value, "", infix=infix, damaged=damaged)
        if not self._is_counted(start, end, digits, unit):
            return None
        value = scale_up(value, scale)
        if unit == "成":
            value, unit = value * 10, "%"
        return Reading(start, end, value, unit, infix=infix, damaged=glued > 0)

    def read_range(self, match: re.Match[str]) -> Reading | None:
        """`3-5个工作日`, `10至20件`: one mention with both bounds; 由3至5 is two statements."""
        low, high = read_arabic(match["number"]), read_arabic(match["second"])
        unit, scale = match["unit"] or "", match["scale"] or ""
        if low is None or high is None or high <= low or not (unit or scale):
            return None
        lead = self.before(match.start())
        if lead.endswith(("由", "从", "自")) or self._is_inside_code(
            match.start(), match.end("second"), match["number"]
        ):
            return None
        if unit in ("年", "月", "日", "分") or len(match["number"]) > 6:
            return None
        return Reading(match.start(), match.end(), scale_up(low, scale), unit, high=scale_up(high, scale))

    def _is_inside_code(self, start: int, end: int, digits: str) -> bool:
        left, right = self.text[start - 1 : start], self.text[end : end + 1]
        if left in _JOINER or right in _JOINER or (left.isascii() and left.isalpha()) or len(digits) > MAX_DIGITS:
            return True
        left2 = self.text[max(0, start - 2) : start - 1] if left in "-." else ""
        if left2.isascii() and left2.isalnum():
            return True
        return right in "-." and self.text[end + 1 : end + 2].isdigit()

    def _glued_year(self, start: int, digits: str, unit: str) -> int:
        """4 when the number is a year that lost its 年 before a count: `2022139件` is 139件.

        Only a year that the text itself names; a five-digit number only where a clause opens, because
        there a year stands and a count seldom does. A percentage is never that large.
        """
        whole = digits.partition(".")[0]
        if len(whole) < 5 or whole[:2] not in ("19", "20") or not whole.isdigit() or whole[:4] not in self.years:
            return 0
        if whole[4] == "0" and len(whole) > 5:
            return 0
        opens = start == 0 or self.text[start - 1] in "\n,。;:、( "
        return 4 if len(whole) >= 6 or opens or unit == "%" else 0

    def _is_bare_quantity(self, start: int, end: int, digits: str) -> bool:
        """A number that lost its unit, or a table figure; not a year, name, list number or identifier."""
        plain = digits.replace(",", "")
        if len(plain) >= _IDENTIFIER_DIGITS:
            return False
        if len(digits) == 4 and digits.isdigit() and "1949" <= digits <= "2100":
            return False
        if is_table_figure(self.text, start, end):
            return True
        if digits in self.words.lines:
            return False
        lead, follow = self.before(start), self.after(end)
        if self.words.name_follow.match(follow) or self.words.identifier_lead.search(lead):
            return False
        if "." in digits and not lead.endswith(("率", "率为", "率达", "比", "占", "占比")):
            return False
        right = follow[:1]
        if right and right.isascii() and (right.isalpha() or right in "\":'-<>"):
            return False
        last = lead[-1:]
        return "\u4e00" <= last <= "\u9fff" or (last in ")”》" and len(plain) > 2)

    def _is_counted(self, start: int, end: int, digits: str, unit: str) -> bool:
        """Whether number + unit counts: a length of time but no date, a batch but no building phase."""
        if unit in self.words.after_bare_year and len(digits) == 4 and digits in self.years:
            return False
        if unit not in _CALENDAR_UNITS:
            return True
        lead, follow = self.before(start), self.after(end)
        if unit in ("期", "批", "层", "路"):
            return not follow.startswith(("工程", "项目", "建设", "公交"))
        if unit == "月":
            return follow.startswith("内")
        if unit == "日":
            return follow.startswith("内") and not lead.endswith(("在", "于", "月"))
        if len(digits) > 2 or self.words.window_lead.search(lead) or self.words.programme.search(follow[:6]):
            return False
        return int(float(digits)) <= 10 or bool(self.words.duration_lead.search(lead))

    # -- Han ------------------------------------------------------------------------------------

    def read_percent(self, match: re.Match[str]) -> Reading | None:
        value = read_han_percent(match["percent"])
        return None if value is None else Reading(match.start(), match.end(), value, "%", is_han=True)

    def read_han(self, match: re.Match[str]) -> Reading | None:
        """The reading of a Han numeral before a measure word, or of an explicit zero."""
        start, (run, unit, infix, split) = match.start(), match.group("han", "hunit", "hinfix", "hsplit")
        unit, infix = _merge_split(split) if split else (unit or "", infix or "")
        if not unit and run != "零":
            return None
        lead = self.before(start)
        if lead[-1:] in _NOT_BEFORE_HAN or len(run) > _WINDOW or run == "二":  # 二 orders, 两 counts
            return None
        if not unit:
            is_zero = lead.endswith(("为", "是")) and _CLAUSE_END.match(self.after(match.end()))
            return Reading(start, match.end(), Decimal(0), "", is_han=True) if is_zero else None
        value = self._han_value(run, infix, lead)
        if value is None or not self._is_han_counted(match, value, unit, lead):
            return None
        low = _HAN_LOW.search(lead) if lead.endswith(("至", "到")) and unit not in ("年", "成") else None
        low_value = read_han(low[1]) if low else None
        if low and low_value is not None and low_value < value:  # 三至五个工作日
            return Reading(start - len(low[0]), match.end(), low_value, unit, is_han=True, infix=infix, high=value)
        if unit == "成":
            value, unit = value * 10, "%"
        return Reading(start, match.end(), value, unit, is_han=True, infix=infix)

    def _han_value(self, run: str, infix: str, lead: str) -> Decimal | None:
        if run in _ROUND_HAN:
            rounded = infix or lead.endswith("上") or any(near.search(lead) for near in self.words.near.values())
            return Decimal(_ROUND_HAN[run]) if rounded else None
        return read_han(run)

    def _is_han_counted(self, match: re.Match[str], value: Decimal, unit: str, lead: str) -> bool:
        follow = self.after(match.end())
        if unit in ("期", "批") and follow.startswith(("工程", "项目", "建设")):
            return False
        if unit == "年":
            return bool(self.words.duration_lead.search(lead))
        if unit == "类" and (re.search("类[、和及]$", lead) or re.match(f"[、和及][{HAN_DIGITS}]类", follow)):
            return False
        if value == 0:
            return bool(_CLAUSE_END.match(follow))
        return value != 1 or self._is_definite_one(match.start(), match["han"] + unit, unit, lead, follow)

    def _is_definite_one(self, start: int, one: str, unit: str, lead: str, follow: str) -> bool:
        """一 counts after 至少, behind its noun (访谈一期。) or shared out (一件维持、一件终止); else it is "a"."""
        if self.has_far(start) and any(far.search(lead) for far in self.words.far.values()):
            return True
        if unit in _INDEFINITE_UNITS or lead[-1:] in _NOT_BEFORE_ONE:
            return False
        if _CLAUSE_END.match(follow) and "\u4e00" <= lead[-1:] <= "\u9fff":
            return True
        if one in follow:
            other = _SHARE.match(follow)
            if other and follow.startswith(one, other.end()):
                return True
        at = lead.find(one)
        while at >= 0:
            if _LAST_SHARE.match(lead, at + len(one)):
                return True
            at = lead.find(one, at + 1)
        return False

    # -- both -----------------------------------------------------------------------------------

    def has_far(self, start: int) -> bool:
        """Whether a far word begins in the window before `start`."""
        index = bisect_left(self.far, start)
        return index > 0 and self.far[index - 1] >= start - _WINDOW

    def qualify(self, reading: Reading) -> Qualifier:
        """超/不少于/以上 before 近/约 before 余/多 before 不超过; an adjacent word beats a distant one."""
        words, lead, follow = self.words, self.before(reading.start), self.after(reading.end)
        if lead[-1:] in words.near_ends and lead.endswith(words.near_words):
            for name in ("at_least", "approx", "at_most"):
                if words.near[name].search(lead):
                    return name
        if reading.is_han and reading.value >= 100 and lead.endswith("上"):  # 上百家, 上千人次
            return "approx"
        far, after = self.has_far(reading.start), follow[:1] in words.after_starts
        if (far and words.far["at_least"].search(lead)) or (after and words.after["at_least"].match(follow)):
            return "at_least"
        if after and words.after["approx"].match(follow):
            return "approx"
        if reading.infix:
            return "approx_more"
        if (far and words.far["at_most"].search(lead)) or (after and words.after["at_most"].match(follow)):
            return "at_most"
        return "exact"
