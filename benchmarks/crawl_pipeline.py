"""The whole pipeline on the made portals: the command an operator runs, from the lists to the published warehouse.

Crawl, archive, clean, parse metrics (one page in ten is a full report), load into SQLite, Prefect run recorded. Counted
is the processor time of the `fazhi nightly` process and of all it starts, and that which a Prefect server of its own,
as an operator has one, spends on it, which is also told apart: it has recorded a run before, since a server puts its
routes together when they are first asked for, once in the weeks that it runs; and what it uses while nothing asks it,
measured before the run, is taken off. The bar names the work up to the load; what comes after, the release and the
night's report, is measured as well and told apart. The start of `fazhi` is counted in both.
"""

from __future__ import annotations

import csv
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from benchmarks.crawl_own import make_source
from benchmarks.crawl_race import LANES, SCRAPY, builds, run, serving, write_plans
from benchmarks.crawl_server import Site
from benchmarks.engines import ROOT
from benchmarks.made_frame import LAYOUTS
from benchmarks.usage import cpu_of, peak_of
from fazhi.house import server_settings

_BIN = Path(sys.executable).parent
_START_SECONDS = 120.0
_SETTLE_SECONDS, _IDLE_SECONDS = 3.0, 10.0
_FIRST_RUN = """
from prefect import flow, task

@task
def work():
    return 1

@flow
def first():
    work()

first()
"""
_TOLD = ("id", "name_zh", "name_en", "region_code", "engine", "start", "politeness", "assertions")
"""Keys of a source file."""


def _regions(count: int) -> list[str]:
    """Codes of counties that there are: a made county each, since what the warehouse does it does by region."""
    with (ROOT / "catalog" / "regions" / "gb2260.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    codes = sorted({row[0] for row in rows if row[0].isdigit() and len(row[0]) == 6 and not row[0].endswith("00")})
    return codes[:: len(codes) // count][:count]


def write_sources(site: Site, folder: Path, delay: float) -> None:
    """One source file a host, with a year of which the host has a report."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, region in enumerate(_regions(site.hosts)):
        source = make_source(
            f"http://{Site.name(number)}/zwgk/fzzf/index.html",
            LAYOUTS[number % len(LAYOUTS)].engine,
            region,
            delay,
            site.report_year(number),
        )
        told = source.model_dump(mode="json", include=set(_TOLD))
        (folder / f"{source.id}.yaml").write_text(yaml.safe_dump(told, allow_unicode=True), encoding="utf-8")


def clean_environment(**more: str) -> dict[str, str]:
    """Without settings of this machine. Modules are compiled once and kept, as in the image and every installation."""
    left_out = ("FAZHI_", "PREFECT_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    return {**kept, "NO_COLOR": "1", **more}


@contextmanager
def prefect_server(home: Path, **settings: str) -> Iterator[tuple[str, int]]:
    """A Prefect server while the block runs: its address and process id. Raises ValueError where it does not start."""
    home.mkdir(parents=True, exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(_BIN / "prefect"), "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    env = clean_environment(
        **{"PREFECT_SERVER_ANALYTICS_ENABLED": "false", **settings}, PREFECT_HOME=str(home), PREFECT_UI_ENABLED="false"
    )
    with (home / "server.log").open("w") as log:
        process = subprocess.Popen(command, env=env, stdout=log, stderr=subprocess.STDOUT)
        try:
            api = f"http://127.0.0.1:{port}/api"
            _wait_for(f"{api}/health", process)
            yield api, process.pid
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.5)  # not listening yet
    raise ValueError("the Prefect server did not start")


def _record_first_run(api: str, home: Path) -> None:
    """A run of one task, as a server that is not new has recorded. Raises ValueError with its last words on failure."""
    env = clean_environment(PREFECT_API_URL=api, PREFECT_HOME=str(home), PREFECT_LOGGING_LEVEL="CRITICAL")
    done = subprocess.run([sys.executable, "-c", _FIRST_RUN], env=env, capture_output=True, text=True)
    if done.returncode:
        raise ValueError(f"the Prefect server records no run: {done.stderr.strip()[-2000:]}")


def run_night(folder: Path, api: str, gateway: str, **settings: str) -> dict[str, Any]:
    """One `fazhi nightly --all-pages` with its data in `folder`. Raises ValueError with its last line on failure."""
    env = clean_environment(
        FAZHI_HOME=str(folder / "data"),
        FAZHI_SOURCES=str(folder / "sources"),
        FAZHI_REPLAY=gateway,
        PREFECT_API_URL=api,
        **settings,
    )
    ids = [path.stem for path in sorted((folder / "sources").glob("*.yaml"))]
    command = [str(_BIN / "fazhi"), "nightly", "--all-pages", *(f"--source={name}" for name in ids)]
    clock = time.perf_counter()
    with (folder / "out").open("w+") as out:
        process = subprocess.Popen(command, env=env, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT)
        cpu, loaded, peak = _follow(process, folder / "data" / "releases")
        wall = time.perf_counter() - clock
        out.seek(0)
        told = out.read()
    if process.returncode:
        raise ValueError(f"fazhi nightly failed: {told.strip()[-2000:]}")
    return {
        "cpu": cpu,
        "loaded_cpu": loaded,
        "wall": wall,
        "rss_mb": peak,
        "out": told[-3000:],
    }


def _follow(process: subprocess.Popen[bytes], made: Path) -> tuple[float, float | None, float]:
    """Of a process that has ended: its processor seconds, those until this folder appeared (to a twentieth of a
    second), and its peak of memory. Not of all children, as `getrusage` has it: the compiler was one."""
    loaded, peak = None, 0.0
    while True:
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        if ended:
            process.returncode = os.waitstatus_to_exitcode(status)
            return usage.ru_utime + usage.ru_stime, loaded, peak or usage.ru_maxrss / 1024
        peak = peak_of(process.pid) or peak
        if loaded is None and made.exists():
            loaded = cpu_of(process.pid)
        time.sleep(0.05)


def measure_pipeline(pages: int, repeat: int, folder: Path) -> dict[str, Any]:
    """Whole nights over `pages` pages on as many lanes as in the race, and Scrapy's crawl of the same, in turns: a row
    for each build and one for Scrapy, medians of the repetitions."""
    site = Site(LANES, max(1, -(-pages // LANES)))
    builders = builds(folder)
    own: dict[str, list[dict[str, Any]]] = {label: [] for label in builders}
    peer: list[float] = []
    for turn in range(repeat):
        for label, rooms in builders.items():
            own[label].append(_measure(site, rooms, folder / f"{label} {turn}"))
        peer.append(_crawl_by_scrapy(site, folder))
    count = sum(len(site.make(number)) for number in range(site.hosts))
    return {
        "pages": count,
        "rows": [_row(label, nights, count) for label, nights in own.items()],
        "scrapy": {"ms_per_page": 1000 * statistics.median(peer) / count, "range": _range(peer, count)},
    }


def _measure(site: Site, rooms: Path, folder: Path) -> dict[str, Any]:
    """One night of its own with the `extraction` that stands in `rooms`."""
    write_sources(site, folder / "sources", delay=0)
    with serving(site) as gateway, prefect_server(folder / "prefect", **server_settings()) as (api, pid):
        _record_first_run(api, folder / "first")
        time.sleep(_SETTLE_SECONDS)
        looks = [cpu_of(pid)]
        time.sleep(_IDLE_SECONDS)
        looks.append(cpu_of(pid))
        figures = run_night(folder, api, gateway, FAZHI_CONCURRENCY=str(LANES), FAZHI_DELAY="0", PYTHONPATH=str(rooms))
        looks.append(cpu_of(pid))
    shutil.rmtree(folder)
    return {**figures, "server": _spent_on_run([look for look in looks if look is not None], figures["wall"])}


def _spent_on_run(looks: list[float], wall: float) -> float | None:
    """Processor seconds beyond those of an idle server; None where the system does not tell."""
    if len(looks) < 3:
        return None
    idle = (looks[1] - looks[0]) / _IDLE_SECONDS
    return looks[2] - looks[1] - idle * wall


def _crawl_by_scrapy(site: Site, folder: Path) -> float:
    """Processor seconds of its process, start included, as ours is counted."""
    with serving(site, "--addresses") as gateway:
        plan = write_plans(site, gateway, folder)["scrapy"]
        return float(run([*SCRAPY, str(plan), str(folder / "scrapy.jsonl")])["whole_cpu"])


def _row(label: str, nights: list[dict[str, Any]], count: int) -> dict[str, Any]:
    """None where the system does not tell of running processes."""
    told = {name: [night[name] for night in nights if night[name] is not None] for name in ("loaded_cpu", "server")}
    server = statistics.median(told["server"]) if told["server"] else None
    whole = statistics.median(night["cpu"] for night in nights)
    loaded = [before + (server or 0) for before in told["loaded_cpu"]]
    return {
        "label": label,
        "ms_per_page": 1000 * (whole + (server or 0)) / count,
        "loaded_ms_per_page": 1000 * statistics.median(loaded) / count if loaded else None,
        "loaded_range": _range(loaded, count) if loaded else None,
        "server_ms_per_page": None if server is None else 1000 * server / count,
        "rss_mb": max(night["rss_mb"] for night in nights),
    }


def _range(seconds: list[float], count: int) -> tuple[float, float]:
    """Milliseconds a page, least and most."""
    return 1000 * min(seconds) / count, 1000 * max(seconds) / count
