"""What the sentence around a figure must prove before a contradiction is alleged, and how a finding is told."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from extraction.checks import check_document
from extraction.checks_evidence import find_worded
from extraction.model import Observation
from tests.extraction.builders import (
    ACCEPTED,
    CONCLUDED,
    NOT_ACCEPTED,
    OTHER,
    RECEIVED,
    UPHELD,
    obs,
    only,
    real_rules,
    run,
    told,
)

ONE = "全年共收到行政复议申请1968件。"


def test_one_figure_stated_twice_may_agree() -> None:
    again = "收到的行政复议申请1968件已全部登记。"
    check = only("R27", told(RECEIVED, ONE, "1968"), told(RECEIVED, again, "1968", at=500))
    assert (check.verdict, check.formula) == ("holds", "1968 = 1968")


@pytest.mark.parametrize("other", ["1986", "1948", "7968"])
def test_a_slip_in_the_same_words_differs(other: str) -> None:
    second = told(RECEIVED, f"收到行政复议申请{other}件。", other, at=500)
    check = only("R27", told(RECEIVED, ONE, "1968"), second)
    assert (check.verdict, check.formula, check.observations) == ("differs", f"1968 ≠ {other}", (0, 1))


@pytest.mark.parametrize(
    ("sentence", "number", "fields"),
    [
        ("收到行政复议申请211件。", "211", {}),  # no slip makes 211 of 1968
        ("收到行政复议申请19680件。", "19680", {}),
        ("乡镇收到行政复议申请1986件。", "1986", {}),  # other words
        ("收到1986件。", "1986", {}),  # too few words
        ("收到行政复议申请1986份。", "1986", {"unit_zh": "份"}),
        ("收到行政复议申请1986件。", "1986", {"at": 0}),  # one sentence does not restate itself
    ],
)
def test_other_words_or_values_prove_nothing(sentence: str, number: str, fields: dict[str, Any]) -> None:
    check = only("R27", told(RECEIVED, ONE, "1968"), told(RECEIVED, sentence, number, **{"at": 500, **fields}))
    assert (check.verdict, check.n_checked, check.formula) == ("not_applicable", 2, "n = 2")
    assert "没有证据表明说的是同一件事" in check.message_zh


def test_a_stated_scope_proves_one_subject() -> None:
    first = told(RECEIVED, ONE, "1968", scope="区政府")
    second = told(RECEIVED, "收到行政复议申请211件。", "211", at=500, scope="区政府")
    assert only("R27", first, second).formula == "1968 ≠ 211"


def listed(rest: str = "。", rejected: str = "12") -> list[Observation]:
    total = told(CONCLUDED, "共审结125件。", "125")
    sentence = f"其中维持71件、撤销19件、终止22件、驳回{rejected}件{rest}"
    parts = [(UPHELD, "71"), ("reconsideration_revoked", "19"), ("reconsideration_terminated", "22")]
    row = [told(metric, sentence, value, at=20) for metric, value in parts]
    return [total, *row, told("reconsideration_rejected", sentence, rejected, at=20)]


def test_a_list_that_all_but_fills_its_total_fails() -> None:
    check = only("R02", *listed())
    assert (check.verdict, check.formula) == ("fails", "71 + 19 + 22 + 12 = 124 ≠ 125")
    assert check.observations[0] == 0  # the total's sentence is quoted
    assert check.message_zh.endswith("两边相差1。")
    assert only("R02", *listed(rejected="13")).verdict == "holds"
    assert only("R02", *listed(rejected="5")).formula == "71 + 19 + 22 + 5 ≤ 125"  # too far off: a selection
    assert only("R02", *listed("等。")).formula == "71 + 19 + 22 + 12 ≤ 125"
    assert only("R02", *listed("，其余正在履行。")).verdict == "holds"


def test_a_number_that_no_metric_read_may_complete_a_sum() -> None:
    sentence = "对310件政府文件和144件部门文件作了清理，其中废止171件、宣布失效92件、修改38件、继续有效153件。"
    parts = [("repealed", "171"), ("invalidated", "92"), ("amended", "38"), ("retained", "153")]
    rest = [told(f"docs_cleanup_{name}", sentence, value) for name, value in parts]
    second = told("docs_cleanup_total", sentence, "144")
    assert only("R13", second, *rest).formula == "310 + 144 = 171 + 92 + 38 + 153"
    assert only("R13", told("docs_cleanup_total", sentence, "310"), second, *rest).n_checked == 6
    other = sentence.replace("310", "311")
    moved = [told(f"docs_cleanup_{name}", other, value) for name, value in parts]
    assert only("R13", told("docs_cleanup_total", other, "144"), *moved).verdict == "fails"


def test_figures_of_two_passages_refute_nothing() -> None:
    received, accepted = obs(RECEIVED, "900", start=10, end=14), obs(ACCEPTED, "950", start=90, end=94)
    assert only("R01", received, accepted).verdict == "fails"
    assert only("R01", received, obs(ACCEPTED, "950", start=2000, end=2004)).verdict == "not_applicable"


def test_a_subset_fails_only_where_its_sentence_states_the_whole_first() -> None:
    whole_first = "审查各类文件30件，其中规范性文件85件。"
    part_first = "审查规范性文件草案85件，审查党内文件30件。"
    for sentence, verdict in ((whole_first, "fails"), (part_first, "not_applicable")):
        figures = (
            told("normative_docs_legality_reviewed", sentence, "85"),
            told("docs_legality_reviewed", sentence, "30"),
        )
        assert only("R26", *figures).verdict == verdict


def test_a_rate_is_tested_on_the_base_of_its_own_sentence() -> None:
    rate = {"text": "97.8%", "unit": "percent", "unit_zh": "%"}
    base = told("disputes_mediated", "调解纠纷131件，成功率97.8%。", "131")
    same = told("mediation_success_rate", "调解纠纷131件，成功率97.8%。", "97.8", **rate)
    assert only("R17", base, same).verdict == "fails"
    elsewhere = told("mediation_success_rate", "乡镇调解成功率97.8%。", "97.8", at=100, **rate)
    assert only("R17", base, elsewhere).verdict == "not_applicable"
    sentence = "排查134起、化解131起，成功率97.8%。"  # 131 / 134 is the rate, though nothing read the 134
    solved = told("disputes_mediated", sentence, "131", unit_zh="起")
    assert only("R17", solved, told("mediation_success_rate", sentence, "97.8", **rate)).verdict == "not_applicable"


def test_a_joint_share_belongs_to_all_figures_listed_before_it() -> None:
    sentence = "办结908件，维持528件，占58.1%；撤销31件，变更16件，合计占比5.2%。"
    joint = {"share_percent": Decimal("5.2"), "share_of": CONCLUDED}
    upheld = told(UPHELD, sentence, "528", share_percent=Decimal("58.1"), share_of=CONCLUDED)
    rows = [told(CONCLUDED, sentence, "908"), upheld, told("reconsideration_revoked", sentence, "31")]
    checks = run("R05", *rows, told("reconsideration_modified", sentence, "16", **joint))
    assert [check.formula for check in checks] == ["528 / 908 = 58.15% → 58.1%", "(31 + 16) / 908 = 5.18% → 5.2%"]
    wrong = {**joint, "share_percent": Decimal("9.2")}
    assert run("R05", *rows, told("reconsideration_modified", sentence, "16", **wrong))[1].verdict == "fails"


def test_a_change_of_another_thing_refutes_nothing() -> None:
    prior = obs(ACCEPTED, "58", period="2020", status="prior_period")
    change = {"yoy_percent": Decimal(40), "yoy_text": "40%"}
    own = told(ACCEPTED, "受理案件141件，比上年的58件增长40%。", "141", **change)
    other = told(ACCEPTED, "受理案件141件，行政赔偿案件同比增长40%。", "141", **change)
    assert only("R20", own, prior).verdict == "fails"
    assert only("R20", other, prior).verdict == "not_applicable"


def test_an_earlier_figure_of_another_sentence_refutes_nothing() -> None:
    change = {"yoy_percent": Decimal(40), "yoy_text": "40%"}
    now = told(ACCEPTED, "受理案件141件，同比增长40%。", "141", **change)
    prior = {"period": "2020", "status": "prior_period"}
    elsewhere = told(ACCEPTED, "交通类案件上年为58件。", "58", at=80, **prior)
    assert only("R20", now, elsewhere).verdict == "not_applicable"
    right = told(ACCEPTED, "受理案件上年为101件。", "101", at=80, **prior)
    assert only("R20", now, right).formula == "141 / 101 - 1 = 39.6% → 40%"


def test_a_selection_of_parts_is_no_failed_list() -> None:
    for rest, verdict in (("。", "fails"), ("等。", "holds")):
        sentence = f"共有调委会312个，包括村居271个、乡镇18个、企业14个、行业8个{rest}"
        kind = {"unit_zh": "个", "breakdown_of": 0}
        parts = [told("mediation_committees", sentence, n, **kind) for n in ("271", "18", "14", "8")]
        assert only("R14", told("mediation_committees", sentence, "312", unit_zh="个"), *parts).verdict == verdict


def test_parts_far_above_their_total_may_overlap() -> None:
    parts = [obs("mediation_committees", part, breakdown_of=0) for part in ("70", "80")]
    check = only("R14", obs("mediation_committees", "100"), *parts)
    assert check.verdict == "differs"
    assert check.message_zh.endswith("两边相差50，各项之间可能有重叠。")
    assert check.message_en.endswith("50 apart, so the parts may overlap.")


def test_messages_are_whole_sentences_in_their_own_punctuation() -> None:
    figures = [obs(RECEIVED, "920"), obs(ACCEPTED, "898"), obs(NOT_ACCEPTED, "16"), obs(OTHER, "4")]
    quarter = [replace(o, period="2021-07/2021-09") for o in figures]
    check = only("R01", *quarter)
    head = f"{real_rules().rules[0].name_zh}（2021年7月至9月）："
    assert check.message_zh == f"{head}{check.formula}，两边相差2。"
    assert check.message_en.endswith("(2021-07 to 2021-09): 898 + 16 + 4 = 918 ≠ 920; the two sides are 2 apart.")
    for one in check_document(quarter, real_rules()):
        assert not set(one.message_zh.replace(one.formula, "")) & set(",;:()")


def test_numbers_before_a_figure_end_where_it_begins() -> None:
    """A figure that lost the 年 before it begins inside a run of digits: what stands before is a number of its own."""
    quote = "排查纠纷86件，成功调解2019214件。"
    figure = obs("disputes_mediated", "214", quote=quote, quote_start=30, start=30 + quote.index("214件"))
    assert find_worded(figure, ("调解",)) == [(30 + quote.index("2019"), Decimal(2019))]
    assert find_worded(figure, ("",)) == [
        (30 + quote.index("2019"), Decimal(2019)),
        (30 + quote.index("86"), Decimal(86)),
    ]
    assert find_worded(figure, ("受理",)) == []
