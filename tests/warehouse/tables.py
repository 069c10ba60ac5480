"""What the tables hold, for comparing."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from sqlalchemy import Engine, Table, select

from warehouse.fingerprint import HASHED
from warehouse.schema import (
    dim_document,
    fact_observation,
    metadata,
)
from warehouse.schema_dims import dim_date

A = "全年收到10件，受理8件，不予受理2件。出庭率95%。计划收到20件。"
B = "全年收到10件，受理7件，不予受理2件。"


def rows(engine: Engine, table: Table, *, with_audit: bool = False) -> list[dict[str, Any]]:
    names = [c for c in table.columns if with_audit or not c.info.get("audit")]
    with engine.connect() as conn:
        return [dict(r) for r in conn.execute(select(*names).order_by(*table.primary_key)).mappings()]


def content(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """Everything but the audit columns and the loads."""
    return {table.name: rows(engine, table) for table in (*HASHED, dim_date)}


def everything(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    return {table.name: rows(engine, table, with_audit=True) for table in metadata.tables.values() if table.primary_key}


def versions(engine: Engine, document_id: str) -> list[dict[str, Any]]:
    found = [r for r in rows(engine, dim_document, with_audit=True) if r["document_id"] == document_id]
    return sorted(found, key=lambda r: r["version_no"])


def check_validity(engine: Engine) -> None:
    """Half-open, no gap, no overlap, one current version, one that counts per text."""
    real = [r for r in rows(engine, dim_document, with_audit=True) if r["document_key"] >= 0]
    for document_id in {r["document_id"] for r in real}:
        found = versions(engine, document_id)
        assert [r["version_no"] for r in found] == list(range(1, len(found) + 1))
        assert [r["is_current"] for r in found] == [False] * (len(found) - 1) + [True]
        for earlier, later in pairwise(found):
            assert earlier["valid_from"] < earlier["valid_to"] == later["valid_from"]
        assert found[-1]["valid_to"] is None
    current = [r for r in real if r["is_current"]]
    for text_hash in {r["text_hash"] for r in current}:
        group = [r for r in current if r["text_hash"] == text_hash]
        counted = [r["document_id"] for r in group if r["is_counted"]]
        first = min(group, key=lambda r: (not r["is_report"], r["document_id"]))
        assert counted == [first["document_id"]] * (first["is_report"] or not first["is_parsed"])
    assert not any(r["is_counted"] for r in real if not r["is_current"])


def validity(engine: Engine) -> dict[int, Any]:
    """When each version holds."""
    return {r["document_key"]: (r["valid_from"], r["valid_to"]) for r in rows(engine, dim_document, with_audit=True)}


def facts_of(engine: Engine, version: dict[str, Any]) -> list[dict[str, Any]]:
    """Observations of a document version."""
    return [o for o in rows(engine, fact_observation) if o["document_key"] == version["document_key"]]
