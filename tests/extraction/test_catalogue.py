"""The catalogue is data: it loads, it is checked with one clear line, and all its examples hold."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from extraction.catalogue import Catalogue, CatalogueError, Example, load_catalogue
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


def _broken(catalogue: Catalogue, example: Example, code: str) -> str | None:
    """What is wrong with an example, or None."""
    text = TITLE + example.text
    found = [o for o in extract_observations(text, extract_mentions(text), catalogue, 2022) if o.metric == code]
    if example.value is None:
        return None if not found else f"{code}: {example.text} must give nothing, gives {found[0].value}"
    period = example.period or "2022"
    for obs in found:
        if (obs.value, obs.status, obs.period) == (example.value, example.status, period):
            return None
    return f"{code}: {example.text} gives {[(str(o.value), o.status, o.period) for o in found]}"


def test_all_examples_hold(catalogue: Catalogue) -> None:
    wrong = [
        fault
        for code, metric in catalogue.metrics.items()
        for example in metric.examples
        if (fault := _broken(catalogue, example, code)) is not None
    ]
    assert wrong == []


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
