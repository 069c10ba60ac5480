"""Stage, check and publish one batch in one transaction: all of it is seen by readers, or none of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine

from warehouse.across import check_statements
from warehouse.batch import LoadBatch, LoadResult
from warehouse.crawl_log import (
    quarantine_rows,
    write_fetches,
    write_pages,
    write_quarantine,
    write_source_run,
)
from warehouse.data_tests import Tester
from warehouse.dims import Members, infer_source, to_json
from warehouse.documents import DocumentPlan, plan_documents
from warehouse.engine import writing
from warehouse.facts import FactRows, Origin, build_facts, copy_facts, move_facts, progress_row
from warehouse.keys import key_of
from warehouse.periods import parse_published
from warehouse.schema import dim_document, document_text, fact_document_progress
from warehouse.schema_dims import dim_load
from warehouse.upsert import Changes, Row, delete_rows, insert_rows, merge_rows, read_rows
from warehouse.values import CheckAcross, rebuild_regions


def publish(engine: Engine, batch: LoadBatch, check_across: CheckAcross = check_statements) -> LoadResult:
    """Load one source of one run. The same batch again, or the same documents in another run, change no content.

    `check_across` is given the statements of one authority and gives the checks over its documents; by default
    the project's rules.
    Raises WarehouseError when the database refuses; then nothing has been changed, not even the log.
    """
    with writing(engine) as conn:
        if batch.status == "failed":
            return _log_only(conn, batch)
        return _Load(conn, batch, check_across).run()


def _log_only(conn: Connection, batch: LoadBatch) -> LoadResult:
    infer_source(conn, batch.source)
    write_fetches(conn, batch)
    result = LoadResult(batch.source.source_id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, {}, None)
    write_source_run(conn, batch, result)
    return result


@dataclass(slots=True)
class _Load:
    conn: Connection
    batch: LoadBatch
    check_across: CheckAcross

    def run(self) -> LoadResult:
        conn, batch = self.conn, self.batch
        now = datetime.now(UTC)
        load_key, is_new_load = self._open_load()
        members = Members()
        members.source(batch.source)
        members.catalogue(batch.catalogue)
        tester = Tester(batch.catalogue)
        plan = plan_documents(conn, batch, tester.accept_documents(batch.documents), members, load_key)
        facts = self._stage_facts(plan, tester, members, load_key)

        changes = members.write(conn)
        changes.add(merge_rows(conn, document_text, plan.texts.values()))
        changes.add(merge_rows(conn, dim_document, plan.rows.values()))
        changes.updated += sum(move_facts(conn, row) for row in plan.moved())
        changes.add(facts.insert(conn))
        self._write_progress(plan, now)
        values = Changes()
        regions = plan.touched_regions()
        if regions:
            values, across = rebuild_regions(conn, regions, self.check_across, load_key)
            changes.add(values)
            changes.add(across)
        quarantined = write_quarantine(conn, quarantine_rows(batch, tester.rejected))
        result = self._result(plan, facts, tester, changes, values, quarantined, load_key)
        self._close_load(result, load_key, is_new_load, now)
        write_fetches(conn, batch)
        write_pages(conn, batch, {one.document_id for one in tester.rejected if one.target == "dim_document"})
        write_source_run(conn, batch, result)
        return result

    def _stage_facts(self, plan: DocumentPlan, tester: Tester, members: Members, load_key: int) -> FactRows:
        """Figures of the versions that have none yet: the batch's own, or those of the same text seen before."""
        rows = FactRows()
        origin = Origin(self.batch.extractor_version, load_key)
        for version in plan.needs_facts():
            doc = plan.incoming.get((version["document_id"], version["text_hash"]))
            if doc is not None and doc.parsed is not None:
                accepted = tester.accept_figures(doc, doc.parsed)
                rows.add(build_facts(version, doc.parsed, accepted, members, origin))
                continue
            sibling = next(
                old["document_key"]
                for old in plan.stored.values()
                if old["text_key"] == version["text_key"] and old["is_parsed"]
            )
            rows.add(copy_facts(self.conn, sibling, version, load_key))
        return rows

    def _write_progress(self, plan: DocumentPlan, now: datetime) -> None:
        rows: list[Row] = []
        for key in plan.new_keys:
            version = plan.rows[key]
            doc = plan.incoming.get((version["document_id"], version["text_hash"]))
            times = (doc.discovered_at, doc.fetched_at, doc.parsed_at) if doc else (None, now, None)
            rows.append(progress_row(version, times, parse_published(version["published_at"]), now))
        insert_rows(self.conn, fact_document_progress, rows)

    def _open_load(self) -> tuple[int, bool]:
        """The load's own row comes first, because all others refer to it."""
        batch = self.batch
        key = key_of("load", batch.run_id, batch.source.source_id)
        if key in read_rows(self.conn, dim_load, [key]):
            return key, False
        row = {
            "load_key": key,
            "run_id": batch.run_id,
            "source_id": batch.source.source_id,
            "code_version": batch.code_version,
            "catalogue_version": batch.catalogue_version,
            "extractor_version": batch.extractor_version,
            "started_at": batch.started_at,
            "published_at": None,
            "n_inserted": 0,
            "n_updated": 0,
            "n_deleted": 0,
            "n_quarantined": 0,
            "data_tests": "{}",
        }
        insert_rows(self.conn, dim_load, [row])
        return key, True

    def _close_load(self, result: LoadResult, load_key: int, is_new_load: bool, now: datetime) -> None:
        """Nothing changed: no row. A second change under one run and source adds up in its row."""
        if result.load_key is None:
            if is_new_load:
                delete_rows(self.conn, dim_load, [load_key])
            return
        row = read_rows(self.conn, dim_load, [load_key])[load_key]
        row.update(
            published_at=now,
            n_inserted=row["n_inserted"] + result.inserted,
            n_updated=row["n_updated"] + result.updated,
            n_deleted=row["n_deleted"] + result.deleted,
            n_quarantined=row["n_quarantined"] + result.quarantined,
            data_tests=to_json(result.checked),
        )
        merge_rows(self.conn, dim_load, [row])

    def _result(
        self, plan: DocumentPlan, facts: FactRows, tester: Tester, changes: Changes, values: Changes,
        quarantined: int, load_key: int,
    ) -> LoadResult:  # fmt: skip
        return LoadResult(
            source_id=self.batch.source.source_id,
            inserted=changes.inserted,
            updated=changes.updated,
            deleted=changes.deleted,
            documents_new=plan.documents_new,
            documents_changed=plan.documents_changed,
            documents_updated=plan.documents_updated,
            documents_gone=plan.documents_gone,
            observations=len(facts.observations),
            mentions=len(facts.mentions),
            checks=len(facts.checks),
            quarantined=quarantined,
            checked=dict(sorted(tester.checked.items())),
            load_key=load_key if changes.total else None,
            values_changed=values.total,
        )
