"""How the warehouse and its sources are: what `fazhi status` and `fazhi sources` show."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, Table, func, select

from warehouse.engine import reading
from warehouse.findings import verdicts
from warehouse.fingerprint import hash_content
from warehouse.marts import select_source_health
from warehouse.marts_expected import select_expected_reports
from warehouse.schema import (
    dim_document,
    fact_check,
    fact_mention,
    fact_metric_value,
    fact_observation,
    fact_source_run,
    quarantine,
)
from warehouse.schema_dims import dim_load, dim_source

Record = dict[str, Any]


def totals(engine: Engine) -> dict[str, int]:
    """Rows in the warehouse now; documents and reports are current ones, a text at two addresses is one report."""
    doc = dim_document.c
    with reading(engine) as conn:
        counts = {
            "documents": _count(conn, dim_document, doc.is_current),
            "reports": _count(conn, dim_document, doc.is_counted, doc.is_report),
        }
        for name, table in (
            ("observations", fact_observation),
            ("mentions", fact_mention),
            ("metric_values", fact_metric_value),
            ("checks", fact_check),
            ("quarantine", quarantine),
        ):
            counts[name] = _count(conn, table)
    return counts


def status(engine: Engine) -> Record:
    """Fingerprint, counts, checks by verdict, the last loads, the last run of each source."""
    load = dim_load.c
    names = (load.run_id, load.source_id, load.published_at, load.n_inserted, load.n_updated, load.n_deleted)
    chosen = (
        select(*names, load.n_quarantined)
        .where(load.load_key >= 0)
        .order_by(load.published_at.desc(), load.load_key)
        .limit(10)
    )
    with reading(engine) as conn:
        mark = hash_content(conn)
        loads = [dict(row) for row in conn.execute(chosen).mappings()]
        runs = last_runs(conn)
    shown = (
        "run_id",
        "status",
        "started_at",
        "n_planned",
        "n_fetched",
        "n_unchanged",
        "n_new",
        "n_changed",
        "n_failed",
    )
    return {
        "fingerprint": mark,
        "rows": totals(engine),
        "checks": verdicts(engine),
        "last_loads": loads,
        "last_runs": [{"source_id": key} | {name: run[name] for name in shown} for key, run in runs.items()],
    }


def source_health(engine: Engine, now: datetime | None = None) -> list[Record]:
    """One record per source: `health` is `ok`, `failing`, `overdue` (last year's report is not there in time), or
    `empty` (crawled, and nothing found)."""
    now = now or datetime.now(UTC)
    doc = dim_document.c
    held = (
        select(dim_source.c.source_id, func.count(), func.max(doc.report_year))
        .join(dim_document, doc.source_key == dim_source.c.source_key)
        .where(doc.is_current)
        .group_by(dim_source.c.source_id)
    )
    with reading(engine) as conn:
        documents = {source_id: (n, year) for source_id, n, year in conn.execute(held)}
        runs = last_runs(conn)
        health = [dict(row) for row in conn.execute(select_source_health()).mappings()]
        for record in health:
            n, year = documents.get(record["source_id"], (0, None))
            last = runs.get(record["source_id"])
            record["documents"], record["last_report_year"] = n, year
            record["last_success_at"] = record.pop("last_ok_at")
            record["failing_since"] = _failing_since(conn, record) if last and last["status"] != "ok" else None
            record["last_failures"] = last["failures"] if last else []
            record["health"] = _health(record, now)
    return health


def expected_reports(engine: Engine) -> list[Record]:
    """One record per source and expected year: reports found, and the reason where there is none."""
    with reading(engine) as conn:
        return [dict(row) for row in conn.execute(select_expected_reports()).mappings()]


def last_runs(conn: Connection) -> dict[str, Record]:
    """The newest run of each source, by source_id."""
    run = fact_source_run.c
    recency = func.row_number().over(partition_by=run.source_key, order_by=(run.started_at.desc(), run.source_run_key))
    newest = (
        select(fact_source_run, dim_source.c.source_id, recency.label("recency"))
        .join(dim_source, dim_source.c.source_key == run.source_key)
        .subquery()
    )
    chosen = select(newest).where(newest.c.recency == 1).order_by(newest.c.source_id)
    runs = {row["source_id"]: dict(row) for row in conn.execute(chosen).mappings()}
    for record in runs.values():
        record["failures"] = json.loads(record["failures"])
    return runs


def _health(record: Record, now: datetime) -> str:
    if record["failing_since"] is not None:
        return "failing"
    if not record["documents"]:
        return "empty"
    due = now.year - 1 if now.month >= record["expected_month"] else now.year - 2
    is_late = record["last_report_year"] is None or record["last_report_year"] < due
    return "overdue" if is_late and not record["is_sandbox"] else "ok"


def _failing_since(conn: Connection, record: Record) -> datetime | None:
    """Start of the first failed run after the last good one."""
    run = fact_source_run.c
    chosen = (
        select(func.min(run.started_at))
        .join(dim_source, dim_source.c.source_key == run.source_key)
        .where(dim_source.c.source_id == record["source_id"], run.status != "ok")
    )
    if record["last_success_at"] is not None:
        chosen = chosen.where(run.started_at > record["last_success_at"])
    first: datetime | None = conn.execute(chosen).scalar_one()
    return first


def _count(conn: Connection, table: Table, *where: Any) -> int:
    (key,) = table.primary_key.columns
    chosen = select(func.count()).select_from(table).where(key >= 0, *where)
    return int(conn.execute(chosen).scalar_one())
