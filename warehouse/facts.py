"""Fact rows of one document version: from a parsed text, or copied from another occurrence of the same text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, Table, select, update

from extraction.model import Check, Mention, Observation, Parsed
from warehouse.choosing import fold_scope
from warehouse.columns import round_derived
from warehouse.data_tests import Accepted
from warehouse.dims import Members, metric_key, rule_key, unit_key
from warehouse.keys import NOT_APPLICABLE, UNKNOWN, key_of
from warehouse.periods import parse_day, parse_period
from warehouse.schema import (
    bridge_check_observation,
    fact_check,
    fact_document_progress,
    fact_mention,
    fact_observation,
)
from warehouse.schema_dims import dim_metric
from warehouse.upsert import Changes, Row, insert_rows


@dataclass(slots=True)
class FactRows:
    """Rows ready to insert."""

    observations: list[Row] = field(default_factory=list)
    mentions: list[Row] = field(default_factory=list)
    checks: list[Row] = field(default_factory=list)
    bridges: list[Row] = field(default_factory=list)

    def add(self, other: FactRows) -> None:
        self.observations += other.observations
        self.mentions += other.mentions
        self.checks += other.checks
        self.bridges += other.bridges

    def insert(self, conn: Connection) -> Changes:
        changes = Changes()
        changes.add(insert_rows(conn, fact_observation, self.observations))
        changes.add(insert_rows(conn, fact_mention, self.mentions))
        changes.add(insert_rows(conn, fact_check, self.checks))
        changes.add(insert_rows(conn, bridge_check_observation, self.bridges))
        return changes


@dataclass(frozen=True, slots=True)
class Origin:
    """What all facts of one load share."""

    extractor_version: str
    load_key: int


def build_facts(version: Row, parsed: Parsed, accepted: Accepted, members: Members, origin: Origin) -> FactRows:
    """Rows of one document version. `version` is its `dim_document` row."""
    rows = FactRows()
    keys: dict[int, int] = {}
    for i, seen in accepted.observations.items():
        row = _observation_row(version, i, seen, members, origin)
        keys[i] = row["observation_key"] = observation_key(row)
        row["metric_key"] = members.metric(row["metric_key"])
        rows.observations.append(row)
    for row in rows.observations:
        part_of = accepted.observations[row["position"]].breakdown_of
        row["breakdown_of_key"] = NOT_APPLICABLE if part_of is None else keys.get(part_of, UNKNOWN)
    claims: dict[tuple[int, int], int] = defaultdict(int)
    for seen in accepted.observations.values():
        claims[seen.start, seen.end] += not seen.is_derived
    for mention in accepted.mentions.values():
        rows.mentions.append(_mention_row(version, mention, claims[mention.start, mention.end], origin))
    for check in accepted.checks.values():
        figures = [keys[i] for i in check.observations]
        subject = Subject("document", str(version["document_key"]), version["document_key"],
                          version["region_key"], version["agency_key"])  # fmt: skip
        row = check_row(subject, check, figures, members, origin.load_key)
        rows.checks.append(row)
        rows.bridges += bridge_rows(row["check_key"], figures)
    return rows


@dataclass(frozen=True, slots=True)
class Subject:
    """What a check is about."""

    kind: str
    subject_id: str
    document_key: int
    region_key: int
    agency_key: int


def check_row(subject: Subject, check: Check, figures: Sequence[int], members: Members, load_key: int) -> Row:
    row: Row = {
        "subject_kind": subject.kind,
        "subject_id": subject.subject_id,
        "evidence_id": _evidence_id(check.formula, figures),
        "rule_key": rule_key(check.rule),
        "document_key": subject.document_key,
        "region_key": subject.region_key,
        "agency_key": subject.agency_key,
        "period_key": members.period(parse_period(check.period) if check.period else None),
        "verdict": check.verdict,
        "is_explained": check.is_explained,
        "expected": round_derived(check.expected),
        "actual": round_derived(check.actual),
        "tolerance": round_derived(check.tolerance),
        "n_checked": check.n_checked,
        "formula": check.formula,
        "message_zh": check.message_zh,
        "message_en": check.message_en,
        "load_key": load_key,
    }
    row["check_key"] = _check_key(row)
    return row


def bridge_rows(check_key: int, figures: Sequence[int]) -> list[Row]:
    """A figure that a rule used twice is linked once."""
    return [
        {
            "bridge_key": key_of("bridge", check_key, figure),
            "check_key": check_key,
            "observation_key": figure,
            "position": i,
        }
        for i, figure in enumerate(dict.fromkeys(figures))
    ]


def copy_facts(conn: Connection, source_key: int, version: Row, load_key: int, members: Members) -> FactRows:
    """The facts of another occurrence of the same text, for `version`."""
    rows = FactRows()
    target = {"document_key": version["document_key"], "load_key": load_key}
    keys = {NOT_APPLICABLE: NOT_APPLICABLE, UNKNOWN: UNKNOWN}
    chosen = select(dim_metric.c.metric_key, dim_metric.c.current_key)
    current = {row.metric_key: row.current_key for row in conn.execute(chosen)}
    for old in _rows_of(conn, fact_observation, source_key):
        row = {**old, **target, "metric_key": current[old["metric_key"]]}
        keys[old["observation_key"]] = row["observation_key"] = observation_key(row)
        row["metric_key"] = members.metric(row["metric_key"])
        rows.observations.append(row)
    for row in rows.observations:
        row["breakdown_of_key"] = keys[row["breakdown_of_key"]]
    for old in _rows_of(conn, fact_mention, source_key):
        row = {**old, **target}
        rows.mentions.append({**row, "mention_key": _mention_key(row)})
    figures = _figures_of(conn, source_key)
    for old in _rows_of(conn, fact_check, source_key):
        used = [keys[figure] for figure in figures[old["check_key"]]]
        row = {**old, **target, "subject_id": str(version["document_key"])}
        row["evidence_id"] = _evidence_id(row["formula"], used)
        row["check_key"] = _check_key(row)
        rows.checks.append(row)
        rows.bridges += bridge_rows(row["check_key"], used)
    return rows


def move_facts(conn: Connection, version: Row) -> int:
    """Give the facts of a version the region, body, source and date that its document now has."""
    moved = 0
    for table, names in (
        (fact_observation, ("region_key", "agency_key", "source_key", "published_date_key")),
        (fact_check, ("region_key", "agency_key")),
        (fact_document_progress, ("source_key",)),
    ):
        change = (
            update(table)
            .where(table.c.document_key == version["document_key"])
            .values({name: version[name] for name in names})
        )
        moved += conn.execute(change).rowcount
    return moved


def progress_row(
    version: Row,
    times: tuple[datetime | None, datetime, datetime | None],
    published: datetime | None,
    loaded_at: datetime,
) -> Row:
    """`times`: discovered, fetched, parsed."""
    discovered_at, fetched_at, parsed_at = times
    return {
        "document_key": version["document_key"],
        "source_key": version["source_key"],
        "discovered_at": discovered_at,
        "fetched_at": fetched_at,
        "parsed_at": parsed_at,
        "loaded_at": loaded_at,
        "published_lag_days": (fetched_at - published).days if published else None,
        "load_lag_seconds": int((loaded_at - fetched_at).total_seconds()),
        "load_key": version["load_key"],
    }


def observation_key(row: Row) -> int:
    """The row's metric is still the current one: the key must not change with the metric's version."""
    names = (
        "document_key", "span_start", "span_end", "metric_key", "period_key", "status", "scope", "dimension",
        "is_derived",
    )  # fmt: skip
    return key_of("observation", *(row[name] for name in names))


def _evidence_id(formula: str, figures: Sequence[int]) -> str:
    return f"{key_of('evidence', formula, *dict.fromkeys(figures)):016x}"


def _mention_key(row: Row) -> int:
    return key_of("mention", row["document_key"], row["span_start"], row["span_end"])


def _check_key(row: Row) -> int:
    return key_of("check", row["subject_kind"], row["subject_id"], row["rule_key"], row["evidence_id"])


def _observation_row(version: Row, position: int, seen: Observation, members: Members, origin: Origin) -> Row:
    def keep(value: Decimal | None) -> Decimal | None:
        return round_derived(value) if seen.is_derived else value

    return {
        "document_key": version["document_key"],
        "metric_key": metric_key(seen.metric),
        "unit_key": unit_key(seen.unit),
        "period_key": members.period(parse_period(seen.period)),
        "as_of_date_key": members.date(parse_day(seen.as_of), missing=NOT_APPLICABLE),
        "region_key": version["region_key"],
        "agency_key": version["agency_key"],
        "source_key": version["source_key"],
        "published_date_key": version["published_date_key"],
        "value_num": keep(seen.value),
        "value_low": keep(seen.value_low),
        "value_high": keep(seen.value_high),
        "qualifier": seen.qualifier,
        "status": seen.status,
        "value_text": seen.text,
        "unit_zh": seen.unit_zh,
        "as_of": seen.as_of,
        "scope": seen.scope or "",
        "whole_scope": fold_scope(seen.scope),
        "dimension": seen.dimension or "",
        "span_start": seen.start,
        "span_end": seen.end,
        "quote": seen.quote,
        "quote_start": seen.quote_start,
        "breakdown_of_key": NOT_APPLICABLE,
        "share_percent": keep(seen.share_percent),
        "share_of": seen.share_of,
        "yoy_percent": keep(seen.yoy_percent),
        "yoy_text": seen.yoy_text,
        "yoy_change": keep(seen.yoy_change),
        "is_derived": seen.is_derived,
        "is_damaged": seen.damaged,
        "position": position,
        "evidence": seen.evidence,
        "extractor_version": origin.extractor_version,
        "load_key": origin.load_key,
    }


def _mention_row(version: Row, mention: Mention, claims: int, origin: Origin) -> Row:
    row: Row = {
        "document_key": version["document_key"],
        "span_start": mention.start,
        "span_end": mention.end,
        "value_text": mention.text,
        "value_num": mention.value,
        "value_low": mention.value_low,
        "value_high": mention.value_high,
        "unit_zh": mention.unit_zh,
        "numeral": mention.numeral,
        "qualifier": mention.qualifier,
        "is_damaged": mention.damaged,
        "n_observations": claims,
        "load_key": origin.load_key,
    }
    row["mention_key"] = _mention_key(row)
    return row


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
    for check_key, observation in conn.execute(chosen):
        figures[check_key].append(observation)
    return figures
