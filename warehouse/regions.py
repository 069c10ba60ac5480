"""Regions as catalog/regions.yml names them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from warehouse.errors import WarehouseError

CATALOG = Path(__file__).resolve().parent.parent / "catalog"
REGIONS_FILE = CATALOG / "regions.yml"
LEVELS = ("province", "city", "county")
FIELDS = {"name_zh", "name_en", "level", "province_zh", "city_zh"}
CODE = re.compile(r"[0-9]{6}")


@dataclass(frozen=True, slots=True)
class Region:
    code: str
    name_zh: str
    level: str
    name_en: str | None = None
    province_zh: str | None = None
    city_zh: str | None = None


@cache
def load_regions(path: Path = REGIONS_FILE) -> dict[str, Region]:
    """All regions by code. Raises WarehouseError naming file and code when a line breaks the contract."""
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))["regions"]
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
