"""Fact rows of one document version from a parsed text; `warehouse.copied_facts` has those of another occurrence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import chain
from operator import itemgetter

from sqlalchemy import Connection, Table, update

from extraction.model import Check, Parsed
from warehouse.bulk import Rows, Values, insert_values, picker
from warehouse.choosing import fold_scope
from warehouse.columns import Row, round_derived
from warehouse.data_tests import Accepted
from warehouse.dim_rows import rule_key, unit_key
from warehouse.dims import Members
from warehouse.keys import NOT_APPLICABLE, UNKNOWN, key_of, key_within, keys_of_own
from warehouse.schema import (
    bridge_check_observation,
    fact_check,
    fact_document_progress,
    fact_mention,
    fact_observation,
)
from warehouse.statements import Stated
from warehouse.upsert import Changes

TABLES = (fact_observation, fact_mention, fact_check, bridge_check_observation)
"""Referred-to tables first."""


CARRIED: dict[Table, tuple[str, ...]] = {
    fact_observation: ("region_key", "agency_key", "source_key", "published_date_key"),
    fact_check: ("region_key", "agency_key"),
    fact_document_progress: ("source_key",),
}
"""What facts repeat of their document version."""


@dataclass(frozen=True, slots=True)
class Built:
    """Rows that are built as they are read: the engine takes one while the next is made, and none is held."""

    n: int
    build: Callable[[], Iterator[Values]]

    def __len__(self) -> int:
        return self.n

    def __iter__(self) -> Iterator[Values]:
        return self.build()


@dataclass(slots=True)
class FactRows:
    """Rows ready to insert, by document version, as tuples in the order of their table's columns."""

    of: dict[Table, list[tuple[int, Rows]]] = field(default_factory=lambda: {table: [] for table in TABLES})
    stated: dict[int, Stated] = field(default_factory=dict)
    """By document_key, where the observations themselves are at hand."""

    @property
    def n_observations(self) -> int:
        return self._count(fact_observation)

    @property
    def n_mentions(self) -> int:
        return self._count(fact_mention)

    @property
    def n_checks(self) -> int:
        return self._count(fact_check)

    def _count(self, table: Table) -> int:
        return sum(len(rows) for _, rows in self.of[table])

    def put(self, table: Table, document_key: int, rows: Rows) -> None:
        self.of[table].append((document_key, rows))

    def put_named(self, table: Table, document_key: int, rows: Sequence[Row]) -> None:
        self.put(table, document_key, list(map(picker(table), rows)))

    def add(self, other: FactRows) -> None:
        for table, parts in other.of.items():
            self.of[table] += parts
        self.stated |= other.stated

    def insert(self, conn: Connection) -> Changes:
        """Neighbours in the table are written together: keys begin with the document's."""
        changes = Changes()
        for table, parts in self.of.items():
            parts.sort(key=itemgetter(0))
            changes.inserted += insert_values(conn, table, self._all(table))
        return changes

    def named(self, table: Table) -> list[Row]:
        """The rows by column name."""
        names = [column.name for column in table.columns]
        return [dict(zip(names, row, strict=True)) for row in self._all(table)]

    def _all(self, table: Table) -> Iterator[Values]:
        return chain.from_iterable(rows for _, rows in self.of[table])


@dataclass(frozen=True, slots=True)
class Origin:
    """What all facts of one load share."""

    extractor_version: str
    load_key: int


def build_facts(version: Row, parsed: Parsed, accepted: Accepted, members: Members, origin: Origin) -> FactRows:
    """Rows of one document version. `version` is its `dim_document` row."""
    rows = FactRows()
    document_key = version["document_key"]
    keys, observations = _observation_rows(version, accepted, members, origin)
    rows.put(fact_observation, document_key, observations)
    rows.stated[document_key] = Stated(version, accepted.observations, keys)
    rows.put(fact_mention, document_key, _mention_rows(document_key, accepted, origin.load_key))
    subject = Subject("document", str(document_key), document_key, version["region_key"], version["agency_key"])
    checks: list[Row] = []
    links: list[Values] = []
    for check in accepted.checks.values():
        figures = [keys[i] for i in check.observations]
        row = check_row(subject, check, figures, members, origin.load_key)
        checks.append(row)
        links += link_figures(row["check_key"], figures)
    rows.put_named(fact_check, document_key, checks)
    rows.put(bridge_check_observation, document_key, links)
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
        "evidence_id": evidence_id(check.formula, figures),
        "rule_key": rule_key(check.rule),
        "document_key": subject.document_key,
        "region_key": subject.region_key,
        "agency_key": subject.agency_key,
        "period_key": members.period_of(check.period) if check.period else NOT_APPLICABLE,
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
    row["check_key"] = check_key(row)
    return row


def link_figures(check_key: int, figures: Sequence[int]) -> list[Values]:
    """Rows of `bridge_check_observation`, in the order of its columns. A figure that a rule used twice is linked
    once."""
    key_of_own = keys_of_own(check_key, "bridge")
    return [(key_of_own(str(figure)), check_key, figure, i) for i, figure in enumerate(dict.fromkeys(figures))]


def move_facts(conn: Connection, version: Row) -> int:
    """Give the facts of a version the region, body, source and date that its document now has."""
    moved = 0
    for table, names in CARRIED.items():
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
    rest = _natural(
        row["span_start"], row["span_end"], row["metric_key"], row["period_key"], row["status"], row["scope"],
        row["dimension"], row["is_derived"],
    )  # fmt: skip
    return key_within(row["document_key"], "observation", f"{row['document_key']},{rest}")


def _natural(
    start: int, end: int, metric: int, period: int, status: str, scope: str, dimension: str, is_derived: bool
) -> str:
    """What tells an observation from others of its document."""
    return f"{start},{end},{metric},{period},{status},{is_derived:d},{len(scope)},{scope},{dimension}"


def evidence_id(formula: str, figures: Sequence[int]) -> str:
    return f"{key_of('evidence', formula, *dict.fromkeys(figures)):016x}"


def mention_key(document_key: int, start: int, end: int) -> int:
    return key_within(document_key, "mention", f"{document_key},{start},{end}")


def check_key(row: Row) -> int:
    """Of a document with its other facts; across documents with those of the region."""
    owner = row["document_key"] if row["document_key"] >= 0 else row["region_key"]
    natural = f"{row['subject_kind']},{row['subject_id']},{row['rule_key']},{row['evidence_id']}"
    return key_within(max(owner, 0), "check", natural)


def _observation_rows(
    version: Row, accepted: Accepted, members: Members, origin: Origin
) -> tuple[dict[int, int], Built]:
    """Keys by position, and the rows in the order of the table's columns. One of a million each, so what is alike for
    many rows is looked up once, and a row is built once, as the driver takes it."""
    document_key = version["document_key"]
    of_document = (
        version["region_key"], version["agency_key"], version["source_key"], version["published_date_key"]
    )  # fmt: skip
    whose = (origin.extractor_version, origin.load_key)
    keys: dict[int, int] = {}
    key_of_own = keys_of_own(document_key, "observation")
    looked_up = []
    for i, seen in accepted.observations.items():
        metric, metric_version = members.metric(seen.metric)
        period = members.period_of(seen.period)
        as_of = NOT_APPLICABLE if seen.as_of is None else members.day_of(seen.as_of)
        scope, dimension = seen.scope or "", seen.dimension or ""
        natural = _natural(seen.start, seen.end, metric, period, seen.status, scope, dimension, seen.is_derived)
        keys[i] = key = key_of_own(natural)
        looked_up.append((key, document_key, metric_version, unit_key(seen.unit), period, as_of))

    def build() -> Iterator[Values]:
        for (i, seen), members_of in zip(accepted.observations.items(), looked_up, strict=True):
            quantities: tuple[Decimal | None, ...] = (
                seen.value, seen.value_low, seen.value_high, seen.share_percent, seen.yoy_percent, seen.yoy_change
            )  # fmt: skip
            if seen.is_derived:
                quantities = tuple(map(round_derived, quantities))
            value, low, high, share, yoy, change = quantities
            part_of = seen.breakdown_of
            yield (
                *members_of,
                *of_document,
                value,
                low,
                high,
                seen.qualifier,
                seen.status,
                seen.text,
                seen.unit_zh,
                seen.as_of,
                seen.scope or "",
                fold_scope(seen.scope) if seen.scope else "",
                seen.dimension or "",
                seen.start,
                seen.end,
                seen.quote,
                seen.quote_start,
                NOT_APPLICABLE if part_of is None else keys.get(part_of, UNKNOWN),
                share,
                seen.share_of,
                yoy,
                seen.yoy_text,
                change,
                seen.is_derived,
                seen.damaged,
                i,
                seen.evidence,
                *whose,
            )

    return keys, Built(len(keys), build)


def _mention_rows(document_key: int, accepted: Accepted, load_key: int) -> Built:
    claims = Counter((seen.start, seen.end) for seen in accepted.observations.values() if not seen.is_derived)

    key_of_own = keys_of_own(document_key, "mention")

    def build() -> Iterator[Values]:
        for seen in accepted.mentions.values():
            yield (
                key_of_own(f"{seen.start},{seen.end}"),
                document_key,
                seen.start,
                seen.end,
                seen.text,
                seen.value,
                seen.value_low,
                seen.value_high,
                seen.unit_zh,
                seen.numeral,
                seen.qualifier,
                seen.damaged,
                claims[seen.start, seen.end],
                load_key,
            )

    return Built(len(accepted.mentions), build)
