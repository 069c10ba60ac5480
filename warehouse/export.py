"""Cuts from a release: chosen values with names, the statements behind them, their documents, the words for it all.

`--as-of` is no filter on results: the release is read as it was known on that day (documents published by then, each
in the version that held then), and values are chosen anew from those statements by the same rule.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import duckdb
from sqlalchemy import true

from warehouse.as_known import _known_versions
from warehouse.choosing import choose_values
from warehouse.errors import WarehouseError
from warehouse.export_formats import WRITERS, Format
from warehouse.export_tables import DICTIONARY, EXPORTED, ExportTable
from warehouse.package import LICENSES, field_type
from warehouse.parquet import arrow_schema, write_rows
from warehouse.release_marts import mart_sql
from warehouse.release_read import PACKAGE, Told, connect, name_files, quoted
from warehouse.schema import dim_document, fact_metric_value
from warehouse.statements import statement_query, to_statement
from warehouse.values import value_row
from warehouse.wording import describe_column

NAME = "fazhi-export"


class WrongCut(ValueError):
    """The cut asks for what is not there; one line with what is near."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What to export: everything that is not restricted."""

    as_of: date | None = None
    regions: tuple[str, ...] = ()
    """Codes, or beginnings of codes."""
    metrics: tuple[str, ...] = ()


def export_release(told: Told, target: Path, kind: Format = "csv", cut: Cut | None = None) -> dict[str, int]:
    """Write a cut below `target`; gives the rows per table. The same release and cut give the same bytes.

    `target` is new, empty, or an earlier export, which is replaced as a whole. Raises WrongCut where nothing fits and
    WarehouseError where `target` cannot be written.
    """
    cut = cut or Cut()
    try:
        with _opened(told, cut) as duck, _replacing(target) as draft:
            files = WRITERS[kind](duck, draft, (*EXPORTED, DICTIONARY), list(_dictionary_rows()))
            package = _describe(told, cut, kind, files)
            (draft / PACKAGE).write_text(package, encoding="utf-8")
    except OSError as error:
        raise WarehouseError(
            f"export {target}: {error.strerror or error}; check the folder's permissions and the free space"
        ) from error
    return {name: rows for name, _path, rows in files}


@contextmanager
def _opened(told: Told, cut: Cut) -> Iterator[duckdb.DuckDBPyConnection]:
    """A release with two further tables: `chosen` values and the statements `stated` for them."""
    duck = connect(("main", told.tables))
    try:
        with tempfile.TemporaryDirectory(prefix="fazhi-export-") as folder:
            regions, metrics = _find_regions(duck, cut.regions), _find_metrics(duck, cut.metrics)
            if cut.as_of is not None:
                _look_back(duck, told, cut.as_of)
            where = _conditions(regions, metrics)
            if cut.as_of is not None:
                path = Path(folder) / "chosen.parquet"
                _choose_anew(duck, where, path)
                name_files(duck, "fact_metric_value", [path])
            duck.execute(f"CREATE TEMP TABLE chosen AS SELECT v.* FROM fact_metric_value v WHERE {where.format(x='v')}")
            found = duck.execute("SELECT count(*) FROM chosen").fetchone()
            if found == (0,):
                raise WrongCut(_nothing(told, cut))
            duck.execute(_STATED)
            yield duck
    finally:
        duck.close()


_STATED = """CREATE TEMP TABLE stated AS
SELECT v.value_key, o.observation_key
FROM fact_observation o
JOIN dim_document d ON d.document_key = o.document_key AND d.is_counted
JOIN dim_region r ON r.region_key = o.region_key
JOIN dim_metric m ON m.metric_key = o.metric_key
JOIN chosen v ON v.region_key = r.current_key AND v.metric_key = m.current_key AND v.agency_key = o.agency_key
  AND v.period_key = o.period_key AND v.scope = o.whole_scope AND v.dimension = o.dimension
  AND v.basis = CASE WHEN o.status = 'cumulative' AND m.measure <> 'stock' THEN 'cumulative' ELSE 'period' END
WHERE o.value_num IS NOT NULL AND NOT o.is_derived
  AND NOT (o.breakdown_of_key <> -2 AND o.whole_scope = '' AND o.dimension = '')"""
"""What `choosing.choose_values` chose from."""


def _look_back(duck: duckdb.DuckDBPyConnection, told: Told, day: date) -> None:
    """Let `is_counted` say what counted at the end of that day."""
    files = ", ".join(quoted(str(path)) for path in told.tables["dim_document"])
    duck.execute(f"CREATE TEMP TABLE known AS {mart_sql(_known_versions(day))}")
    duck.execute(
        "CREATE OR REPLACE VIEW dim_document AS SELECT * REPLACE "
        f"(document_key IN (SELECT document_key FROM known) AS is_counted) FROM read_parquet([{files}])"
    )


def _choose_anew(duck: duckdb.DuckDBPyConnection, where: str, path: Path) -> None:
    """The chosen values of what counts now, region by region: memory is that of the largest region."""
    schema = arrow_schema(fact_metric_value.select())
    names = schema.names
    duck.execute(
        f"CREATE TEMP TABLE wanted AS {mart_sql(statement_query(true(), dim_document.c.is_counted).order_by(None))}"
    )
    condition = where.format(x="w").replace("w.region_key", "w.current_region_key")
    cursor = duck.execute(
        f"SELECT * FROM wanted w WHERE {condition.replace('w.metric_key', 'w.current_metric_key')} "
        "ORDER BY current_region_key, document_id, position, observation_key"
    )
    columns = [column[0] for column in cursor.description or ()]

    def rows() -> Iterator[tuple[Any, ...]]:
        for group in _by_region(cursor, columns):
            for chosen in choose_values([to_statement(row) for row in group]):
                value = value_row(chosen, -2)
                yield tuple(value[name] for name in names)

    write_rows(rows(), schema, path)


def _by_region(cursor: duckdb.DuckDBPyConnection, columns: list[str]) -> Iterator[list[dict[str, Any]]]:
    group: list[dict[str, Any]] = []
    while some := cursor.fetchmany(5000):
        for values in some:
            row = dict(zip(columns, values, strict=True))
            if group and group[0]["current_region_key"] != row["current_region_key"]:
                yield group
                group = []
            group.append(row)
    if group:
        yield group


def _conditions(regions: Sequence[int] | None, metrics: Sequence[int] | None) -> str:
    parts = [
        f"{{x}}.{column} IN ({', '.join(map(str, keys))})"
        for column, keys in (("region_key", regions), ("metric_key", metrics))
        if keys is not None
    ]
    return " AND ".join(parts) or "true"


def _find_regions(duck: duckdb.DuckDBPyConnection, wanted: Sequence[str]) -> list[int] | None:
    if not wanted:
        return None
    rows = duck.execute(
        "SELECT region_code, region_key, name_zh FROM dim_region "
        "WHERE is_current AND region_key >= 0 ORDER BY region_code"
    ).fetchall()
    found: list[int] = []
    for asked in wanted:
        fitting = [key for code, key, _name in rows if asked and code.startswith(asked)]
        if not fitting:
            raise WrongCut(f"no region's code is or begins with {asked!r}: {_near_region(asked, rows)}")
        found += fitting
    return sorted(set(found))


def _near_region(asked: str, rows: list[tuple[str, int, str]]) -> str:
    said = {code: f"{code} {name}" for code, _key, name in rows}
    names = {name: code for code, _key, name in rows}
    whole = asked.rstrip("0")
    if asked.isdigit() and whole and any(code.startswith(whole) for code in said):
        return f"for all below it write {whole}"
    near = [names[name] for name in names if asked in name or name in asked][:3]
    near = near or [names[name] for name in get_close_matches(asked, names, n=3, cutoff=0.4)]
    near = near or get_close_matches(asked, said, n=3, cutoff=0.5) or sorted(said)[:3]
    return f"near: {', '.join(said[code] for code in near)}" if near else "the release has no region"


def _find_metrics(duck: duckdb.DuckDBPyConnection, wanted: Sequence[str]) -> list[int] | None:
    if not wanted:
        return None
    rows = duck.execute(
        "SELECT metric_code, metric_key, name_zh FROM dim_metric "
        "WHERE is_current AND metric_key >= 0 ORDER BY metric_code"
    ).fetchall()
    keys = {code: key for code, key, _name in rows}
    names = {name: code for code, _key, name in rows}
    found = []
    for asked in wanted:
        if asked not in keys:
            near = [code for name, code in names.items() if asked and asked in name][:3]
            near = near or [code for code in keys if asked and asked in code][:3]
            near = near or get_close_matches(asked, keys, n=3, cutoff=0.4)
            near = near or [names[name] for name in get_close_matches(asked, names, n=3, cutoff=0.3)]
            hint = f"near: {', '.join(near)}" if near else "docs/dictionary.md lists them all"
            raise WrongCut(f"no metric has the code {asked!r}: {hint}")
        found.append(keys[asked])
    return sorted(set(found))


def _nothing(told: Told, cut: Cut) -> str:
    parts = [f"regions {', '.join(cut.regions)}" if cut.regions else "", f"metrics {', '.join(cut.metrics)}"
             if cut.metrics else "", f"known on {cut.as_of}" if cut.as_of else ""]  # fmt: skip
    asked = ", ".join(part for part in parts if part)
    return f"nothing to export: release {told.name} has no chosen value{f' ({asked})' if asked else ''}"


@contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    """A draft beside the target that takes its place at the end. Raises WarehouseError where that holds other files."""
    target = target.absolute()
    if target.exists() and not _is_ours(target):
        raise WarehouseError(f"export {target}: there are other files; name a folder that is new or empty")
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    old = target.with_name(f".{target.name}.{os.getpid()}.old")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    try:
        yield draft
        if target.exists():
            target.replace(old)
        draft.replace(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _is_ours(target: Path) -> bool:
    """An empty folder, or an earlier export with nothing added to it."""
    if not target.is_dir():
        return False
    found = {path.name for path in target.iterdir()}
    if not found:
        return True
    try:
        package = json.loads((target / PACKAGE).read_text(encoding="utf-8"))
        return bool(package["name"] == NAME) and found == {PACKAGE, *(one["path"] for one in package["resources"])}
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _dictionary_rows() -> Iterator[tuple[str, ...]]:
    for table in EXPORTED:
        for column in table.columns:
            origin, _, name = column.origin.partition(".")
            said = describe_column(origin, name or column.name)
            yield table.name, column.name, column.kind, column.zh, column.en, said.zh, said.en


def _describe(told: Told, cut: Cut, kind: Format, files: list[tuple[str, str, int]]) -> str:
    """What the folder holds; it names the release by what it says, not by when it was made."""
    tables: dict[str, ExportTable] = {table.name: table for table in (*EXPORTED, DICTIONARY)}
    resources: dict[str, dict[str, Any]] = {}
    for name, path, rows in files:
        table = tables[name]
        fields = [
            {"name": column.name, "type": field_type(table.schema.field(column.name).type), "title": column.en,
             "title_zh": column.zh}
            for column in table.columns
        ]  # fmt: skip
        one = resources.setdefault(path, {"name": path.partition(".")[0], "path": path, "format": kind, "tables": {}})
        one["tables"][name] = {"title": table.en, "title_zh": table.zh, "rows": rows, "fields": fields}
    package = {
        "name": NAME,
        "title": "Figures of local governments' yearly rule-of-law reports: a cut",
        "title_zh": "法治政府建设年度报告数据：摘取",
        "release": told.package["fingerprint"],
        "as_of": cut.as_of.isoformat() if cut.as_of else None,
        "regions": list(cut.regions),
        "metrics": list(cut.metrics),
        "licenses": list(LICENSES),
        "resources": list(resources.values()),
    }
    return json.dumps(package, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
