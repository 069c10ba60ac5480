"""`fazhi db`: which schema the warehouse has, bring it to this program's, compare it with what it should be,
copy it to another database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from fazhi.exits import INCOMPLETE, USAGE, CommandFailed

if TYPE_CHECKING:
    from fazhi.settings import Settings

db = typer.Typer(
    name="db", no_args_is_help=True, help="The warehouse's schema: `current`, `upgrade`, `check`, `copy` (see --help)."
)


@db.command()
def current() -> None:
    """Print the schema's revision, this program's, the engine, and the rows of each table."""
    from warehouse.upgrade import describe_warehouse

    settings = _existing()
    found = describe_warehouse(settings.warehouse_url)
    state = "up to date" if found.revision == found.head else "run `fazhi db upgrade`"
    if found.revision > found.head:
        state = "written by a newer version of this program"
    typer.echo(f"warehouse  {settings.shown_warehouse}")
    typer.echo(f"engine     {found.engine}")
    typer.echo(f"revision   {found.revision} (this program's: {found.head}; {state})")
    for table, count in sorted(found.rows.items()):
        typer.echo(f"{count:>12,}  {table}")


@db.command()
def upgrade() -> None:
    """Bring the schema to this program's revision: all of it, or nothing. Other writers wait."""
    from fazhi.cli import _settings
    from warehouse.upgrade import upgrade_warehouse

    settings = _settings()
    done = upgrade_warehouse(settings.warehouse_url)
    if done.before is None:
        typer.echo(f"{settings.shown_warehouse}: made new at revision {done.after}")
        return
    for step in done.steps:
        typer.echo(f"  {step}")
    what = f"from revision {done.before} to {done.after}" if done.steps else f"revision {done.after} already"
    typer.echo(f"{settings.shown_warehouse}: {what}; {sum(done.rows.values()):,} rows; views and comments made anew")


@db.command()
def check() -> None:
    """Compare the live schema with this program's: tables, views, constraints, references, reserved members."""
    from warehouse.compare import compare_schema

    settings = _existing()
    checks = compare_schema(settings.warehouse_url)
    for one in checks:
        typer.echo(f"{'ok  ' if one.holds else 'FAIL'} {one.name}: {one.n_checked} looked at")
        for difference in one.differences:
            typer.echo(f"     {difference}")
    failed = [one.name for one in checks if not one.holds]
    if failed:
        raise CommandFailed(f"{settings.shown_warehouse}: the schema differs ({', '.join(failed)})", INCOMPLETE)


@db.command()
def copy(
    to: Annotated[str, typer.Option(help="Address of an empty database, as in FAZHI_DATABASE_URL.")],
) -> None:
    """Copy the whole warehouse, history and log included, to another database: all of it, or nothing."""
    from warehouse.copying import copy_warehouse

    settings = _existing()
    done = copy_warehouse(settings.warehouse_url, to)
    for table, count in sorted(done.rows.items()):
        typer.echo(f"{count:>12,}  {table}")
    typer.echo(
        f"{settings.shown_warehouse}: {sum(done.rows.values()):,} rows copied, fingerprint {done.fingerprint[:16]} on "
        "both sides; set FAZHI_DATABASE_URL to the new address to use it"
    )


def _existing() -> Settings:
    from fazhi.cli import _settings
    from warehouse.engine import exists

    settings = _settings()
    if not exists(settings.warehouse_url):
        raise CommandFailed(
            f"no warehouse at {settings.shown_warehouse} yet: run `fazhi nightly` or `fazhi db upgrade`", USAGE
        )
    return settings
