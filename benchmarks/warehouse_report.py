"""docs/benchmarks-warehouse.md from the figures of `benchmarks.loading` and `benchmarks.scale`.

`python -m benchmarks.warehouse_report LOADING.json [SCALE.json]`, as `make bench-warehouse` does.
"""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.loading import LEAST_OF_BARE, LEAST_OF_PANDAS, MOST_MB
from benchmarks.report import table, verdict
from benchmarks.run import describe_machine
from benchmarks.scale import MOST_SECONDS, NIGHT

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks-warehouse.md"

NO_SCALE = """## A warehouse at three sizes

Not measured on this version: `make bench-warehouse` does, in over an hour."""

Figures = dict[str, Any]


def loading_section(rows: list[Figures]) -> str:
    head = [
        "engine",
        "rows",
        "ours, rows/s",
        "bare, rows/s",
        "share of bare",
        "pandas, rows/s",
        "times pandas",
        "peak MB",
    ]
    cells = [
        [
            row["engine"], f"{row['rows']:,}", f"{row['ours']:,.0f}", f"{row['bare']:,.0f}",
            f"{row['ours'] / row['bare']:.2f}", f"{row['pandas']:,.0f}", f"{row['ours'] / row['pandas']:.1f}",
            f"{row['peak_mb']:.0f}",
        ]
        for row in rows
    ]  # fmt: skip
    told = []
    for row in rows:
        is_fast = row["ours"] >= LEAST_OF_BARE * row["bare"]
        told.append(f"{row['engine']}: {row['ours'] / row['bare']:.2f} of bare, {verdict(is_fast)}")
        if row["engine"] == "postgresql":
            told.append(
                f"{row['ours'] / row['pandas']:.1f} × pandas, {verdict(row['ours'] >= LEAST_OF_PANDAS * row['pandas'])}"
            )
        told.append(f"{row['peak_mb']:.0f} MB, {verdict(row['peak_mb'] < MOST_MB)}")
    return "\n".join(
        [
            "## Loading observations",
            "",
            "Ours: observations as the extraction gives them, dimensions looked up, natural keys hashed, uniqueness",
            "and references enforced, in transactions of 500 documents. Bare: the finished rows in one transaction",
            "into one table without key, index or reference, by text COPY or `executemany`. pandas: its `to_sql` with",
            "the defaults. One engine after the other, each in a process of its own; the contenders take turns in it.",
            "",
            table(head, cells),
            "",
            f"Bars: {LEAST_OF_BARE:g} of bare, {LEAST_OF_PANDAS:g} × pandas on PostgreSQL, under {MOST_MB} MB. "
            f"{'; '.join(told)}.",
        ]
    )  # fmt: skip


def scale_section(found: list[Figures]) -> str:
    head = ["PostgreSQL", *(f"{row['regions']:,} regions" for row in found)]

    def line(name: str, *cells: str) -> list[str]:
        return [name, *cells]

    rows = [
        line("document versions", *(f"{row['rows']['dim_document']:,}" for row in found)),
        line("observations", *(f"{row['rows']['fact_observation']:,}" for row in found)),
        line("mentions", *(f"{row['rows']['fact_mention']:,}" for row in found)),
        line("chosen values", *(f"{row['rows']['fact_metric_value']:,}" for row in found)),
        line("database, GB", *(f"{row['rows']['mb'] / 1000:.1f}" for row in found)),
        line(f"nightly of {NIGHT:,} new reports, s", *(f"{row['night']['seconds']:.0f}" for row in found)),
        line("… of it choosing values, s", *(f"{row['night']['choosing']:.0f}" for row in found)),
        line("… ms a report", *(f"{1000 * row['night']['seconds'] / row['night']['documents']:.0f}" for row in found)),
        line("… peak MB", *(f"{row['night']['peak_mb']:.0f}" for row in found)),
        line("values of one region rebuilt, s", *(f"{row['rebuild']:.2f}" for row in found)),
        line("release, s", *(f"{row['release']['seconds']:.0f}" for row in found)),
        line("… files, taken over", *(_files(row["release"]) for row in found)),
        line("release after the nightly, s", *(f"{row['next_release']['seconds']:.0f}" for row in found)),
        line("… files, taken over", *(_files(row["next_release"]) for row in found)),
        line("… Parquet, MB", *(f"{row['next_release']['mb']:,.0f}" for row in found)),
        line("… peak MB", *(f"{row['next_release']['peak_mb']:,.0f}" for row in found)),
    ]
    asked = [[f"question {n}", *(f"{row['questions'][n]:.3f}" for row in found)] for n in found[-1]["questions"]]
    slowest = max(found[-1]["questions"].values())
    return "\n".join(
        [
            "## A warehouse at three sizes",
            "",
            "Made reports: ten bodies a region, twelve years, 56 figures each. A nightly brings the next year's first",
            "reports by the program's own loads, one source after the other; only touched bodies get new values,",
            "for the touched years. The number of reports is always the same: of 300 sources each brings ten in one",
            "load, of 3,000 one, so there are more loads.",
            "A file of a release is taken over from the one before where its state did not change.",
            *([found[-1]["note"]] if "note" in found[-1] else []),
            "",
            table(head, rows),
            "",
            "The ten questions of the [cookbook](cookbook.md) to the release, in DuckDB, seconds (median of three):",
            "",
            table(["", *head[1:]], asked),
            "",
            f"Bar: none above {MOST_SECONDS:g} s at the largest size; the slowest takes {slowest:.2f} s, "
            f"{verdict(slowest <= MOST_SECONDS)}.",
        ]
    )


def _files(release: Figures) -> str:
    return f"{release['files']}, {release['taken_over']}"


def page(loading: list[Figures], scale: list[Figures] | None) -> str:
    machine = describe_machine()
    return "\n".join(
        [
            "# Benchmarks of the warehouse",
            "",
            "<!-- Generated by `make bench-warehouse` from measured figures; edit benchmarks/warehouse_report.py. -->",
            "",
            f"Measured on {date.today().isoformat()}: {machine['processor']}, {machine['cores']} cores, "
            f"{machine['system']}, Python {machine['python']}; PostgreSQL 18 and SQLite on the same disk.",
            "",
            loading_section(loading),
            "",
            scale_section(scale) if scale else NO_SCALE,
            "",
        ]
    )  # fmt: skip


def main() -> int:
    loading, *scale = (json.loads(Path(name).read_text(encoding="utf-8")) for name in sys.argv[1:3])
    PAGE.write_text(page(loading, scale[0] if scale else None), encoding="utf-8")
    print(f"written: {PAGE.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
