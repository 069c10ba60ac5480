"""The backfill: a cut of the sources' pages, fetched or read anew, from a form of the UI or `fazhi backfill`.

The form is flat and typed. What the server can check by itself (known ids, bounds, dates) it refuses before a run is
made; what only two fields together say is refused here, before anything is asked or written.
"""

from __future__ import annotations

import asyncio
from datetime import date
from enum import StrEnum
from typing import Annotated, Any

from prefect import flow
from prefect.artifacts import acreate_markdown_artifact, acreate_table_artifact
from prefect.exceptions import ParameterTypeError
from prefect.runtime import flow_run
from pydantic import Field

from connectors.errors import ContractBroken
from connectors.registry import Source, default_ids
from connectors.wish import Wish
from fazhi.house import load_all_sources, read_only_warehouse
from fazhi.report import RunReport
from fazhi.settings import Settings
from flows.nightly import NothingWorked, judge, run_night
from flows.own_server import end_server_with_us
from flows.reparse import reparse_documents
from flows.telling import now_said, sentence
from tasks.mass_change import Thresholds
from tasks.plan import Plan, Rate, plan_source
from tasks.reparse import ReparseResult, Selection
from tasks.reparse_report import headline, markdown, table
from tasks.watch import watch_run
from warehouse.asked import kept_gaps
from warehouse.health import expected_reports
from warehouse.lanes import learned_paces
from warehouse.read import load_pages

FIRST_YEAR, LAST_YEAR = 1990, 2100
FIRST_DAY, LAST_DAY = date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31)
MOST_PAGES = 100_000


class Mode(StrEnum):
    """What is done with the pages of the cut."""

    MISSING = "missing"
    REFETCH = "refetch"
    REPARSE = "reparse"


def _of_house() -> tuple[list[str], list[str]]:
    """Ids of all sources, and their regions as the form names them."""
    found = load_all_sources(Settings())
    regions = {source.region_code: source.name_zh for source in found.values()}
    return list(found), [f"{code} {name}" for code, name in sorted(regions.items())]


_IDS, _REGIONS = _of_house()
SourceId = StrEnum("SourceId", {name: name for name in _IDS})  # type: ignore[misc]
RegionName = StrEnum("RegionName", {name: name for name in _REGIONS})  # type: ignore[misc]


def _run_name() -> str:
    given = flow_run.parameters
    chosen = [str(one) for one in (*given.get("sources", ()), *given.get("regions", ()))]
    what = sentence(chosen) if chosen else "all sources"
    doing = "Plan of a backfill" if given.get("dry_run", True) else "Backfill"
    return f"{doing} of {now_said()}: {given.get('mode', 'missing')}, {what}"


@flow(name="backfill", flow_run_name=_run_name, validate_parameters=True)
async def backfill(
    sources: list[SourceId] = [],  # noqa: B006 - the form shows an empty list; nobody changes it
    regions: list[RegionName] = [],  # noqa: B006 - as above
    report_year_from: Annotated[int, Field(ge=FIRST_YEAR, le=LAST_YEAR)] = FIRST_YEAR,
    report_year_to: Annotated[int, Field(ge=FIRST_YEAR, le=LAST_YEAR)] = LAST_YEAR,
    published_from: date = FIRST_DAY,
    published_to: date = LAST_DAY,
    mode: Mode = Mode.MISSING,
    dry_run: bool = True,
    limit: Annotated[int, Field(ge=1, le=MOST_PAGES)] = 1000,
    accept_mass_change: str = "",
) -> RunReport | Plan | ReparseResult:
    """Fetch or read anew a cut of the sources' pages: by source or region, report year or day of publication.

    Args:
        sources: Sources. With none here and no region: all verified ones.
        regions: Regions: all sources of theirs, in addition to those above.
        report_year_from: First year that reports are about.
        report_year_to: Last year that reports are about.
        published_from: Published on this day or later, as the list says.
        published_to: Published on this day or earlier, as the list says.
        mode: missing: ask the lists, then pages that are not held. refetch: pages of the cut anew, in full. reparse:
            read again what is in the archive, without any request.
        dry_run: Only plan: pages, requests, hours, facts that would change. Nothing is asked or written.
        limit: Pages (reparse: documents) at most, of all sources together.
        accept_mass_change: The reason why figures may go or change in numbers; it is recorded. Without one such sources
            are held back.
    """
    years, published = _spans(report_year_from, report_year_to, published_from, published_to)
    settings = Settings()
    chosen = _choose(load_all_sources(settings), [str(one) for one in sources], [str(one) for one in regions])
    if mode is Mode.REPARSE:
        return await _reparse(settings, chosen, years, published, dry_run, limit, accept_mass_change)
    wish = Wish("missing" if mode is Mode.MISSING else "refetch", years=years, published=published)
    if dry_run:
        return await _show_plan(settings, chosen, wish, limit)
    with watch_run(settings, str(flow_run.id), chosen, kind="backfill") as watch:
        report = await run_night(settings, chosen, wish, watch, limit, accept_mass_change=accept_mass_change)
    return judge(report)


def _spans(
    year_from: int, year_to: int, day_from: date, day_to: date
) -> tuple[tuple[int, int] | None, tuple[date, date] | None]:
    """Years and days of the cut; None for a span that was left as it is. Raises ContractBroken with the field named."""
    if year_from > year_to:
        raise ContractBroken(f"report_year_from: {year_from} is after report_year_to ({year_to})")
    if day_from > day_to:
        raise ContractBroken(f"published_from: {day_from} is after published_to ({day_to})")
    years, days = (year_from, year_to), (day_from, day_to)
    return years if years != (FIRST_YEAR, LAST_YEAR) else None, days if days != (FIRST_DAY, LAST_DAY) else None


def _choose(found: dict[str, Source], ids: list[str], regions: list[str]) -> list[Source]:
    """Raises ContractBroken with the field named: the form may be older than the sources."""
    unknown = [name for name in ids if name not in found]
    if unknown:
        raise ContractBroken(f"sources: no source has the id {unknown[0]!r}; the ids are {', '.join(found)}")
    codes = {name.partition(" ")[0] for name in regions}
    of_regions = [source.id for source in found.values() if source.region_code in codes]
    missing = codes - {source.region_code for source in found.values()}
    if missing:
        raise ContractBroken(f"regions: no source is of the region {min(missing)}")
    wanted = dict.fromkeys((*ids, *of_regions)) or default_ids(found)
    return [found[name] for name in wanted]


async def _show_plan(settings: Settings, chosen: list[Source], wish: Wish, limit: int) -> Plan:
    """By what the warehouse knows; where there is none yet, nothing is known."""
    plan = await asyncio.to_thread(_plan, settings, chosen, wish, limit)
    await acreate_markdown_artifact(plan.markdown(), key="backfill-plan", description=plan.headline())
    rows = [one.row() for one in plan.sources]
    await acreate_table_artifact(rows, key="backfill-plan-sources", description="One row per source")
    return plan


def _plan(settings: Settings, chosen: list[Source], wish: Wish, limit: int) -> Plan:
    engine = read_only_warehouse(settings)
    if engine is None:
        rate = Rate(settings.delay, settings.daily_budget)
        plans = [plan_source(source, {}, (), wish, rate) for source in chosen]
        return Plan(wish.mode, limit, tuple(plans))
    try:
        gaps: dict[str, list[int]] = {}
        for row in expected_reports(engine):
            if not row["n_reports"]:
                gaps.setdefault(row["source_id"], []).append(int(row["year"]))
        rate = Rate(settings.delay, settings.daily_budget, learned_paces(engine))
        plans = [
            plan_source(
                source, load_pages(engine, source.id), gaps.get(source.id, ()), wish, rate, kept_gaps(engine, source.id)
            )
            for source in chosen
        ]
    finally:
        engine.dispose()
    return Plan(wish.mode, limit, tuple(plans))


async def _reparse(
    settings: Settings, chosen: list[Source], years: tuple[int, int] | None, published: tuple[date, date] | None,
    dry_run: bool, limit: int, accept_mass_change: str,
) -> ReparseResult:  # fmt: skip
    selection = Selection(
        sources=tuple(source.id for source in chosen),
        years=tuple(range(years[0], years[1] + 1)) if years is not None else (),
        published_from=published[0].isoformat() if published is not None else None,
        published_to=published[1].isoformat() if published is not None else None,
        limit=limit,
    )
    # In this thread, which has nothing else to do: a stop from the UI is a signal, and reaches no other.
    thresholds = Thresholds(accept_mass_change=accept_mass_change.strip())
    result = reparse_documents(settings, selection, dry_run=dry_run, thresholds=thresholds)
    await acreate_markdown_artifact(markdown(result), key="backfill-reparse", description=headline(result))
    await acreate_table_artifact(table(result), key="backfill-reparse-changes", description="By source and metric")
    return result


def run_backfill(given: dict[str, Any]) -> RunReport | Plan | ReparseResult:
    """The backfill from a command. Raises ContractBroken where what is given is no cut."""
    end_server_with_us()
    try:
        done: RunReport | Plan | ReparseResult = asyncio.run(backfill(**given))
    except NothingWorked as failed:
        return failed.report
    except ParameterTypeError as error:
        raise ContractBroken(" ".join(str(error).split())) from error
    return done
