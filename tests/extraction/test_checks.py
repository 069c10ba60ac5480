"""The arithmetic checks: each kind of formula on invented figures, then on the corpus's hand-made observations."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from extraction.arithmetic import count_decimals, find_integer_part, judge_rate
from extraction.catalogue import load_catalogue
from extraction.checks import Statement, check_across, check_document
from extraction.model import Check, Observation
from extraction.rules import RULES_PATH, Rules, RulesError, load_rules, parse_formula


@dataclass(frozen=True)
class Facts:
    """What the checks need to know of a metric, without the whole catalogue."""

    unit: str
    kind: str
    measure: str
    plausible_low: Decimal = Decimal(0)
    plausible_high: Decimal = Decimal(10**10)


def guess_facts(code: str) -> Facts:
    if code.endswith(("_rate", "_share")):
        return Facts("percent", "rate", "rate", plausible_high=Decimal(100))
    return Facts("yuan", "amount", "flow") if code.endswith("_amount") else Facts("case", "count", "flow")


@lru_cache(maxsize=1)
def real_rules() -> Rules:
    """The declared rules over facts guessed from the codes; the real catalogue has a test of its own."""
    codes = set(re.findall(r"[a-z]+(?:_[a-z]+)+", RULES_PATH.read_text(encoding="utf-8")))
    return load_rules({code: guess_facts(code) for code in sorted(codes)})


def obs(metric: str, value: str | None, **fields: Any) -> Observation:
    number = None if value is None else Decimal(value)
    given: dict[str, Any] = {
        "start": 0, "end": 1, "text": value or "", "unit": "case", "unit_zh": "件", "period": "2021",
        "status": "actual", "qualifier": "exact", "quote": "", "quote_start": 0, **fields,
    }  # fmt: skip
    return Observation(metric=metric, value=number, **given)


def run(rule: str, *observations: Observation) -> list[Check]:
    """The findings of one rule."""
    checks = check_document(observations, real_rules())
    assert all((check.n_checked == 0) <= (check.verdict == "not_applicable") for check in checks)
    return [check for check in checks if check.rule == rule]


def only(rule: str, *observations: Observation) -> Check:
    (check,) = run(rule, *observations)
    return check


RECEIVED, ACCEPTED = "reconsideration_applications_received", "reconsideration_accepted"
NOT_ACCEPTED, OTHER = "reconsideration_not_accepted", "reconsideration_notified_other"
CONCLUDED, UPHELD = "reconsideration_concluded", "reconsideration_upheld"


# -- rounding ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "whole", "stated", "decimals", "verdict"),
    [
        (71, 86, "82.5", 1, "truncated"),
        (71, 86, "82.6", 1, "holds"),
        (528, 908, "58.2", 1, "fails"),
        (37, 43, "86.0", 1, "holds"),
        (1, 8, "12.5", 1, "holds"),
        (5, 80, "6.2", 1, "holds"),  # 6.25 either way
        (2, 3, "66", 0, "truncated"),
        (2, 3, "67", 0, "holds"),
    ],
)
def test_rounding_is_told_from_truncation(part: int, whole: int, stated: str, decimals: int, verdict: str) -> None:
    assert judge_rate(Decimal(part) * 100 / whole, Decimal(stated), decimals) == verdict


@pytest.mark.parametrize(("text", "decimals"), [("86.0%", 1), ("99.73%", 2), ("5%", 0), ("同比上升47.02%", 2)])
def test_counts_printed_decimals(text: str, decimals: int) -> None:
    assert count_decimals(text, Decimal("0.123")) == decimals


def test_falls_back_on_the_decimals_of_the_value() -> None:
    assert count_decimals(None, Decimal("86.0")) == 1
    assert count_decimals("", Decimal("86")) == 0


def test_no_whole_number_gives_an_impossible_rate() -> None:
    assert find_integer_part(Decimal("7.3"), Decimal(84), 1) == ("fails", [Decimal(6), Decimal(7)])
    assert find_integer_part(Decimal("97.8"), Decimal(134), 1) == ("holds", [Decimal(131)])


# -- sums and subsets -------------------------------------------------------------------------------


def test_a_sum_that_closes_holds_and_shows_its_figures() -> None:
    check = only("R01", obs(RECEIVED, "918"), obs(ACCEPTED, "898"), obs(NOT_ACCEPTED, "16"), obs(OTHER, "4"))
    assert (check.verdict, check.formula, check.n_checked) == ("holds", "898 + 16 + 4 = 918", 4)
    assert check.expected == check.actual == 918
    assert check.observations == (0, 1, 2, 3)
    assert "898 + 16 + 4 = 918" in check.message_zh
    assert "898 + 16 + 4 = 918" in check.message_en


def test_a_sum_that_does_not_close_fails() -> None:
    check = only("R01", obs(RECEIVED, "920"), obs(ACCEPTED, "898"), obs(NOT_ACCEPTED, "16"), obs(OTHER, "4"))
    assert (check.verdict, check.formula) == ("fails", "898 + 16 + 4 = 918 ≠ 920")


def test_a_missing_term_leaves_only_the_inequality() -> None:
    assert only("R01", obs(RECEIVED, "918"), obs(ACCEPTED, "898")).formula == "898 ≤ 918"
    check = only("R01", obs(RECEIVED, "900"), obs(ACCEPTED, "898"), obs(NOT_ACCEPTED, "16"))
    assert (check.verdict, check.formula) == ("fails", "898 + 16 = 914 > 900")
    assert only("R01", obs(ACCEPTED, "898"), obs(NOT_ACCEPTED, "16")).verdict == "not_applicable"


def test_an_unnamed_part_may_fill_an_open_sum() -> None:
    parts = [obs(CONCLUDED, "842"), obs(UPHELD, "571"), obs("reconsideration_terminated", "132")]
    assert only("R02", *parts).formula == "571 + 132 ≤ 842"
    assert only("R02", *parts, obs("reconsideration_rejected", "200")).verdict == "fails"


def test_withdrawn_counts_only_where_terminated_is_not_stated() -> None:
    withdrawn, upheld = obs("reconsideration_withdrawn", "5"), obs(UPHELD, "10")
    assert only("R02", obs(CONCLUDED, "15"), upheld, withdrawn).formula == "10 + 5 = 15"
    with_terminated = only("R02", obs(CONCLUDED, "17"), upheld, withdrawn, obs("reconsideration_terminated", "7"))
    assert with_terminated.formula == "10 + 7 = 17"


def test_a_balance_of_two_sums() -> None:
    figures = [
        obs("reconsideration_carried_over", "80"),
        obs(ACCEPTED, "898"),
        obs(CONCLUDED, "908"),
        obs("reconsideration_pending", "70"),
    ]
    assert only("R03", *figures).formula == "80 + 898 = 908 + 70"


def test_parallel_rows_may_confirm_a_sum_but_not_refute_it() -> None:
    rows = [
        obs("docs_cleanup_total", "260", dimension="政策文件"),
        obs("docs_cleanup_total", "122", dimension="规范性文件"),
    ]
    rest = [
        obs("docs_cleanup_repealed", "158"),
        obs("docs_cleanup_invalidated", "76"),
        obs("docs_cleanup_amended", "29"),
    ]
    assert only("R13", *rows, *rest, obs("docs_cleanup_retained", "119")).formula == "260 + 122 = 158 + 76 + 29 + 119"
    assert only("R13", *rows, *rest, obs("docs_cleanup_retained", "500")).verdict == "not_applicable"


@pytest.mark.parametrize(
    "change",
    [
        {"period": "2020"},
        {"status": "prior_period"},
        {"scope": "部门"},
        {"as_of": "2021-11"},
        {"qualifier": "approx"},
        {"is_derived": True},
    ],
)
def test_only_comparable_figures_meet(change: dict[str, Any]) -> None:
    received = obs(RECEIVED, "900", scope="区政府", as_of="2021-12")
    assert only("R04", received, obs(ACCEPTED, "950", scope="区政府")).verdict == "fails"
    other = obs(ACCEPTED, "950", **{"scope": "区政府", **change})
    assert only("R04", received, other).verdict == "not_applicable"


def test_a_figure_of_another_kind_refutes_nothing() -> None:
    whole = obs("docs_legality_reviewed", "30", dimension="党内文件")
    assert (
        only("R26", obs("normative_docs_legality_reviewed", "85", dimension="草案"), whole).verdict == "not_applicable"
    )


def test_a_subset_above_a_whole_with_an_unstated_term_is_not_refuted() -> None:
    simple, accepted = obs("reconsideration_simplified_procedure", "90"), obs(ACCEPTED, "80")
    assert only("R04", simple, accepted).verdict == "not_applicable"
    assert only("R04", simple, accepted, obs("reconsideration_carried_over", "5")).formula == "90 > 80 + 5"


def test_a_warning_differs() -> None:
    recovered, violation = obs("audit_recovered_amount", "9186000"), obs("audit_violation_amount", "8724000")
    assert only("R19b", recovered, violation).verdict == "differs"
    assert only("R19", recovered, violation).verdict == "not_applicable"
    assert only("R19", recovered, violation, obs("audit_nonstandard_amount", "136000000")).verdict == "holds"


def test_a_stock_before_and_after() -> None:
    figures = [
        obs("enforcement_personnel", "4352", dimension="清理前"),
        obs("enforcement_personnel", "4291", dimension="清理后"),
    ]
    assert only("R24", *figures, obs("enforcement_certs_cancelled", "61")).formula == "4352 - 61 = 4291"
    assert only("R24", *figures, obs("enforcement_certs_cancelled", "60")).verdict == "not_applicable"


def breakdown(total: str, *parts: str) -> Check:
    rows = [obs("mediation_committees", part, dimension=f"第{n}类", breakdown_of=0) for n, part in enumerate(parts)]
    return only("R14", obs("mediation_committees", total), *rows)


def test_breakdowns() -> None:
    assert breakdown("85", "58", "7", "20").formula == "58 + 7 + 20 = 85"
    assert (breakdown("312", "271", "18", "14", "8").verdict, breakdown("43", "16", "11", "9", "8").verdict) == (
        "fails",
    ) * 2
    assert breakdown("1436", "92").formula == "92 ≤ 1436"
    assert breakdown("412", "141", "33").formula == "141 + 33 ≤ 412"  # a selection, not a list
    assert breakdown("100", "70", "80").verdict == "differs"  # overlapping groups, more likely than an error


# -- rates ------------------------------------------------------------------------------------------


def share(metric: str, value: str, percent: str) -> Observation:
    return obs(metric, value, share_percent=Decimal(percent), share_of=CONCLUDED)


def test_shares_are_recomputed_and_a_forced_one_is_noted() -> None:
    figures = [
        obs(CONCLUDED, "908"), share(UPHELD, "528", "58.2"), share("reconsideration_terminated", "319", "35.1"),
        share("reconsideration_rejected", "12", "1.3"),
        obs("reconsideration_direct_correction_rate", "5.4", unit="percent"),
    ]  # fmt: skip
    upheld, terminated, rejected = run("R05", *figures)
    assert (upheld.verdict, terminated.verdict, rejected.verdict) == ("fails", "holds", "holds")
    assert "凑整" in upheld.message_zh
    assert "close" in upheld.message_en
    assert "凑整" not in run("R05", *figures[:3])[0].message_zh


def test_a_truncated_rate_is_not_called_wrong() -> None:
    rate = obs("head_appearance_rate", "82.5", text="82.5%", unit="percent")
    check = only("R09", obs("head_appearance_required", "86"), obs("head_appearances", "71"), rate)
    assert (check.verdict, check.formula, check.tolerance) == ("truncated", "71 / 86 = 82.56% → 82.5%", Decimal("0.05"))


def test_an_unstated_numerator_explains_a_higher_rate_only() -> None:
    base = [obs(CONCLUDED, "100"), obs("reconsideration_revoked", "5"), obs("reconsideration_modified", "5")]
    assert only("R07", *base, obs("reconsideration_direct_correction_rate", "10.0", text="10.0%")).verdict == "holds"
    assert (
        only("R07", *base, obs("reconsideration_direct_correction_rate", "12.0", text="12.0%")).verdict
        == "not_applicable"
    )
    assert only("R07", *base, obs("reconsideration_direct_correction_rate", "8.0", text="8.0%")).verdict == "fails"


def test_one_of_several_readings_of_a_rate_is_enough() -> None:
    figures = [obs("litigation_won", "38"), obs("litigation_lost", "2"), obs("litigation_withdrawn", "9")]
    check = only("R12", *figures, obs("litigation_loss_rate", "5", text="5%", unit="percent"))
    assert check.formula == "2 / (38 + 2) = 5.0% → 5%"
    assert (
        only("R12", *figures, obs("litigation_loss_rate", "9", text="9%", unit="percent")).verdict == "not_applicable"
    )


def test_a_rate_that_no_integer_gives() -> None:
    rate = obs("mediation_success_rate", "97.8", text="97.8%", unit="percent")
    assert (
        only("R17", rate, obs("disputes_mediated", "134"), obs("disputes_mediated", "131", dimension="成功")).verdict
        == "holds"
    )
    assert only("R17", rate, obs("disputes_mediated", "20")).formula == "19 / 20 = 95.00%, 20 / 20 = 100.00% ≠ 97.8%"
    assert only("R17", rate, obs("disputes_mediated", "48216")).verdict == "not_applicable"  # some integer always fits


# -- time -------------------------------------------------------------------------------------------


def test_year_on_year_in_one_report() -> None:
    prior = obs(ACCEPTED, "176", period="2020", status="prior_period")
    assert only("R20", obs(ACCEPTED, "213", yoy_percent=Decimal("21.0")), prior).verdict == "holds"
    wrong = only("R20", obs(ACCEPTED, "213", yoy_percent=Decimal("25.6")), prior)
    assert (wrong.verdict, wrong.formula) == ("fails", "213 / 176 - 1 = 21.02% ≠ 25.6%")
    falling = obs(ACCEPTED, "132", yoy_percent=Decimal("-25"), yoy_change=Decimal("-40"))
    assert [check.verdict for check in run("R20", falling, prior)] == ["holds", "fails"]


def test_percent_and_change_check_each_other() -> None:
    check = only("R20", obs(ACCEPTED, "898", yoy_percent=Decimal("35.9"), yoy_change=Decimal(237)))
    assert check.formula == "898 / 661 - 1 = 35.85% → 35.9%"


def test_values_out_of_range() -> None:
    impossible = obs("head_appearance_rate", "120", unit="percent")
    assert [check.verdict for check in run("R22", impossible, obs(ACCEPTED, "12"))] == ["fails", "holds"]
    assert run("R22", obs(ACCEPTED, "12.5"))[0].verdict == "fails"
    assert run("R22", obs(ACCEPTED, "99999999999"))[0].verdict == "differs"
    unusual = run("R22", obs(ACCEPTED, "99999999999"))[0]
    assert "超出一个县（区）一年的通常范围" in unusual.message_zh
    assert "usual range of one county and year" in unusual.message_en


def told(metric: str, sentence: str, number: str, **fields: Any) -> Observation:
    """An observation of `number` in a sentence that stands at `at` of its report."""
    at = fields.pop("at", 0)
    start = at + sentence.index(number)
    unit = fields.pop("unit_zh", "件")
    return obs(
        metric,
        number,
        start=start,
        end=start + len(number + unit),
        unit_zh=unit,
        quote=sentence,
        quote_start=at,
        **fields,
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
    sentence = "对260件政策文件和122件规范性文件进行清理，废止158件、失效76件、修改29件、保留119件。"
    parts = [("repealed", "158"), ("invalidated", "76"), ("amended", "29"), ("retained", "119")]
    rest = [told(f"docs_cleanup_{name}", sentence, value) for name, value in parts]
    second = told("docs_cleanup_total", sentence, "122")
    assert only("R13", second, *rest).formula == "260 + 122 = 158 + 76 + 29 + 119"
    assert only("R13", told("docs_cleanup_total", sentence, "260"), second, *rest).n_checked == 6
    other = sentence.replace("260", "261")
    moved = [told(f"docs_cleanup_{name}", other, value) for name, value in parts]
    assert only("R13", told("docs_cleanup_total", other, "122"), *moved).verdict == "fails"


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


def test_messages_are_whole_sentences_in_their_own_punctuation() -> None:
    figures = [obs(RECEIVED, "920"), obs(ACCEPTED, "898"), obs(NOT_ACCEPTED, "16"), obs(OTHER, "4")]
    quarter = [replace(o, period="2021-07/2021-09") for o in figures]
    check = only("R01", *quarter)
    head = f"{real_rules().rules[0].name_zh}（2021年7月至9月）："
    assert check.message_zh == f"{head}{check.formula}，两边相差2。"
    assert check.message_en.endswith("(2021-07 to 2021-09): 898 + 16 + 4 = 918 ≠ 920; the two sides are 2 apart.")
    for one in check_document(quarter, real_rules()):
        assert not set(one.message_zh.replace(one.formula, "")) & set(",;:()")


def test_every_document_rule_answers_and_the_answer_is_stable() -> None:
    silent = check_document((), real_rules())
    assert {check.verdict for check in silent} == {"not_applicable"}
    assert [check.rule for check in silent] == [rule.id for rule in real_rules().rules if "document" in rule.reach]
    figures = (obs(RECEIVED, "918"), obs(ACCEPTED, "898"))
    assert check_document(figures, real_rules()) == check_document(figures, real_rules())


# -- across reports -----------------------------------------------------------------------------------


def said(year: int, observation: Observation, region: str = "640001", published: str = "") -> Statement:
    return Statement(f"{region}-{year}{published}", published or f"{year + 1}-01-15", year, region, observation)


def across(*statements: Statement) -> list[tuple[str, str, tuple[int, ...]]]:
    return [(check.rule, check.verdict, check.observations) for check in check_across(statements, real_rules())]


def test_a_restated_prior_year() -> None:
    then, prior = obs(ACCEPTED, "176", period="2020"), obs(ACCEPTED, "176", period="2020", status="prior_period")
    assert across(said(2020, then), said(2021, prior)) == [("R21", "holds", (1, 0))]
    other = obs(ACCEPTED, "180", period="2020", status="prior_period")
    assert across(said(2020, then), said(2021, other)) == [("R21", "differs", (1, 0))]
    part_year = obs(ACCEPTED, "176", period="2020", as_of="2020-11-30")
    assert across(said(2020, part_year), said(2021, other)) == [("R21", "not_applicable", (1, 0))]


def test_another_region_scope_or_kind_is_not_compared() -> None:
    prior = said(2021, obs(ACCEPTED, "180", period="2020", status="prior_period", scope="区政府", dimension="公安"))
    assert across(said(2020, obs(ACCEPTED, "176", period="2020", dimension="公安"), region="640002"), prior) == []
    assert across(said(2020, obs(ACCEPTED, "176", period="2020", scope="部门", dimension="公安")), prior) == []
    assert across(said(2020, obs(ACCEPTED, "176", period="2020", scope="区政府")), prior) == []


def test_the_later_report_on_a_year_speaks() -> None:
    early = said(2020, obs(ACCEPTED, "170", period="2020"), published="2021-01-02")
    late = said(2020, obs(ACCEPTED, "176", period="2020"), published="2021-03-02")
    prior = said(2021, obs(ACCEPTED, "176", period="2020", status="prior_period"))
    assert across(early, late, prior) == [("R21", "holds", (2, 1))]


def test_year_on_year_and_magnitude_across_reports() -> None:
    then = said(2020, obs(ACCEPTED, "661", period="2020"))
    now = said(2021, obs(ACCEPTED, "898", yoy_percent=Decimal("35.9"), yoy_change=Decimal("240")))
    assert across(then, now) == [("R20", "holds", (1, 0)), ("R20", "differs", (1, 0)), ("R28", "holds", (1, 0))]
    assert across(then, said(2021, obs(ACCEPTED, "50"))) == [("R28", "differs", (1, 0))]


@pytest.mark.parametrize(
    "change",
    [
        {"value": "5"},  # too small to mean anything
        {"unit_zh": "件次"},
        {"scope": "区政府"},
        {"as_of": "2021-11"},
    ],
)
def test_a_jump_is_told_only_of_comparable_figures(change: dict[str, Any]) -> None:
    then = said(2020, obs(ACCEPTED, "661", period="2020"))
    fields = {"value": "50", **change}
    assert across(then, said(2021, obs(ACCEPTED, **fields))) == []
    second = said(2021, obs(ACCEPTED, "700"))  # two values of one year: nobody knows which is meant
    assert across(then, said(2021, obs(ACCEPTED, "50")), second) == []


def test_a_report_out_before_the_year_ended_covers_part_of_it() -> None:
    early = said(2020, obs(ACCEPTED, "176", period="2020"), published="2020-12-20T10:00:00+08:00")
    later = said(2021, obs(ACCEPTED, "180", period="2020", status="prior_period"))
    (check,) = check_across([early, later], real_rules())
    assert check.verdict == "not_applicable"
    assert "2021年报告称2020年为180件，2020年报告为176件，统计截止于年内" in check.message_zh
    assert "explains the difference" in check.message_en


def test_messages_across_name_both_reports() -> None:
    then = said(2020, obs(ACCEPTED, "661", period="2020"))
    prior = said(2021, obs(ACCEPTED, "650", period="2020", status="prior_period"))
    now = said(2021, obs(ACCEPTED, "99", yoy_change=Decimal("240")))
    restated, jump = check_across([then, prior, now], real_rules())
    assert restated.message_zh.endswith("（2020年）：650 ≠ 661，2021年报告称2020年为650件，2020年报告为661件。")
    assert restated.message_en.endswith("650 ≠ 661; the 2021 report puts 2020 at 650, the 2020 report says 661.")
    assert (jump.rule, jump.verdict) == ("R28", "differs")  # the change was told by R21: one cause, one finding
    assert "2021年报告为99件，2020年报告为661件" in jump.message_zh


# -- the rules file -----------------------------------------------------------------------------------


def test_all_rules_of_the_catalogue_are_carried() -> None:
    rules = real_rules()
    ids = {rule.id for rule in rules.rules} | set(rules.deferred)
    assert {f"R{n:02}" for n in range(1, 29)} <= ids


def test_the_rules_fit_the_catalogue() -> None:
    rules = load_rules(load_catalogue(RULES_PATH.parent).metrics)
    assert len(rules.rules) == len(real_rules().rules)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("open: true", "opened: true", "R02"),
        ("reconsideration_pending", "reconsideration_pendng", "reconsideration_pendng"),
        ("type: breakdown", "type: brakedown", "brakedown"),
        ("id: R03", "id: R01", "R01 is declared twice"),
        ("head_appearance_rate = head_appearances / head", "head_appearance_rate = head_appearances * head", "R09"),
        ("on_fail: differs", "on_fail: perhaps", "perhaps"),
        ("deferred:", "postponed:", "deferred"),
        ("rules:", "rules: [", "cannot be read"),
    ],
)
def test_a_broken_rules_file_is_one_clear_line(tmp_path: Path, old: str, new: str, named: str) -> None:
    path = tmp_path / "rules.yml"
    text = RULES_PATH.read_text(encoding="utf-8")
    assert old in text
    path.write_text(
        text.replace(f"\n{old}", f"\n{new}", 1) if old == "rules:" else text.replace(old, new, 1), encoding="utf-8"
    )
    with pytest.raises(RulesError) as caught:
        load_rules(real_rules().metrics, path)
    message = str(caught.value)
    assert str(path) in message
    assert named in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a + b", "sum_equal"),
        ("a = b = c", "sum_equal"),
        ("a = b", "ratio"),
        ("r = a / b", "integer_feasible"),
        ("a - b = c", "stock_change"),
        ("a = b c", "sum_equal"),
    ],
)
def test_refuses_a_formula_that_is_none(text: str, kind: str) -> None:
    with pytest.raises(RulesError):
        parse_formula(text, kind)


# -- the corpus ---------------------------------------------------------------------------------------


def load_gold(folder: Path) -> dict[str, tuple[Observation, ...]]:
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in (folder / "gold.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        rows[row["doc"]].append(row)
    texts = folder / "texts" if (folder / "texts").is_dir() else folder.parent / "reports"
    observations: dict[str, tuple[Observation, ...]] = {}
    for doc, of_doc in rows.items():
        with (texts / f"{doc}.txt").open(encoding="utf-8", newline="") as file:
            text = file.read()
        observations[doc] = tuple(to_observation(row, of_doc, text) for row in of_doc)
    return observations


def to_observation(row: dict[str, Any], rows: Sequence[dict[str, Any]], report: str) -> Observation:
    first = max(report.rfind(mark, 0, row["start"]) for mark in "。\n") + 1
    last = min((at for mark in "。\n" if (at := report.find(mark, row["end"])) >= 0), default=len(report))

    def total(other: dict[str, Any]) -> bool:
        return bool(
            other["metric"] == row["metric"] and other["value"] == row["breakdown_of"] and "breakdown_of" not in other
        )

    def decimal(key: str) -> Decimal | None:
        return None if row.get(key) is None else Decimal(str(row[key]))

    whole = next((i for i, other in enumerate(rows) if total(other)), None) if "breakdown_of" in row else None
    return obs(
        row["metric"], None if row["value"] is None else str(row["value"]), text=row["value_text"], unit=row["unit"],
        period=row["period"], status=row["status"], qualifier=row["qualifier"], as_of=row.get("as_of"),
        start=row["start"], end=row["end"], quote=report[first:last], quote_start=first,
        scope=row.get("scope"), dimension=row.get("dimension"), breakdown_of=whole, share_of=row.get("share_of"),
        share_percent=decimal("share_percent"), yoy_percent=decimal("yoy_percent"), yoy_text=row.get("yoy_text"),
        yoy_change=decimal("yoy_change"),
    )  # fmt: skip


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("doc", "verdict", "formula"),
    [
        ("tongxin-2020", "holds", "260 + 122 = 158 + 76 + 29 + 119"),
        ("qianjiang-2022", "truncated", "71 / 86 = 82.56% → 82.5%"),
        ("nanhai-2018", "holds", "898 + 16 + 4 = 918"),
        ("nanhai-2018", "holds", "80 + 898 = 908 + 70"),
        ("nanhai-2018", "holds", "528 + 31 + 16 + 1 + 1 + 319 + 12 = 908"),
        ("nanhai-2018", "fails", "528 / 908 = 58.15% ≠ 58.2%"),
        ("nanhai-2018", "holds", "(31 + 16 + 1 + 1 + 319) / 908 = 40.53% → 40.5%"),
        ("nanhai-2016", "holds", "4352 - 61 = 4291"),
        ("h002", "fails", "213 / 176 - 1 = 21.02% ≠ 25.6%"),
        ("h002", "holds", "48216 / 42897 - 1 = 12.40% → 12.4%"),
        ("h005", "differs", "9186000 > 8724000"),
        ("h008", "holds", "2 / (38 + 2) = 5.0% → 5%"),
        ("h011", "holds", "297 + 1604 + 143 + 88 + 61 + 293 = 2486"),
        ("h014", "truncated", "3 / 159 = 1.89% → 1.8%"),
        ("h014", "holds", "118 + 9 + 3 + 29 = 159"),
        ("h018", "holds", "2116 / 2398 - 1 = -11.76% → -11.8%"),
        ("h034", "holds", "96 / 128 - 1 = -25.0% → -25%"),
        ("h040", "holds", "1012 + 87 + 141 = 1240"),
        ("h040", "fails", "1012 / 1240 = 81.61% ≠ 82.6%"),
        ("h040", "fails", "(31 + 4 + 12 + 9) / 842 = 6.65% ≠ 5.6%"),
        ("h043", "holds", "91 / 365 = 24.93% → 24.9%"),
        ("h046", "holds", "112 / 128 = 87.50% → 87.5%"),
        ("h046", "fails", "16 + 11 + 9 + 5 + 3 = 44 ≠ 43"),
        ("h053", "fails", "271 + 18 + 14 + 8 = 311 ≠ 312"),
        ("h059", "fails", "3180 / 3561 - 1 = -10.70% ≠ -12.4%"),
        ("h062", "holds", "156 + 2087 = 2243"),
    ],
)
def test_known_findings(corpus: Path, doc: str, verdict: str, formula: str) -> None:
    gold = load_gold(corpus / ("passages" if doc[0] == "h" and doc[1:].isdigit() else "gold"))
    found = {check.formula: check.verdict for check in check_document(gold[doc], real_rules())}
    assert found.get(formula) == verdict


@pytest.mark.corpus
def test_correct_figures_raise_no_false_alarm(corpus: Path) -> None:
    """Of all figures annotated by hand, only the known errors fail."""
    alarms: dict[str, set[str]] = defaultdict(set)
    for folder in ("gold", "passages"):
        for doc, observations in load_gold(corpus / folder).items():
            for check in check_document(observations, real_rules()):
                if check.verdict == "fails":
                    alarms[doc].add(check.rule)
    assert alarms == {
        "nanhai-2018": {"R05"},
        "h002": {"R20"},
        "h040": {"R05", "R07"},
        "h046": {"R14"},
        "h053": {"R14"},
        "h059": {"R20"},
    }
