"""The crawl's figures as tables that read well on a terminal and as Markdown, with the verdict on each bar."""

from __future__ import annotations

from typing import Any

from benchmarks.report import table, verdict

RACE_BAR, PIPELINE_BAR, TEXT_SPEED_BAR, GENERIC_BAR = 3.0, 1.5, 5.0, 0.97
SCRAPY_ALONE = "Scrapy + parsel, crawl and parse alone"
NIGHT_BAR, NIGHT_MB, SECOND_BAR = 1.15, 500.0, 0.15

Figures = dict[str, Any]


def race_section(result: Figures) -> str:
    rows = result["race"]
    body = [
        [
            row["label"], f"{row['pages_per_cpu_second']:.0f}", f"{row['ms_per_page']:.2f}",
            f"{row['fastest_ms']:.2f} – {row['slowest_ms']:.2f}", f"{row['pages_per_second']:.0f}",
            f"{row['rss_mb']:.0f}", f"{row['body_f1']:.4f}", f"{row['titles']:.4f}", f"{row['dates']:.4f}",
        ]
        for row in rows
    ]  # fmt: skip
    head = [f"{rows[0]['pages']:,} pages", "pages per CPU second", "CPU ms per page", "range", "pages per second"]
    head += ["MB", "body F1", "titles", "dates"]
    *own, peer = rows
    factors = [row["pages_per_cpu_second"] / peer["pages_per_cpu_second"] for row in own]
    told = [
        f"{row['label']} {factor:.2f} times, {verdict(factor >= RACE_BAR and row['body_f1'] >= peer['body_f1'])}"
        for row, factor in zip(own, factors, strict=True)
    ]
    return "\n".join(
        [
            "## Crawl and parse", "",
            "Title, date, body and links of made pages of 30 to 80 KB, over HTTP on loopback, 32 requests in flight,",
            "in turns in the same run. Robots are obeyed by all; the server's time is not counted.", "",
            table(head, body), "",
            f"Bar: {RACE_BAR:.0f} times Scrapy's pages per CPU second, text equal or better: {'; '.join(told)}.",
        ]
    )  # fmt: skip


def pipeline_section(result: Figures) -> str:
    about = result["pipeline"]
    rows, peer = about["rows"], about["scrapy"]
    body = [
        [row["label"], _figure(row["loaded_ms_per_page"]), _told_range(row["loaded_range"]),
         f"{row['ms_per_page']:.2f}", _figure(row["server_ms_per_page"]), f"{row['rss_mb']:.0f}"]
        for row in rows
    ]  # fmt: skip
    body.append([SCRAPY_ALONE, f"{peer['ms_per_page']:.2f}", _told_range(peer["range"]), "", "", ""])
    head = [f"{about['pages']:,} pages", "CPU ms per page until all is loaded", "range", "with release and report"]
    head += ["of these the server's", "MB"]
    return "\n".join(
        [
            "## The whole pipeline", "",
            "`fazhi nightly`: crawl, archive, clean, parse metrics (one page in ten is a full report), load into "
            "SQLite,",
            "runs recorded by a Prefect server beside it that has run before: what it spends on the run counts, beyond",
            "what it uses when idle. The start of the program counts too, as does Scrapy's; in turns in the same run,",
            "medians.", "",
            table(head, body), "",
            f"Bar: {PIPELINE_BAR} times Scrapy that only crawls and parses: until all is loaded "
            f"{_judged(rows, 'loaded_ms_per_page', peer)}; "
            f"with release and report {_judged(rows, 'ms_per_page', peer)}.",
        ]
    )  # fmt: skip


def _judged(rows: list[Figures], name: str, peer: Figures) -> str:
    told = [(row["label"], row[name] and peer["ms_per_page"] / row[name]) for row in rows]
    return ", ".join(
        f"{label} not told" if factor is None else f"{label} {factor:.2f} times: {verdict(factor >= PIPELINE_BAR)}"
        for label, factor in told
    )


def _told_range(ends: tuple[float, float] | None) -> str:
    return "not told" if ends is None else f"{ends[0]:.2f} – {ends[1]:.2f}"


def _figure(value: float | None) -> str:
    return "not told" if value is None else f"{value:.2f}"


def text_section(result: Figures) -> str:
    lines = [
        "## Clean text",
        "",
        "F1 of character 5-grams against the text a reader should get; processor time a page.",
    ]
    for name, measured in result["text"].items():
        groups = list(dict.fromkeys(group for row in measured["rows"] for group in row.get("f1", {})))
        head = [f"{name}: {measured['pages']} pages", "F1", *(group for group in groups if len(groups) > 1), "ms"]
        body = [
            [row["label"], "not installed", *[""] * (len(head) - 2)]
            if "missing" in row
            else [
                row["label"],
                f"{row['all']:.4f}",
                *(f"{row['f1'][group]:.3f}" for group in groups if len(groups) > 1),
                f"{row['ms_per_page']:.2f}",
            ]
            for row in measured["rows"]
        ]
        lines += ["", table(head, body), "", _text_bar(measured["rows"])]
    return "\n".join(lines)


def _text_bar(rows: list[Figures]) -> str:
    own, generic, *peers = rows
    there = [row for row in peers if "missing" not in row]
    if len(there) < len(peers):
        return "Not every peer is installed: no verdict."
    factor = there[0]["ms_per_page"] / own["ms_per_page"]
    is_best = all(own["all"] > row["all"] for row in there)
    return (
        f"Bars: F1 above every peer's: {verdict(is_best)}. {TEXT_SPEED_BAR:.0f} times as fast as trafilatura: "
        f"{factor:.1f} times, {verdict(factor >= TEXT_SPEED_BAR)}. F1 without selectors at least {GENERIC_BAR}: "
        f"{generic['all']:.4f}, {verdict(generic['all'] >= GENERIC_BAR)}."
    )


def night_section(result: Figures) -> str:
    night = result["night"]
    body = [
        [name, *(f"{row[key]:,.0f}" for key in ("planned", "fetched", "unchanged", "failed")),
         f"{row['wall']:.1f}", f"{row['cpu']:.1f}", f"{row['rss_mb']:.0f}"]
        for name, row in zip(("first", "second, nothing changed"), night["nights"], strict=True)
    ]  # fmt: skip
    head = ["night", "planned", "fetched", "unchanged", "failed", "seconds", "CPU seconds", "MB"]
    most = max(row["rss_mb"] for row in night["nights"])
    return "\n".join(
        [
            "## A simulated night", "",
            f"{night['hosts']} hosts of {night['pages']} pages, one request a second each, 30 ms latency, 5 % faults, "
            "in real time; two crawler processes, whose CPU and memory are added up.", "",
            table(head, body), "",
            f"Politeness alone takes {night['limit']:.0f} s (no retries counted). Bars: within {NIGHT_BAR} of it: "
            f"{night['over_limit']:.3f}, {verdict(night['over_limit'] <= NIGHT_BAR)}; under {NIGHT_MB:.0f} MB: "
            f"{verdict(most < NIGHT_MB)}; the second night at most {SECOND_BAR:.0%} of the first one's CPU: "
            f"{night['second_share']:.1%}, {verdict(night['second_share'] <= SECOND_BAR)}.",
        ]
    )  # fmt: skip


_SECTIONS = {"race": race_section, "pipeline": pipeline_section, "text": text_section, "night": night_section}


def tables(result: Figures) -> str:
    """The sections that were measured."""
    return "\n\n".join(section(result) for part, section in _SECTIONS.items() if part in result)


def page(result: Figures) -> str:
    """docs/benchmarks-crawl.md."""
    machine = result["machine"]
    return "\n".join(
        [
            "# Benchmarks of the crawl", "",
            "<!-- Generated by `python -m benchmarks.crawl` from measured figures; edit crawl_report.py there. -->",
            "",
            f"Measured on {result['date']} by `python -m benchmarks.crawl`: {machine['processor']}, "
            f"{machine['cores']} cores, {machine['system']}, Python {machine['python']}.", "",
            "The pages are made (`benchmarks/made_pages.py`): four layouts, fictional places; plain, tables, injected",
            "links, GBK, a word processor's nested spans. The peers live in an environment of their own",
            "(`requirements/bench.txt`).", "",
            tables(result), "",
        ]
    )  # fmt: skip
