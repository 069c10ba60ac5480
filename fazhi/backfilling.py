"""`fazhi backfill`: the form of the UI as a command."""

from __future__ import annotations

import os
from contextlib import nullcontext
from datetime import datetime
from typing import Annotated, Any

import typer

from fazhi.exits import INCOMPLETE, USAGE, CommandFailed


def backfill(
    source: Annotated[
        list[str] | None,
        typer.Option(help="Only this source (repeat for several). With no source and no region: all verified."),
    ] = None,
    region: Annotated[
        list[str] | None, typer.Option(help="All sources of the region with this 6-digit code, in addition.")
    ] = None,
    year_from: Annotated[int | None, typer.Option(help="First year that reports are about.")] = None,
    year_to: Annotated[int | None, typer.Option(help="Last year that reports are about.")] = None,
    published_from: Annotated[
        datetime | None, typer.Option(help="Published on this day or later, as the list says.", formats=["%Y-%m-%d"])
    ] = None,
    published_to: Annotated[
        datetime | None, typer.Option(help="Published on this day or earlier.", formats=["%Y-%m-%d"])
    ] = None,
    mode: Annotated[
        str, typer.Option(help="missing: pages not held. refetch: pages anew, in full. reparse: from the archive.")
    ] = "missing",
    limit: Annotated[int, typer.Option(help="Pages (reparse: documents) at most, of all sources together.")] = 1000,
    accept_mass_change: Annotated[
        str, typer.Option(metavar="REASON", help="Also publish sources whose figures go or change in numbers.")
    ] = "",
    apply: Annotated[bool, typer.Option("--apply", help="Do it. Without this: only plan, nothing is written.")] = False,
) -> None:
    """Fetch or read anew a cut of the sources' pages. Without --apply: a plan, with no request and no write."""
    from fazhi.cli import _choose, _load_sources, _settings
    from fazhi.house import only_nightly, prepare_nightly, prepare_prefect

    settings = _settings()
    known = _load_sources(settings)
    given: dict[str, Any] = {
        "sources": _choose(known, source) if source else [],
        "regions": _name_regions(known, region or []),
        "report_year_from": year_from,
        "report_year_to": year_to,
        "published_from": published_from.date() if published_from else None,
        "published_to": published_to.date() if published_to else None,
        "mode": mode,
        "limit": limit,
        "accept_mass_change": accept_mass_change,
        "dry_run": not apply,
    }
    if apply and mode != "reparse":
        prepare_nightly(settings)
    settings.home.mkdir(parents=True, exist_ok=True)  # for Prefect's own files; nothing else is written by a plan
    prepare_prefect(settings)
    alone = only_nightly(settings, lambda told: typer.echo(told, err=True))
    with nullcontext() if os.environ.get("PREFECT_API_URL") else alone:  # two servers cannot make one database
        _run({name: value for name, value in given.items() if value is not None})


def _name_regions(known: dict[str, Any], codes: list[str]) -> list[str]:
    """Codes as the form names them. Raises CommandFailed."""
    names = {source.region_code: f"{source.region_code} {source.name_zh}" for source in known.values()}
    for code in codes:
        if code not in names:
            raise CommandFailed(f"no source is of the region {code!r}: `fazhi sources` lists them", USAGE)
    return [names[code] for code in codes]


def _run(given: dict[str, Any]) -> None:
    from connectors.errors import ContractBroken
    from fazhi.console import print_report
    from fazhi.report import RunReport
    from flows.backfill import run_backfill
    from tasks.plan import Plan
    from tasks.reparse_report import markdown

    try:
        done = run_backfill(given)
    except ContractBroken as error:
        raise CommandFailed(str(error), USAGE) from error
    if isinstance(done, RunReport):
        print_report(done)
        if done.failed_sources:
            raise CommandFailed(done.failure_line(), INCOMPLETE)
    else:
        typer.echo(done.markdown() if isinstance(done, Plan) else markdown(done))
