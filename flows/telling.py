"""What a run shows in Prefect's UI while it lasts and at its end, and the events that it sends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from prefect.artifacts import (
    acreate_markdown_artifact,
    acreate_progress_artifact,
    acreate_table_artifact,
    aupdate_progress_artifact,
)
from prefect.logging import get_run_logger

from connectors.drift import Drift
from connectors.quiet import SHANGHAI
from fazhi.report import RunReport, SourceLine
from fazhi.settings import Settings
from tasks.events import events_of, tell_all
from tasks.progress import Reporter, reporter, use_reporter
from warehouse.brought import changes_of
from warehouse.engine import Engine
from warehouse.findings import brought_by
from warehouse.health import source_health
from warehouse.patience import retried

PROGRESS_SECONDS = 5.0
"""Between two updates of the progress: an update is a request to the server."""
LAST_TRIES = 3
"""Of the last update: a busy server that misses it would show a run that has ended as one that goes on."""
SHOWN = 200
"""Rows of a table in the UI; all of them are in the warehouse."""


def now_said() -> str:
    """The time as names of runs give it: that of the portals."""
    return f"{datetime.now(SHANGHAI):%Y-%m-%d %H:%M}"


class _Share:
    """How much of a run is done, in percent; passes on to whoever watches besides."""

    def __init__(self, n_sources: int, besides: Reporter) -> None:
        self.n_sources = max(1, n_sources)
        self.besides = besides
        self.parts: dict[str, float] = {}
        self.is_over = asyncio.Event()

    @property
    def percent(self) -> float:
        return round(100 * sum(self.parts.values()) / self.n_sources, 1)

    def say(self, text: str) -> None:
        self.besides.say(text)

    def update(self, source_id: str, stage: str, done: int, planned: int) -> None:
        if planned:  # the last tenth is the reading and loading
            self.parts[source_id] = max(self.parts.get(source_id, 0.0), 0.9 * min(1.0, done / planned))
        self.besides.update(source_id, stage, done, planned)

    def finish(self, source_id: str, outcome: str) -> None:
        self.parts[source_id] = 1.0
        self.besides.finish(source_id, outcome)


@asynccontextmanager
async def shown_progress(n_sources: int, key: str) -> AsyncIterator[None]:
    """A progress artifact that follows the sources of a run while it lasts."""
    share = _Share(n_sources, reporter())
    following = asyncio.create_task(_follow(share, key, f"{n_sources} sources"))
    try:
        with use_reporter(share):
            yield
    finally:
        share.is_over.set()
        await following


async def _follow(share: _Share, key: str, described: str) -> None:
    """Until the run's crawl is over. A server that is away costs the progress, and not the night."""
    artifact: UUID | None = None
    shown, n_left = -1.0, LAST_TRIES
    while n_left:
        is_last, percent = share.is_over.is_set(), share.percent  # it may rise while the server is being told
        if percent != shown:
            try:
                if artifact is None:
                    artifact = await acreate_progress_artifact(percent, key=key, description=described)
                else:
                    await aupdate_progress_artifact(artifact, progress=percent)
                shown = percent
            except Exception as error:  # noqa: BLE001 - whatever the client of a server that is away raises
                get_run_logger().warning("the progress is not shown: %s", error)
        if is_last:
            n_left = n_left - 1 if share.percent != shown else 0
        else:
            with suppress(TimeoutError):
                await asyncio.wait_for(share.is_over.wait(), PROGRESS_SECONDS)


async def show_report(engine: Engine, settings: Settings, report: RunReport, drifts: Mapping[str, Drift]) -> None:
    """The report, its tables, repairs where layouts have changed, and the events."""
    changes = await asyncio.to_thread(retried(changes_of), engine, report.run_id, SHOWN)
    brought = await asyncio.to_thread(retried(brought_by), engine, report.run_id)
    health = await asyncio.to_thread(retried(source_health), engine)
    told = {source_id: "; ".join(drift.evidence) for source_id, drift in drifts.items()}
    tell_all(events_of(report.sources, told, health, brought))
    get_run_logger().info("%s", report.headline())
    try:
        await _show_artifacts(Links(settings.explorer_url), report, brought, changes, drifts)
    except Exception as error:  # noqa: BLE001 - a server that is away must not cost a night that is loaded and released
        get_run_logger().warning("the report of run %s is not shown in Prefect: %s", report.run_id, error)


async def _show_artifacts(
    links: Links, report: RunReport, brought: Sequence[Mapping[str, Any]], changes: Sequence[Mapping[str, Any]],
    drifts: Mapping[str, Drift],
) -> None:  # fmt: skip
    await acreate_markdown_artifact(
        report.markdown() + links.of_run(report.run_id), key="run-report", description=report.headline()
    )
    await acreate_table_artifact(report.rows(), key="run-report-sources", description="One row per source")
    if brought:
        rows = [links.finding(row) for row in brought[:SHOWN]]
        await acreate_table_artifact(rows, key="run-report-findings", description="Failed checks that this run brought")
    if changes:
        rows = [links.change(row) for row in changes]
        await acreate_table_artifact(rows, key="run-report-changes", description="What changed, fact by fact")
    await _show_repairs(drifts)


class Links:
    """Addresses in the explorer; nothing where FAZHI_EXPLORER_URL is not set."""

    def __init__(self, base: str | None) -> None:
        self.base = base.rstrip("/") if base else None

    def of_run(self, run_id: str) -> str:
        if self.base is None:
            return ""
        return f"\nIn the explorer 浏览: [this run]({self.base}/runs/{run_id}), [findings]({self.base}/findings)\n"

    def finding(self, row: Mapping[str, Any]) -> dict[str, Any]:
        shown = {
            "source": row["source_id"],
            "rule": row["rule"],
            "name": f"{row['name_zh']} {row['name_en']}",
            "n": row["n"],
            "first": f"{row['message_zh']} {row['message_en']}",
        }
        return self._with_link(shown, f"/findings?rule={row['rule']}&source={row['source_id']}")

    def change(self, row: Mapping[str, Any]) -> dict[str, Any]:
        names = ("what", "metric", "period", "before", "after", "quote", "title")
        shown = {"source": row["source_id"]} | {name: row[name] or "" for name in names}
        return self._with_link(shown, f"/documents/{row['document_key']}")

    def _with_link(self, row: dict[str, Any], path: str) -> dict[str, Any]:
        return row if self.base is None else row | {"link": f"[open]({self.base}{path})"}


async def _show_repairs(drifts: Mapping[str, Drift]) -> None:
    """One artifact for each source whose layout has changed: the evidence, and the repair where one is proposed."""
    for source_id, drift in drifts.items():
        lines = [f"# {source_id}: layout-changed 版式变更", *(f"- {words}" for words in drift.evidence)]
        lines.append(
            f"\nProposed repair of its YAML 建议:\n\n```yaml\n{drift.repair}\n```" if drift.repair else "\nNo repair."
        )
        key = f"repair-{source_id.replace('_', '-')}"
        await acreate_markdown_artifact("\n".join(lines), key=key, description="What changed, and how to mend it")


def log_source(line: SourceLine) -> None:
    """One line when a source has ended: a warning where it failed or was blocked."""
    log = get_run_logger()
    is_fine = line.status == "ok" and not line.counts.get("blocked")
    counts = ", ".join(f"{name} {count}" for name, count in line.counts.items() if count)
    why = f": {line.failures[0]}" if line.failures else ""
    (log.info if is_fine else log.warning)("%s %s (%s)%s", line.source_id, line.status, counts or "nothing", why)


def sentence(names: Sequence[str], what: str = "sources") -> str:
    """Some names, or how many there are."""
    return ", ".join(names) if 0 < len(names) <= 3 else f"{len(names)} {what}"
