"""One source, crawled: lists to their end, pages with their validators, attachments where a report needs them.

The order of things matters: a raw answer is in the archive before anything interprets it, and the lists must meet
the source's assertions before a single detail page is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from connectors.archive import Archive
from connectors.asking import ENDS_RUN, Asker
from connectors.attached import MAX_FILES, AttachmentReader
from connectors.attachments import wants_attachments
from connectors.base import Article, Engine, Page, PageRef
from connectors.crawled import UNCHANGED, Answer, CrawlResult, Known, ReadPage, hash_text, read_as
from connectors.errors import Deferred, Gone, SourceChanged, SourceError
from connectors.frontier import RunState
from connectors.http.client import Client
from connectors.registry import is_report_title, report_year
from connectors.urls import document_key
from connectors.walk import ListWalker, is_retitled, listed_only
from extraction.decode import decode

_NEVER = datetime(1, 1, 1, tzinfo=UTC)

Progress = Callable[[int, int], None]
"""Called with pages done and pages planned."""


class _Crawl:
    def __init__(self, asker: Asker, engine: Engine) -> None:
        self.asker = asker
        self.engine = engine
        self.source = asker.source
        self.result = asker.result
        self.lists = ListWalker(asker, engine)
        self.attachments = AttachmentReader(asker)
        self.documents: set[str] = set()
        """Keys of all pages that are, or are to be, documents of their own."""
        self.had: set[str] = set()
        """Keys of all that answered tonight and could be read, or is known to be gone."""

    def assert_listed(self) -> None:
        """The source's own floors on its lists. Raises SourceChanged, which fails the source."""
        wants, refs = self.source.assertions, self.lists.refs
        unread = f" (a list page was not had: {self.result.failures[0].message})" if self.result.failures else ""
        if len(refs) < wants.min_list_rows:
            raise SourceChanged(
                f"{self.source.id}: the lists hold {len(refs)} rows, the source asserts at least "
                f"{wants.min_list_rows}: look at {self.source.start[0].url}, then mend the selectors or the "
                f"assertion{unread}",
                url=self.source.start[0].url,
            )
        titled = {_year_of(ref) for ref in refs.values() if ref.title and self.is_report(ref.title)}
        missing = [year for year in wants.report_years if year not in titled]
        if missing:
            raise SourceChanged(
                f"{self.source.id}: no annual report listed for {', '.join(map(str, missing))}, which the source "
                f"asserts: look at {self.source.start[0].url}{unread}",
                url=self.source.start[0].url,
            )

    def is_report(self, title: str) -> bool:
        return is_report_title(self.source, title)

    def plan(self, all_pages: bool) -> list[PageRef]:
        """Wanted rows in list order, then known pages that no list names any more (they may be gone).

        Those never asked for come first, then those asked longest ago: where a run is cut short, night after night,
        each page has its turn. What failed again and again is left out until it is due."""
        everything = all_pages or self.source.wanted.other_pages
        refs = self.lists.refs
        wanted = [ref for ref in refs.values() if everything or (ref.title and self.is_report(ref.title))]
        self.result.listed_only = listed_only(self.lists, wanted)
        held = {
            key: entry
            for key, entry in self.asker.known.items()
            if entry.kind == "page" and entry.is_asked and not entry.is_gone
        }
        self.documents = {document_key(ref.url) for ref in wanted} | held.keys()
        if not self.result.failures:  # an unread list says nothing about what vanished from it
            wanted += [PageRef(entry.url) for key, entry in held.items() if key not in refs]
        due = [ref for ref in wanted if self._is_due(ref)]
        if len(due) < len(wanted):
            self.result.notes.append(f"{len(wanted) - len(due)} pages that failed again and again are not due yet")
        due.sort(key=self._asked_at)
        self.asker.run.journal.plan(self.source.id, [(ref.url, "page") for ref in due])
        return due

    def _is_due(self, ref: PageRef) -> bool:
        known = self.asker.known_of(ref.url)
        is_late = known is None or known.due_at is None or known.due_at <= self.asker.run.now()
        return is_late or is_retitled(known, ref)

    def _asked_at(self, ref: PageRef) -> datetime:
        known = self.asker.known_of(ref.url)
        return (known.seen_at if known is not None and known.is_asked else None) or _NEVER

    async def read_pages(self, refs: list[PageRef], progress: Progress) -> None:
        self.result.planned += len(refs)
        for number, ref in enumerate(refs, start=1):
            try:
                await self._read_page(ref)
            except ENDS_RUN:
                raise
            except Gone as error:
                if not self._read_from_feed(ref):
                    self._note_gone(ref, error)
            except SourceError as error:
                self.asker.fail(ref.url, "page", error)
            progress(number, len(refs))

    def assert_read(self, refs: list[PageRef]) -> None:
        """At least one listed report must have been had. Raises SourceChanged or Deferred, which fails the source."""
        reports = {document_key(ref.url) for ref in refs if ref.title and self.is_report(ref.title)}
        if not reports or reports & self.had:
            return
        if self.asker.put_off:
            told = f"none of its {len(reports)} listed reports was asked: {self.asker.put_off}"
            raise Deferred(f"{self.source.id}: {told}")
        cause = self.result.failures[0].message if self.result.failures else "no cause recorded"
        raise SourceChanged(f"{self.source.id}: none of its {len(reports)} listed reports could be read: {cause}")

    def _count(self, answer: Answer, ref: PageRef, *, keep: bool = True) -> None:
        """Counted, and remembered as the list had it."""
        key = document_key(ref.url)
        self.had.add(key)
        seen = answer.seen
        listed = self.lists.found_on.get(key)
        if listed is not None:
            seen = replace(
                seen, title=ref.title or seen.title, listed_date=ref.listed_date or seen.listed_date, found_on=listed
            )
        self.result.count(seen, keep=keep)

    def _read_from_feed(self, ref: PageRef) -> bool:
        """A page that is gone while the feed still carries its whole body is read from the feed."""
        carried = self.lists.feeds.get(document_key(ref.url))
        if carried is None or ref.inline_html is None:
            return False
        seen, page = carried
        article = self.engine.read(page, self.source, ref)
        is_report, year = self._judge(article, ref)
        self.had.add(document_key(ref.url))
        self.result.planned -= 1  # the feed, counted already, is where it came from
        self.result.pages.append(ReadPage(seen, ref, article, is_report, year))
        return True

    def _note_gone(self, ref: PageRef, error: Gone) -> None:
        known = self.asker.known_of(ref.url)
        if known is None or not known.is_asked:
            self.asker.fail(ref.url, "page", error)  # listed, but never there: a finding about the portal
            return
        self.had.add(document_key(ref.url))
        if known.is_gone:
            self.result.already_gone += 1  # a list may name for years what is gone; it is gone once
        else:
            self.result.gone.append(ref.url)

    async def _read_page(self, ref: PageRef) -> None:
        known = self.asker.known_of(ref.url)
        retitled = is_retitled(known, ref)
        answer = await self.asker.ask(ref.url, "page", in_full=retitled)
        if self._is_another(ref, answer.stored.url):
            self._reject(ref, answer, _leads_away(ref, answer.stored.url))
            return
        is_same = answer.seen.outcome in UNCHANGED and not retitled
        if is_same and not await self.attachments.have_changed(known):
            self._count(answer, ref)
            return
        decoded = decode(answer.stored.body, answer.stored.content_type)
        try:
            article = self.engine.read(Page(ref.url, decoded), self.source, ref)
        except SourceChanged as error:
            self._reject(ref, answer, error)
            return
        is_report, year = self._judge(article, ref)
        needs_files = is_report and wants_attachments(article.body.text)
        texts, is_whole = await self.attachments.read(article) if needs_files else ([], True)
        answer.seen = read_as(answer.seen, hash_text(article.body.text, *(found.text for _, found in texts)), known)
        is_cut = needs_files and len(article.attachments) > MAX_FILES
        # A page whose attachment failed is read again the next night, also when it is not modified itself.
        self._count(answer, ref, keep=is_whole and not is_cut)
        if not is_whole and known is not None and known.attachments:
            self.result.notes.append(f"{ref.url}: an attachment cannot be read now; its text of an earlier run stays")
            return
        self.result.pages.append(ReadPage(answer.seen, ref, article, is_report, year, tuple(texts)))

    def _is_another(self, ref: PageRef, final_url: str) -> bool:
        """Whether a page leads to another document: its figures may not count twice."""
        key = document_key(final_url)
        return key != document_key(ref.url) and key in self.documents

    def _reject(self, ref: PageRef, answer: Answer, error: SourceChanged) -> None:
        self.asker.reject(answer, error)
        self.had.add(document_key(ref.url))

    def _judge(self, article: Article, ref: PageRef) -> tuple[bool, int | None]:
        """Whether it is a report, and the year it is about."""
        title = article.title or ref.title or ""
        is_report = self.is_report(title)
        return is_report, report_year(title) if is_report else None


def _year_of(ref: PageRef) -> int | None:
    """The year of a listed report; where its title names none, the one before it was published."""
    named = report_year(ref.title or "")
    return named if named is not None or ref.listed_date is None else int(ref.listed_date[:4]) - 1


def _leads_away(ref: PageRef, final_url: str) -> SourceChanged:
    words = f"{ref.url} leads to {final_url}, which is read as a page of its own: what is held of the former stays"
    return SourceChanged(words, url=ref.url)


async def crawl_source(
    result: CrawlResult,
    engine: Engine,
    client: Client,
    archive: Archive,
    known: Mapping[str, Known],
    *,
    run: RunState | None = None,
    all_pages: bool = False,
    progress: Progress = lambda done, planned: None,
) -> None:
    """Crawl `result.source` once and fill `result`. Failures of single pages are in it.

    Raises SourceError when the source as a whole failed (no list readable, an assertion not met, no report had), and
    GatewayUnreachable or ArchiveUnusable, with which every source fails alike."""
    asker = Asker(result, client, archive, known, run or RunState())
    crawl = _Crawl(asker, engine)
    try:
        await crawl.lists.discover()
        crawl.assert_listed()
        refs = crawl.plan(all_pages)
        await crawl.read_pages(refs, progress)
        crawl.assert_read(refs)
    finally:
        asker.tell()
