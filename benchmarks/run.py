"""The command: measure everything in one run, print tables, write JSON and docs/benchmarks.md."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.compiled import prepare_compiled
from benchmarks.contestants import CONTESTANTS, PEERS_PYTHON, Worker, WorkerFailed
from benchmarks.engines import ROOT
from benchmarks.growth import measure_hostile, measure_memory, measure_sizes
from benchmarks.race import measure_quality, measure_speed
from benchmarks.report import page, tables
from benchmarks.texts import REPORT_SIZE, GoldDocument, cut_reports, load_gold, load_pools
from fazhi.fast import CannotCompile

DOCS_PAGE = ROOT / "docs" / "benchmarks.md"


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks/extraction.py", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON")
    parser.add_argument("--write-docs", action="store_true", help="write docs/benchmarks.md; needs the peers")
    parser.add_argument(
        "--corpus",
        type=Path,
        default=ROOT.parent / "shared" / "corpus",
        metavar="DIR",
        help="reports/, gold/ and passages/; what is absent is left out (default: %(default)s)",
    )
    parser.add_argument(
        "--own",
        type=Path,
        default=ROOT / "tests" / "extraction" / "reports" / "development",
        metavar="DIR",
        help="the project's own reports: texts/ and mentions.jsonl",
    )
    parser.add_argument(
        "--peers",
        type=Path,
        default=PEERS_PYTHON,
        metavar="PYTHON",
        help="the interpreter that the peers are installed for (default: benchmarks/.venv)",
    )
    parser.add_argument("--pure", action="store_true", help="leave the compiled engine out: nothing is built")
    parser.add_argument("--documents", type=int, default=10_000, metavar="N", help="documents for the memory figure")
    parser.add_argument("--repeat", type=int, default=5, metavar="N", help="repetitions of the speed figure")
    parser.add_argument(
        "--largest",
        type=int,
        default=1_000_000,
        metavar="N",
        help="largest text of the growth and hostile figures, in characters and bytes",
    )
    return parser  # fmt: skip


def describe_machine() -> dict[str, Any]:
    """What a reader needs to compare figures; never the machine's name."""
    info = Path("/proc/cpuinfo")
    found = re.search(r"^model name\s*: (.+)$", info.read_text(errors="replace"), re.M) if info.exists() else None
    return {
        "processor": found[1].strip() if found else platform.machine(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
    }


def gold_sets(corpus: Path, own: Path) -> dict[str, list[GoldDocument]]:
    """The hand-made gold that is there, by name."""
    sets = {
        "corpus reports": load_gold(corpus / "gold" / "mentions.jsonl", corpus / "reports"),
        "corpus passages": load_gold(corpus / "passages" / "mentions.jsonl", corpus / "passages" / "texts"),
        "own reports": load_gold(own / "mentions.jsonl", own / "texts"),
    }
    return {name: documents for name, documents in sets.items() if documents}


def find_compiled(is_pure: bool) -> tuple[Path | None, str]:
    """The folder of the compiled engine, or None and why it takes no part."""
    if is_pure:
        return None, "left out (--pure)"
    try:
        return prepare_compiled(), ""
    except CannotCompile as error:
        return None, str(error)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """All figures of a run. Raises ValueError without texts, WorkerFailed when a contestant breaks down."""
    pools = load_pools({"corpus reports": options.corpus / "reports", "own reports": options.own / "texts"})
    reports = {name: cut_reports(pool) for name, pool in pools.items()}
    pool = "\n".join(pools.values())
    sets = gold_sets(options.corpus, options.own)
    compiled, why_not = find_compiled(options.pure)
    result: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": describe_machine(),
        "reports": {name: len(texts) for name, texts in reports.items()},
        "report_size": REPORT_SIZE,
        "repeat": options.repeat,
        "not_compiled": why_not,
        "gold": {
            name: {"documents": len(documents), "mentions": sum(len(d.firm) for d in documents)}
            for name, documents in sets.items()
        },
    }
    with ExitStack() as stack:
        workers = [stack.enter_context(Worker(contestant, options.peers, compiled)) for contestant in CONTESTANTS]
        result["pinned"] = all(worker.is_pinned for worker in workers if not worker.missing)
        result["speed"] = {name: measure_speed(workers, texts, options.repeat) for name, texts in reports.items()}
        result["quality"] = measure_quality(workers, sets)
    result["memory"] = measure_memory(pool, options.documents)
    result["sizes"] = measure_sizes(pool, options.largest)
    result["hostile"] = measure_hostile(options.largest)
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 when everything was measured, 1 when it could not be, with one line that says why."""
    options = build_parser().parse_args(arguments)
    try:
        result = measure(options)
    except (OSError, ValueError, WorkerFailed) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    print(tables(result))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    if options.write_docs:
        peers = {contestant.label for contestant in CONTESTANTS if contestant.is_peer}
        rows = [row for rows in result["speed"].values() for row in rows]
        absent = sorted({row["label"] for row in rows if "missing" in row} & peers)
        if absent:
            print(f"benchmarks: docs not written: not installed: {'; '.join(absent)} (make bench)", file=sys.stderr)
            return 1
        DOCS_PAGE.write_text(page(result), encoding="utf-8")
    return 0
