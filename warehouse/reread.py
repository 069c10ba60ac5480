"""Replace the figures of stored texts by what today's extraction reads in them: all of a version at once, or nothing.

The text, and with it the document version, stays as it is; only what was read from it changes. What a data test sets
aside goes to quarantine as in any load, and what was set aside before and passes now is resolved.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, select

from warehouse.across import check_statements
from warehouse.batch import DocumentIn, LoadBatch, LoadResult, Reading
from warehouse.checkup import Scope, test_batch
from warehouse.columns import Row
from warehouse.data_tests import Tester
from warehouse.dims import Members
from warehouse.engine import reading as look
from warehouse.engine import writing
from warehouse.facts import FactRows, Origin, build_facts
from warehouse.load import close_load, open_load
from warehouse.quarantine import Visit, settle
from warehouse.replacing import note_readings, replace_facts
from warehouse.schema import dim_document, document_text
from warehouse.upsert import CHUNK, Changes
from warehouse.values import CheckAcross, rebuild_values


@dataclass(frozen=True, slots=True)
class StoredText:
    """A text as it was loaded, with what its reading needs."""

    document_id: str
    text_hash: str
    text: str
    title: str | None
    published_at: str | None
    is_parsed: bool
    """Its figures are loaded. Where False it is a notice, and there is nothing to read in it."""


def stored_texts(engine: Engine, wanted: Collection[tuple[str, str]]) -> dict[tuple[str, str], StoredText]:
    """Texts by (document_id, text_hash); what is not in the warehouse is not in the answer."""
    ids = sorted({document_id for document_id, _ in wanted})
    found: dict[tuple[str, str], StoredText] = {}
    with look(engine) as conn:
        for start in range(0, len(ids), CHUNK):
            for row in _versions(conn, ids[start : start + CHUNK]):
                place = (row["document_id"], row["text_hash"])
                if place in wanted:
                    found[place] = StoredText(*place, row["text"], row["title"], row["published_at"], row["is_parsed"])
    return found


def reread(
    engine: Engine, batch: LoadBatch, readings: Sequence[Reading], check_across: CheckAcross = check_statements
) -> LoadResult:
    """Publish the readings of texts of one source, in one transaction. `batch` says whose and by what; it has no
    documents. The same readings again change nothing.

    Raises DataTestFailed or WarehouseError; then nothing has been changed."""
    with writing(engine) as conn:
        return _reread(conn, batch, readings, check_across)


def _reread(
    conn: Connection, batch: LoadBatch, readings: Sequence[Reading], check_across: CheckAcross
) -> LoadResult:  # fmt: skip
    now = datetime.now(UTC)
    load_key, is_new_load = open_load(conn, batch)
    members, tester = Members(), Tester(batch.catalogue)
    members.catalogue(conn, batch.catalogue, batch.started_at)
    by_place = {(one.document_id, one.text_hash): one for one in readings}
    ids = sorted({one.document_id for one in readings})
    versions = [row for row in _versions(conn, ids) if (row["document_id"], row["text_hash"]) in by_place]
    versions = [row for row in versions if row["is_parsed"]]
    members.recall(conn, versions)
    members.find_changed(conn)
    rows = FactRows()
    origin = Origin(batch.extractor_version, load_key)
    for version in versions:
        parsed = by_place[version["document_id"], version["text_hash"]].parsed
        accepted = tester.accept_figures(_document(version, batch), parsed)
        rows.add(build_facts(version, parsed, accepted, members, origin))
    changes = members.write(conn)
    changes.add(replace_facts(conn, [row["document_key"] for row in versions], rows).changes)
    changes.add(members.settle(conn))
    touched = {(members.current_of(row["region_key"]), row["agency_key"]) for row in versions if changes.total}
    touched |= members.find_regrouped(conn)
    values = Changes()
    if touched:
        values, across = rebuild_values(conn, dict.fromkeys(touched), check_across, load_key)
        changes.add(values)
        changes.add(across)
    tested = frozenset((row["document_id"], row["text_hash"]) for row in versions)
    visit = Visit(batch.source.source_id, batch.run_id, now, load_key, tested, frozenset())
    settled = settle(conn, visit, tester.rejected, is_retry=True)
    result = LoadResult(
        source_id=batch.source.source_id, inserted=changes.inserted, updated=changes.updated, deleted=changes.deleted,
        documents_new=0, documents_changed=0, documents_updated=0, documents_gone=0,
        observations=rows.n_observations, mentions=rows.n_mentions, checks=rows.n_checks,
        quarantined=settled.added, checked=dict(sorted(tester.checked.items())),
        load_key=load_key if changes.total or settled.resolved else None, values_changed=values.total,
        resolved=settled.resolved, still_failing=settled.failed,
    )  # fmt: skip
    if changes.total:
        note_readings(conn, dict.fromkeys((row["document_key"] for row in versions), now), load_key, now)
    close_load(conn, result, load_key, is_new_load, now)
    test_batch(conn, batch.source.source_id, Scope.of({row["document_key"]: row for row in versions}, touched))
    return result


def _versions(conn: Connection, ids: Sequence[str]) -> list[Row]:
    """Document versions with their texts."""
    rows: list[Row] = []
    for start in range(0, len(ids), CHUNK):
        chosen = (
            select(dim_document, document_text.c.text)
            .join(document_text, document_text.c.text_key == dim_document.c.text_key)
            .where(dim_document.c.document_id.in_(ids[start : start + CHUNK]))
            .order_by(dim_document.c.document_id, dim_document.c.version_no)
        )
        rows.extend(dict(row) for row in conn.execute(chosen).mappings())
    return rows


def _document(version: Row, batch: LoadBatch) -> DocumentIn:
    """What the data tests of figures look at: the text and whose it is."""
    return DocumentIn(
        version["document_id"], version["url"], version["title"], version["published_at"], batch.started_at,
        version["text"],
    )  # fmt: skip
