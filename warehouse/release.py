"""Releases: the published state as files that people read, complete or not there at all.

A release is a folder named by the day of the last load and the mark of what it says. It is written beside its final
name, checked against the database, then renamed; the file `CURRENT` names the one to read and is replaced in one step.
Files that say what they said in the release before are shared with it and not written again.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

from sqlalchemy import Connection, Engine, func, select

from warehouse.dictionary import render_dictionary
from warehouse.engine import reading
from warehouse.errors import WarehouseError
from warehouse.package import describe_package
from warehouse.release_files import PARTS, Files
from warehouse.release_read import PACKAGE, POINTER, Told, current_release, list_releases, read_release
from warehouse.schema_dims import dim_load

DICTIONARY = "dictionary.md"
VIEWS = "views.sql"
LOCK = ".lock"
DRAFT, OLD = ".draft.", ".old."


@dataclass(frozen=True, slots=True)
class Release:
    name: str
    path: Path
    """Its folder."""
    fingerprint: str
    is_new: bool
    """False: the same state had been released before; its files were left as they are."""
    rows: dict[str, int]
    n_files: int
    """Parquet files."""
    n_linked: int
    """Files among them that are those of the release before."""


def make_release(engine: Engine, folder: Path, keep: int) -> Release:
    """Write the published state below `folder` and keep the last `keep` releases. A second maker waits its turn.

    Raises WarehouseError when nothing was loaded yet, a file cannot be written, or a check finds a difference;
    the current release then stays as it was.
    """
    try:
        with _only_maker(folder), reading(engine) as conn:
            release = _make(conn, folder)
            _point_to(folder, release.name)
            _prune(folder, keep, release.name)
    except OSError as error:
        raise WarehouseError(
            f"release {folder}: {error.strerror or error}; check the folder's permissions and the free space"
        ) from error
    return release


@contextmanager
def _only_maker(folder: Path) -> Iterator[None]:
    """One maker at a time in a folder, so what another one left half-done can be cleared away."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        for left in (*folder.glob(f"{DRAFT}*"), *folder.glob(f"{OLD}*")):
            shutil.rmtree(left)
        yield


def _make(conn: Connection, folder: Path) -> Release:
    last_load = conn.execute(select(func.max(dim_load.c.published_at))).scalar_one()
    if last_load is None:
        raise WarehouseError("nothing has been loaded yet, so there is nothing to release; run `fazhi nightly` first")
    draft = folder / f"{DRAFT}{os.getpid()}"
    draft.mkdir()
    try:
        files = Files(conn, draft.resolve(), current_release(folder))
        files.write()
        mark = files.mark()
        name = f"{last_load.astimezone(UTC):%Y-%m-%d}_{mark[:8]}"
        target = folder / name
        if (target / PACKAGE).is_file():
            told = read_release(target)
            return _result(told, is_new=False, n_linked=0)
        files.write_parts()
        (draft / DICTIONARY).write_text(render_dictionary(), encoding="utf-8")
        (draft / VIEWS).write_text(_views_sql(files), encoding="utf-8")
        package = describe_package(conn, files.tables, files.schemas, name, mark, last_load)
        text = json.dumps(package, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
        (draft / PACKAGE).write_text(text, encoding="utf-8")
        _sync(draft)
        draft.replace(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return _result(read_release(target), is_new=True, n_linked=files.n_linked)


def _result(told: Told, *, is_new: bool, n_linked: int) -> Release:
    resources = told.package["resources"]
    rows = {one["name"]: one["rows"] for one in resources}
    n_files = sum(len(one["parts"]) for one in resources)
    return Release(told.name, told.path, told.package["fingerprint"], is_new, rows, n_files, n_linked)


def _views_sql(files: Files) -> str:
    """For DuckDB's own shell, started in the release's folder: `duckdb -init views.sql`."""
    lines = ["-- A view per table of this release. In its folder: duckdb -init views.sql"]
    for name, parts in sorted(files.tables.items()):
        path = parts[0].path if "/" not in parts[0].path else f"{name}/*.parquet"
        lines.append(f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM read_parquet('{path}');")
    return "\n".join(lines) + "\n"


def _sync(draft: Path) -> None:
    """The files are on the disk before the folder gets its name; those of the release before have been there."""
    for path in sorted(draft.rglob("*")):
        if path.is_file() and path.stat().st_nlink == 1:
            with path.open("rb") as file:
                os.fsync(file.fileno())


def _point_to(folder: Path, name: str) -> None:
    pointer = folder / POINTER
    if pointer.is_file() and pointer.read_text(encoding="utf-8").strip() == name:
        return
    draft = folder / f".{POINTER}.{os.getpid()}"
    draft.write_text(name + "\n", encoding="utf-8")
    draft.replace(pointer)


def _prune(folder: Path, keep: int, current: str) -> None:
    """Keep the newest releases, and always the current one; other folders are nobody's business here."""
    others = [one for one in list_releases(folder) if one.name != current]
    for old in others[: max(len(others) - keep + 1, 0)]:
        gone = folder / f"{OLD}{old.name}"
        old.path.replace(gone)  # out of sight in one step
        shutil.rmtree(gone)


__all__ = ["PARTS", "Release", "current_release", "list_releases", "make_release"]
