"""`check_catalogue`: the shipped catalogue is clean, and everything that can be planted in a copy is named."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from extraction.catalogue_check import CatalogueFinding, check_catalogue

CATALOG = Path(__file__).resolve().parents[2] / "catalog"
METRIC = """
- code: {code}
  tier: extended
  name_zh: 试点{code}
  name_en: trial {code}
  definition: A metric of the test.
  unit: {unit}
  kind: count
  measure: flow
  additive: true
  part_of: null
  plausible_range: [0, 100]
  synonyms_zh: []
  readings:
  - {reading}
"""
EXAMPLE = """  examples:
  - text: {text}
    expect: {{value: {value}}}
"""
PLANTED = [
    # A good one of its own words; one of them no example shows.
    METRIC.format(code="lanterns_lit", unit="site", reading="words: [点亮法治灯笼, 挂起法治灯笼]")
    + EXAMPLE.format(text="青岩县点亮法治灯笼36处。", value=36),
    # The words, topic and units of press_conferences.
    METRIC.format(code="press_events", unit="session", reading="words: [新闻发布会, 记者见面活动]")
    + EXAMPLE.format(text="组织记者见面活动4场。", value=4),
    METRIC.format(code="without_example", unit="site", reading="words: [法治风铃]"),
    METRIC.format(code="only_negative", unit="site", reading="words: [法治风筝]")
    + EXAMPLE.format(text="全县共有学校3所。", value="null"),
    METRIC.format(code="wrong_example", unit="site", reading="topic: [litigation]\n    words: [法治风车]")
    + EXAMPLE.format(text="设立法治风车7处。", value=7),
    METRIC.format(code="wrong_silence", unit="site", reading="words: [法治风箱]")
    + EXAMPLE.format(text="设立法治风箱8处。", value="null"),
    METRIC.format(code="wrong_status", unit="site", reading="words: [法治风扇]")
    + EXAMPLE.format(text="力争设立法治风扇9处。", value=9),
    # Its one word is the topic word and naming word of a metric that then scores higher.
    # A word that gov_info_disclosed has of the topic openness; this one does without the topic.
    METRIC.format(code="topicless", unit="message", reading="words: [公开政府信息, 法治简讯]")
    + EXAMPLE.format(text="编发法治简讯40期。", value=40),
    METRIC.format(code="robbed", unit="case", reading="words: [收到行政复议申请]")
    + EXAMPLE.format(text="收到行政复议申请12件。", value=12),
    METRIC.format(
        code="unseen",
        unit="site",
        reading="words: [法治（风琴）, 法治风琴, 法治风琴]\n    units: [处, 光年]\n    not: [弹琴, 弹琴人]",
    )
    + EXAMPLE.format(text="设立法治风琴6处。", value=6),
]


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> list[CatalogueFinding]:
    folder = tmp_path_factory.mktemp("planted") / "catalog"
    shutil.copytree(CATALOG, folder)
    text = "section: trial\nname_zh: 试点\nmetrics:" + "".join(PLANTED)
    (folder / "metrics" / "trial.yml").write_text(text, encoding="utf-8")
    units, topics = folder / "units.yml", folder / "topics.yml"
    units.write_text(
        units.read_text(encoding="utf-8") + "  parsec:\n    zh: [个]\n    meaning: far\n", encoding="utf-8"
    )
    listed = topics.read_text(encoding="utf-8").replace("topics:\n", "topics:\n  kites: [放风筝]\n", 1)
    topics.write_text(listed, encoding="utf-8")
    return list(check_catalogue(folder))


def _said(findings: list[CatalogueFinding], code: str, key: str) -> str:
    """Both messages of the one finding."""
    (found,) = [one for one in findings if one.code == code and one.key.startswith(key)]
    return found.zh + "\n" + found.en


def test_the_shipped_catalogue_has_neither_errors_nor_warnings() -> None:
    findings = check_catalogue(CATALOG)
    assert [(one.code, one.key, one.en) for one in findings if one.severity != "note"] == []
    assert {one.code for one in findings} <= {"unused_topic", "redundant_word", "unused_word"}


def test_nothing_but_what_was_planted_is_an_error(planted: list[CatalogueFinding]) -> None:
    errors = [one for one in planted if one.severity == "error"]
    assert Counter((one.code, one.key) for one in errors) == Counter(
        [
            ("conflict", "press_conferences"),
            ("conflict", "robbed"),
            ("conflict", "topicless"),
            ("no_example", "without_example"),
            ("no_example", "only_negative"),
            ("no_example", "wrong_silence"),
            ("example_fails", "wrong_example"),
            ("example_fails", "wrong_silence"),
            ("example_fails", "wrong_status"),
            ("example_fails", "robbed"),
        ]
    )
    assert planted[: len(errors)] == errors, "errors come first"
    assert {one.file for one in errors} == {"metrics/trial.yml", "metrics/openness.yml"}


def test_a_conflict_names_both_metrics_word_units_files_and_a_sentence(planted: list[CatalogueFinding]) -> None:
    said = _said(planted, "conflict", "press_conferences")
    for part in ("press_events", "新闻发布会", "场次", "metrics/openness.yml, metrics/trial.yml", "新闻发布会12"):
        assert said.count(part) >= 2, part
    assert "记者见面活动" not in said
    assert "reconsideration_applications_received" in _said(planted, "conflict", "robbed")
    said = _said(planted, "conflict", "topicless")
    for part in ("gov_info_disclosed", "公开政府信息", "openness", "条"):
        assert said.count(part) >= 2, part


def test_a_failing_example_says_what_was_got_and_where_it_was_lost(planted: list[CatalogueFinding]) -> None:
    said = _said(planted, "example_fails", "wrong_example")
    assert "应得 7 (actual, 2022)，实得 无" in said
    assert "must give 7 (actual, 2022), gives nothing" in said
    assert "法治风车" in said
    assert "the topic litigation is not spoken of" in said
    assert "must give nothing, gives 8 from “8处”" in _said(planted, "example_fails", "wrong_silence")
    assert "gives 9 (target, 2022)" in _said(planted, "example_fails", "wrong_status")
    assert "“12件” goes to reconsideration_applications_received" in _said(planted, "example_fails", "robbed")


def test_words_and_units_that_can_never_be_seen_are_named(planted: list[CatalogueFinding]) -> None:
    assert "法治（风琴）" in _said(planted, "unseeable_word", "unseen.readings[0].words")
    assert "“法治风琴” stands twice" in _said(planted, "duplicate_word", "unseen.readings[0].words")
    assert "“弹琴人” adds nothing: “弹琴”" in _said(planted, "redundant_word", "unseen.readings[0].not")
    assert "光年" in _said(planted, "unused_unit", "unseen")
    assert "no metric uses" in _said(planted, "unused_unit", "parsec")
    assert "no metric names it" in _said(planted, "unused_topic", "topics.kites")
    assert "挂起法治灯笼" in _said(planted, "unused_word", "lanterns_lit")
    assert "definition_zh" in _said(planted, "no_definition_zh", "lanterns_lit")


def test_a_word_that_gives_its_metric_in_no_sentence_is_dead(tmp_path: Path) -> None:
    folder = tmp_path / "catalog"
    shutil.copytree(CATALOG, folder)
    path = folder / "metrics" / "dispute_resolution.yml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("引发复议]", "引发复议, 办理]", 1), encoding="utf-8")  # too short for a weak reading
    assert "“办理”" in _said(list(check_catalogue(folder)), "dead_word", "reconsideration_accepted")


def test_a_broken_contract_is_one_finding_of_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "catalog"
    shutil.copytree(CATALOG, folder)
    path = folder / "metrics" / "openness.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("unit: message", "unit: parsec", 1), encoding="utf-8")
    (finding,) = check_catalogue(folder)
    assert (finding.code, finding.severity, finding.file) == ("contract", "error", "metrics/openness.yml")
    assert finding.key == "gov_info_disclosed"
    assert "unit 'parsec' is none of" in finding.en
    assert "\n" not in finding.en + finding.zh


def test_a_rule_over_an_unknown_metric_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "catalog"
    shutil.copytree(CATALOG, folder)
    path = folder / "rules.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("litigation_heard", "litigation_hread"), encoding="utf-8")
    (finding,) = [one for one in check_catalogue(folder) if one.severity == "error"]
    assert (finding.code, finding.file) == ("rules", "rules.yml")
    assert "unknown metric code litigation_hread" in finding.en
