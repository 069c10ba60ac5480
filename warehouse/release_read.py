"""Read a release: its tables and files, and a DuckDB connection in which every table has its name."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from warehouse.errors import WarehouseError

if TYPE_CHECKING:
    import duckdb

POINTER = "CURRENT"
PACKAGE = "datapackage.json"
MEMORY = "1GB"
"""What a query may hold before it goes on in a temporary folder."""


@dataclass(frozen=True, slots=True)
class Told:
    """A release as its datapackage.json tells of it."""

    name: str
    path: Path
    last_load_at: str
    package: Mapping[str, Any]

    @property
    def tables(self) -> dict[str, list[Path]]:
        """The files of every table."""
        return {one["name"]: [self.path / path for path in _as_list(one["path"])] for one in self.package["resources"]}

    @property
    def rows(self) -> int:
        return sum(one["rows"] for one in self.package["resources"])

    @property
    def bytes(self) -> int:
        return sum(one["bytes"] for one in self.package["resources"])


def read_release(path: Path) -> Told:
    """Raises WarehouseError where the folder is no release."""
    try:
        package = json.loads((path / PACKAGE).read_text(encoding="utf-8"))
        return Told(package["version"], path, package["last_load_at"], package)
    except (OSError, ValueError, KeyError) as error:
        raise WarehouseError(f"release {path}: {PACKAGE} is missing or damaged; make it anew") from error


def current_release(folder: Path) -> Path | None:
    """The release to read, or None before the first one."""
    try:
        name = (folder / POINTER).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    return folder / name


def list_releases(folder: Path) -> list[Told]:
    """All releases of a folder, the oldest load first. What is being made or taken away is not among them."""
    found = []
    for package in folder.glob(f"*/{PACKAGE}"):
        if not package.parent.name.startswith("."):
            try:
                told = read_release(package.parent)
            except WarehouseError:
                if package.is_file():
                    raise
                continue  # taken away while we looked
            if told.name == package.parent.name:
                found.append(told)
    return sorted(found, key=lambda one: (one.last_load_at, one.name))


def find_release(folder: Path, wanted: str = "CURRENT") -> Told:
    """A release by name, by the only beginning or end that fits, or as CURRENT or PREVIOUS (the one before it).

    Raises WarehouseError, one line that names what there is."""
    current = current_release(folder)
    if current is None:
        raise WarehouseError(f"no release in {folder} yet; run `fazhi release make`")
    if wanted.upper() == "CURRENT":
        return read_release(current)
    told = list_releases(folder)
    names = [one.name for one in told]
    if wanted.upper() == "PREVIOUS":
        at = names.index(current.name) if current.name in names else 0
        if not at:
            raise WarehouseError(f"release {current.name} is the oldest one kept: there is none before it")
        return told[at - 1]
    fitting = [one for one in told if one.name == wanted]
    fitting = fitting or [one for one in told if wanted and (one.name.startswith(wanted) or one.name.endswith(wanted))]
    if len(fitting) != 1:
        what = f"{len(fitting)} releases begin or end" if fitting else "no release begins or ends"
        raise WarehouseError(f"{what} with {wanted!r}; there are {', '.join(names)} (and CURRENT, PREVIOUS)")
    return fitting[0]


def connect(*layers: tuple[str, Mapping[str, Iterable[Path]]]) -> duckdb.DuckDBPyConnection:
    """DuckDB in memory with a view per table; each layer is a schema ("main" needs no prefix) and its tables."""
    import duckdb  # here: who only wants to know what is released does not wait for it

    spill = Path(tempfile.gettempdir()) / f"fazhi-duckdb-{os.getpid()}"
    conn = duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": str(spill)})
    conn.execute("SET autoinstall_known_extensions = false")
    for schema, tables in layers:
        if schema != "main":
            conn.execute(f'CREATE SCHEMA "{schema}"')
        for name, paths in tables.items():
            name_files(conn, f'"{schema}"."{name}"', paths)
    return conn


def connect_release(path: Path) -> duckdb.DuckDBPyConnection:
    """DuckDB on a release: `SELECT … FROM fact_metric_value`."""
    return connect(("main", read_release(path).tables))


def name_files(conn: duckdb.DuckDBPyConnection, view: str, paths: Iterable[Path]) -> None:
    """A view over Parquet files; one that exists is replaced."""
    files = ", ".join(quoted(str(path)) for path in paths)
    conn.execute(f"CREATE OR REPLACE VIEW {view} AS SELECT * FROM read_parquet([{files}])")


def quoted(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def _as_list(path: str | list[str]) -> list[str]:
    return [path] if isinstance(path, str) else path
