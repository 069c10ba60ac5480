"""The Parquet files of a release: written from the database, or taken over from the release before.

The star comes from the database. The marts are made by DuckDB from the star's own files with the selects of
`warehouse.marts`, so they cannot differ from what the release says.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa
from sqlalchemy import Connection, Table, func, select

from warehouse.errors import WarehouseError
from warehouse.marts import RELEASED, select_region_year
from warehouse.parquet import Written, arrow_schema, count_readable, read_copied, read_raw, write_batches
from warehouse.partitions import FORMAT, Part, Plan
from warehouse.raw import spell
from warehouse.release_marts import (
    REGION_YEAR,
    WideTables,
    mart_sql,
    narrowed,
    read_batches,
    read_sections,
    wide_schema,
)
from warehouse.release_read import connect
from warehouse.release_rows import OF_CHECKS, OF_DOCUMENTS, Reader, released
from warehouse.schema import STAR, dim_document, fact_document_progress, fact_metric_value, fact_observation
from warehouse.schema_dims import dim_load

PARTS = "parts.json"
"""State, content and size of every file: what the next release is compared with."""

UNMARKED = {dim_load.name, "dim_date", fact_document_progress.name}
"""Tables that say when, not what: no part of the release's mark."""


@dataclass(frozen=True, slots=True)
class File:
    """One Parquet file."""

    path: str
    """Below the release's folder."""
    state: str
    """What it was made from; empty: written every time."""
    content: str
    rows: int
    bytes: int
    sha256: str


@dataclass(slots=True)
class Files:
    """Writes the files of one release into `draft`; those whose state did not change are linked from `before`."""

    conn: Connection
    draft: Path
    before: Path | None
    plan: Plan = field(init=False)
    tables: dict[str, list[File]] = field(default_factory=dict)
    schemas: dict[str, pa.Schema] = field(default_factory=dict)
    n_linked: int = 0
    _known: dict[str, File] = field(default_factory=dict)

    def write(self) -> None:
        """Raises WarehouseError where what can be read back is not what the warehouse holds."""
        self._known = read_parts(self.before) if self.before is not None else {}
        self.plan = Plan(self.conn)
        for table in STAR:
            self._write_table(table)
            self._compare(table)
        self._write_marts()

    def _write_table(self, table: Table) -> None:
        unhashed = [column.name for column in table.columns if column.info.get("audit")]
        query = released(table)
        schema = arrow_schema(query)
        if table not in (*OF_DOCUMENTS, *OF_CHECKS, fact_metric_value):
            read = read_copied if self.conn.dialect.name == "postgresql" else read_raw
            rows = read(self.conn, spell(self.conn, query), schema)
            self._add(table.name, "", "", schema, lambda path: write_batches(rows, schema, path, unhashed))
            return
        parts = [(part, state) for part in self.plan.parts() if (state := _state_of(table, part, schema))]
        fresh = [part for part, state in parts if self._held(_path_of(table.name, part.name), state) is None]
        reader = Reader(self.conn, table, schema, fresh)
        for part, state in parts:
            self._add(
                table.name, part.name, state, schema,
                lambda path, part=part: write_batches(reader.read(part), schema, path, unhashed),  # type: ignore[misc]
                may_be_empty=False,
            )  # fmt: skip
        if table.name not in self.tables:
            self._add(table.name, "", "", schema, lambda path: write_batches((), schema, path, unhashed))

    def _write_marts(self) -> None:
        duck = connect(("main", self.paths()))
        try:
            self._write_region_year(duck)
            everything = self._mark(with_states=True)
            for name, make in RELEASED.items():
                if name != REGION_YEAR:
                    query = make()
                    self._write_mart(duck, name, "", [everything], arrow_schema(query), mart_sql(query))
        finally:
            duck.close()

    def _write_region_year(self, duck: duckdb.DuckDBPyConnection) -> None:
        """The long mart and its wide tables, part by part; a part looks only into the documents that it comes from."""
        sections, query = read_sections(duck), select_region_year()
        for part in [one for one in self.plan.parts() if one.authorities] or [Part("")]:
            states = [part.value_state.hexdigest()]
            places = {fact_metric_value: {part.name}, fact_observation: part.stated_in, dim_document: part.stated_in}
            some = {table.name: self._files(table.name, names) for table, names in places.items()}
            with narrowed(duck, some, self.paths()):
                self._write_mart(duck, REGION_YEAR, part.name, states, arrow_schema(query), mart_sql(query))
            with narrowed(duck, {REGION_YEAR: self._files(REGION_YEAR, {part.name})}, self.paths()):
                self._write_wide_tables(WideTables(duck), sections, part.name, states)

    def _write_wide_tables(
        self, tables: WideTables, sections: dict[str, list[str]], part: str, states: list[str]
    ) -> None:
        for section, codes in sections.items():
            schema = wide_schema(codes)
            state = _hash_state(schema, [tables.sql, section, *states])
            self._add(
                f"{REGION_YEAR}_{section}", part, state, schema,
                lambda path, of=(section, codes, schema): write_batches(tables.read(*of[:2]), of[2], path),  # type: ignore[misc]
            )  # fmt: skip

    def _write_mart(
        self, duck: duckdb.DuckDBPyConnection, name: str, part: str, states: list[str], schema: pa.Schema, sql: str
    ) -> None:
        state = _hash_state(schema, [sql, *states])
        self._add(name, part, state, schema, lambda path: write_batches(read_batches(duck, sql), schema, path))

    def _add(
        self, table: str, part: str, state: str, schema: pa.Schema, write: Callable[[Path], Written],
        *, may_be_empty: bool = True,
    ) -> None:  # fmt: skip
        name = _path_of(table, part)
        path = self.draft / name
        path.parent.mkdir(exist_ok=True)
        file = self._held(name, state)
        if file is not None:
            self._take_over(name)
            self.n_linked += 1
        else:
            written = write(path)
            if not written.rows and not may_be_empty:
                path.unlink()  # engines take a table's first file for a sample of all: none may be empty
                return
            if count_readable(path, schema) != written.rows:
                raise WarehouseError(
                    f"release file {name}: {written.rows} rows were written and cannot all be read; the release was "
                    "dropped, the one before stays current: please report this"
                )
            path.chmod(0o444)  # releases share unchanged files
            file = File(name, state, written.content, written.rows, path.stat().st_size, _sha256(path))
        self.tables.setdefault(table, []).append(file)
        self.schemas[table] = schema

    def _held(self, name: str, state: str) -> File | None:
        """The file of the release before, where it was made from the same state."""
        file = self._known.get(name)
        if self.before is None or file is None or not state or file.state != state:
            return None
        path = self.before / name
        return file if path.is_file() and path.stat().st_size == file.bytes else None

    def _take_over(self, name: str) -> None:
        """The file of the release before under its name here: a second name of the same file where that can be had."""
        assert self.before is not None
        old, new = self.before / name, self.draft / name
        try:
            os.link(old, new)
        except OSError:  # a file system without hard links
            shutil.copyfile(old, new)

    def _compare(self, table: Table) -> None:
        """Every row of the warehouse is in some file, also those of parts that were taken over."""
        wanted = released(table).order_by(None).subquery()
        stored = self.conn.execute(select(func.count()).select_from(wanted)).scalar_one()
        found = sum(file.rows for file in self.tables[table.name])
        if found != stored:
            raise WarehouseError(
                f"release table {table.name}: {found} rows can be read, the warehouse has {stored}; "
                "the release was dropped, the one before stays current: please report this"
            )

    def _files(self, table: str, parts: Iterable[str]) -> list[Path]:
        wanted = {_path_of(table, part) for part in parts}
        return [self.draft / file.path for file in self.tables[table] if file.path in wanted]

    def paths(self) -> dict[str, list[Path]]:
        return {name: [self.draft / file.path for file in files] for name, files in self.tables.items()}

    def mark(self) -> str:
        """Hash of what the warehouse says, without what says when: the same for the same state on any machine."""
        return self._mark(with_states=False)

    def _mark(self, with_states: bool) -> str:
        said = [
            (file.path, file.content, file.rows, file.state if with_states else "")
            for table in STAR
            if with_states or table.name not in UNMARKED
            for file in self.tables[table.name]
        ]
        return hashlib.sha256(json.dumps([FORMAT, said]).encode()).hexdigest()

    def write_parts(self) -> None:
        told = [asdict(file) for files in self.tables.values() for file in files]
        (self.draft / PARTS).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def _path_of(table: str, part: str) -> str:
    """Below the release's folder."""
    return f"{table}/{part}.parquet" if part else f"{table}.parquet"


def read_parts(release: Path) -> dict[str, File]:
    """The files of a release by path; none for a release of an earlier version of this program."""
    try:
        told = json.loads((release / PARTS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return {one["path"]: File(**one) for one in told}


def _state_of(table: Table, part: Part, schema: pa.Schema) -> str:
    """Empty where the part has no rows of the table."""
    if table in OF_DOCUMENTS:
        states = [part.document_state] if part.documents else []
    elif table in OF_CHECKS:
        states = [part.document_state, part.check_state] if part.documents or part.checked else []
    else:
        states = [part.value_state] if part.authorities else []
    if not states:
        return ""
    return _hash_state(schema, [state.hexdigest() for state in states])


def _hash_state(schema: pa.Schema, states: list[str]) -> str:
    """Whatever may change the bytes of a file belongs to its state."""
    said = json.dumps([FORMAT, pa.__version__, duckdb.__version__, str(schema), *states])
    return hashlib.sha256(said.encode()).hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
