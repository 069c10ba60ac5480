"""A table of the release as rows: which columns it has, a filter on them, and the formats in which it leaves.

A filter is column = value with a column of the release and a value of its type, bound; so no text of a request gets
into a question. Answers are bounded in rows; whole tables are taken as the release's own Parquet files.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import pyarrow.parquet as pq

from explorer.release import Reader
from warehouse.cells import plain_cell

MOST_ROWS = 100_000
USUAL_ROWS = 10_000
MOST_FILTERS = 8
RESERVED = frozenset({"limit", "offset", "lang"})


class BadFilter(ValueError):
    """A filter that the table cannot answer; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Some rows of a table."""

    table: str
    sql: str
    values: list[Any]
    limit: int
    offset: int


def fields_of(reader: Reader, table: str) -> dict[str, dict[str, Any]]:
    """Column to its description in the release's datapackage. Raises BadFilter for a table that there is not."""
    for resource in reader.told.package["resources"]:
        if resource["name"] == table:
            return {one["name"]: one for one in resource["schema"]["fields"]}
    raise BadFilter(f"no table {table} in release {reader.told.name}")


def cut_table(reader: Reader, table: str, asked: Iterable[tuple[str, str]], limit: int, offset: int) -> Cut:
    """The question for some rows of a table. Raises BadFilter."""
    fields = fields_of(reader, table)
    conditions, values = [], []
    for name, said in asked:
        if name in RESERVED:
            continue
        if name not in fields:
            raise BadFilter(f"{table} has no column {name}")
        if said == "":
            conditions.append(f'("{name}" IS NULL OR CAST("{name}" AS VARCHAR) = \'\')')
        else:
            conditions.append(f'"{name}" = ?')
            values.append(_value(name, fields[name]["type"], said))
    if len(conditions) > MOST_FILTERS:
        raise BadFilter(f"at most {MOST_FILTERS} filters")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    shown = ", ".join(f'"{name}"' for name in fields)
    return Cut(table, f'SELECT {shown} FROM "{table}"{where} LIMIT ? OFFSET ?', [*values, limit, offset], limit, offset)


def _value(name: str, kind: str, said: str) -> Any:
    try:
        if kind == "integer":
            return int(said)
        if kind == "number":
            return Decimal(said)
        if kind == "boolean":
            return {"true": True, "false": False}[said.lower()]
        if kind == "date":
            return date.fromisoformat(said)
        if kind == "datetime":
            return datetime.fromisoformat(said)
    except (ValueError, InvalidOperation, KeyError) as error:
        raise BadFilter(f"{name} is a {kind}; {said!r} is none") from error
    return said


def as_csv(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """UTF-8 with the mark that spreadsheets ask for; no cell that they would take for a formula."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(names)
    writer.writerows([plain_cell(value) for value in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def as_parquet(reader: Reader, cut: Cut) -> tuple[bytes, int]:
    """The rows as a Parquet file, and how many they are."""
    out = io.BytesIO()
    table = reader.cursor.sql(cut.sql, params=cut.values).to_arrow_table()
    pq.write_table(table, out, compression="zstd")
    return out.getvalue(), table.num_rows


def for_json(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as JSON: keys as text (they do not fit into a script's numbers), decimals as numbers, times in ISO 8601."""
    return {name: _json_value(name, value) for name, value in row.items()}


def _json_value(name: str, value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool) and name.endswith("_key"):
        return str(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return for_json(value)
    if isinstance(value, list):
        return [_json_value(name, one) for one in value]
    return value
