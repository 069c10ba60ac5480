"""`fazhi reparse`: read documents again from the archive with today's extraction."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import typer

from fazhi.exits import INCOMPLETE, CommandFailed

_DATE = ["%Y-%m-%d"]


def reparse(
    source: Annotated[
        list[str] | None, typer.Option("--source", help="Only this source (repeat for several). Default: all.")
    ] = None,
    year: Annotated[
        list[int] | None, typer.Option("--year", min=1990, max=2100, help="Only reports on this year (repeat).")
    ] = None,
    published_from: Annotated[
        datetime | None, typer.Option(formats=_DATE, help="Only documents published on this day or later.")
    ] = None,
    published_to: Annotated[
        datetime | None, typer.Option(formats=_DATE, help="Only documents published on this day or earlier.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Documents at most.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and write nothing.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Also what today's extraction and catalogue have read already.")
    ] = False,
    processes: Annotated[
        int | None, typer.Option(min=1, max=256, help="Worker processes. Default: one for each core.")
    ] = None,
    accept_mass_change: Annotated[
        str, typer.Option(metavar="REASON", help="Publish also beyond the thresholds; the reason is recorded.")
    ] = "",
) -> None:
    """Read documents again from the archive, without network, and publish what today's extraction reads otherwise.

    Where more than a share of a source's figures would go or change, nothing of it is published: see
    deployments/README.md, which has all thresholds.
    """
    from fazhi.console import progress_bars
    from fazhi.house import prepare_prefect, prepare_reparse, read_settings

    settings = read_settings()
    prepare_reparse(settings)
    prepare_prefect(settings)
    with progress_bars(settings.log is None) as watching:
        watching.say("Starting Prefect")
        from flows.own_server import end_server_with_us
        from flows.reparse import reparse as run
        from tasks.progress import use_reporter
        from tasks.reparse_report import markdown

        end_server_with_us()
        with use_reporter(watching):
            result = run(
                sources=source, years=year, published_from=_day(published_from), published_to=_day(published_to),
                limit=limit, dry_run=dry_run, again=again, processes=processes, accept_mass_change=accept_mass_change,
            )  # fmt: skip
    typer.echo(markdown(result))
    stopped = [one.source_id for one in result.sources.values() if one.stopped]
    if result.stopped or stopped:
        raise CommandFailed(
            f"reparse: not published, too much would change: {', '.join(stopped) or 'all sources'}; look at the "
            "changes, then mend the extraction or give a reason with --accept-mass-change",
            INCOMPLETE,
        )


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment is not None else None
