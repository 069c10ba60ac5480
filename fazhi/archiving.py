"""`fazhi archive verify|stats|export|prune|replay`: look after the raw pages.

What the warehouse refers to is handed in."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fazhi.exits import INCOMPLETE, USAGE, CommandFailed
from fazhi.waiting import until_interrupted

if TYPE_CHECKING:
    from connectors.archive import Archive
    from connectors.archive.upkeep import Count
    from fazhi.settings import Settings

archive = typer.Typer(
    name="archive",
    no_args_is_help=True,
    help="The raw pages (WARC files): `verify`, `stats`, `export`, `prune`, `replay` (see --help).",
)

_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@archive.command()
def verify(as_json: _Json = False) -> None:
    """Read every record of every file, check its digest, and follow every reference of the warehouse.

    Exit code 1 when a record is damaged, a reference leads nowhere, or there is no page at all."""
    from connectors.archive.upkeep import verify as read_all
    from fazhi.house import read_references

    settings = _settings()
    verdict = read_all(_archive(settings), read_references(settings) or ())
    damaged = [str(one) for one in verdict.damaged]
    lost = [
        f"{ref.file}, offset {ref.offset}: the warehouse refers to it, and no good page is there"
        for ref in verdict.lost
    ]
    if as_json:
        counts = {name: getattr(verdict, name) for name in ("files", "pages", "n_bytes", "references")}
        typer.echo(json.dumps({**counts, "damaged": damaged, "lost": lost}, ensure_ascii=False))
    else:
        for line in (*damaged, *lost):
            typer.echo(line)
        typer.echo(
            f"{verdict.files:,} files, {verdict.pages:,} pages, {verdict.n_bytes:,} bytes; "
            f"{verdict.references:,} references of the warehouse followed"
        )
    if not verdict.is_good:
        what = f"{len(damaged)} damaged records and {len(lost)} references that lead nowhere"
        raise CommandFailed(
            f"the raw archive at {_place(settings)} has {what if verdict.pages else 'no page'}: restore its files from "
            "a backup; a page that is lost for good is fetched again by the next run",
            INCOMPLETE,
        )


@archive.command()
def stats(as_json: _Json = False) -> None:
    """Files, pages, bytes and compression of each source."""
    from connectors.archive.upkeep import Count, count
    from fazhi.showing import print_records

    settings = _settings()
    counts = count(_archive(settings))
    total = Count()
    for one in counts.values():
        total.files |= one.files
        total.pages += one.pages
        total.n_bytes += one.n_bytes
        total.stored += one.stored
    records = [_stats_row(name or "(not stated)", one) for name, one in counts.items()]
    if as_json:
        typer.echo(json.dumps({"sources": records, "total": _stats_row("total", total)}, ensure_ascii=False))
    elif records:
        print_records(f"raw pages at {_place(settings)}", [*records, _stats_row("total", total)])
    else:
        typer.echo(f"no raw page at {_place(settings)} yet")


@archive.command()
def export(
    to: Annotated[Path, typer.Option(help="WARC file to write; its name ends in .warc.gz.")],
    source: Annotated[list[str] | None, typer.Option(help="Only pages of this source (repeat for several).")] = None,
    url: Annotated[
        list[str] | None, typer.Option(help="Only addresses with this in them (repeat for several).")
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option("--from", help="Fetched on this day (UTC) or later.", formats=["%Y-%m-%d"], metavar="DATE"),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option("--until", help="Fetched before this day (UTC).", formats=["%Y-%m-%d"], metavar="DATE"),
    ] = None,
) -> None:
    """Copy the chosen raw pages, every version, into one WARC file for other tools (warcio, pywb).

    Damaged records are left out and named (exit code 1)."""
    from connectors.archive.upkeep import Cut
    from connectors.archive.upkeep import export as copy_out

    settings = _settings()
    if not to.name.endswith(".warc.gz"):
        raise CommandFailed(f"{to}: other tools know a compressed WARC file by its name, which ends in .warc.gz", USAGE)
    cut = Cut(tuple(source or ()), tuple(url or ()), _utc(since), _utc(until))
    try:
        pages, damaged = copy_out(_archive(settings), cut, to)
    except OSError as error:
        raise CommandFailed(f"cannot write {to}: {error.strerror or error}", USAGE) from error
    for one in damaged:
        typer.echo(str(one))
    if not pages:
        raise CommandFailed(f"no page at {_place(settings)} fits: `fazhi archive stats` lists the sources", INCOMPLETE)
    typer.echo(f"{pages:,} pages written to {to}")
    if damaged:
        raise CommandFailed(f"{len(damaged)} damaged records were left out: see `fazhi archive verify`", INCOMPLETE)


@archive.command()
def prune(
    days: Annotated[
        int | None, typer.Option(min=1, help="Keep every version fetched in the last so many days.")
    ] = None,
    versions: Annotated[int | None, typer.Option(min=1, help="Keep the newest so many versions of each page.")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Do it. Without this: only tell what would go.")] = False,
    as_json: _Json = False,
) -> None:
    """Take out old versions of pages: those that neither --days nor --versions keeps.

    The last version of each page stays, and so does every version that the warehouse refers to. Files that lose pages
    are written anew; references stay good. Files with damaged records are left alone."""
    from connectors.archive.retention import Policy, carry_out, plan_pruning
    from fazhi.house import read_references

    if days is None and versions is None:
        raise CommandFailed("say what to keep: --days, --versions or both", USAGE)
    settings = _settings()
    references = read_references(settings)
    if references is None:
        raise CommandFailed(
            f"no warehouse at {settings.shown_warehouse}: without it nobody can tell which raw pages are needed", USAGE
        )
    room = _archive(settings)
    plan = plan_pruning(room, Policy(days, versions), references, datetime.now(UTC))
    if apply:
        carry_out(room, plan)
    told = {
        "pages": plan.pages, "versions": plan.versions, "old": plan.n_old, "files": len(plan.old),
        "freed": plan.freed, "damaged": [str(one) for one in plan.damaged], "applied": apply,
    }  # fmt: skip
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    for one in plan.damaged:
        typer.echo(f"left alone: {one}")
    done = "taken out" if apply else "would go (a dry run: --apply does it)"
    typer.echo(
        f"{plan.versions:,} versions of {plan.pages:,} pages; {plan.n_old:,} in {len(plan.old):,} files {done}, "
        f"{plan.freed:,} bytes"
    )


@archive.command()
def replay(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")] = 8765,
) -> None:
    """Serve the newest version of each raw page on loopback until Ctrl-C: a gateway for FAZHI_REPLAY.

    So a lost warehouse is built anew without a request to any portal. Name another FAZHI_HOME for that run: its pages
    are archived anew, under the time of the replay."""
    from connectors.archive.serving import find_newest, serve_newest

    settings = _settings()
    with _archive(settings, only_reads=True) as room:
        newest = find_newest(room)
        for one in newest.damaged:
            typer.echo(f"left out: {one}", err=True)
        if not newest.pages:
            raise CommandFailed(f"no page in the raw archive at {_place(settings)}", INCOMPLETE)
        try:
            with serve_newest(room, newest, port) as address, until_interrupted() as stop:
                hosts = sorted({host for host, _ in newest.pages})
                typer.echo(f"ready {address}: {len(newest.pages):,} addresses of {len(hosts)} hosts")
                stop.wait()
        except OSError as error:
            told = f"port {port} on 127.0.0.1 cannot be used: {error.strerror or error}"
            raise CommandFailed(told, USAGE) from error


def _settings() -> Settings:
    from fazhi.cli import _settings as read

    return read()


def _place(settings: Settings) -> str:
    return str(settings.shown("archive") or settings.spool)


def _archive(settings: Settings, *, only_reads: bool = False) -> Archive:
    """The archive, which must be there. Raises CommandFailed."""
    from fazhi.house import open_archive

    if settings.archive is None and not settings.spool.is_dir():
        raise CommandFailed(f"no raw archive at {settings.spool} yet: run `fazhi nightly` first", USAGE)
    return open_archive(settings, only_reads=only_reads)


def _stats_row(name: str, one: Count) -> dict[str, Any]:
    return {
        "source": name, "files": len(one.files), "pages": one.pages, "bytes": one.n_bytes, "stored": one.stored,
        "ratio": round(one.ratio, 2),
    }  # fmt: skip


def _utc(day: datetime | None) -> datetime | None:
    return day.replace(tzinfo=UTC) if day is not None else None
