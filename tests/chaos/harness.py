"""A portal crawled for real and loaded for real: client, archive, engine, parser, warehouse, as a nightly joins them.

Prefect alone is left out: what it adds (runs, retries of tasks) says nothing about faults of servers.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from sqlalchemy import Engine, select

from connectors.archive import Archive
from connectors.crawl import crawl_source
from connectors.crawled import CrawlResult
from connectors.engines import get_engine
from connectors.errors import SourceError
from connectors.http.client import Attempt, Client, HttpSettings
from connectors.registry import Source, load_source
from fazhi.house import load_catalog
from sandbox.chaos_portal import DOMAIN, host_of, source_id, source_yaml
from tasks.assemble import (
    code_version,
    extractor_version,
    failure_lines,
    known_pages,
    page_states,
    source_counts,
    source_row,
)
from tasks.fetches import fetch_rows
from tasks.parse import parse_pages
from warehouse.batch import CatalogueRows, LoadBatch
from warehouse.catalogue import catalogue_rows
from warehouse.load import publish
from warehouse.read import articles, held_attachments, load_pages
from warehouse.schema import dim_document, fact_observation

TIMEOUT = 0.4
MAX_PAGE = 2 << 20
MAX_FILE = 3 << 20
SECONDS = 10.0
"""One night with one fault must end in this time: two attempts and their time-outs are a tenth of it."""


@cache
def _catalogue() -> CatalogueRows:
    """One object for all batches, as in a real run."""
    return catalogue_rows(*load_catalog())


def settings(gateway: str) -> HttpSettings:
    return HttpSettings(
        "fazhi-test/1 (+https://fazhi.example)",
        replay=gateway,
        timeout=TIMEOUT,
        retries=1,
        backoff=0.01,
        max_page_bytes=MAX_PAGE,
        max_attachment_bytes=MAX_FILE,
    )


@dataclass(frozen=True)
class Document:
    """A document of the warehouse with its figures, without what differs from portal to portal."""

    title: str
    published: str | None
    text: str
    attachment_text: str
    report_year: int | None
    is_gone: bool
    figures: tuple[tuple[str, str], ...]


@dataclass
class Night:
    """What one run did."""

    result: CrawlResult
    failed: SourceError | None = None
    attempts: list[Attempt] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def codes(self) -> dict[str, set[str]]:
        """Issue codes by the path that they are recorded for. A source that failed as a whole has them under ''."""
        found: dict[str, set[str]] = {}
        for failure in self.result.failures:
            found.setdefault("/" + failure.url.partition("://")[2].partition("/")[2], set()).add(failure.code)
        for page in self.result.pages:
            for ref, text in page.attachment_texts:
                if not text.text:
                    found.setdefault("/" + ref.url.partition("://")[2].partition("/")[2], set()).add(text.kind)
        if self.result.deferred:
            found.setdefault("", set()).add("deferred")
        if self.failed is not None:
            found.setdefault("", set()).add(self.failed.code)
        return found


class House:
    """One portal, its archive, and a warehouse that it shares. `night` runs what a nightly runs for it."""

    def __init__(self, folder: Path, engine: Engine, gateway: str, name: str, *, with_feed: bool = False) -> None:
        self.engine = engine
        self.host = host_of(name)
        self._gateway = gateway
        self._archive = folder / "raw"
        path = folder / f"{source_id(name)}.yaml"
        path.write_text(source_yaml(name, with_feed=with_feed), encoding="utf-8")
        self.source: Source = load_source(path)

    def night(self, run_id: str) -> Night:
        night = Night(CrawlResult(self.source))
        began, clock = datetime.now(UTC), time.monotonic()
        try:
            asyncio.run(asyncio.wait_for(self._crawl(night), SECONDS))
        except SourceError as error:
            night.failed = error
        night.seconds = time.monotonic() - clock
        publish(self.engine, self._batch(night, run_id, began))
        return night

    async def _crawl(self, night: Night) -> None:
        states = load_pages(self.engine, self.source.id)
        known = known_pages(states, held_attachments(self.engine, self.source.id))
        with Archive(self._archive) as archive:
            async with Client(settings(self._gateway), night.attempts.append) as client:
                await crawl_source(night.result, get_engine(self.source.engine), client, archive, known)

    def _batch(self, night: Night, run_id: str, began: datetime) -> LoadBatch:
        result, is_ok = night.result, night.failed is None
        return LoadBatch(
            run_id=run_id,
            source=source_row(self.source),
            started_at=began,
            finished_at=datetime.now(UTC),
            catalogue=_catalogue(),
            extractor_version=extractor_version(),
            code_version=code_version(),
            documents=parse_pages(result.pages, load_catalog()) if is_ok and result.pages else (),
            pages=page_states(result) if is_ok else (),
            fetches=fetch_rows(night.attempts, result.seen),
            gone=tuple(result.gone_documents) if is_ok else (),
            counts=source_counts(result),
            failures=failure_lines(result),
            status="ok" if is_ok else "failed",
        )

    def documents(self) -> dict[str, Document]:
        """What the warehouse holds of this portal now, by path."""
        figures, gone = self._figures(), self._gone()
        found: dict[str, Document] = {}
        for row in articles(self.engine):
            host, _, path = row["url"].partition("://")[2].partition("/")
            assert host.endswith(f".{DOMAIN}"), "a document of another host"
            if host != self.host:
                continue
            found[f"/{path}"] = Document(
                row["title"], row["publish_date"], row["body"], row["attachment_text"], row["report_year"],
                row["url"] in gone,
                tuple(sorted(figures.get(row["url"], []))),
            )  # fmt: skip
        return found

    def _figures(self) -> dict[str, list[tuple[str, str]]]:
        doc, fact = dim_document.c, fact_observation.c
        chosen = select(doc.url, fact.metric_key, fact.value_num).join_from(
            fact_observation, dim_document, fact.document_key == doc.document_key
        )
        found: dict[str, list[tuple[str, str]]] = {}
        with self.engine.connect() as conn:
            for url, metric, value in conn.execute(chosen.where(doc.is_current)):
                found.setdefault(url, []).append((str(metric), str(value)))
        return found

    def _gone(self) -> set[str]:
        doc = dim_document.c
        with self.engine.connect() as conn:
            return set(conn.scalars(select(doc.url).where(doc.is_current, doc.is_gone)))
