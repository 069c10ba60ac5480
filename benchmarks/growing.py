"""A made warehouse on PostgreSQL, filled by two processes without the pace of one load after the other.

What stands in the tables is what loads would have left there (`check_sample` publishes some reports again and rebuilds
some values: nothing changes), but for the log of the crawl.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import make_url

from benchmarks.loading import CATALOGUE, NOW, batch_of
from benchmarks.made import DEPARTMENTS, FIRST_YEAR, YEARS, Place, make_report, make_reports
from extraction.model import Check
from warehouse.batch import DocumentIn, LoadBatch
from warehouse.bulk import insert_new
from warehouse.choosing import Statement, choose_values
from warehouse.columns import Row
from warehouse.data_tests import Accepted
from warehouse.dims import Members
from warehouse.documents import DocumentPlan, plan_documents
from warehouse.engine import open_warehouse, writing
from warehouse.facts import FactRows, Origin, build_facts, progress_row
from warehouse.load import open_load, publish
from warehouse.periods import parse_period, parse_published
from warehouse.schema import dim_document, document_text, fact_document_progress, fact_metric_value, fact_observation
from warehouse.upsert import insert_rows
from warehouse.values import rebuild_values, value_row

METRICS = {metric.code: metric for metric in CATALOGUE.metrics}


def check_nothing(_statements: Sequence[Statement]) -> Sequence[Check]:
    """Rules across documents are timed by the extraction's own benchmark; here the warehouse is."""
    return ()


def prime(url: str, place: Place) -> None:
    """Members that all places share, by real loads of one place, and of a department each."""
    engine = open_warehouse(url)
    publish(engine, batch_of(place, "grown", tuple(make_reports([place], CATALOGUE.metrics))), check_nothing)
    engine.dispose()


def grow(url: str, places: Sequence[Place]) -> int:
    """Fill in places that are not there yet; gives the observations written."""
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    written = 0
    for place in places:
        with engine.begin() as conn:
            conn.execute(text("SET LOCAL synchronous_commit = off"))
            written += _fill(conn, batch_of(place, "grown", tuple(make_reports([place], CATALOGUE.metrics))))
    engine.dispose()
    return written


def _fill(conn: Connection, batch: LoadBatch) -> int:
    load_key, _ = open_load(conn, batch)
    conn.execute(text("UPDATE dim_load SET published_at = started_at WHERE load_key = :key"), {"key": load_key})
    members = Members()
    members.source(conn, batch.source, batch.started_at)
    members.catalogue(conn, batch.catalogue, batch.started_at)
    plan = plan_documents(conn, batch, batch.documents, members, load_key)
    rows = FactRows()
    for version in plan.needs_facts():
        parsed = plan.incoming[version["document_id"], version["text_hash"]].parsed
        assert parsed is not None
        accepted = Accepted(
            dict(enumerate(parsed.mentions)), dict(enumerate(parsed.observations)), dict(enumerate(parsed.checks))
        )
        rows.add(build_facts(version, parsed, accepted, members, Origin("made", load_key)))
    members.write(conn)
    insert_new(conn, document_text, list(plan.texts.values()))
    insert_new(conn, dim_document, list(plan.rows.values()))
    statements = _statements(plan, rows, members)
    rows.insert(conn)
    progress = [
        progress_row(version, (None, NOW, NOW), parse_published(version["published_at"]), NOW)
        for version in plan.rows.values()
    ]
    insert_rows(conn, fact_document_progress, progress)
    insert_new(conn, fact_metric_value, [value_row(one, load_key) for one in choose_values(statements)])
    return rows.n_observations


def _statements(plan: DocumentPlan, rows: FactRows, members: Members) -> list[Statement]:
    """As they would be read back: the same objects, without the way through the database."""
    by_document: dict[int, tuple[Row, DocumentIn]] = {
        key: (row, plan.incoming[row["document_id"], row["text_hash"]]) for key, row in plan.rows.items()
    }
    found = []
    for row in rows.named(fact_observation):
        version, doc = by_document[row["document_key"]]
        assert doc.parsed is not None
        seen = doc.parsed.observations[row["position"]]
        period = parse_period(seen.period)
        assert period is not None and seen.value is not None
        metric = METRICS[seen.metric]
        found.append(
            Statement(
                row["observation_key"], row["document_key"], version["document_id"],
                members.current_of(row["region_key"]), row["agency_key"], seen.metric, row["metric_key"],
                metric.measure, seen.unit, row["unit_key"], seen.period, row["period_key"], period.end.year,
                period.end, None, row["as_of_date_key"], parse_published(version["published_at"]),
                row["published_date_key"], version["report_year"], False, seen.value, seen,
            )
        )  # fmt: skip
    return found


def check_sample(url: str, places: Sequence[Place]) -> int:
    """Publish reports that are there and rebuild their values: gives the changes, which must be none."""
    engine = open_warehouse(url)
    changed = 0
    for place in places:
        again = make_report(place, DEPARTMENTS[1], FIRST_YEAR + YEARS - 1, CATALOGUE.metrics)
        changed += publish(engine, batch_of(place, "again", (again,)), check_nothing).inserted
        changed += rebuild_place(engine, place)
    engine.dispose()
    return changed


def rebuild_place(engine: Engine, place: Place) -> int:
    """Rebuild the values of all bodies of a place; gives the changes."""
    with writing(engine) as conn:
        chosen = text(
            "SELECT DISTINCT d.region_key, d.agency_key FROM dim_document d JOIN dim_region r USING (region_key) "
            "WHERE r.region_code = :code"
        )
        authorities = {(row.region_key, row.agency_key) for row in conn.execute(chosen, {"code": place.code})}
        values, across = rebuild_values(conn, dict.fromkeys(authorities), check_nothing, -1)
        return values.total + across.total


def night(url: str, places: Sequence[Place], n_documents: int) -> list[LoadBatch]:
    """The next year's first reports, spread over all places: a batch a place, as a nightly has it."""
    year = FIRST_YEAR + YEARS
    per_place = -(-n_documents // len(places))
    batches = []
    for place in places[: -(-n_documents // per_place)]:
        documents = tuple(make_report(place, body, year, CATALOGUE.metrics) for body in DEPARTMENTS[:per_place])
        batches.append(batch_of(place, f"night-{len(places)}", documents))
    return batches
