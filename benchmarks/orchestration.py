"""What Prefect costs a night: 300 sources of 20 pages that have not changed, with Prefect recording and without it.

`python -m benchmarks.orchestration` makes the portals on loopback, loads them in a first night, and then runs nights in
which nothing has changed, in turns: as a flow that a Prefect server records, and the same functions called plainly (the
tasks' own functions, no engine, no server, no artifacts). Each night is a process of its own; `wall` and `cpu` are
those from its first line to its report, `process_…` those of the whole process, with imports and with what is sent to
the server at the end; the processor time of the server is told apart.

The pace: `polite` is one request a second and host, as against real portals, all sources at once; `bare` asks without
any pause, eight sources at once, which no portal would bear: there all waiting is gone in which Prefect's work would
hide. Prints JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.crawl_pipeline import clean_environment, prefect_server, write_sources
from benchmarks.crawl_race import serving
from benchmarks.crawl_server import Site
from benchmarks.engines import ROOT
from benchmarks.run import describe_machine
from benchmarks.usage import cpu_of, own_peak
from fazhi.house import server_settings

HOSTS, PAGES = 300, 20
KINDS = ("prefect", "plain")
PACES = {"bare": ("0", 8, "auto"), "polite": ("1", HOSTS, "real")}
"""Seconds between two requests to a host, sources at once, FAZHI_PACE."""
SETTLES_WITHIN = 120.0
"""Seconds in which the server is expected to have recorded all task runs."""


def strip_prefect() -> None:
    """Put the plain functions where the night calls tasks, flows and artifacts of Prefect."""
    from flows import crawling, nightly, telling

    os.environ["PREFECT__RUNTIME__FLOW_RUN__ID"] = str(uuid.uuid4())  # Prefect's own way to say so outside of a run

    def as_is(value: object) -> object:
        return value

    async def publish(*_given: object, **_named: object) -> None:
        return None

    for module in (crawling, nightly):
        for name in ("crawl", "parse", "load", "release"):
            if hasattr(module, name):
                setattr(module, name, getattr(module, name).fn)
        vars(module)["as_is"] = as_is
    for name in [name for name in vars(telling) if name.endswith("_artifact")]:
        setattr(telling, name, publish)
    for module in (crawling, telling):
        vars(module)["get_run_logger"] = lambda: logging.getLogger("plain")
    vars(telling)["tell_all"] = lambda events: None


async def _time(night: Callable[..., Awaitable[Any]], ids: list[str]) -> dict[str, Any]:
    before, clock = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    report = await night(source=ids, all_pages=True, shards=1)
    wall, after = time.perf_counter() - clock, resource.getrusage(resource.RUSAGE_SELF)
    return {
        "wall": wall,
        "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "rss_mb": own_peak(),
        "run_id": report.run_id,
        "unchanged": report.is_unchanged,
        "pages_unchanged": report.total("unchanged"),
        "failed": report.total("failed") + len(report.failed_sources),
    }


def run_here(kind: str, sources: str) -> dict[str, Any]:
    """One night in this process."""
    from flows.nightly import nightly

    ids = sorted(path.stem for path in Path(sources).glob("*.yaml"))
    if kind == "plain":
        strip_prefect()
        return asyncio.run(_time(nightly.fn, ids))
    return asyncio.run(_time(nightly, ids))


def _night(kind: str, folder: Path, gateway: str, api: str, pace: str) -> dict[str, Any]:
    delay, concurrency, how = PACES[pace]
    env = clean_environment(
        FAZHI_HOME=str(folder / "data"),
        FAZHI_SOURCES=str(folder / "sources"),
        FAZHI_REPLAY=gateway,
        FAZHI_DELAY=delay,
        FAZHI_PACE=how,
        FAZHI_CONCURRENCY=str(concurrency),
        PREFECT_API_URL=api,
        PREFECT_HOME=str(folder / "client"),
        PREFECT_LOGGING_LEVEL="CRITICAL",
        PYTHONPATH=str(ROOT),
    )
    command = [sys.executable, "-m", "benchmarks.orchestration", "--night", kind, str(folder / "sources")]
    before, clock = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True)
    wall, after = time.perf_counter() - clock, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise ValueError(f"the {kind} night failed: {done.stderr.strip()[-2000:]}")
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {**figures, "process_wall": wall, "process_cpu": cpu}


def _count_task_runs(api: str, run_id: str, expected: int) -> tuple[int, float]:
    """Task runs that the server has recorded for a flow run, and after how many seconds they were all there."""
    body = json.dumps({"flow_runs": {"id": {"any_": [run_id]}}}).encode()
    began, count = time.monotonic(), -1
    while time.monotonic() - began < SETTLES_WITHIN:
        asked = urllib.request.Request(f"{api}/task_runs/count", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(asked, timeout=30) as answer:
            count = int(answer.read())
        if count >= expected:
            break
        time.sleep(1)
    return count, time.monotonic() - began


def measure(hosts: int, pages: int, repeat: int, paces: Sequence[str], folder: Path) -> dict[str, Any]:
    site = Site(hosts, pages, is_shared=True)
    write_sources(site, folder / "sources", delay=0)
    result: dict[str, Any] = {"sources": hosts, "pages": pages}
    with serving(site) as gateway, prefect_server(folder / "prefect", **server_settings()) as (api, pid):
        result["first_night"] = _night("plain", folder, gateway, api, "bare")
        for pace in paces:
            nights: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
            for _ in range(repeat):
                for kind in KINDS:
                    before = cpu_of(pid)
                    figures = _night(kind, folder, gateway, api, pace)
                    if kind == "prefect":
                        figures |= _recorded(api, figures["run_id"], hosts)
                    after = cpu_of(pid)
                    figures["server_cpu"] = None if before is None or after is None else after - before
                    nights[kind].append(figures)
            result[pace] = {**nights, **_compare(nights)}
    return result


def _recorded(api: str, run_id: str, hosts: int) -> dict[str, Any]:
    count, seconds = _count_task_runs(api, run_id, hosts + 1)  # the crawl of each, and the release
    return {"task_runs": count, "task_runs_per_source": count / hosts, "recorded_after": seconds}


def _compare(nights: dict[str, list[dict[str, Any]]]) -> dict[str, float]:
    """Overheads as shares of the plain night; medians."""
    told = {}
    for name in ("wall", "cpu", "process_wall", "process_cpu"):
        with_it, without = (statistics.median(one[name] for one in nights[kind]) for kind in KINDS)
        told[f"{name}_overhead"] = with_it / without - 1
        told[f"{name}_overhead_seconds"] = with_it - without
    return told


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.orchestration", description=__doc__)
    parser.add_argument("--sources", type=int, default=HOSTS, metavar="N")
    parser.add_argument("--pages", type=int, default=PAGES, metavar="N", help="detail pages of a source")
    parser.add_argument("--repeat", type=int, default=3, metavar="N", help="nights of each kind and pace")
    parser.add_argument("--pace", choices=list(PACES), action="append", help="only this one; default: both")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures here")
    parser.add_argument("--night", nargs=2, metavar=("KIND", "SOURCES"), help=argparse.SUPPRESS)
    return parser


def main(argv: list[str] | None = None) -> int:
    given = build_parser().parse_args(argv)
    if given.night:
        print(json.dumps(run_here(*given.night)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(given.sources, given.pages, given.repeat, given.pace or list(PACES), Path(folder))
    result = {"date": datetime.now(UTC).date().isoformat(), "machine": describe_machine(), **figures}
    text = json.dumps(result, indent=1, ensure_ascii=False)
    if given.json is not None:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(text + "\n", encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
