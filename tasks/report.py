"""The run report, built from what the steps returned and what the warehouse now holds. No Prefect here."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from fazhi.report import Finding, HostLine, RunReport, SourceLine
from fazhi.settings import Settings
from warehouse.engine import Engine
from warehouse.findings import findings, never_applied, verdicts
from warehouse.fingerprint import fingerprint
from warehouse.health import totals

if TYPE_CHECKING:
    from warehouse.release import Release

FINDINGS_SHOWN = 3


def _find_shown(engine: Engine, regions: set[str]) -> list[dict[str, Any]]:
    """The first findings that have a sentence. Nearly all have one; to look for those of all costs a question each."""
    few = [row for row in findings(engine, regions=regions, limit=10 * FINDINGS_SHOWN) if row["quote"]]
    if len(few) < FINDINGS_SHOWN:
        few = [row for row in findings(engine, regions=regions) if row["quote"]]
    return few[:FINDINGS_SHOWN]


def build_report(
    engine: Engine,
    run_id: str,
    started_at: datetime,
    seconds: float,
    lines: tuple[SourceLine, ...],
    is_changed: bool,
    settings: Settings,
    made: Release | None,
    hosts: tuple[HostLine, ...],
    notes: tuple[str, ...],
) -> RunReport:
    """The figures come from the warehouse itself, so the report cannot promise what was not published.

    `is_changed`: whether any load of the run changed content. What was before is then not looked at. A release has
    hashed all that is published; without one there are no documents, and a fingerprint has little to read."""
    mark = fingerprint(engine) if made is None else made.fingerprint
    shown = _find_shown(engine, {line.source_id.partition("_")[0] for line in lines})
    return RunReport(
        run_id=run_id,
        started_at=started_at.isoformat(timespec="seconds"),
        seconds=seconds,
        sources=lines,
        totals=totals(engine),
        verdicts=verdicts(engine),
        findings=tuple(Finding(**row) for row in shown),
        fingerprint_before="" if is_changed else mark,
        fingerprint_after=mark,
        warehouse=settings.shown_warehouse,
        release=str(made.path) if made is not None else None,
        never_applied=tuple(never_applied(engine)),
        hosts=hosts,
        notes=notes,
    )
