"""Years, windows and cut-offs are read from the text, never guessed."""

from __future__ import annotations

from pathlib import Path

import pytest

from extraction.catalogue import Catalogue, load_catalogue
from extraction.mentions import extract_mentions
from extraction.observations import extract_observations
from extraction.periods import Times, read_report_year

CATALOG = Path(__file__).resolve().parents[2] / "catalog"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(CATALOG)


@pytest.mark.parametrize(
    ("text", "title", "publish_date", "year"),
    [
        ("正文", "云岭县2021年法治政府建设情况报告", None, 2021),
        ("云岭县2021年法治政府建设情况报告\n2022年,我县将", None, None, 2021),
        ("索引号 | 2022-0003\n标题 | 云岭县2021年度法治政府建设年度报告\n", None, None, 2021),
        ("二○一五年度全市行政复议工作情况\n", None, None, 2015),
        ("人民调解工作汇报\n2019年调解3件;2020年调解4件,2020年又", None, "2021-01-05", 2020),
        ("没有年份的文字", None, None, None),
    ],
)
def test_report_year(text: str, title: str | None, publish_date: str | None, year: int | None) -> None:
    assert read_report_year(text, title, publish_date) == year


@pytest.mark.parametrize(
    ("text", "kind", "period", "as_of"),
    [
        ("1—11月完成", "window", "2020-01/2020-11", None),
        ("1-7月份", "window", "2020-01/2020-07", None),
        ("一至九月累计", "window", "2020-01/2020-09", None),
        ("上半年", "window", "2020-01/2020-06", None),
        ("第三季度", "window", "2020-07/2020-09", None),
        ("前三季度", "window", "2020-01/2020-09", None),
        ("2020年4月以来,", "window", "2020-04/2020-12", None),
        ("自2018年中心启用以来,", "since", "2018-01/2020-12", None),
        ("近三年来", "since", "2018-01/2020-12", None),
        ("“十三五”期间", "since", "2016-01/2020-12", None),
        ("条例施行以来(2011年至2020年9月)", "since", "2011-01/2020-09", None),
        ("截至11月底", "cut", "2020", "2020-11"),
        ("截止2020年12月12日", "cut", "2020", "2020-12-12"),
        ("截至目前", "cut", "2020", "2021-01-15"),
        ("2018年调解3件", "year", "2018", None),
        ("自调解中心启用以来,", "since", "", None),
        ("3件;2019年同期受理", "last", "", None),
    ],
)
def test_a_time_expression(text: str, kind: str, period: str, as_of: str | None) -> None:
    (found,) = Times(text, 2020, "2021-01-15").found
    assert (found.kind, found.period, found.as_of) == (kind, period, as_of)


@pytest.mark.parametrize(
    "text",
    ["规划(2016—2020年)", "从1983年以来的文件", "分上下半年两次", "对2014年确定的事项", "13—5月", "2015年度考核"],
)
def test_what_is_no_time_of_a_figure(text: str) -> None:
    assert [time for time in Times(text, 2020, None).found if time.period != "2020"] == []


@pytest.mark.parametrize(
    ("text", "period", "as_of"),
    [
        ("截至45月底", "2020", None),
        ("截至11月99日", "2020", "2020-11"),
        ("自2018年45月以来,", "2018-01/2020-12", None),
        ("条例施行以来(2011年13月至2020年9月)", "2011-01/2020-09", None),
    ],
)
def test_a_month_or_day_that_does_not_exist_is_not_named(text: str, period: str, as_of: str | None) -> None:
    (found,) = Times(text, 2020, None).found
    assert (found.period, found.as_of) == (period, as_of)


def test_the_title_names_the_window_of_the_whole_text() -> None:
    title = "关于2020年第三季度出庭应诉情况的通报"
    times = Times(title + "\n全市开庭", 2020, None)
    times.set_default(len(title))
    assert times.default == "2020-07/2020-09"


@pytest.mark.parametrize(
    ("title", "period"),
    [
        ("2020年11月12345热线运行情况通报", "2020-11/2020-11"),
        ("2020年10月至11月行政执法情况通报", "2020-10/2020-11"),
        ("2020年上半年行政应诉工作情况", "2020-01/2020-06"),
        ("2020年1-10月行政复议工作情况", "2020-01/2020-10"),
        ("2020年度法治政府建设情况报告", "2020"),
    ],
)
def test_a_title_of_part_of_a_year(title: str, period: str) -> None:
    times = Times(title + "\n受理3件", 2020, None)
    times.set_default(len(title))
    assert times.default == period


YEAR, MONTH = "云岭县2022年法治政府建设情况报告", "云岭县2022年11月法治政府建设情况通报"


@pytest.mark.parametrize(
    ("title", "sentence", "value", "status", "period"),
    [
        (MONTH, "调解矛盾纠纷450件。", 450, "actual", "2022-11/2022-11"),
        (MONTH, "11月调解矛盾纠纷450件,2021年同期调解矛盾纠纷430件。", 430, "prior_period", "2021-11/2021-11"),
        (MONTH, "全年共调解矛盾纠纷4500件。", 4500, "actual", "2022"),
        (MONTH, "今年以来,调解矛盾纠纷4500件。", 4500, "actual", "2022-01/2022-11"),
        (MONTH, "本月调解矛盾纠纷450件,上月调解矛盾纠纷430件。", 430, "prior_period", "2022-10/2022-10"),
        (MONTH, "本月调解矛盾纠纷450件。其中,10月调解矛盾纠纷43件。", 43, "actual", "2022-10/2022-10"),
        (YEAR, "5月,调解矛盾纠纷230件。", 230, "actual", "2022"),
        (YEAR, "上半年调解矛盾纠纷450件;2021年上半年调解矛盾纠纷430件。", 430, "prior_period", "2021-01/2021-06"),
        (YEAR, "“八五”普法以来,调解矛盾纠纷300件。", 300, "cumulative", "2022"),
        (YEAR, "下一步,将做好以下工作:\n一是开展法治宣传活动100场。\n二是调解矛盾纠纷90件。", 90, "target", "2023"),
        (YEAR, "下一步,将做好以下工作:\n一是更实。\n二、工作成效\n调解矛盾纠纷90件。", 90, "actual", "2022"),
        ("云岭县2022年度法治政府建设工作计划", "开展法治宣传活动100场。", 100, "target", "2022"),
        (YEAR, "4月至12月,调解矛盾纠纷230件。", 230, "actual", "2022-04/2022-12"),
        (YEAR, "去年调解矛盾纠纷450件。", 450, "prior_period", "2021"),
        (YEAR, "受理行政复议案件126件(2021年同期100件),调解矛盾纠纷45件。", 45, "actual", "2022"),
        (YEAR, "自调解中心启用以来,调解矛盾纠纷300件。", 300, "cumulative", "2022"),
        (YEAR, "今年,自专项行动开展以来,调解矛盾纠纷300件。", 300, "actual", "2022"),
        (YEAR, "力争2023年新建法治文化广场9个。", 9, "target", "2023"),
        (YEAR, "到2025年建成法治文化广场30个。", 30, "target", "2025"),
        (YEAR, "2023年我们将开展法治宣传活动100场。", 100, "target", "2023"),
        (YEAR, "基础更牢。明年开展法治宣传活动100场。", 100, "target", "2023"),
        (YEAR, "基础更牢。下一步,我县将加大宣传。开展法治宣传活动120场。", 120, "target", "2023"),
        (YEAR, "下一步加大宣传。今年已开展法治宣传活动80场。", 80, "target", "2023"),
        (YEAR, "基础更牢。下一步将加大宣传。今年已开展法治宣传活动80场。", 80, "actual", "2022"),
        (YEAR, "2020、2021、2022年分别开展法治宣传活动60场、70场、80场。", 70, "actual", "2021"),
        (YEAR, "2021年、2022年受理行政复议案件分别为30件、35件。", 30, "actual", "2021"),
        (YEAR, "2020年至2022年开展法治宣传活动80场。", 80, "cumulative", "2020-01/2022-12"),
        (YEAR, "省、市级法治文化阵地分别达到4个、12个。", 12, "cumulative", "2022"),
    ],
)
def test_status_and_period(
    title: str, sentence: str, value: int, status: str, period: str, catalogue: Catalogue
) -> None:
    text = f"{title}\n{sentence}"
    found = extract_observations(text, extract_mentions(text), catalogue, 2022)
    assert [(seen.status, seen.period) for seen in found if seen.value == value] == [(status, period)]
