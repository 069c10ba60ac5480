"""Copy a whole warehouse to another database, e.g. from SQLite to PostgreSQL: every table, history and log included."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Table, func, select

from warehouse.bulk import insert_values
from warehouse.engine import name_of, open_existing, open_warehouse, reading, writing
from warehouse.errors import WarehouseError
from warehouse.fingerprint import hash_content, stream
from warehouse.schema import metadata
from warehouse.schema_dims import dim_load

AT_ONCE = 20_000
"""Rows held in memory together."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied, and the content's mark, the same on both sides."""

    rows: dict[str, int]
    fingerprint: str


def copy_warehouse(source_url: str, target_url: str) -> Copied:
    """In one transaction, or not at all; the source is only read.

    Raises WarehouseError where the source is no warehouse of this schema, the target has loads of its own, or what
    arrived is not what was sent."""
    source = open_existing(source_url)
    if source is None:
        raise WarehouseError("there is no warehouse to copy yet; run `fazhi nightly` first")
    target = open_warehouse(target_url)
    try:
        if target.url == source.url:
            raise WarehouseError(f"warehouse {name_of(target.url)}: a warehouse is not copied onto itself")
        with reading(source) as here, writing(target) as there:
            if there.execute(select(func.count()).select_from(dim_load).where(dim_load.c.load_key >= 0)).scalar_one():
                raise WarehouseError(
                    f"warehouse {name_of(target.url)}: it has loads of its own; copy into an empty database"
                )
            rows = {table.name: _copy_table(here, there, table) for table in metadata.sorted_tables}
            mark = hash_content(there)
            if mark != hash_content(here):
                raise WarehouseError(
                    f"warehouse {name_of(target.url)}: what arrived is not what was sent; nothing was changed: "
                    "please report this"
                )
    finally:
        source.dispose()
        target.dispose()
    return Copied(rows, mark)


def _copy_table(here: Connection, there: Connection, table: Table) -> int:
    """Reserved members are there already. Rows that refer to rows of their own table (versions, to the current one)
    come after them."""
    (key,) = table.primary_key.columns
    order = [key] if "current_key" not in table.c else [key != table.c.current_key, key]
    rows = stream(here, select(table).where(key >= 0).order_by(*order))
    return insert_values(there, table, map(tuple, rows))
