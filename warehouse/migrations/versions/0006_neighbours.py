"""Rows of one document, and values of one region, lie together: their keys begin with those of their owner.

The large tables lose the references that were checked row by row (loads check them set by set), and indexes that no
question needs."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

BULK = ("fact_observation", "fact_mention", "fact_check", "bridge_check_observation", "fact_metric_value")
DROPPED = (
    ("fact_observation", "metric_key"),
    ("fact_observation", "region_key"),
    ("fact_metric_value", "metric_key"),
    ("bridge_check_observation", "check_key"),
    ("document_sighting", "document_id"),
)
AT_ONCE = 10_000
REST = (1 << 43) - 1
OWNER = ((1 << 63) - 1) ^ REST

Pairs = Iterable[tuple[int, int]]


def upgrade() -> None:
    conn = op.get_bind()
    for table in BULK:
        with op.batch_alter_table(table) as batch:
            for link in sa.inspect(conn).get_foreign_keys(table):
                batch.drop_constraint(str(link["name"]), type_="foreignkey")
    for table, column in DROPPED:
        op.drop_index(f"ix_{table}_{column}", table_name=table)
    op.create_index("ix_fact_metric_value_observation_key", "fact_metric_value", ["observation_key"])
    op.create_index("ix_dim_document_authority", "dim_document", ["region_key", "agency_key"])
    _rekey(conn, "fact_observation", "observation_key", _observations(conn), (
        ("fact_observation", "breakdown_of_key"),
        ("fact_metric_value", "observation_key"),
        ("bridge_check_observation", "observation_key"),
    ))  # fmt: skip
    _rekey(conn, "fact_mention", "mention_key", _mentions(conn), ())
    evidence = _evidence(conn)
    _rekey(conn, "fact_check", "check_key", _checks(conn, evidence), (("bridge_check_observation", "check_key"),))
    _rekey(conn, "bridge_check_observation", "bridge_key", _bridges(conn), ())
    _rekey(conn, "fact_metric_value", "value_key", _values(conn), ())


def _rekey(
    conn: sa.Connection, table: str, key: str, pairs: Callable[[], Pairs], followers: tuple[tuple[str, str], ...]
) -> None:
    """Old and new keys through a table of their own: rows change in one statement, and what refers to them too."""
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    renamed = op.create_table(
        "renamed", sa.Column("old", big, primary_key=True, autoincrement=False), sa.Column("new", big)
    )
    some: list[dict[str, int]] = []
    for old, new in pairs():
        some.append({"old": old, "new": new})
        if len(some) == AT_ONCE:
            conn.execute(renamed.insert(), some)
            some = []
    if some:
        conn.execute(renamed.insert(), some)
    for follower, column in ((table, key), *followers):
        conn.exec_driver_sql(
            f"UPDATE {follower} SET {column} = (SELECT new FROM renamed WHERE old = {column}) WHERE {column} >= 0"
        )
    op.drop_table("renamed")


def _rows(conn: sa.Connection, select: str) -> Iterator[Any]:
    """In parts, by key: on one connection an open cursor would stand in the way of writing."""
    last, told = -1, select
    while rows := conn.exec_driver_sql(told.format(last=last, n=AT_ONCE)).all():
        yield from rows
        last = int(rows[-1][0])


def _within(owner: int, kind: str, natural: str) -> int:
    told = hashlib.blake2b(f"{kind},{natural}".encode(), digest_size=8).digest()
    return (owner & OWNER) | (int.from_bytes(told, "big") & REST)


def _observations(conn: sa.Connection) -> Callable[[], Pairs]:
    def pairs() -> Pairs:
        for r in _rows(
            conn,
            "SELECT o.observation_key, o.document_key, o.span_start, o.span_end, m.current_key, o.period_key, "
            "o.status, o.is_derived, o.scope, o.dimension FROM fact_observation o JOIN dim_metric m "
            "ON m.metric_key = o.metric_key WHERE o.observation_key > {last} ORDER BY 1 LIMIT {n}",
        ):
            natural = f"{r[1]},{r[2]},{r[3]},{r[4]},{r[5]},{r[6]},{bool(r[7]):d},{len(r[8])},{r[8]},{r[9]}"
            yield r[0], _within(r[1], "observation", natural)

    return pairs


def _mentions(conn: sa.Connection) -> Callable[[], Pairs]:
    def pairs() -> Pairs:
        for r in _rows(
            conn,
            "SELECT mention_key, document_key, span_start, span_end FROM fact_mention "
            "WHERE mention_key > {last} ORDER BY 1 LIMIT {n}",
        ):
            yield r[0], _within(r[1], "mention", f"{r[1]},{r[2]},{r[3]}")

    return pairs


def _evidence(conn: sa.Connection) -> dict[int, str]:
    """The hash of each check's formula and figures: it names the figures by their keys, which are new."""
    figures: dict[int, list[int]] = defaultdict(list)
    chosen = "SELECT check_key, observation_key FROM bridge_check_observation ORDER BY check_key, position"
    for check, figure in conn.exec_driver_sql(chosen):
        figures[check].append(figure)
    found: dict[int, str] = {}
    for key, formula in conn.exec_driver_sql("SELECT check_key, formula FROM fact_check"):
        said = json.dumps(["evidence", formula, *figures[key]], ensure_ascii=False, separators=(",", ":"))
        number = int.from_bytes(hashlib.blake2b(said.encode(), digest_size=8).digest(), "big") >> 1
        found[key] = f"{number:016x}"
    rows = [{"b_key": key, "b_evidence": evidence} for key, evidence in found.items()]
    check = sa.table("fact_check", sa.column("check_key"), sa.column("evidence_id"))
    change = check.update().where(check.c.check_key == sa.bindparam("b_key"))
    if rows:
        conn.execute(change.values(evidence_id=sa.bindparam("b_evidence")), rows)
    return found


def _checks(conn: sa.Connection, evidence: dict[int, str]) -> Callable[[], Pairs]:
    def pairs() -> Pairs:
        for r in _rows(
            conn,
            "SELECT check_key, document_key, region_key, subject_kind, subject_id, rule_key FROM fact_check "
            "WHERE check_key > {last} ORDER BY 1 LIMIT {n}",
        ):
            owner = r[1] if r[1] >= 0 else max(r[2], 0)
            yield r[0], _within(owner, "check", f"{r[3]},{r[4]},{r[5]},{evidence[r[0]]}")

    return pairs


def _bridges(conn: sa.Connection) -> Callable[[], Pairs]:
    def pairs() -> Pairs:
        for r in _rows(
            conn,
            "SELECT bridge_key, check_key, observation_key FROM bridge_check_observation "
            "WHERE bridge_key > {last} ORDER BY 1 LIMIT {n}",
        ):
            yield r[0], _within(r[1], "bridge", f"{r[1]},{r[2]}")

    return pairs


def _values(conn: sa.Connection) -> Callable[[], Pairs]:
    def pairs() -> Pairs:
        for r in _rows(
            conn,
            "SELECT value_key, region_key, agency_key, metric_key, period_key, basis, scope, dimension "
            "FROM fact_metric_value WHERE value_key > {last} ORDER BY 1 LIMIT {n}",
        ):
            natural = f"{r[1]},{r[2]},{r[3]},{r[4]},{r[5]},{len(r[6])},{r[6]},{r[7]}"
            yield r[0], _within(r[1], "value", natural)

    return pairs
