"""Releases: the published state as files that people read, complete or not there at all.

A release is a folder named by the day of the last load and the fingerprint. It is written beside its final name,
checked against the database, then renamed; the file `CURRENT` names the one to read and is replaced in one step.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, Engine, Select, func, select

from warehouse.dictionary import render_dictionary
from warehouse.engine import reading
from warehouse.errors import WarehouseError
from warehouse.fingerprint import hash_content, published
from warehouse.marts import RELEASED, select_region_year
from warehouse.parquet import arrow_schema, count_readable, write_query, write_rows
from warehouse.schema import STAR, dim_document, document_text
from warehouse.schema_dims import dim_load, dim_metric

POINTER = "CURRENT"
PACKAGE = "datapackage.json"
DICTIONARY = "dictionary.md"
WHOLE_PERIOD = ("final", "later_report")
"""What a wide table shows: a part-year figure never stands for a year."""


@dataclass(frozen=True, slots=True)
class Release:
    name: str
    path: Path
    """Its folder."""
    fingerprint: str
    is_new: bool
    """False: the same state had been released before; its files were left as they are."""
    rows: dict[str, int]


def make_release(engine: Engine, folder: Path, keep: int) -> Release:
    """Write the published state below `folder` and keep the last `keep` releases.

    Raises WarehouseError when nothing was loaded yet, a file cannot be written, or a check finds a difference;
    the current release then stays as it was.
    """
    try:
        with reading(engine) as conn:
            release = _make(conn, folder)
        _point_to(folder, release.name)
        _prune(folder, keep, release.name)
    except OSError as error:
        raise WarehouseError(
            f"release {folder}: {error.strerror or error}; check the folder's permissions and the free space"
        ) from error
    return release


def current_release(folder: Path) -> Path | None:
    """The release to read, or None before the first one."""
    try:
        name = (folder / POINTER).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    return folder / name


def _make(conn: Connection, folder: Path) -> Release:
    last_load = conn.execute(select(func.max(dim_load.c.published_at))).scalar_one()
    if last_load is None:
        raise WarehouseError("nothing has been loaded yet, so there is nothing to release; run `fazhi nightly` first")
    mark = hash_content(conn)
    name = f"{last_load.astimezone(UTC):%Y-%m-%d}_{mark[:8]}"
    target = folder / name
    if (target / PACKAGE).is_file():
        resources = json.loads((target / PACKAGE).read_text(encoding="utf-8"))["resources"]
        return Release(name, target, mark, False, {one["name"]: one["rows"] for one in resources})
    draft = folder / f".{name}.{os.getpid()}"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        rows = _write(conn, draft, name, mark, last_load)
        _sync(draft)
        draft.replace(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return Release(name, target, mark, True, rows)


def _write(conn: Connection, draft: Path, name: str, mark: str, last_load: datetime) -> dict[str, int]:
    resources: list[dict[str, Any]] = []
    for title, query, about in _queries():
        path = draft / f"{title}.parquet"
        written = write_query(conn, query, path)
        stored = conn.execute(select(func.count()).select_from(query.order_by(None).subquery())).scalar_one()
        schema = arrow_schema(query)
        _check(path, written, stored, schema)
        comments = {column.name: getattr(column, "comment", None) or "" for column in query.selected_columns}
        resources.append(_resource(path, written, schema, about, comments))
    for section, schema, lines in _wide_tables(conn):
        path = draft / f"mart_region_year_{section}.parquet"
        written = write_rows(iter(lines), schema, path)
        _check(path, written, len(lines), schema)
        about = "One row per authority and year, one column per metric; empty where no whole-period figure is known."
        resources.append(_resource(path, written, schema, about, {}))
    (draft / DICTIONARY).write_text(render_dictionary(), encoding="utf-8")
    package = {
        "name": "fazhi",
        "title": "Figures of local governments' yearly rule-of-law reports, each with its sentence",
        "version": name,
        "fingerprint": mark,
        "last_load_at": last_load.astimezone(UTC).isoformat(),
        "resources": resources,
    }
    text = json.dumps(package, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    (draft / PACKAGE).write_text(text, encoding="utf-8")
    return {one["name"]: one["rows"] for one in resources}


def _queries() -> Iterator[tuple[str, Select[Any], str]]:
    """Name, select and description of every file but the wide ones."""
    for table in STAR:
        if table is not document_text:
            yield table.name, published(table), table.comment or ""
    text, reports = document_text.c, select(dim_document.c.text_key).where(dim_document.c.is_report)
    names = (text.text_key, text.document_id, text.text_hash, text.text_origin, text.text)
    query = select(*names).where(text.text_key.in_(reports)).order_by(text.text_key)
    yield document_text.name, query, "One row per report and normalised text. Texts of notices are left out."
    for mart, make in RELEASED.items():
        yield mart, make(), make.__doc__ or ""


def _wide_tables(conn: Connection) -> Iterator[tuple[str, pa.Schema, list[tuple[Any, ...]]]]:
    """Per section of the catalogue one table: authorities and years down, metrics across."""
    chosen = select(dim_metric.c.section, dim_metric.c.metric_code).where(dim_metric.c.metric_key >= 0)
    sections: dict[str, list[str]] = {}
    for section, code in conn.execute(chosen.order_by(dim_metric.c.section, dim_metric.c.metric_code)):
        sections.setdefault(section, []).append(code)
    names = ("region_code", "province_zh", "city_zh", "region_zh", "agency_zh")
    cells: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = {section: {} for section in sections}
    for row in conn.execute(select_region_year()).mappings():
        is_plain = row["basis"] == "period" and not row["scope"] and not row["dimension"]
        if is_plain and row["chosen_by"] in WHOLE_PERIOD and row["period_id"] == str(row["year"]):
            head = (*(row[name] for name in names), row["year"])
            cells[row["section"]].setdefault(head, {})[row["metric_code"]] = row["value_num"]
    amount = pa.decimal128(24, 6)
    for section, codes in sections.items():
        fields = [pa.field(name, pa.string()) for name in names] + [pa.field("year", pa.int32())]
        schema = pa.schema(fields + [pa.field(code, amount) for code in codes])
        heads = sorted(cells[section], key=lambda head: [str(part or "") for part in head])
        yield section, schema, [(*head, *(cells[section][head].get(code) for code in codes)) for head in heads]


def _check(path: Path, written: int, stored: int, schema: pa.Schema) -> None:
    found = count_readable(path, schema)
    if not found == written == stored:
        raise WarehouseError(
            f"release file {path.name}: {found} rows can be read, {written} were written, the warehouse has {stored}; "
            "the release was dropped, the one before stays current: please report this"
        )


def _resource(path: Path, rows: int, schema: pa.Schema, about: str, comments: dict[str, str]) -> dict[str, Any]:
    data = path.read_bytes()
    return {
        "name": path.stem,
        "path": path.name,
        "format": "parquet",
        "description": about,
        "rows": rows,
        "bytes": len(data),
        "hash": f"sha256:{hashlib.sha256(data).hexdigest()}",
        "schema": {
            "fields": [
                {"name": one.name, "type": str(one.type), "description": comments.get(one.name, "")} for one in schema
            ]
        },
    }


def _sync(draft: Path) -> None:
    """The files are on the disk before the folder gets its name."""
    for path in draft.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())


def _point_to(folder: Path, name: str) -> None:
    pointer = folder / POINTER
    if pointer.is_file() and pointer.read_text(encoding="utf-8").strip() == name:
        return
    draft = folder / f".{POINTER}.{os.getpid()}"
    draft.write_text(name + "\n", encoding="utf-8")
    draft.replace(pointer)


def _prune(folder: Path, keep: int, current: str) -> None:
    """Keep the newest releases, and always the current one; other folders are nobody's business here."""
    found = []
    for package in folder.glob(f"*/{PACKAGE}"):
        told = json.loads(package.read_text(encoding="utf-8"))
        if told.get("version") == package.parent.name:
            found.append((package.parent.name == current, told["last_load_at"], package.parent))
    for _, _, old in sorted(found, reverse=True)[keep:]:
        shutil.rmtree(old)
