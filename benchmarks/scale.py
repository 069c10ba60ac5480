"""The warehouse at three sizes, up to 360,000 documents and 20 million observations, on PostgreSQL.

`python -m benchmarks.scale [--regions 300,1000,3000] [--json FILE]`. It needs some 60 GB of disk and, on two cores, an
hour and a half. At each size: a nightly of 3,000 new reports by the loads of the program, the rebuilding of chosen
values of touched regions, a release, the release after the nightly (which files are written, which taken over), and
the ten questions of the cookbook on it.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
import uuid
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
from sqlalchemy import text

from benchmarks.growing import check_nothing, check_sample, grow, night, prime, rebuild_place
from benchmarks.loading import counties
from benchmarks.made import Place
from benchmarks.usage import own_peak
from tests.postgres import running_server
from warehouse import load as loads
from warehouse import values
from warehouse.engine import open_warehouse
from warehouse.load import publish
from warehouse.release import make_release

ROOT = Path(__file__).resolve().parent.parent
NIGHT = 3_000
MOST_SECONDS = 1.0
"""The bar for a question to the largest release."""
SQL = re.compile(r"^## (\d+)\. .*?```sql\n(.*?)```", re.S | re.M)
ROUNDS = 3


def questions(place: Place) -> dict[str, str]:
    """The SQL of the cookbook by number, asked of a made place."""
    page = (ROOT / "docs" / "cookbook.md").read_text(encoding="utf-8")
    return {number: sql.replace("990101", place.code) for number, sql in SQL.findall(page)}


def measure_night(url: str, places: list[Place]) -> dict[str, Any]:
    """The nightly's loads one after the other, and how much of their time choosing takes."""
    engine = open_warehouse(url)
    chosen = 0.0
    rebuild = values.rebuild_values

    def timed(*about: Any) -> Any:
        nonlocal chosen
        began = time.perf_counter()
        try:
            return rebuild(*about)
        finally:
            chosen += time.perf_counter() - began

    vars(loads)["rebuild_values"] = timed
    batches = night(url, places, NIGHT)
    began, written = time.perf_counter(), 0
    try:
        for batch in batches:
            written += publish(engine, batch, check_nothing).observations
    finally:
        vars(loads)["rebuild_values"] = rebuild
        engine.dispose()
    seconds = time.perf_counter() - began
    return {
        "documents": sum(len(batch.documents) for batch in batches), "observations": written, "seconds": seconds,
        "choosing": chosen, "peak_mb": own_peak(),
    }  # fmt: skip


def measure_rebuild(url: str, places: list[Place]) -> float:
    """Seconds to rebuild all values of one region of average age: ten bodies, twelve years."""
    engine = open_warehouse(url)
    took = []
    for place in places[:: max(len(places) // 5, 1)][:5]:
        began = time.perf_counter()
        rebuild_place(engine, place)
        took.append(time.perf_counter() - began)
    engine.dispose()
    return median(took)


def measure_release(url: str, folder: Path) -> dict[str, Any]:
    engine = open_warehouse(url)
    began = time.perf_counter()
    made = make_release(engine, folder, 2)
    engine.dispose()
    return {
        "seconds": time.perf_counter() - began, "files": made.n_files, "taken_over": made.n_linked,
        "rows": sum(made.rows.values()), "path": str(made.path),
        "mb": sum(one.stat().st_size for one in made.path.rglob("*.parquet")) / 1e6,
        "peak_mb": own_peak(),
    }  # fmt: skip


def measure_questions(release: Path, place: Place) -> dict[str, float]:
    db = duckdb.connect(config={"file_search_path": str(release)})
    db.execute((release / "views.sql").read_text(encoding="utf-8"))
    took = {}
    for number, sql in questions(place).items():
        times = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            db.execute(sql).fetchall()
            times.append(time.perf_counter() - began)
        took[number] = median(times)
    db.close()
    return took


def count(url: str) -> dict[str, int]:
    engine = open_warehouse(url)
    with engine.connect() as conn:
        tables = ("dim_document", "fact_observation", "fact_mention", "fact_metric_value", "fact_check")
        told = {name: int(conn.execute(text(f"SELECT count(*) FROM {name}")).scalar_one()) for name in tables}
        told["mb"] = int(conn.execute(text("SELECT pg_database_size(current_database()) / 1000000")).scalar_one())
    engine.dispose()
    return told


def alone(work: Any, *about: Any) -> Any:
    """In a process of its own, so that the memory it tells is its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *about).result()


def measure(sizes: list[int], folder: Path) -> list[dict[str, Any]]:
    found, filled = [], 0
    everywhere = counties(max(sizes))
    with running_server(f"scale-{uuid.uuid4().hex[:8]}") as server:
        for name, value in (("shared_buffers", "1GB"), ("max_wal_size", "16GB"), ("maintenance_work_mem", "512MB")):
            server.run(f"ALTER SYSTEM SET {name} = '{value}'")
        url = server.url(server.create())
        prime(url, everywhere[0])
        for size in sizes:
            places = everywhere[:size]
            began = time.perf_counter()
            fresh = places[max(filled, 1) :]
            with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
                list(pool.map(grow, [url, url], [fresh[::2], fresh[1::2]]))
            filled = size
            row: dict[str, Any] = {"regions": size, "growing": time.perf_counter() - began}
            say(f"{size} regions grown in {row['growing']:.0f} s")
            engine = open_warehouse(url)
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT", fazhi_write=True) as conn:
                conn.execute(text("ANALYZE"))
            engine.dispose()
            assert check_sample(url, places[:: max(size // 3, 1)]) == 0, "the made warehouse is not as loads leave it"
            row["release"] = alone(measure_release, url, folder / "releases")
            say(f"release: {row['release']}")
            row["night"] = alone(measure_night, url, places)
            say(f"night: {row['night']}")
            row["rebuild"] = alone(measure_rebuild, url, places)
            row["next_release"] = alone(measure_release, url, folder / "releases")
            say(f"next release: {row['next_release']}")
            row["questions"] = alone(measure_questions, Path(row["next_release"]["path"]), places[0])
            say(f"questions: {row['questions']}")
            row["rows"] = count(url)
            found.append(row)
    return found


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--regions", default="300,1000,3000", help="sizes, in regions of 120 reports each")
    options.add_argument("--json", type=Path, help="write the figures here")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="fazhi-scale-") as folder:
        found = measure([int(size) for size in chosen.regions.split(",")], Path(folder))
    print(json.dumps(found, indent=1))
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    slow = {n: s for n, s in found[-1]["questions"].items() if s > MOST_SECONDS}
    say(f"questions above {MOST_SECONDS:g} s at the largest size: {slow or 'none'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
