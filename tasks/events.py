"""What a run tells beyond itself: events of Prefect, on which automations notify people (deployments/automations)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby
from operator import itemgetter
from typing import Any

from prefect.events import emit_event

from fazhi.report import SourceLine
from tasks.mass_change import HELD_BACK

MASS_SHARE = 0.5
"""Of the documents that were held of a source: when more of them have changed or gone in one run, somebody looks. It
holds nothing back: pages that are gone keep their figures, and of those that change `tasks.mass_change` counts them."""
MASS_FLOOR = 5
"""Changed or gone documents below which a share says nothing."""


class Event(StrEnum):
    """Names of the events. The resource is `fazhi.source.<id>`, or `fazhi.run` for what concerns no single source."""

    BLOCKED = "fazhi.source.blocked"
    SILENT = "fazhi.source.silent"
    LAYOUT_CHANGED = "fazhi.source.layout-changed"
    MASS_CHANGE = "fazhi.facts.mass-change"
    RESTATEMENT = "fazhi.facts.restatement"
    CHECKS_FAILED = "fazhi.checks.failed"


@dataclass(frozen=True, slots=True)
class Told:
    """One event, before it is sent."""

    event: Event
    source_id: str
    told: str
    """One line for a person, bilingual."""
    payload: Mapping[str, Any] = field(default_factory=dict)


def tell(event: Event, resource_id: str, payload: Mapping[str, Any]) -> None:
    """Send one event. Where no server listens, nobody is told, and the run goes on."""
    emit_event(event.value, resource={"prefect.resource.id": resource_id}, payload=dict(payload))


def tell_all(events: Sequence[Told]) -> None:
    """Send the events of a run. Each says how many of its kind there are: a notice of one tells of all."""
    sums = Counter(one.event for one in events)
    for one in events:
        payload = {**one.payload, "source": one.source_id, "told": one.told, "in_run": sums[one.event]}
        tell(one.event, f"fazhi.source.{one.source_id}", payload)


def events_of(
    lines: Iterable[SourceLine],
    drifts: Mapping[str, str],
    health: Iterable[Mapping[str, Any]],
    brought: Iterable[Mapping[str, Any]],
) -> list[Told]:
    """What is worth telling of a run, in order of the sources.

    `drifts`: evidence of a changed layout, by source. `health`: rows of `warehouse.health.source_health`. `brought`:
    rows of `warehouse.findings.brought_by`, the failed checks that this run brought, those of a source together."""
    rows = {row["source_id"]: row for row in health}
    found: list[Told] = []
    for line in lines:
        found += _of_source(line, drifts.get(line.source_id), rows.get(line.source_id, {}))
    return found + [told for _, rows in groupby(brought, key=itemgetter("source_id")) for told in _of_checks([*rows])]


def _of_checks(rows: Sequence[Mapping[str, Any]]) -> list[Told]:
    """Of one source: an event for each rule that found a restatement, and one for all other rules together. An event
    for each of them would be most of what the server has to keep of a night."""
    restated = [row for row in rows if row["kind"] == "prior_restatement"]
    others = [row for row in rows if row["kind"] != "prior_restatement"]
    found = []
    for event, some in [*((Event.RESTATEMENT, [row]) for row in restated), (Event.CHECKS_FAILED, others)]:
        if some:
            names = "; ".join(f"{row['n']} {row['name_zh']} {row['name_en']}" for row in some)
            first = f"{some[0]['message_zh']} {some[0]['message_en']}"
            payload = {"rules": {row["rule"]: row["n"] for row in some}, "n": sum(row["n"] for row in some)}
            source_id = some[0]["source_id"]
            words = f"{source_id}: {names}: {first}"
            found.append(Told(event, source_id, words, payload | {"first": some[0]["message_en"]}))
    return found


def _of_source(line: SourceLine, drift: str | None, health: Mapping[str, Any]) -> list[Told]:
    name = f"{line.source_id} {line.name_zh} {line.name_en}"
    found = []
    if line.counts.get("blocked"):
        why = next((note for note in line.notes if note.startswith("blocked by")), "")
        n = line.counts["blocked"]
        words = f"{name}: blocked 受阻, {n} pages 页; {why or (line.failures[0] if line.failures else '')}"
        found.append(Told(Event.BLOCKED, line.source_id, words, {"n": n}))
    if drift is not None:
        found.append(Told(Event.LAYOUT_CHANGED, line.source_id, f"{name}: {drift}"))
    if health.get("health") == "overdue":
        last = health.get("last_report_year") or "none 无"
        words = f"{name}: silent beyond its rhythm 逾期无新报告; last report 最近年度 {last}"
        found.append(Told(Event.SILENT, line.source_id, words, {"last_report_year": health.get("last_report_year")}))
    held_back = next((why for why in line.failures if HELD_BACK in why), None)
    if held_back is not None:
        found.append(Told(Event.MASS_CHANGE, line.source_id, f"{name}: {held_back}"))
    n_lost = line.counts.get("changed", 0) + line.counts.get("gone", 0)
    held = int(health.get("documents") or 0) - line.counts.get("new", 0)  # as many as there were before
    if n_lost >= MASS_FLOOR and n_lost > MASS_SHARE * held:
        words = f"{name}: {n_lost} of {held} documents changed or gone in one run 一次运行中变更或消失"
        found.append(Told(Event.MASS_CHANGE, line.source_id, words, {"n": n_lost, "held": held}))
    return found
