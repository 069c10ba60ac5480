"""What a release says otherwise than the one before it: found once, when its index is made."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import duckdb

from warehouse.errors import WarehouseError
from warehouse.release_read import Told, list_releases

KEPT = 2_000
"""Lines of each kind that are kept; the numbers tell of all."""
COLUMNS = {
    "what": "VARCHAR", "change": "VARCHAR", "line": "INT", "document_id": "VARCHAR", "title": "VARCHAR",
    "region_code": "VARCHAR", "region_zh": "VARCHAR", "metric_code": "VARCHAR", "metric_zh": "VARCHAR",
    "metric_en": "VARCHAR", "period_id": "VARCHAR", "unit_code": "VARCHAR", "old": "DOUBLE", "new": "DOUBLE",
    "quote": "VARCHAR",
}  # fmt: skip


def write_changes(duck: duckdb.DuckDBPyConnection, told: Told) -> None:
    """Tables `changed`, `changed_count` and `changed_from` of the index; empty where there is no release before."""
    duck.execute(f"CREATE TABLE ix.changed ({', '.join(f'{name} {kind}' for name, kind in COLUMNS.items())})")
    duck.execute("CREATE TABLE ix.changed_count (what VARCHAR, change VARCHAR, n BIGINT)")
    duck.execute("CREATE TABLE ix.changed_from (name VARCHAR)")
    before = _before(told)
    if before is None:
        return
    from warehouse.release_diff import Difference  # it brings the schema along, which pages do without

    try:
        with Difference(before, told) as found:
            counts = [(w, change, n) for w, kinds in found.summary().items() for change, n in kinds.items()]
            rows = [*islice(_documents(found.documents()), KEPT), *islice(_values(found.values()), KEPT)]
    except (WarehouseError, duckdb.Error):
        return  # a release of an older layout, or one that is being taken away: nothing is said of changes
    duck.execute("INSERT INTO ix.changed_from VALUES (?)", [before.name])
    if counts:
        duck.executemany("INSERT INTO ix.changed_count VALUES (?, ?, ?)", counts)
    if rows:
        marks = ", ".join("?" * len(COLUMNS))
        duck.executemany(f"INSERT INTO ix.changed VALUES ({marks})", rows)


def _before(told: Told) -> Told | None:
    try:
        releases = list_releases(told.path.parent)
    except WarehouseError:
        return None  # a damaged neighbour is no fault of this release
    names = [one.name for one in releases]
    at = names.index(told.name) if told.name in names else 0
    return releases[at - 1] if at else None


def _documents(rows: Iterator[dict[str, Any]]) -> Iterator[tuple[Any, ...]]:
    for line, row in enumerate(rows):
        told = {"what": "documents", "line": line, "quote": row["columns"], **row}
        yield tuple(told.get(name) for name in COLUMNS)


def _values(rows: Iterator[dict[str, Any]]) -> Iterator[tuple[Any, ...]]:
    for line, row in enumerate(rows):
        side = "old" if row["change"] == "removed" else "new"
        told = {
            **row, "what": "values", "line": line, "unit_code": row[f"{side}_unit_code"], "old": row["old_value_num"],
            "new": row["new_value_num"], "quote": row[f"{side}_quote"], "title": row[f"{side}_title"],
        }  # fmt: skip
        yield tuple(told.get(name) for name in COLUMNS)
