"""Column types and shorthands of the schema. What differs per dialect in types is decided here alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from operator import index
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Integer,
    Numeric,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.schema import SchemaItem
from sqlalchemy.types import TypeDecorator, TypeEngine

Row = dict[str, Any]

DIGITS, PLACES = 15, 6
"""A stored quantity has at most 15 significant digits and 6 decimals: exact in a double and in NUMERIC(24,6)."""


class UtcDateTime(TypeDecorator[datetime]):
    """Aware datetimes in, aware UTC datetimes out; SQLite would drop the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        value = _as_utc(value)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _as_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError(f"a time without zone cannot be stored: {value!r}")
    return value.astimezone(UTC)


sqlite3.register_adapter(Decimal, float)  # in the driver, where a loop over the rows would cost three times as much
# The driver knows how to bind both, and looks for an adapter all the same: it takes eight times as long to find none.
sqlite3.register_adapter(bool, index)
sqlite3.register_adapter(type(None), {None: None}.__getitem__)


class Quantity(TypeDecorator[Decimal]):
    """Exact decimals within `DIGITS` and `PLACES`: NUMERIC on a server, REAL on SQLite, both lossless there."""

    impl = Numeric(24, PLACES)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(Float())
        return dialect.type_descriptor(Numeric(24, PLACES))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        if value is None or dialect.name != "sqlite":
            return value
        return float(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Decimal | None]:
        """Instead of `process_result_value`, whose wrapping costs more than it does."""
        return read_quantity


def read_quantity(value: float | Decimal | None) -> Decimal | None:
    """A stored quantity as it was meant."""
    return None if value is None else _read_quantity(value)


@lru_cache(maxsize=20_000)
def _read_quantity(value: float | Decimal) -> Decimal:
    return plain(Decimal(repr(value) if isinstance(value, float) else value))


def plain(value: Decimal) -> Decimal:
    """The same number without exponent or trailing zeros, so that equal numbers print alike."""
    whole = value.quantize(_ONE)
    return whole if whole == value else value.normalize()


_ONE = Decimal(1)


def is_storable(value: Decimal) -> bool:
    """Whether the number is kept exactly (see `DIGITS`, `PLACES`)."""
    if not value.is_finite():
        return False
    _, digits, exponent = value.normalize().as_tuple()
    assert isinstance(exponent, int)
    return -exponent <= PLACES and len(digits) + max(exponent, 0) <= DIGITS


def round_derived(value: Decimal | None) -> Decimal | None:
    """A computed figure (a ratio, an implied value) cut to what is kept; stated figures are never rounded."""
    if value is None or not value.is_finite() or is_storable(value) or value.adjusted() >= DIGITS:
        return value  # beyond the digits kept: `is_storable` refuses it
    places = max(0, min(PLACES, DIGITS - 1 - value.adjusted()))
    return value.quantize(Decimal(1).scaleb(-places))


def converter(column: Column[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """How a value becomes what the driver takes; None where the driver takes the column's values as they are."""
    kind = column.type
    if isinstance(kind, UtcDateTime) and dialect.name == "sqlite":
        return spell_moment
    if isinstance(kind, UtcDateTime | Date):
        return kind.dialect_impl(dialect).bind_processor(dialect)
    return None


@lru_cache(maxsize=20_000)
def spell_moment(value: datetime) -> str:
    """A time as SQLAlchemy has SQLite hold it; the same few stand in the rows of a load."""
    return _as_utc(value).replace(tzinfo=None).isoformat(" ", "microseconds")


BigKey = BigInteger().with_variant(Integer(), "sqlite")
"""63 bits everywhere; SQLite makes only an INTEGER key its row id."""


def key_column(name: str, comment: str, target: str | None = None) -> Column[int]:
    """The surrogate key; `target` where the row extends another table's row one to one."""
    links = (ForeignKey(target),) if target else ()
    return Column(name, BigKey, *links, primary_key=True, autoincrement=False, comment=comment)


def reference(
    name: str, target: str, comment: str, *, audit: bool = False, index: bool = False, versioned: bool = False
) -> Column[int]:
    """A foreign key, never NULL: `-1` is unknown, `-2` not applicable."""
    info = {"audit": audit, "versioned": versioned}
    return Column(name, BigKey, ForeignKey(target), nullable=False, index=index, comment=comment, info=info)


def field(
    name: str, kind: Any, comment: str, *, null: bool = False, audit: bool = False, index: bool = False,
    versioned: bool = False, compared: bool = False,
) -> Column[Any]:  # fmt: skip
    """An ordinary column.

    `audit` marks what says when or by which load, not what the source says. `versioned` (type 2): another value makes
    another version of the member; a column without it (type 1) is overwritten in all versions. `compared`: no content,
    yet a changed one is written."""
    info = {"audit": audit, "versioned": versioned, "compared": compared}
    return Column(name, kind, nullable=null, index=index, comment=comment, info=info)


def moment(name: str, comment: str, *, null: bool = False, audit: bool = True) -> Column[Any]:
    """A bound of validity. It may hang on when a thing was seen, so it is no content, yet a changed one is written."""
    return Column(name, UtcDateTime, nullable=null, comment=comment, info={"audit": audit, "compared": True})


def versions(table: str, key: str, natural: str, *, audit: bool = True) -> tuple[SchemaItem, ...]:
    """Columns and constraints of a dimension with history: half-open [valid_from, valid_to), one current row.

    The current version has the key of the natural key, so it stays the same when an older one is split off."""
    return (
        field("version_no", Integer, "1, 2, … in time."),
        reference("current_key", f"{table}.{key}", "The current version: what is counted over all versions."),
        moment("valid_from", "Start; 1900-01-01 where nothing earlier is known.", audit=audit),
        moment("valid_to", "Start of the next version; NULL for the current one.", null=True, audit=audit),
        field("is_current", Boolean, "The last version."),
        UniqueConstraint(natural, "version_no"),
        CheckConstraint("valid_to IS NULL OR valid_from < valid_to", name="validity"),
        CheckConstraint(f"is_current = ({key} = current_key) AND is_current = (valid_to IS NULL)", name="current"),
    )
