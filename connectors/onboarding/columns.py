"""Which page of a portal lists the reports: pages are read as lists by every family, and the best one is kept."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connectors.base import Listing
from connectors.engines import FAMILIES
from connectors.engines.family import parse_page
from connectors.engines.marks import Verdict, recognise
from connectors.engines.meta import read_meta, tidy
from connectors.engines.rows import find_addresses
from connectors.errors import SourceError
from connectors.onboarding.links import STRONG, Link, find_crumbs, find_links, score_words
from connectors.onboarding.scout import Got, Scout
from connectors.registry import Source, is_report_title, report_year
from connectors.urls import document_key, named_host
from extraction.clean import parse_html
from extraction.passes import find_parts

if TYPE_CHECKING:
    from connectors.base import Page
    from connectors.engines.family import FamilyEngine

_SEARCH_ON = 5
"""Further pages looked at once a column has been found: a better one may stand beside it."""
_MAX_DEPTH = 6
_MAX_STARTS = 3
_MAX_NAMED = 2
_FEW_ROWS = 3
"""Fewer are no list to walk in hope."""


@dataclass(slots=True)
class Column:
    """A page read as a list by the family that reads it best."""

    got: Got
    trail: tuple[str, ...]
    engine: FamilyEngine
    listing: Listing
    verdicts: tuple[Verdict, ...]
    strength: int
    """How plainly the page is named as the column: by the link to it, its title, its metas."""
    n_reports: int
    is_given: bool = False
    """The address that the person gave."""
    behind: Got | None = None
    """Where the page itself has no row: what the first list call that it names answered, which is `listing`."""
    calls: tuple[str, ...] = ()
    """The further calls that such a page names."""

    @property
    def rank(self) -> tuple[bool, bool, bool, int, int, int]:
        is_named = self.strength >= STRONG or (self.is_given and not is_front(self.got))
        return (
            is_named and self.n_reports > 0,
            self.n_reports > 0,
            is_named,
            self.n_reports,
            self.strength,
            len(self.listing.refs),
        )


@dataclass(slots=True)
class Search:
    """Best first: what the words of a link promise, less a little for each step away from the start."""

    scout: Scout
    columns: list[Column] = field(default_factory=list)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    visited: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    """Links and pages named as the column that could not be had, or not be read, with the reason."""
    site_names: list[str] = field(default_factory=list)
    site_codes: list[str] = field(default_factory=list)
    _queue: list[tuple[int, int, Link, tuple[str, ...]]] = field(default_factory=list)
    _queued: set[str] = field(default_factory=set)

    def add(self, links: list[Link], trail: tuple[str, ...]) -> None:
        for link in links:
            key = document_key(link.url)
            if key in self._queued or not self.scout.is_own(link.url) or len(trail) >= _MAX_DEPTH:
                continue
            self._queued.add(key)
            heapq.heappush(self._queue, (4 * len(trail) - link.score, len(self._queued), link, trail))

    async def run(self, first: Got) -> None:
        """Search from a page that was given. Ends at a column that is named as such and lists reports, after a few
        pages more, or with the budget."""
        is_article = first.page.kind == "html" and is_report_page(first.page)
        await self._look(first, (), 0, is_given=not is_article)
        if any(column.n_reports for column in self.columns if is_plain_column(column)):
            return
        if is_article:
            self.add(find_crumbs(first.page), ("面包屑 breadcrumb",))
        await self.follow()

    async def follow(self, least: int = 2) -> None:
        """Visit what is queued, best first; links of a lower score than `least` stay in the queue."""
        rest, waiting = _SEARCH_ON, []
        while self._queue and self.scout.left() > 0:
            item = heapq.heappop(self._queue)
            _, _, link, trail = item
            if link.score < least:
                waiting.append(item)
                continue
            if self.has_found():
                rest -= 1
                if rest < 0 or link.score < STRONG - 10:
                    break
            got = await self.scout.get(link.url)
            if got is not None and got.url in self.visited:
                continue
            if got is None:
                if link.score >= STRONG and link.text:
                    self.missed.append(f"{link.text} ({link.url}): {self._why(link.url)}")
            else:
                await self._look(got, (*trail, link.text or link.url), link.score)
        for item in waiting:
            heapq.heappush(self._queue, item)

    def _why(self, url: str) -> str:
        said = [trouble for trouble in self.scout.troubles if url in trouble]
        return said[-1] if said else self.scout.closed or "not had"

    def has_found(self) -> bool:
        return any(column.rank[0] for column in self.columns)

    def best(self) -> list[Column]:
        """The column, and further ones that list reports which it does not. Empty where there is none."""
        chosen: list[Column] = []
        seen: set[str] = set()
        for column in sorted(self.columns, key=lambda one: one.rank, reverse=True):
            keys = report_keys(column)
            if not chosen or (column.rank[0] and chosen[0].rank[0] and not keys <= seen):
                chosen.append(column)
                seen |= keys
            if len(chosen) == _MAX_STARTS:
                break
        if not chosen or not chosen[0].rank[0]:
            # Its reports may stand on later pages: a column that is named as such comes before a box of latest news.
            named = [column for column in self.columns if column.strength >= STRONG and column not in chosen]
            named = [column for column in named if len(column.listing.refs) >= _FEW_ROWS]
            chosen = sorted(named, key=lambda one: one.rank, reverse=True)[:_MAX_NAMED] + chosen
        return chosen

    async def _look(self, got: Got, trail: tuple[str, ...], strength: int, is_given: bool = False) -> None:
        self.visited.append(got.url)
        meta = read_meta(find_parts(parse_html(got.page.text))) if got.page.kind == "html" else {}
        self.site_names += [meta[name] for name in ("sitename",) if name in meta]
        self.site_codes += [meta[name] for name in ("siteidcode",) if name in meta]
        column = await self._judge(got, trail, strength, meta.get("columnname", ""), is_given)
        if column is not None:
            self.columns.append(column)
        elif strength >= STRONG and not self.has_found():
            self.missed.append(
                f"{trail[-1]} ({got.url}): no family reads a row there; its list may be filled by script"
            )
        if got.page.kind == "html":
            self.add(find_links(got.page, strength if strength >= STRONG else 0), trail)

    async def _judge(
        self, got: Got, trail: tuple[str, ...], strength: int, named: str, is_given: bool
    ) -> Column | None:
        """The page as its best family reads it; None where none finds a row, also one call further on."""
        verdicts = recognise(got.page, FAMILIES)
        for verdict in verdicts:
            if verdict.engine not in self.verdicts or self.verdicts[verdict.engine].points < verdict.points:
                self.verdicts[verdict.engine] = verdict
        best: Column | None = None
        worth = (0, 0, 0)
        title = "" if is_front(got) else _page_title(got.page)
        words = (named, title.split("_")[0].split("-")[0]) if title else ()
        strength = 0 if is_front(got) else max(strength, *(score_words(word) for word in words), 0)
        for engine, listing in read_as_list(got, self.scout, verdicts):
            behind = None if listing.refs else await self._read_behind(engine, listing)
            rows = listing if behind is None else behind[1]
            points = next((one.points for one in verdicts if one.engine == engine.name), 0)
            n_reports = count_reports(rows)
            if rows.refs and (n_reports, points, len(rows.refs)) > worth:
                worth = (n_reports, points, len(rows.refs))
                best = Column(got, trail, engine, rows, verdicts, strength, n_reports, is_given)
                if behind is not None:
                    best.behind, best.calls = behind[0], listing.more[1:]
        return best

    async def _read_behind(self, engine: FamilyEngine, listing: Listing) -> tuple[Got, Listing] | None:
        """What the first list call that a page without rows names answers."""
        got = await self.scout.get(listing.more[0])
        if got is None:
            return None
        try:
            return got, engine.discover(got.page, probe_source(got, self.scout, engine.name))
        except SourceError:
            return None  # it is no list of this family: another one may know it


def is_front(got: Got) -> bool:
    """Whether a page is the portal's home: its boxes list a little of everything."""
    path = got.url.partition("://")[2].partition("/")[2].partition("?")[0]
    return path.lower() in ("", "index.html", "index.htm", "index.shtml", "default.html", "index.jsp", "index.php")


def is_plain_column(column: Column) -> bool:
    """Whether the given page itself is the column, so that no search is needed."""
    return column.is_given and not is_front(column.got)


def is_report_page(page: Page) -> bool:
    """Whether a page is an article, most likely: by its metas or its title."""
    root = parse_html(page.text)
    meta = read_meta(find_parts(root))
    if "articletitle" in meta or "pubdate" in meta:
        return True
    title = _page_title(page)
    heads = [tidy(node.text_content()) for node in root.iter("h1", "h2", "h3") if next(node.iter("a"), None) is None]
    said = (*heads, title, title.split("_")[0].split("-")[0])
    return any(is_report_title(_ANY, text) and report_year(text) is not None for text in said if text)


def read_as_list(got: Got, scout: Scout, verdicts: tuple[Verdict, ...]) -> list[tuple[FamilyEngine, Listing]]:
    """What each family makes of a page: those that the page bears signs of, then the generic one."""
    names = [verdict.engine for verdict in verdicts] + ["generic"]
    if got.page.kind == "feed":
        names.append("feed")
    found = []
    for engine in FAMILIES:
        if engine.name not in names and not (got.page.text.lstrip()[:1] in "{[" and engine.name != "generic"):
            continue
        try:
            listing = engine.discover(got.page, probe_source(got, scout, engine.name))
        except SourceError:
            continue  # no list of this family
        if listing.refs or listing.more:
            found.append((engine, listing))
    return found


def count_reports(listing: Listing) -> int:
    return len({ref.url for ref in listing.refs if ref.title and is_report_title(_ANY, ref.title)})


def report_keys(column: Column) -> set[str]:
    return {document_key(ref.url) for ref in column.listing.refs if ref.title and is_report_title(_ANY, ref.title)}


def probe_source(got: Got, scout: Scout, engine: str) -> Source:
    """A source that stands for a page under examination: its hosts are the portal's own that the page links."""
    hosts = {named_host(got.url), scout.base, f"www.{scout.base}"}
    if got.page.kind == "html":
        hosts |= {named_host(url) for url in find_addresses(parse_page(got.page), got.url) if scout.is_own(url)}
    return probe_source_of(got.url, tuple(sorted(hosts)), engine)


def probe_source_of(url: str, hosts: tuple[str, ...], engine: str) -> Source:
    return Source.model_validate(
        {
            "id": "000000_probe",
            "name_zh": "",
            "name_en": "",
            "region_code": "000000",
            "engine": engine,
            "start": [{"url": url}],
            "hosts": hosts,
            "assertions": {"min_list_rows": 1, "report_years": [2000]},
        }
    )


TRUNCATED_TITLES = r"(?:法治政府|依法行政|法治建设).{0,60}(?:…|\.{2,3})\Z"
"""Titles that a list cuts short; the page's own title decides."""


def _any_source() -> Source:
    source = probe_source_of("http://portal.example/", ("portal.example",), "generic")
    titles = (*source.wanted.titles, TRUNCATED_TITLES)
    return source.model_copy(update={"wanted": source.wanted.model_copy(update={"titles": titles})})


_ANY = _any_source()


def _page_title(page: Page) -> str:
    return next((tidy(node.text_content()) for node in parse_html(page.text).iter("title")), "")
