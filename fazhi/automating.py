"""`fazhi automations`: who is told when a run fails, a portal blocks, a layout changes or a night is missing."""

from __future__ import annotations

import asyncio
import os
from typing import Annotated

import typer

from fazhi.exits import OUTSIDE, USAGE, CommandFailed

automations = typer.Typer(
    name="automations",
    no_args_is_help=True,
    help="Notifications on a Prefect server: `apply` the files of deployments/automations, `remove` them (see --help).",
)


@automations.command()
def apply(
    webhook: Annotated[
        str | None,
        typer.Option(
            help="Address that is sent a JSON object for each notice, or an e-mail "
            "(mailtos://USER:PASSWORD@HOST:PORT?from=A&to=B); better as FAZHI_WEBHOOK than on the command line. "
            "The server keeps it encrypted.",
        ),
    ] = None,
    block: Annotated[
        str | None,
        typer.Option(help="Instead: a notification block of the server (e-mail, chat), as `type-slug/name`."),
    ] = None,
    missing_hours: Annotated[
        float, typer.Option(min=0.003, max=24 * 60, help="Hours without a completed nightly that are told.")
    ] = 26.0,
) -> None:
    """Put the files of deployments/automations into force on the server of PREFECT_API_URL. The same again changes
    nothing."""
    from connectors.errors import ContractBroken
    from fazhi.house import read_settings

    kept = read_settings().webhook
    if not block and not webhook and kept is not None:
        webhook = kept.get_secret_value()
    if bool(webhook) == bool(block):
        raise CommandFailed("say who is told: --webhook URL (or FAZHI_WEBHOOK), or --block type-slug/name", USAGE)
    if webhook and not webhook.startswith(("http://", "https://", "mailto://", "mailtos://")):
        raise CommandFailed("--webhook: an address that begins with http://, https://, mailto:// or mailtos://", USAGE)
    _prepare()
    from flows.automations import apply as put

    try:
        done = asyncio.run(put(webhook, block, missing_hours))
    except ContractBroken as error:
        raise CommandFailed(str(error), USAGE) from error
    for one in done:
        typer.echo(f"{one.outcome:<10} {one.name}")


@automations.command()
def remove() -> None:
    """Take away the automations that came from here; others stay."""
    _prepare()
    from flows.automations import remove_all

    for one in asyncio.run(remove_all()):
        typer.echo(f"{one.outcome:<10} {one.name}")


def _prepare() -> None:
    """Raises CommandFailed where no server is named, or none answers."""
    import urllib.request

    from fazhi.house import prepare_prefect, read_settings

    api = os.environ.get("PREFECT_API_URL")
    if not api:
        told = "PREFECT_API_URL is not set: the address of the server, e.g. http://127.0.0.1:4200/api (`fazhi serve`)"
        raise CommandFailed(told, USAGE)
    prepare_prefect(read_settings())
    try:
        with urllib.request.urlopen(f"{api}/health", timeout=10):
            pass
    except (OSError, ValueError) as error:
        raise CommandFailed(f"PREFECT_API_URL={api} does not answer ({error})", OUTSIDE) from error
