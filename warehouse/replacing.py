"""Replace the facts of document versions: all of a version at once. What is alike stays as it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, delete, select

from warehouse.among import among
from warehouse.columns import Row
from warehouse.facts import TABLES, FactRows
from warehouse.schema import (
    bridge_check_observation,
    fact_check,
    fact_document_progress,
    fact_mention,
    fact_metric_value,
    fact_observation,
)
from warehouse.upsert import CHUNK, Changes, delete_rows, key_name, merge_rows, read_rows


@dataclass(frozen=True, slots=True)
class Replaced:
    """What changed, and the rows among it that now bear the load's key."""

    changes: Changes
    observations: int = 0
    mentions: int = 0


def replace_facts(conn: Connection, versions: Sequence[int], rows: FactRows) -> Replaced:
    """Facts of versions become these: what is no more goes first, with what refers to it."""
    if not versions:
        return Replaced(Changes())
    fresh = {table: rows.named(table) for table in TABLES}
    stale = {
        table: _stale(conn, table, table.c.document_key, versions, fresh[table])
        for table in (fact_observation, fact_mention, fact_check)
    }
    bridge = bridge_check_observation
    kept = {row["bridge_key"] for row in fresh[bridge]}
    of_checks = _keys(conn, bridge, bridge.c.check_key, _keys(conn, fact_check, fact_check.c.document_key, versions))
    of_figures = _keys(conn, bridge, bridge.c.observation_key, stale[fact_observation])
    changes = delete_rows(conn, bridge, sorted({*of_checks, *of_figures} - kept))
    for start in range(0, len(stale[fact_observation]), CHUNK):  # chosen again at once, from what is there then
        some = stale[fact_observation][start : start + CHUNK]
        conn.execute(delete(fact_metric_value).where(among(fact_metric_value.c.observation_key, some)))
    for table in (fact_check, fact_mention, fact_observation):
        changes.add(delete_rows(conn, table, stale[table]))
    written: dict[Table, int] = {}
    for table, wanted in fresh.items():
        merged = merge_rows(conn, table, wanted)
        written[table] = merged.total
        changes.add(merged)
    return Replaced(changes, written[fact_observation], written[fact_mention])


def _stale(conn: Connection, table: Table, column: Any, versions: Sequence[int], rows: Sequence[Row]) -> list[int]:
    name = key_name(table)
    return sorted(set(_keys(conn, table, column, versions)) - {row[name] for row in rows})


def _keys(conn: Connection, table: Table, column: Any, wanted: Sequence[int]) -> list[int]:
    """Keys of the rows whose column is one of the wanted."""
    found: list[int] = []
    for start in range(0, len(wanted), CHUNK):
        chosen = select(table.c[key_name(table)]).where(among(column, wanted[start : start + CHUNK]))
        found.extend(conn.execute(chosen).scalars())
    return found


def read_extractors(conn: Connection, versions: Sequence[int]) -> dict[int, str]:
    """Which extraction read the facts of versions that have any."""
    found: dict[int, str] = {}
    seen = fact_observation.c
    for start in range(0, len(versions), CHUNK):
        some = versions[start : start + CHUNK]
        chosen = select(seen.document_key, seen.extractor_version).where(among(seen.document_key, some)).distinct()
        found.update((row.document_key, row.extractor_version) for row in conn.execute(chosen))
    return found


def note_readings(conn: Connection, parsed_at: Mapping[int, datetime], load_key: int, now: datetime) -> None:
    """Versions, by key, were read once more at that time, and loaded now."""
    stored = read_rows(conn, fact_document_progress, list(parsed_at))
    again = [
        {**row, "parsed_at": parsed_at[key], "loaded_at": now, "load_key": load_key} for key, row in stored.items()
    ]
    merge_rows(conn, fact_document_progress, again)
