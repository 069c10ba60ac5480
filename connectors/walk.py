"""A source's lists, walked: to their end, or as far as something may be new.

Where a list ends, and how far a walk goes, is connectors/walked.py's matter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from connectors.asking import ENDS_RUN, Asker
from connectors.base import Engine, Listing, Page, PageRef
from connectors.crawled import Answer, Failure, Known, Seen, hash_rows, read_as
from connectors.errors import Blocked, Deferred, EmptyShell, Gone, SoftGone, SourceChanged, SourceError
from connectors.listings import Held, Listings
from connectors.urls import document_key, slash_key
from connectors.walked import ECHO_ROWS, MAX_PAGES, MAX_UNREAD, Gain, Walk
from extraction.decode import decode

_NO_PAGE = Listing(())
"""What is read of an address that has no page."""

_UNREAD = Listing(())
"""What is read of a page that could not be had tonight."""


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
        self._listings = Listings(self.source, asker.run.journal)

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
            if listing is _UNREAD:
                if self._is_in_trouble(walk):
                    break
                continue
            walk.unread = 0
            gain = self._take(walk, listing)
            walk.add(listing.more)
            if walk.has_ended(gain) or walk.may_stop(gain, self.source.lists.overlap_pages):
                break
        if walk.n_asked >= walk.max_pages and walk.queue:
            walk.is_whole = False
            self.result.notes.append(f"{url}: cut after {walk.n_asked} list pages, further ones are named")
        if not walk.is_whole:
            self._recall(walk)
        if walk.lacks_rows():
            self.result.notes.append(f"list shortfall: {url} states {walk.stated} rows, {len(walk.found)} were found")
        self._close(walk)

    def _begin(self, url: str) -> Walk:
        known = self.asker.known_of(url)
        remembered = {
            key: entry
            for key, entry in self.asker.known.items()
            if entry.found_on == url and entry.kind == "page" and entry.title and not entry.is_gone
        }
        lists = self.source.lists
        walked_at = known.walked_at if known is not None else None
        is_recent = walked_at is not None and self.asker.run.now() - walked_at < timedelta(days=lists.whole_days)
        walk = Walk(url, remembered, is_recent and bool(remembered), min(MAX_PAGES, lists.max_pages))
        walk.add((url,))
        return walk

    async def _read(self, walk: Walk, here: str, kind: str) -> Listing:
        """One page of the list, without rows where there is no such page. An empty one in mid-list is asked again.

        Raises SourceError where the list's first page cannot be had, or where no further one can be."""
        listing = await self._ask_list(walk, here, kind, is_last=here == walk.start)
        is_sure = listing is not None and (listing.refs or listing.foreign or walk.leads_on(listing.more))
        is_known = is_sure or listing is _NO_PAGE or listing is _UNREAD
        if listing is not None and (is_known or not walk.expects_more(here)):
            return listing
        again = await self._ask_list(walk, here, kind, is_last=True) or _NO_PAGE
        if not again.refs and again is not _NO_PAGE and again is not _UNREAD:
            walk.has_gap = True
            self.result.notes.append(f"empty page in mid-list: {here}, also when asked again")
        return again

    async def _ask_list(self, walk: Walk, here: str, kind: str, *, is_last: bool) -> Listing | None:
        """None where there is only an empty frame, or no list at all: that counts when it comes a second time."""
        self.result.planned += 1
        known = self.asker.known_of(here)
        held = self._listings.recall(known)
        try:
            answer = await self.asker.ask(here, kind, in_full=is_last and here != walk.start, is_read=held is not None)
        except (*ENDS_RUN, Deferred):
            raise
        except SourceError as error:
            if here == walk.start:
                raise
            if isinstance(error, Blocked):  # the host's lane has ended: what was read of the list stays
                walk.is_whole = False
                walk.queue.clear()
                self.asker.fail(here, kind, error)
                return _UNREAD
            may_pass = isinstance(error, (SoftGone, EmptyShell))
            if may_pass and not is_last:
                self.result.planned -= 1
                return None
            walk.is_whole = False  # an earlier page leads there
            self.asker.fail(here, kind, error)
            return _NO_PAGE if may_pass or isinstance(error, Gone) else _UNREAD
        try:
            listing = self._discover(here, kind, answer, held, is_start=here == walk.start)
        except SourceChanged as error:
            if here == walk.start:
                self.asker.count(answer)
                raise
            if not is_last:
                self.asker.count(answer, keep=False)
                return None
            walk.is_whole = False
            self.asker.reject(answer, error)
            return _UNREAD
        self.result.count(read_as(answer.seen, hash_rows(listing), known))
        return listing

    def _is_in_trouble(self, walk: Walk) -> bool:
        """Whether so many pages in a row could not be had that the rest is left alone; it is told then."""
        walk.unread += 1
        if walk.unread < MAX_UNREAD:
            return False
        if walk.queue:
            self.result.notes.append(
                f"{walk.start}: {len(walk.queue)} list pages wait for a later run, after {MAX_UNREAD} in a row that "
                "could not be had"
            )
        return True

    def _discover(self, url: str, kind: str, answer: Answer, held: Held | None, *, is_start: bool) -> Listing:
        if held is not None and held.holds_for(answer):
            self._note_foreign(url, held.listing)
            return held.listing
        decoded = decode(answer.stored.body, answer.stored.content_type)
        page = Page(url, decoded, "feed" if kind == "feed" else "html")
        listing = self.engine.discover(page, self.source)
        for ref in listing.refs:
            if ref.inline_html is not None:
                self.feeds[document_key(ref.url)] = (answer.seen, page)
        self._note_foreign(url, listing)
        if is_start:
            self.result.listed_days[url] = [ref.listed_date for ref in listing.refs if ref.listed_date]
        if listing.is_cut:
            self.result.notes.append(
                f"list page cut: {url} is nested deeper, or longer, than is read, or breaks off; rows may be missing"
            )
        else:  # what is kept of a list is not looked at again
            self._listings.keep(answer, listing)
        return listing

    def _note_foreign(self, url: str, listing: Listing) -> None:
        if listing.foreign:
            self._foreign[url] = len(listing.foreign)

    def _take(self, walk: Walk, listing: Listing) -> Gain:
        keys = [self._keep(ref) for ref in listing.refs]
        addresses = {*keys, *(document_key(url) for url in listing.foreign)}
        rows: list[frozenset[object]] = [frozenset(addresses)]
        said = frozenset((ref.url.partition("?")[0], ref.title, ref.listed_date) for ref in listing.refs if ref.title)
        if len(said) > 1 and len(said) == len(listing.refs):  # rows that all say the same are told apart by address
            rows.append(said)
        words: frozenset[object] = frozenset((ref.title, ref.listed_date) for ref in listing.refs)
        if len(words) < ECHO_ROWS or not all(ref.title and ref.listed_date for ref in listing.refs):
            words = frozenset()
        is_repeat = bool(keys) and any(page in walk.pages for page in rows)
        is_echo = bool(words) and words in walk.pages
        is_fresh = not (is_repeat or is_echo) and not addresses <= walk.found
        is_news = False
        for key, ref in zip(keys, listing.refs, strict=True):
            known = walk.remembered.get(key)
            is_news |= known is None or is_retitled(known, ref)
            self.found_on.setdefault(key, walk.start)
        walk.pages.update([*rows, words] if words else rows)
        walk.found |= addresses
        walk.stated = listing.stated_total if listing.stated_total is not None else walk.stated
        leads_on = not addresses and walk.leads_on(listing.more)
        return Gain(is_fresh, is_news, is_repeat, leads_on)

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

    def _recall(self, walk: Walk) -> None:
        """Take the rows that the walk did not come to from memory: unless it found none, for then it knows nothing."""
        for key, entry in walk.remembered.items() if walk.found else ():
            if key not in walk.found:
                self._keep(PageRef(entry.url, entry.title, entry.listed_date))
                self.found_on.setdefault(key, walk.start)
                walk.found.add(key)

    def _close(self, walk: Walk) -> None:
        """Note on the start page that its list was walked to the end, which a later walk may rely on."""
        if not walk.is_whole:
            return
        now = self.asker.run.now()
        for number, seen in enumerate(self.result.seen):
            if seen.url == walk.start:
                self.result.seen[number] = seen._replace(walked_at=now)


def is_retitled(known: Known | None, ref: PageRef) -> bool:
    """Whether a list gives a known page another title; blanks do not count."""
    if known is None or not known.title or not ref.title or known.title == ref.title:
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
