"""Where places are drawn: the points of counties, and the shapes that the files of maps have."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

VENDOR = Path(__file__).resolve().parent / "static" / "vendor"
PLACES = VENDOR / "places.csv"
MAPS = frozenset(path.stem for path in (VENDOR / "maps").glob("*.json"))

Point = tuple[float, float]
"""Degrees east and north."""


@cache
def points() -> Mapping[str, Point]:
    """Code of a county to its point; counties that are not here have none that is known."""
    with PLACES.open(encoding="utf-8", newline="") as file:
        return {row["code"]: (float(row["longitude"]), float(row["latitude"])) for row in csv.DictReader(file)}


@cache
def shapes(name: str) -> frozenset[str]:
    """Codes of the shapes of a map (`china`, or a province's two digits); none where there is no such map."""
    if name not in MAPS:
        return frozenset()
    told = json.loads((VENDOR / "maps" / f"{name}.json").read_text(encoding="utf-8"))
    return frozenset(one["properties"]["code"] for one in told["features"])
