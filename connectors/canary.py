"""One live page of a source against the shape of its golden articles: three requests that tell whether it still holds.

A canary writes nothing: what it fetches lies in a folder that is gone with it, and no memory of the source is read or
changed. It asks the first list that shows a report, and one report of it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from connectors.archive import Archive
from connectors.asking import Asker
from connectors.base import Article, Listing, Page, PageRef
from connectors.crawled import CrawlResult, ReadPage
from connectors.drift import Shape, find_drift
from connectors.engines import get_engine
from connectors.errors import SourceChanged, SourceError
from connectors.frontier import RunState
from connectors.http.client import Client
from connectors.registry import Source, is_report_title, report_year
from extraction.decode import decode

MAX_LISTS = 5
"""List pages that are asked for a row that is a report, of all start pages together."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a look at one source has shown."""

    source_id: str
    engine: str
    url: str
    """Of the report that was read, or of what could not be."""
    outcome: str
    """`ok`, or the code of the error that says what is wrong (connectors/errors.py)."""
    rows: int
    """Listed on the pages that were asked."""
    told: str
    """One line: what was read, or what is wrong and the way out."""

    @property
    def is_fine(self) -> bool:
        return self.outcome == "ok"


def choose_canaries(sources: Mapping[str, Source], day: date) -> list[Source]:
    """One of the sources of each engine, in order of the engines' names; those of one engine take turns by the day.

    `sources`: those that a nightly crawls, by their ids."""
    by_engine: dict[str, list[Source]] = {}
    for _, source in sorted(sources.items()):
        by_engine.setdefault(source.engine, []).append(source)
    return [found[day.toordinal() % len(found)] for _, found in sorted(by_engine.items())]


async def look(source: Source, shape: Shape | None, client: Client) -> Sighting:
    """Ask a list and one of its reports, and compare what is read with the shape.

    Raises GatewayUnreachable and ArchiveUnusable, which no other source would be spared."""
    result = CrawlResult(source)
    with tempfile.TemporaryDirectory(prefix="fazhi-canary-") as folder, Archive(folder) as archive:
        asker = Asker(result, client, archive, {}, RunState())
        rows, ref = 0, None
        try:
            rows, ref = await _find_report(asker)
            page = await _read(asker, ref)
        except SourceError as error:
            return _sighting(
                source, error.url or (ref.url if ref else source.start[0].url), error.code, rows, str(error)
            )
        drift = find_drift(source, shape, [page], archive.load)
    if drift is not None:
        return _sighting(source, ref.url, "layout_changed", rows, str(drift))
    return _sighting(source, ref.url, "ok", rows, _told_fine(page.article, rows, shape))


async def _find_report(asker: Asker) -> tuple[int, PageRef]:
    """(rows seen, the first row that is a report). Raises SourceError where there is none."""
    source, rows = asker.source, 0
    queue = [(start.url, start.kind) for start in source.start]
    for _ in range(MAX_LISTS):
        if not queue:
            break
        url, kind = queue.pop(0)
        listing = await _discover(asker, url, kind)
        rows += len(listing.refs)
        for ref in listing.refs:
            if ref.title and is_report_title(source, ref.title) and ref.inline_html is None:
                return rows, ref
        if len(queue) < len(source.start) + MAX_LISTS:
            queue += [(more, kind) for more in listing.more[:MAX_LISTS]]
    start = source.start[0].url
    raise SourceChanged(f"{source.id}: no report among {rows} rows of {start}: look at the list", url=start)


async def _discover(asker: Asker, url: str, kind: str) -> Listing:
    answer = await asker.ask(url, kind)
    decoded = decode(answer.stored.body, answer.stored.content_type)
    return get_engine(asker.source.engine).discover(
        Page(url, decoded, "feed" if kind == "feed" else "html"), asker.source
    )


async def _read(asker: Asker, ref: PageRef) -> ReadPage:
    answer = await asker.ask(ref.url, "page")
    decoded = decode(answer.stored.body, answer.stored.content_type)
    article = get_engine(asker.source.engine).read(Page(ref.url, decoded), asker.source, ref)
    title = article.title or ref.title or ""
    if not article.body.text and not article.attachments:
        raise SourceChanged(f"{asker.source.id}: {ref.url} has neither text nor attachment", url=ref.url)
    return ReadPage(answer.seen, ref, article, is_report_title(asker.source, title), report_year(title))


def _told_fine(article: Article, rows: int, shape: Shape | None) -> str:
    against = "as its contract knows it" if shape is not None else "without golden values to compare with"
    return f"{rows} rows, {len(article.body.text):,} letters of {article.title or 'a page without title'}, {against}"


def _sighting(source: Source, url: str, outcome: str, rows: int, told: str) -> Sighting:
    return Sighting(source.id, source.engine, url, outcome, rows, told)
