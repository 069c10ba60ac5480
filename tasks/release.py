"""Task: write the published state as a release."""

from __future__ import annotations

import asyncio
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from warehouse.engine import Engine
from warehouse.patience import retried
from warehouse.release import Release, make_release


@task(name="release", task_run_name="Write the release", cache_policy=NO_CACHE)
async def release(engine: Engine, folder: Path, keep: int) -> Release:
    """The same state gives the same release, which is not written again."""
    return await asyncio.to_thread(retried(make_release), engine, folder, keep)
