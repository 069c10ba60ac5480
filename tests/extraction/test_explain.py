"""Every number of a text has a fate, and what is told is what the engine did."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from extraction.catalogue import Catalogue
from extraction.explain import Explanation, NumberFate, explain_report, tell_outcome
from fazhi.cli import main
from fazhi.explaining import explanation_record
from fazhi.house import load_catalog

RULES = load_catalog()[1]
TEXT = (
    "云川县2022年法治政府建设情况报告\n"
    "一、化解行政争议\n"
    "全年收到行政复议申请120件，同比增长12.5%，其中受理100件，不予受理20件。\n"
    "从8000余份案卷中抽取90份进行评查。平均每村配备法律顾问1名。\n"
    "办公楼新栽香樟树36棵。\n"
)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalog()[0]


@pytest.fixture(scope="module")
def told(catalogue: Catalogue) -> Explanation:
    return explain_report(TEXT, catalogue, RULES)


def _number(told: Explanation, text: str) -> NumberFate:
    return next(number for part in told.sentences for number in part.numbers if number.mention.text == text)


def test_every_number_has_its_fate_inside_its_sentence(told: Explanation) -> None:
    numbers = [number for part in told.sentences for number in part.numbers]
    assert [number.mention for number in numbers] == list(told.parsed.mentions)
    for part in told.sentences:
        assert TEXT[part.start : part.end] == part.text
        assert all(part.start <= number.mention.start and number.mention.end <= part.end for number in part.numbers)
    assert [found for number in numbers for _, found in number.observations] == list(told.parsed.observations)


def test_an_observation_names_word_topic_and_checks(told: Explanation) -> None:
    number = _number(told, "100件")
    (index, found), *_ = number.observations
    assert found.metric == "reconsideration_accepted"
    taken = number.considered[0]
    assert (taken.outcome, taken.word) == ("taken", "受理") and "reconsideration" in taken.detail
    assert "R01" in {check.rule for check in told.checks_of(index)}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("12.5%", "a change, kept with the figure"),
        ("8000余份", "the pool"),
        ("1名", "a mean or a norm"),
        ("36棵", "no word of the catalogue"),
    ],
)
def test_a_number_that_is_no_observation_says_why(told: Explanation, text: str, words: str) -> None:
    number = _number(told, text)
    assert not number.observations and words in number.reason[1] and number.reason[0]


def test_a_reading_that_lost_says_what_barred_it(catalogue: Catalogue) -> None:
    text = "云川县2022年法治政府建设情况报告\n审查合同、文件68份，行政复议受理窗口15个。\n"
    told = explain_report(text, catalogue, RULES)
    lost = [seen for part in told.sentences for n in part.numbers for seen in n.considered if seen.outcome != "taken"]
    assert {seen.outcome for seen in lost} & {"carrier", "forbidden", "unit", "topic", "counted"}
    assert all(all(tell_outcome(seen)) for seen in lost)


def test_one_metric_shows_its_sentences_only(catalogue: Catalogue) -> None:
    told = explain_report(TEXT, catalogue, RULES, metric="case_files_reviewed")
    assert [part.text[:5] for part in told.sentences] == ["从8000"]
    none = explain_report("一县2022年报告\n没有数字。", catalogue, RULES, metric="case_files_reviewed")
    assert none.sentences == () and none.words["case_files_reviewed"]


def test_the_record_is_json_and_whole(told: Explanation) -> None:
    record = json.loads(json.dumps(explanation_record("a", told), ensure_ascii=False))
    numbers = [number for part in record["sentences"] for number in part["numbers"]]
    assert len(numbers) == len(told.parsed.mentions)
    assert all(number["reason_zh"] and number["reason_en"] for number in numbers)


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.txt"
    file.write_text(TEXT, encoding="utf-8")
    assert main(["explain", str(file)]) == 0
    out = capsys.readouterr().out
    assert "120件 → reconsideration_applications_received" in out and "R01 holds" in out and "36棵" in out
    assert main(["explain", str(file), "--metric", "case_files_reviewed", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["doc"] == "a"
    assert main(["explain", str(file), "--metric", "reconsideration_acepted"]) == 2
    assert "did you mean reconsideration_accepted?" in capsys.readouterr().err
    assert main(["explain", str(file.with_name("none.txt"))]) == 2
    assert "none.txt" in capsys.readouterr().err
