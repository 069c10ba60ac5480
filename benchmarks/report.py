"""The figures as tables that read well on a terminal and as Markdown."""

from __future__ import annotations

import unicodedata
from typing import Any

from benchmarks.contestants import NOT_BUILT

LEAST_REPORTS_PER_SECOND = 150.0
MOST_GROWTH_MB = 5.0
MOST_HOSTILE_SECONDS = 1.0
MOST_LINEAR_FACTOR = 1.5
"""Time per character of the largest text over that of 10,000 characters: more is not linear."""

Figures = dict[str, Any]


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table whose first column is text and whose others are figures."""
    widths = [max(_width(row[column]) for row in [head, *rows]) for column in range(len(head))]

    def line(cells: list[str]) -> str:
        gaps = [" " * (width - _width(cell)) for cell, width in zip(cells, widths, strict=True)]
        return (
            "| " + " | ".join([cells[0] + gaps[0], *(g + c for g, c in zip(gaps[1:], cells[1:], strict=True))]) + " |"
        )

    rule = "|" + "-" * (widths[0] + 2) + "|" + "".join("-" * (width + 1) + ":|" for width in widths[1:])
    return "\n".join([line(head), rule, *map(line, rows)])


def verdict(is_met: bool) -> str:
    return "meets the bar" if is_met else "BELOW THE BAR"


def _missing(row: Figures, columns: int) -> list[str]:
    word = "not built" if row["missing"] == NOT_BUILT else "not installed"
    return [row["label"], word, *[""] * (columns - 1)]


def _speed_row(row: Figures) -> list[str]:
    if "missing" in row:
        return _missing(row, 5)
    paces = [row["reports_per_second"], row["slowest"], row["fastest"]]
    rest = [f"{row['milliseconds_per_report']:.2f}", f"{row['found_per_report']:.0f}"]
    return [row["label"], *(f"{pace:.1f}" for pace in paces), *rest]


def speed_bar(rows: list[Figures]) -> str:
    """The verdict on each engine that reads whole reports: as Python, and compiled where that was built."""
    told = [
        f"{name}: {row['reports_per_second']:.0f}, {verdict(row['reports_per_second'] >= LEAST_REPORTS_PER_SECOND)}."
        for engine, name in (("fazhi-report", "As Python"), ("fazhi-report-compiled", "Compiled"))
        for row in rows
        if row["engine"] == engine and "missing" not in row
    ]
    return f"Bar: {LEAST_REPORTS_PER_SECOND:.0f} whole reports per second. {' '.join(told)}"


def speed_section(result: Figures) -> str:
    where = "every process on the same one core" if result["pinned"] else "processes not pinned"
    lines = [
        "## Speed beside the peers",
        "",
        f"Reports of {result['report_size']:,} characters per second of processor time; {result['repeat']} repetitions "
        f"in turns,",
        f"{where}. A whole report is mentions, observations and checks.",
        "Compiled: the same sources through mypyc (`make fast`, optional); every other figure on this page is the",
        "engine as plain Python.",
    ]
    for name, rows in result["speed"].items():
        head = [f"{name} ({result['reports'][name]})", "median", "slowest", "fastest"]
        head += ["ms per report", "numbers found per report"]
        lines += ["", table(head, [_speed_row(row) for row in rows]), "", speed_bar(rows)]
    if result["not_compiled"]:
        lines += ["", f"No compiled engine in this run: {result['not_compiled']}."]
    return "\n".join(lines)


def _quality_row(row: Figures) -> list[str]:
    way = {True: ", mapped", False: ""}[row.get("mapped", False)]
    if "missing" in row:
        return _missing(row, 5)
    exact = row["exact"]
    figures = [exact["precision"], exact["recall"], exact["f1"], row["exact_value"]["f1"], row["lenient"]["f1"]]
    return [row["label"] + way, *(f"{figure:.3f}" for figure in figures)]


def quality_section(result: Figures) -> str:
    lines = [
        "## Quality on the same mentions",
        "",
        "Exact: the span of the gold. Lenient: an overlap with the same value. A peer appears as it answers and mapped",
        "to our convention: 余, 多, 万, 亿 and the measure word after its number are added from our own word list, and",
        "ordinals, dates, an indefinite 一 and numbers without a measure word are dropped, so that it loses nothing by",
        "convention alone. The regular expression around cn2an uses our word list from the start.",
    ]
    if not result["gold"]:
        lines += ["", "No gold mentions were found: nothing to score."]
    for name, size in result["gold"].items():
        rows = [_quality_row(row) for row in result["quality"] if row["gold"] == name]
        head = [f"{name}: {size['documents']} texts, {size['mentions']} mentions"]
        head += ["exact precision", "exact recall", "exact F1", "F1 of span and value", "lenient F1"]
        lines += ["", table(head, rows)]
    return "\n".join(lines)


def memory_section(result: Figures) -> str:
    memory = result["memory"]
    lines = ["## Memory", ""]
    if memory["growth_mb"] is None:
        return "\n".join([*lines, "This system does not tell the memory of a process: not measured."])
    rows = [[f"{row['documents']:,}", f"{row['rss_mb']:.1f}"] for row in memory["rows"]]
    return "\n".join(
        [
            *lines,
            f"One process reads different documents of {memory['document_size']:,} characters, whole reports each.",
            "",
            table(["documents read", "resident MB"], rows),
            "",
            f"Bar: flat, at most {MOST_GROWTH_MB:.0f} MB from the first row to the last: "
            f"{memory['growth_mb']:+.1f} MB, {verdict(memory['growth_mb'] <= MOST_GROWTH_MB)}.",
        ]
    )


def growth_section(result: Figures) -> str:
    sizes, hostile = result["sizes"], result["hostile"]
    rows = [
        [f"{row['characters']:,}", f"{row['seconds']:.4f}", f"{row['characters_per_second']:,.0f}"] for row in sizes
    ]
    lines = [
        "## Growth with size",
        "",
        "One text, read as a whole report; past the limit on numbers in one text only mentions are read on.",
        "",
        table(["characters", "seconds", "characters per second"], rows),
    ]
    usual = next((row for row in sizes if row["characters"] == 10_000), None)
    if usual and sizes[-1] is not usual:
        factor = usual["characters_per_second"] / sizes[-1]["characters_per_second"]
        lines += [
            "",
            f"A character of the largest text costs {factor:.2f} times one of 10,000 characters: "
            f"{'linear' if factor <= MOST_LINEAR_FACTOR else 'NOT LINEAR'}.",
        ]
    rows = [
        [row["input"], f"{row['characters']:,}", f"{row['bytes']:,}"]
        + (["over 60", verdict(False)] if row["seconds"] is None else
           [f"{row['seconds']:.3f}", verdict(row["seconds"] <= MOST_HOSTILE_SECONDS)])
        for row in hostile
    ]  # fmt: skip
    lines += ["", "## Hostile input", "", "Bar: each ends within a second.", ""]
    lines.append(table(["input", "characters", "bytes", "seconds", ""], rows))
    return "\n".join(lines)


def tables(result: Figures) -> str:
    """All sections."""
    sections = (speed_section, quality_section, memory_section, growth_section)
    return "\n\n".join(section(result) for section in sections)


_PEERS = (
    "The peers are what a user would otherwise reach for: Microsoft's recognizers-text (1.0.2a2 of 2019, its last",
    "release) for Chinese numbers with units, and cn2an for the numerals inside a regular expression. They run in",
    "processes and an environment of their own (`requirements/bench.txt`), on the same texts. jionlp is no third: of",
    "quantities it finds money only. No peer says what a number counts, for which year, and whether the sums hold.",
)


def page(result: Figures) -> str:
    """docs/benchmarks.md."""
    machine = result["machine"]
    return "\n".join(
        [
            "# Benchmarks",
            "",
            "<!-- Generated by `make bench` from measured figures; edit benchmarks/report.py. -->",
            "",
            f"Measured on {result['date']} by `make bench`: {machine['processor']}, {machine['cores']} cores, "
            f"{machine['system']}, Python {machine['python']}.",
            "",
            *_PEERS,
            "",
            tables(result),
            "",
        ]
    )
