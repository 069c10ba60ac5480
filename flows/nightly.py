"""The nightly: crawl every source, load what is new or changed, check it, release it, report it."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from itertools import chain
from typing import Annotated

from prefect import flow, tags
from prefect.runtime import flow_run
from pydantic import Field

from connectors.errors import ContractBroken
from connectors.registry import Source, default_ids
from connectors.wish import Wish
from fazhi.house import load_all_sources
from fazhi.report import RunReport
from fazhi.settings import Settings
from flows.crawling import as_is, open_house, run_sources
from flows.own_server import end_server_with_us
from flows.sharing import share_sources
from flows.telling import now_said, sentence, show_report, shown_progress
from tasks.network import summarize_hosts
from tasks.progress import reporter
from tasks.release import release
from tasks.report import build_report
from tasks.watch import Watch, watch_run
from warehouse.health import totals
from warehouse.patience import retried
from warehouse.steps import reach

LONGEST = 22 * 3600
"""Seconds; a night or a backfill that is not done then ends, so that the next one is not cancelled because of it."""


class NothingWorked(Exception):
    """Every source has failed: the run has failed, so that an automation can tell of it. Its report is shown and kept
    all the same."""

    def __init__(self, report: RunReport) -> None:
        super().__init__(report.failure_line())
        self.report = report


def judge(report: RunReport) -> RunReport:
    """Raises NothingWorked: one source that fails costs no night, but of a night without any nobody would hear."""
    if report.sources and len(report.failed_sources) == len(report.sources):
        raise NothingWorked(report)
    return report


def _run_name() -> str:
    chosen = flow_run.parameters.get("source")
    return f"Nightly of {now_said()}: {sentence(chosen) if chosen else 'all sources'}"


@flow(name="nightly", flow_run_name=_run_name, validate_parameters=True)
async def nightly(
    source: list[str] | None = None,
    all_pages: bool = False,
    shards: Annotated[int | None, Field(ge=1, le=64)] = None,
    accept_mass_change: str = "",
) -> RunReport:
    """Crawl the sources, load what is new or changed, check it, release it, report it.

    Args:
        source: ids of the sources to crawl; empty means all that are verified.
        all_pages: fetch every listed page, not only the annual reports.
        shards: flow runs of the deployment `shard` that crawl the sources; 1: this run does; empty: FAZHI_SHARDS.
        accept_mass_change: the reason why figures may go or change in numbers; without one such sources are held back.
    """
    settings = Settings()
    found = load_all_sources(settings)
    unknown = [name for name in source or () if name not in found]
    if unknown:
        raise ContractBroken(f"source: no source has the id {unknown[0]!r}; the ids are {', '.join(found)}")
    chosen = [found[name] for name in source or default_ids(found)]
    with watch_run(settings, str(flow_run.id), chosen) as watch:
        report = await run_night(
            settings, chosen, Wish(all_pages=all_pages), watch, None, shards or settings.shards, accept_mass_change
        )
    return judge(report)


async def run_night(
    settings: Settings,
    chosen: list[Source],
    wish: Wish,
    watch: Watch,
    limit: int | None = None,
    n_shards: int = 1,
    accept_mass_change: str = "",
) -> RunReport:
    """From the first look at the warehouse to the report. Raises TimeoutError after LONGEST."""
    try:
        async with asyncio.timeout(LONGEST) as bound:  # not Prefect's: it would take a cancelled run for a late one
            return await _run_night(settings, chosen, wish, watch, limit, n_shards, accept_mass_change)
    except TimeoutError as error:
        if not bound.expired():
            raise
        raise TimeoutError(f"not done in {LONGEST / 3600:g} hours: the next run takes up the rest") from error


async def _run_night(
    settings: Settings, chosen: list[Source], wish: Wish, watch: Watch, limit: int | None, n_shards: int, accept: str
) -> RunReport:
    began = time.monotonic()
    started_at = datetime.now(UTC)
    async with open_house(settings, chosen, wish, watch, limit, accept_mass_change=accept) as house:
        async with shown_progress(len(chosen), f"{flow_run.flow_name}-progress"):
            if n_shards > 1:
                lines = tuple(await share_sources(house, chosen, settings.concurrency, n_shards))
            else:
                lines = await run_sources(house, chosen, settings.concurrency)
        made = None
        held = retried(totals)(house.engine)
        if held["documents"]:  # a first night on which every source failed has nothing to release
            reporter().say("Writing the release")
            watch.release = made = await release(as_is(house.engine), settings.releases, settings.keep_releases)
        reach("nightly-5-released")
        report = await asyncio.to_thread(
            retried(build_report),
            house.engine,
            house.run_id,
            started_at,
            time.monotonic() - began,
            lines,
            bool(house.changed),
            settings,
            made,
            summarize_hosts(chain.from_iterable(house.attempts.values()), house.tallies),
            tuple(watch.notes),
        )
        await show_report(house.engine, settings, report, house.drifts)
        reach("nightly-6-reported")
    return report


def run_nightly(source: list[str], all_pages: bool, accept_mass_change: str = "") -> RunReport:
    """The nightly from a command, with its tags."""
    end_server_with_us()
    with tags(*_tags(Settings())):
        try:
            return asyncio.run(nightly(source=source, all_pages=all_pages, accept_mass_change=accept_mass_change))
        except NothingWorked as failed:
            return failed.report


def _tags(settings: Settings) -> tuple[str, str]:
    return "nightly", "replay" if settings.replay else "live"
