"""A warehouse with its archive, loaded by today's extraction or by an older one, to be read again.

The older one is made by altering what was read: it missed a figure, read another wrongly, and left a word in the text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from connectors.archive import Archive, SnapshotRef
from connectors.base import PageRef
from connectors.http.model import Fetch
from connectors.registry import Source
from extraction.parse import parse_report
from fazhi.house import load_catalog
from fazhi.settings import Settings
from tasks.assemble import document_in, document_text, extractor_version, source_row
from tasks.fetches import stored_ref
from tasks.stored_page import Stored, read_stored
from tests.connectors.portal import BASE, Item, item, source
from warehouse.batch import DocumentIn, LoadBatch, PageState
from warehouse.catalogue import catalogue_rows
from warehouse.engine import Engine, open_warehouse
from warehouse.load import publish

NOTICE = "乌有县司法局关于开展法治讲座的通知"
SEEN = datetime(2025, 3, 1, 18, tzinfo=UTC)
OLD = "older"
Alter = Callable[[DocumentIn], DocumentIn]


@dataclass(frozen=True)
class House:
    """Folder and settings."""

    home: Path
    url: str
    sources: tuple[Source, ...]

    @property
    def settings(self) -> Settings:
        return Settings(home=self.home, database_url=self.url, sources=self.home / "sources")

    def engine(self) -> Engine:
        return open_warehouse(self.url)


def make_house(home: Path, url: str, *sources: Source) -> House:
    (home / "sources").mkdir(parents=True, exist_ok=True)
    for one in sources:
        text = one.model_dump_json(exclude_defaults=True, exclude_unset=True)
        (home / "sources" / f"{one.id}.yaml").write_text(text, encoding="utf-8")
    return House(home, url, sources)


def items(n: int) -> list[Item]:
    """Reports, and a notice."""
    return [*(item(number) for number in range(1, n)), item(n, NOTICE)]


def url_of(one: Item, host: str = "") -> str:
    return f"{BASE.replace('www.wuyou.example', host) if host else BASE}{one.path}"


def store(archive: Archive, url: str, page: str | bytes, at: datetime) -> SnapshotRef:
    return archive.store(
        Fetch(
            url=url, final_url=url, status=200, headers={"content-type": "text/html; charset=utf-8"},
            body=page.encode() if isinstance(page, str) else page, fetched_at=at, not_modified=False, etag=None,
            last_modified=None, content_type="text/html; charset=utf-8", elapsed_ms=1, attempts=(),
        )
    )  # fmt: skip


def fill(
    house: House, pages: Sequence[Item], alter: Alter = lambda doc: doc, *, by: str | None = None, day: int = 0,
    of: Source | None = None,
) -> list[SnapshotRef]:  # fmt: skip
    """Archive the pages and load what is read of them, `alter`ed, as a crawl on that day would. Where they lie."""
    chosen = of or house.sources[0]
    at = SEEN + timedelta(days=day)
    documents, states, refs = [], [], []
    with Archive(house.home / "raw") as archive:
        for one in pages:
            url = url_of(one, chosen.hosts[0] if chosen.hosts else "")
            refs.append(store(archive, url, one.page, at))
            documents.append(alter(read(archive, chosen, url, one, refs[-1])))
            states.append(
                PageState(
                    url, "page", chosen.id, documents[-1].document_id, snapshot=stored_ref(refs[-1]),
                    bytes_hash=refs[-1].sha256, title=one.title, listed_date=one.date, last_seen_at=at,
                )
            )  # fmt: skip
    engine = house.engine()
    publish(
        engine,
        LoadBatch(
            f"run-{chosen.id}-{day}", source_row(chosen), at, at, catalogue_rows(*load_catalog()),
            by or extractor_version(), "0", tuple(documents), tuple(states),
        ),
    )  # fmt: skip
    engine.dispose()
    return refs


def read(archive: Archive, of: Source, url: str, one: Item, ref: SnapshotRef) -> DocumentIn:
    stored = archive.load(ref)
    page = read_stored(archive, of, Stored(PageRef(url, one.title, one.date), stored, ref, stored.fetched_at), {})
    parsed, text = None, document_text(page)
    if page.is_report:
        published = page.article.published_at
        parsed = parse_report(text.text, *load_catalog(), title=page.article.title, publish_date=published)
        assert len(parsed.observations) >= 2
    return document_in(page, parsed, stored.fetched_at if parsed else None, text)


def older(doc: DocumentIn) -> DocumentIn:
    """As the older extraction read it: the last figure missed, the first one ten too many, sentences cut short."""
    if doc.parsed is None:
        return doc
    first, *others = doc.parsed.observations
    assert first.value is not None
    others = [replace(one, evidence="older rule") for one in others[:-1]]
    seen = (replace(first, value=first.value + Decimal(10)), *others)
    return replace(doc, parsed=replace(doc.parsed, observations=seen, checks=()))


def older_text(doc: DocumentIn) -> DocumentIn:
    """As older cleaning left it: with a line that is no part of the text, so every figure stood elsewhere."""
    text = f"{doc.text}\n打印本页"
    return replace(older(doc), text=text, body=text, title=f"{doc.title}（旧）")


__all__ = ["OLD", "House", "fill", "items", "make_house", "older", "older_text", "source"]
