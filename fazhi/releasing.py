"""`fazhi release`: make a release, list them, compare two fact by fact."""

from __future__ import annotations

import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fazhi.exits import USAGE, CommandFailed

if TYPE_CHECKING:
    from fazhi.settings import Settings
    from warehouse.release_diff import Difference

release = typer.Typer(
    name="release",
    no_args_is_help=True,
    help="Releases, the published state as Parquet: `make`, `list`, `diff` (see --help).",
)
SHOWN = 200


@release.command()
def make() -> None:
    """Write the published state as a release, check it, and make it the current one."""
    from fazhi.house import read_only_warehouse
    from warehouse.release import make_release

    settings = _settings()
    engine = read_only_warehouse(settings)
    if engine is None:
        raise CommandFailed(f"no warehouse at {settings.shown_warehouse} yet: run `fazhi nightly` first", USAGE)
    made = make_release(engine, settings.releases, settings.keep_releases)
    if made.is_new:
        shared = f", {made.n_linked} of them as in the release before" if made.n_linked else ""
        typer.echo(
            f"{made.name}: {len(made.rows)} tables, {sum(made.rows.values()):,} rows, {made.n_files} files{shared}"
        )
    else:
        typer.echo(f"{made.name}: nothing has changed since this release was made; it is current")
    typer.echo(str(made.path))


@release.command(name="list")
def list_all() -> None:
    """List the releases, the newest first: name, last load, rows, size; * marks the current one."""
    from warehouse.release_read import current_release, list_releases

    settings = _settings()
    told = list_releases(settings.releases)
    if not told:
        raise CommandFailed(f"no release in {settings.releases} yet: run `fazhi release make`", USAGE)
    current = current_release(settings.releases)
    typer.echo(f"  {'name':<22}{'last load (UTC)':<20}{'rows':>14}{'MB':>10}")
    for one in reversed(told):
        mark = "*" if current is not None and one.name == current.name else " "
        load = one.last_load_at[:16].replace("T", " ")
        typer.echo(f"{mark} {one.name:<22}{load:<20}{one.rows:>14,}{one.bytes / 1e6:>10.1f}")


@release.command()
def diff(
    old: Annotated[
        str, typer.Argument(metavar="A", help="The older release: its name, a part of it, CURRENT or PREVIOUS.")
    ] = "PREVIOUS",
    new: Annotated[str, typer.Argument(metavar="B", help="The newer one.")] = "CURRENT",
    as_json: Annotated[bool, typer.Option("--json", help="Everything, as one JSON object.")] = False,
    limit: Annotated[int, typer.Option(min=0, help="Most facts and documents to print; 0: all of them.")] = SHOWN,
) -> None:
    """Compare two releases fact by fact: documents and chosen values that were added, removed or changed."""
    from warehouse.release_diff import Difference, write_json
    from warehouse.release_read import find_release

    folder = _settings().releases
    with Difference(find_release(folder, old), find_release(folder, new)) as found:
        if as_json:
            for piece in write_json(found):
                sys.stdout.write(piece)
        else:
            _print_difference(found, limit)


def _print_difference(found: Difference, limit: int) -> None:
    typer.echo(f"{found.old.name} -> {found.new.name}")
    summary, schema = found.summary(), found.schema()
    for what, kinds in summary.items():
        typer.echo(f"{what:<11}{', '.join(f'{count:,} {kind}' for kind, count in kinds.items()) or 'no difference'}")
    typer.echo(f"{'schema':<11}{f'{len(schema)} differences' if schema else 'no difference'}")
    for table, counts in found.tables().items():
        if any(counts.values()):
            typer.echo(f"  {table}: " + ", ".join(f"{count:,} {kind}" for kind, count in counts.items() if count))
    for line in schema:
        typer.echo(f"  {line}")
    for title, rows, show in (
        ("documents", found.documents(), _document_line),
        ("values", found.values(), _value_lines),
    ):
        total = sum(summary[title].values())
        if total:
            typer.echo(f"\n{title}")
        for i, row in enumerate(rows):
            if limit and i == limit:
                typer.echo(f"… {total - limit:,} more: --limit 0 or --json prints them all")
                break
            typer.echo(show(row))


def _document_line(row: dict[str, Any]) -> str:
    columns = f" ({row['columns']})" if row["change"] == "updated" else ""
    return f"  {row['change']:<8} {row['document_id']}  {row['title'] or ''}{columns}"


def _value_lines(row: dict[str, Any]) -> str:
    place = row["region_zh"] + (f" {row['agency_zh']}" if row["agency_zh"] else "")
    part = "".join(f" [{row[name]}]" for name in ("scope", "dimension") if row[name])
    basis = " cumulative" if row["basis"] == "cumulative" else ""
    before, after = (_shown(row, side) for side in ("old", "new"))
    change = {"added": after, "removed": before}.get(row["change"], f"{before} -> {after}")
    head = f"  {row['change']:<8} {row['region_code']} {place} {row['period_id']} {row['metric_code']}"
    quote = row["old_quote"] if row["change"] == "removed" else row["new_quote"]
    return f"{head} {row['metric_zh']}{part}{basis}: {change}\n           「{quote}」"


def _shown(row: dict[str, Any], side: str) -> str:
    marks = [row[f"{side}_chosen_by"], "disputed" if row[f"{side}_is_disputed"] else ""]
    return f"{_number(row[f'{side}_value_num'])} {row[f'{side}_unit_code']} ({', '.join(filter(None, marks))})"


def _number(value: Decimal | None) -> str:
    return "" if value is None else f"{value.normalize():f}"


def _settings() -> Settings:
    from fazhi.cli import _settings

    return _settings()
