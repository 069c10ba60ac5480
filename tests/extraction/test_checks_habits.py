"""Every rule on sentences in the habits of many places: what holds, what fails, what was cut off, what says nothing.

The figures are read by the real catalogue, so a sentence whose wording is no longer read shows here as well.
"""

from __future__ import annotations

from functools import lru_cache

import pytest

from extraction.catalogue import Catalogue, load_catalogue
from extraction.model import Check, Parsed
from extraction.parse import parse_report
from extraction.rules import RULES_PATH, Rules, load_rules

RECEIVED = "收到行政复议申请142件，受理126件，不予受理11件，告知通过其他途径处理"
MEDIATED = "审结行政复议案件118件，其中调解结案11件，申请人撤回申请30件，调撤率"
SUED = "以县政府为被告的行政诉讼案件45件，其中胜诉"
CLOSED = "审结行政复议案件118件，其中维持64件，驳回9件，撤销12件，变更2件，确认违法4件，责令履行3件，终止24件"
CORRECTED = "审结行政复议案件118件，其中维持64件，撤销12件，变更2件，确认违法4件，责令履行3件，直接纠错率"
CLEANED = "共清理行政规范性文件180件，其中废止34件，宣布失效21件，修改9件，继续有效"
AUDIT = "县审计局完成审计项目12个，查出违规金额1200万元，管理不规范金额"

CASES: list[tuple[str, str, str | None, str]] = [
    # rule, verdict, formula (None: the rule has nothing to compare), text
    ("R01", "holds", "126 + 11 + 5 = 142", f"{RECEIVED}5件。"),
    ("R01", "fails", "126 + 11 + 7 = 144 ≠ 142", f"{RECEIVED}7件。"),
    ("R01", "not_applicable", None, "今年以来，市政府共受理行政复议案件126件。"),
    ("R02", "holds", "64 + 12 + 2 + 4 + 3 + 24 + 9 = 118", f"{CLOSED}。"),
    ("R02", "fails", "64 + 12 + 2 + 4 + 3 + 22 + 9 = 116 ≠ 118", f"{CLOSED.replace('24件', '22件')}。"),
    ("R02", "holds", "64 + 12 + 24 ≤ 118", "审结行政复议案件118件，其中维持64件，撤销12件，终止24件等。"),
    ("R02", "not_applicable", None, "全年审结行政复议案件118件。"),
    ("R03", "holds", "14 + 126 = 118 + 22", "上年结转行政复议案件14件，本年受理126件，审结118件，尚未审结22件。"),
    ("R03", "fails", "14 + 126 = 140 ≠ 118 + 20", "上年结转行政复议案件14件，本年受理126件，审结118件，尚未审结20件。"),
    ("R03", "not_applicable", None, "上年结转行政复议案件14件。"),
    ("R04", "holds", "30 ≤ 126", "受理行政复议案件126件，其中适用简易程序审理30件，组织听证8次。"),
    ("R04", "fails", "142 > 130", "收到行政复议申请130件，其中受理142件。"),
    ("R04", "not_applicable", None, "收到行政复议申请130件。"),
    ("R05", "holds", "64 / 118 = 54.24% → 54.2%", "审结行政复议案件118件，其中维持64件，占54.2%；撤销12件，占10.2%。"),
    ("R05", "fails", "64 / 118 = 54.24% ≠ 56.2%", "审结行政复议案件118件，其中维持64件，占56.2%；撤销12件，占10.2%。"),
    ("R05", "truncated", "67 / 118 = 56.78% → 56.7%", "审结行政复议案件118件，其中维持67件，占56.7%。"),
    ("R05", "not_applicable", None, "审结行政复议案件118件，其中维持64件。"),
    ("R06", "holds", "(12 + 2 + 4 + 3 + 24) / 118 = 38.14% → 38.1%", f"{CLOSED}，综合纠错率38.1%。"),
    ("R06", "fails", "(12 + 2 + 4 + 3 + 24) / 118 = 38.14% ≠ 31.8%", f"{CLOSED}，综合纠错率31.8%。"),
    ("R06", "not_applicable", None, "行政复议综合纠错率38.1%。"),
    ("R07", "holds", "(12 + 2 + 4 + 3) / 118 = 17.80% → 17.8%", f"{CORRECTED}17.8%。"),
    ("R07", "truncated", "(12 + 2 + 4 + 3) / 118 = 17.80% → 17.7%", f"{CORRECTED}17.7%。"),
    ("R07", "fails", "(12 + 2 + 4 + 3) / 118 = 17.80% ≠ 14.8%", f"{CORRECTED}14.8%。"),
    ("R08", "holds", "(30 + 11) / 118 = 34.75% → 34.7%", f"{MEDIATED}34.7%。"),
    ("R08", "fails", "(30 + 11) / 118 = 34.75% ≠ 43.7%", f"{MEDIATED}43.7%。"),
    ("R09", "holds", "53 / 58 = 91.38% → 91.4%", "行政机关负责人应出庭58件，实际出庭53件，出庭应诉率91.4%。"),
    ("R09", "truncated", "53 / 58 = 91.38% → 91.3%", "行政机关负责人应出庭58件，实际出庭53件，出庭应诉率91.3%。"),
    ("R09", "fails", "53 / 58 = 91.38% ≠ 93.1%", "行政机关负责人应出庭58件，实际出庭53件，出庭应诉率93.1%。"),
    ("R09", "not_applicable", None, "行政机关负责人出庭应诉率100%。"),
    ("R10", "holds", "58 ≤ 71", "全年一审行政诉讼案件96件，开庭审理71件，负责人应出庭58件，出庭53件。"),
    ("R10", "fails", "61 > 58", "全年一审行政诉讼案件96件，开庭审理71件，负责人应出庭58件，出庭61件。"),
    ("R11", "holds", "30 + 3 + 12 ≤ 45", f"{SUED}30件，败诉3件，原告撤诉12件。"),
    ("R11", "fails", "33 + 3 + 12 = 48 > 45", f"{SUED}33件，败诉3件，原告撤诉12件。"),
    ("R12", "holds", "3 / (57 + 3) = 5.0% → 5%", "行政诉讼胜诉57件，败诉3件，败诉率5%。"),
    ("R13", "holds", "34 + 21 + 9 + 116 = 180", f"{CLEANED}116件。"),
    ("R13", "fails", "34 + 21 + 9 + 113 = 177 ≠ 180", f"{CLEANED}113件。"),
    ("R14", "holds", "210 + 412 + 18 = 640", "全年办理法律援助案件640件，其中刑事210件、民事412件、行政18件。"),
    ("R14", "fails", "210 + 402 + 18 = 630 ≠ 640", "全年办理法律援助案件640件，其中刑事210件、民事402件、行政18件。"),
    ("R14", "holds", "58 + 7 + 20 = 85", "审查规范性文件85件（政府58件、部门7件、镇街20件）。"),
    ("R14", "fails", "58 + 7 + 21 = 86 ≠ 85", "审查规范性文件85件（政府58件、部门7件、镇街21件）。"),
    ("R14", "holds", "41 + 38 + 17 = 96", "受理仲裁申请96件，全部审结：裁决41件、调解38件、撤回17件。"),
    ("R14", "fails", "41 + 38 + 14 = 93 ≠ 96", "受理仲裁申请96件，全部审结：裁决41件、调解38件、撤回14件。"),
    ("R14", "not_applicable", None, "受理仲裁申请96件，全部审结：裁决41件、调解38件、撤回14件等。"),
    ("R14", "not_applicable", None, "受理仲裁申请96件，其中裁决41件、调解38件、撤回9件。"),
    ("R15", "holds", "36 / 240 = 15.0% → 15%", "开展双随机抽查240次，其中跨部门联合抽查36次，占比15%。"),
    ("R15", "fails", "36 / 240 = 15.0% ≠ 18%", "开展双随机抽查240次，其中跨部门联合抽查36次，占比18%。"),
    ("R16", "holds", "203 / 215 = 94.42% → 94.4%", "收集企业诉求215件，办结203件，办结率94.4%。"),
    ("R16", "fails", "203 / 215 = 94.42% ≠ 96.4%", "收集企业诉求215件，办结203件，办结率96.4%。"),
    ("R17", "holds", "82 / 84 = 97.62% → 97.6%", "调解矛盾纠纷84件，调解成功率97.6%。"),
    ("R17", "fails", "81 / 84 = 96.43%, 82 / 84 = 97.62% ≠ 97.1%", "调解矛盾纠纷84件，调解成功率97.1%。"),
    ("R17", "not_applicable", None, "调解矛盾纠纷23816件，调解成功率97.1%。"),  # some whole number always fits
    ("R17b", "holds", "897 / 912 = 98.36% → 98.4%", "受理矛盾纠纷912件，调解成功897件，调解成功率98.4%。"),
    ("R17b", "truncated", "897 / 912 = 98.36% → 98.3%", "受理矛盾纠纷912件，调解成功897件，调解成功率98.3%。"),
    ("R17b", "fails", "897 / 912 = 98.36% ≠ 96.4%", "受理矛盾纠纷912件，调解成功897件，调解成功率96.4%。"),
    ("R17b", "holds", "18416 / 18640 = 98.80% → 98.8%", "网格上报事件18640件，办结18416件，办结率98.8%。"),
    ("R17b", "holds", "2119 / 2140 = 99.0% → 99%", "全县应考人员2140人，实际参加考试2119人，参考率99%。"),
    ("R17b", "not_applicable", None, "矛盾纠纷调解成功率98.4%。"),
    ("R18", "holds", "15 ≤ 17", "行政执法机关移送涉嫌犯罪案件17件，公安机关立案15件。"),
    ("R18", "fails", "19 > 17", "行政执法机关移送涉嫌犯罪案件17件，公安机关立案19件。"),
    ("R19", "holds", "8600000 ≤ 12000000 + 34000000", f"{AUDIT}3400万元，追缴资金860万元。"),
    ("R19", "fails", "18600000 > 12000000 + 3400000", f"{AUDIT}340万元，追缴资金1860万元。"),
    ("R19b", "differs", "18600000 > 12000000", f"{AUDIT}3400万元，追缴资金1860万元。"),
    ("R20", "holds", "213 / 176 - 1 = 21.02% → 21.0%", "全年受理行政复议案件213件，上年为176件，同比增长21.0%。"),
    ("R20", "fails", "213 / 176 - 1 = 21.02% ≠ 25.6%", "全年受理行政复议案件213件，上年为176件，同比增长25.6%。"),
    ("R20", "not_applicable", None, "全年受理行政复议案件213件，同比增长21.0%。"),
    ("R20", "holds", "213 / 176 - 1 = 21.02% → 21.0%", "全年受理行政复议案件213件，比上年增加37件，增长21.0%。"),
    ("R20", "fails", "213 / 176 - 1 = 21.02% ≠ 31.0%", "全年受理行政复议案件213件，比上年增加37件，增长31.0%。"),
    ("R20", "holds", "357 / 420 - 1 = -15.0% → -15%", "信访总量由上年的420批次下降到357批次，下降15%。"),
    ("R22", "fails", "0 ≤ 103 ≤ 100 ✗", "行政机关负责人出庭应诉率103%。"),
    ("R22", "holds", "n = 1", "全乡调委会受理并调解矛盾纠纷64件。"),
    ("R23", "holds", "74 + 122 = 196", "办理人大代表建议和政协提案196件，其中人大代表建议74件，政协提案122件。"),
    ("R23", "fails", "74 + 121 = 195 ≠ 196", "办理人大代表建议和政协提案196件，其中人大代表建议74件，政协提案121件。"),
    ("R24", "holds", "1320 - 42 = 1278", "全县原有执法人员1320名，清理注销证件42名，现有执法人员1278名。"),
    ("R26", "holds", "9 ≤ 9", "制定行政规范性文件9件，其中报备9件。"),
    ("R26", "fails", "12 > 9", "制定行政规范性文件9件，其中报备12件。"),
    ("R27", "holds", "1968 = 1968", "共收到行政复议申请1968件。余略。全年共收到行政复议申请1968件。"),
    ("R27", "differs", "1968 ≠ 1986", "共收到行政复议申请1968件。余略。全年共收到行政复议申请1986件。"),
]  # fmt: skip


@lru_cache(maxsize=1)
def load() -> tuple[Catalogue, Rules]:
    catalogue = load_catalogue(RULES_PATH.parent)
    return catalogue, load_rules(catalogue.metrics)


def read(text: str) -> Parsed:
    return parse_report(f"云岭县2022年法治政府建设工作报告\n{text}", *load())


def found(text: str, rule: str) -> list[Check]:
    return [check for check in read(text).checks if check.rule == rule]


@pytest.mark.parametrize(("rule", "verdict", "formula", "text"), CASES)
def test_a_rule_on_a_sentence(rule: str, verdict: str, formula: str | None, text: str) -> None:
    checks = found(text, rule)
    if formula is None:
        assert {check.verdict for check in checks} == {"not_applicable"}
    else:
        assert (verdict, formula) in [(check.verdict, check.formula) for check in checks]


@pytest.mark.parametrize("text", sorted({text for _, verdict, _, text in CASES if verdict == "holds"}))
def test_a_sentence_in_order_raises_no_alarm(text: str) -> None:
    expected = {(rule, formula) for rule, verdict, formula, said in CASES if said == text and verdict != "holds"}
    alarms = {(c.rule, c.formula) for c in read(text).checks if c.verdict in ("fails", "differs", "truncated")}
    assert alarms <= expected


def test_every_rule_of_one_report_has_its_sentences() -> None:
    rules = {rule.id for rule in load()[1].rules if "document" in rule.reach}
    assert {rule for rule, verdict, _, _ in CASES if verdict == "holds"} >= rules - {"R19b"}
    assert {rule for rule, verdict, _, _ in CASES if verdict in ("fails", "differs")} >= rules - {"R12", "R24"}


def test_rounded_cut_off_and_closing_shares_are_told_apart() -> None:
    listed = "审结行政复议案件113件，其中维持64件，占{}%；撤销12件，占10.6%；终止37件，占32.7%。"
    exact, rounded, closing = (
        found("审结行政复议案件120件，其中维持60件，占50%；撤销12件，占10%。", "R05")[0],
        found(listed.format("56.6"), "R05")[0],
        found(listed.format("56.7"), "R05")[0],
    )
    cut = found("审结行政复议案件118件，其中维持67件，占56.7%；撤销12件，占10.2%。", "R05")[0]
    assert (exact.verdict, rounded.verdict, cut.verdict, closing.verdict) == ("holds", "holds", "truncated", "fails")
    assert "恰好相等" in exact.message_zh and "exactly" in exact.message_en
    assert "四舍五入后相符" in rounded.message_zh and "rounded" in rounded.message_en
    assert "截断" in cut.message_zh and "cut off" in cut.message_en
    assert "此项如按四舍五入写作56.6%则合计为99.9%，疑为凑整" in closing.message_zh
    assert "rounded to 56.6% this one would make them 99.9%" in closing.message_en
    wrong = found(listed.format("65.7"), "R05")[0]
    assert wrong.verdict == "fails" and "凑整" not in wrong.message_zh
    tolerated = found("审结行政复议案件118件，其中调解结案11件，撤回申请30件，调撤率34.9%。", "R08")[0]
    assert tolerated.verdict == "holds" and "误差以内" in tolerated.message_zh


def test_a_list_that_no_metric_reads_quotes_its_sentence_in_the_message() -> None:
    (check,) = found("受理仲裁申请96件，全部审结：裁决41件、调解38件、撤回14件。", "R14")
    assert (check.observations, check.n_checked, check.period) == ((), 4, None)
    assert check.message_zh.endswith("两边相差3。「96件，全部审结：裁决41件、调解38件、撤回14件」")


@pytest.mark.parametrize(
    "text",
    [
        "检查企业120家，立案40件，罚款80万元。",  # other measure words
        "开展培训12场次，参加人员8人，其中新任4人。",
        "配备人员30名，其中专职18名。",
        "受理96件，其中裁决41件、调解38件、撤回约17件。",  # an estimate proves nothing
        "共96件，其中裁决41件、调解38件、撤回14件，另有3件正在审理。",
    ],
)
def test_numbers_of_a_sentence_that_are_no_failed_list(text: str) -> None:
    assert {check.verdict for check in found(text, "R14")} <= {"not_applicable", "holds"}


def test_a_value_of_the_sentence_itself_counts_before_one_of_another() -> None:
    text = (
        "以县政府为被告的行政诉讼案件45件，负责人应出庭20件，出庭18件，出庭率90%。\n"
        "各部门行政诉讼案件131件，负责人应出庭117件，出庭110件，出庭率94.0%。"
    )
    assert [check.formula for check in found(text, "R09")] == ["18 / 20 = 90.0% → 90%", "110 / 117 = 94.02% → 94.0%"]


def test_rows_of_a_table_are_added_up_to_the_figure_above_it() -> None:
    table = (
        "全年行政机关负责人应出庭43件，实际出庭37件。\n单位 | 应出庭 | 已出庭 |\n甲山局 | 20 | 18 |\n"
        "乙水局 | 14 | 11 |\n丙林局 | {} | 8 |"
    )
    closed = [check.formula for check in found(table.format("9"), "R14")]
    assert closed == ["20 + 14 + 9 = 43", "18 + 11 + 8 = 37"]
    missed = {(check.verdict, check.formula) for check in found(table.format("10"), "R14")}
    assert ("fails", "20 + 14 + 10 = 44 ≠ 43") in missed


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("全年办理法律援助案件640件。其中刑事210件、民事430件。", "210 + 430 = 640"),
        ("热线受理诉求21346件，同比上升14.2%。按渠道分，电话17902件，网络3444件。", "17902 + 3444 = 21346"),
        ("收到公开申请133件，办结131件。办结的申请中，公开58件，部分公开21件，不予公开52件。", "58 + 21 + 52 = 131"),
        ("办理执法案件842件，其中处罚713件，罚没款618.7万元；不予处罚96件、减轻处罚33件。", "713 + 96 + 33 = 842"),
        ("类别\n数量（件）\n自然人\n121\n法人及其他组织\n12\n合计\n133\n", "121 + 12 = 133"),
        ("方式\n数量\n比例\n维持\n71\n67.6%\n撤销\n34\n32.4%\n合计\n105\n100%\n", "71 + 34 = 105"),
        ("单位 | 件数 |\n甲山局 | 70 |\n乙水局 | 65 |\n合计 | 135 |", "70 + 65 = 135"),
        ("抽取案卷240份。\n单位 | 份数 |\n甲山局 | 70 |\n乙水局 | 65 |\n丙林局 | 105 |", "70 + 65 + 105 = 240"),
    ],
)
def test_numbers_that_no_metric_need_read_add_up(text: str, formula: str) -> None:
    assert ("holds", formula) in [(check.verdict, check.formula) for check in found(text, "R14")]


@pytest.mark.parametrize(
    "text",
    [
        "审结15件。在审判过程中，以区政府为被告的9件，胜诉6件。",  # two numbers that happen to add up
        "办理法律援助案件640件。其中刑事210件、民事400件。",
        "单位 | 件数 |\n甲山局 | 70 |\n乙水局 | 65 |\n丙林局 | 104 |",
    ],
)
def test_numbers_that_prove_nothing(text: str) -> None:
    assert {check.verdict for check in found(text, "R14")} == {"not_applicable"}


def test_a_table_that_misses_its_own_sum_fails() -> None:
    table = "单位 | 件数 |\n甲山局 | 70 |\n乙水局 | 65 |\n丙林局 | 105 |\n合计 | 241 |"
    (check,) = found(table, "R14")
    assert (check.verdict, check.formula) == ("fails", "70 + 65 + 105 = 240 ≠ 241")
    stacked = "自然人\n121\n法人\n12\n其他\n3\n合计\n135\n"
    assert [check.formula for check in found(stacked, "R14")] == ["121 + 12 + 3 = 136 ≠ 135"]


def test_a_rate_may_agree_with_two_counts_before_it_and_never_disagrees() -> None:
    text = "进驻依申请政务服务事项1642项，其中1506项可网上办理，全程网办率{}%。"
    assert [check.formula for check in found(text.format("91.7"), "R17b")] == ["1506 / 1642 = 91.72% → 91.7%"]
    assert {check.verdict for check in found(text.format("95.7"), "R17b")} == {"not_applicable"}


def test_a_count_before_the_base_of_a_rate_is_no_part_of_it() -> None:
    text = "协调解决诉求302件；网格员上报事件5.6万件，办结率98.7%。"
    assert {check.verdict for check in found(text, "R17b")} == {"not_applicable"}
