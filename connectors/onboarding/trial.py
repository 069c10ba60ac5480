"""A column tried: its list walked as far as the budget goes, details of three years read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from connectors.base import Article, PageRef
from connectors.engines import FAMILIES
from connectors.errors import SourceError
from connectors.onboarding.columns import Column, count_reports, probe_source
from connectors.onboarding.scout import Got, Scout
from connectors.registry import Source, is_report_title, report_year
from connectors.urls import document_key, named_host

if TYPE_CHECKING:
    from connectors.engines.family import FamilyEngine

MAX_LIST_PAGES = 15
"""Pages of one list that are walked. What lies behind is the nightly's business."""
N_DETAILS = 3
_BARREN = 2


@dataclass(frozen=True, slots=True)
class Detail:
    """A detail page as it was read, or why it was not."""

    ref: PageRef
    got: Got | None
    article: Article | None
    problem: str = ""


@dataclass(slots=True)
class Trial:
    """What trying a column showed. `end` says how its list ended."""

    column: Column
    engine: FamilyEngine
    rows: dict[str, PageRef] = field(default_factory=dict)
    pages: list[Got] = field(default_factory=list)
    details: list[Detail] = field(default_factory=list)
    end: str = ""
    is_endless: bool = False
    stated: int | None = None

    def reports(self, source: Source) -> list[PageRef]:
        return [ref for ref in self.rows.values() if ref.title and is_report_title(source, ref.title)]

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(
            dict.fromkeys((named_host(self.column.got.url), *(named_host(ref.url) for ref in self.rows.values())))
        )


async def try_column(column: Column, scout: Scout, wanted: Source, *, n_details: int = N_DETAILS) -> Trial:
    """Details first: a portal that closes on us while its list is walked has shown them then."""
    trial = Trial(column, column.engine, stated=column.listing.stated_total)
    trial.pages += [got for got in (column.got, column.behind) if got is not None]
    _take(trial, column.listing.refs)
    if trial.reports(wanted):
        await _read_details(trial, scout, wanted, n_details)
    await _walk(trial, scout)
    if len(trial.details) < n_details:
        await _read_details(trial, scout, wanted, n_details)
    return trial


def _take(trial: Trial, refs: tuple[PageRef, ...]) -> int:
    """How many of the rows are new."""
    before = len(trial.rows)
    for ref in refs:
        key = document_key(ref.url)
        known = trial.rows.get(key)
        if known is None:
            trial.rows[key] = ref
        elif known.listed_date is None and ref.listed_date is not None:
            trial.rows[key] = replace(known, listed_date=ref.listed_date)
    return len(trial.rows) - before


async def _walk(trial: Trial, scout: Scout) -> None:
    """The list's further pages, until they bring nothing new, end, or are too many."""
    first, queue = trial.column.listing, [*trial.column.calls, *trial.column.listing.more]
    promised, barren, titles, grows = set(map(document_key, queue)), 0, _titles(first.refs), False
    while queue:
        if len(trial.pages) >= MAX_LIST_PAGES:
            trial.end = f"{len(trial.pages)} pages tried, further ones are named"
            trial.is_endless = grows  # the last page named yet another one: no counter bounds the list
            return
        url = queue.pop(0)
        got = await scout.get(url)
        if got is None:
            trial.end = f"page {len(trial.pages) + 1} could not be had: {scout.closed or scout.troubles[-1]}"
            if scout.closed:
                return
            barren += 1
        else:
            try:
                listing = trial.engine.discover(got.page, probe_source(got, scout, trial.engine.name))
            except SourceError as error:
                trial.end = f"page {len(trial.pages) + 1} is no list: {error}"
                return
            trial.pages.append(got)
            trial.stated = listing.stated_total if listing.stated_total is not None else trial.stated
            said = _titles(listing.refs)
            is_new = _take(trial, listing.refs) > 0 and (len(said) < 2 or not said <= titles)
            titles |= said
            barren = 0 if is_new else barren + 1
            grows = any(document_key(more) not in promised for more in listing.more)
            for more in listing.more:
                if document_key(more) not in promised:
                    promised.add(document_key(more))
                    queue.append(more)
        if barren >= _BARREN:
            trial.end = f"after {len(trial.pages)} pages nothing new came, whatever the pager promises"
            trial.is_endless = bool(queue)
            return
    trial.end = trial.end or f"the list ends after {len(trial.pages)} pages"


def _titles(refs: tuple[PageRef, ...]) -> set[str]:
    return {f"{ref.title} {ref.listed_date}" for ref in refs if ref.title}


async def _read_details(trial: Trial, scout: Scout, wanted: Source, n_details: int) -> None:
    """Reports of different years, newest, oldest and between; without any report, other rows."""
    known = {document_key(detail.ref.url) for detail in trial.details}
    refs = [ref for ref in trial.reports(wanted) if document_key(ref.url) not in known]
    refs = refs or [ref for ref in trial.rows.values() if document_key(ref.url) not in known][: n_details - len(known)]
    for ref in _spread(refs)[: n_details - len(known)]:
        got = await scout.get(ref.url, kind="page")
        if got is None:
            problem = scout.closed or (scout.troubles[-1] if scout.troubles else "not had")
            trial.details.append(Detail(ref, None, None, problem))
            if scout.closed:
                return
            continue
        trial.details.append(_read(trial.engine, scout, ref, got))


def _read(engine: FamilyEngine, scout: Scout, ref: PageRef, got: Got) -> Detail:
    page = replace(got.page, url=ref.url)
    try:
        article = engine.read(page, probe_source(got, scout, engine.name), ref)
    except SourceError as error:
        return Detail(ref, got, None, str(error))
    return Detail(ref, got, article)


def _spread(refs: list[PageRef]) -> list[PageRef]:
    """First, last and middle first: old pages often have another layout."""
    by_year: dict[int | None, PageRef] = {}
    for ref in refs:
        by_year.setdefault(report_year(ref.title or ""), ref)
    picked = list(by_year.values())
    if len(picked) > 2:
        picked = [picked[0], picked[-1], picked[len(picked) // 2], *picked[1:-1]]
    rest = [ref for ref in refs if ref not in picked]
    return list(dict.fromkeys([*picked, *rest]))


def choose_engine(trial: Trial, scout: Scout) -> None:
    """Where the family of the list cannot read its details, the family that can, provided it lists as many reports.

    A list that bears no sign of a family goes to the one whose shape all its addresses have, if that reads as much."""
    is_plain = not trial.engine.is_telling and bool(trial.rows)
    is_failed = any(detail.got is not None and not _is_read(detail) for detail in trial.details)
    got = trial.column.behind or trial.column.got
    for engine in FAMILIES if is_plain or is_failed else ():
        is_shaped = is_plain and engine.is_telling and all(engine.detail.search(ref.url) for ref in trial.rows.values())
        if engine is trial.engine or not (is_failed or is_shaped):
            continue
        try:
            listing = engine.discover(got.page, probe_source(got, scout, engine.name))
        except SourceError:
            continue  # no list of this family
        if count_reports(listing) < trial.column.n_reports or not listing.refs:
            continue
        details = [_read(engine, scout, one.ref, one.got) if one.got is not None else one for one in trial.details]
        gain = sum(map(_is_read, details)) - sum(map(_is_read, trial.details))
        if gain > 0 or (is_shaped and gain == 0):
            trial.engine, trial.details = engine, details
            is_plain = False


def _is_read(detail: Detail) -> bool:
    article = detail.article
    if article is None:
        return False
    return bool(article.title) and (len(article.body.text) >= 20 or bool(article.attachments))
