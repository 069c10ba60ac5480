"""The arithmetic checks: each kind of formula on invented figures, and the rules file."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from extraction.arithmetic import count_decimals, find_integer_part, judge_rate
from extraction.catalogue import load_catalogue
from extraction.checks import check_document
from extraction.mentions import extract_mentions
from extraction.model import Check, Observation
from extraction.rules import RULES_PATH, RulesError, load_rules, parse_formula
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


def test_every_document_rule_answers_and_the_answer_is_stable() -> None:
    silent = check_document((), real_rules())
    assert {check.verdict for check in silent} == {"not_applicable"}
    assert [check.rule for check in silent] == [rule.id for rule in real_rules().rules if "document" in rule.reach]
    figures = (obs(RECEIVED, "918"), obs(ACCEPTED, "898"))
    assert check_document(figures, real_rules()) == check_document(figures, real_rules())


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


def test_a_total_that_is_itself_a_part_of_a_closed_list_refutes_nothing() -> None:
    """审结228件 … 维持109件、撤销65件、终止54件: whoever took 109 for the total misread it."""
    text = "审结228件，其中维持109件、撤销65件、终止54件。"
    numbers = {"109": CONCLUDED, "65": "reconsideration_revoked", "54": "reconsideration_terminated"}
    rows = [told(metric, text, number) for number, metric in numbers.items()]
    read = [check.verdict for check in check_document(rows, real_rules()) if check.rule == "R02"]
    assert read == ["fails"]
    checks = check_document(rows, real_rules(), extract_mentions(text), text)
    assert [(c.verdict, c.formula) for c in checks if c.rule == "R14"] == [("holds", "109 + 65 + 54 = 228")]
    assert [check.verdict for check in checks if check.rule == "R02"] == ["not_applicable"]


@pytest.mark.parametrize("text", ['r = "审结" / b', 'r = ? / "审结|办结"'])
def test_words_may_stand_for_a_count_in_a_rate(text: str) -> None:
    kind = "integer_feasible" if "?" in text else "ratio"
    formula = parse_formula(text, kind)
    assert any(term.words for term in (*formula.right, *formula.whole))


@pytest.mark.parametrize("text", ['a = "审结" + b', 'a = "审结|"', 'a = "" + b'])
def test_words_stand_nowhere_else(text: str) -> None:
    with pytest.raises(RulesError):
        parse_formula(text, "sum_equal")
