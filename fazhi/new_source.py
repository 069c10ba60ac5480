"""`fazhi new-source URL`: a portal examined, a source file proposed, its pages recorded, a preview printed."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fazhi.exits import INCOMPLETE, USAGE, CommandFailed

if TYPE_CHECKING:
    from connectors.onboarding.onboard import Findings
    from connectors.onboarding.proposal import Place, Proposal
    from fazhi.settings import Settings


def new_source(
    url: Annotated[str, typer.Argument(help="A portal's home page, its report column, a feed, or one report.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder for the source file, fixtures and test. Default: data/new-sources.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Write without asking.")] = False,
    name: Annotated[str | None, typer.Option("--id", help="The source's id instead of the proposed one.")] = None,
    budget: Annotated[int, typer.Option(min=5, max=500, help="Requests at most.")] = 80,
) -> None:
    """Examine a portal: recognise its CMS, find its report column, try it, and propose a source file."""
    from connectors.onboarding.onboard import NothingFound
    from connectors.onboarding.proposal import propose, write_proposal
    from fazhi.house import load_all_sources, read_settings

    settings = read_settings()
    folder = out or settings.home / "new-sources"
    if "://" not in url:
        url = f"http://{url}"
    taken = (frozenset(load_all_sources(settings)) | _files_of(folder)) - _ids_in(folder, url)
    try:
        found = _examine(url, settings, budget)
    except NothingFound as error:
        folder.mkdir(parents=True, exist_ok=True)
        _print_trace(error.findings)
        raise CommandFailed(str(error), INCOMPLETE) from None
    place = find_place(found)
    proposal = propose(found, place, taken, date.today(), name or "")
    print_preview(proposal)
    if not yes and not typer.confirm(f"Write {proposal.source_id}.yaml and fixtures into {folder}?", default=True):
        typer.echo("nothing written")
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        written = write_proposal(proposal, folder)
    except OSError as error:
        raise CommandFailed(f"cannot write into {folder}: {error.strerror or error}", USAGE) from error
    for path in written:
        typer.echo(f"written 已写入 {path}")
    typer.echo(f"next 下一步: FAZHI_SOURCES={folder} fazhi nightly --source {proposal.source_id}")


def _examine(url: str, settings: Settings, budget: int) -> Findings:
    """Through the lanes that every run of this warehouse shares, at the pace of a crawl."""
    from connectors.http.lanes import share_lanes
    from tasks.lanes import WarehouseBook
    from warehouse.crawl_state import open_crawl_state
    from warehouse.engine import open_warehouse

    engine = open_warehouse(settings.warehouse_url)
    state = open_crawl_state(engine)
    try:
        with share_lanes(WarehouseBook(state), settings.daily_budget):
            return asyncio.run(_ask(url, settings, budget))
    finally:
        state.dispose()
        engine.dispose()


async def _ask(url: str, settings: Settings, budget: int) -> Findings:
    from connectors.http.client import Client
    from connectors.onboarding.onboard import onboard
    from fazhi.house import http_settings

    async with Client(http_settings(settings)) as client:
        return await onboard(url, client, budget=budget, delay=settings.delay)


def _files_of(folder: Path) -> frozenset[str]:
    return frozenset(path.stem for path in folder.glob("*.yaml")) if folder.is_dir() else frozenset()


def _ids_in(folder: Path, url: str) -> frozenset[str]:
    """Ids of the folder's files for the same portal: examined again, it replaces its own file."""
    from connectors.onboarding.scout import base_of

    host = base_of(url)
    files = folder.glob("*.yaml") if folder.is_dir() else ()
    return frozenset(path.stem for path in files if host in path.read_text(encoding="utf-8", errors="replace"))


def find_place(found: Findings) -> Place:
    """The division of the portal: by its SiteIDCode, else by the name of the site. Never guessed in silence."""
    from connectors.onboarding.proposal import Place, find_site_name
    from warehouse.regions import load_gazetteer

    name = find_site_name(found)
    gazetteer = load_gazetteer()
    codes = [code[:6] for code in (found.search.site_codes if found.search else []) if code[:6].isdigit()]
    if codes:
        known = gazetteer.by_code.get(codes[0])
        doubt = "" if known else f"region {codes[0]} is the head of SiteIDCode, no listed division"
        return Place(codes[0], name, doubt)
    regions = [region for spans in gazetteer.by_code.values() for region in spans if region.name_zh in name]
    if not regions:
        return Place("000000", name, "the region is unknown: state region_code, and the id with it")
    last = max(name.rfind(region.name_zh) + len(region.name_zh) for region in regions)
    ends = [one for one in regions if name.rfind(one.name_zh) + len(one.name_zh) == last]
    above = [one for one in ends if any(part and part in name for part in (one.city_zh, one.province_zh))]
    chosen = (above or ends)[-1]
    same = {one.code for one in (above or ends)}
    doubt = f"region {chosen.code} by the name alone; also {', '.join(sorted(same - {chosen.code}))}" if same else ""
    return Place(chosen.code, name, doubt.removesuffix("; also "))


def print_preview(proposal: Proposal) -> None:
    """What was seen: family, column, rows, reports, the first lines of each body, and what is uncertain."""
    found = proposal.findings
    trial = found.trials[0]
    typer.echo(f"source 来源      {proposal.source_id}")
    for verdict in trial.column.verdicts[:3]:
        typer.echo(f"family 系统      {verdict.engine} ({verdict.points} points): {'; '.join(verdict.evidence[:4])}")
    typer.echo(f"engine 引擎      {trial.engine.name}")
    for one in found.trials:
        trail = " → ".join(one.column.trail) or "as given 所给地址"
        typer.echo(f"column 栏目      {one.column.got.url}  [{trail}]")
        typer.echo(f"list 列表        {len(one.rows)} rows 条; {one.end}")
    reports = [ref for one in found.trials for ref in one.reports(proposal.source)]
    typer.echo(f"reports 报告     {len(reports)}")
    for ref in reports[:12]:
        typer.echo(f"  {ref.listed_date or '????-??-??'}  {ref.title}")
    for detail in (detail for one in found.trials for detail in one.details):
        _print_detail(detail)
    for doubt in found.uncertain:
        typer.echo(f"uncertain 存疑   {doubt}")
    typer.echo(f"requests 请求    {len(found.scout.asked)} of {found.scout.budget}")


def _print_detail(detail: object) -> None:
    from connectors.onboarding.proposal import tell_detail
    from connectors.onboarding.trial import Detail

    assert isinstance(detail, Detail)
    typer.echo(f"read 试读        {detail.ref.url}\n  {tell_detail(detail)}")
    if detail.article is not None:
        typer.echo(f"  {detail.article.title}")
        for line in detail.article.body.text.split("\n")[:2]:
            typer.echo(f"  | {line[:76]}")


def _print_trace(found: Findings) -> None:
    """How far an examination came that found nothing."""
    search = found.search
    if search is None:
        return
    for verdict in sorted(search.verdicts.values(), key=lambda one: -one.points)[:3]:
        typer.echo(f"family 系统      {verdict.engine} ({verdict.points} points): {'; '.join(verdict.evidence[:4])}")
    for url in search.visited:
        typer.echo(f"read 已读        {url}")
    for trouble in search.scout.troubles:
        typer.echo(f"trouble 受阻     {trouble}")
