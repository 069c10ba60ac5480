"""The explorer under readers: server time per kind of page, CPU, memory, and what a browser sees.

`python -m benchmarks.explorer --releases FOLDER [--readers 20] [--seconds 60] [--think 1] [--json FILE]`. The server is
a process of its own on loopback; readers walk as people do (a metric, its drawing, a region, a report, findings, a
table), each at addresses of its own, and look at a page for `--think` seconds on average. After that they ask as fast
as answers come: that measures throughput, and its times are mostly waiting. FOLDER may be that of `benchmarks.scale`.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import socket
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.explorer_browser import BrowserHung, look

MOST_MS = 150.0
"""The bar for the 95th percentile with think time."""
FIRST_CONTENT_MS, INTERACTION_MS = 300.0, 100.0
LONGEST_INDEX_S = 1800.0
TICKS = os.sysconf("SC_CLK_TCK")


def serve(releases: str, cache: str, port: int) -> None:
    """The server process."""
    import uvicorn

    from explorer.app import Options, create_app

    options = Options(Path(releases), Path(cache), per_second=1e6, burst=1e6, seconds=60)
    uvicorn.run(
        create_app(options), host="127.0.0.1", port=port, log_level="warning", access_log=False, timeout_keep_alive=120
    )


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


@dataclass
class Readers:
    """Times in milliseconds by kind of page."""

    port: int
    places: dict[str, list[Any]]
    think: float
    until: float
    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    failed: list[str] = field(default_factory=list)

    def walk(self, chance: random.Random) -> Iterator[tuple[str, str]]:
        """Kinds and addresses, as somebody follows links."""
        regions, metrics, documents = (self.places[name] for name in ("regions", "metrics", "documents"))
        while True:
            metric, region = chance.choice(metrics), chance.choice(regions)
            document = chance.choice(documents)
            year = chance.choice(self.places["years"])
            yield "overview", "/"
            yield "search", f"/metrics?q={metric[: chance.randint(3, 9)]}"
            yield "metric", f"/metrics/{metric}?year={year}"
            yield "drawing", f"/metrics/{metric}/chart.json?year={year}&level=county&regions={region}"
            yield "region", f"/regions/{region}"
            yield "comparison", f"/regions/{region}?with={chance.choice(regions)},{chance.choice(regions)}&year={year}"
            yield "report", f"/documents/{document}"
            yield "findings", f"/findings?region={region[:4]}&year={year}&state=all"
            yield "table", f"/data/fact_check?document_key={document}"
            yield "rows", f"/api/v1/regions/{region}?year={year}"

    def read(self, seed: int) -> None:
        chance = random.Random(seed)
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        walk = self.walk(chance)
        for _ in range(chance.randrange(10)):  # not all at the same page
            next(walk)
        while time.monotonic() < self.until:
            if self.think:
                time.sleep(chance.expovariate(1 / self.think))
            kind, path = next(walk)
            began = time.perf_counter()
            link.request("GET", path, headers={"accept-encoding": "gzip"})
            answer = link.getresponse()
            answer.read()
            self.took[kind].append(1000 * (time.perf_counter() - began))
            if answer.status != 200:
                self.failed.append(f"{answer.status} {path}")
        link.close()


def ask(port: int, path: str) -> Any:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    link.request("GET", path)
    answer = link.getresponse()
    body = answer.read()
    link.close()
    return json.loads(body) if answer.status == 200 else None


def find_places(port: int) -> dict[str, list[Any]]:
    """What readers look at: regions, metrics, years, and reports of many of them."""
    regions = [one["region_code"] for one in ask(port, "/api/v1/regions?limit=1000")["regions"]]
    metrics = [one["metric_code"] for one in ask(port, "/api/v1/metrics")["metrics"] if one["n_values"]]
    chance = random.Random(1)
    chosen = chance.sample(regions, min(60, len(regions)))
    reports = [one for code in chosen for one in ask(port, f"/api/v1/documents?region={code}&limit=50")["documents"]]
    years = sorted({one["report_year"] for one in reports if one["report_year"]})
    return {
        "regions": regions, "metrics": metrics, "years": years, "documents": [one["document_key"] for one in reports],
    }  # fmt: skip


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def run_readers(port: int, pid: int, places: dict[str, list[Any]], readers: int, seconds: float, think: float) -> Any:
    told = Readers(port, places, think, time.monotonic() + seconds)
    threads = [threading.Thread(target=told.read, args=(seed,)) for seed in range(readers)]
    cpu, began = cpu_seconds(pid), time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    every = [one for some in told.took.values() for one in some]
    return {
        "readers": readers, "think": think, "requests": len(every),
        "per_second": len(every) / (time.monotonic() - began),
        "p50": median(every), "p95": percentile(every, 0.95), "p99": percentile(every, 0.99),
        "cpu_ms": 1000 * (cpu_seconds(pid) - cpu) / len(every), "failed": told.failed[:5],
        "kinds": {
            kind: {"n": len(some), "p50": median(some), "p95": percentile(some, 0.95)}
            for kind, some in sorted(told.took.items())
        },
    }  # fmt: skip


def measure(releases: Path, readers: int, seconds: float, think: float) -> dict[str, Any]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as cache:
        server = get_context("spawn").Process(target=serve, args=(str(releases), cache, port), daemon=True)
        began = time.perf_counter()
        server.start()
        assert server.pid is not None
        try:
            while not _is_ready(port):
                if not server.is_alive() or time.perf_counter() - began > LONGEST_INDEX_S:
                    raise SystemExit(f"the server ended, or was not ready within {LONGEST_INDEX_S:.0f} s")
                time.sleep(0.1)
            told: dict[str, Any] = {"indexed": time.perf_counter() - began}
            told["index_mb"] = sum(one.stat().st_size for one in Path(cache).glob("*.duckdb")) / 1e6
            told["totals"] = ask(port, "/api/v1/release")["totals"]
            places = find_places(port)
            told["calm"] = run_readers(port, server.pid, places, readers, seconds, think)
            told["storm"] = run_readers(port, server.pid, places, readers, seconds / 2, 0)
            told["browser"] = look(port, places)
            told["peak_mb"] = peak_mb(server.pid)
        finally:
            server.terminate()
            server.join(30)
            server.kill()
    return told


def _is_ready(port: int) -> bool:
    try:
        return ask(port, "/healthz") is not None
    except OSError:
        return False


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--releases", type=Path, required=True, help="folder of releases; its current one is read")
    options.add_argument("--readers", type=int, default=20)
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--think", type=float, default=1.0, help="mean seconds between two pages of a reader")
    options.add_argument("--json", type=Path, help="write the figures here")
    chosen = options.parse_args()
    try:
        told = measure(chosen.releases, chosen.readers, chosen.seconds, chosen.think)
    except BrowserHung as error:
        print(f"benchmarks.explorer: {error}", file=sys.stderr)
        return 1
    print(json.dumps(told, indent=1, ensure_ascii=False))
    if chosen.json:
        chosen.json.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    calm = told["calm"]
    over = [f"server p95 {calm['p95']:.0f} ms (bar {MOST_MS:.0f})"] if calm["p95"] > MOST_MS else []
    for kind, bar in (("first_content", FIRST_CONTENT_MS), ("interaction", INTERACTION_MS)):
        seen = (told["browser"] or {}).get(kind, {})
        over += [f"{kind} of {name} {ms:.0f} ms (bar {bar:.0f})" for name, ms in seen.items() if ms > bar]
    print(f"p95 {calm['p95']:.0f} ms, {len(calm['failed'])} failed; above a bar: {over or 'nothing'}", file=sys.stderr)
    return int(bool(over or calm["failed"]))


if __name__ == "__main__":
    sys.exit(main())
