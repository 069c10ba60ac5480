"""What keeps the house: a release made by hand, and the upkeep of archive and database."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated

from prefect import flow
from prefect.artifacts import create_markdown_artifact
from pydantic import Field

from connectors.archive.retention import Policy, carry_out, plan_pruning
from fazhi.house import open_archive, read_references
from fazhi.settings import Settings
from flows.telling import now_said
from tasks.release import release as write_release
from warehouse.engine import open_warehouse
from warehouse.release import Release
from warehouse.upkeep import keep_up


@flow(name="release", flow_run_name=lambda: f"Release of {now_said()}", validate_parameters=True)
async def release() -> Release:
    """Write the published state as a release, check it, and make it the current one; the same state is not written
    again."""
    settings = Settings()
    engine = open_warehouse(settings.warehouse_url)
    try:
        made = await write_release(engine, settings.releases, settings.keep_releases)
    finally:
        engine.dispose()
    told = f"{sum(made.rows.values()):,} rows in {made.n_files} files" if made.is_new else "as it was: nothing changed"
    await asyncio.to_thread(create_markdown_artifact, f"`{made.name}`: {told}", "release", "The current release")
    return made


@flow(name="maintain", flow_run_name=lambda: f"Upkeep of {now_said()}", validate_parameters=True)
def maintain(
    keep_days: Annotated[int | None, Field(ge=1)] = None, keep_versions: Annotated[int | None, Field(ge=1)] = None
) -> str:
    """Archive retention and database upkeep.

    A version of a page goes when neither number keeps it; the last version of each page, and all that the warehouse
    refers to, always stay. With neither number the archive is kept whole.

    Args:
        keep_days: Keep every version of a page fetched in so many days.
        keep_versions: Keep the newest so many versions of each page.
    """
    settings = Settings()
    engine = open_warehouse(settings.warehouse_url)
    try:
        lines = [keep_up(engine)]
    finally:
        engine.dispose()
    if keep_days is None and keep_versions is None:
        lines.append("archive: kept whole")
    else:
        room = open_archive(settings)
        plan = plan_pruning(room, Policy(keep_days, keep_versions), read_references(settings) or [], datetime.now(UTC))
        carry_out(room, plan)
        lines.append(f"archive: {plan.n_old:,} old versions taken out, {plan.freed:,} bytes")
        lines += [f"archive: left alone: {one}" for one in plan.damaged]
    told = "\n".join(f"- {line}" for line in lines)
    create_markdown_artifact(told, "maintain", "What was done")
    return told
