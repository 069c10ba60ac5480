"""Versions of documents: what a batch's documents and gone addresses mean for `dim_document`.

Everything is folded from `document_sighting`, so the outcome does not depend on the order of loading. A version is
a run of sightings with one text: A, B, A gives three versions, the third is the second occurrence of text A.
Particulars (title, date, …) belong to a text of a document and are overwritten by the latest sighting (type 1).
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from sqlalchemy import Connection, select

from warehouse.among import among_given
from warehouse.batch import DocumentIn, LoadBatch
from warehouse.columns import Row
from warehouse.dim_rows import source_key, to_json
from warehouse.dims import Members
from warehouse.facts import CARRIED
from warehouse.keys import NOT_APPLICABLE, UNKNOWN, hash_text, key_near, key_of
from warehouse.periods import CHINA, parse_published
from warehouse.raw import ask
from warehouse.resolve import resolve
from warehouse.schema import dim_document, document_sighting, fact_observation
from warehouse.upsert import CHUNK, fetch_by, insert_rows

Sighting = tuple[datetime, str]
"""When, and the hash of the text; an empty hash where the address was gone."""

Read = tuple[DocumentIn, str]
"""A document and the hash of its text."""

PARTICULARS = (
    "url", "title", "published_at", "published_date_key", "published_from", "content_source", "publisher",
    "publisher_key", "index_no", "document_no", "site_id_code", "source_key", "region_key", "agency_key",
    "region_rule", "region_words", "region_confidence", "agency_rule", "agency_words", "agency_confidence",
    "is_report", "report_year", "attachments", "notes", "n_removed_links", "removed",
)  # fmt: skip
"""What the latest sighting of a text overwrites."""

_CURRENT_WITH_TEXT = select(dim_document).where(among_given(dim_document.c.text_hash), dim_document.c.is_current)

DECISIVE = (*CARRIED[fact_observation], "published_at", "report_year", "is_counted", "is_parsed", "is_report")
"""Particulars that decide which statement is chosen."""


_PLACE = ("snapshot_file", "snapshot_offset", "snapshot_length")
"""Of a document's bytes in the archive."""


@dataclass(frozen=True, slots=True)
class Version:
    text_hash: str
    occurrence: int
    first_seen: datetime


@dataclass(slots=True)
class DocumentPlan:
    """Rows to merge, and which versions still need their facts."""

    rows: dict[int, Row]
    texts: dict[int, Row]
    incoming: dict[tuple[str, str], DocumentIn]
    """(document_id, text_hash) -> the batch's latest reading of it."""
    stored: dict[int, Row]
    """The rows as they are in the warehouse, by document_key."""
    new_keys: list[int]
    """Versions that are not in the warehouse yet."""
    documents_new: int = 0
    documents_changed: int = 0
    documents_updated: int = 0
    documents_gone: int = 0

    def needs_facts(self) -> list[Row]:
        """Versions whose figures are to be loaded: new ones, and ones that were not parsed before."""
        return [
            row
            for key, row in self.rows.items()
            if row["is_parsed"] and not (key in self.stored and self.stored[key]["is_parsed"])
        ]

    def moved(self) -> list[Row]:
        """Stored versions whose facts carry a region, body, source or date that has changed."""
        return [
            row
            for key, row in self.rows.items()
            if key in self.stored and any(row[name] != self.stored[key][name] for name in CARRIED[fact_observation])
        ]

    def touched_authorities(self) -> dict[tuple[int, int], set[int]]:
        """Region and body for which what counts may have changed, and by which versions (keys). Where the region is not
        known nothing is chosen: two reports of unknown places are not reports of one place."""
        changed = [
            key
            for key, row in self.rows.items()
            if key not in self.stored or any(row[name] != self.stored[key][name] for name in DECISIVE)
        ]
        touched: dict[tuple[int, int], set[int]] = defaultdict(set)
        for rows in (self.rows, self.stored):
            for key in changed:
                if key in rows and rows[key]["is_parsed"] and rows[key]["region_key"] != UNKNOWN:
                    touched[rows[key]["region_key"], rows[key]["agency_key"]].add(key)
        return touched


def fold_versions(sightings: Iterable[Sighting]) -> tuple[list[Version], bool]:
    """The versions of one document in order, and whether its address is gone at the end."""
    versions: list[Version] = []
    occurrences: dict[str, int] = defaultdict(int)
    is_gone = False
    for seen_at, text_hash in sorted(sightings):
        is_gone = text_hash == ""
        if is_gone or (versions and versions[-1].text_hash == text_hash):
            continue
        occurrences[text_hash] += 1
        versions.append(Version(text_hash, occurrences[text_hash], seen_at))
    return versions, is_gone


def plan_documents(
    conn: Connection, batch: LoadBatch, documents: Sequence[DocumentIn], members: Members, load_key: int,
    forgotten: Collection[str] = (),
) -> DocumentPlan:  # fmt: skip
    """Write the batch's sightings and work out every version row that they touch (not yet written). `forgotten`:
    hashes of texts that documents no longer have, for others may have had the same."""
    ids = sorted({doc.document_id for doc in documents} | set(batch.gone))
    before = _read_sightings(conn, ids)
    read = [(doc, hash_text(doc.text)) for doc in documents]
    incoming = _latest_readings(read)
    after = _write_sightings(conn, batch, read, before)
    stored = fetch_by(conn, dim_document.c.document_id, ids)
    members.recall(conn, stored)
    plan = DocumentPlan({}, {}, incoming, {row["document_key"]: row for row in stored}, [])
    by_text = _by_text(stored)
    known = {row["document_id"] for row in stored}
    for document_id in ids:
        versions, is_gone = fold_versions(after[document_id])
        particulars: dict[str, Row] = {}
        for text_hash in {version.text_hash for version in versions}:
            particulars[text_hash] = _choose_particulars(
                batch, text_hash, incoming.get((document_id, text_hash)), by_text.get((document_id, text_hash)),
                before[document_id], members, plan, load_key,
            )  # fmt: skip
        keys = _plan_versions(plan, document_id, versions, is_gone, particulars, members, load_key)
        _count_document(plan, keys, is_gone, document_id in known)
    _link_same_texts(conn, plan, forgotten)
    _look_up_anew(conn, plan, members)
    return plan


def _look_up_anew(conn: Connection, plan: DocumentPlan, members: Members) -> None:
    """Documents whose source or region gets other versions than it had: each takes the one of its own day."""
    for name, keys in members.find_changed(conn).items():
        for row in fetch_by(conn, dim_document.c[name], sorted(keys)):
            if row["document_key"] not in plan.rows:
                plan.stored[row["document_key"]] = row
                plan.rows[row["document_key"]] = dict(row)
    members.recall(conn, plan.rows.values())
    for row in plan.rows.values():
        row.update(members.as_of(row, parse_published(row["published_at"]) or row["valid_from"]))


def _plan_versions(
    plan: DocumentPlan, document_id: str, versions: list[Version], is_gone: bool, particulars: dict[str, Row],
    members: Members, load_key: int,
) -> list[int]:  # fmt: skip
    """Number the versions and put their validity end to end. Gives their keys."""
    keys, last = [], len(versions) - 1
    for i, version in enumerate(versions):
        key = key_of("document", document_id, version.text_hash, version.occurrence)
        row = dict(particulars[version.text_hash])
        published = parse_published(row["published_at"])
        row.update(members.as_of(row, published or version.first_seen))
        starts = version.first_seen if i or published is None else min(published, version.first_seen)
        row.update(
            document_key=key,
            document_id=document_id,
            text_hash=version.text_hash,
            occurrence=version.occurrence,
            version_no=i + 1,
            valid_from=starts,
            valid_to=None if i == last else versions[i + 1].first_seen,
            is_current=i == last,
            is_gone=is_gone,
            is_counted=i == last,
            same_text_as=None,
        )
        old = plan.stored.get(key)
        if old is None:
            plan.new_keys.append(key)
            row["load_key"] = load_key
        else:  # how it was first met stays; where it lies, too, unless the same bytes had to be kept anew
            is_kept_anew = i == last and row["snapshot_file"] is not None and row["bytes_hash"] == old["bytes_hash"]
            kept = ("bytes_hash", "load_key") if is_kept_anew else ("bytes_hash", *_PLACE, "load_key")
            row.update({name: old[name] for name in kept})
            row["is_parsed"] = old["is_parsed"] or row["is_parsed"]
        plan.rows[key] = row
        keys.append(key)
    return keys


def _count_document(plan: DocumentPlan, keys: Sequence[int], is_gone: bool, was_known: bool) -> None:
    """`keys`: of its versions."""
    if not keys:
        return
    old = [plan.stored[key] for key in keys if key in plan.stored]
    if not was_known:
        plan.documents_new += 1
    elif len(old) < len(keys):
        plan.documents_changed += 1
    elif any(row[name] != plan.stored[row["document_key"]][name] for row in (plan.rows[k] for k in keys)
             for name in PARTICULARS[:-2]):  # fmt: skip
        plan.documents_updated += 1
    if is_gone and old and not old[0]["is_gone"]:
        plan.documents_gone += 1


def _choose_particulars(
    batch: LoadBatch, text_hash: str, doc: DocumentIn | None, stored: Row | None, before: list[Sighting],
    members: Members, plan: DocumentPlan, load_key: int,
) -> Row:  # fmt: skip
    """The particulars of one text of one document: the latest sighting's; the larger one where two are as late, unless
    the same answer was read again."""
    if doc is None:
        assert stored is not None, "a sighting without document comes from a damaged warehouse"
        return stored
    row = describe(batch, doc, members, load_key)
    seen_before = max((at for at, seen in before if seen == text_hash), default=None)
    if stored is not None and seen_before is not None:
        is_older = doc.fetched_at < seen_before
        is_tie = batch.is_crawl and doc.fetched_at == seen_before
        if is_older or (is_tie and _sort_key(row) <= _sort_key({**stored, **members.current(stored)})):
            return {**stored, "is_parsed": stored["is_parsed"] or row["is_parsed"]}
    text = text_row(doc, text_hash)
    row["text_key"] = key = text["text_key"]
    plan.texts[key] = text
    row["is_parsed"] = row["is_parsed"] or (stored is not None and stored["is_parsed"])
    return row


def _by_text(stored: Sequence[Row]) -> dict[tuple[str, str], Row]:
    """A text of a document, whichever of its versions has it. Parsed once, it is parsed wherever it occurs."""
    found: dict[tuple[str, str], Row] = {}
    for row in stored:
        key = row["document_id"], row["text_hash"]
        found[key] = {**row, "is_parsed": row["is_parsed"] or (key in found and found[key]["is_parsed"])}
    return found


def _sort_key(row: Row) -> str:
    return to_json([row[name] for name in PARTICULARS])


def describe(batch: LoadBatch, doc: DocumentIn, members: Members, load_key: int) -> Row:
    published = parse_published(doc.published_at)
    found = resolve(doc, batch.source)
    snapshot = doc.snapshot
    return {
        "url": doc.url,
        "title": doc.title,
        "published_at": doc.published_at,
        "published_date_key": members.date(published.astimezone(CHINA).date() if published else None),
        "published_from": doc.published_from,
        "content_source": doc.content_source,
        "publisher": doc.publisher,
        "publisher_key": members.agency(
            found.publisher_region, found.publisher, NOT_APPLICABLE if found.has_publisher else UNKNOWN
        ),
        "index_no": doc.index_no,
        "document_no": doc.document_no,
        "site_id_code": doc.site_id_code,
        "source_key": source_key(batch.source.source_id),
        "region_key": members.region(found.region_code),
        "region_rule": found.region.rule,
        "region_words": found.region.words,
        "region_confidence": found.region.confidence,
        "agency_key": members.agency(found.region_code, found.agency, NOT_APPLICABLE),
        "agency_rule": found.body.rule,
        "agency_words": found.body.words,
        "agency_confidence": found.body.confidence,
        "is_report": doc.is_report,
        "report_year": doc.report_year,
        "is_parsed": doc.parsed is not None,
        "attachments": to_json(doc.attachments),
        "notes": to_json((*doc.notes, *found.notes)),
        "n_removed_links": doc.removed_links,
        "removed": to_json(doc.removed),
        "bytes_hash": doc.bytes_hash,
        "snapshot_file": snapshot.file if snapshot else None,
        "snapshot_offset": snapshot.offset if snapshot else None,
        "snapshot_length": snapshot.length if snapshot else None,
        "load_key": load_key,
    }


def text_row(doc: DocumentIn, text_hash: str) -> Row:
    return {
        "text_key": text_key(doc.document_id, text_hash),
        "document_id": doc.document_id,
        "text_hash": text_hash,
        "text": doc.text,
        "text_origin": doc.text_origin,
        "body": None if doc.body == doc.text else doc.body,
        "attachment_text": None if doc.attachment_text == doc.text else doc.attachment_text,
        "text_map": zlib.compress(to_json(doc.text_map).encode(), 6) if doc.text_map else None,
    }


def sighting_key(document_id: str, seen_at: datetime, text_hash: str) -> int:
    """Those of one host lie together."""
    host = _host_key(document_id.partition("/")[0])
    return key_near(host, "sighting", f"{document_id},{seen_at.astimezone(UTC).isoformat()},{text_hash}")


@lru_cache(maxsize=10_000)
def _host_key(host: str) -> int:
    return key_of("host", host)


def text_key(document_id: str, text_hash: str) -> int:
    return key_of("text", document_id, text_hash)


def _latest_readings(read: Sequence[Read]) -> dict[tuple[str, str], DocumentIn]:
    """The batch may read one document twice (by page and by feed): per text the last reading, parsed ones first."""

    def rank(one: Read) -> tuple[object, ...]:
        doc, _ = one
        return (doc.parsed is not None, doc.fetched_at, doc.url, doc.title or "", doc.published_at or "")

    return {(doc.document_id, text_hash): doc for doc, text_hash in sorted(read, key=rank)}


def _write_sightings(
    conn: Connection, batch: LoadBatch, read: Sequence[Read], before: dict[str, list[Sighting]]
) -> dict[str, list[Sighting]]:
    wanted = {(doc.document_id, doc.fetched_at, text_hash) for doc, text_hash in read}
    wanted |= {(document_id, batch.finished_at, "") for document_id in batch.gone}
    fresh: list[Row] = [
        {
            "sighting_key": sighting_key(document_id, seen_at, text_hash),
            "document_id": document_id,
            "seen_at": seen_at,
            "text_hash": text_hash,
        }
        for document_id, seen_at, text_hash in sorted(wanted)
        if (seen_at, text_hash) not in before[document_id]
    ]
    insert_rows(conn, document_sighting, fresh)
    after = defaultdict(list, {document_id: list(seen) for document_id, seen in before.items()})
    for row in fresh:
        after[row["document_id"]].append((row["seen_at"], row["text_hash"]))
    return after


def _read_sightings(conn: Connection, ids: Sequence[str]) -> dict[str, list[Sighting]]:
    found: dict[str, list[Sighting]] = defaultdict(list)
    for row in fetch_by(conn, document_sighting.c.document_id, ids):
        found[row["document_id"]].append((row["seen_at"], row["text_hash"]))
    return found


def _link_same_texts(conn: Connection, plan: DocumentPlan, forgotten: Collection[str]) -> None:
    """One text at several addresses counts once: at the smallest document_id that is a report, else at the smallest.
    A page that is no report any more keeps its figures, and they count no more."""
    empty = hash_text("")
    hashes = sorted({*forgotten, *(row["text_hash"] for row in plan.rows.values())} - {empty})
    groups: dict[str, list[Row]] = defaultdict(list)
    for start in range(0, len(hashes), CHUNK):
        for values in ask(conn, _CURRENT_WITH_TEXT, {"keys": hashes[start : start + CHUNK]}):
            stored = dict(zip(dim_document.columns.keys(), values, strict=True))
            if stored["document_key"] not in plan.rows:
                plan.stored[stored["document_key"]] = stored
                groups[stored["text_hash"]].append(dict(stored))
    for row in plan.rows.values():
        if row["is_current"] and row["text_hash"] != empty:
            groups[row["text_hash"]].append(row)
    for rows in groups.values():
        _, first = min((not row["is_report"], row["document_id"]) for row in rows)
        for row in rows:
            row["is_counted"] = row["document_id"] == first and (row["is_report"] or not row["is_parsed"])
            row["same_text_as"] = None if row["document_id"] == first else first
            plan.rows[row["document_key"]] = row
