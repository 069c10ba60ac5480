"""The catalogue is data: it loads, it is checked with one clear line, and all its examples hold."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from extraction.catalogue import Catalogue, CatalogueError, load_catalogue
from extraction.catalogue_examples import run_example
from extraction.mentions import extract_mentions
from extraction.observations import extract_observations

CATALOG = Path(__file__).resolve().parents[2] / "catalog"
TITLE = "云岭县2022年法治政府建设情况报告\n"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(CATALOG)


def test_all_metrics_can_be_read_from_a_text(catalogue: Catalogue) -> None:
    assert len(catalogue.metrics) == 166
    silent = [code for code, metric in catalogue.metrics.items() if not metric.readings or not metric.examples]
    assert silent == []


def test_all_examples_hold(catalogue: Catalogue) -> None:
    wrong = [
        told
        for metric in catalogue.metrics.values()
        for example in metric.examples
        if (told := run_example(metric, example, catalogue)) is not None
    ]
    assert wrong == []


def test_every_metric_has_two_examples_and_both_definitions(catalogue: Catalogue) -> None:
    shown = {
        code: {e.text for e in metric.examples if e.value is not None} for code, metric in catalogue.metrics.items()
    }
    assert [code for code, texts in shown.items() if len(texts) < 2] == []
    assert [
        code for code, metric in catalogue.metrics.items() if not (metric.definition and metric.definition_zh)
    ] == []


def _edit(tmp_path: Path, name: str, change: Callable[[dict], None]) -> Path:  # type: ignore[type-arg]
    folder = tmp_path / "catalog"
    shutil.copytree(CATALOG, folder)
    path = folder / name
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    change(data)
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    return folder


def test_a_phrasing_is_added_by_editing_yaml_alone(tmp_path: Path) -> None:
    text = TITLE + "全年举行新闻吹风会6场。"

    def add_word(data: dict) -> None:  # type: ignore[type-arg]
        metric = next(row for row in data["metrics"] if row["code"] == "press_conferences")
        metric["readings"][0]["words"].append("新闻吹风会")

    before = extract_observations(text, extract_mentions(text), load_catalogue(CATALOG), 2022)
    assert [o for o in before if o.metric == "press_conferences"] == []
    edited = load_catalogue(_edit(tmp_path, "metrics/openness.yml", add_word))
    after = extract_observations(text, extract_mentions(text), edited, 2022)
    assert [(o.metric, o.text) for o in after] == [("press_conferences", "6场")]


OPENNESS = "metrics/openness.yml"


def _first(**change: object) -> Callable[[dict], None]:  # type: ignore[type-arg]
    return lambda data: data["metrics"][0].update(change)


def _reading(**change: object) -> Callable[[dict], None]:  # type: ignore[type-arg]
    return lambda data: data["metrics"][0]["readings"][0].update(change)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (OPENNESS, lambda d: d["metrics"][0].pop("unit"), r"openness\.yml: gov_info_disclosed: key 'unit' is missing"),
        (OPENNESS, _first(unit="parsec"), r"gov_info_disclosed: unit 'parsec' is none of"),
        (OPENNESS, _first(colour="red"), r"gov_info_disclosed: unknown key 'colour'"),
        (OPENNESS, _first(part_of="nothing"), r"gov_info_disclosed: part_of 'nothing' is no metric"),
        (OPENNESS, _first(plausible_range=[1]), r"plausible_range must be \[low, high\]"),
        (OPENNESS, _reading(words=[12345]), r"readings\[0\]: words must be a list of words"),
        (OPENNESS, _reading(words=[]), r"readings\[0\]: words must name at least one word"),
        (OPENNESS, _reading(topic=["weather"]), r"topic 'weather' is not in topics\.yml"),
        (OPENNESS, lambda d: d["metrics"].append(d["metrics"][0]), r"gov_info_disclosed: this code is already defined"),
        (OPENNESS, _first(plausible_range=[5, 2]), r"plausible_range \[5, 2\] ends below its start"),
        (OPENNESS, _first(part_of=5), r"gov_info_disclosed: part_of must be text, not 5"),
        (OPENNESS, _first(rate={"numerator": ["a"]}), r"gov_info_disclosed\.rate: numerator must be text"),
        ("topics.yml", lambda d: d.update(topics=[{}]), r"topics\.yml: topics: must be a mapping"),
        ("units.yml", lambda d: d.update(units=["case"]), r"units\.yml: units: must be a mapping"),
        ("topics.yml", lambda d: d.pop("counted"), r"topics\.yml: key 'counted' is missing"),
        ("script.yml", lambda d: d.update(simplified="短"), r"script\.yml: simplified must have as many characters"),
    ],
)
def test_a_broken_catalogue_is_refused_with_one_line(tmp_path: Path, name: str, change, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(CatalogueError, match=message) as caught:
        load_catalogue(_edit(tmp_path, name, change))
    assert "\n" not in str(caught.value)


def test_a_folder_without_metrics_is_refused(tmp_path: Path) -> None:
    for name in ("units.yml", "topics.yml", "script.yml"):
        shutil.copy(CATALOG / name, tmp_path / name)
    with pytest.raises(CatalogueError, match="no metric file"):
        load_catalogue(tmp_path)


def _copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(CATALOG, tmp_path / "catalog"))


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    folder = _copy(tmp_path)
    path = folder / OPENNESS
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("  tier: core\n", "  tier: core\n  tier: core\n", 1), encoding="utf-8")
    with pytest.raises(CatalogueError, match=r"openness\.yml: .*line \d+: key 'tier' stands twice"):
        load_catalogue(folder)


def test_a_file_that_would_be_passed_over_is_refused(tmp_path: Path) -> None:
    folder = _copy(tmp_path)
    (folder / "metrics" / "more.yaml").write_text("section: more\n", encoding="utf-8")
    with pytest.raises(CatalogueError, match=r"more\.yaml: is not read: name it more\.yml"):
        load_catalogue(folder)
