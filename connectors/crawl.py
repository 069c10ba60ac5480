"""One source, crawled: lists to their end, pages with their validators, attachments where a report needs them.

The order of things matters: a raw answer is in the archive before anything interprets it, the lists must meet the
source's assertions before a single detail page is asked for, and pages are handed over only once a report was had.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

from connectors.archive import Archive
from connectors.asking import ENDS_RUN, Asker
from connectors.attached import MAX_FILES, AttachmentReader
from connectors.attachments import wants_attachments
from connectors.base import Article, Engine, Page, PageRef
from connectors.crawled import UNCHANGED, Answer, CrawlResult, Known, Part, ReadPage, Seen, hash_text, read_as
from connectors.errors import Blocked, Deferred, EmptyShell, Gone, SourceChanged, SourceError, Transient
from connectors.frontier import RunState
from connectors.http.client import Client
from connectors.http.words import name_notice
from connectors.registry import is_report_title, report_year
from connectors.turns import turns_here
from connectors.urls import document_key
from connectors.walk import ListWalker, is_retitled, listed_only
from connectors.wish import DUE, Wish, year_of
from extraction.decode import decode

_NEVER = datetime(1, 1, 1, tzinfo=UTC)

MAX_CUT = 2
"""Failures in a row after which a page that breaks off is taken for what it is."""
PART_PAGES = 200
PART_LETTERS = 2_000_000
"""Pages, or code points of their texts, that are handed over together: some 10 MB, whatever the size of a portal."""

Progress = Callable[[int, int], None]
"""Called with pages done and pages planned."""

Take = Callable[[Part], Awaitable[None]]
"""Takes a part of the pages for good; what it raises ends the crawl."""


class _Crawl:
    def __init__(self, asker: Asker, engine: Engine, take: Take | None) -> None:
        self.asker = asker
        self.engine = engine
        self.take = take
        self.source = asker.source
        self.result = asker.result
        self.lists = ListWalker(asker, engine)
        self.attachments = AttachmentReader(asker)
        self.documents: set[str] = set()
        """Keys of all pages that are, or are to be, documents of their own."""
        self.had: set[str] = set()
        """Keys of all that answered tonight and could be read, or is known to be gone."""
        self.reports: set[str] = set()
        """Keys of the listed reports that are due."""
        self.ends: dict[str, str] = {}
        """Where pages lead that are no page of their own -> the page that is read for it."""
        self.led_away: list[tuple[PageRef, Seen]] = []
        """Pages new to us that lead there: it may be what a known page, asked later, leads to."""
        self.letters = 0
        """Of the pages not handed over yet."""
        self.left_alone: list[PageRef] = []
        """Wanted pages that earlier runs had and this one does not ask for: memory keeps their old titles, by which the
        run that asks for them sees that a list renamed them."""
        self._verdicts: dict[str, bool] = {}

    def assert_listed(self) -> None:
        """The source's own floors on its lists. Raises SourceChanged, which fails the source.

        Where a list page was not had, what is missing may stand there: that is a finding, and the page is asked again.
        """
        wants, refs = self.source.assertions, self.lists.refs
        start = self.source.start[0].url
        unmet = []
        if len(refs) < wants.min_list_rows:
            unmet.append(f"the lists hold {len(refs)} rows, the source asserts at least {wants.min_list_rows}")
        titled = {
            year_of(ref.title, ref.listed_date) for ref in refs.values() if ref.title and self.is_report(ref.title)
        }
        missing = [year for year in wants.report_years if year not in titled]
        if missing:
            unmet.append(f"no annual report listed for {', '.join(map(str, missing))}, which the source asserts")
        if not unmet:
            return
        if self.result.failures and refs:
            unread = self.result.failures[0].message
            self.result.notes += [f"{told}; a list page was not had, and is asked again: {unread}" for told in unmet]
            return
        unread = f" (a list page was not had: {self.result.failures[0].message})" if self.result.failures else ""
        way_out = f"look at {start}, then mend the selectors or the assertion{unread}"
        raise SourceChanged(f"{self.source.id}: {unmet[0]}: {way_out}", url=start)

    def is_report(self, title: str) -> bool:
        verdict = self._verdicts.get(title)
        if verdict is None:
            verdict = self._verdicts[title] = is_report_title(self.source, title)
        return verdict

    def plan(self, wish: Wish) -> list[PageRef]:
        """Wanted rows in list order, then known pages that no list names any more (they may be gone).

        Those never asked for come first, then those asked longest ago: where a run is cut short, night after night,
        each page has its turn, and reports have it before the others. What failed again and again is left out until it
        is due. Of a cut only its pages, due or not, and no more than the run may still ask for."""
        everything = wish.all_pages or self.source.wanted.other_pages
        refs = self.lists.refs
        wanted = [ref for ref in refs.values() if everything or (ref.title and self.is_report(ref.title))]
        held = {
            key: entry
            for key, entry in self.asker.known.items()
            if entry.kind == "page" and entry.is_asked and not entry.is_gone
        }
        self.documents = {document_key(ref.url) for ref in wanted} | held.keys()
        if not self.result.failures:  # an unread list says nothing about what vanished from it
            unlisted = [entry for key, entry in held.items() if key not in refs]
            if wish.is_cut:
                rows = [PageRef(entry.url, entry.title, entry.listed_date) for entry in unlisted]
                wanted += [ref for ref in rows if everything or (ref.title and self.is_report(ref.title))]
            else:
                wanted += [PageRef(entry.url) for entry in unlisted]
        due = self._cut(wanted, wish) if wish.is_cut else [ref for ref in wanted if self._is_due(ref)]
        if len(due) < len(wanted) and not wish.is_cut:
            self.result.notes.append(f"{len(wanted) - len(due)} pages that failed again and again are not due yet")
        self.reports = {document_key(ref.url) for ref in due if ref.title and self.is_report(ref.title)}
        due.sort(key=lambda ref: (self._asked_at(ref), not (ref.title and self.is_report(ref.title))))
        due = self._limit(due)
        asked = {document_key(ref.url) for ref in due}
        self.left_alone = [ref for ref in wanted if document_key(ref.url) not in asked and self._was_asked(ref)]
        self.result.listed_only = listed_only(self.lists, [*due, *self.left_alone])
        self.asker.run.journal.plan(self.source.id, [(ref.url, "page") for ref in due])
        return due

    def _cut(self, wanted: list[PageRef], wish: Wish) -> list[PageRef]:
        """Those of the cut; of `missing`, those that are not held."""
        said = [wish.takes(ref.title, ref.listed_date) for ref in wanted]
        n_undated = sum(one is None for one in said)
        if n_undated:
            self.result.notes.append(f"{n_undated} pages are left out: neither title nor list says of when they are")
        taken = [ref for ref, is_taken in zip(wanted, said, strict=True) if is_taken]
        return taken if wish.mode == "refetch" else [ref for ref in taken if not self._is_held(ref)]

    def _is_held(self, ref: PageRef) -> bool:
        known = self.asker.known_of(ref.url)
        return self._was_asked(ref) and known is not None and known.snapshot is not None

    def _was_asked(self, ref: PageRef) -> bool:
        known = self.asker.known_of(ref.url)
        return known is not None and known.is_asked

    def _limit(self, due: list[PageRef]) -> list[PageRef]:
        """As many as the run may still ask for; the rest is told."""
        run = self.asker.run
        if run.pages_left is None:
            return due
        taken = due[: run.pages_left]
        run.pages_left -= len(taken)
        if len(taken) < len(due):
            self.result.notes.append(f"{len(due) - len(taken)} pages of the cut are beyond the run's limit")
            self.reports &= {document_key(ref.url) for ref in taken}
        return taken

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
            await self._hand_over()
            progress(number, len(refs))
        for ref, seen in self.led_away:
            await self._take_led_away(ref, seen)
            await self._hand_over()

    async def _hand_over(self) -> None:
        """Give away what was read, where it is enough for a part and the source cannot fail as a whole any more."""
        is_due = len(self.result.pages) >= PART_PAGES or self.letters >= PART_LETTERS or self.asker.run.is_full()
        if self.take is None or not is_due or not self.result.pages:
            return
        if self.reports and not self.reports & self.had:
            return
        part = self.result.cut_part(() if self.result.handed else listed_only(self.lists, self.left_alone))
        self.forget_letters()
        await self.take(part)

    def forget_letters(self) -> None:
        """They are, or are about to be, handed over."""
        self.asker.run.n_letters -= self.letters
        self.letters = 0

    def assert_read(self) -> None:
        """At least one listed report must have been had. Raises SourceChanged, Blocked or Deferred, and it failed."""
        if not self.reports or self.reports & self.had:
            return
        if self.asker.put_off:
            told = f"none of its {len(self.reports)} listed reports was asked: {self.asker.put_off}"
            raise Deferred(f"{self.source.id}: {told}")
        first = self.result.failures[0] if self.result.failures else None
        cause = first.message if first else "no cause recorded"
        kind = Blocked if first and first.code == Blocked.code else SourceChanged
        raise kind(f"{self.source.id}: none of its {len(self.reports)} listed reports could be read: {cause}")

    def _count(self, answer: Answer, ref: PageRef, *, keep: bool = True) -> None:
        """Counted, and remembered as the list had it."""
        key = document_key(ref.url)
        self.had.add(key)
        seen = answer.seen
        listed = self.lists.found_on.get(key)
        if listed is not None:
            said = (ref.title or seen.title, ref.listed_date or seen.listed_date, listed)
            if said != (seen.title, seen.listed_date, seen.found_on):
                seen = seen._replace(title=said[0], listed_date=said[1], found_on=listed)
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
        self._keep(ReadPage(seen, ref, article, is_report, year))
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
        if self._leads_away(ref, answer, is_held=known is not None and known.snapshot is not None):
            return
        await self._take(ref, answer, retitled)

    async def _take(self, ref: PageRef, answer: Answer, retitled: bool) -> None:
        """Read the page that an address answered with, unless it is the one that is held."""
        known = self.asker.known_of(ref.url)
        is_same = answer.seen.outcome in UNCHANGED and not retitled
        if is_same and not await self.attachments.have_changed(known):
            self._count(answer, ref)
            return
        await turns_here().wait()
        decoded = decode(answer.stored.body, answer.stored.content_type)
        try:
            article = self.engine.read(Page(ref.url, decoded), self.source, ref, is_mapped=self.is_report)
        except SourceChanged as error:
            self._reject(ref, answer, error)
            return
        if "cut_off" in article.notes and self._is_refused_as_cut(ref, answer):
            return
        is_report, year = self._judge(article, ref)
        listed_year = report_year(ref.title) if ref.title and self.is_report(ref.title) else None
        if year is not None and listed_year not in (None, year):
            told = f"listed as the report of {listed_year}, holds that of {year}: look which is right"
            self.result.notes.append(f"{ref.url} is {told}")
        stand_in = self._find_stand_in(article, ref, is_report)
        if stand_in is not None:
            self._reject(ref, answer, stand_in)
            return
        needs_files = is_report and wants_attachments(article.body.text)
        texts, is_whole = await self.attachments.read(article) if needs_files else ([], True)
        answer.seen = read_as(answer.seen, hash_text(article.body.text, *(found.text for _, found in texts)), known)
        is_cut = needs_files and len(article.attachments) > MAX_FILES
        # A page whose attachment failed is read again the next night, also when it is not modified itself.
        self._count(answer, ref, keep=is_whole and not is_cut)
        if not is_whole and known is not None and known.attachments:
            self.result.notes.append(f"{ref.url}: an attachment cannot be read now; its text of an earlier run stays")
            return
        self._keep(ReadPage(answer.seen, ref, article, is_report, year, tuple(texts)))

    def _keep(self, page: ReadPage) -> None:
        self.result.pages.append(page)
        letters = len(page.article.body.text) + sum(len(found.text) for _, found in page.attachment_texts)
        self.letters += letters
        self.asker.run.n_letters += letters

    def _leads_away(self, ref: PageRef, answer: Answer, *, is_held: bool) -> bool:
        """Whether a page leads to another document, whose figures may not count twice: one of the pages of their own,
        or what another page leads to. Of those that lead to one place, a page that is held goes before a new one."""
        key, end = document_key(ref.url), document_key(answer.stored.url)
        if end == key:
            return False
        if end not in self.documents and not is_held and end not in self.ends:
            self.led_away.append((ref, answer.seen))
            return True
        if end not in self.documents and self.ends.setdefault(end, key) == key:
            return False
        self._reject(ref, answer, _told_away(ref, answer.stored.url))
        return True

    async def _take_led_away(self, ref: PageRef, seen: Seen) -> None:
        """A page set aside until it was known whether a held one leads to the same place."""
        try:
            answer = Answer(seen, self.asker.archive.load(seen.snapshot))
            if not self._leads_away(ref, answer, is_held=True):
                await self._take(ref, answer, False)
        except ENDS_RUN:
            raise
        except SourceError as error:
            self.asker.fail(ref.url, "page", error)

    def _reject(self, ref: PageRef, answer: Answer, error: SourceError) -> None:
        self.asker.reject(answer, error)
        self.had.add(document_key(ref.url))

    def _is_refused_as_cut(self, ref: PageRef, answer: Answer) -> bool:
        """Half a page is asked for again, and what is held of it stays; what is no other the third time is the page."""
        known = self.asker.known_of(ref.url)
        if known is not None and known.n_failed >= MAX_CUT:
            self.result.notes.append(f"{ref.url} breaks off in its body, time after time: read as it is")
            return False
        words = f"{ref.url} breaks off in its body: asked for again; what is held of it stays"
        self._reject(ref, answer, Transient(words, url=ref.url, status=answer.seen.status))
        return True

    def _find_stand_in(self, article: Article, ref: PageRef, is_report: bool) -> SourceError | None:
        """What stands in the frame of an article instead of one: a notice, or of a report nothing at all, neither text
        nor picture nor file. What is held of it stays."""
        if article.attachments:
            return None
        text = article.body.text
        if is_report and "no_text" in article.notes:
            words = f"{article.url} has a report's title, but neither text nor picture nor file: look at the page"
            return EmptyShell(words, url=article.url, status=200)
        return name_notice(article.url, article.title or ref.title or "", text)

    def _judge(self, article: Article, ref: PageRef) -> tuple[bool, int | None]:
        """Whether it is a report, and the year it is about."""
        title = article.title or ref.title or ""
        is_report = self.is_report(title)
        return is_report, report_year(title) if is_report else None


def _told_away(ref: PageRef, final_url: str) -> SourceChanged:
    words = f"{ref.url} leads to {final_url}, which is read as another page already: what is held of the former stays"
    return SourceChanged(words, url=ref.url)


async def crawl_source(
    result: CrawlResult,
    engine: Engine,
    client: Client,
    archive: Archive,
    known: Mapping[str, Known],
    *,
    run: RunState | None = None,
    wish: Wish = DUE,
    progress: Progress = lambda done, planned: None,
    take: Take | None = None,
) -> None:
    """Crawl `result.source` once and fill `result`. Failures of single pages are in it.

    `wish`: which of its pages. `take` is given them in parts, and the last ones stay in `result`; without it all of
    them do.

    Raises SourceError when the source as a whole failed (no list readable, an assertion not met, no report had), and
    GatewayUnreachable or ArchiveUnusable, with which every source fails alike."""
    asker = Asker(result, client, archive, known, run or RunState(), in_full=wish.mode == "refetch")
    crawl = _Crawl(asker, engine, take)
    try:
        await crawl.lists.discover()
        crawl.assert_listed()
        refs = crawl.plan(wish)
        await crawl.read_pages(refs, progress)
        if not wish.is_cut:  # of a cut each page that failed is told, and one may be all there is
            crawl.assert_read()
    finally:
        crawl.forget_letters()
        asker.tell()
        await asker.finish()
