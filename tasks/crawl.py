"""Task: crawl one source (lists, pages, attachments) over the polite client."""

from __future__ import annotations

from collections.abc import Mapping

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.tasks import exponential_backoff

from connectors.archive import Archive
from connectors.crawl import Take, crawl_source
from connectors.crawled import CrawlResult, Known
from connectors.engines import get_engine
from connectors.frontier import RunState
from connectors.http.client import Client
from connectors.wish import Wish
from tasks.progress import reporter
from tasks.transient import is_transient


@task(
    name="crawl",
    task_run_name="Crawl {source_id}",
    cache_policy=NO_CACHE,
    retries=2,
    retry_delay_seconds=exponential_backoff(5),
    retry_jitter_factor=0.5,
    retry_condition_fn=is_transient,
)
async def crawl(
    source_id: str,
    result: CrawlResult,
    client: Client,
    archive: Archive,
    known: Mapping[str, Known],
    run: RunState,
    wish: Wish,
    take: Take,
) -> None:
    """Fill `result`, and give its pages to `take` in parts. Raises SourceError when the source as a whole failed, and
    what `take` raises."""
    source = result.source
    watching = reporter()
    watching.update(source.id, "lists", 0, 0)
    result.reset()  # a retry counts afresh
    await crawl_source(
        result,
        get_engine(source.engine),
        client,
        archive,
        known,
        run=run,
        wish=wish,
        progress=lambda done, planned: watching.update(source.id, "pages", done, planned),
        take=take,
    )
