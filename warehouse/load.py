"""Stage, check and publish one batch in one transaction: all of it is seen by readers, or none of it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine

from warehouse.across import check_statements
from warehouse.batch import DocumentIn, LoadBatch, LoadResult, add_counts
from warehouse.checkup import Scope, test_batch
from warehouse.columns import Row
from warehouse.copied_facts import copy_facts
from warehouse.crawl_log import write_fetches, write_pages, write_source_run
from warehouse.data_tests import Tester
from warehouse.dim_rows import to_json
from warehouse.dims import Members, infer_source
from warehouse.documents import DocumentPlan, plan_documents
from warehouse.engine import writing
from warehouse.facts import FactRows, Origin, build_facts, move_facts, progress_row
from warehouse.keys import key_of
from warehouse.periods import parse_published
from warehouse.quarantine import DOCUMENT, Settled, Visit, settle
from warehouse.replacing import Replaced, note_readings, read_extractors, replace_facts
from warehouse.schema import dim_document, document_text, fact_document_progress
from warehouse.schema_dims import dim_load
from warehouse.statements import Authority, Years
from warehouse.steps import reach
from warehouse.upsert import Changes, delete_rows, insert_rows, merge_rows, read_rows
from warehouse.values import CheckAcross, find_years, join_years, rebuild_values


def publish(engine: Engine, batch: LoadBatch, check_across: CheckAcross = check_statements) -> LoadResult:
    """Load one source of one run, or a part of it. The same batch again, or the same documents in another run, change
    no content.

    `check_across` is given the statements of one authority and gives the checks over its documents; by default
    the project's rules.
    Raises DataTestFailed when the state to be published fails a data test, WarehouseError when the database refuses;
    then nothing has been changed, not even the log.
    """
    with writing(engine) as conn:
        reach("load-1-begun")
        result = _log_only(conn, batch) if batch.status == "failed" else _Load(conn, batch, check_across).run()
    reach("load-10-published")
    return result


def load_again(conn: Connection, batch: LoadBatch, forgotten: Sequence[Row]) -> LoadResult:
    """Load documents that were read again from the archive, within a transaction of the caller's. `forgotten`: the rows
    of their versions that are no more (`warehouse.forgetting`). Raises as `publish` does."""
    return _Load(conn, batch, check_statements, forgotten).run()


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
    forgotten: Sequence[Row] = ()
    """Versions of the batch's documents that have just been deleted."""

    def run(self) -> LoadResult:
        conn, batch = self.conn, self.batch
        now = datetime.now(UTC)
        load_key, is_new_load = open_load(conn, batch)
        members = Members()
        members.source(conn, batch.source, batch.started_at)
        members.catalogue(conn, batch.catalogue, batch.started_at)
        tester = Tester(batch.catalogue)
        documents = tester.accept_documents(batch.documents)
        texts = {row["text_hash"] for row in self.forgotten}
        plan = plan_documents(conn, batch, documents, members, load_key, texts)
        facts = self._stage_facts(plan, tester, members, load_key)
        anew = self._find_read_anew(plan)
        read_anew = self._stage_anew(anew, plan, tester, members, load_key)
        reach("load-2-staged")

        changes = members.write(conn)
        reach("load-3-dimensions")
        changes.add(merge_rows(conn, document_text, plan.texts.values()))
        changes.add(merge_rows(conn, dim_document, plan.rows.values(), stored=plan.stored))
        changes.updated += sum(move_facts(conn, row) for row in plan.moved())
        reach("load-4-documents")
        changes.add(facts.insert(conn))
        told_before = find_years(conn, self._authorities(plan, anew, members))
        replaced = replace_facts(conn, list(anew), read_anew)
        changes.add(replaced.changes)
        changes.add(members.settle(conn))
        self._write_progress(plan, now)
        if replaced.changes.total:
            note_readings(conn, {key: doc.parsed_at or now for key, doc in anew.items()}, load_key, now)
        reach("load-5-facts")
        values = Changes()
        touched = self._find_touched(plan, members)
        if replaced.changes.total:
            told_now = find_years(conn, self._authorities(plan, anew, members))
            touched = join_years(touched, told_before, told_now)
        if touched:
            values, across = rebuild_values(conn, touched, self.check_across, load_key, facts.stated)
            changes.add(values)
            changes.add(across)
        reach("load-6-values")
        visit = Visit(
            batch.source.source_id, batch.run_id, batch.finished_at, load_key,
            frozenset(_name(row) for row in (*plan.needs_facts(), *map(plan.rows.__getitem__, anew), *self.forgotten)),
            frozenset(doc.document_id for doc in documents),
        )  # fmt: skip
        settled = settle(conn, visit, tester.rejected, is_retry=not batch.is_crawl)
        reach("load-7-quarantine")
        result = self._result(plan, facts, replaced, tester, changes, values, settled, load_key)
        close_load(conn, result, load_key, is_new_load, now)
        write_fetches(conn, batch)
        write_pages(conn, batch, {one.document_id for one in tester.rejected if one.target == DOCUMENT})
        write_source_run(conn, batch, result)
        reach("load-8-log")
        test_batch(conn, batch.source.source_id, Scope.of(plan.rows, set(touched)))
        reach("load-9-tested")
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
            rows.add(copy_facts(self.conn, sibling, version, load_key, members))
        return rows

    def _find_touched(self, plan: DocumentPlan, members: Members) -> dict[Authority, Years]:
        """Authorities whose statements may have changed, and the years they are about; of versions that are no more,
        and of metrics that are grouped anew, all years. Versions read anew come on top."""
        documents: dict[Authority, set[int]] = defaultdict(set)
        for (region, body), keys in plan.touched_authorities().items():
            documents[members.current_of(region), body] |= keys
        touched = find_years(self.conn, documents)
        members.recall(self.conn, self.forgotten)
        gone = ((members.current_of(row["region_key"]), row["agency_key"]) for row in self.forgotten)
        return touched | dict.fromkeys(gone) | dict.fromkeys(members.find_regrouped(self.conn))

    def _authorities(self, plan: DocumentPlan, keys: Iterable[int], members: Members) -> dict[Authority, set[int]]:
        """Of versions, by key, whoever reports in them."""
        documents: dict[Authority, set[int]] = defaultdict(set)
        for key in keys:
            documents[members.current_of(plan.rows[key]["region_key"]), plan.rows[key]["agency_key"]].add(key)
        return documents

    def _find_read_anew(self, plan: DocumentPlan) -> dict[int, DocumentIn]:
        """Stored versions whose text comes again as another extraction read it, later: the last reading counts, in
        whatever order the loads come. What was read again from the archive on purpose always counts."""
        again: dict[int, tuple[DocumentIn, datetime]] = {}
        for key, row in plan.rows.items():
            doc = plan.incoming.get((row["document_id"], row["text_hash"]))
            was_parsed = key in plan.stored and plan.stored[key]["is_parsed"]
            if was_parsed and doc is not None and doc.parsed is not None and doc.parsed_at is not None:
                again[key] = doc, doc.parsed_at
        before = read_rows(self.conn, fact_document_progress, list(again))
        extractors = read_extractors(self.conn, list(again))
        mine = self.batch.extractor_version
        return {
            key: doc
            for key, (doc, parsed_at) in again.items()
            if not self.batch.is_crawl
            or (
                extractors.get(key, mine) != mine
                and (before[key]["parsed_at"] is None or before[key]["parsed_at"] < parsed_at)
            )
        }

    def _stage_anew(
        self, anew: dict[int, DocumentIn], plan: DocumentPlan, tester: Tester, members: Members, load_key: int
    ) -> FactRows:
        rows, origin = FactRows(), Origin(self.batch.extractor_version, load_key)
        for key, doc in anew.items():
            assert doc.parsed is not None
            rows.add(build_facts(plan.rows[key], doc.parsed, tester.accept_figures(doc, doc.parsed), members, origin))
        return rows

    def _write_progress(self, plan: DocumentPlan, now: datetime) -> None:
        rows: list[Row] = []
        for key in plan.new_keys:
            version = plan.rows[key]
            doc = plan.incoming.get((version["document_id"], version["text_hash"]))
            times = (doc.discovered_at, doc.fetched_at, doc.parsed_at) if doc else (None, now, None)
            rows.append(progress_row(version, times, parse_published(version["published_at"]), now))
        insert_rows(self.conn, fact_document_progress, rows)

    def _result(
        self, plan: DocumentPlan, facts: FactRows, replaced: Replaced, tester: Tester, changes: Changes,
        values: Changes, settled: Settled, load_key: int,
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
            observations=facts.n_observations + replaced.observations,
            mentions=facts.n_mentions + replaced.mentions,
            checks=facts.n_checks,
            quarantined=settled.added,
            checked=dict(sorted(tester.checked.items())),
            load_key=load_key if changes.total or settled.resolved else None,
            values_changed=values.total,
            resolved=settled.resolved,
            still_failing=settled.failed,
        )


def _name(row: Row) -> tuple[str, str]:
    """Of a version, as the quarantine has it."""
    return row["document_id"], row["text_hash"]


def open_load(conn: Connection, batch: LoadBatch) -> tuple[int, bool]:
    """The load's own row comes first, because all others refer to it. Its key, and whether it is new."""
    key = key_of("load", batch.run_id, batch.source.source_id)
    if key in read_rows(conn, dim_load, [key]):
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
    insert_rows(conn, dim_load, [row])
    return key, True


def close_load(conn: Connection, result: LoadResult, load_key: int, is_new_load: bool, now: datetime) -> None:
    """Nothing changed: no row. A second change under one run and source adds up in its row."""
    if result.load_key is None:
        if is_new_load:
            delete_rows(conn, dim_load, [load_key])
        return
    row = read_rows(conn, dim_load, [load_key])[load_key]
    checked = add_counts(json.loads(row["data_tests"]), result.checked)
    row.update(
        published_at=now,
        n_inserted=row["n_inserted"] + result.inserted,
        n_updated=row["n_updated"] + result.updated,
        n_deleted=row["n_deleted"] + result.deleted,
        n_quarantined=row["n_quarantined"] + result.quarantined,
        data_tests=to_json(checked),
    )
    merge_rows(conn, dim_load, [row])
