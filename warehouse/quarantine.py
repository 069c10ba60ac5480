"""Rows set aside by the data tests: kept with the reason, found again, tried again, settled by the load that passes.

A row waits until its document is read again. What then passes is loaded and the row is resolved, with the load; what
fails stays, with the new reason. A row is never deleted. The same failure again is the same row.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select

from warehouse.among import among_given
from warehouse.columns import Row
from warehouse.data_tests import Rejected
from warehouse.dim_rows import source_key
from warehouse.errors import WarehouseError
from warehouse.keys import NOT_APPLICABLE, key_of
from warehouse.raw import ask
from warehouse.schema import document_text, page, quarantine
from warehouse.schema_dims import dim_load, dim_source
from warehouse.upsert import CHUNK, insert_rows, merge_rows

Record = dict[str, Any]
Version = tuple[str, str]
"""document_id, text_hash."""

DOCUMENT = "dim_document"
"""Target of a row that stands for a whole document, which is not in the warehouse at all."""

AROUND = 60
"""Characters of text shown on either side of a figure."""

SAID = ("test", "reason", "way_back", "payload")
PLACE = ("start", "end", "metric", "rule", "period", "formula")
"""What names a row within its document, whatever is wrong with it."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What a load looked at: who, when, which of it was tested."""

    source_id: str
    run_id: str
    moment: datetime
    load_key: int
    tested: frozenset[Version]
    """Document versions whose figures were tested."""
    accepted: frozenset[str]
    """Documents that passed as documents."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What a load did to the quarantine."""

    added: int
    resolved: int
    failed: int
    """Rows that were there, were tried again, and stay."""


def settle(conn: Connection, visit: Visit, rejected: Iterable[Rejected], *, is_retry: bool = False) -> Settled:
    """Set aside what failed, and resolve what was set aside before and passes now."""
    failing = list(rejected)
    names = {one.document_id for one in failing} | {name for name, _ in visit.tested} | visit.accepted
    stored = _read_rows(conn, sorted(names))
    waiting = [row for row in stored if row["resolved_at"] is None and _is_visited(row, visit, failing)]
    kept, added = _match(visit, failing, stored)
    for row in kept.values():
        row.update(resolved_at=None, resolved_load_key=NOT_APPLICABLE)
        if is_retry:
            row["tried_at"] = visit.moment
    done = [row for row in waiting if row["quarantine_key"] not in kept]
    for row in done:
        row.update(resolved_at=visit.moment, resolved_load_key=visit.load_key)
        if is_retry:
            row["tried_at"] = visit.moment
    insert_rows(conn, quarantine, added)
    merge_rows(conn, quarantine, [*kept.values(), *done])
    return Settled(len(added), len(done), len(kept))


def _is_visited(row: Row, visit: Visit, failing: Sequence[Rejected]) -> bool:
    """Whether a load says anything about a row: its document was accepted or refused, its version's figures tested."""
    if row["target"] == DOCUMENT:
        refused = {one.document_id for one in failing if one.target == DOCUMENT}
        return row["document_id"] in visit.accepted and row["document_id"] not in refused
    return (row["document_id"], row["text_hash"]) in visit.tested


def _match(visit: Visit, failing: Sequence[Rejected], stored: Sequence[Row]) -> tuple[dict[int, Row], list[Row]]:
    """Failures that have a row already (by key, with what is wrong now), and rows for the others.

    The same failure has its row; another failure at the same place takes over a row that waits there."""
    by_content = {_content(row): row for row in stored}
    kept: dict[int, Row] = {}
    others: list[Rejected] = []
    for one in failing:
        row = by_content.get(_content_of(one))
        if row is None:
            others.append(one)
        else:
            kept[row["quarantine_key"]] = row
    places: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in stored:
        if row["quarantine_key"] not in kept and row["resolved_at"] is None:
            places[_place(row["document_id"], row["text_hash"], row["target"], row["payload"])].append(row)
    by_key = {row["quarantine_key"]: row for row in stored}
    added: dict[int, Row] = {}
    for one in others:
        fresh = _row(visit, one)
        there = places.get(_place(one.document_id, one.text_hash, one.target, one.payload))
        row = there.pop(0) if there else by_key.get(fresh["quarantine_key"])
        if row is None or row["quarantine_key"] in kept:
            added[fresh["quarantine_key"]] = fresh
        else:
            row.update({name: fresh[name] for name in SAID})
            kept[row["quarantine_key"]] = row
    return kept, [row for key, row in added.items() if key not in kept]


def _row(visit: Visit, one: Rejected) -> Row:
    key = key_of("quarantine", one.document_id, one.text_hash, one.target, one.test, one.reason, one.payload)
    return {
        "quarantine_key": key,
        "source_key": source_key(visit.source_id),
        "document_id": one.document_id,
        "text_hash": one.text_hash,
        "target": one.target,
        "test": one.test,
        "reason": one.reason,
        "way_back": one.way_back,
        "payload": one.payload,
        "run_id": visit.run_id,
        "quarantined_at": visit.moment,
        "tried_at": None,
        "resolved_at": None,
        "resolved_load_key": NOT_APPLICABLE,
    }


def _content(row: Row) -> tuple[str, ...]:
    return (row["document_id"], row["text_hash"], row["target"], row["test"], row["reason"], row["payload"])


def _content_of(one: Rejected) -> tuple[str, ...]:
    return (one.document_id, one.text_hash, one.target, one.test, one.reason, one.payload)


def _place(document_id: str, text_hash: str, target: str, payload: str) -> tuple[Any, ...]:
    if target == DOCUMENT:
        return (document_id, target)
    told = json.loads(payload)
    return (document_id, text_hash, target, *(str(told.get(name)) for name in PLACE))


def _read_rows(conn: Connection, document_ids: Sequence[str]) -> list[Row]:
    rows: list[Row] = []
    for start in range(0, len(document_ids), CHUNK):
        found = ask(conn, _OF_DOCUMENTS, {"keys": list(document_ids[start : start + CHUNK])})
        rows.extend(dict(zip(quarantine.columns.keys(), row, strict=True)) for row in found)
    return rows


_OF_DOCUMENTS = select(quarantine).where(among_given(quarantine.c.document_id)).order_by(quarantine.c.quarantine_key)


def list_rows(
    conn: Connection, test: str | None = None, source: str | None = None, document: str | None = None,
    *, with_resolved: bool = False, limit: int | None = None,
) -> list[Record]:  # fmt: skip
    """Rows that wait, the newest first; `document` is a part of the address."""
    chosen = _filtered(_everything(), test, source, document, with_resolved)
    order = (quarantine.c.quarantined_at.desc(), quarantine.c.quarantine_key)
    return [dict(row) for row in conn.execute(chosen.order_by(*order).limit(limit)).mappings()]


def count_rows(
    conn: Connection, test: str | None = None, source: str | None = None, document: str | None = None,
    *, with_resolved: bool = False,
) -> list[Record]:  # fmt: skip
    """Rows and documents by source and data test, the most frequent first."""
    names = (dim_source.c.source_id, quarantine.c.test)
    counts = select(
        *names,
        func.count().label("rows"),
        func.count(func.distinct(quarantine.c.document_id)).label("documents"),
    )
    chosen = _filtered(_from_quarantine(counts), test, source, document, with_resolved)
    order = (func.count().desc(), *names)
    return [dict(row) for row in conn.execute(chosen.group_by(*names).order_by(*order)).mappings()]


def show_row(conn: Connection, key: int) -> Record:
    """A row with its figure's surroundings (None where the text is not in the warehouse). Raises WarehouseError."""
    row = conn.execute(_everything().where(quarantine.c.quarantine_key == key)).mappings().one_or_none()
    if row is None:
        raise WarehouseError(f"no row {key} in quarantine: `fazhi quarantine list` shows them")
    record = dict(row) | {"payload": json.loads(row["payload"]), "around": None}
    chosen = select(document_text.c.text).where(
        document_text.c.document_id == row["document_id"], document_text.c.text_hash == row["text_hash"]
    )
    text, payload = conn.execute(chosen).scalar_one_or_none(), record["payload"]
    if text is not None and isinstance(payload.get("start"), int) and isinstance(payload.get("end"), int):
        start, end = sorted((min(max(payload["start"], 0), len(text)), min(max(payload["end"], 0), len(text))))
        record["around"] = (text[max(start - AROUND, 0) : start], text[start:end], text[end : end + AROUND])
    return record


def waiting_rows(conn: Connection, keys: Collection[int] | None) -> list[Record]:
    """Rows to try again: those asked for, or all that wait. Raises WarehouseError for one that is not there."""
    if keys is None:
        return list_rows(conn)
    rows = [row for row in list_rows(conn, with_resolved=True) if row["quarantine_key"] in set(keys)]
    missing = sorted(set(keys) - {row["quarantine_key"] for row in rows})
    if missing:
        raise WarehouseError(f"no row {missing[0]} in quarantine: `fazhi quarantine list` shows them")
    return [row for row in rows if row["resolved_at"] is None]


def raw_pages(conn: Connection, document_id: str) -> list[Record]:
    """Where the raw answers of a document lie, the newest first."""
    chosen = select(page).where(page.c.document_id == document_id, page.c.snapshot_file.is_not(None))
    return [dict(row) for row in conn.execute(chosen.order_by(page.c.last_seen_at.desc(), page.c.page_key)).mappings()]


def _everything() -> Select[Any]:
    names = (quarantine, dim_source.c.source_id, dim_load.c.run_id.label("resolved_run_id"))
    return _from_quarantine(select(*names)).join(dim_load, dim_load.c.load_key == quarantine.c.resolved_load_key)


def _from_quarantine(chosen: Select[Any]) -> Select[Any]:
    return chosen.select_from(quarantine).join(dim_source, dim_source.c.source_key == quarantine.c.source_key)


def _filtered(
    chosen: Select[Any], test: str | None, source: str | None, document: str | None, with_resolved: bool
) -> Select[Any]:
    if test is not None:
        chosen = chosen.where(quarantine.c.test == test)
    if source is not None:
        chosen = chosen.where(dim_source.c.source_id == source)
    if document is not None:
        chosen = chosen.where(quarantine.c.document_id.contains(document, autoescape=True))
    return chosen if with_resolved else chosen.where(quarantine.c.resolved_at.is_(None))
