"""A source's lists, walked: to their end, or as far as something may be new.

Where a list ends is told by what its pages hold, whatever the pager promises:

- A page whose rows are all those of an earlier page ends it: servers answer so beyond the last page. Rows are the
  same where they have the same address, or the same path, title and day under another query: a session mark or a
  counter makes new addresses of old rows.
- Two pages in a row that bring no new address end it: a calendar, a circle, links that lead round. One alone does not,
  for lists move on while they are read.
- A page without any row in mid-list is asked for once more, in full. Two in a row that stay empty end the list, but
  for a service that leads on to smaller ranges (TrueCMS answers empty where a range fails): that may go on for as
  many pages as it takes to halve a range of a thousand.
- While a list lacks rows that it says it has, it is read on for one page more.

On a list that was walked to its end some days ago the walk stops where `overlap_pages` pages in a row hold nothing
new, so entries put in late, with an older day, are found behind the newest; and only if the rows known make up the
total that the list states. What lies behind is taken from memory, and walked again every `whole_days` days.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from connectors.asking import ENDS_RUN, Asker
from connectors.base import Engine, Listing, Page, PageRef
from connectors.crawled import Answer, Failure, Known, Seen, hash_rows, read_as
from connectors.errors import EmptyShell, Gone, SoftGone, SourceChanged, SourceError
from connectors.urls import document_key, slash_key
from extraction.decode import decode

MAX_BARREN = 2
MAX_HALVINGS = 10
MAX_PAGES = 5000
"""Pages of one list. No evidence but the end of our patience: it is told as a finding."""

_NO_PAGE = Listing(())
"""What is read of an address that has no page."""


@dataclass(slots=True)
class _Walk:
    """One list while it is read."""

    start: str
    remembered: dict[str, Known]
    may_stop: bool
    """It was walked to its end lately."""
    queue: list[str] = field(default_factory=list)
    promised: set[str] = field(default_factory=set)
    """List pages that are, or were, in the queue."""
    n_asked: int = 0
    found: set[str] = field(default_factory=set)
    pages: set[frozenset[object]] = field(default_factory=set)
    """Rows of each page read, by address and by what they say."""
    stated: int | None = None
    barren: int = 0
    """Pages in a row that brought no new address."""
    familiar: int = 0
    """Pages in a row that brought nothing that memory lacks."""
    is_whole: bool = True

    def lacks_rows(self) -> bool:
        return self.stated is not None and len(self.found) < self.stated

    def add(self, urls: Sequence[str]) -> None:
        """Queue the list pages that are not there yet."""
        for url in urls:
            if self.leads_on((url,)):
                self.promised.add(document_key(url))
                self.queue.append(url)

    def leads_on(self, urls: Sequence[str]) -> bool:
        """Whether any of them was not promised before."""
        return any(document_key(url) not in self.promised for url in urls)

    def expects_more(self, here: str) -> bool:
        """Whether a page without rows is a surprise."""
        return here != self.start and (bool(self.queue) or self.lacks_rows())


@dataclass(frozen=True, slots=True)
class _Gain:
    """What a page of a list brought."""

    is_fresh: bool
    """An address that the walk had not met."""
    is_news: bool
    """An address, or a title, that memory lacks."""
    is_repeat: bool
    """The rows of an earlier page."""
    leads_on: bool
    """No row, but list pages that nobody had promised: a service names smaller ranges."""


class ListWalker:
    """Reads the lists of one source. `refs` are its rows, `feeds` what carries whole bodies."""

    def __init__(self, asker: Asker, engine: Engine) -> None:
        self.asker = asker
        self.engine = engine
        self.source = asker.source
        self.result = asker.result
        self.refs: dict[str, PageRef] = {}
        self.found_on: dict[str, str] = {}
        self.feeds: dict[str, tuple[Seen, Page]] = {}
        self._by_slashes = {slash_key(key): key for key, entry in asker.known.items() if entry.title}
        self._foreign: dict[str, int] = {}

    async def discover(self) -> None:
        """Read every list of the source. Raises the first error when no list could be read at all."""
        first_error: SourceError | None = None
        complete = False
        for start in self.source.start:
            try:
                await self._walk(start.url, start.kind)
                complete = True
            except ENDS_RUN:
                raise
            except SourceChanged as error:
                self.result.rejected += 1  # fetched and counted, but no list of its family
                self.result.failures.append(Failure(error.url or start.url, error.code, str(error)))
                first_error = first_error or error
            except SourceError as error:
                self.asker.fail(error.url or start.url, start.kind, error)
                first_error = first_error or error
        if not complete and first_error is not None:
            raise first_error
        for url, count in self._foreign.items():
            self.result.notes.append(f"{url}: {count} rows lead to hosts that the source does not list")
        self.result.listed = len(self.refs)

    async def _walk(self, url: str, kind: str) -> None:
        walk = self._begin(url)
        while walk.queue:
            here = walk.queue.pop(0)
            walk.n_asked += 1
            listing = await self._read(walk, here, kind)
            gain = self._take(walk, listing)
            walk.add(listing.more)
            if self._has_ended(walk, gain) or self._may_stop(walk, gain):
                break
        if walk.n_asked >= MAX_PAGES:
            walk.is_whole = False
            self.result.notes.append(f"{url}: cut after {MAX_PAGES} list pages, each with new rows")
        if walk.lacks_rows():
            self.result.notes.append(f"list shortfall: {url} states {walk.stated} rows, {len(walk.found)} were found")
        self._close(walk)

    def _begin(self, url: str) -> _Walk:
        known = self.asker.known_of(url)
        remembered = {
            key: entry
            for key, entry in self.asker.known.items()
            if entry.found_on == url and entry.kind == "page" and entry.title and not entry.is_gone
        }
        lists = self.source.lists
        walked_at = known.walked_at if known is not None else None
        is_recent = walked_at is not None and self.asker.run.now() - walked_at < timedelta(days=lists.whole_days)
        walk = _Walk(url, remembered, is_recent and bool(remembered))
        walk.add((url,))
        return walk

    async def _read(self, walk: _Walk, here: str, kind: str) -> Listing:
        """One page of the list, without rows where there is no such page. An empty one in mid-list is asked again.

        Raises SourceError where the list's first page cannot be had, or a later one for another reason."""
        listing = await self._ask_list(walk, here, kind, is_last=here == walk.start)
        is_sure = listing is not None and (listing.refs or listing.foreign or walk.leads_on(listing.more))
        if listing is not None and (is_sure or listing is _NO_PAGE or not walk.expects_more(here)):
            return listing
        again = await self._ask_list(walk, here, kind, is_last=True) or _NO_PAGE
        if not again.refs and again is not _NO_PAGE:
            self.result.notes.append(f"empty page in mid-list: {here}, also when asked again")
        return again

    async def _ask_list(self, walk: _Walk, here: str, kind: str, *, is_last: bool) -> Listing | None:
        """None where there is no such page, or only an empty frame. The latter counts when it comes a second time."""
        self.result.planned += 1
        try:
            answer = await self.asker.ask(here, kind, in_full=is_last and here != walk.start)
        except (Gone, SoftGone, EmptyShell) as error:
            if here == walk.start:
                raise
            if not is_last and not isinstance(error, Gone):
                self.result.planned -= 1
                return None
            walk.is_whole = False
            self.asker.fail(here, kind, error)  # an earlier page leads there, so the list is not whole
            return _NO_PAGE
        known = self.asker.known_of(here)
        try:
            listing = self._discover(here, kind, answer)
        except SourceChanged:
            self.asker.count(answer)
            raise
        self.result.count(read_as(answer.seen, hash_rows(listing), known))
        return listing

    def _discover(self, url: str, kind: str, answer: Answer) -> Listing:
        decoded = decode(answer.stored.body, answer.stored.content_type)
        page = Page(url, decoded, "feed" if kind == "feed" else "html")
        listing = self.engine.discover(page, self.source)
        for ref in listing.refs:
            if ref.inline_html is not None:
                self.feeds[document_key(ref.url)] = (answer.seen, page)
        if listing.foreign:
            self._foreign[url] = len(listing.foreign)
        return listing

    def _take(self, walk: _Walk, listing: Listing) -> _Gain:
        keys = [self._keep(ref) for ref in listing.refs]
        addresses = {*keys, *(document_key(url) for url in listing.foreign)}
        rows: list[frozenset[object]] = [frozenset(addresses)]
        said = frozenset((ref.url.partition("?")[0], ref.title, ref.listed_date) for ref in listing.refs if ref.title)
        if len(said) > 1 and len(said) == len(listing.refs):  # rows that all say the same are told apart by address
            rows.append(said)
        is_repeat = bool(keys) and any(page in walk.pages for page in rows)
        is_fresh = not is_repeat and not addresses <= walk.found
        is_news = False
        for key, ref in zip(keys, listing.refs, strict=True):
            known = walk.remembered.get(key)
            is_news |= known is None or is_retitled(known, ref)
            self.found_on.setdefault(key, walk.start)
        walk.pages.update(rows)
        walk.found |= addresses
        walk.stated = listing.stated_total if listing.stated_total is not None else walk.stated
        leads_on = not addresses and walk.leads_on(listing.more)
        return _Gain(is_fresh, is_news, is_repeat, leads_on)

    def _keep(self, ref: PageRef) -> str:
        """A page listed twice is one page, and a feed adds the body that it carries.

        `//` in a path may be a slip or may mean something. With the same title as the other spelling it is a slip."""
        key = document_key(ref.url)
        twin = self._by_slashes.setdefault(slash_key(key), key)
        if twin != key:
            other = self.refs.get(twin) or self.asker.known.get(twin)
            if other is not None and ref.title is not None and other.title == ref.title:
                key, ref = twin, replace(ref, url=other.url)
        before = self.refs.get(key)
        if before is None:
            self.refs[key] = ref
        else:
            self.refs[key] = replace(
                before,
                title=before.title or ref.title,
                listed_date=before.listed_date or ref.listed_date,
                inline_html=before.inline_html or ref.inline_html,
            )
        return key

    def _has_ended(self, walk: _Walk, gain: _Gain) -> bool:
        if walk.n_asked >= MAX_PAGES:
            return True
        if gain.is_fresh or walk.n_asked == 1:
            walk.barren = 0
            return False
        walk.barren += 1
        if gain.leads_on:
            return walk.barren > MAX_HALVINGS
        patience = MAX_BARREN + 1 if walk.lacks_rows() else 1 if gain.is_repeat else MAX_BARREN
        return walk.barren >= patience

    def _may_stop(self, walk: _Walk, gain: _Gain) -> bool:
        """Whether the rest of the list may be taken from memory; then it is."""
        walk.familiar = 0 if gain.is_news else walk.familiar + 1
        if not walk.may_stop or not walk.queue or walk.familiar < self.source.lists.overlap_pages:
            return False
        if walk.stated is not None and len(walk.found | walk.remembered.keys()) < walk.stated:
            return False
        walk.is_whole = False
        for key, entry in walk.remembered.items():
            if key not in walk.found:
                self._keep(PageRef(entry.url, entry.title, entry.listed_date))
                self.found_on.setdefault(key, walk.start)
                walk.found.add(key)
        return True

    def _close(self, walk: _Walk) -> None:
        """Note on the start page that its list was walked to the end, which a later walk may rely on."""
        if not walk.is_whole:
            return
        now = self.asker.run.now()
        for number, seen in enumerate(self.result.seen):
            if seen.url == walk.start:
                self.result.seen[number] = replace(seen, walked_at=now)


def is_retitled(known: Known | None, ref: PageRef) -> bool:
    """Whether a list gives a known page another title; blanks do not count."""
    if known is None or not known.title or not ref.title:
        return False
    return "".join(known.title.split()) != "".join(ref.title.split())


def listed_only(walker: ListWalker, wanted: Iterable[PageRef]) -> list[Known]:
    """Rows that nobody asks for, where they say something that memory lacks."""
    asked = {document_key(ref.url) for ref in wanted}
    rows = []
    for key, ref in walker.refs.items():
        known, start = walker.asker.known.get(key), walker.found_on.get(key)
        said = (ref.title, ref.listed_date, start)
        if key in asked or (known is not None and (known.title, known.listed_date, known.found_on) == said):
            continue
        rows.append(
            Known(ref.url, "page", is_asked=False, title=ref.title, listed_date=ref.listed_date, found_on=start)
        )
    return rows
