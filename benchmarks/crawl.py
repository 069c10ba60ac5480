"""Speed, quality and memory of crawling and cleaning, beside Scrapy with parsel and four readers, in the same run.

`python -m benchmarks.crawl --json FILE --write-docs` measures everything; name parts to measure only these. The night
runs in real time: `--full-night` is 300 hosts of 200 pages and takes eight minutes, the default is a tenth of that.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.crawl_night import measure_night
from benchmarks.crawl_pipeline import measure_pipeline
from benchmarks.crawl_race import race
from benchmarks.crawl_report import page, tables
from benchmarks.engines import ROOT
from benchmarks.run import describe_machine
from benchmarks.text_race import corpus_samples, made_samples, measure_texts

DOCS_PAGE = ROOT / "docs" / "benchmarks-crawl.md"
PARTS = ("race", "pipeline", "text", "night")


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crawl", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all without any")
    parser.add_argument("--pages", type=int, default=5_000, metavar="N", help="of the race and the pipeline")
    parser.add_argument("--samples", type=int, default=200, metavar="N", help="made pages of the text figures")
    parser.add_argument("--repeat", type=int, default=3, metavar="N", help="repetitions of race, pipeline and text")
    parser.add_argument("--full-night", action="store_true", help="300 hosts of 200 pages")
    parser.add_argument("--night", type=int, nargs=2, default=(100, 60), metavar=("HOSTS", "PAGES"))
    parser.add_argument("--corpus", type=Path, default=ROOT.parent / "shared" / "corpus", metavar="DIR")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON")
    parser.add_argument("--write-docs", action="store_true", help="write docs/benchmarks-crawl.md; needs all parts")
    return parser


def measure(options: argparse.Namespace, parts: Sequence[str]) -> dict[str, Any]:
    """The figures of the chosen parts. Raises ValueError where a contestant breaks down."""
    result: dict[str, Any] = {"date": datetime.now(UTC).date().isoformat(), "machine": describe_machine()}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if "race" in parts:
            result["race"] = race(options.pages, options.repeat, folder)
        if "pipeline" in parts:
            result["pipeline"] = measure_pipeline(options.pages, options.repeat, folder)
    if "text" in parts:
        sets = {"made": made_samples(options.samples), "corpus": corpus_samples(options.corpus / "portals")}
        result["text"] = {
            name: {"pages": len(samples), "rows": measure_texts(samples, options.repeat)}
            for name, samples in sets.items()
            if samples
        }
    if "night" in parts:
        result["night"] = measure_night(*((300, 200) if options.full_night else options.night))
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 when everything was measured, 1 when it could not be, with one line that says why."""
    options = build_parser().parse_args(arguments)
    parts = options.parts or PARTS
    unknown = [part for part in parts if part not in PARTS]
    if unknown or (options.write_docs and set(parts) != set(PARTS)):
        print(f"benchmarks: parts are {', '.join(PARTS)}; the docs need them all", file=sys.stderr)
        return 1
    try:
        result = measure(options, parts)
    except (OSError, ValueError) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    print(tables(result))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    if options.write_docs:
        DOCS_PAGE.write_text(page(result), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
