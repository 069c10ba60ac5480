"""A release opened for reading: its tables by name, its parts, and the index that is made beside it.

Read-only by construction: DuckDB runs in memory, knows the release's files and the index and no other file, cannot
load extensions, and its configuration is locked before the first question. No question holds text from a request: a
value of a request is a bound parameter, a name of a table or column is one of the release's own.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from explorer.changes import write_changes
from explorer.index_sql import LAYOUT, NOTHING_REMOVED, TABLES
from warehouse.errors import WarehouseError
from warehouse.release_read import Told, name_files, quoted, read_release

MEMORY = "1GB"
BY_DOCUMENT = ("document_text", "fact_observation", "fact_mention", "fact_check", "bridge_check_observation")
"""Tables that are read for one document, in the part in which it lies."""
UNDATED = "undated"


class TooSlow(Exception):
    """A question took longer than allowed and was stopped."""


class Gone(Exception):
    """A file of the release is there no more: a newer release took its place, and the old one was pruned."""


class Closed(Exception):
    """The release was closed; ask for the current one again."""


@dataclass(slots=True)
class Opened:
    """One release, open. `reading()` gives a reader; `retire()` closes it when the last reader is done."""

    told: Told
    seconds: float
    _duck: duckdb.DuckDBPyConnection
    _parts: frozenset[str]
    _kept: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _readers: int = 0
    _is_retired: bool = False

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """Raises Closed after `retire`, TooSlow where the time allowed is over, Gone where files went away."""
        with self._lock:
            if self._is_retired:
                raise Closed
            self._readers += 1
        try:
            cursor = self._duck.cursor()
            watch = threading.Timer(self.seconds, cursor.interrupt)
            watch.daemon = True
            watch.start()
            try:
                yield Reader(cursor, self.told, self._parts, self._kept)
            except duckdb.InterruptException as error:
                raise TooSlow(f"longer than {self.seconds:g} s") from error
            except (duckdb.IOException, duckdb.PermissionException) as error:
                raise Gone(str(error).splitlines()[0]) from error
            finally:
                watch.cancel()
                cursor.close()
        finally:
            with self._lock:
                self._readers -= 1
                self._close_if_done()

    def retire(self) -> None:
        with self._lock:
            self._is_retired = True
            self._close_if_done()

    def _close_if_done(self) -> None:
        if self._is_retired and not self._readers:
            self._duck.close()


@dataclass(frozen=True, slots=True)
class Reader:
    """Questions of one request."""

    cursor: duckdb.DuckDBPyConnection
    told: Told
    parts: frozenset[str]
    kept: dict[str, list[dict[str, Any]]]

    def whole(self, table: str) -> list[dict[str, Any]]:
        """A small table of the index, read once a release; nobody may change the rows."""
        if table not in self.kept:
            self.kept[table] = self.rows(f"SELECT * FROM ix.{table}")
        return self.kept[table]

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
        result = self.cursor.execute(sql, list(values))
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def row(self, sql: str, values: Sequence[Any] = ()) -> dict[str, Any] | None:
        found = self.rows(sql, values)
        return found[0] if found else None

    def value(self, sql: str, values: Sequence[Any] = ()) -> Any:
        found = self.cursor.execute(sql, list(values)).fetchone()
        return None if found is None else found[0]

    def part(self, table: str, year: int | None, region_code: str) -> str:
        """The name of the view that holds a document's rows of a table: its part, or the whole table where it has one
        file. Made of names of the release only."""
        begin = f"{year:04d}" if year else UNDATED
        for name in (f"{begin}-{region_code[:1]}", f"{begin}-0", begin):
            if f"{table}/{name}" in self.parts:
                return f'"part_{name}"."{table}"'
        return f'"{table}"'


def open_release(path: Path, cache: Path, seconds: float) -> Opened:
    """Open a release; its index is made in `cache` where it is not there yet (a few seconds per million values).

    Raises WarehouseError, one line, where the folder is no release that this program can read."""
    told = read_release(path.resolve())
    index = _make_index(told, cache)
    duck = _connect(told, cache, threads=1)  # readers are many: a question that wakes helpers keeps another one waiting
    parts: set[str] = set()
    try:
        for name in BY_DOCUMENT:
            for file in told.tables.get(name, []):
                if file.parent != told.path:
                    duck.execute(f'CREATE SCHEMA IF NOT EXISTS "part_{file.stem}"')
                    name_files(duck, f'"part_{file.stem}"."{name}"', [file])
                    parts.add(f"{name}/{file.stem}")
        duck.execute(f"ATTACH {quoted(str(index))} AS ix (READ_ONLY)")
        files = ", ".join(quoted(str(file)) for files in told.tables.values() for file in files)
        duck.execute(f"SET allowed_paths = [{files}]")
        duck.execute("SET enable_external_access = false")
        duck.execute("SET lock_configuration = true")
    except duckdb.Error as error:
        duck.close()
        raise _unreadable(told, error) from error
    return Opened(told, seconds, duck, frozenset(parts))


def _connect(told: Told, cache: Path, threads: int) -> duckdb.DuckDBPyConnection:
    spill = cache / f".spill-{os.getpid()}"
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY, "temp_directory": str(spill), "threads": threads, "enable_object_cache": True,
    }  # fmt: skip
    duck = duckdb.connect(config=config)
    duck.execute("SET autoinstall_known_extensions = false")
    duck.execute("SET autoload_known_extensions = false")
    try:
        for name, files in told.tables.items():
            name_files(duck, f'"{name}"', files)
    except duckdb.Error as error:
        duck.close()
        raise _unreadable(told, error) from error
    return duck


def _make_index(told: Told, cache: Path) -> Path:
    """The index of a release, made once; whoever is killed meanwhile leaves a draft that is made anew."""
    mark = told.package.get("fingerprint", "")[:16]
    index = cache / f"{told.name}-{mark}-{LAYOUT}-{duckdb.__version__}.duckdb"
    if index.is_file():
        return index
    cache.mkdir(parents=True, exist_ok=True)
    draft = cache / f".{index.name}.{os.getpid()}"
    draft.unlink(missing_ok=True)
    duck = _connect(told, cache, threads=2)
    try:
        duck.execute(f"ATTACH {quoted(str(draft))} AS ix")
        tables = TABLES if _tells(told, "dim_document", "removed") else TABLES | {"removed": NOTHING_REMOVED}
        for name, sql in tables.items():
            duck.execute(f"CREATE TABLE ix.{name} AS {sql}")
        write_changes(duck, told)
        duck.execute("DETACH ix")
        draft.replace(index)
    except duckdb.Error as error:
        raise _unreadable(told, error) from error
    finally:
        duck.close()
        draft.unlink(missing_ok=True)
    for old in cache.glob("*.duckdb"):
        if old != index and not (told.path.parent / old.name[: len(told.name)]).is_dir():
            old.unlink(missing_ok=True)  # its release is gone
    return index


def _tells(told: Told, table: str, column: str) -> bool:
    resource = next((one for one in told.package["resources"] if one["name"] == table), None)
    return resource is not None and any(one["name"] == column for one in resource["schema"]["fields"])


def _unreadable(told: Told, error: duckdb.Error) -> WarehouseError:
    first = str(error).splitlines()[0]
    return WarehouseError(
        f"release {told.name}: this program cannot read it ({first}); make it anew with `fazhi release make`"
    )
