"""A detail page read from the archive alone, as the crawl would read it today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from connectors.archive import Archive, SnapshotRef, StoredPage
from connectors.attached import MAX_FILES
from connectors.attachments import AttachmentText, read_attachment, wants_attachments
from connectors.base import Article, AttachmentRef, Engine, Page, PageRef
from connectors.crawled import ReadPage, Seen
from connectors.engines import get_engine
from connectors.errors import SourceChanged
from connectors.registry import Source, is_report_title, report_year
from connectors.urls import document_key
from extraction.decode import decode
from warehouse.batch import SnapshotRef as StoredRef


@dataclass(frozen=True, slots=True)
class Stored:
    """An answer that was taken out of the archive, and what is known of it."""

    ref: PageRef
    page: StoredPage
    snapshot: SnapshotRef
    seen_at: datetime
    """When what is read of it was last seen."""


def archive_ref(ref: StoredRef) -> SnapshotRef:
    return SnapshotRef(ref.file, ref.offset, ref.length, ref.sha256)


def read_stored(
    archive: Archive, source: Source, answer: Stored, attachments: Mapping[str, StoredRef]
) -> ReadPage:  # fmt: skip
    """`attachments`: of the source, by address, those that are in the archive; what is not could not be had.

    Raises SourceChanged where the engine does not know the page, ContractBroken where the archive is damaged."""
    page, ref = _as_crawled(get_engine(source.engine), source, answer)
    article = get_engine(source.engine).read(page, source, ref)
    title = article.title or ref.title or ""
    is_report = is_report_title(source, title)
    texts: list[tuple[AttachmentRef, AttachmentText]] = []
    if is_report and wants_attachments(article.body.text):
        texts = _read_attachments(archive, article, attachments)
    stored = answer.page
    seen = Seen(ref.url, "page", None, None, answer.snapshot, stored.status, "unchanged", answer.seen_at)
    return ReadPage(seen, ref, article, is_report, report_year(title) if is_report else None, tuple(texts))


def _as_crawled(engine: Engine, source: Source, answer: Stored) -> tuple[Page, PageRef]:
    """The page, or the feed that carried the document's whole body when its own address had gone."""
    decoded, url = decode(answer.page.body, answer.page.content_type), answer.page.url
    key = document_key(answer.ref.url)
    feeds = {document_key(start.url) for start in source.start if start.kind == "feed"}
    if document_key(url) not in feeds or document_key(url) == key:
        return Page(answer.ref.url, decoded), answer.ref
    page = Page(url, decoded, "feed")
    for item in engine.discover(page, source).refs:
        if document_key(item.url) == key and item.inline_html is not None:
            return page, item
    raise SourceChanged(f"{answer.ref.url}: the feed that carried it cannot be read for it any more", url=url)


def _read_attachments(
    archive: Archive, article: Article, held: Mapping[str, StoredRef]
) -> list[tuple[AttachmentRef, AttachmentText]]:
    refs = {document_key(url): ref for url, ref in held.items()}
    texts = []
    for attachment in article.attachments[:MAX_FILES]:
        ref = refs.get(document_key(attachment.url))
        if ref is not None:
            texts.append((attachment, read_attachment(archive.load(archive_ref(ref)).body, attachment.name)))
    return texts
