"""Task: publish one source's batch in one transaction."""

from __future__ import annotations

import asyncio

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.tasks import exponential_backoff

from tasks.progress import reporter
from tasks.transient import is_transient
from warehouse.batch import LoadBatch, LoadResult
from warehouse.engine import Engine
from warehouse.load import publish
from warehouse.patience import retried

_one_writer = asyncio.Lock()
"""SQLite has one writer; waiting here is cheaper than its busy time-out."""


@task(
    name="load",
    task_run_name="Load {source_id}",
    cache_policy=NO_CACHE,
    retries=2,
    retry_delay_seconds=exponential_backoff(5),
    retry_jitter_factor=0.5,
    retry_condition_fn=is_transient,
)
async def load(source_id: str, engine: Engine, batch: LoadBatch) -> LoadResult:
    """Stage, check, publish. A failed source publishes its log and changes no content."""
    return await load_unrecorded(source_id, engine, batch)


async def load_unrecorded(source_id: str, engine: Engine, batch: LoadBatch) -> LoadResult:
    """The same without a task run."""
    reporter().update(source_id, "load", 0, 0)
    async with _one_writer:
        return await asyncio.to_thread(retried(publish), engine, batch)
