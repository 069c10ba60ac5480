"""Reading a whole warehouse again from its archive, on PostgreSQL, with one worker process and with two.

`python -m benchmarks.reparse [--documents 20000] [--changed 50]`. Made portals of fictional counties (`made_pages`): 50
yearly reports each, archived and loaded as an older extraction would have read them: of every `--changed`th report it
missed the last figure and read the first one wrongly. Each contender reads a copy of the same warehouse in a process of
its own, through `flows.reparse.reparse_documents`; a third one, by two workers, goes through the warehouse just read
with `again`, where nothing differs. Nothing else may run on the machine meanwhile.

Processor time is told by process: the one that orders and loads, the workers, the server. The bar is that of two
workers over one, in documents a second that are read, compared and published; the release of the result, the work of
one process whatever the workers, is told apart (`release_seconds`, with its processor time in that of the parent).
Reading scales; loading what differs is the work of one process, as batches are published one after the other, so the
more documents differ, the less two workers help (`--changed 10`).
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
import uuid
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from decimal import Decimal
from itertools import count, islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.crawl_own import make_source
from benchmarks.loading import counties
from benchmarks.made_frame import LAYOUTS
from benchmarks.made_pages import MadePage, is_report, make_detail
from connectors.archive import Archive
from connectors.base import PageRef
from connectors.http.model import Fetch
from connectors.registry import Source
from extraction.parse import parse_report
from fazhi.house import load_catalog
from fazhi.settings import ROOT, Settings
from tasks.assemble import document_in, document_text, source_row
from tasks.stored_page import Stored, read_stored
from tests.postgres import running_server
from warehouse.batch import DocumentIn, LoadBatch, PageState, SnapshotRef
from warehouse.catalogue import catalogue_rows
from warehouse.engine import open_warehouse
from warehouse.load import publish

BAR = 1.7
PER_SOURCE = 50


def make_sources(n: int) -> list[Source]:
    """Each with one layout and its engine."""
    return [
        make_source(f"https://r{place.code}.example/zwgk/fzzf/", LAYOUTS[i % len(LAYOUTS)].engine, place.code)
        for i, place in enumerate(counties(n))
    ]


def make_pages(which: int, host: str) -> list[MadePage]:
    """The reports of one portal: numbers of its layout."""
    first = which % len(LAYOUTS) + which * len(LAYOUTS) * 10 * PER_SOURCE
    numbers = (number for number in count(first, len(LAYOUTS)) if is_report(number))
    return [make_detail(number, host) for number in islice(numbers, PER_SOURCE)]


def grow(url: str, home: str, which: int, source: Source, changed: int) -> int:
    """Archive and load one portal, in a process of its own turn."""
    engine, rules = open_warehouse(url), load_catalog()
    documents, states = [], []
    with Archive(Path(home) / "raw") as archive:
        for number, page in enumerate(make_pages(which, source.start[0].url.split("/")[2])):
            ref = archive.store(_fetch(page))
            stored = archive.load(ref)
            listed = PageRef(page.url, page.title, page.published[:10])
            read = read_stored(archive, source, Stored(listed, stored, ref, stored.fetched_at), {})
            text, published = document_text(read), read.article.published_at
            parsed = parse_report(text.text, *rules, title=read.article.title, publish_date=published)
            document = document_in(read, parsed, stored.fetched_at, text)
            documents.append(_older(document) if number % changed == 0 else document)
            held = SnapshotRef(ref.file, ref.offset, ref.length, ref.sha256)
            states.append(
                PageState(
                    page.url, "page", source.id, document.document_id, snapshot=held, bytes_hash=ref.sha256,
                    title=page.title, listed_date=page.published[:10], last_seen_at=stored.fetched_at,
                )
            )  # fmt: skip
    batch = LoadBatch(
        "grown", source_row(source), stored.fetched_at, stored.fetched_at, catalogue_rows(*rules), "older", "made",
        tuple(documents), tuple(states),
    )  # fmt: skip
    publish(engine, batch)
    engine.dispose()
    return len(documents)


def _fetch(page: MadePage) -> Fetch:
    from benchmarks.made import FETCHED

    return Fetch(
        url=page.url, final_url=page.url, status=200, headers={"content-type": page.content_type}, body=page.body,
        fetched_at=FETCHED, not_modified=False, etag=None, last_modified=None, content_type=page.content_type,
        elapsed_ms=1, attempts=(),
    )  # fmt: skip


def _older(document: DocumentIn) -> DocumentIn:
    assert document.parsed is not None and document.parsed.observations
    first, *others = document.parsed.observations
    wrong = replace(first, value=(first.value or Decimal(0)) + 1)
    return replace(document, parsed=replace(document.parsed, observations=(wrong, *others[:-1]), checks=()))


def read_again(url: str, home: str, processes: int, again: bool) -> dict[str, Any]:
    """One contender: what it did, and what it took."""
    from flows.reparse import reparse_documents
    from tasks.mass_change import Thresholds
    from tasks.reparse import Selection

    settings = Settings(home=Path(home), database_url=url, sources=Path(home) / "sources")
    before, began = server_seconds(url), time.perf_counter()
    released_from: list[float] = []

    def watch(_done: int, what: str) -> None:
        if what == "release":
            released_from.append(time.perf_counter())

    result = reparse_documents(
        settings, Selection(), processes=processes, thresholds=Thresholds(1, 1, 1, 1), again=again, progress=watch
    )
    ended = time.perf_counter()
    seconds = (released_from[0] if released_from else ended) - began
    mine, workers = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return {
        "workers": processes,
        "again": again,
        "documents": result.total("n_documents"),
        "published": result.total("n_published"),
        "findings": result.n_findings,
        "seconds": round(seconds, 1),
        "release_seconds": round(ended - began - seconds, 1),
        "documents_a_second": round(result.total("n_documents") / seconds, 1),
        "cpu_parent": round(mine.ru_utime + mine.ru_stime, 1),
        "cpu_workers": round(workers.ru_utime + workers.ru_stime, 1),
        "cpu_server": round(server_seconds(url) - before, 1),
        "parent_mb": mine.ru_maxrss // 1024,
        "worker_mb": workers.ru_maxrss // 1024,
    }


def server_seconds(url: str) -> float:
    """Processor time of the server's processes, those that have ended included."""
    import os

    import psycopg

    with psycopg.connect(url) as conn:
        row = conn.execute("SELECT pg_backend_pid()").fetchone()
        assert row is not None
        mine = _stat(int(row[0]))
    assert mine is not None, "the server runs on this machine"
    postmaster = int(mine[1])
    found = 0.0
    for path in Path("/proc").glob("[0-9]*"):
        told = _stat(int(path.name))
        if told is not None and int(path.name) == postmaster:
            found += sum(map(int, told[11:15]))
        elif told is not None and int(told[1]) == postmaster:
            found += sum(map(int, told[11:13]))
    return found / os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str] | None:
    """Fields of /proc/PID/stat from the state on; None where the process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def measure(n_documents: int, changed: int) -> list[dict[str, Any]]:
    sources = make_sources(-(-n_documents // PER_SOURCE))
    with (
        tempfile.TemporaryDirectory(prefix="fazhi-reparse-") as home,
        running_server(f"bench-{uuid.uuid4().hex[:8]}") as server,
    ):
        folder = Path(home) / "sources"
        folder.mkdir()
        for one in sources:
            text = one.model_dump_json(exclude_defaults=True, exclude_unset=True)
            (folder / f"{one.id}.yaml").write_text(text, encoding="utf-8")
        template = server.create()
        open_warehouse(server.url(template)).dispose()
        began = time.perf_counter()
        with ProcessPoolExecutor(2, get_context("spawn")) as pool:
            jobs = [pool.submit(grow, server.url(template), home, i, one, changed) for i, one in enumerate(sources)]
            grown = sum(job.result() for job in jobs)
        print(f"grown: {grown:,} documents in {time.perf_counter() - began:.0f} s", file=sys.stderr)
        told, copy = [], ""
        for processes, again in ((1, False), (2, False), (2, True)):
            if not again:
                copy = server.create(template)
            order = [sys.executable, "-m", "benchmarks.reparse", "--run", server.url(copy), home, str(processes)]
            done = subprocess.run([*order, *(["again"] if again else [])], cwd=ROOT, stdout=subprocess.PIPE, check=True)
            told.append(json.loads(done.stdout))
            print(json.dumps(told[-1]), file=sys.stderr)
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--changed", type=int, default=50, help="every how many documents one differs")
    parser.add_argument("--run", nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.run:
        url, home, processes, *again = given.run
        print(json.dumps(read_again(url, home, int(processes), bool(again))))
        return
    one, two, still = measure(given.documents, given.changed)
    ratio = two["documents_a_second"] / one["documents_a_second"]
    print(f"{'':<24}{'1 worker':>12}{'2 workers':>12}{'2, again':>12}")
    for name in one:
        print(f"{name:<24}{one[name]!s:>12}{two[name]!s:>12}{still[name]!s:>12}")
    print(f"two workers over one: {ratio:.2f} (bar {BAR}): {'holds' if ratio >= BAR else 'MISSED'}")


if __name__ == "__main__":
    main()
