"""From one address to a tried column: recognise, search, try. Raises NothingFound with what is missing."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from connectors.engines.feed import is_feed
from connectors.errors import SourceError
from connectors.http.client import Client
from connectors.onboarding.columns import (
    TRUNCATED_TITLES,
    Column,
    Search,
    count_reports,
    is_front,
    probe_source_of,
    report_keys,
)
from connectors.onboarding.links import STRONG, Link, find_crumbs
from connectors.onboarding.scout import Got, Scout, base_of
from connectors.onboarding.trial import Trial, choose_engine, try_column
from connectors.registry import REPORT_TITLES, Source, report_year
from connectors.urls import canonical, named_host

_TRUNCATED = re.compile(TRUNCATED_TITLES)
_PLAIN_REPORT = re.compile(r"(?:19|20)\d{2}\s?年.{0,40}(?:报告|年报|总结)\Z")
PLAIN_TITLES = r"(?:19|20)\d{2}年.{0,40}(?:报告|年报|总结)\Z"
_SITE_MAPS = ("/sitemap.html", "/wzdt/", "/wzdt/index.html", "/sitemap.xml")


class NothingFound(SourceError):
    """No report column was found, or none that can be read; the message says how far it went and what is missing."""

    def __init__(self, message: str, findings: Findings) -> None:
        super().__init__(message)
        self.findings = findings


@dataclass(slots=True)
class Findings:
    """All that an examination showed."""

    url: str
    home: Got | None = None
    search: Search | None = None
    trials: list[Trial] = field(default_factory=list)
    titles: tuple[str, ...] = ()
    """Further title patterns that this portal's lists need."""
    uncertain: list[str] = field(default_factory=list)

    @property
    def scout(self) -> Scout:
        assert self.search is not None
        return self.search.scout


async def onboard(url: str, client: Client, *, budget: int, delay: float) -> Findings:
    """Examine a portal from its home page, a column page, a feed or a single report.

    Raises NothingFound, Refused for what is no address, and GatewayUnreachable."""
    url = canonical(url)
    scout = Scout(client, base_of(url), budget, delay)
    found = Findings(url, search=Search(scout))
    first = await _first_page(scout, url)
    if first is None:
        raise NothingFound(f"{url} cannot be had: {scout.closed or scout.troubles[-1]}", found)
    if not scout.is_own(first.url):
        scout.base = base_of(first.url)  # the portal lives under another name
    search = found.search = Search(scout)
    await search.run(first)
    if first.page.kind == "feed":
        await _leave_feed(search)
    if not search.has_found():
        await _try_site_maps(search, url)
    if not search.has_found():
        await search.follow(least=1)
    found.home = first if is_front(first) else None
    columns = search.best()
    if not columns:
        raise NothingFound(_tell_missing(search, url), found)
    found.titles = _further_titles(columns)
    wanted = _wanted(scout, found.titles)
    for number, column in enumerate(columns):
        tried = {key for trial in found.trials for key in trial.rows}
        has_some = any(trial.reports(wanted) for trial in found.trials)
        if has_some and report_keys(column) <= tried:
            continue
        if has_some and scout.left() < 5:
            found.uncertain.append(f"{column.got.url} lists reports as well; the budget did not suffice to try it")
            continue
        trial = await try_column(column, scout, wanted, n_details=3 if number == 0 else 1)
        choose_engine(trial, scout)
        found.trials.append(trial)
    _settle(found, wanted)
    if not search.site_names and found.home is None and scout.left() > 0:
        found.home = await scout.get(f"{url.partition('://')[0]}://{named_host(url)}/")  # for the name of the place
    return found


async def _first_page(scout: Scout, url: str) -> Got | None:
    """The given page; where it cannot be had, the same over the other scheme, for some portals know only one."""
    first = await scout.get(url)
    if first is None and not scout.closed:
        scheme, _, rest = url.partition("://")
        other = f"{'https' if scheme == 'http' else 'http'}://{rest}"
        scout.forget(url)
        first = await scout.get(other)
    return first


async def _leave_feed(search: Search) -> None:
    """From a feed to the column that it feeds: by the breadcrumb of one of its reports."""
    column = next((one for one in search.columns if is_feed(one.got.page)), None)
    if column is None:
        return
    named = [ref for ref in column.listing.refs if ref.title and report_year(ref.title)]
    ref = next(iter(named or column.listing.refs))
    got = await search.scout.get(ref.url, kind="page")
    if got is not None:
        search.add(find_crumbs(got.page), ("feed",))
        await search.follow()


async def _try_site_maps(search: Search, url: str) -> None:
    """What navigation does not lead to, a map of the site may."""
    scheme = url.partition("://")[0]
    links = [Link(f"{scheme}://{named_host(url)}{path}", "网站地图", 25) for path in ("/", *_SITE_MAPS)]
    search.add(links, ())
    await search.follow()


def _further_titles(columns: list[Column]) -> tuple[str, ...]:
    """Patterns for what the default ones do not take: titles cut short, and, in a column that is named as such,
    titles that name only year and report."""
    titles = [ref.title or "" for column in columns for ref in column.listing.refs]
    found = []
    if any(_TRUNCATED.search(title) for title in titles):
        found.append(TRUNCATED_TITLES)
    is_named = any(column.strength >= STRONG for column in columns)
    has_reports = any(count_reports(column.listing) for column in columns)
    if is_named and not has_reports and any(_PLAIN_REPORT.search(title) for title in titles):
        found.append(PLAIN_TITLES)
    return tuple(found)


def _wanted(scout: Scout, further: tuple[str, ...]) -> Source:
    source = probe_source_of(f"http://{scout.base}/", (scout.base,), "generic")
    return source.model_copy(update={"wanted": source.wanted.model_copy(update={"titles": (*REPORT_TITLES, *further)})})


def _settle(found: Findings, wanted: Source) -> None:
    """Keep the trials that show reports. Raises NothingFound where none does."""
    scout = found.scout
    kept = [trial for trial in found.trials if trial.reports(wanted)]
    if not kept:
        best = found.trials[0]
        raise NothingFound(
            f"the likeliest column of {found.url} is {best.column.got.url} ({len(best.rows)} rows, {best.end}), but no "
            f"title in it is one of a yearly report on the rule of law{_closed(scout)}{_missed(found.search)}",
            found,
        )
    engine = kept[0].engine
    found.trials = [kept[0], *(trial for trial in kept[1:] if trial.engine is engine)]
    for trial in kept[1:]:
        if trial.engine is not engine:
            found.uncertain.append(f"{trial.column.got.url} lists reports too, in the layout of {trial.engine.name}")
    if scout.closed:
        found.uncertain.append(scout.closed)


def _tell_missing(search: Search, url: str) -> str:
    scout = search.scout
    families = sorted(search.verdicts.values(), key=lambda one: -one.points)
    family = (
        f"it looks like {families[0].engine} ({families[0].evidence[0]})" if families else "no family is recognised"
    )
    return (
        f"no report column found on {url}: {family}; {len(search.visited)} pages were read with {len(scout.asked)} "
        f"requests and none lists a yearly report{_closed(scout)}{_missed(search)}; give the address of the column "
        "or of one report"
    )


def _closed(scout: Scout) -> str:
    return f"; {scout.closed}" if scout.closed else ""


def _missed(search: Search | None) -> str:
    """What was named as the column and could not be read."""
    missed = search.missed[:3] if search else []
    return f"; named as the column but not read: {'; '.join(missed)}" if missed else ""
