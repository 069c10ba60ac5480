"""The grammar right before a number: comparison with an earlier year, change, share, from-to, accumulation, target.

Patterns are anchored at the number (`$`) over a short stretch of text and never nest quantifiers.
"""

from __future__ import annotations

import re
from decimal import Decimal

REACH = 40
"""How much text before a number is looked at."""
FAR = 120
"""How far back in its clause a list is announced (分别)."""

_FILLER = r"(?:了|约|近|超过?|逾|达到?|为|仅|共|有|是|的|:|也){0,4}$"
_PRIOR = re.compile(
    r"(?P<cmp>由|从|较|比|与|同|自)?"
    r"(?P<who>上一?年度?同?期?|去年同?期?|上一年度?同?期?|前一?年|(?P<year>20\d\d)年度?(?:同期|全年)?)"
    r"(?:[末底]|全年|度)?" + _FILLER
)
_PRIOR_REACH = 24
"""More than the longest text that such a pattern matches before the number."""
_FROM = re.compile(r"(?:由|从)[^,。;:、\d由从]{0,10}$")
_THEN = re.compile(
    r"(?:\([^()]{0,24}\))?[^,。;:\d]{0,8}(?:降|减|增|升|压|缩|扩|提|拓|精简|调整|变更|优化)[^,。;\d]{0,4}(?:至|到|为)"
)
_THEN_REACH = 48
_NORM = re.compile(r"(?:法定|规定|承诺)(?:的|时限|期限|时间|办理|审批|为|是){0,3}$")
_TO = re.compile(
    r"(?:降|减|增|升|压|缩|扩|提|拓|涨|精简|短|调整|变更|高|低|加)[^,。;\d]{0,3}?(?:至|到|为)"
    r"(?:目前|现在|今年|全年|的|了|约|近|超过|超){0,2}$"
)
_UP = "增长|上升|增加|提高|增幅|升幅|提升|上涨|增"
_DOWN = "下降|减少|降低|降幅|回落|下滑|压减|精简|缩减|减|降"
_CHANGE = re.compile(
    rf"(?:(?P<up>{_UP})|(?P<down>{_DOWN}))(?:率|幅度?|比例)?(?:了|约|近|超过?|逾|达到?|均?为|:){{0,3}}$"
)
_CHANGE_REACH = 12
_TURNING = re.compile("[年由从增升提涨降减落滑简]")
"""One of these is right before the number wherever it is set against another time, opens a range or is a change."""
_TURN_REACH = 16
_COMPARED = re.compile(r"同比|(?:比|较|与)(?:上一?年|去年|前一?年|上年度|同期|20\d\d年)|同期")
_CHANGE_FILLER = re.compile(
    r"同比|环比|(?:比|较|与|和|同)?(?:上一?年|去年|前一?年|20\d\d年)(?:度|全年)?的?(?:同期)?(?:相比|比较|相较)?|同期"
    r"|大幅|明显|显著|持续|均|也|又|实现|有所|略有|双双|净|年|[的了约近超逾,、;:()]"
)
_OF_TOTAL = re.compile(r"(?:案件|总)(?:总?[数量]|数量)|总量|总[数计]|数量|件数")
_OF_RATE = re.compile(r"(?:率|时间|时长|时限|周期|成本|占?比[例重]?|满意度|金?额|费用?|款|收入|平均|均|积案)$")
_OTHER_CHANGE = re.compile(r"环比|(?:比|较|与)上(?:个?月|季度|周)")
_TOTAL = re.compile(r"[,、;](?:两项|二者)?(?:共|共计|合计|总计)(?:办理)?$")
TOTAL_ENDS = frozenset("共计理")
"""With one of these ends what `is_total` speaks of."""
_SHARE = re.compile(r"(?:占|占比|比重|比例)[^,。;\d]{0,16}$")
_TARGET = re.compile(
    r"(?:年度|工作|考核|既定)?目标(?:任务)?(?:是|为|要求|值)?[^,。;\d]{0,6}$"
    r"|(?:力争|争取)[^,。;\d]{0,16}$|预计[^,。;\d]{0,24}$"
)
_AIM_FIRSTS = frozenset("以的")
_AIM = re.compile(r"(?:以上|以内)?的(?:任务|工作)?目标")
_PART = re.compile(r"其中|(?:分别)?包括|含|分为|即(?!办|时|可)|分别(?:为|是)|其中:")
_POOL_REACH = 20
_POOL = re.compile(r"[^,。;:\n]{0,14}(?:中|里)(?:,|、|随机|筛选|抽|选|挑|共)")
_ONLY_TIME = re.compile(
    r"^[,;:、]?(?:20\d\d年|今年|去年|本年|上年|全年|截至|截止|至|\d{1,2}月|\d{1,2}日|[底末,为达共是])+$"
)
_TIME_FIRST = re.compile(r"^[^,。;]{0,8}(?:20\d\d年|今年|去年)")
_KINDS = r"(?:按照?|从)[^,。;:\d]{1,12}(?:划?分|分类|统计|来?看|分析)(?:,|:)"
_OF_KIND = re.compile(
    r"(?:按照?|从|涉及)?[^,。;:\d]{0,6}?(?:类型|类别|种类|领域|渠道|方式|结果|来源|分布|对象|行业|性质|区域|地区)"
    r"[^,。;:\d]{0,6}(?:,|:)"
)
_NAMED_KINDS = (
    r"(?:涉及)?[^,。;:\d]{0,4}(?:领域|类型|类别|渠道|方式|来源)(?:分布)?(?:主要|分别)?(?:有|为|是|包括|如下):"
)
_INSIDE = re.compile(rf"[^,。;\d]{{1,10}}中,|{_KINDS}|{_NAMED_KINDS}")
_BY_KIND = re.compile(_KINDS)
_ELSEWHERE = re.compile(
    r"(?:全[国省市州]|各地)(?:同期|的)?平均(?:水平|值|数|线)?(?:的|为|是)?$|平均(?:水平|值|线)(?:的|为|是)?$"
)
_MEAN_ENDS = frozenset("均平值数线的为是")
_WIDER = re.compile(
    r"(?:20\d\d年度?|今年|同期|目前|截至.{1,8}),?全[市省国](?!率|首|第|前|领|唯|最|排|通|统)|全[市省国](?!率|首|第|前|领|唯|最|排|通|统)"
)
_PLACES = re.compile(r"[市县区旗乡镇]|街道")
_TITLE_END = re.compile(r"人民政府|20\d\d|二[〇○零]|关于|法治|依法")
_PER_ONE = re.compile(r"[日月年人户村]均|平均每|每[个名村镇乡所家户人位万天日月周季]")
_PROCEDURE = re.compile(r"(?:简易|一般|普通|快速)程序")
_EACH = re.compile(r"(?:各|[均都](?:为|达到?|是)?)$")
_EACHES = frozenset("各均都")


def turns(before: str) -> bool:
    """Whether the number may be one that `find_prior`, `opens_range` or `find_change` speak of: for most it is not."""
    return _TURNING.search(before, max(0, len(before) - _TURN_REACH)) is not None


def find_prior(before: str, report_year: int) -> str | None:
    """The earlier year, when the number is that of an earlier year set against this one's.

    A bare year (2018年调解…) is no comparison; 由/较 2018年的, (2022年为 are.
    """
    match = _PRIOR.search(before, max(0, len(before) - _PRIOR_REACH)) if "年" in before else None
    if match is None:
        return None
    lead = before[: match.start()][-1:]
    if match["year"] is None:
        return str(report_year - 1)
    year = int(match["year"])
    tied = match["cmp"] is not None or lead in "(,;" or not lead
    links = before[match.end("year") :].strip("年度约近") != ""
    if year >= report_year or not tied or not (match["cmp"] or links):
        return None
    return str(year)


def opens_range(before: str, text: str, end: int) -> bool:
    """由A降至B: the number, which ends at `end` of the text, is A."""
    if not ("由" in before or "从" in before):
        return False
    return _FROM.search(before) is not None and _THEN.match(text, end, end + _THEN_REACH) is not None


def is_norm(before: str) -> bool:
    """法定的20个工作日: what the law or a promise allows, no figure of any time."""
    return _NORM.search(before) is not None


def is_before_reform(before: str) -> bool:
    """由清理前的4215项: before something done in the same year, not a year before."""
    return before.rstrip("的").endswith("前")


def closes_range(before: str) -> bool:
    """由A降至B: the number is B."""
    return _TO.search(before) is not None


def find_change(before: str) -> int | None:
    """+1 or -1 when a verb of change stands right before the number, else None."""
    match = _CHANGE.search(before, max(0, len(before) - _CHANGE_REACH))
    if match is None:
        return None
    return 1 if match["up"] else -1


def subject_of_change(piece: str) -> str:
    """受理案件总数较去年增加…: what is said to have changed; empty where the change has no subject of its own."""
    match = _CHANGE.search(piece)
    return _CHANGE_FILLER.sub("", piece[: match.start()] if match else piece)


def is_of_total(subject: str) -> bool:
    """案件总数, 总量: the subject is the whole that has been told before its parts."""
    return _OF_TOTAL.search(subject) is not None


def is_of_rate(subject: str) -> bool:
    """Whether what is said to have changed is a rate, a time or a sum, and not how many cases there were."""
    return _OF_RATE.search(subject) is not None


def is_other_change(piece: str) -> bool:
    """环比, 比上月: no change from year to year."""
    return _OTHER_CHANGE.search(piece) is not None and not is_compared(piece)


def is_compared(piece: str) -> bool:
    return _COMPARED.search(piece) is not None


def is_share(before: str) -> bool:
    """占58.2%, and the joint share of the parts listed before it (合计占5.4%)."""
    return _SHARE.search(before) is not None


def is_total(before: str) -> bool:
    """建议74件、提案121件,共195件: the number adds up what was listed before it."""
    return _TOTAL.search(before) is not None


def is_joint(before: str) -> bool:
    """Whether a share is said to be that of several figures together."""
    return "合计" in before or "共占" in before


def is_target(before: str) -> bool:
    if not ("目标" in before or "争" in before or "预计" in before):
        return False
    return _TARGET.search(before) is not None


def is_gathered(text: str) -> bool:
    return "累计" in text or "历年" in text or "迄今" in text or "至今" in text


def is_stocked(text: str) -> bool:
    return "现已" in text or "先后" in text or "已累计" in text or "分别达" in text


def opens_parts(piece: str) -> bool:
    return _PART.search(piece) is not None or (("按" in piece or "从" in piece) and _BY_KIND.search(piece) is not None)


def strip_opening(piece: str) -> str:
    """What a part is called, without the words that open the list of parts (其中, 按渠道分)."""
    piece = piece.lstrip("、,;:( ").removeprefix("其中").lstrip(",:")
    opening = _INSIDE.match(piece)
    return piece[opening.end() :] if opening else piece


def says_each(before: str) -> bool:
    return not _EACHES.isdisjoint(before[-3:]) and _EACH.search(before) is not None


def find_procedure(metric: str, phrase: str) -> str | None:
    """简易程序处罚214件: by which procedure, where no metric counts the procedure itself."""
    if "程序" not in phrase or "procedure" in metric:
        return None
    match = _PROCEDURE.search(phrase)
    return match[0] if match else None


def signed(sign: int, value: Decimal | None) -> Decimal | None:
    return None if value is None else sign * value


def is_pool(before: str, text: str, end: int) -> bool:
    """从8000余份案卷中抽取: what was drawn from, not what was drawn. The number ends at `end` of the text."""
    return "从" in before and _POOL.match(text, end, end + _POOL_REACH) is not None


def is_only_time(before: str) -> bool:
    return _ONLY_TIME.match(before) is not None and re.search(r"[年月]", before) is not None


def starts_with_time(text: str) -> bool:
    return _TIME_FIRST.search(text) is not None


def opener(sentence: str) -> str:
    """受理的案件中: what a sentence that tells parts calls their total; empty for any other sentence."""
    match = _INSIDE.match(sentence)
    return match[0] if match else ""


def opens_kinds(opener: str) -> bool:
    """从案件类型看: what follows are kinds of what has been told, whatever words name them."""
    return _OF_KIND.fullmatch(opener) is not None


def opens_inside(sentence: str) -> bool:
    """保留事项中,…: a sentence that begins by opening up the total of the sentence before."""
    return _INSIDE.match(sentence) is not None


def is_aim(after: str) -> bool:
    """达到100%的目标."""
    return after[:1] in _AIM_FIRSTS and _AIM.match(after) is not None


def is_wider(piece: str) -> bool:
    """全市法院受理1200件 in a county's report; 在全市率先, 全省首批 and ranks say something of the county."""
    return "全" in piece and _WIDER.match(piece) is not None


def is_below_city(title: str) -> bool:
    """Whether the title is that of a county, a district or something smaller."""
    named = _PLACES.findall(_TITLE_END.split(title, maxsplit=1)[0])
    return bool(named) and named[-1] != "市"


def is_elsewhere(before: str) -> bool:
    """高于全市平均水平8.5%: the mean of a wider region, which the report's own figure is measured by."""
    return before[-1:] in _MEAN_ENDS and "平均" in before and _ELSEWHERE.search(before) is not None


def is_per_one(piece: str) -> bool:
    """每村10名, 日均300人次: a mean or a norm for one of many, not a figure of the whole."""
    return ("均" in piece or "每" in piece) and _PER_ONE.search(piece) is not None
