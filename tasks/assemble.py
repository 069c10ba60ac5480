"""From what the crawl gives to what the warehouse takes: the one place that knows both. Pure functions."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path

import extraction
from connectors.archive import SnapshotRef
from connectors.attachments import Composed, compose
from connectors.base import AttachmentRef
from connectors.crawled import CrawlResult, Known, Part, ReadPage, Seen
from connectors.registry import Source
from connectors.urls import document_key
from extraction.clean import CleanText
from extraction.model import Parsed
from extraction.textmap import find_places
from tasks.fetches import OUTCOMES, stored_ref
from warehouse.batch import DocumentIn, PageState, SourceCounts, SourceRow
from warehouse.batch import SnapshotRef as StoredRef

_INJECTED = ("hidden", "spam_link")
"""Kinds of removed text that a reader of the page never saw, or that somebody else put there."""
_MOST_PASSAGES = 100
"""Kept of one page; all are counted."""


def known_pages(
    states: Mapping[str, PageState], attachments: Mapping[str, Sequence[tuple[str, str]]]
) -> dict[str, Known]:
    """The warehouse's memory of a source, as the crawl takes it.

    `attachments`: by document id, those that hold the text of a document whose page is empty."""
    known = {}
    for url, state in states.items():
        held = attachments.get(state.document_id or "", ())
        known[url] = Known(
            url=url,
            kind=state.kind,
            etag=state.etag,
            last_modified=state.last_modified,
            # Set aside by the data tests: forgotten, so that the same bytes are read again.
            snapshot=None if state.state == "rejected" else _archive_ref(state.snapshot),
            is_gone=state.state == "gone",
            attachments=tuple(AttachmentRef(address, name) for address, name in held),
            is_asked=state.state != "known",
            title=state.title,
            listed_date=state.listed_date,
            found_on=state.found_on,
            text_hash=state.text_hash,
            n_failed=state.n_failed,
            due_at=state.due_at,
            walked_at=state.walked_at,
            seen_at=state.last_seen_at,
        )
    return known


def _archive_ref(ref: StoredRef | None) -> SnapshotRef | None:
    return SnapshotRef(ref.file, ref.offset, ref.length, ref.sha256) if ref is not None else None


def source_row(source: Source) -> SourceRow:
    return SourceRow(
        source_id=source.id,
        name_zh=source.name_zh,
        name_en=source.name_en,
        region_code=source.region_code,
        engine=source.engine,
        hosts=tuple(sorted(source.hosts)),
        is_sandbox=source.is_sandbox,
        rhythm=source.rhythm.every,
        expected_month=source.rhythm.expected_month,
    )


def document_text(page: ReadPage) -> Composed:
    """The text that is parsed: of the page, of its attachments, or of both. Nothing is parsed out of a page that is no
    report, so none of its letters is traced back to its place."""
    if not page.is_report:
        return Composed(page.article.body.text, "", ())
    return compose(page.article.body, page.attachment_texts)


def removed_passages(body: CleanText, text: str) -> tuple[tuple[int, str, str, str], ...]:
    """Injected and hidden passages as (position in the text, kind, words, address). The position is -1 where the text
    is not the page's own but an attachment's."""
    injected = [item for item in body.removed if item.kind in _INJECTED][:_MOST_PASSAGES]
    if not injected:
        return ()
    places = find_places(body.segments, [item.where for item in injected])
    is_inside = text.startswith(body.text)
    return tuple(
        (place if is_inside else -1, item.kind, item.text, item.href or "")
        for place, item in zip(places, injected, strict=True)
    )


def document_in(
    page: ReadPage, parsed: Parsed | None, parsed_at: datetime | None, composed: Composed | None = None
) -> DocumentIn:
    """A detail page as the warehouse takes it. `parsed` is None for notices that are not annual reports; `composed` is
    its `document_text`, where that is at hand."""
    article, seen = page.article, page.seen
    composed = composed or document_text(page)
    unread = [
        f"attachment_{'partial' if found.text else found.kind}:{ref.name}"
        for ref, found in page.attachment_texts
        if not found.text or not found.is_whole
    ]
    return DocumentIn(
        document_id=document_key(article.url),
        url=article.url,
        title=article.title or page.ref.title,
        published_at=article.published_at,
        published_from=article.published_from,
        fetched_at=seen.seen_at,
        text=composed.text,
        body=article.body.text,
        attachment_text=composed.attached,
        text_origin="attachment" if composed.attached else "page",
        content_source=article.content_source,
        publisher=article.publisher,
        index_no=article.index_no,
        document_no=article.document_no,
        site_id_code=article.site_id_code,
        is_report=page.is_report,
        report_year=page.report_year if parsed is None or parsed.report_year is None else parsed.report_year,
        text_map=composed.segments,
        attachments=tuple((ref.url, ref.name) for ref in article.attachments),
        notes=(*article.notes, *unread, *(parsed.notes if parsed is not None else ())),
        removed_links=sum(item.kind in _INJECTED for item in article.body.removed),
        removed=removed_passages(article.body, composed.text),
        bytes_hash=seen.snapshot.sha256,
        snapshot=stored_ref(seen.snapshot),
        discovered_at=seen.seen_at,
        parsed_at=parsed_at,
        parsed=parsed,
    )


def part_states(part: Part, source_id: str) -> tuple[PageState, ...]:
    """What the next run needs to know of a part. Of an address that is told twice the later word counts."""
    return (
        *(_listed_state(row, source_id) for row in part.listed),
        *(_page_state(one, source_id) for one in part.seen),
    )


def page_states(result: CrawlResult) -> tuple[PageState, ...]:
    """What the next run needs to know. Of a page that could not be read, only that: its old validators stay, so that
    it is asked for in full until it can."""
    source_id = result.source.id
    states = [_page_state(seen, source_id) for seen in result.seen]
    states += [
        PageState(
            url=url,
            kind="page",
            source_id=source_id,
            document_id=document_key(url),
            last_outcome="gone",
            state="gone",
        )
        for url in result.gone
    ]
    states += [
        PageState(
            url=missed.url,
            kind=missed.kind,  # type: ignore[arg-type]  # see _page_state
            source_id=source_id,
            document_id=document_key(missed.url) if missed.kind == "page" else None,
            last_status=missed.status,
            last_outcome=missed.code,
            state="failed",
            n_failed=missed.n_failed,
            due_at=missed.due_at,
            last_seen_at=missed.seen_at,
        )
        for missed in result.missed
    ]
    return (*states, *(_listed_state(row, source_id) for row in result.listed_only))


def _listed_state(row: Known, source_id: str) -> PageState:
    return PageState(
        url=row.url,
        kind="page",
        source_id=source_id,
        document_id=document_key(row.url),
        last_outcome="listed",
        state="known",
        title=row.title,
        listed_date=row.listed_date,
        found_on=row.found_on,
    )


def _page_state(seen: Seen, source_id: str) -> PageState:
    return PageState(
        url=seen.url,
        kind=seen.kind,  # type: ignore[arg-type]  # the crawl's kinds are the warehouse's, robots excepted
        source_id=source_id,
        document_id=document_key(seen.url) if seen.kind == "page" else None,
        etag=seen.etag,
        last_modified=seen.last_modified,
        snapshot=stored_ref(seen.snapshot),
        bytes_hash=seen.snapshot.sha256,
        last_status=seen.status,
        last_outcome=OUTCOMES.get(seen.outcome, "ok"),
        last_seen_at=seen.seen_at,
        title=seen.title,
        listed_date=seen.listed_date,
        found_on=seen.found_on,
        text_hash=seen.text_hash,
        walked_at=seen.walked_at,
    )


def source_counts(result: CrawlResult) -> SourceCounts:
    return SourceCounts(
        planned=result.planned,
        fetched=result.fetched,
        unchanged=result.unchanged,
        not_modified=result.not_modified,
        same_bytes=result.same_bytes,
        same_text=result.same_text,
        blocked=result.blocked,
        failed=result.failed,
        deferred=result.deferred,
        resumed=result.resumed,
        rejected=result.rejected,
    )


def failure_lines(result: CrawlResult) -> tuple[str, ...]:
    """One line per failure, as a person reads it."""
    return tuple(f"{failure.message}" for failure in result.failures)


def code_version() -> str:
    """The version of this code, as `dim_load` records it: release, and the commit where a deployment states it."""
    commit = os.environ.get("FAZHI_COMMIT", "")
    return f"{_release()}+{commit[:12]}" if commit else _release()


@cache
def _release() -> str:
    from importlib.metadata import version

    return version("fazhi")


@cache
def extractor_version() -> str:
    """Which extraction read a document: a hash of its source, so that no edit goes by unrecorded."""
    digest = hashlib.sha256()
    for path in sorted(Path(extraction.__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + b"\n" + path.read_bytes())
    return digest.hexdigest()[:12]
