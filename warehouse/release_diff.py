"""Two releases compared fact by fact, from their files alone.

Files with the same bytes in both are left out before anything is read, so two nights cost what changed between them;
the join is DuckDB's, which goes on in a temporary folder when memory is short.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from warehouse.errors import WarehouseError
from warehouse.release_read import Told, connect, name_files, quoted
from warehouse.schema import STAR
from warehouse.schema_dims import dim_load

VALUES = "mart_region_year"
DOCUMENTS = "dim_document"
_GROUP = (
    "region_code", "province_zh", "city_zh", "region_zh", "agency_zh", "section", "metric_code", "metric_zh",
    "metric_en", "year", "period_id", "basis", "scope", "dimension",
)  # fmt: skip
_VALUE = ("value_num", "unit_code", "qualifier", "status", "chosen_by", "is_disputed")
"""What a changed value is another value in."""
_WHERE = ("value_text", "quote", "title", "url", "published_at")
_PARTICULARS = (
    "title", "url", "published_at", "publisher", "index_no", "document_no", "region_key", "agency_key", "is_report",
    "report_year", "is_counted", "is_gone", "same_text_as",
)  # fmt: skip


class Difference:
    """What the newer release says otherwise. Use as a context manager; iterate `documents()` and `values()`."""

    def __init__(self, old: Told, new: Told) -> None:
        self.old, self.new = old, new
        self._columns = {side.name: _columns(side) for side in (old, new)}
        self._duck = connect()
        for schema, mine, other in (("old", old, new), ("new", new, old)):
            self._duck.execute(f"CREATE SCHEMA {schema}")
            for table, paths in _differing(mine, other).items():
                _name_some(self._duck, f'{schema}."{table}"', paths, mine.tables[table])

    def __enter__(self) -> Difference:
        return self

    def __exit__(self, *_: object) -> None:
        self._duck.close()

    def schema(self) -> list[str]:
        """One line per table or column that is in one release only, or of another type."""
        old, new = (self._columns[side.name] for side in (self.old, self.new))
        lines = [f"table {name}: removed" for name in sorted(set(old) - set(new))]
        lines += [f"table {name}: added" for name in sorted(set(new) - set(old))]
        for table in sorted(set(old) & set(new)):
            before, after = old[table], new[table]
            lines += [f"column {table}.{name}: removed" for name in before if name not in after]
            lines += [f"column {table}.{name}: added, {after[name]}" for name in after if name not in before]
            lines += [
                f"column {table}.{name}: {before[name]} became {after[name]}"
                for name in before
                if name in after and before[name] != after[name]
            ]
        return lines

    def tables(self) -> dict[str, dict[str, int]]:
        """Rows added, removed and changed in every table of the star; columns that say when do not count."""
        return {
            table.name: self._count(table.name, [column.name for column in table.primary_key], audit)
            for table in STAR
            if table is not dim_load and self._is_in_both(table.name)
            for audit in [{column.name for column in table.columns if column.info.get("audit")}]
        }

    def summary(self) -> dict[str, dict[str, int]]:
        """How many documents and values were added, removed, changed, …"""
        return {
            "documents": self._kinds(self._documents_sql()),
            "values": self._kinds(self._values_sql()),
        }

    def documents(self) -> Iterator[dict[str, Any]]:
        """Documents that are new, have another text, or other particulars."""
        return self._rows(f"{self._documents_sql()} ORDER BY document_id")

    def values(self) -> Iterator[dict[str, Any]]:
        """Chosen values: `added`, `removed`, `changed`, or `moved` (the same value, from another statement)."""
        return self._rows(f"{self._values_sql()} ORDER BY region_code, metric_code, period_id, value_key")

    def _is_in_both(self, table: str) -> bool:
        return all(table in self._columns[side.name] for side in (self.old, self.new))

    def _shared(self, table: str, wanted: tuple[str, ...]) -> list[str]:
        if not self._is_in_both(table):
            return []
        return [name for name in wanted if all(name in self._columns[one.name][table] for one in (self.old, self.new))]

    def _count(self, table: str, keys: list[str], audit: set[str]) -> dict[str, int]:
        names = [name for name in self._shared(table, tuple(self._columns[self.new.name][table])) if name not in audit]
        same = " AND ".join(f'o."{key}" = n."{key}"' for key in keys)
        found = self._duck.execute(
            f'SELECT count(*) FILTER (o."{keys[0]}" IS NULL), count(*) FILTER (n."{keys[0]}" IS NULL), '
            f'count(*) FILTER (o."{keys[0]}" = n."{keys[0]}" AND {_differ(names)}) '
            f'FROM old."{table}" o FULL JOIN new."{table}" n ON {same}'
        ).fetchone()
        assert found is not None
        return dict(zip(("added", "removed", "changed"), found, strict=True))

    def _values_sql(self) -> str:
        for one in (self.old, self.new):
            if "value_key" not in self._columns[one.name].get(VALUES, {}):
                raise WarehouseError(
                    f"release {one.name} has no {VALUES} with keys: it cannot be compared value by value"
                )
        value, group, where = (self._shared(VALUES, names) for names in (_VALUE, _GROUP, _WHERE))
        told = [f"coalesce(n.{name}, o.{name}) AS {name}" for name in group]
        told += [f"{side}.{name} AS {word}_{name}" for name in value for side, word in (("o", "old"), ("n", "new"))]
        told += [f"{side}.{name} AS {word}_{name}" for name in where for side, word in (("o", "old"), ("n", "new"))]
        kind = (
            "CASE WHEN o.value_key IS NULL THEN 'added' WHEN n.value_key IS NULL THEN 'removed' "
            f"WHEN {_differ(value)} THEN 'changed' ELSE 'moved' END"
        )
        return (
            f"SELECT {kind} AS change, coalesce(n.value_key, o.value_key) AS value_key, {', '.join(told)} "
            f"FROM old.{VALUES} o FULL JOIN new.{VALUES} n ON o.value_key = n.value_key "
            f"WHERE {_differ([*value, 'value_key', 'observation_key'])}"
        )

    def _documents_sql(self) -> str:
        names = self._shared(DOCUMENTS, _PARTICULARS)
        current = ", ".join(["document_id", "text_hash", *names])
        sides = [f"(SELECT {current} FROM {side}.{DOCUMENTS} WHERE is_current) {side[0]}" for side in ("old", "new")]
        kind = (
            "CASE WHEN o.document_id IS NULL THEN 'added' WHEN n.document_id IS NULL THEN 'removed' "
            "WHEN o.text_hash <> n.text_hash THEN 'new text' WHEN n.is_gone AND NOT o.is_gone THEN 'gone' "
            "ELSE 'updated' END"
        )
        told = ", ".join(f"coalesce(n.{name}, o.{name}) AS {name}" for name in ("title", "url", "published_at"))
        changed = ", ".join(f"CASE WHEN o.{name} IS DISTINCT FROM n.{name} THEN '{name}' END" for name in names)
        return (
            f"SELECT {kind} AS change, coalesce(n.document_id, o.document_id) AS document_id, {told}, "
            f"CASE WHEN o.document_id = n.document_id THEN concat_ws(', ', {changed}) ELSE '' END AS columns "
            f"FROM {sides[0]} FULL JOIN {sides[1]} ON o.document_id = n.document_id "
            f"WHERE {_differ(['document_id', 'text_hash', *names])}"
        )

    def _kinds(self, sql: str) -> dict[str, int]:
        rows = self._duck.execute(f"SELECT change, count(*) FROM ({sql}) GROUP BY change ORDER BY change").fetchall()
        return dict(rows)

    def _rows(self, sql: str) -> Iterator[dict[str, Any]]:
        cursor = self._duck.cursor()
        try:
            result = cursor.execute(sql)
            names = [column[0] for column in result.description or ()]
            while rows := result.fetchmany(1000):
                for row in rows:
                    yield dict(zip(names, row, strict=True))
        finally:
            cursor.close()


def _columns(told: Told) -> dict[str, dict[str, str]]:
    return {
        one["name"]: {field["name"]: field.get("arrow_type", field["type"]) for field in one["schema"]["fields"]}
        for one in told.package["resources"]
    }


def _differing(mine: Told, other: Told) -> dict[str, list[Path]]:
    """Per table the files that are not, byte for byte, also in the other release."""
    taken = {one["name"]: Counter(_hashes(one).values()) for one in other.package["resources"]}
    found: dict[str, list[Path]] = {}
    for one in mine.package["resources"]:
        left = taken.get(one["name"], Counter())
        found[one["name"]] = []
        for path, mark in _hashes(one).items():
            if left[mark]:
                left[mark] -= 1
            else:
                found[one["name"]].append(mine.path / path)
    return found


def _hashes(resource: dict[str, Any]) -> dict[str, str]:
    parts = resource.get("parts") or [{"path": resource["path"], "hash": resource["hash"]}]
    return {part["path"]: part["hash"] for part in parts}


def _name_some(duck: duckdb.DuckDBPyConnection, view: str, paths: list[Path], all_paths: list[Path]) -> None:
    if paths:
        name_files(duck, view, paths)
    else:
        duck.execute(f"CREATE VIEW {view} AS SELECT * FROM read_parquet({quoted(str(all_paths[0]))}) WHERE false")


def _differ(names: list[str]) -> str:
    return "(" + " OR ".join(f'o."{name}" IS DISTINCT FROM n."{name}"' for name in names) + ")"


def write_json(difference: Difference) -> Iterator[str]:
    """The difference as one JSON object, piece by piece: it may be larger than memory."""
    head = {
        "old": difference.old.name,
        "new": difference.new.name,
        "summary": difference.summary(),
        "tables": difference.tables(),
        "schema": difference.schema(),
    }
    yield json.dumps(head, ensure_ascii=False)[:-1]
    for name, rows in (("documents", difference.documents()), ("values", difference.values())):
        yield f', "{name}": ['
        for i, row in enumerate(rows):
            yield (",\n" if i else "\n") + json.dumps(row, ensure_ascii=False, default=_plain)
        yield "]"
    yield "}\n"


def _plain(value: object) -> int | float | str:
    """Decimals as numbers; whole ones without a point."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)
