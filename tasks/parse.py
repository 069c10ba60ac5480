"""Task: read the metrics out of the new and changed reports of one source."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from connectors.crawled import ReadPage
from extraction.catalogue import Catalogue
from extraction.parse import parse_report
from extraction.rules import Rules
from tasks.assemble import document_in, document_text
from tasks.progress import reporter
from warehouse.batch import DocumentIn

Definitions = tuple[Catalogue, Rules]
"""What is looked for in a report."""


def parse_pages(pages: Sequence[ReadPage], definitions: Definitions) -> tuple[DocumentIn, ...]:
    """Every page as a document; annual reports with their mentions, observations and checks."""
    documents = []
    for page in pages:
        composed, parsed = document_text(page), None
        if page.is_report:
            title = page.article.title or page.ref.title
            parsed = parse_report(composed.text, *definitions, title=title, publish_date=page.article.published_at)
        documents.append(document_in(page, parsed, datetime.now(UTC) if parsed else None, composed))
    return tuple(documents)


@task(name="parse", task_run_name="Read the reports of {source_id}", cache_policy=NO_CACHE)
async def parse(source_id: str, pages: Sequence[ReadPage], definitions: Definitions) -> tuple[DocumentIn, ...]:
    """Read the pages that a crawl has left."""
    return await parse_unrecorded(source_id, pages, definitions)


async def parse_unrecorded(
    source_id: str, pages: Sequence[ReadPage], definitions: Definitions
) -> tuple[DocumentIn, ...]:
    """The same without a task run. In a thread, so that the other sources' lanes go on meanwhile."""
    reporter().update(source_id, "parse", 0, len(pages))
    return await asyncio.to_thread(parse_pages, pages, definitions)
