"""How fast observations go into the warehouse, beside the barest way of writing the same rows and beside pandas.

`python -m benchmarks.loading [--rows 1000000]`. Each contender runs in turn on the same rows, in one run:

- ours: observations as extraction gives them (`extraction.model.Observation`), their dimensions looked up, natural keys
  hashed, uniqueness and references enforced, in transactions of 500 documents: `warehouse.facts`, `warehouse.bulk`;
- bare: the finished rows, in one transaction, into one table without key, index or reference: text COPY on PostgreSQL,
  `executemany` on SQLite;
- pandas: `DataFrame.to_sql` with its defaults into such a table.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import make_url

from benchmarks.made import FETCHED, PER_REPORT, Place, make_reports
from benchmarks.usage import own_peak
from fazhi.house import load_catalog
from tests.postgres import running_server
from warehouse.batch import DocumentIn, LoadBatch, SourceRow
from warehouse.catalogue import catalogue_rows
from warehouse.data_tests import Accepted
from warehouse.dims import Members
from warehouse.documents import plan_documents
from warehouse.engine import open_warehouse, reading, writing
from warehouse.facts import FactRows, Origin, build_facts
from warehouse.fingerprint import stream
from warehouse.load import open_load
from warehouse.regions import load_gazetteer
from warehouse.schema import dim_document, document_text, fact_observation
from warehouse.upsert import merge_rows

PER_BATCH = 500
AT_ONCE = 50_000
LEAST_OF_BARE, LEAST_OF_PANDAS = 0.4, 2.5
MOST_MB = 500
"""The bars: share of the bare rate, multiple of pandas' rate, memory of a loader."""

CATALOGUE = catalogue_rows(*load_catalog())
NAMES = [column.name for column in fact_observation.columns]
NOW = datetime(2026, 1, 6, tzinfo=UTC)


def counties(n: int) -> list[Place]:
    """The first counties of the national list, each place once."""
    gazetteer = load_gazetteer()
    found: dict[str, Place] = {}
    for code in sorted(gazetteer.by_code):
        one = gazetteer.by_code[code][-1]
        if one.level == "county":
            found.setdefault(gazetteer.identity(code), Place(code, one.name_zh))
    return list(found.values())[:n]


def batch_of(place: Place, run: str, documents: tuple[DocumentIn, ...]) -> LoadBatch:
    source = SourceRow(f"{place.code}_made", place.name, place.name, place.code, "trs", (place.host,))
    return LoadBatch(
        run_id=run, source=source, started_at=FETCHED, finished_at=NOW, catalogue=CATALOGUE, extractor_version="made",
        code_version="made", documents=documents,
    )  # fmt: skip


def cut_batches(n_rows: int) -> Iterator[tuple[DocumentIn, ...]]:
    """Documents that hold so many observations, in batches."""
    n_documents = -(-n_rows // PER_REPORT)
    made = make_reports(counties(n_documents // 120 + 1), CATALOGUE.metrics)
    while n_documents > 0:
        some = tuple(doc for _, doc in zip(range(min(PER_BATCH, n_documents)), made, strict=False))
        n_documents -= len(some)
        yield some


def load_ours(engine: Engine, n_rows: int) -> tuple[int, float]:
    """Rows written, and the seconds from observations to committed rows; making documents is not counted, nor is
    writing the documents that the rows refer to."""
    seconds, written = 0.0, 0
    place = counties(1)[0]
    for number, documents in enumerate(cut_batches(n_rows)):
        batch = batch_of(place, f"run-{number}", documents)
        with writing(engine) as conn:
            load_key, _ = open_load(conn, batch)
            members = Members()
            members.source(conn, batch.source, batch.started_at)
            members.catalogue(conn, batch.catalogue, batch.started_at)
            plan = plan_documents(conn, batch, documents, members, load_key)
            members.write(conn)
            merge_rows(conn, document_text, plan.texts.values())
            merge_rows(conn, dim_document, plan.rows.values())
        began = time.perf_counter()
        with writing(engine) as conn:
            rows = FactRows()
            for version in plan.needs_facts():
                doc = plan.incoming[version["document_id"], version["text_hash"]]
                assert doc.parsed is not None
                accepted = Accepted(observations=dict(enumerate(doc.parsed.observations)))
                rows.add(build_facts(version, doc.parsed, accepted, members, Origin("made", load_key)))
            members.write(conn)
            written += rows.insert(conn).inserted
        seconds += time.perf_counter() - began
    return written, seconds


def read_back(engine: Engine) -> Iterator[list[tuple[Any, ...]]]:
    """The rows that ours wrote, for the others to write."""
    with reading(engine) as conn:
        rows = stream(conn, fact_observation.select().order_by(fact_observation.c.observation_key))
        while some := [tuple(row) for row in islice(rows, AT_ONCE)]:
            yield some


def copy_bare(url: str, parts: Iterator[list[tuple[Any, ...]]]) -> float:
    import psycopg

    types = {c.name: c.type.compile(create_engine("postgresql+psycopg://").dialect) for c in fact_observation.columns}
    seconds = 0.0
    with psycopg.connect(url) as conn:
        conn.execute(f"CREATE TABLE bare ({', '.join(f'{n} {t}' for n, t in types.items())})".encode())
        for rows in parts:
            began = time.perf_counter()
            with conn.cursor() as cursor, cursor.copy("COPY bare FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            seconds += time.perf_counter() - began
        began = time.perf_counter()
        conn.commit()
    return seconds + time.perf_counter() - began


def as_floats(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """SQLite's driver takes no decimals."""
    return [tuple(float(cell) if isinstance(cell, Decimal) else cell for cell in row) for row in rows]


def execute_bare(path: Path, parts: Iterator[list[tuple[Any, ...]]]) -> float:
    seconds = 0.0
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute("PRAGMA journal_mode=WAL")
    conn.execute("PRAGMA synchronous=NORMAL")
    conn.execute(f"CREATE TABLE bare ({', '.join(NAMES)})")
    conn.execute("BEGIN IMMEDIATE")
    statement = f"INSERT INTO bare VALUES ({', '.join('?' * len(NAMES))})"
    for rows in parts:
        ready = as_floats(rows)
        began = time.perf_counter()
        conn.executemany(statement, ready)
        seconds += time.perf_counter() - began
    began = time.perf_counter()
    conn.execute("COMMIT")
    seconds += time.perf_counter() - began
    conn.close()
    return seconds


def write_pandas(engine: Engine, rows: list[tuple[Any, ...]]) -> float:
    frame = pd.DataFrame(rows, columns=NAMES)
    began = time.perf_counter()
    frame.to_sql("by_pandas", engine, index=False)
    return time.perf_counter() - began


def measure(name: str, n_rows: int) -> dict[str, Any]:
    """One engine's contenders, in turn."""
    with tempfile.TemporaryDirectory(prefix="fazhi-loading-") as folder, ExitStack() as stack:
        files = Path(folder)
        if name == "postgresql":
            server = stack.enter_context(running_server(f"bench-{uuid.uuid4().hex[:8]}"))
            url = server.url(server.create())
        else:
            url = f"sqlite:///{files / 'ours.sqlite'}"
        engine = open_warehouse(url)
        n, ours = load_ours(engine, n_rows)
        peak = own_peak()
        if name == "postgresql":
            bare = copy_bare(url, read_back(engine))
            some = next(read_back(engine))
            alone = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
        else:
            bare = execute_bare(files / "bare.sqlite", read_back(engine))
            some = as_floats(next(read_back(engine)))
            alone = create_engine(f"sqlite:///{files / 'pandas.sqlite'}")
        by_pandas = write_pandas(alone, some)
        alone.dispose()
        engine.dispose()
    return {
        "engine": name, "rows": n, "ours": n / ours, "bare": n / bare, "pandas": len(some) / by_pandas, "peak_mb": peak
    }  # fmt: skip


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--json", type=Path, help="write the figures here")
    chosen = options.parse_args()
    results = []
    for name in ("postgresql", "sqlite"):  # a process each, so that one's memory is not the other's
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
            results.append(alone.submit(measure, name, chosen.rows).result())
    for row in results:
        print(
            f"{row['engine']:<11}{row['rows']:>10,} rows: ours {row['ours']:>9,.0f}/s, bare {row['bare']:>9,.0f}/s "
            f"(ours {row['ours'] / row['bare']:.2f} of it), pandas {row['pandas']:>8,.0f}/s "
            f"(ours {row['ours'] / row['pandas']:.1f} times it), peak {row['peak_mb']:.0f} MB"
        )
    if chosen.json:
        chosen.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
