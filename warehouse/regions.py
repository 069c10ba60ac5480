"""Regions: GB/T 2260 with its history (catalog/regions/gb2260.csv), and what catalog/regions.yml adds to it.

Years are those of the yearly lists: a region is valid from the first year at whose end it was listed to the last one.
A region that changed code or name at heart the same (新建县 -> 新建区) is one place with several versions; its
identity is the code of the last of them.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import yaml

from extraction.yaml_file import read_yaml
from warehouse.errors import WarehouseError
from warehouse.place_names import short_names, stem_of

CATALOG = Path(__file__).resolve().parent.parent / "catalog"
REGIONS_FILE = CATALOG / "regions.yml"
TABLE = CATALOG / "regions" / "gb2260.csv"
COLUMNS = ("code", "name", "level", "parent", "from", "to", "successors")
LEVELS = ("province", "city", "county")
FIELDS = {"name_zh", "name_en", "level", "province_zh", "city_zh"}
CODE = re.compile(r"[0-9]{6}")


@dataclass(frozen=True, slots=True)
class Region:
    """One version of a place: a code under one name."""

    code: str
    name_zh: str
    level: str
    name_en: str | None = None
    province_zh: str | None = None
    city_zh: str | None = None
    since: int | None = None
    """First year at whose end it is listed; None: ever since 1980."""
    until: int | None = None
    """Last such year; None: to this day."""
    successors: tuple[str, ...] = ()

    def holds(self, first: int, last: int) -> bool:
        """Listed in any of these years."""
        return (self.since is None or self.since <= last) and (self.until is None or first <= self.until)


@dataclass(slots=True)
class Gazetteer:
    """All versions of all places, looked up by code and by name."""

    by_code: dict[str, tuple[Region, ...]]
    by_name: dict[str, tuple[Region, ...]]
    """Full names, and short forms with their level (恩施州)."""
    stems: dict[str, tuple[Region, ...]]
    """Provinces and cities without their level: they only lead on to another name (江苏连云港市)."""
    longest: int
    _came_from: dict[tuple[str, int], list[Region]] = field(default_factory=dict)

    def identity(self, code: str) -> str:
        """The code that a place has today or had last; a code that is not known stays as it is."""
        seen = {code}
        while code in self.by_code:
            followers = self.by_code[code][-1].successors
            if len(followers) != 1 or followers[0] in seen:
                break
            code = followers[0]
            seen.add(code)
        return code

    def identity_of(self, version: Region) -> str:
        """The identity of the place that had this code and name then; the code may have gone to another place since."""
        if version.until is None or len(version.successors) != 1:
            return version.code
        following = self._version(version.successors[0], version.until + 1)
        return self.identity_of(following) if following else version.code

    def versions(self, code: str) -> list[Region]:
        """All that a place was called, the oldest first; empty for a code that is not known."""
        known = self.by_code.get(self.identity(code))
        if not known:
            return []
        chain = [known[-1]]
        while chain[0].since is not None:
            earlier = self._came_from.get((chain[0].code, chain[0].since), [])
            if len(earlier) != 1:
                break
            chain.insert(0, earlier[0])
        return chain

    def at(self, code: str, year: int) -> Region | None:
        """A place as it was at the end of a year; the nearest version where no list of that year has it."""
        chain = self.versions(code)
        held = [version for version in chain if version.holds(year, year)]
        if held or not chain:
            return held[-1] if held else None
        return chain[0] if chain[0].since is not None and year < chain[0].since else chain[-1]

    def named(self, name: str, first: int, last: int) -> tuple[Region, ...]:
        """Versions of that name in these years; where there are none, those that had it last."""
        found = self.by_name.get(name, ())
        held = tuple(version for version in found if version.holds(first, last))
        if held or not found:
            return held
        latest = max(version.until or last for version in found)
        return tuple(version for version in found if (version.until or last) == latest)

    def _version(self, code: str, year: int) -> Region | None:
        return next((one for one in self.by_code.get(code, ()) if one.since == year), None)


@cache
def load_gazetteer(path: Path = REGIONS_FILE) -> Gazetteer:
    """The table and the additions, read once. Raises WarehouseError naming file and line."""
    versions: dict[str, list[Region]] = defaultdict(list)
    for one in _read_table():
        versions[one.code].append(one)
    for code, added in _read_additions(path).items():
        known = versions.get(code)
        if known and (known[-1].name_zh, known[-1].level) != (added.name_zh, added.level):
            raise WarehouseError(f"{path}: {code} is {known[-1].name_zh} in {TABLE.name}; write that name and level")
        versions[code] = [*known[:-1], replace(known[-1], name_en=added.name_en)] if known else [added]
    return _index({code: tuple(spans) for code, spans in versions.items()})


def load_regions(path: Path = REGIONS_FILE) -> dict[str, Region]:
    """The last version of every code. Raises WarehouseError naming file and code when a line breaks the contract."""
    return {code: versions[-1] for code, versions in load_gazetteer(path).by_code.items()}


def _index(by_code: dict[str, tuple[Region, ...]]) -> Gazetteer:
    by_name: dict[str, list[Region]] = defaultdict(list)
    stems: dict[str, list[Region]] = defaultdict(list)
    came_from: dict[tuple[str, int], list[Region]] = defaultdict(list)
    for versions in by_code.values():
        for one in versions:
            for name in {one.name_zh, *short_names(one.name_zh)}:
                by_name[name].append(one)
            if one.level != "county":
                stems[stem_of(one.name_zh)].append(one)
            if one.until is not None and len(one.successors) == 1:
                came_from[one.successors[0], one.until + 1].append(one)
    return Gazetteer(by_code, _freeze(by_name), _freeze(stems), max(map(len, by_name), default=0), dict(came_from))


def _freeze(found: dict[str, list[Region]]) -> dict[str, tuple[Region, ...]]:
    return {name: tuple(versions) for name, versions in found.items() if len(name) > 1}


def _read_table() -> Iterable[Region]:
    try:
        with TABLE.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise WarehouseError(f"{TABLE}: cannot be read ({error}); restore the file") from error
    if not rows or tuple(rows[0]) != COLUMNS:
        raise WarehouseError(f"{TABLE}: its columns are not {', '.join(COLUMNS)}; restore the file")
    names: dict[str, str] = {row[0]: row[1] for row in rows[1:]}
    for number, row in enumerate(rows[1:], 2):
        try:
            code, name, level, _parent, since, until, successors = row
            yield Region(
                code, name, level, None,
                names.get(code[:2] + "0000") if level != "province" else None,
                names.get(code[:4] + "00") if level == "county" else None,
                int(since) if since else None, int(until) if until else None, tuple(successors.split()),
            )  # fmt: skip
        except ValueError as error:
            raise WarehouseError(f"{TABLE}:{number}: is no region ({error}); restore the file") from error


def _read_additions(path: Path) -> dict[str, Region]:
    try:
        entries = read_yaml(path)["regions"]
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise WarehouseError(f"{path}: cannot be read as a list of regions ({error}); restore the file") from error
    return {code: _region(path, code, entry) for code, entry in entries.items()}


def _region(path: Path, code: object, entry: object) -> Region:
    if not isinstance(code, str) or not CODE.fullmatch(code):
        raise WarehouseError(f'{path}: {code!r} is no region code; write six digits in quotes, e.g. "320706"')
    if not isinstance(entry, dict) or not {"name_zh", "level"} <= set(entry) <= FIELDS:
        raise WarehouseError(f"{path}: {code} needs name_zh and level, and knows no other fields than {FIELDS}")
    if entry["level"] not in LEVELS:
        raise WarehouseError(f"{path}: {code} has level {entry['level']!r}; write one of {', '.join(LEVELS)}")
    return Region(code=code, **entry)
