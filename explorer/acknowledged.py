"""Findings that somebody has looked at: a line each in a file that is reviewed like any other.

The explorer reads the file and never writes it; it shows the line to add. A line names the finding, who says it is
known, why, and until when; after that day the finding is open again.

    - {finding: "check:1234", name: "Li", reason: "the report corrects itself below", until: 2027-03-31}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

import yaml

FINDING = re.compile(r"^(check|restated|damaged|spam):[0-9]{1,19}$")
FIELDS = {"finding", "name", "reason", "until"}
LONGEST = 500


class NotReadable(Exception):
    """The file is not what it should be; the message names file, entry and fault in one line."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    finding: str
    name: str
    reason: str
    until: date


def read_acknowledged(path: Path | None, today: date) -> Mapping[str, Acknowledged]:
    """The lines in force, by finding. No file: nothing is acknowledged. Raises NotReadable."""
    if path is None or not path.is_file():
        return {}
    stat = path.stat()
    every = _read(path, stat.st_mtime_ns, stat.st_size)
    return {one.finding: one for one in every if one.until >= today}


@lru_cache(maxsize=4)
def _read(path: Path, _changed: int, _size: int) -> tuple[Acknowledged, ...]:
    try:
        rows = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise NotReadable(f"{path.name}: {' '.join(str(error).split())}") from error
    if rows is None:
        return ()
    if not isinstance(rows, list):
        raise NotReadable(f"{path.name}: a list of lines is expected")
    return tuple(_entry(path.name, number, row) for number, row in enumerate(rows, 1))


def _entry(file: str, number: int, row: object) -> Acknowledged:
    where = f"{file}, entry {number}"
    if not isinstance(row, dict) or set(row) != FIELDS:
        raise NotReadable(f"{where}: the fields are {', '.join(sorted(FIELDS))}")
    if not FINDING.match(str(row["finding"])):
        raise NotReadable(f"{where}: finding is check:, restated:, damaged: or spam: and a key")
    if type(row["until"]) is not date:
        raise NotReadable(f"{where}: until is a day, YYYY-MM-DD")
    for name in ("name", "reason"):
        if not isinstance(row[name], str) or not row[name].strip():
            raise NotReadable(f"{where}: {name} is empty")
    return Acknowledged(row["finding"], row["name"], row["reason"], row["until"])


def line_for(finding: str, name: str, reason: str, until: str) -> str:
    """The line to add for a finding. Raises ValueError where a part is missing or too long."""
    if not FINDING.match(finding):
        raise ValueError("finding")
    name, reason = (" ".join(part.split()) for part in (name, reason))
    if not name or not reason or len(name) + len(reason) > LONGEST:
        raise ValueError("name, reason")
    told = {"finding": finding, "name": name, "reason": reason, "until": date.fromisoformat(until)}
    text = yaml.safe_dump([told], allow_unicode=True, default_flow_style=None, width=10_000, sort_keys=False)
    return text.strip()
