"""Scrapy with parsel and the project on the same local portals, in turns, in the same run: as Python, and compiled
where there is a compiler.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.compiled import prepare_compiled
from benchmarks.contestants import PEERS_PYTHON
from benchmarks.crawl_server import Site
from benchmarks.engines import ROOT
from benchmarks.made_frame import LAYOUTS
from benchmarks.text_scoring import f1
from fazhi.fast import CannotCompile

SCRAPY = [str(PEERS_PYTHON), "-W", "ignore", "-m", "benchmarks.crawl_scrapy"]
LANES = 32
"""Hosts, and so requests in flight: each host has one lane. Scrapy gets as many."""


@dataclass(frozen=True, slots=True)
class _Contestant:
    plan: str
    label: str
    command: list[str]
    rooms: Path


@contextmanager
def serving(site: Site, *more: str) -> Iterator[str]:
    """The made portals' server while the block runs; yields its address."""
    command = [sys.executable, "-m", "benchmarks.crawl_server", "--hosts", str(site.hosts), "--pages", str(site.pages)]
    command += ["--shared"] if site.is_shared else []
    process = subprocess.Popen([*command, *more], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdin is not None and process.stdout is not None
    try:
        ready = re.search(r"http://[\d.]+:\d+", process.stdout.readline())
        if ready is None:
            raise ValueError("the server of the made portals did not start")
        yield ready[0]
    finally:
        process.stdin.close()
        process.wait(timeout=30)
        process.stdout.close()


def run(command: list[str], rooms: Path = ROOT) -> dict[str, Any]:
    """Run a contestant with the rooms that stand in a folder, the others as they are; its last line is JSON. Raises
    ValueError with what it said when it failed."""
    path = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=rooms, env=path)
    if done.returncode:
        raise ValueError(f"{command[2]} failed: {done.stderr.strip().splitlines()[-1:]}")
    figures: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return figures


def write_plans(site: Site, gateway: str, folder: Path) -> dict[str, Path]:
    """What each contestant is told: where to begin, and the layout there (an engine's name, or a selector)."""
    port = gateway.rpartition(":")[2]
    layouts = [LAYOUTS[number % len(LAYOUTS)] for number in range(site.hosts)]
    path = "/zwgk/fzzf/index.html"
    own = {
        "gateway": gateway,
        "starts": [[f"http://{Site.name(number)}{path}", layout.engine] for number, layout in enumerate(layouts)],
    }
    peer = {
        "concurrency": LANES,
        "first": {layout.selector: layout.first_page for layout in LAYOUTS},
        "starts": [
            [f"http://{Site.address(number)}:{port}{path}", layout.selector] for number, layout in enumerate(layouts)
        ],
    }
    plans = {"own": folder / "own.json", "scrapy": folder / "scrapy.json"}
    plans["own"].write_text(json.dumps(own), encoding="utf-8")
    plans["scrapy"].write_text(json.dumps(peer), encoding="utf-8")
    return plans


def _take_sources(folder: Path) -> Path:
    """A copy of the extraction as Python, whatever `make fast` has put beside its sources."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "extraction").mkdir(parents=True)
    for source in (ROOT / "extraction").glob("*.py"):
        shutil.copy(source, folder / "extraction")
    shutil.copytree(ROOT / "catalog", folder / "catalog")
    return folder


def builds(folder: Path) -> dict[str, Path]:
    """The project as Python, and compiled where that is possible: by label the folder whose `extraction` it is."""
    rooms = {"fazhi": _take_sources(folder / "sources")}
    try:
        rooms["fazhi, compiled"] = prepare_compiled()
    except CannotCompile as error:
        print(f"The compiled core takes no part: {error}", file=sys.stderr)
    return rooms


def _line_up(folder: Path) -> list[_Contestant]:
    """Who takes part: the project in each build, and Scrapy."""
    own = [sys.executable, "-m", "benchmarks.crawl_own"]
    contestants = [_Contestant("own", label, own, rooms) for label, rooms in builds(folder).items()]
    return [*contestants, _Contestant("scrapy", "Scrapy + parsel", SCRAPY, ROOT)]


def race(pages: int, repeat: int, folder: Path) -> list[dict[str, Any]]:
    """A row for each contestant, Scrapy's last: pages per CPU second (median of the repetitions), quality on all."""
    site = Site(LANES, max(1, -(-pages // LANES)))
    contestants = _line_up(folder)
    figures: dict[str, list[dict[str, Any]]] = {contestant.label: [] for contestant in contestants}
    with serving(site, "--addresses") as gateway:
        plans = write_plans(site, gateway, folder)
        for turn in range(repeat):
            for each in contestants[:: -1 if turn % 2 else 1]:
                command = [*each.command, str(plans[each.plan]), str(folder / f"{each.label}.jsonl")]
                figures[each.label].append(run(command, each.rooms))
    expected = {(number, page.path): page for number in range(site.hosts) for page in site.make(number) if page.text}
    names = {Site.address(n): n for n in range(site.hosts)} | {Site.name(n): n for n in range(site.hosts)}
    return [_row(label, runs, folder / f"{label}.jsonl", expected, names) for label, runs in figures.items()]


def _row(label: str, runs: list[dict[str, Any]], out: Path, expected: Any, names: dict[str, int]) -> dict[str, Any]:
    """Figures of one contestant. A page that is missing scores nothing."""
    scores, titles, dates, lines = dict.fromkeys(expected, 0.0), 0, 0, 0
    for line in out.read_text(encoding="utf-8").splitlines():
        got, lines = json.loads(line), lines + 1
        host, _, path = got["url"].partition("://")[2].partition("/")
        key = (names[host.partition(":")[0]], f"/{path}")
        if key in expected:
            want = expected[key]
            scores[key] = f1(want.text, got["body"])
            titles += got["title"] == want.title
            dates += (got["date"] or "")[:16].replace("T", " ") == want.published
    seconds = [figure["cpu"] for figure in runs]
    return {
        "label": label,
        "pages": lines,
        "pages_per_cpu_second": lines / statistics.median(seconds),
        "ms_per_page": 1000 * statistics.median(seconds) / lines,
        "slowest_ms": 1000 * max(seconds) / lines,
        "fastest_ms": 1000 * min(seconds) / lines,
        "pages_per_second": lines / statistics.median(figure["wall"] for figure in runs),
        "rss_mb": max(figure["rss_mb"] for figure in runs),
        "body_f1": statistics.fmean(scores.values()),
        "titles": titles / len(expected),
        "dates": dates / len(expected),
    }
