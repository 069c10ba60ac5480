"""How the rooms are put together from the settings: sources, warehouse, network, catalogue."""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.registry import Source, load_sources
from extraction.catalogue import Catalogue
from extraction.rules import Rules, read_catalogue
from fazhi.exits import USAGE, CommandFailed
from fazhi.logs import LOGGER
from fazhi.settings import ROOT, Settings

if TYPE_CHECKING:
    from connectors.archive import Archive, SnapshotRef
    from connectors.http.client import HttpSettings
    from warehouse.engine import Engine

HEARTBEAT = "PREFECT_FLOWS_HEARTBEAT_FREQUENCY"
HEARTBEAT_SECONDS = 60
"""Between two events by which a flow run tells that it lives; without them it is taken for crashed after five minutes
(deployments/automations/run-lost.yaml)."""

_MIB = 1 << 20
_REPLAY_CONTACT = "https://fazhi.example/contact"
"""Shown to a replay gateway only; `.example` belongs to nobody (RFC 2606)."""


def read_settings() -> Settings:
    """The settings in force. Raises CommandFailed or pydantic's ValidationError."""
    try:
        return Settings()
    except UnicodeDecodeError as error:
        raise CommandFailed(
            f".env in this folder is not UTF-8 (byte {error.start}): convert it first", USAGE
        ) from error


def load_all_sources(settings: Settings) -> dict[str, Source]:
    """The project's sources and those of FAZHI_SOURCES. Raises ContractBroken with one line."""
    if settings.sources is not None and not settings.sources.is_dir():
        raise CommandFailed(f"FAZHI_SOURCES: {settings.sources} is not a folder", USAGE)
    return load_sources(source_folders(settings))


def source_folders(settings: Settings) -> list[Path]:
    """Where source files lie, each with its `fixtures/` beside them."""
    own = ROOT / "connectors" / "sources"
    return [own] if settings.sources is None else [own, settings.sources]


def catalog_folder() -> Path:
    """FAZHI_CATALOG, or the project's own catalog/."""
    chosen = read_settings().catalog
    if chosen is None:
        return ROOT / "catalog"
    if not chosen.is_dir():
        raise CommandFailed(f"FAZHI_CATALOG: {chosen} is not a folder", USAGE)
    return chosen


def load_catalog() -> tuple[Catalogue, Rules]:
    """The metric catalogue and its rules, read once a process. Raises CatalogueError or RulesError with one line."""
    return read_catalogue(catalog_folder().resolve())


def http_settings(settings: Settings) -> HttpSettings:
    """The network room's settings. Raises CommandFailed on the live network without a contact."""
    from connectors.http.client import HttpSettings

    if settings.replay is None and not settings.contact:
        raise CommandFailed(
            "crawling live portals needs FAZHI_CONTACT: a URL where their operators can find out who you are "
            "and reach you (it goes into the user agent)",
            USAGE,
        )
    contact = settings.contact or _REPLAY_CONTACT
    return HttpSettings(
        user_agent=f"fazhi/{version('fazhi')} (+{contact})",
        replay=settings.replay,
        pace_real=settings.pace == "real",
        timeout=settings.timeout,
        retries=settings.retries,
        backoff=settings.backoff,
        delay=settings.delay,
        max_page_bytes=int(settings.max_page_mb * _MIB),
        max_attachment_bytes=int(settings.max_attachment_mb * _MIB),
    )


def open_archive(settings: Settings, *, only_reads: bool = False) -> Archive:
    """The raw archive; unless it `only_reads`, with the files of dead writers sealed.

    Raises ContractBroken or ArchiveUnusable."""
    from connectors.archive import Archive

    where = settings.archive or settings.spool
    limit = settings.archive_limit_mb
    return Archive(
        where,
        spool=settings.spool,
        rotate_at=int(settings.archive_file_mb * _MIB),
        limit=None if limit is None else int(limit * _MIB),
        only_reads=only_reads,
    )


def read_references(settings: Settings) -> list[SnapshotRef] | None:
    """Raw pages that the warehouse refers to, in order; None where there is no warehouse."""
    from connectors.archive import SnapshotRef
    from warehouse.snapshots import referenced_snapshots

    engine = read_only_warehouse(settings)
    if engine is None:
        return None
    try:
        held = referenced_snapshots(engine)
    finally:
        engine.dispose()
    refs = (SnapshotRef(one.file, one.offset, one.length, one.sha256) for one in held)
    return sorted(refs, key=lambda ref: (ref.file, ref.offset))


def prepare_nightly(settings: Settings) -> None:
    """All that can be known to be wrong before a server starts or a page is asked for.

    Raises CommandFailed, WarehouseError or ArchiveUnusable (not writable), or GatewayUnreachable."""
    from connectors.http.replay import check_gateway
    from warehouse.engine import check_writable, open_warehouse

    http_settings(settings)
    load_catalog()
    if settings.replay is not None:
        check_gateway(settings.replay)
    open_archive(settings).check_writable()
    engine = open_warehouse(settings.warehouse_url)
    try:
        check_writable(engine)
    finally:
        engine.dispose()


def prepare_reparse(settings: Settings) -> None:
    """All that can be known to be wrong before a document is read again. Raises CommandFailed without a warehouse."""
    from warehouse.engine import exists

    load_catalog()
    if not exists(settings.warehouse_url):
        raise CommandFailed(f"no warehouse at {settings.shown_warehouse} yet: run `fazhi nightly` first", USAGE)


def prepare_prefect(settings: Settings) -> None:
    """Before Prefect is imported: its own files in the data folder, no calls home, and a quiet terminal. A server that
    this process starts has the settings of deployments/prefect-server.env, as those of compose and systemd have: with
    Prefect's defaults each task run costs it some 40 ms, with these 7.

    Whatever is set in the environment stays, so PREFECT_API_URL sends the run to a server of yours."""
    chosen = server_settings() | {
        "PREFECT_HOME": str((settings.home / "prefect").resolve()),
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",  # its default is missed on a loaded machine
        HEARTBEAT: str(HEARTBEAT_SECONDS),
        "PREFECT_LOGGING_LEVEL": "CRITICAL",  # failures are told by the report, in one line each
        # A server of this run alone is stopped amid a flush now and then, tells so with a trace, and flushes again.
        "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    }
    for name, value in chosen.items():
        os.environ.setdefault(name, value)
    for name in ("EventsWorker", "APILogWorker", "ConcurrencySlotAcquisitionWithLeaseService"):
        # Loggers outside Prefect's own tree: at exit they warn of items that are being sent just then.
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.getLogger(LOGGER).setLevel(logging.CRITICAL)  # likewise, unless FAZHI_LOG asks for its lines


def server_settings() -> dict[str, str]:
    """Those of deployments/prefect-server.env."""
    lines = (ROOT / "deployments" / "prefect-server.env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


@contextmanager
def only_nightly(settings: Settings, say: Callable[[str], None]) -> Iterator[None]:
    """One nightly at a time in a data folder; a second one waits, and says so.

    Two Prefect servers cannot make one database, and a second crawl of the same pages would find nothing new. Runs that
    a Prefect server starts do not come through here; they share lanes and frontier by the warehouse. The kernel lifts
    the lock of a killed run."""
    settings.home.mkdir(parents=True, exist_ok=True)
    with (settings.home / "nightly.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Waiting for another nightly in this data folder")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def read_only_warehouse(settings: Settings) -> Engine | None:
    """The warehouse for reading, or None where none exists yet (a look must not create one)."""
    from warehouse.engine import open_existing

    return open_existing(settings.warehouse_url)
