"""What a backfill would ask, by what the warehouse knows: pages, requests, hours at the polite rate. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from connectors.http.lanes import lane_name
from connectors.http.pace import Pace
from connectors.quiet import quiet_until
from connectors.registry import Source, is_report_title
from connectors.wish import Wish
from warehouse.batch import PageState

_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """One source's part of a plan."""

    source_id: str
    name: str
    hosts: tuple[str, ...]
    pages: int
    """Known ones within the cut that would be asked for."""
    lists: int
    """List pages and feeds of the last run."""
    requests: int
    """Pages, lists and robots.txt; redirects, retries and attachments come on top."""
    hours: float
    missing_years: tuple[int, ...]
    """Expected report years of the cut of which nothing is held."""
    notes: tuple[str, ...]

    def row(self) -> dict[str, Any]:
        """As the table shows it."""
        return {
            "source": self.source_id,
            "name": self.name,
            "pages": self.pages,
            "lists": self.lists,
            "requests": self.requests,
            "hours": round(self.hours, 2),
            "missing reports": ", ".join(map(str, self.missing_years)),
            "notes": "; ".join(self.notes),
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """Of all sources. Sources of one host wait for each other, the others do not."""

    mode: str
    limit: int
    sources: tuple[SourcePlan, ...]

    @property
    def pages(self) -> int:
        return min(self.limit, sum(one.pages for one in self.sources))

    @property
    def requests(self) -> int:
        """At most: the limit holds for pages."""
        return sum(one.requests for one in self.sources) - sum(one.pages for one in self.sources) + self.pages

    @property
    def hours(self) -> float:
        """Of the busiest host."""
        by_host: dict[str, float] = {}
        for one in self.sources:
            for host in one.hosts[:1]:
                by_host[host] = by_host.get(host, 0.0) + one.hours
        return max(by_host.values(), default=0.0)

    def headline(self) -> str:
        return (
            f"{self.mode}: {self.pages:,} pages 页, at most {self.requests:,} requests 请求, "
            f"{self.hours:,.2f} hours at the polite rate 小时; nothing was asked or written 未请求、未写入"
        )

    def markdown(self) -> str:
        lines = ["# Plan of a backfill 补抓计划", "", self.headline(), ""]
        lines += [f"- {one.source_id}: {note}" for one in self.sources for note in one.notes]
        lines += [
            f"- {one.source_id}: no report held of 缺报告: {', '.join(map(str, one.missing_years))}"
            for one in self.sources
            if one.missing_years
        ]
        lines += [
            "",
            "Pages are those that earlier runs have seen in lists; what a list shows anew comes on top. "
            "To carry it out, run the same form with `dry_run` off. 如需执行，请关闭 dry_run 后重新提交。",
        ]
        return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast hosts may be asked, whatever their sources say."""

    delay: float
    """Seconds: FAZHI_DELAY."""
    daily_budget: int
    paces: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Host -> (seconds of an answer, slowdown), as earlier runs have learned them."""

    def gap(self, source: Source, kept: Mapping[str, float]) -> float:
        """Seconds between two requests to the slowest of its hosts. `kept`: what the last run kept to, so that a host's
        Crawl-delay counts."""
        delay = max(self.delay, source.politeness.delay_seconds)
        learned = {lane_name(host): pace for host, pace in self.paces.items()}
        paces = ((host, Pace(*learned.get(lane_name(host.partition(":")[0]), (0.0, 1.0)))) for host in source.hosts)
        return max(max(pace.gap(delay), kept.get(host, 0.0)) for host, pace in paces)


def plan_source(
    source: Source,
    states: Mapping[str, PageState],
    gaps: Iterable[int],
    wish: Wish,
    rate: Rate,
    kept: Mapping[str, float] = MappingProxyType({}),
) -> SourcePlan:
    """`states`: what the warehouse remembers of its addresses; `gaps`: expected years without report; `kept`: host ->
    seconds between two requests of the last run."""
    rows = [state for state in states.values() if state.kind == "page" and state.state != "gone"]
    if not source.wanted.other_pages:
        rows = [state for state in rows if state.title and is_report_title(source, state.title)]
    said = [(state, wish.takes(state.title, state.listed_date)) for state in rows]
    taken = [state for state, is_taken in said if is_taken]
    if wish.mode == "missing":
        taken = [state for state in taken if state.snapshot is None]
    lists = sum(state.kind in ("list", "feed") for state in states.values())
    notes = []
    n_undated = sum(is_taken is None for _, is_taken in said)
    if n_undated:
        notes.append(f"{n_undated} pages are left out: neither title nor list says of when they are")
    if not states:
        notes.append("never crawled: its lists are not known yet")
    requests = len(taken) + max(lists, len(source.start)) + 1
    hours = requests * rate.gap(source, kept) / 3600
    budget = min(rate.daily_budget, source.politeness.daily_budget or rate.daily_budget)
    n_days = -(-requests // budget)
    if n_days > 1:
        notes.append(f"more than the {budget:,} requests a day: it takes {n_days} days")
    open_share = _open_share(source.politeness.quiet_hours)
    if open_share < 1:
        notes.append(f"quiet hours: asked {24 * open_share:g} hours a day")
        hours /= max(open_share, 1 / _MINUTES)
    hours = max(hours, 24.0 * (n_days - 1))
    years = tuple(year for year in gaps if wish.years is None or wish.years[0] <= year <= wish.years[1])
    name = f"{source.name_zh} {source.name_en}"
    hosts = tuple(sorted(source.hosts))
    return SourcePlan(source.id, name, hosts, len(taken), lists, requests, hours, years, tuple(notes))


def _open_share(spans: Sequence[str]) -> float:
    """The share of a day in which a source may be asked."""
    if not spans:
        return 1.0
    day = datetime(2026, 1, 1, tzinfo=UTC)
    return sum(quiet_until(spans, day + timedelta(minutes=n)) is None for n in range(_MINUTES)) / _MINUTES
