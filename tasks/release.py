"""Task: write the published state as a release."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from prefect import task
from prefect.cache_policies import NO_CACHE

from warehouse.engine import Engine
from warehouse.patience import retried

if TYPE_CHECKING:
    from warehouse.release import Release


@task(name="release", task_run_name="Write the release", cache_policy=NO_CACHE)
async def release(engine: Engine, folder: Path, keep: int) -> Release:
    """The same state gives the same release, which is not written again."""
    from warehouse.release import make_release  # DuckDB and Arrow: no crawl needs them, nor the memory that they take

    return await asyncio.to_thread(retried(make_release), engine, folder, keep)
