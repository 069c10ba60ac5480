"""History of regions, sources and metrics: versions with validity, and the sightings that they are folded from.

All members so far become the only version of themselves under the keys that they have. How sources and the catalogue
were, as far as the old tables tell, becomes their first state, so that the next change is met as one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from alembic import op

from warehouse.columns import BigKey, Quantity, UtcDateTime
from warehouse.keys import key_of

revision = "0002"
down_revision = "0001"

BEGINNING = datetime(1900, 1, 1, tzinfo=UTC)
DIMENSIONS = (("dim_region", "region"), ("dim_source", "source"), ("dim_metric", "metric"))
NATURAL = {"dim_region": "region_code", "dim_source": "source_id", "dim_metric": "metric_code"}
STATES = {
    "dim_source": "source_id name_zh name_en region_key engine hosts is_sandbox rhythm expected_month is_inferred",
    "dim_unit": "unit_code written_zh meaning",
    "dim_metric": "metric_code name_zh name_en section tier definition unit_key kind measure additivity part_of "
    "plausible_low plausible_high",
    "dim_rule": "rule_id kind formula name_zh name_en notes",
}
"""Columns that a state remembers."""


def upgrade() -> None:
    for table, stem in DIMENSIONS:
        _add_versions(table, f"{stem}_key", NATURAL[table])
    _make_sightings()
    _remember_sources()
    _remember_catalogue()
    op.drop_table("schema_version")


def _add_versions(table: str, key: str, natural: str) -> None:
    columns: list[sa.Column[Any]] = [
        sa.Column("version_no", sa.Integer()),
        sa.Column("current_key", BigKey),
        sa.Column("valid_from", UtcDateTime()),
        sa.Column("valid_to", UtcDateTime()),
        sa.Column("is_current", sa.Boolean()),
    ]
    if table == "dim_source":
        columns.append(sa.Column("is_inferred", sa.Boolean()))
    if table == "dim_region":
        columns.append(sa.Column("listed_code", sa.String()))
    for column in columns:
        op.add_column(table, column)
    rows = _table(table, key, *(column.name for column in columns))
    op.execute(
        rows.update().values(
            version_no=sa.case((rows.c[key] < 0, 0), else_=1), current_key=rows.c[key], valid_from=BEGINNING,
            is_current=True,
        )
    )  # fmt: skip
    if table == "dim_region":
        codes = _table(table, natural, "listed_code")
        op.execute(codes.update().values(listed_code=codes.c[natural]))
    if table == "dim_source":
        published = sa.select(_table("dim_document", "source_key").c.source_key)
        seen = sa.or_(rows.c[key] < 0, rows.c[key].in_(published), rows.c[key].in_(_seen_sources()))
        op.execute(rows.update().values(is_inferred=sa.not_(seen)))
    with op.batch_alter_table(table) as batch:
        for column in columns:
            if column.name != "valid_to":
                batch.alter_column(column.name, existing_type=column.type, nullable=False)
        batch.drop_constraint(op.f(f"uq_{table}_{natural}"), type_="unique")
        batch.create_unique_constraint(op.f(f"uq_{table}_{natural}"), [natural, "version_no"])
        batch.create_check_constraint(op.f(f"ck_{table}_validity"), "valid_to IS NULL OR valid_from < valid_to")
        batch.create_check_constraint(
            op.f(f"ck_{table}_current"),
            f"is_current = ({key} = current_key) AND is_current = (valid_to IS NULL)",
        )
        batch.create_foreign_key(op.f(f"fk_{table}_current_key"), table, ["current_key"], [key])


def _make_sightings() -> None:
    op.create_table(
        "member_state",
        sa.Column("state_key", BigKey, nullable=False, autoincrement=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("natural_key", sa.String(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("state_key", name=op.f("pk_member_state")),
    )
    op.create_index(op.f("ix_member_state_natural_key"), "member_state", ["natural_key"])
    op.create_table(
        "member_sighting",
        sa.Column("member_sighting_key", BigKey, nullable=False, autoincrement=False),
        sa.Column("state_key", BigKey, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("first_seen_at", UtcDateTime(), nullable=False),
        sa.Column("last_seen_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("member_sighting_key", name=op.f("pk_member_sighting")),
        sa.ForeignKeyConstraint(["state_key"], ["member_state.state_key"], name=op.f("fk_member_sighting_state_key")),
        sa.UniqueConstraint("state_key", "day", name=op.f("uq_member_sighting_state_key")),
    )


def _remember_sources() -> None:
    """A source was seen as it is by each of its runs that went well."""
    run = _table("fact_source_run", "source_key", "status", "started_at")
    chosen = sa.select(run.c.source_key, run.c.started_at).where(run.c.status == "ok")
    seen: dict[int, list[datetime]] = {}
    for key, started_at in op.get_bind().execute(chosen):
        seen.setdefault(key, []).append(started_at)
    for row in _rows("dim_source", "source_key"):
        key = row.pop("source_key")
        _remember("source", row["source_id"], row, seen.get(key, ()))


def _remember_catalogue() -> None:
    """The catalogue was as it is in the loads that had the version of the last one."""
    load = _table("dim_load", "load_key", "catalogue_version", "started_at")
    chosen = sa.select(load.c.catalogue_version, load.c.started_at).where(
        load.c.load_key >= 0, load.c.started_at.is_not(None)
    )
    loads = op.get_bind().execute(chosen).all()
    if not loads:
        return
    last = max(loads, key=lambda one: one.started_at).catalogue_version
    seen = [one.started_at for one in loads if one.catalogue_version == last]
    said = {
        table: [
            {name: value for name, value in row.items() if name != key}
            for row in _rows(table, key)
        ]
        for table, key in (("dim_unit", "unit_key"), ("dim_metric", "metric_key"), ("dim_rule", "rule_key"))
    }  # fmt: skip
    _remember("catalogue", "catalogue", said, seen)


def _remember(kind: str, natural_key: str, state: object, seen: Iterable[datetime]) -> None:
    moments = sorted(seen)
    if not moments:
        return
    content = json.dumps(state, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    key = key_of("state", kind, natural_key, hashlib.sha256(content.encode()).hexdigest())
    states = _table("member_state", "state_key", "kind", "natural_key", "content")
    op.execute(states.insert().values(state_key=key, kind=kind, natural_key=natural_key, content=content))
    sightings = _table("member_sighting", "member_sighting_key", "state_key", "day", "first_seen_at", "last_seen_at")
    for day in sorted({moment.date() for moment in moments}):
        on_day = [moment for moment in moments if moment.date() == day]
        op.execute(
            sightings.insert().values(
                member_sighting_key=key_of("member_sighting", key, day.isoformat()), state_key=key, day=day,
                first_seen_at=on_day[0], last_seen_at=on_day[-1],
            )
        )  # fmt: skip


def _rows(table: str, key: str) -> list[dict[str, Any]]:
    """Rows as a state's JSON holds them, in the order of their keys; no reserved members."""
    rows = _table(table, key, *(name for name in STATES[table].split() if name != key))
    chosen = sa.select(rows).where(rows.c[key] >= 0).order_by(rows.c[key])
    return [
        {name: str(value) if isinstance(value, Decimal) else value for name, value in row.items()}
        for row in op.get_bind().execute(chosen).mappings()
    ]


def _seen_sources() -> Any:
    run = _table("fact_source_run", "source_key", "status")
    return sa.select(run.c.source_key).where(run.c.status == "ok")


def _table(name: str, *columns: str) -> sa.TableClause:
    kinds: dict[str, Any] = {
        "valid_from": UtcDateTime(), "valid_to": UtcDateTime(), "started_at": UtcDateTime(), "is_current": sa.Boolean(),
        "is_inferred": sa.Boolean(), "is_sandbox": sa.Boolean(), "plausible_low": Quantity(),
        "plausible_high": Quantity(), "first_seen_at": UtcDateTime(), "last_seen_at": UtcDateTime(), "day": sa.Date(),
    }  # fmt: skip
    return sa.table(name, *(sa.column(column, kinds.get(column)) for column in columns))
