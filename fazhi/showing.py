"""How `fazhi quarantine`, `diff` and `check` look in a terminal and in a pipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from warehouse.checkup import Result
    from warehouse.document_diff import DocumentDiff, Figure, Hunk

PIPE_WIDTH = 2000
"""A pipe has no width of its own: lines are as long as what they say."""
LONG = 160
"""Characters of a cell or an unchanged sentence that are shown."""


def _out() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(width=PIPE_WIDTH, highlight=False)


def print_records(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows of one shape as a table; the last columns fold where the terminal is narrow."""
    table = Table(title=title, title_justify="left", box=None, header_style="bold", pad_edge=False)
    for name, value in rows[0].items():
        is_number = isinstance(value, int)
        table.add_column(name, no_wrap=is_number, overflow="fold", justify="right" if is_number else "left")
    for row in rows:
        table.add_row(*(Text(_shown(value)) for value in row.values()))
    _out().print(table)


def print_checkup(results: Sequence[Result]) -> None:
    """A line a test: what it is, rows looked at, failures, first examples."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("", "test", "rows looked at", "failures", "what must hold", "first examples"):
        table.add_column(name, overflow="fold", justify="right" if name in ("rows looked at", "failures") else "left")
    for one in results:
        word, style = ("ok", "green") if one.holds else ("FAIL", "red")
        told = "; ".join(one.outcome.examples)
        if not one.outcome.n_checked:
            told = "none, as is normal" if one.test.may_be_empty else one.told
        table.add_row(
            Text(word, style), one.test.name, f"{one.outcome.n_checked:,}", f"{one.outcome.n_failed:,}",
            Text(f"{one.test.zh} {one.test.en}"), Text(told),
        )  # fmt: skip
    _out().print(table)


def print_document_diff(diff: DocumentDiff) -> None:
    out = _out()
    out.print(Text(diff.new.document_id, style="bold"))
    for version in (diff.old, diff.new):
        until = f"{version.valid_to:%Y-%m-%d %H:%MZ}" if version.valid_to else "now"
        notes = [note for note, is_so in (("gone", version.is_gone), ("no report", not version.is_report)) if is_so]
        told = f"version {version.version_no}  {version.valid_from:%Y-%m-%d %H:%MZ} to {until}  {version.title or ''}"
        out.print(Text("  ".join([told, *notes])))
    n_removed, n_added = (sum(len(getattr(hunk, name)) for hunk in diff.hunks) for name in ("removed", "added"))
    out.print()
    out.print(Text(f"text: {n_removed} sentences removed, {n_added} added", style="bold"))
    for hunk in diff.hunks:
        _print_hunk(out, hunk)
    out.print(
        Text(
            f"figures: {len(diff.changed)} changed, {len(diff.added)} added, {len(diff.removed)} removed, "
            f"{diff.n_unchanged} unchanged",
            style="bold",
        )
    )
    for old, new in diff.changed:
        out.print(Text(f"~ {_named(new)}  {_value(old)} → {_value(new)}", style="yellow"))
        out.print(Text(f"    - {_one_line(old.quote)}"))
        out.print(Text(f"    + {_one_line(new.quote)}"))
    for sign, style, figures in (("+", "green", diff.added), ("-", "red", diff.removed)):
        for one in figures:
            out.print(Text(f"{sign} {_named(one)}  {_value(one)}", style=style))
            out.print(Text(f"    {_one_line(one.quote)}"))


def _print_hunk(out: Console, hunk: Hunk) -> None:
    from warehouse.document_diff import mark_changes

    for sentence in hunk.before:
        out.print(Text(f"    {_short(sentence)}", style="dim"))
    if len(hunk.removed) == len(hunk.added):
        for old, new in zip(hunk.removed, hunk.added, strict=True):
            line = Text("  ~ ")
            for sign, part in mark_changes(old, new):
                if sign == "same":
                    line.append(part)
                else:
                    line.append(f"[{sign}{part}]" if sign == "-" else f"{{+{part}}}", "red" if sign == "-" else "green")
            out.print(line)
    else:
        for sentence in hunk.removed:
            out.print(Text(f"  - {sentence}", style="red"))
        for sentence in hunk.added:
            out.print(Text(f"  + {sentence}", style="green"))
    for sentence in hunk.after:
        out.print(Text(f"    {_short(sentence)}", style="dim"))
    out.print()


def _named(figure: Figure) -> str:
    parts = [f"{figure.name_zh} {figure.name_en} ({figure.metric})", figure.period]
    parts += [part for part in (figure.scope, figure.dimension) if part]
    if figure.status != "actual":
        parts.append(figure.status)
    return " · ".join(parts)


def _value(figure: Figure) -> str:
    return f"{figure.text} ({'-' if figure.value is None else format(figure.value, 'f')} {figure.unit})"


def _short(text: str) -> str:
    return text if len(text) <= LONG else f"{text[:LONG]}…"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _shown(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}Z"
    return _short(_one_line(str(value)))
