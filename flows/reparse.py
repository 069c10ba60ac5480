"""Read documents again from the archive with today's extraction, without network."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from typing import Annotated

from prefect import flow, get_run_logger
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.runtime import flow_run
from pydantic import Field

from connectors.errors import ContractBroken
from fazhi.house import load_all_sources, prepare_reparse
from fazhi.settings import Settings
from flows.telling import now_said, sentence
from tasks.events import Event, tell
from tasks.mass_change import HELD_BACK, Thresholds
from tasks.progress import reporter
from tasks.reparse import Progress, ReparseResult, Selection, run_reparse
from tasks.reparse_report import headline, markdown, table, write_record
from warehouse.engine import open_warehouse
from warehouse.release import make_release
from warehouse.run_records import now

Share = Annotated[float, Field(ge=0, le=1)]
DEFAULT = Thresholds()


def reparse_documents(
    settings: Settings, selection: Selection, *, dry_run: bool = False, processes: int | None = None,
    thresholds: Thresholds = DEFAULT, again: bool = False, progress: Progress = lambda done, what: None,
) -> ReparseResult:  # fmt: skip
    """Read the documents of a selection again, publish what differs, and release it. `processes` None: as many as there
    are cores. `again`: also those that today's extraction and catalogue have read already. A dry run writes nothing.

    Raises ContractBroken for a source that is not there, WarehouseError; what was published by then stays."""
    known = load_all_sources(settings)
    unknown = [name for name in selection.sources if name not in known]
    if unknown:
        raise ContractBroken(f"sources: no source has the id {unknown[0]!r}; `fazhi sources` lists them")
    prepare_reparse(settings)
    flow_run_id = str(flow_run.id) if flow_run.id else None
    run_id = flow_run_id or f"reparse-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
    started_at, began = now(), time.monotonic()
    result, problem = ReparseResult(run_id, dry_run), ""
    engine = open_warehouse(settings.warehouse_url)
    try:
        run_reparse(
            settings, engine, selection, result, processes=processes, thresholds=thresholds, again=again,
            progress=progress,
        )  # fmt: skip
        if not dry_run and result.total("n_published"):
            progress(result.total("n_documents"), "release")
            make_release(engine, settings.releases, settings.keep_releases)
    except BaseException as error:
        problem = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(": ")
        raise
    finally:
        engine.dispose()
        result.seconds = time.monotonic() - began
        if not dry_run:
            try:
                write_record(settings, result, known, started_at, flow_run_id, problem)
            except OSError as failed:  # a full disk costs the record, not the run
                result.find(f"no record of this run in {settings.runs}: {failed.strerror or failed}")
    if flow_run_id and not dry_run:
        _tell_stopped(result)
    return result


def _tell_stopped(result: ReparseResult) -> None:
    """An event for each source of which nothing is published, or one for the run."""
    stopped = {one.source_id: one.stopped for one in result.sources.values() if one.stopped}
    if result.stopped:
        stopped["all"] = result.stopped
    for name, why in stopped.items():
        one = result.sources.get(name)
        counts = dict((one if one is not None else result).counts)
        payload = {"source": name, "told": f"{name}: {HELD_BACK}: {why}", "in_run": len(stopped), "figures": counts}
        tell(Event.MASS_CHANGE, f"fazhi.source.{name}", payload)


def _run_name() -> str:
    given = flow_run.parameters
    chosen = given.get("sources")
    doing = "Plan of a reparse" if given.get("dry_run") else "Reparse"
    return f"{doing} of {now_said()}: {sentence(chosen) if chosen else 'all sources'}"


@flow(name="reparse", flow_run_name=_run_name, validate_parameters=True)
def reparse(
    sources: list[str] | None = None,
    years: list[Annotated[int, Field(ge=1990, le=2100)]] | None = None,
    published_from: date | None = None,
    published_to: date | None = None,
    limit: Annotated[int | None, Field(ge=1)] = None,
    dry_run: bool = False,
    again: bool = False,
    processes: Annotated[int | None, Field(ge=1, le=256)] = None,
    max_removed: Share = DEFAULT.removed,
    max_changed: Share = DEFAULT.changed,
    max_removed_of_all: Share = DEFAULT.all_removed,
    max_changed_of_all: Share = DEFAULT.all_changed,
    floor: Annotated[int, Field(ge=0)] = DEFAULT.floor,
    accept_mass_change: str = "",
) -> ReparseResult:
    """Read documents again from the archive with today's extraction, without network, and publish what differs.

    Args:
        sources: ids of the sources; empty means all.
        years: report years; empty means all.
        published_from: published on this day or later.
        published_to: published on this day or earlier.
        limit: documents at most.
        dry_run: show what would change, and write nothing.
        again: also documents that this extraction and catalogue have read already.
        processes: worker processes; empty means one for each core.
        max_removed: share of a source's figures; where more would be removed, nothing of the source is published.
        max_changed: the same for figures that would change.
        max_removed_of_all: share of the figures of all sources; where more would be removed, nothing is published.
        max_changed_of_all: the same for figures that would change.
        floor: so many figures may always be removed or changed, whatever their share.
        accept_mass_change: the reason why more is to be published all the same; it is recorded with the changes.
    """
    if published_from and published_to and published_from > published_to:
        raise ContractBroken(f"published_from: {published_from} is after published_to ({published_to})")
    selection = Selection(
        tuple(sources or ()), tuple(years or ()), published_from.isoformat() if published_from else None,
        published_to.isoformat() if published_to else None, limit,
    )  # fmt: skip
    thresholds = Thresholds(
        max_removed, max_changed, max_removed_of_all, max_changed_of_all, floor, accept_mass_change.strip()
    )
    reporter().say("Reading documents again from the archive")
    watching = reporter()
    result = reparse_documents(
        Settings(), selection, dry_run=dry_run, processes=processes, thresholds=thresholds, again=again,
        progress=lambda done, what: watching.update("documents", what, done, 0),
    )  # fmt: skip
    watching.finish("documents", "ok")
    get_run_logger().info(headline(result))
    create_markdown_artifact(markdown(result), key="reparse", description=headline(result))
    create_table_artifact(table(result), key="reparse-changes", description="Changed figures by source and metric")
    return result
