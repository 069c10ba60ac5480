"""One source, crawled: lists to their end, pages with their validators, attachments where a report needs them.

The order of things matters: a raw answer is in the archive before anything interprets it, and the lists must meet
the source's assertions before a single detail page is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from connectors.base import Article, AttachmentRef, Engine, Listing, Page, PageRef
from connectors.crawled import CrawlResult, Failure, Known, ReadPage, Seen
from connectors.errors import Blocked, ContractBroken, Gone, SourceChanged, SourceError
from connectors.http.client import Client, Fetch, GatewayUnreachable, Validators
from connectors.registry import is_report_title, report_year
from connectors.snapshots import Archive, SnapshotRef, StoredPage
from connectors.urls import document_key
from extraction.attachments import AttachmentText, read_attachment
from extraction.decode import decode

SHORT_BODY = 40
"""A report whose page holds fewer characters than this is its attachment (PORTALS.md: 37 of 269 pages)."""

MAX_BARREN = 8
"""Answers in a row without any row, that still lead on (a list service that fails over a range is asked for its
halves), before a list is taken to have ended."""

Progress = Callable[[int, int], None]
"""Called with pages done and pages planned."""


@dataclass(slots=True)
class _Answer:
    seen: Seen
    stored: StoredPage


class _Crawl:
    def __init__(
        self,
        result: CrawlResult,
        engine: Engine,
        client: Client,
        archive: Archive,
        known: Mapping[str, Known],
    ) -> None:
        self.source = result.source
        self.engine = engine
        self.client = client
        self.archive = archive
        self.known = {document_key(url): entry for url, entry in known.items()}
        self.refs: dict[str, PageRef] = {}
        self.attachments: dict[str, _Answer | None] = {}
        self.feeds: dict[str, tuple[Seen, Page]] = {}
        self.had: set[str] = set()
        """Keys of all that answered tonight and could be read, or is known to be gone."""
        self.n_lost = 0
        self.result = result

    async def ask(self, url: str, kind: str) -> _Answer:
        """Fetch with the validators of the last run; the raw answer is archived before it is looked at."""
        known = self.known.get(document_key(url))
        before = known.snapshot if known is not None and not known.is_gone else None
        validators = Validators(known.etag, known.last_modified) if known is not None and before else None
        fetch = await self._fetch(url, kind, validators)
        if fetch.not_modified and before is not None:
            try:
                return _Answer(self._seen(url, kind, fetch, before, "unchanged", known), self.archive.load(before))
            except ContractBroken:
                # Its raw page is lost or damaged, and the server would say `not modified` every night.
                self.n_lost += 1
                before, fetch = None, await self._fetch(url, kind, None)
        if before is not None and before.sha256 == fetch.sha256:
            snapshot, outcome = before, "unchanged"
        else:
            snapshot, outcome = self.archive.store(fetch), "changed" if before else "new"
        stored = StoredPage(fetch.body, fetch.content_type, fetch.final_url, fetch.fetched_at, fetch.status)
        return _Answer(self._seen(url, kind, fetch, snapshot, outcome, known), stored)

    async def _fetch(self, url: str, kind: str, validators: Validators | None) -> Fetch:
        return await self.client.fetch(
            url,
            hosts=frozenset(self.source.hosts),
            kind=kind,
            validators=validators,
            delay=self.source.politeness.delay_seconds,
        )

    @staticmethod
    def _seen(url: str, kind: str, fetch: Fetch, snapshot: SnapshotRef, outcome: str, known: Known | None) -> Seen:
        # A 304 may leave its validators out: the stored ones stay good (RFC 9111, 4.3.4).
        etag = fetch.etag or (known.etag if known and fetch.not_modified else None)
        modified = fetch.last_modified or (known.last_modified if known and fetch.not_modified else None)
        return Seen(url, kind, etag, modified, snapshot, fetch.status, outcome, fetch.fetched_at)

    def count(self, answer: _Answer, *, keep: bool = True) -> None:
        """`keep` False: counted, but its validators are not kept, so the next run asks for it in full."""
        self.had.add(document_key(answer.seen.url))
        self.result.unchanged += answer.seen.outcome == "unchanged"
        self.result.fetched += answer.seen.outcome != "unchanged"
        if keep:
            self.result.seen.append(answer.seen)

    def reject(self, answer: _Answer, error: SourceError) -> None:
        """Fetched, but not what it should be: asked for again, in full, until it can be read."""
        self.count(answer, keep=False)
        self.result.rejected += answer.seen.outcome != "unchanged"
        self.result.failures.append(Failure(answer.seen.url, error.code, str(error)))

    async def discover(self) -> None:
        """Read every list of the source to its end. Raises the first error when no list could be read at all."""
        first_error: SourceError | None = None
        complete = False
        for start in self.source.start:
            try:
                await self._discover_from(start.url, start.kind)
                complete = True
            except GatewayUnreachable:
                raise
            except SourceChanged as error:
                self.result.rejected += 1  # fetched and counted, but no list of its family
                self.result.failures.append(Failure(error.url or start.url, error.code, str(error)))
                first_error = first_error or error
            except SourceError as error:
                self.result.fail(error.url or start.url, error)
                first_error = first_error or error
        if not complete and first_error is not None:
            raise first_error
        self.result.listed = len(self.refs)

    async def _discover_from(self, url: str, kind: str) -> None:
        queue, asked, found, stated, barren = [url], set[str](), 0, None, 0
        while queue:
            here = queue.pop(0)
            if here in asked:
                continue
            asked.add(here)
            self.result.planned += 1
            try:
                answer = await self.ask(here, kind)
            except Gone as error:
                if here == url:
                    raise
                self.result.fail(here, error)  # an earlier page leads there, so the list is not whole
                continue
            self.count(answer)
            listing = self._read_list(here, kind, answer)
            stated = listing.stated_total if stated is None else stated
            fresh = self._take(listing)
            found += len({document_key(ref.url) for ref in listing.refs})
            barren = 0 if fresh or here == url else barren + 1
            if barren and (listing.refs or not listing.more or barren > MAX_BARREN):
                break  # a page that brings no new address ends the list, whatever the pager promises
            queue += [more for more in listing.more if more not in asked]
        if stated is not None and found < stated:
            self.result.notes.append(f"list shortfall: {url} states {stated} rows, {found} were found")

    def _read_list(self, url: str, kind: str, answer: _Answer) -> Listing:
        decoded = decode(answer.stored.body, answer.stored.content_type)
        page = Page(url, decoded, "feed" if kind == "feed" else "html")
        listing = self.engine.discover(page, self.source)
        for ref in listing.refs:
            if ref.inline_html is not None:
                self.feeds[document_key(ref.url)] = (answer.seen, page)
        if listing.foreign:
            self.result.notes.append(f"{url}: {len(listing.foreign)} rows lead to hosts that the source does not list")
        return listing

    def _take(self, listing: Listing) -> int:
        """Keep the rows; a page listed twice is one page, and a feed adds the body that it carries."""
        fresh = 0
        for ref in listing.refs:
            key = document_key(ref.url)
            before = self.refs.get(key)
            if before is None:
                fresh += 1
                self.refs[key] = ref
            else:
                self.refs[key] = replace(
                    before,
                    title=before.title or ref.title,
                    listed_date=before.listed_date or ref.listed_date,
                    inline_html=before.inline_html or ref.inline_html,
                )
        return fresh

    def assert_listed(self) -> None:
        """The source's own floors on its lists. Raises SourceChanged, which fails the source."""
        wants = self.source.assertions
        if len(self.refs) < wants.min_list_rows:
            raise SourceChanged(
                f"{self.source.id}: the lists hold {len(self.refs)} rows, the source asserts at least "
                f"{wants.min_list_rows}: look at {self.source.start[0].url}, then mend the selectors or the assertion",
                url=self.source.start[0].url,
            )
        titled = {report_year(ref.title) for ref in self.refs.values() if ref.title and self.is_report(ref.title)}
        missing = [year for year in wants.report_years if year not in titled]
        if missing:
            raise SourceChanged(
                f"{self.source.id}: no annual report listed for {', '.join(map(str, missing))}, which the source "
                f"asserts: look at {self.source.start[0].url}",
                url=self.source.start[0].url,
            )

    def is_report(self, title: str) -> bool:
        return is_report_title(self.source, title)

    def plan(self, all_pages: bool) -> list[PageRef]:
        """Wanted rows in list order, then known pages that no list names any more (they may be gone)."""
        everything = all_pages or self.source.wanted.other_pages
        wanted = [ref for ref in self.refs.values() if everything or (ref.title and self.is_report(ref.title))]
        if self.result.failures:
            return wanted  # an unread list says nothing about what vanished from it
        listed = set(self.refs)
        unlisted = [
            PageRef(entry.url)
            for key, entry in self.known.items()
            if entry.kind == "page" and not entry.is_gone and key not in listed
        ]
        return wanted + unlisted

    async def read_pages(self, refs: list[PageRef], progress: Progress) -> None:
        self.result.planned += len(refs)
        for number, ref in enumerate(refs, start=1):
            try:
                await self._read_page(ref)
            except GatewayUnreachable:
                raise
            except Gone as error:
                if not self._read_from_feed(ref):
                    self._note_gone(ref, error)
            except Blocked as error:
                self.result.fail(ref.url, error)
                self.result.blocked += len(refs) - number
                self.result.notes.append(f"lane ended after a challenge page; {len(refs) - number} pages not asked for")
                return
            except SourceError as error:
                self.result.fail(ref.url, error)
            progress(number, len(refs))

    def assert_read(self, refs: list[PageRef]) -> None:
        """At least one listed report must have been had. Raises SourceChanged, which fails the source."""
        reports = {document_key(ref.url) for ref in refs if ref.title and self.is_report(ref.title)}
        if reports and not reports & self.had:
            cause = self.result.failures[0].message if self.result.failures else "no cause recorded"
            raise SourceChanged(f"{self.source.id}: none of its {len(reports)} listed reports could be read: {cause}")

    def _read_from_feed(self, ref: PageRef) -> bool:
        """A page that is gone while the feed still carries its whole body is read from the feed."""
        carried = self.feeds.get(document_key(ref.url))
        if carried is None or ref.inline_html is None:
            return False
        seen, page = carried
        article = self.engine.read(page, self.source, ref)
        title = article.title or ref.title or ""
        is_report = self.is_report(title)
        year = report_year(title) if is_report else None
        self.had.add(document_key(ref.url))
        self.result.planned -= 1  # the feed, counted already, is where it came from
        self.result.pages.append(ReadPage(seen, ref, article, is_report, year))
        return True

    def _note_gone(self, ref: PageRef, error: Gone) -> None:
        known = self.known.get(document_key(ref.url))
        if known is None:
            self.result.fail(ref.url, error)  # listed, but never there: a finding about the portal
        elif known.is_gone:
            self.had.add(document_key(ref.url))
            self.result.unchanged += 1  # a list may name for years what is gone; it is gone once
        else:
            self.had.add(document_key(ref.url))
            self.result.gone.append(ref.url)

    async def _read_page(self, ref: PageRef) -> None:
        answer = await self.ask(ref.url, "page")
        known = self.known.get(document_key(ref.url))
        if answer.seen.outcome == "unchanged" and not await self._attachments_changed(known):
            self.count(answer)
            return
        decoded = decode(answer.stored.body, answer.stored.content_type)
        try:
            article = self.engine.read(Page(ref.url, decoded), self.source, ref)
        except SourceChanged as error:
            self.reject(answer, error)
            return
        title = article.title or ref.title or ""
        is_report = self.is_report(title)
        texts, is_whole = (
            await self._read_attachments(article) if is_report and len(article.body.text) < SHORT_BODY else ([], True)
        )
        # A page whose attachment failed is read again the next night, also when it is not modified itself.
        self.count(answer, keep=is_whole)
        if not is_whole and known is not None and known.attachments:
            self.result.notes.append(f"{ref.url}: an attachment cannot be read now; its text of an earlier run stays")
            return
        year = report_year(title) if is_report else None
        self.result.pages.append(ReadPage(answer.seen, ref, article, is_report, year, tuple(texts)))

    async def _read_attachments(self, article: Article) -> tuple[list[tuple[AttachmentRef, AttachmentText]], bool]:
        """The attachments' texts, and whether all could be had: one that fails tonight may be there tomorrow."""
        texts = []
        for attachment in article.attachments:
            stored = await self._ask_attachment(attachment)
            if stored is not None:
                texts.append((attachment, read_attachment(stored.body, attachment.name)))
        damaged = any(found.kind == "damaged" for _, found in texts)
        return texts, len(texts) == len(article.attachments) and not damaged

    async def _ask_attachment(self, attachment: AttachmentRef) -> StoredPage | None:
        """The attachment's bytes; None, and a failure in the result, when it cannot be had tonight."""
        key = document_key(attachment.url)
        if key not in self.attachments:
            self.result.planned += 1
            try:
                answer = await self.ask(attachment.url, "attachment")
            except GatewayUnreachable:
                raise
            except SourceError as error:
                self.result.fail(attachment.url, error)
                self.attachments[key] = None
            else:
                self.attachments[key] = self._take_attachment(answer)
        asked = self.attachments[key]
        return asked.stored if asked is not None else None

    def _take_attachment(self, answer: _Answer) -> _Answer | None:
        """None for a web page (an error page, most often) or for nothing where a file should be."""
        stored = answer.stored
        is_page = (stored.content_type or "").lower().startswith("text/html") and stored.body.lstrip()[:1] == b"<"
        if stored.body and not is_page:
            self.count(answer)
            return answer
        what = "a web page" if is_page else "nothing"
        self.reject(answer, SourceChanged(f"{answer.seen.url} is listed as an attachment, but holds {what}"))
        return None

    async def _attachments_changed(self, known: Known | None) -> bool:
        """Whether an attachment that holds the text of an unchanged page has other bytes than last time."""
        changed = False
        for attachment in known.attachments if known is not None else ():
            await self._ask_attachment(attachment)
            asked = self.attachments[document_key(attachment.url)]
            changed |= asked is not None and asked.seen.outcome != "unchanged"
        return changed


async def crawl_source(
    result: CrawlResult,
    engine: Engine,
    client: Client,
    archive: Archive,
    known: Mapping[str, Known],
    *,
    all_pages: bool = False,
    progress: Progress = lambda done, planned: None,
) -> None:
    """Crawl `result.source` once and fill `result`. Failures of single pages are in it.

    Raises SourceError when the source as a whole failed (no list readable, an assertion not met, no report had), and
    GatewayUnreachable when the replay gateway is not there: then every source fails alike."""
    crawl = _Crawl(result, engine, client, archive, known)
    await crawl.discover()
    crawl.assert_listed()
    refs = crawl.plan(all_pages)
    await crawl.read_pages(refs, progress)
    crawl.assert_read(refs)
    if crawl.n_lost:
        result.notes.append(f"{crawl.n_lost} raw pages are missing or damaged in the archive and were fetched again")
