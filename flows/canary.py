"""The canary: one live page of each engine against the shape of its source's contract, between the nights."""

from __future__ import annotations

import asyncio
from datetime import datetime

from prefect import flow
from prefect.artifacts import acreate_markdown_artifact, acreate_table_artifact
from prefect.logging import get_run_logger

from connectors.canary import Sighting, choose_canaries, look
from connectors.drift import load_shape
from connectors.errors import ContractBroken
from connectors.http.client import Client
from connectors.http.lanes import share_lanes
from connectors.quiet import SHANGHAI
from connectors.registry import Source, default_ids
from fazhi.house import http_settings, load_all_sources, source_folders
from fazhi.settings import Settings
from flows.telling import now_said
from tasks.events import Event, tell
from tasks.lanes import WarehouseBook
from warehouse.crawl_state import open_crawl_state
from warehouse.engine import open_warehouse


class CanaryDown(Exception):
    """A portal is not as its contract knows it: the run has failed, so that an automation can tell of it."""


@flow(name="canary", flow_run_name=lambda: f"Canary of {now_said()}", validate_parameters=True)
async def canary(source: list[str] | None = None) -> list[Sighting]:
    """Ask one list and one report of each source, over the shared lanes, and load nothing.

    Raises CanaryDown, after all were looked at, where one is not as its contract knows it.

    Args:
        source: Ids of the sources to look at. Empty: one of each engine, in turns.
    """
    settings = Settings()
    found = load_all_sources(settings)
    unknown = [name for name in source or () if name not in found]
    if unknown:
        raise ContractBroken(f"source: no source has the id {unknown[0]!r}; the ids are {', '.join(found)}")
    nightly = {name: found[name] for name in default_ids(found)}
    chosen = [found[name] for name in source] if source else choose_canaries(nightly, datetime.now(SHANGHAI).date())
    seen = await _look_at(settings, chosen)
    await _tell(seen)
    down = [one for one in seen if not one.is_fine]
    if down:
        raise CanaryDown(f"{len(down)} of {len(seen)} sources: " + "; ".join(f"{one.told}" for one in down))
    return seen


async def _look_at(settings: Settings, chosen: list[Source]) -> list[Sighting]:
    engine = open_warehouse(settings.warehouse_url)
    state = open_crawl_state(engine)
    folders = source_folders(settings)
    try:
        with share_lanes(WarehouseBook(state), settings.daily_budget):
            async with Client(http_settings(settings)) as client:
                return await asyncio.gather(*(look(one, load_shape(folders, one.id), client) for one in chosen))
    finally:
        state.dispose()
        engine.dispose()


async def _tell(seen: list[Sighting]) -> None:
    log = get_run_logger()
    for one in seen:
        (log.info if one.is_fine else log.warning)("%s (%s): %s: %s", one.engine, one.source_id, one.outcome, one.told)
        if one.outcome == "layout_changed":
            payload = {"source": one.source_id, "told": f"{one.source_id}: {one.told}", "in_run": 1}
            tell(Event.LAYOUT_CHANGED, f"fazhi.source.{one.source_id}", payload)
    rows = [
        {"engine": one.engine, "source": one.source_id, "outcome": one.outcome, "url": one.url, "told": one.told}
        for one in seen
    ]
    n_down = sum(not one.is_fine for one in seen)
    told = f"# Canary\n\n{len(seen)} sources looked at, {n_down} not as their contracts know them."
    await acreate_markdown_artifact(told, key="canary", description="One live page per engine")
    await acreate_table_artifact(rows, key="canary-sources", description="One row per source")
