"""Which time a number speaks of: the report's year, a window, another year; and up to when it was counted.

Years come from the text only. A time expression rules what follows it: a window to the end of its sentence, a past
year to the end of its clause, a cut-off (截至X) to the end of its numbered item.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import Literal

_HAN_DIGITS = {char: str(index) for index, char in enumerate("〇一二三四五六七八九")} | {"○": "0", "零": "0", "O": "0"}
_HAN_MONTHS = {name: index for index, name in enumerate([*"一二三四五六七八九十", "十一", "十二"], 1)}
_HAN_COUNT = {"两": 2, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10}
_MONTH = r"\d{1,2}|十[一二]?|[一二三四五六七八九]"
_QUARTERS = {name: (3 * index + 1, 3 * index + 3) for names in ("一二三四", "1234") for index, name in enumerate(names)}
_PLANS = {"十一": 2006, "十二": 2011, "十三": 2016, "十四": 2021, "十五": 2026}

_TO = "[—–~至到-]"
_NEXT = {
    "截": "[至止]", "自": r"(?:19|20)\d\d", "12": r"[09]\d\d", "0123456789": rf"\d?月?{_TO}|\d?月(?:份)?以来",
    "一二三四五六七八九": rf"月?{_TO}|季度|年来", "十": rf"[一二]?月?{_TO}|[一二三四五]五|年来", "两": "年来",
    "“": "十[一二三四五]五", "上": "半年|一?年", "下": "半年", "第": "[一二三四1-4]季", "前": "[一二三四]季",
    "近": ".年", "最": "近", "过": "去", "去今全本": "年", "年": "[内度]",
}  # fmt: skip
_ANCHOR = re.compile("|".join(f"{char}(?={follows})" for chars, follows in _NEXT.items() for char in chars))
"""Where an expression of `_TIMES` may begin, told by its first two characters: many times faster to find."""
_TIMES = re.compile(
    r"(?:(?P<cut>(?:截至|截止到?|截止至)(?:(?P<cy>(?:19|20)\d\d)年?)?(?:(?P<cm>\d{1,2})月(?:份)?)?(?:(?P<cd>\d{1,2})日)?(?:年?底|末)?)"
    rf"|(?:(?P<wy>(?:19|20)\d\d)年)?(?P<wm1>{_MONTH})月?(?:—{{1,2}}|–|-|~|至|到)(?P<wm2>{_MONTH})月(?!\d)"
    r"|(?P<ry1>(?:19|20)\d\d)年?(?:(?P<rm1>\d{1,2})月)?(?:—{1,2}|–|-|~|至|到)(?P<ry2>(?:19|20)\d\d)年(?:(?P<rm2>\d{1,2})月)?"
    r"|自?(?P<sy>(?:19|20)\d\d)年?(?:(?P<sm>\d{1,2})月)?(?:\d{1,2}日)?(?:份)?[^,。;\n\d]{0,16}?以来(?!的)"
    r"|(?<!年)(?P<ms>\d{1,2})月(?:份)?以来(?!的)"
    r"|(?:(?P<hy>(?:19|20)\d\d)年)?(?<!上)(?P<half>[上下])半年"
    r"|(?:(?P<qy>(?:19|20)\d\d)年)?(?:第(?P<q>[一二三四1-4])|(?P<qs>前?[一二三四]))季度"
    r"|“?(?P<plan>十[一二三四五])五”?(?:期间|以来|时期)"
    r"|(?:近|最近|过去)(?P<n>[两二三四五六七八九十])年(?!来)|(?P<n2>[两二三四五六七八九十])年来|近(?P<n3>[两二三四五六七八九十])年来?"
    r"|(?P<same>(?:20\d\d年度?|去年|上年度?|上一年度?)同期)(?!的|为|相比|相较|比|是|有|增|下|上|减|\d|约|近)"
    r"|(?P<last>去年|上年度?|上一年度?)(?!同|的|为|[末底]|相比|是|有|结|转|度|增|下|上|\d)"
    r"|(?P<now>今年以来|今年|全年|本年度|年内|一年来|年度内|本年)"
    r"|(?P<year>(?:19|20)\d\d)年(?P<tail>.{0,3}))"
)  # fmt: skip
_OPENERS = frozenset("\n,;。:(、|)”")
_NO_YEAR_AFTER = re.compile(r"度|确定|出台|制定|印发|发布|以前|之前|[上中下]|第|[《”〕)]|到期|\d{1,2}月|开始|起")
_TITLE_MONTH = re.compile(r"(20\d\d)年(\d{1,2})月(?:份|(?=.{0,12}(?:情况|通报|月报|简报|统计))|(?=[)]$))")
"""A month that the title names as the time of the whole text; a bare one at its end is when it was written."""
_BARE_MONTH = re.compile(
    r"(?<=[\n,;。:(、中年])(?:(?P<month>\d{1,2})月份?(?![\d至到底末初中以—~-])|(?P<last>上个?月)(?![比同底末]|相比|环比))"
)
"""In a bulletin of a month or a quarter a month is the time of its figures; in a yearly report that of an event."""
_REPORT_WORDS = re.compile(r"报告|总结|小结|情况|汇报|通报|年报|工作")
_HEAD, _HEAD_LINES, _HEAD_WIDTH = 4000, 40, 400
_YEAR = re.compile(r"(?<!\d)20\d\d")
_HAN_YEAR = re.compile(r"二[〇○零O][〇○零O一二三四五六七八九]{2}(?=年)")
_SINCE = "以来"
_FOUNDED = re.compile(
    r"(?:自|从)[^,。;:\n\d]{2,24}$|(?:成立|运行|启用|开通|实施|施行|开展|启动|建立|组建|设立|挂牌|上线|普法|[八九十]大)$"
)
"""自…活动开展以来: since something that the text does not date."""
_THIS_YEAR = re.compile(r"[今本]年|年初|入[春夏秋冬汛]|月|春节|节")
_SURE_YEAR = re.compile(r"20(?<!\d20)\d\d(?=年)")


@dataclass(slots=True, eq=False)
class Time:
    """One time expression at `start:end` of the view. Nobody writes to it."""

    start: int
    end: int
    kind: Literal["year", "last", "now", "window", "cut", "since"]
    period: str
    """Empty for an undated since: the time of the whole text; and for 同期: the same time a year before."""
    as_of: str | None = None


def read_report_year(text: str, title: str | None, publish_date: str | None) -> int | None:
    """The year that a report speaks of: its title, a title-like line of the head, the year named in the text."""
    if title and (found := _YEAR.search(title)):
        return int(found[0])
    for line in [title or "", *text[:_HEAD].split("\n")[:_HEAD_LINES]]:
        if _REPORT_WORDS.search(line[:_HEAD_WIDTH]):
            if found := _SURE_YEAR.search(line[:_HEAD_WIDTH]):
                return int(found[0])
            if han := _HAN_YEAR.search(line[:_HEAD_WIDTH]):
                return int("".join(_HAN_DIGITS[char] for char in han[0]))
    years = [int(found) for found in _SURE_YEAR.findall(text[:20000])]
    if publish_date is not None and publish_date[:4].isdigit():
        years = [year for year in years if year <= int(publish_date[:4])] or [int(publish_date[:4]) - 1]
    return max(set(years), key=lambda year: (years.count(year), year)) if years else None


def _month(text: str) -> int:
    return int(text) if text.isdigit() else _HAN_MONTHS[text]


def _named_month(text: str | None, default: int) -> int:
    """2019年45月 names no month."""
    return int(text) if text is not None and 1 <= int(text) <= 12 else default


def _name_day(year: int, month: int, day: int) -> str | None:
    if not 1 <= month <= 12:
        return None
    return f"{year}-{month:02d}-{day:02d}" if 1 <= day <= 31 else f"{year}-{month:02d}"


def _is_one_sentence(text: str) -> bool:
    return "。" not in text and "\n" not in text


def _window(year1: int, month1: int, year2: int, month2: int) -> str:
    return f"{year1}-{month1:02d}/{year2}-{month2:02d}"


class Times:
    """All time expressions of a text, and which of them rules a position."""

    def __init__(self, text: str, report_year: int, publish_date: str | None) -> None:
        self.year = report_year
        self._text = text
        self._publish_date = publish_date
        self.default = str(report_year)
        """The window that the title names (第三季度情况), else the year."""
        self.found = self._find(text)
        self._starts = [time.start for time in self.found]

    def _find(self, text: str) -> list[Time]:
        found, end = [], 0
        for anchor in _ANCHOR.finditer(text):
            match = _TIMES.match(text, anchor.start()) if anchor.start() >= end else None
            if match is not None:
                end = match.end()
                time = self._read(match)
                if time is not None:
                    found.append(time)
        return self._add_undated(text, found) if _SINCE in text else found

    @staticmethod
    def _add_undated(text: str, found: list[Time]) -> list[Time]:
        """自热线开通以来, where its sentence has named no time yet."""
        starts = [time.start for time in found]
        undated: list[Time] = []
        place = text.find(_SINCE)
        while place >= 0:
            end = place + len(_SINCE)
            lead = _FOUNDED.search(text, max(0, place - 26), place)
            if lead is not None and text[end : end + 1] != "的" and not _THIS_YEAR.search(lead[0]):
                index = bisect_right(starts, place)
                last = found[index - 1] if index else None
                dated = index < len(found) and found[index].start <= end + 1 and text[end : end + 1] == "("
                if dated:  # 条例施行以来(2011年至2020年9月)
                    pass
                elif last is None or not (last.end > place or _is_one_sentence(text[last.end : place])):
                    undated.append(Time(lead.start(), end, "since", ""))
            place = text.find(_SINCE, end)
        return sorted([*found, *undated], key=lambda time: time.start) if undated else found

    def set_default(self, title_end: int) -> None:
        """A window named before `title_end` is that of the whole text."""
        for time in self.found:
            if time.end <= title_end and time.kind == "window":
                self.default = time.period
        if "/" in self.default:
            self._add_months(title_end)
            return
        month = _TITLE_MONTH.search(self._text, 0, title_end)
        if month and int(month[1]) == self.year and 1 <= int(month[2]) <= 12:
            self.default = _window(self.year, int(month[2]), self.year, int(month[2]))
            self._add_months(title_end)

    def _add_months(self, title_end: int) -> None:
        """其中3月受理…, 上月受理…: single months in a text of a few months."""
        months = []
        for match in _BARE_MONTH.finditer(self._text, title_end):
            at = (match.start(), match.end())
            first, last = int(self.default[5:7]), int(self.default[-2:])
            if match["month"] is None:
                if first == last > 1:
                    months.append(Time(*at, "last", _window(self.year, last - 1, self.year, last - 1)))
            elif 1 <= int(match["month"]) <= 12 and self._text[match.start() - 1] != "年":
                months.append(
                    Time(*at, "window", _window(self.year, int(match["month"]), self.year, int(match["month"])))
                )
        ends = [time.end for time in self.found]
        months = [time for time in months if not self._is_found(time, ends)]
        self.found = sorted([*self.found, *months], key=lambda time: time.start)
        self._starts = [time.start for time in self.found]

    def _is_found(self, time: Time, ends: list[int]) -> bool:
        index = bisect_right(ends, time.start)
        return index < len(self.found) and self.found[index].start < time.end

    def _read(self, match: re.Match[str]) -> Time | None:
        g, year = match, self.year
        at = (match.start(), match.end())
        if g.lastgroup == "now":  # the two that are read most often
            return Time(*at, "now", str(year))
        if g.lastgroup == "tail":
            return self._read_year(match)
        if g["cut"]:
            return self._read_cut(match)
        if g["wm1"]:
            first, last = _month(g["wm1"]), _month(g["wm2"])
            if not 1 <= first < last <= 12:
                return None
            own = int(g["wy"] or year)
            return Time(*at, "window", _window(own, first, own, last))
        if g["ry1"]:
            first, last = int(g["ry1"]), int(g["ry2"])
            if not first < last <= year or self._in_name(match):
                return None
            return Time(*at, "since", _window(first, _named_month(g["rm1"], 1), last, _named_month(g["rm2"], 12)))
        if g["sy"]:
            since = int(g["sy"])
            if since > year:
                return None
            if since == year and not g["sm"]:
                return Time(*at, "now", str(year))
            return Time(*at, "since" if since < year else "window", _window(since, _named_month(g["sm"], 1), year, 12))
        if g["ms"]:
            return Time(*at, "window", _window(year, int(g["ms"]), year, 12)) if 1 < int(g["ms"]) <= 12 else None
        if g["half"]:
            own = int(g["hy"] or year)
            return Time(*at, "window", _window(own, *((1, own, 6) if g["half"] == "上" else (7, own, 12))))
        if g["q"] or g["qs"]:
            own, name = int(g["qy"] or year), (g["q"] or g["qs"])
            first, last = (1, 3 * _HAN_MONTHS[name[-1]]) if name[0] == "前" else _QUARTERS[name]
            return Time(*at, "window", _window(own, first, own, last))
        if g["plan"]:
            first = _PLANS[g["plan"]]
            return Time(*at, "since", _window(first, 1, min(first + 4, year), 12)) if first <= year else None
        if count := g["n"] or g["n2"] or g["n3"]:
            return Time(*at, "since", _window(year - _HAN_COUNT[count] + 1, 1, year, 12))
        if g["same"]:
            opens = self._text[match.start() - 1 : match.start()] in _OPENERS
            of_last = not g["same"][:4].isdigit() or int(g["same"][:4]) == year - 1
            return Time(*at, "last", "") if opens and of_last else None
        opens = self._text[match.start() - 1 : match.start()] in _OPENERS
        return Time(*at, "last", str(year - 1)) if opens else None

    def _in_name(self, match: re.Match[str]) -> bool:
        """(2016-2020年) closes the name of a plan, unless it says how long something has been in force."""
        before = self._text[max(0, match.start() - 3) : match.start()]
        return before.endswith("(") and not before.endswith(("来(", "间(", "后(", "今("))

    def _read_cut(self, match: re.Match[str]) -> Time:
        year = int(match["cy"] or self.year)
        if match["cm"] is None:
            tail = match[0][-1]
            as_of = f"{year}-12" if tail in "底末" else self._publish_date
            if match["cy"] and tail not in "底末":
                as_of = None
        else:
            as_of = _name_day(year, int(match["cm"]), int(match["cd"] or 0))
        return Time(match.start(), match.end(), "cut", str(year), as_of)

    def _read_year(self, match: re.Match[str]) -> Time | None:
        year, before = int(match["year"]), self._text[match.start() - 1 : match.start()]
        end = match.end() - len(match["tail"])
        if year == self.year:
            return Time(match.start(), end, "now", str(year))
        if (before and before not in _OPENERS) or _NO_YEAR_AFTER.match(match["tail"]):
            return None
        return Time(match.start(), end, "year", str(year))

    def before(self, position: int, floor: int) -> Time | None:
        """The last expression that ends before `position` and starts at or after `floor`."""
        index = bisect_right(self._starts, position) - 1
        while index >= 0 and self.found[index].start >= floor:
            if self.found[index].end <= position:
                return self.found[index]
            index -= 1
        return None
