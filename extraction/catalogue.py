"""The metric catalogue: what can be measured and the words that name it, read from `catalog/`.

A metric is data. The engine knows grammar (clauses, windows, comparisons); every word of the domain stands in
`catalog/metrics/<section>.yml`, `catalog/topics.yml` and `catalog/units.yml`, where a person without Python edits it.
Errors are one line that names file and key.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from extraction.view import Folding

_KINDS = {"count", "rate", "amount"}
_MEASURES = {"stock", "flow", "rate", "level"}
_TIERS = {"core", "extended"}
_METRIC_KEYS = {
    "code", "tier", "name_zh", "name_en", "definition", "definition_zh", "unit", "kind", "measure", "additive",
    "additive_over", "part_of", "rate", "plausible_range", "synonyms_zh", "notes", "readings", "examples",
}  # fmt: skip
_OPTIONAL = {"definition_zh", "additive_over", "rate", "notes", "examples"}
_READING_KEYS = {"topic", "words", "with", "not", "units", "counts", "weak"}


class CatalogueError(ValueError):
    """The catalogue breaks its contract; the message is one line naming the file and the key."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A canonical unit and the measure words that a text may use for it."""

    code: str
    zh: tuple[str, ...]
    meaning: str


@dataclass(frozen=True, slots=True)
class Reading:
    """One way in which a text names a metric.

    One of `words` stands at the number; one of `topics` (if any are named) is being talked about; one of `needs` (if
    any) stands in the sentence; none of `forbids` stands in the number's own phrase; the measure word is one of
    `units`. `counts`: nouns which, right after the number, are what it counts. `weak` loses against any other.
    """

    metric: str
    topics: tuple[str, ...]
    words: tuple[str, ...]
    needs: tuple[str, ...]
    forbids: tuple[str, ...]
    units: frozenset[str]
    counts: tuple[str, ...]
    weak: bool


@dataclass(frozen=True, slots=True)
class Example:
    """A sentence of the catalogue and the value it must give (`None`: it must give nothing)."""

    text: str
    value: Decimal | None
    status: str
    period: str | None


@dataclass(frozen=True, slots=True)
class Metric:
    """One measurable quantity. The fields are those of the catalogue files (docs/extraction.md)."""

    code: str
    section: str
    file: str
    """The file that defines it, relative to the catalogue."""
    tier: str
    name_zh: str
    name_en: str
    definition: str
    definition_zh: str
    unit: str
    kind: str
    measure: str
    additive: bool
    additive_over: tuple[str, ...]
    part_of: str | None
    rate_numerator: str | None
    rate_denominator: str | None
    plausible_low: Decimal
    plausible_high: Decimal
    synonyms_zh: tuple[str, ...]
    notes: str
    readings: tuple[Reading, ...]
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All metrics in file order, the units and the topics."""

    metrics: Mapping[str, Metric]
    units: Mapping[str, Unit]
    topics: Mapping[str, tuple[str, ...]]
    sections: Mapping[str, str]
    general: frozenset[str]
    """Topics of every report, which a title names without saying anything."""
    counted: tuple[str, ...]
    """Nouns which, right after a number, are what it counts."""
    carriers: tuple[str, ...]
    """Nouns which, right after a naming word, say that something else is counted."""
    stages: tuple[str, ...]
    """Words which name a stage: a part so called is no part of the same kind."""
    script: Mapping[int, int]
    """Traditional characters to those of the catalogue, one for one (`str.translate`)."""

    @property
    def readings(self) -> list[Reading]:
        return [reading for metric in self.metrics.values() for reading in metric.readings]

    def rate_of(self, parts: Collection[str], whole: str | None) -> Metric | None:
        """The rate whose numerator holds all of `parts` over `whole`; of several the one that holds least beside."""
        fitting = [
            (len(terms), metric)
            for metric in self.metrics.values()
            if metric.rate_numerator and metric.rate_denominator == whole
            for terms in [metric.rate_numerator.split("+")]
            if set(parts) <= set(terms)
        ]
        return min(fitting, key=lambda one: one[0])[1] if fitting else None

    def simplify(self, text: str) -> str:
        """`text` in the script of the catalogue, of the same length."""
        return text.translate(self.script)

    def __hash__(self) -> int:
        return id(self)


@lru_cache(maxsize=4)
def fold_of(catalogue: Catalogue) -> Folding:
    """The catalogue's script, compiled once: that takes longer than reading a sentence with it."""
    return Folding(catalogue.script)


class _Keys:
    """A mapping of a catalogue file, read key by key with errors that say where."""

    def __init__(self, data: Any, where: str, allowed: set[str], optional: set[str], *, any_key: bool = False) -> None:
        if not isinstance(data, dict):
            raise CatalogueError(f"{where}: must be a mapping")
        if any_key:
            allowed = set(data)
        unknown, missing = sorted(set(data) - allowed), sorted(allowed - optional - set(data))
        if unknown:
            raise CatalogueError(f"{where}: unknown key {unknown[0]!r} (known: {', '.join(sorted(allowed))})")
        if missing:
            raise CatalogueError(f"{where}: key {missing[0]!r} is missing")
        self.data, self.where = data, where

    def text(self, key: str) -> str:
        value = self.data.get(key, "")
        if not isinstance(value, str):
            raise CatalogueError(f"{self.where}: {key} must be text, not {value!r}")
        return value

    def code(self, key: str) -> str | None:
        return None if self.data.get(key) is None else self.text(key)

    def one_of(self, key: str, allowed: set[str]) -> str:
        value = self.text(key)
        if value not in allowed:
            raise CatalogueError(f"{self.where}: {key} {value!r} is none of {', '.join(sorted(allowed))}")
        return value

    def words(self, key: str) -> tuple[str, ...]:
        value = self.data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            raise CatalogueError(f"{self.where}: {key} must be a list of words (quote numbers)")
        return tuple(value)

    def flag(self, key: str) -> bool:
        value = self.data.get(key, False)
        if not isinstance(value, bool):
            raise CatalogueError(f"{self.where}: {key} must be true or false")
        return value


class _OnceLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A key that stands twice is an error: YAML itself would silently drop the first."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        keys = [key.value for key, _ in node.value]
        for key, _ in node.value:
            if keys.count(key.value) > 1:
                raise yaml.YAMLError(f"line {key.start_mark.line + 1}: key {key.value!r} stands twice")
        return super().construct_mapping(node, deep)


def _read_yaml(path: Path) -> Any:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_OnceLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CatalogueError(f"{path}: cannot be read as YAML: {error}".replace("\n", " ")) from error


def _read_units(path: Path) -> dict[str, Unit]:
    top = _Keys(_read_yaml(path), str(path), {"units"}, set())
    units: dict[str, Unit] = {}
    for code, row in _Keys(top.data["units"], f"{path}: units", set(), set(), any_key=True).data.items():
        keys = _Keys(row, f"{path}: units.{code}", {"zh", "meaning"}, set())
        units[code] = Unit(code, keys.words("zh"), keys.text("meaning"))
    return units


def _read_topics(path: Path) -> tuple[dict[str, tuple[str, ...]], _Keys]:
    top = _Keys(_read_yaml(path), str(path), {"topics", "general", "counted", "carriers", "stages"}, set())
    table = _Keys(top.data["topics"], f"{path}: topics", set(), set(), any_key=True)
    return {code: table.words(code) for code in table.data}, top


def _read_script(path: Path) -> dict[int, int]:
    keys = _Keys(_read_yaml(path), str(path), {"traditional", "simplified"}, set())
    old, new = keys.text("traditional"), keys.text("simplified")
    if len(old) != len(new):
        raise CatalogueError(f"{path}: simplified must have as many characters as traditional ({len(new)}, {len(old)})")
    return str.maketrans(old, new)


def _read_reading(row: Any, where: str, metric: str, unit: Unit, topics: Mapping[str, Any]) -> Reading:
    keys = _Keys(row, where, _READING_KEYS, _READING_KEYS - {"words"})
    for topic in keys.words("topic"):
        if topic not in topics:
            raise CatalogueError(f"{where}: topic {topic!r} is not in topics.yml")
    words = keys.words("words")
    if not words or not all(words):
        raise CatalogueError(f"{where}: words must name at least one word, none of them empty")
    units = frozenset(keys.words("units") or unit.zh)
    return Reading(
        metric, keys.words("topic"), words, keys.words("with"), keys.words("not"), units,
        keys.words("counts"), keys.flag("weak"),
    )  # fmt: skip


def _read_example(row: Any, where: str) -> Example:
    keys = _Keys(row, where, {"text", "expect"}, set())
    expect = _Keys(keys.data["expect"], f"{where}.expect", {"value", "status", "period"}, {"status", "period"})
    value = expect.data["value"]
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise CatalogueError(f"{where}.expect: value must be a number or null")
    period = expect.data.get("period")
    number = None if value is None else Decimal(str(value))
    year = None if period is None else str(period)
    return Example(keys.text("text"), number, expect.text("status") or "actual", year)


def _read_metric(row: Any, path: Path, section: str, units: Mapping[str, Unit], topics: Mapping[str, Any]) -> Metric:
    code = row.get("code") if isinstance(row, dict) else None
    where = f"{path}: {code or 'a metric without code'}"
    keys = _Keys(row, where, _METRIC_KEYS, _OPTIONAL)
    unit = units[keys.one_of("unit", set(units))]
    bounds = keys.data["plausible_range"]
    if not isinstance(bounds, list) or [type(bound) in (int, float) for bound in bounds] != [True, True]:
        raise CatalogueError(f"{where}: plausible_range must be [low, high]")
    if not bounds[0] <= bounds[1]:
        raise CatalogueError(f"{where}: plausible_range [{bounds[0]}, {bounds[1]}] ends below its start")
    terms = {"numerator", "denominator"}
    rate = _Keys(keys.data.get("rate") or {}, f"{where}.rate", terms, terms)
    readings, examples = keys.data["readings"], keys.data.get("examples", [])
    if not isinstance(readings, list) or not isinstance(examples, list):
        raise CatalogueError(f"{where}: readings and examples must be lists")
    return Metric(
        code=keys.text("code"),
        section=section,
        file=f"{path.parent.name}/{path.name}",
        tier=keys.one_of("tier", _TIERS),
        name_zh=keys.text("name_zh"),
        name_en=keys.text("name_en"),
        definition=keys.text("definition"),
        definition_zh=keys.text("definition_zh"),
        unit=unit.code,
        kind=keys.one_of("kind", _KINDS),
        measure=keys.one_of("measure", _MEASURES),
        additive=keys.flag("additive"),
        additive_over=keys.words("additive_over"),
        part_of=keys.code("part_of"),
        rate_numerator=rate.code("numerator"),
        rate_denominator=rate.code("denominator"),
        plausible_low=Decimal(str(bounds[0])),
        plausible_high=Decimal(str(bounds[1])),
        synonyms_zh=keys.words("synonyms_zh"),
        notes=keys.text("notes"),
        readings=tuple(
            _read_reading(item, f"{where}.readings[{index}]", keys.text("code"), unit, topics)
            for index, item in enumerate(readings)
        ),
        examples=tuple(_read_example(item, f"{where}.examples[{index}]") for index, item in enumerate(examples)),
    )


def load_catalogue(folder: Path) -> Catalogue:
    """Read and check `folder` (the project's `catalog/`). Raises CatalogueError with one line."""
    units = _read_units(folder / "units.yml")
    topics, words = _read_topics(folder / "topics.yml")
    metrics: dict[str, Metric] = {}
    sections: dict[str, str] = {}
    files = sorted((folder / "metrics").glob("*.yml"))
    if not files:
        raise CatalogueError(f"{folder / 'metrics'}: no metric file (*.yml) here")
    for path in (folder / "metrics").glob("*.yaml"):
        raise CatalogueError(f"{path}: is not read: name it {path.stem}.yml")
    for path in files:
        top = _Keys(_read_yaml(path), str(path), {"section", "name_zh", "metrics"}, set())
        section = top.text("section")
        sections[section] = top.text("name_zh")
        if not isinstance(top.data["metrics"], list):
            raise CatalogueError(f"{path}: metrics must be a list")
        for row in top.data["metrics"]:
            metric = _read_metric(row, path, section, units, topics)
            if metric.code in metrics:
                raise CatalogueError(f"{path}: {metric.code}: this code is already defined")
            metrics[metric.code] = metric
    for metric in metrics.values():
        for key, code in (
            ("part_of", metric.part_of),
            ("rate.numerator", metric.rate_numerator),
            ("rate.denominator", metric.rate_denominator),
        ):
            # A rate may also say in words what no code stands for; words have blanks, codes have none.
            for term in [] if code is None or " " in code else code.split("+"):
                if term not in metrics:
                    raise CatalogueError(f"{folder / 'metrics'}: {metric.code}: {key} {term!r} is no metric")
    return Catalogue(
        metrics=metrics,
        units=units,
        topics=topics,
        sections=sections,
        general=frozenset(words.words("general")),
        counted=words.words("counted"),
        carriers=words.words("carriers"),
        stages=words.words("stages"),
        script=_read_script(folder / "script.yml"),
    )
