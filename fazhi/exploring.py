"""`fazhi explore`: the web page over the releases, on loopback unless told otherwise."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from fazhi.exits import OUTSIDE, CommandFailed

if TYPE_CHECKING:
    from explorer.app import Options
    from fazhi.settings import Settings

PORT = 8710


def explore(
    host: Annotated[str, typer.Option(help="Address to listen on; behind a proxy leave it on loopback.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = PORT,
) -> None:
    """Serve the explorer: metrics, regions, and every report with its numbers marked. Follows the current release."""
    import uvicorn

    from explorer.app import create_app
    from fazhi.house import read_settings

    settings = read_settings()
    app = create_app(options_of(settings))
    listening = _listen(host, port)
    shown = f"[{host}]" if ":" in host else host
    typer.echo(f"The explorer is at http://{shown}:{listening.getsockname()[1]}/  (Ctrl-C ends it)")
    config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False, timeout_keep_alive=30)
    uvicorn.Server(config).run(sockets=[listening])


def options_of(settings: Settings) -> Options:
    """What the explorer is started with."""
    from explorer.app import Options
    from fazhi.house import catalog_folder

    token = settings.explore_token
    return Options(
        releases=settings.releases,
        cache=settings.home / "explorer",
        hosts=tuple(name.strip() for name in settings.explore_hosts.split(",") if name.strip()),
        token=token.get_secret_value() if token is not None else None,
        acknowledged=settings.acknowledged or catalog_folder() / "acknowledged.yml",
        runs=settings.runs,
        prefect_ui=settings.explore_prefect,
        read_page=_page_reader(settings),
    )


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise CommandFailed(
            f"cannot listen on {host}:{port}: {error.strerror or error}; choose another with --port", OUTSIDE
        ) from error


def _page_reader(settings: Settings) -> Callable[[str, int, int, str], bytes] | None:
    """Reads an archived page; None where there is no archive. What fails is told as OSError, one line."""
    if settings.archive is None and not settings.spool.is_dir():
        return None

    def read(file: str, offset: int, length: int, sha256: str) -> bytes:
        from connectors.archive import SnapshotRef
        from connectors.errors import SourceError
        from fazhi.house import open_archive

        try:
            return open_archive(settings, only_reads=True).load(SnapshotRef(file, offset, length, sha256)).body
        except SourceError as error:
            raise OSError(" ".join(str(error).split())) from error

    return read
