"""What a person sees in the terminal: progress while it works, tables when it is done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from fazhi.report import COUNTS, Finding, HostLine, RunReport, SourceLine

if TYPE_CHECKING:
    from connectors.registry import Source
    from fazhi.settings import Settings

_NAME_WIDTH = 44
_STYLE = {
    "ok": "green",
    "unchanged": "green",
    "failed": "red",
    "fails": "red",
    "truncated": "yellow",
    "differs": "yellow",
}


class Bars:
    """A line a source: lists, pages, parse, load."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._run = progress.add_task("", total=None)
        self._lines: dict[str, TaskID] = {}

    def say(self, text: str) -> None:
        self._progress.update(self._run, description=text)

    def update(self, source_id: str, stage: str, done: int, planned: int) -> None:
        line = self._lines.get(source_id)
        if line is None:
            line = self._lines[source_id] = self._progress.add_task(source_id, total=None)
        self._progress.update(line, description=f"{source_id}  {stage}", completed=done, total=planned or None)

    def finish(self, source_id: str, outcome: str) -> None:
        line = self._lines.get(source_id)
        if line is None:
            line = self._lines[source_id] = self._progress.add_task(source_id)
        style = _STYLE.get(outcome, "yellow")
        pages = next(task.total for task in self._progress.tasks if task.id == line) or 1
        self._progress.update(line, description=f"{source_id}  [{style}]{outcome}[/]", completed=pages, total=pages)


@contextmanager
def progress_bars(is_shown: bool) -> Iterator[Bars]:
    """Bars on a terminal; in a log file a pipe gets none, only the report."""
    console = Console(stderr=True)
    progress = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not (is_shown and console.is_terminal),  # without one they would be drawn for nobody, all the time
    )
    with progress:
        yield Bars(progress)


def _out() -> Console:
    console = Console()
    # A pipe has no width of its own; 80 columns would break every table.
    return console if console.is_terminal else Console(width=160)


def print_report(report: RunReport) -> None:
    """The run report a person reads in the morning."""
    out = _out()
    out.print()
    out.rule(f"[bold]nightly[/] {report.started_at}  {report.seconds:.1f} s")
    out.print(_source_table(report))
    for line in report.sources:
        _print_lines(out, line)
    for note in report.notes:
        out.print(Text(f"  {note}", style="yellow"))
    if report.hosts:
        out.print(_host_table(report.hosts))
    out.print(Text(report.headline(), style="bold"))
    totals = ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in report.totals.items())
    out.print(f"warehouse now: {totals}")
    verdicts = "  ".join(
        f"[{_STYLE.get(name, 'green')}]{name} {count}[/]" for name, count in sorted(report.verdicts.items())
    )
    out.print(f"checks: {verdicts or 'none applied'}")
    if report.never_applied:
        out.print(f"[dim]rules with nothing to check: {', '.join(report.never_applied)}[/]")
    for finding in report.findings:
        out.print(_finding_panel(finding))
    out.print("[bold]Where to look next[/]")
    out.print(f"  warehouse  {report.warehouse}", highlight=False)
    out.print(f"  release    {report.release or 'none'}  (Parquet, datapackage.json)", highlight=False)
    out.print("  explorer   fazhi explore  (http://127.0.0.1:8710/)", highlight=False)
    out.print("  fazhi status · fazhi sources · fazhi articles --out articles.jsonl", highlight=False)


def _source_table(report: RunReport) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("source", no_wrap=True)
    table.add_column("", no_wrap=True)
    for name in (*COUNTS, "observations", "mentions"):
        table.add_column(name, justify="right", no_wrap=True)
    for line in report.sources:
        style = _STYLE.get(line.status, "yellow")
        counts = [str(line.counts.get(name, 0)) for name in COUNTS]
        table.add_row(
            f"{line.source_id} {line.name_zh}", f"[{style}]{line.status}[/]", *counts,
            str(line.observations), str(line.mentions),
        )  # fmt: skip
    return table


def _host_table(hosts: Sequence[HostLine]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in hosts[0].row():
        table.add_column(name, justify="left" if name in ("host", "errors") else "right", no_wrap=name != "errors")
    for host in hosts:
        table.add_row(*map(escape, host.row().values()))
    return table


def _print_lines(out: Console, line: SourceLine) -> None:
    for cause in line.failures[:3]:
        out.print(Text(f"  {line.source_id}: {cause}", style="red"))
    if len(line.failures) > 3:
        out.print(Text(f"  {line.source_id}: and {len(line.failures) - 3} more", style="red"))
    for note in line.notes:
        out.print(Text(f"  {line.source_id}: {note}", style="yellow"))
    if line.removed_links:
        out.print(
            Text(
                f"  {line.source_id}: {line.removed_links} hidden or injected elements removed",
                style="yellow",
            )
        )


def _finding_panel(finding: Finding) -> Panel:
    body = Text()
    body.append(f"{finding.formula}\n", style="bold")
    body.append(f"{finding.message_zh}\n{finding.message_en}\n")
    body.append(f"“{' '.join(finding.quote.split())}”\n", style="italic")
    body.append(f"{finding.title}  {finding.url}", style="dim")
    style = _STYLE.get(finding.verdict, "yellow")
    head = f"{finding.rule} {escape(finding.name_zh)} · {escape(finding.name_en)}: {finding.verdict}"
    return Panel(body, title=head, title_align="left", border_style=style)


def print_sources(sources: Mapping[str, Source], health: Sequence[Mapping[str, Any]]) -> None:
    """Every source with its health; one that never succeeded is its own state."""
    by_id = {row["source_id"]: row for row in health}
    widths = {"source": max(map(len, sources), default=1), "health": len("never crawled")}
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in (
        "source",
        "name",
        "engine",
        "health",
        "last success",
        "documents",
        "last report",
        "failing since",
    ):
        table.add_column(
            name, no_wrap=True, min_width=widths.get(name), max_width=_NAME_WIDTH if name == "name" else None
        )
    for source_id, source in sorted(sources.items(), key=lambda item: not item[1].verified):
        row = by_id.get(source_id, {})
        table.add_row(
            source_id, f"{source.name_zh} {source.name_en}", source.engine, _health(source, row),
            _shown(row.get("last_success_at")), _shown(row.get("documents")), str(row.get("last_report_year") or "-"),
            _shown(row.get("failing_since")),
        )  # fmt: skip
    _out().print(table)


def _health(source: Source, row: Mapping[str, Any]) -> str:
    health = str(row.get("health", "never crawled"))
    return "unverified" if not source.verified and health == "never crawled" else health


def print_status(status: Mapping[str, Any], settings: Settings) -> None:
    out = _out()
    out.print(f"warehouse {settings.shown_warehouse}", highlight=False)
    for name, rows in status.items():
        if isinstance(rows, Mapping):
            out.print(
                f"[bold]{name.replace('_', ' ')}[/]: "
                + ", ".join(f"{key} {_shown(value)}" for key, value in rows.items())
            )
        elif isinstance(rows, list | tuple):
            _print_rows(out, name, rows)
        else:
            out.print(f"[bold]{name.replace('_', ' ')}[/]: {_shown(rows)}")


def _print_rows(out: Console, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        out.print(f"[bold]{name.replace('_', ' ')}[/]: none")
        return
    table = Table(title=name.replace("_", " "), title_justify="left", box=None, header_style="bold", pad_edge=False)
    for column in rows[0]:
        table.add_column(column.replace("_", " "), no_wrap=True)
    for row in rows:
        table.add_row(*(_shown(value) for value in row.values()))
    out.print(table)


def print_settings(settings: Settings) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("variable", "default", "now", "meaning"):
        table.add_column(column, overflow="fold")
    for name, default, meaning in settings.table():
        field = name.removeprefix("FAZHI_").lower()
        table.add_row(name, default, _shown(settings.shown(field)), meaning)
    _out().print(table)


def _shown(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}Z"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else escape(str(value))
