"""Try again what the data tests set aside: from the stored text, or from the raw page where no text was taken.

Here the rooms meet: the archive and the engines read, the extraction parses, the warehouse tests and loads.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from connectors.archive import Archive, SnapshotRef
from connectors.base import PageRef
from connectors.crawled import ReadPage
from connectors.errors import SourceError
from connectors.registry import Source
from extraction.parse import parse_report
from fazhi.house import load_catalog
from tasks.assemble import code_version, document_in, document_text, extractor_version, source_row
from tasks.stored_page import Stored, read_stored
from warehouse.batch import DocumentIn, LoadBatch, Reading, SourceRow
from warehouse.catalogue import catalogue_rows
from warehouse.engine import reading
from warehouse.errors import WarehouseError
from warehouse.load import publish
from warehouse.quarantine import DOCUMENT, list_rows, raw_pages, waiting_rows
from warehouse.reread import reread, stored_texts
from warehouse.stored import attachment_snapshots

if TYPE_CHECKING:
    from warehouse.engine import Engine

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Retried:
    """What became of a row."""

    key: int
    document_id: str
    test: str
    outcome: str
    """`loaded`, `fails` or `not tried`."""
    told: str
    """Why, where it stays; the run of the load where it passed."""


def retry_rows(
    engine: Engine, archive: Archive, sources: Mapping[str, Source], keys: Collection[int] | None
) -> list[Retried]:
    """Read the documents of the rows again (None: of all that wait) and load what passes, source by source.

    Raises WarehouseError for a key that is not there. What one source's rows bring to light stops no other source."""
    with reading(engine) as conn:
        rows = waiting_rows(conn, keys)
    by_source: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_source[row["source_id"]].append(row)
    run_id = f"retry-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
    why: dict[int, str] = {}
    for source_id, some in sorted(by_source.items()):
        why |= _retry_figures(engine, sources.get(source_id), source_id, some, run_id)
        why |= _retry_documents(engine, archive, sources.get(source_id), source_id, some, run_id)
    with reading(engine) as conn:
        now = {row["quarantine_key"]: row for row in list_rows(conn, with_resolved=True)}
    return [_told(now[row["quarantine_key"]], why) for row in rows]


def _told(row: Row, why: Mapping[int, str]) -> Retried:
    key = row["quarantine_key"]
    if row["resolved_at"] is not None:
        outcome, told = "loaded", row["resolved_run_id"]
    elif key in why:
        outcome, told = "not tried", why[key]
    else:
        outcome, told = "fails", f"{row['test']}: {row['reason']}"
    return Retried(key, row["document_id"], row["test"], outcome, told)


def _retry_figures(
    engine: Engine, source: Source | None, source_id: str, rows: Sequence[Row], run_id: str
) -> dict[int, str]:  # fmt: skip
    """Rows of figures: parse their stored texts again. Gives why for those that could not be tried."""
    wanted = {
        row["quarantine_key"]: (row["document_id"], row["text_hash"]) for row in rows if row["target"] != DOCUMENT
    }
    if not wanted:
        return {}
    catalogue, rules = load_catalog()
    texts = stored_texts(engine, set(wanted.values()))
    readings = [
        Reading(
            *place, parse_report(text.text, catalogue, rules, title=text.title, publish_date=text.published_at)
        )
        for place, text in sorted(texts.items())
        if text.is_parsed
    ]  # fmt: skip
    known = {(one.document_id, one.text_hash) for one in readings}
    why = {
        key: "its text is no report of the warehouse any more" for key, place in wanted.items() if place not in known
    }
    try:
        reread(engine, _batch(source, source_id, run_id), readings)
    except WarehouseError as error:
        return dict.fromkeys(wanted, str(error))
    return why


def _retry_documents(
    engine: Engine, archive: Archive, source: Source | None, source_id: str, rows: Sequence[Row], run_id: str
) -> dict[int, str]:
    """Rows of whole documents: read their raw pages again. Gives why for those that could not be tried."""
    why: dict[int, str] = {}
    documents: list[DocumentIn] = []
    tried: list[int] = []
    for row in rows:
        if row["target"] != DOCUMENT:
            continue
        try:
            documents.append(_read_again(engine, archive, source, row["document_id"]))
            tried.append(row["quarantine_key"])
        except (SourceError, LookupError) as error:
            why[row["quarantine_key"]] = str(error.args[0] if isinstance(error, LookupError) else error)
    if documents:
        try:
            publish(engine, _batch(source, source_id, run_id, tuple(documents)))
        except WarehouseError as error:
            return why | dict.fromkeys(tried, str(error))
    return why


def _batch(
    source: Source | None, source_id: str, run_id: str, documents: tuple[DocumentIn, ...] = ()
) -> LoadBatch:  # fmt: skip
    """A source that is configured no more can have its texts read again, but no pages."""
    now = datetime.now(UTC)
    return LoadBatch(
        run_id=run_id,
        source=source_row(source) if source is not None else SourceRow(source_id, "", "", "", ""),
        started_at=now,
        finished_at=now,
        catalogue=catalogue_rows(*load_catalog()),
        extractor_version=extractor_version(),
        code_version=code_version(),
        documents=documents,
        is_crawl=False,
    )


def _read_again(engine: Engine, archive: Archive, source: Source | None, document_id: str) -> DocumentIn:
    """A document from its raw page. Raises SourceError, or LookupError where there is nothing to read."""
    if source is None:
        raise LookupError("its source is configured no more: put its YAML back")
    with reading(engine) as conn:
        raw = raw_pages(conn, document_id)
    if not raw:
        raise LookupError("its raw page is not in the archive: crawl the source again")
    read = _read_page(engine, archive, source, raw[0])
    parsed = None
    if read.is_report:
        catalogue, rules = load_catalog()
        title, published = read.article.title or read.ref.title, read.article.published_at
        parsed = parse_report(document_text(read).text, catalogue, rules, title=title, publish_date=published)
    return document_in(read, parsed, datetime.now(UTC) if parsed else None)


def _read_page(engine: Engine, archive: Archive, source: Source, raw: Row) -> ReadPage:
    """As the crawl reads it, from the archive alone."""
    snapshot = SnapshotRef(raw["snapshot_file"], raw["snapshot_offset"], raw["snapshot_length"], raw["snapshot_sha256"])
    stored = archive.load(snapshot)
    answer = Stored(PageRef(raw["url"], raw["title"], raw["listed_date"]), stored, snapshot, stored.fetched_at)
    with reading(engine) as conn:
        attachments = attachment_snapshots(conn, source.id)
    return read_stored(archive, source, answer, attachments)
