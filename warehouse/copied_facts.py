"""Facts of a document version copied from another occurrence of the same text."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import Connection, Table, select

from warehouse.columns import Row
from warehouse.dims import Members
from warehouse.facts import CARRIED, FactRows, check_key, evidence_id, link_figures, mention_key, observation_key
from warehouse.keys import NOT_APPLICABLE, UNKNOWN
from warehouse.schema import bridge_check_observation, fact_check, fact_mention, fact_observation
from warehouse.schema_dims import dim_metric


def copy_facts(conn: Connection, source_key: int, version: Row, load_key: int, members: Members) -> FactRows:
    """The facts of another occurrence of the same text, for `version`: with its region, body, source and date."""
    rows = FactRows()
    document_key = version["document_key"]
    target = {"document_key": document_key, "load_key": load_key}
    of_observation = target | {name: version[name] for name in CARRIED[fact_observation]}
    of_check = target | {name: version[name] for name in CARRIED[fact_check]}
    keys = {NOT_APPLICABLE: NOT_APPLICABLE, UNKNOWN: UNKNOWN}
    chosen = select(dim_metric.c.metric_key, dim_metric.c.current_key)
    current = {row.metric_key: row.current_key for row in conn.execute(chosen)}
    observations = []
    for old in _rows_of(conn, fact_observation, source_key):
        row = {**old, **of_observation, "metric_key": current[old["metric_key"]]}
        keys[old["observation_key"]] = row["observation_key"] = observation_key(row)
        row["metric_key"] = members.metric_version(row["metric_key"])
        observations.append(row)
    for row in observations:
        row["breakdown_of_key"] = keys[row["breakdown_of_key"]]
    rows.put_named(fact_observation, document_key, observations)
    mentions = _rows_of(conn, fact_mention, source_key)
    for mention in mentions:
        mention |= target
        mention["mention_key"] = mention_key(document_key, mention["span_start"], mention["span_end"])
    rows.put_named(fact_mention, document_key, mentions)
    figures = _figures_of(conn, source_key)
    checks, links = [], []
    for old in _rows_of(conn, fact_check, source_key):
        used = [keys[figure] for figure in figures[old["check_key"]]]
        row = {**old, **of_check, "subject_id": str(document_key)}
        row["evidence_id"] = evidence_id(row["formula"], used)
        row["check_key"] = check_key(row)
        checks.append(row)
        links += link_figures(row["check_key"], used)
    rows.put_named(fact_check, document_key, checks)
    rows.put(bridge_check_observation, document_key, links)
    return rows


def _rows_of(conn: Connection, table: Table, document_key: int) -> list[Row]:
    chosen = select(table).where(table.c.document_key == document_key).order_by(*table.primary_key)
    return [dict(row) for row in conn.execute(chosen).mappings()]


def _figures_of(conn: Connection, document_key: int) -> dict[int, list[int]]:
    """Observations of each check of a document version, in order."""
    bridge = bridge_check_observation
    chosen = (
        select(bridge.c.check_key, bridge.c.observation_key)
        .join(fact_check, fact_check.c.check_key == bridge.c.check_key)
        .where(fact_check.c.document_key == document_key)
        .order_by(bridge.c.check_key, bridge.c.position)
    )
    figures: dict[int, list[int]] = defaultdict(list)
    for check, observation in conn.execute(chosen):
        figures[check].append(observation)
    return figures
