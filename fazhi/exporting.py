"""`fazhi export`: a cut from a release as Parquet, CSV or Excel."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from fazhi.exits import USAGE, CommandFailed


class FileFormat(str, Enum):  # noqa: UP042 - Typer reads the values of a str Enum
    parquet = "parquet"
    csv = "csv"
    xlsx = "xlsx"


def export(
    to: Annotated[Path, typer.Option(help="Folder to write: new, empty, or an earlier export (it is replaced).")],
    file_format: Annotated[
        FileFormat, typer.Option("--format", help="csv: safe for spreadsheets; xlsx: one workbook.")
    ] = FileFormat.csv,
    as_of: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], metavar="DATE", help="What was known on this day: values are chosen anew from it."
        ),
    ] = None,
    region: Annotated[
        list[str] | None, typer.Option(help="Only this region: a code or its beginning (repeat for several).")
    ] = None,
    metric: Annotated[list[str] | None, typer.Option(help="Only this metric (repeat for several).")] = None,
    release: Annotated[str, typer.Option(help="From this release: its name or a part of it, or PREVIOUS.")] = "CURRENT",
) -> None:
    """Write chosen values with names, the statements behind them, their documents and a data dictionary.

    In CSV a text that begins like a formula (= + - @ …) or with an apostrophe gets an apostrophe before it."""
    from fazhi.cli import _settings
    from warehouse.export import Cut, WrongCut, export_release
    from warehouse.release_read import find_release

    told = find_release(_settings().releases, release)
    cut = Cut(as_of.date() if as_of else None, tuple(region or ()), tuple(metric or ()))
    try:
        rows = export_release(told, to, file_format.value, cut)
    except WrongCut as error:
        raise CommandFailed(str(error), USAGE) from error
    typer.echo(f"{', '.join(f'{count:,} {name}' for name, count in rows.items())} written to {to}")
