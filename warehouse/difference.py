"""What reading documents again would change, found without writing: documents that differ, and their figures.

The comparison is that of a load (`warehouse.replacing`, `warehouse.upsert.merge_rows`): by key, in every column that is
content. What is alike here, a load would leave alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Table, select

from warehouse.batch import DocumentIn, LoadBatch, MetricRow
from warehouse.data_tests import Accepted, Tester
from warehouse.dims import Members
from warehouse.document_diff import Figure, diff_figures, read_figures
from warehouse.documents import PARTICULARS, describe, text_row
from warehouse.facts import TABLES, FactRows, Origin, build_facts
from warehouse.keys import hash_text
from warehouse.periods import parse_period
from warehouse.schema import bridge_check_observation, fact_check, fact_observation, quarantine
from warehouse.stored import StoredDocument, StoredVersion
from warehouse.upsert import CHUNK

READ_LATER = frozenset({"load_key", "extractor_version", "metric_key"})
"""Columns of facts that are no content here; an observation's key has its metric in it, whatever the version."""
OF_TEXT = ("text_origin", "body", "attachment_text")
SET_ASIDE = ("text_hash", "target", "test", "reason", "payload")
WITHOUT_NOTES = tuple(name for name in PARTICULARS if name not in ("notes", "n_removed_links"))


@dataclass(frozen=True, slots=True)
class Change:
    """A figure that was added (no old one), removed (no new one) or changed."""

    document_id: str
    old: Figure | None
    new: Figure | None

    @property
    def kind(self) -> str:
        return "added" if self.old is None else "removed" if self.new is None else "changed"

    @property
    def figure(self) -> Figure:
        """As it is now, or was."""
        told = self.new or self.old
        assert told is not None
        return told


@dataclass(frozen=True, slots=True)
class Differing:
    """A document of which today's reading is another one."""

    document_id: str
    token: str
    documents: tuple[DocumentIn, ...]
    """One for each version."""
    replaced: dict[int, str] | None
    """document_key -> hash of today's text, of all versions, where a text or what it is has changed; else None."""
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """What became of one document."""

    n_figures: int
    """Stored."""
    differing: Differing | None
    refused: str = ""
    """The data test that today's reading fails, with its reason; then the document stays as it is."""


def compare_documents(
    conn: Connection, batch: LoadBatch, read: Sequence[tuple[StoredDocument, Sequence[DocumentIn]]]
) -> list[Compared]:
    """Stored documents against today's readings, one for each version in order. `batch` says whose and by what."""
    told = _Comparison(conn, batch, [one for one, _ in read])
    return [told.compare(stored, documents) for stored, documents in read]


class _Comparison:
    """Of a batch: what is stored is read in a few questions for all."""

    def __init__(self, conn: Connection, batch: LoadBatch, documents: Sequence[StoredDocument]) -> None:
        self.conn, self.batch = conn, batch
        self.metrics = {metric.code: metric for metric in batch.catalogue.metrics}
        rows = [version.row for one in documents for version in one.versions]
        self.members = Members()
        self.members.recall(conn, rows)
        keys = [row["document_key"] for row in rows if row["is_parsed"]]
        self.facts = {table: _read_facts(conn, table, keys) for table in TABLES}
        self.waiting = _waiting_rows(conn, [one.document_id for one in documents])

    def compare(self, stored: StoredDocument, documents: Sequence[DocumentIn]) -> Compared:
        tester = Tester(self.batch.catalogue)
        n_figures = sum(self._count_figures(version.row["document_key"]) for version in stored.versions)
        if len(tester.accept_documents(tuple(documents))) < len(documents):
            one = tester.rejected[0]
            return Compared(n_figures, None, f"{one.test}: {one.reason}")
        pairs = list(zip(stored.versions, documents, strict=True))
        accepted = [tester.accept_figures(doc, doc.parsed) if doc.parsed else Accepted() for doc in documents]
        is_replaced = any(_is_replaced(version, doc) for version, doc in pairs)
        differ = [
            is_replaced or self._differs(version, doc, figures)
            for (version, doc), figures in zip(pairs, accepted, strict=True)
        ]
        rejected = {tuple(getattr(one, name) for name in SET_ASIDE) for one in tester.rejected}
        if not any(differ) and rejected == self.waiting[stored.document_id]:
            return Compared(n_figures, None)
        changes: list[Change] = []
        for (version, doc), figures, is_other in zip(pairs, accepted, differ, strict=True):
            changes += self._changes(version, doc, figures) if is_other else []
        replaced = {version.row["document_key"]: hash_text(doc.text) for version, doc in pairs} if is_replaced else None
        found = Differing(stored.document_id, stored.token, tuple(documents), replaced, tuple(changes))
        return Compared(n_figures, found)

    def _count_figures(self, document_key: int) -> int:
        place = [column.name for column in fact_observation.columns].index("is_derived")
        return sum(not row[place] for row in self.facts[fact_observation].get(document_key, {}).values())

    def _differs(self, version: StoredVersion, doc: DocumentIn, accepted: Accepted) -> bool:
        """Whether a version of the same text has other particulars or other facts."""
        described = describe(self.batch, doc, self.members, 0)
        before = version.row | self.members.current(version.row)
        if any(described[name] != before[name] for name in WITHOUT_NOTES):
            return True
        if described["is_parsed"] and not before["is_parsed"]:
            return True
        text = text_row(doc, version.row["text_hash"])
        if any(text[name] != version.text[name] for name in OF_TEXT):
            return True
        if doc.parsed is None:
            return False
        rows = build_facts(version.row, doc.parsed, accepted, self.members, Origin("", 0))
        key = version.row["document_key"]
        return any(_content(table, rows) != _stored_content(table, self.facts[table].get(key, {})) for table in TABLES)

    def _changes(self, version: StoredVersion, doc: DocumentIn, accepted: Accepted) -> list[Change]:
        before = read_figures(self.conn, version.row["document_key"]) if version.row["is_parsed"] else []
        after = [
            figure_of(one, self.metrics[one.metric]) for one in accepted.observations.values() if not one.is_derived
        ]
        added, removed, changed, _ = diff_figures(before, after)
        document_id = doc.document_id
        return [
            *(Change(document_id, None, one) for one in added),
            *(Change(document_id, one, None) for one in removed),
            *(Change(document_id, old, new) for old, new in changed),
        ]


def _is_replaced(version: StoredVersion, doc: DocumentIn) -> bool:
    """Another text, or a report that is none any more; not where a later answer alone says so, which in any load leaves
    the figures there (they count no more)."""
    was_report = version.row["is_parsed"] and doc.parsed is None and not version.was_answered_twice
    return hash_text(doc.text) != version.row["text_hash"] or was_report


def figure_of(seen: Any, metric: MetricRow) -> Figure:
    """An observation as `read_figures` would give it back."""
    period = parse_period(seen.period)
    return Figure(
        seen.metric, metric.name_zh, metric.name_en, period.period_id if period else "(not applicable)", seen.status,
        seen.scope or "", seen.dimension or "", seen.value, seen.unit, seen.text, seen.quote,
    )  # fmt: skip


def _read_facts(conn: Connection, table: Table, keys: Sequence[int]) -> dict[int, dict[int, tuple[Any, ...]]]:
    """document_key -> key -> row."""
    found: dict[int, dict[int, tuple[Any, ...]]] = {key: {} for key in keys}
    for start in range(0, len(keys), CHUNK):
        some = keys[start : start + CHUNK]
        if table is bridge_check_observation:
            joined = table.join(fact_check, fact_check.c.check_key == table.c.check_key)
            chosen = select(fact_check.c.document_key, table).select_from(joined)
            chosen = chosen.where(fact_check.c.document_key.in_(some))
        else:
            chosen = select(table.c.document_key, table).where(table.c.document_key.in_(some))
        for document_key, *row in conn.execute(chosen):
            found[document_key][row[0]] = tuple(row)
    return found


def _content(table: Table, rows: FactRows) -> dict[int, tuple[Any, ...]]:
    pick = _picker(table)
    return {row[0]: pick(row) for _, parts in rows.of[table] for row in parts}


def _stored_content(table: Table, rows: dict[int, tuple[Any, ...]]) -> dict[int, tuple[Any, ...]]:
    pick = _picker(table)
    return {key: pick(row) for key, row in rows.items()}


def _picker(table: Table) -> Any:
    return itemgetter(*(i for i, column in enumerate(table.columns) if column.name not in READ_LATER))


def _waiting_rows(conn: Connection, ids: Sequence[str]) -> dict[str, set[tuple[str, ...]]]:
    """document_id -> what of it waits in quarantine, as a load would set it aside again."""
    found: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    columns = [quarantine.c[name] for name in SET_ASIDE]
    for start in range(0, len(ids), CHUNK):
        chosen = select(quarantine.c.document_id, *columns).where(
            quarantine.c.document_id.in_(ids[start : start + CHUNK]), quarantine.c.resolved_at.is_(None)
        )
        for document_id, *row in conn.execute(chosen):
            found[document_id].add(tuple(row))
    return found
