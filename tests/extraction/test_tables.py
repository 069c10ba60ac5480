"""Figures in tables are read by their header, the name of their row and the line above."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from time import process_time

import pytest

from extraction.catalogue import Catalogue, load_catalogue
from extraction.mentions import extract_mentions
from extraction.model import Observation
from extraction.observations import extract_observations

CATALOG = Path(__file__).resolve().parents[2] / "catalog"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(CATALOG)


REQUIRED, ATTENDED, RATE = "head_appearance_required", "head_appearances", "head_appearance_rate"
REQUESTS, MEDIATED, FOI = "hotline_requests", "disputes_mediated", "foi_requests_received"


def read(title: str, rows: list[str], catalogue: Catalogue) -> list[Observation]:
    text = "\n".join([title, *rows])
    year = next(int(text[at : at + 4]) for at in range(len(text)) if text[at : at + 4].isdigit())
    return list(extract_observations(text, extract_mentions(text), catalogue, year))


def places(found: list[Observation]) -> list[tuple[str, Decimal | None, str | None]]:
    return [(seen.metric, seen.value, seen.scope or seen.dimension) for seen in found]


HEADS = ["单位", "应出庭（次）", "实际出庭（次）", "出庭率（%）"]
BODY = [["公安局", "11", "9", "81.8"], ["住建局", "8", "8", "100"], ["合计", "19", "17", "89.5"]]
ATTENDANCE = [
    (metric, Decimal(figure), None if row[0] == "合计" else row[0])
    for row in BODY
    for metric, figure in zip((REQUIRED, ATTENDED, RATE), row[1:], strict=True)
]
LITIGATION = "云岭县2022年行政应诉工作情况"


@pytest.mark.parametrize(
    "rows",
    [
        [" | ".join(row) for row in [HEADS, *BODY]],
        [" | ".join(row) + " |" for row in [HEADS, *BODY]],
        [" | ".join([str(number), *row]) for number, row in enumerate([HEADS, *BODY])],
        ["单位 | 负责人出庭", " | ".join(["", *HEADS[1:]]), *(" | ".join(row) for row in BODY)],
        ["单位 | 负责人出庭", " | ".join(HEADS[1:]), *(" | ".join(row) for row in BODY)],
        [cell for row in [HEADS, *BODY] for cell in row],
        ["各单位出庭情况", *(cell for row in [HEADS, *BODY] for cell in row)],
    ],
    ids=["bars", "closing bar", "serial", "two headers", "narrow sub-header", "one cell a line", "caption and cells"],
)
def test_each_figure_of_a_table_has_its_header_and_its_row(rows: list[str], catalogue: Catalogue) -> None:
    assert places(read(LITIGATION, rows, catalogue)) == ATTENDANCE


@pytest.mark.parametrize("nothing", ["-", "—", "/", "暂无", "无", ""])
@pytest.mark.parametrize("bars", [True, False])
def test_a_cell_without_a_figure_breaks_nothing(nothing: str, bars: bool, catalogue: Catalogue) -> None:
    if not bars and not nothing:
        return  # an empty line is no cell
    body = [["公安局", "11", "9"], ["住建局", nothing, "8"], ["民政局", "5", nothing]]
    lines = [["单位", "应出庭", "实际出庭"], *body]
    rows = [" | ".join(row) for row in lines] if bars else [cell for row in lines for cell in row]
    assert places(read(LITIGATION, rows, catalogue)) == [
        (REQUIRED, 11, "公安局"),
        (ATTENDED, 9, "公安局"),
        (ATTENDED, 8, "住建局"),
        (REQUIRED, 5, "民政局"),
    ]


def test_a_plain_header_leaves_the_metric_to_the_line_above(catalogue: Catalogue) -> None:
    rows = [
        "各渠道受理情况如下:",
        "渠道 | 数量（件） | 占比",
        "电话 | 5000 | 89.3%",
        "网络 | 600 | 10.7%",
        "合计 | 5600 | 100%",
    ]
    assert places(read("云岭县2022年12345热线运行情况通报", rows, catalogue)) == [
        (REQUESTS, 5000, "电话"),
        (REQUESTS, 600, "网络"),
        (REQUESTS, 5600, None),
    ]


@pytest.mark.parametrize("bars", [True, False])
@pytest.mark.parametrize("closed", [True, False])
def test_rows_that_add_up_to_the_figure_above_are_its_parts(bars: bool, closed: bool, catalogue: Catalogue) -> None:
    lines = [
        ["申请人类别", "数量（件）"],
        ["自然人", "121"],
        ["法人及其他组织", "12"],
        *([["合计", "133"]] if closed else []),
    ]
    rows = [" | ".join(row) for row in lines] if bars else [cell for row in lines for cell in row]
    found = read("云岭县2022年政府信息公开工作年度报告", ["收到政府信息公开申请133件,办结131件。", *rows], catalogue)
    assert [(seen.value, seen.dimension, seen.breakdown_of) for seen in found if seen.metric == FOI] == [
        (133, None, None),
        (121, "自然人", 0),
        (12, "法人及其他组织", 0),
        *([(133, None, None)] if closed else []),
    ]


def test_rows_that_do_not_add_up_to_the_figure_above_are_none_of_it(catalogue: Catalogue) -> None:
    rows = ["收到政府信息公开申请133件。", "公开类别 | 数量（件）", "甲类 | 121", "乙类 | 40"]
    found = read("云岭县2022年政府信息公开工作年度报告", rows, catalogue)
    assert [seen.value for seen in found] == [133]


def test_a_row_of_another_metric_shows_that_the_line_above_names_no_whole(catalogue: Catalogue) -> None:
    rows = ["行政复议案件审结情况", "方式 | 件数", "维持 | 57", "其他 | 13"]
    found = read("云岭县2022年行政复议工作情况", rows, catalogue)
    assert places(found) == [("reconsideration_upheld", 57, None)]


def test_rows_of_items_name_their_own_metric(catalogue: Catalogue) -> None:
    rows = ["项目 | 计量单位 | 2021年 | 2022年", "行政复议受理数 | 件 | 100 | 126", "行政复议审结数 | 件 | 90 | 118"]
    found = read("云岭县2022年行政复议工作统计", rows, catalogue)
    assert [(seen.metric, seen.value, seen.period, seen.status, seen.dimension) for seen in found] == [
        ("reconsideration_accepted", 100, "2021", "prior_period", None),
        ("reconsideration_accepted", 126, "2022", "actual", None),
        ("reconsideration_concluded", 90, "2021", "prior_period", None),
        ("reconsideration_concluded", 118, "2022", "actual", None),
    ]


def test_a_header_dates_its_column(catalogue: Catalogue) -> None:
    rows = ["乡镇 | 调解纠纷", " | 上半年 | 下半年 | 合计", "白石镇 | 50 | 70 | 120"]
    found = read("云岭县2022年人民调解工作情况", rows, catalogue)
    assert [(seen.value, seen.period, seen.scope) for seen in found] == [
        (50, "2022-01/2022-06", "白石镇"),
        (70, "2022-07/2022-12", "白石镇"),
        (120, "2022", "白石镇"),
    ]


def test_the_measure_word_of_a_header_counts(catalogue: Catalogue) -> None:
    rows = ["项目 | 减免税费（万元） | 惠及企业（户）", "合计 | 35.6 | 12"]
    (only,) = [
        seen for seen in read("云岭县2022年减税降费工作情况", rows, catalogue) if seen.metric == "tax_fee_relief_amount"
    ]
    assert (only.value, only.text) == (356000, "35.6")


def test_pairs_of_a_name_and_a_figure(catalogue: Catalogue) -> None:
    pairs = [
        ("受理行政复议案件", "126件"),
        ("审结行政复议案件", "118件"),
        ("一审行政应诉案件", "60件"),
        ("行政机关败诉案件", "3件"),
    ]
    expected = ["reconsideration_accepted", "reconsideration_concluded", "litigation_cases", "litigation_lost"]
    shapes = [
        [" | ".join(pair) for pair in pairs],
        [" | ".join([*pairs[0], *pairs[1]]), " | ".join([*pairs[2], *pairs[3]])],
        [cell for pair in pairs for cell in pair],
        [cell for name, figure in pairs for cell in (name + ":", figure)],
    ]
    for rows in shapes:
        found = read("云岭县2022年行政复议应诉统计", rows, catalogue)
        assert [seen.metric for seen in found] == expected, rows


def test_what_a_column_of_pages_or_telephones_says_is_no_count(catalogue: Catalogue) -> None:
    rows = ["名称 | 文号 | 页数", "关于印发规范性文件的通知 | 甲发3号 | 12"]
    assert read("云岭县2022年规范性文件制定情况", rows, catalogue) == []


def test_the_paragraph_after_a_table_is_read_by_itself(catalogue: Catalogue) -> None:
    rows = ["受理诉求情况", "渠道 | 数量", "电话 | 500", "办理企业变更登记1260件。"]
    found = read("云岭县2022年12345热线运行情况通报", rows, catalogue)
    assert [seen.value for seen in found] == [500]


@pytest.mark.parametrize(
    "rows",
    [
        ["受理情况", "渠道 | 数量", *(f"渠道{at}号 | {at}" for at in range(4000))],
        ["受理情况", *("甲\n乙\n1\n2\n" for _ in range(2000))],
        ["受理情况", *("甲 | 乙" for _ in range(4000)), " | ".join(str(at) for at in range(4000))],
        ["受理情况", " | ".join(["甲局"] * 4000 + ["9"] * 4000)],
    ],
    ids=["rows", "blocks", "headers", "one row"],
)
def test_no_table_takes_long(rows: list[str], catalogue: Catalogue) -> None:
    began = process_time()
    read("云岭县2022年12345热线运行情况通报", rows, catalogue)
    assert process_time() - began < 5


@pytest.mark.parametrize(
    ("sentence", "parts"),
    [
        ("从案件类型看,行政处罚100件,其他33件。", ["行政处罚", "其他"]),
        ("涉及领域主要有:公安80件,占60.2%;市场监管33件,占24.8%。", ["公安", "市场监管"]),
        ("其中,公安类80件,市场监管类53件。", ["公安类", "市场监管类"]),
        ("按渠道分,来访100件,来电33件。按领域分,公安80件,应急53件。", ["来访", "来电", "公安", "应急"]),
    ],
)
def test_kinds_told_in_a_new_sentence_are_parts_of_the_total(
    sentence: str, parts: list[str], catalogue: Catalogue
) -> None:
    found = read("云岭县2022年行政复议工作情况", ["收到行政复议申请133件。" + sentence], catalogue)
    assert {seen.metric for seen in found} == {"reconsideration_applications_received"}
    assert [(seen.dimension, seen.breakdown_of) for seen in found] == [(None, None), *((part, 0) for part in parts)]


def test_another_side_of_the_work_is_no_kind(catalogue: Catalogue) -> None:
    found = read("云岭县2022年行政复议工作情况", ["受理行政复议案件133件。从应诉情况看,败诉3件。"], catalogue)
    assert [seen.metric for seen in found] == ["reconsideration_accepted", "litigation_lost"]
