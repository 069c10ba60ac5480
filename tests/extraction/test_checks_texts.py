"""The checks on what extraction reads: the errors planted in the sandbox's texts, and nothing else.

Every expected finding was judged by reading its sentences. A finding that appears here without being expected is
noise until somebody has read it; one that disappears means that a figure is no longer read, or read otherwise.
"""

from __future__ import annotations

import gc
from functools import lru_cache
from pathlib import Path

import pytest

from extraction.catalogue import Catalogue, load_catalogue
from extraction.checks import Statement, check_across
from extraction.model import Check, Parsed
from extraction.parse import parse_report
from extraction.rules import RULES_PATH, Rules, load_rules
from extraction.terms import Table

ROOT = Path(__file__).resolve().parents[2]
TEXTS = ROOT / "sandbox" / "texts"
SANDBOX = sorted(path.stem for path in TEXTS.glob("*-20*.txt"))
ALARMS = ("fails", "differs", "truncated")

Finding = tuple[str, str, str]


@lru_cache(maxsize=1)
def load() -> tuple[Catalogue, Rules]:
    catalogue = load_catalogue(RULES_PATH.parent)
    return catalogue, load_rules(catalogue.metrics)


@lru_cache(maxsize=64)
def parse(path: Path) -> Parsed:
    with path.open(encoding="utf-8", newline="") as file:
        return parse_report(file.read(), *load())


def alarms(parsed: Parsed) -> set[Finding]:
    return {(check.rule, check.verdict, check.formula) for check in parsed.checks if check.verdict in ALARMS}


def explain(parsed: Parsed, expected: set[Finding]) -> str:
    """What is new, with the sentences that it rests on, and what is gone."""
    lines = [f"gone: {finding}" for finding in sorted(expected - alarms(parsed))]
    for check in parsed.checks:
        if check.verdict in ALARMS and (check.rule, check.verdict, check.formula) not in expected:
            lines.append(f"new: {check.rule} {check.verdict} {check.formula}")
            lines.extend(
                f"    {parsed.observations[i].metric}: {parsed.observations[i].quote}" for i in check.observations
            )
    return "\n".join(lines)


def find(parsed: Parsed, formula: str) -> Check | None:
    return next((check for check in parsed.checks if check.formula == formula), None)


# -- the sandbox --------------------------------------------------------------------------------------

PLANTED: dict[str, set[Finding]] = {
    "lanhe-2024": {("R02", "fails", "71 + 10 + 5 + 4 + 22 + 12 = 124 ≠ 125")},
    "qiluan-2024": {("R05", "fails", "74 / 142 = 52.11% ≠ 53.6%"), ("R23", "fails", "74 + 121 = 195 ≠ 196")},
    "jichuan-2024": {("R09", "truncated", "53 / 58 = 91.38% → 91.3%")},
}


@pytest.mark.parametrize("doc", SANDBOX)
def test_the_sandbox_alarms_are_exactly_the_planted_errors(doc: str) -> None:
    parsed = parse(TEXTS / f"{doc}.txt")
    expected = PLANTED.get(doc, set())
    assert alarms(parsed) == expected, explain(parsed, expected)


def test_the_corrected_report_closes_its_sum() -> None:
    text = (TEXTS / "lanhe-2024.txt").read_text(encoding="utf-8")
    assert "驳回12件" in text
    corrected = parse_report(text.replace("驳回12件", "驳回13件"), *load())
    closed = find(corrected, "71 + 10 + 5 + 4 + 22 + 13 = 125")
    assert closed is not None
    assert closed.verdict == "holds"
    assert alarms(corrected) == set()


@pytest.mark.parametrize(
    ("doc", "finding", "words"),
    [
        ("lanhe-2024", "71 + 10 + 5 + 4 + 22 + 12 = 124 ≠ 125", "125件"),
        ("qiluan-2024", "74 / 142 = 52.11% ≠ 53.6%", "53.6%"),
        ("jichuan-2024", "53 / 58 = 91.38% → 91.3%", "91.3%"),
    ],
)
def test_the_sentence_quoted_first_shows_the_problem(doc: str, finding: str, words: str) -> None:
    parsed = parse(TEXTS / f"{doc}.txt")
    check = find(parsed, finding)
    assert check is not None
    assert words in parsed.observations[check.observations[0]].quote


def state(path: Path, region: str, published: str = "") -> list[Statement]:
    parsed = parse(path)
    assert parsed.report_year is not None
    day = published or f"{parsed.report_year + 1}-01-10"
    figures = (*parsed.observations, *parsed.derived)
    return [Statement(path.stem, day, parsed.report_year, region, o) for o in figures]


def test_across_the_sandbox_only_the_restated_figure_differs() -> None:
    told = [s for doc in SANDBOX for s in state(TEXTS / f"{doc}.txt", doc.rpartition("-")[0])]
    checks = check_across(told, load()[1])
    differing = [check for check in checks if check.verdict in ALARMS]
    told_apart = {check.formula: check for check in differing}
    assert {(c.rule, c.formula, c.is_explained) for c in differing} == {
        ("R21", "91 ≠ 87", False),
        ("R21", "67318 ≠ 61230", True),  # the earlier report counts January to November
    }
    assert "2024年报告称2023年为91件，2023年报告为87件" in told_apart["91 ≠ 87"].message_zh
    assert "2023年报告只统计2023年1月至11月可以解释差异" in told_apart["67318 ≠ 61230"].message_zh
    assert told[told_apart["91 ≠ 87"].observations[0]].document_id == "tingzhi-2024"


# -- the public reports -------------------------------------------------------------------------------

KNOWN: dict[str, set[Finding]] = {
    "haizhou-2019": set(),
    "nanhai-2016": set(),
    "nanhai-2017": {
        ("R05", "truncated", "5 / 522 = 0.96% → 0.9%"),
        ("R19b", "differs", "60459200 > 60389200"),
    },
    "nanhai-2018": {("R05", "fails", "528 / 908 = 58.15% ≠ 58.2%")},
    "qianjiang-2022": {("R09", "truncated", "71 / 86 = 82.56% → 82.5%")},
    "tongxin-2020": set(),
    "xinjian-2024": {("R17", "fails", "2704 / 2712 = 99.705%, 2705 / 2712 = 99.742% ≠ 99.73%")},
}


@pytest.mark.corpus
@pytest.mark.parametrize("doc", sorted(KNOWN))
def test_the_alarms_of_a_public_report_are_those_judged_by_hand(corpus: Path, doc: str) -> None:
    parsed = parse(corpus / "reports" / f"{doc}.txt")
    assert alarms(parsed) == KNOWN[doc], explain(parsed, KNOWN[doc])


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("doc", "formula"),
    [
        ("tongxin-2020", "260 + 122 = 158 + 76 + 29 + 119"),
        ("nanhai-2016", "333 + 17 + 1 + 4 + 1 + 109 + 10 = 475"),
        ("nanhai-2016", "4352 - 61 = 4291"),
        ("nanhai-2016", "(17 + 1 + 4 + 1 + 109) / 475 = 27.79% → 27.8%"),
        ("nanhai-2016", "(4 + 1 + 1) / 475 = 1.26% → 1.3%"),
        ("nanhai-2016", "24 + 10 + 12 + 14 + 124 = 184"),
        ("nanhai-2017", "61 + 11 + 10 + 15 + 264 = 361"),
        ("nanhai-2018", "80 + 828 = 908"),
        ("nanhai-2018", "249 + 2777 = 3026"),
        ("tongxin-2020", "1 + 1 + 1 + 1 = 4"),
        ("nanhai-2017", "(17 + 5 + 117) / 522 = 26.63% → 26.6%"),
        ("nanhai-2018", "898 + 16 + 4 = 918"),
        ("nanhai-2018", "80 + 898 = 908 + 70"),
        ("nanhai-2018", "(31 + 16 + 1 + 1 + 319) / 908 = 40.53% → 40.5%"),
    ],
)
def test_what_holds_in_a_public_report(corpus: Path, doc: str, formula: str) -> None:
    parsed = parse(corpus / "reports" / f"{doc}.txt")
    check = find(parsed, formula)
    assert check is not None, f"{doc}: {[c.formula for c in parsed.checks if c.verdict == 'holds']}"
    assert check.verdict == "holds"


@pytest.mark.corpus
def test_a_rounded_share_is_noted_to_close_the_hundred(corpus: Path) -> None:
    check = find(parse(corpus / "reports" / "nanhai-2018.txt"), "528 / 908 = 58.15% ≠ 58.2%")
    assert check is not None
    assert "各项占比合计恰为100%，此项如按四舍五入写作58.1%则合计为99.9%，疑为凑整" in check.message_zh
    assert "probably set to close them" in check.message_en


@pytest.mark.corpus
def test_across_public_reports_a_part_year_explains_the_difference(corpus: Path) -> None:
    """The report on 2017 was out on 20 December 2017, so last year's rate as told a year later may differ."""
    days = {"nanhai-2016": "2017-04-14", "nanhai-2017": "2017-12-20", "nanhai-2018": "2019-01-10"}
    told = [s for doc, day in days.items() for s in state(corpus / "reports" / f"{doc}.txt", "nanhai", day)]
    checks = check_across(told, load()[1])
    told_apart = {(c.formula, c.verdict, c.is_explained) for c in checks if c.verdict in ALARMS}
    assert told_apart == {("27.9 ≠ 26.6", "differs", True), ("26 ≠ 27.8", "differs", True)}
    (restated,) = (check for check in checks if check.formula == "27.9 ≠ 26.6")
    assert "2018年报告称2017年为27.9%，2017年报告为26.6%，2017年报告2017年12月20日即已发布" in restated.message_zh
    (cut_off,) = (check for check in checks if check.formula == "26 ≠ 27.8")
    assert "2016年报告只统计到2016年11月22日可以解释差异" in cut_off.message_zh


# -- the short texts ----------------------------------------------------------------------------------

PASSAGES: set[tuple[str, str, str]] = {
    ("h002", "R20", "213 / 176 - 1 = 21.02% ≠ 25.6%"),
    ("h005", "R19b", "9186000 > 8724000"),
    ("h014", "R05", "3 / 159 = 1.89% → 1.8%"),
    ("h014", "R17", "6 / 84 = 7.14%, 7 / 84 = 8.33% ≠ 7.3%"),
    ("h021", "R14", "168 + 38 + 5 = 211 ≠ 213"),
    ("h040", "R05", "1012 / 1240 = 81.61% ≠ 82.6%"),
    ("h040", "R07", "(31 + 4 + 12 + 9) / 842 = 6.65% ≠ 5.6%"),
    ("h046", "R14", "16 + 11 + 9 + 5 + 3 = 44 ≠ 43"),
    ("h053", "R14", "271 + 18 + 14 + 8 = 311 ≠ 312"),
    ("h059", "R20", "3180 / 3561 - 1 = -10.70% ≠ -12.4%"),
}
"""All errors of the passages that a rule can see."""

AGREEING = [
    ("h002", "48216 / 42897 - 1 = 12.40% → 12.4%"),
    ("h005", "197 + 115 = 312"),
    ("h008", "38 + 2 + 9 = 49"),
    ("h011", "297 + 1604 + 143 + 88 + 61 + 293 = 2486"),
    ("h011", "2486 / 5317 - 1 = -53.24% → -53.2%"),
    ("h014", "6098 / 6130 = 99.48% → 99.5%"),
    ("h024", "24 + 291 + 27 + 14 + 4 + 19 = 379"),
    ("h030", "131 / 134 = 97.76% → 97.8%"),
    ("h034", "702 / 713 = 98.46% → 98.5%"),
    ("h046", "37 / 43 = 86.05% → 86.0%"),
    ("h050", "87 / 246 = 35.37% → 35.4%"),
    ("h053", "9463 / 9580 = 98.78% → 98.8%"),
    ("h062", "156 + 2087 = 2243"),
]


@pytest.mark.corpus
@pytest.mark.parametrize(("doc", "formula"), AGREEING)
def test_what_a_reader_of_a_passage_can_add_up_holds(corpus: Path, doc: str, formula: str) -> None:
    check = find(parse(corpus / "passages" / "texts" / f"{doc}.txt"), formula)
    assert check is not None and check.verdict == "holds"


@pytest.mark.corpus
def test_the_passages_raise_no_other_alarm(corpus: Path) -> None:
    found = {
        (path.stem, rule, formula)
        for path in sorted((corpus / "passages" / "texts").glob("*.txt"))
        for rule, _, formula in alarms(parse(path))
    }
    assert found <= PASSAGES, f"new: {sorted(found - PASSAGES)}"
    assert len(found) >= len(PASSAGES) - 2, f"gone: {sorted(PASSAGES - found)}"


def test_a_year_that_ran_into_its_figure_is_read_through_and_confirmed() -> None:
    parsed = parse(TEXTS / "yanpu-2019.txt")
    damaged = [(o.text, o.period) for o in parsed.observations if o.damaged]
    assert damaged == [("214宗", "2019"), ("187", "2019")]
    check = find(parsed, "214 / 196 - 1 = 9.18% → 9.2%")
    assert check is not None and check.verdict == "holds"


def test_a_report_leaves_nothing_that_waits_for_the_garbage_collector() -> None:
    """Its tables hold one another; thousands of reports would be kept, and gone through, until it comes by."""
    text = (TEXTS / "lanhe-2024.txt").read_text(encoding="utf-8")
    gc.collect()
    gc.disable()
    try:
        parse_report(text, *load())
        left = [one for one in gc.get_objects() if isinstance(one, Table)]
    finally:
        gc.enable()
    assert not left
