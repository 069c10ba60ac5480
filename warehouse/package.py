"""`datapackage.json`: what a release holds, in the words of the Data Package standard, Chinese beside English."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from sqlalchemy import Connection, Table, select

from warehouse.fingerprint import published
from warehouse.schema import STAR
from warehouse.schema_dims import dim_source, dim_unit
from warehouse.wording import describe_column, describe_table

if TYPE_CHECKING:
    from warehouse.release_files import File

LICENSES = (
    {
        "name": "Apache-2.0",
        "title": "Apache License 2.0: tables, names and descriptions made by this project",
        "title_zh": "Apache 许可证 2.0：本项目编制的数据表、名称与说明",
        "path": "https://www.apache.org/licenses/LICENSE-2.0",
    },
    {
        "name": "official-documents",
        "title": "Texts and quotes: official documents of state organs, Copyright Law of the PRC, Article 5 (1); "
        "give the document's address with a quote",
        "title_zh": "报告原文与引文：国家机关公文，见《著作权法》第五条第（一）项；引用时请注明文件地址",
    },
)


@dataclass(frozen=True, slots=True)
class _Kind:
    name: str
    said_of: tuple[str, ...]


_FIELD_TYPES = (
    _Kind("boolean", ("bool",)),
    _Kind("integer", ("int",)),
    _Kind("number", ("decimal", "double", "float")),
    _Kind("datetime", ("timestamp",)),
    _Kind("date", ("date",)),
    _Kind("string", ("string", "binary")),
)


def describe_package(
    conn: Connection, tables: Mapping[str, list[File]], schemas: Mapping[str, pa.Schema], name: str, mark: str,
    last_load: datetime,
) -> dict[str, Any]:  # fmt: skip
    """The whole description of a release."""
    star = {table.name: table for table in STAR}
    return {
        "name": "fazhi",
        "title": "Figures of local governments' yearly rule-of-law reports, each with its sentence",
        "title_zh": "地方政府法治政府建设年度报告中的数据，每个数字都附原句",
        "version": name,
        "fingerprint": mark,
        "last_load_at": last_load.astimezone(UTC).isoformat(),
        "licenses": list(LICENSES),
        "sources": _sources(conn),
        "units": _units(conn),
        "resources": [_resource(table, files, schemas[table], star.get(table)) for table, files in tables.items()],
    }


def field_type(kind: pa.DataType) -> str:
    """The standard's word for an Arrow type."""
    return next(known.name for known in _FIELD_TYPES if str(kind).startswith(known.said_of))


def _resource(name: str, files: list[File], schema: pa.Schema, table: Table | None) -> dict[str, Any]:
    about = describe_table(name)
    paths = [file.path for file in files]
    whole = hashlib.sha256("".join(file.sha256 for file in files).encode()).hexdigest()
    return {
        "name": name,
        "path": paths if "/" in paths[0] else paths[0],
        "format": "parquet",
        "mediatype": "application/vnd.apache.parquet",
        "description": about.en,
        "description_zh": about.zh,
        "rows": sum(file.rows for file in files),
        "bytes": sum(file.bytes for file in files),
        "hash": f"sha256:{files[0].sha256 if '/' not in paths[0] else whole}",
        "parts": [
            {"path": file.path, "rows": file.rows, "bytes": file.bytes, "hash": f"sha256:{file.sha256}"}
            for file in files
        ],
        "schema": _schema(name, schema, table),
    }


def _schema(name: str, schema: pa.Schema, table: Table | None) -> dict[str, Any]:
    fields = []
    for one in schema:
        said = describe_column(name, one.name)
        fields.append(
            {
                "name": one.name,
                "type": field_type(one.type),
                "arrow_type": str(one.type),
                "description": said.en,
                "description_zh": said.zh,
            }
        )
    told: dict[str, Any] = {"fields": fields}
    if table is not None:
        told["primaryKey"] = [column.name for column in table.primary_key]
        links = [
            (column.name, *key.target_fullname.split("."))
            for column in table.columns
            if column.name in schema.names
            for key in column.foreign_keys
        ]
        told["foreignKeys"] = [
            {"fields": [here], "reference": {"resource": there, "fields": [key]}} for here, there, key in links
        ]
    return told


def _sources(conn: Connection) -> list[dict[str, Any]]:
    rows = conn.execute(published(dim_source).where(dim_source.c.is_current, dim_source.c.source_key >= 0)).mappings()
    found = []
    for row in sorted(rows, key=lambda one: str(one["source_id"])):
        hosts = json.loads(row["hosts"])
        source = {"name": row["source_id"], "title": row["name_en"], "title_zh": row["name_zh"]}
        if hosts:
            source["path"] = f"http://{hosts[0]}/"
        if row["is_sandbox"]:
            source["note"] = "fictional place of the demonstration"
        found.append(source)
    return found


def _units(conn: Connection) -> list[dict[str, Any]]:
    unit = dim_unit.c
    rows = conn.execute(select(dim_unit).where(unit.unit_key >= 0).order_by(unit.unit_code)).mappings()
    return [
        {"code": row["unit_code"], "meaning": row["meaning"], "written_zh": json.loads(row["written_zh"])}
        for row in rows
    ]
