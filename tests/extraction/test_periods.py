"""Years, windows and cut-offs are read from the text, never guessed."""

from __future__ import annotations

import pytest

from extraction.periods import Times, read_report_year


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
