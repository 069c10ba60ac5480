"""Asking for one address: what another unfinished run has of it, else its host, with the validators of the last run.

A raw answer is in the archive, and the archive's place in the journal, before anything interprets it; that an address
is not modified is in the journal before the next one is asked for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from contextlib import nullcontext, suppress

from connectors.archive import Archive, ArchiveUnusable, SnapshotRef, StoredPage
from connectors.crawled import Answer, CrawlResult, Failure, Known, Missed, RawPage, Seen
from connectors.errors import Blocked, ContractBroken, Deferred, Gone, SourceError
from connectors.frontier import DONE, Answered, RunState, next_due
from connectors.http.client import Client, Fetch, GatewayUnreachable, Validators
from connectors.http.lanes import daily_budget
from connectors.quiet import SHANGHAI, quiet_until
from connectors.registry import tls_exception
from connectors.urls import document_key, host_of

ENDS_RUN = (GatewayUnreachable, ArchiveUnusable)
"""Errors that no other source would be spared."""
_NO_BUDGET = nullcontext()


class _AnsweredMeanwhile(Exception):
    """Another run was given the answer while this one waited for its turn."""


class _Kept:
    """A page that is not modified: read from the archive only when somebody looks into it, on most nights nobody."""

    def __init__(self, archive: Archive, ref: SnapshotRef, url: str) -> None:
        self._archive = archive
        self._ref = ref
        self._page: StoredPage | None = None
        self.url = url

    def _read(self) -> StoredPage:
        """Raises ContractBroken where it is damaged."""
        self._page = self._page or self._archive.load(self._ref)
        return self._page

    @property
    def body(self) -> bytes:
        return self._read().body

    @property
    def content_type(self) -> str | None:
        return self._read().content_type


class Asker:
    """Asks on behalf of one source in one run."""

    def __init__(
        self,
        result: CrawlResult,
        client: Client,
        archive: Archive,
        known: Mapping[str, Known],
        run: RunState,
        *,
        in_full: bool = False,
    ) -> None:
        self.result = result
        self.source = result.source
        self.client = client
        self.archive = archive
        self.known = {document_key(url): entry for url, entry in known.items()}
        self.run = run
        self.in_full = in_full
        """Whether pages and attachments are asked for without validators, whatever is known of them."""
        self._hosts = frozenset(self.source.hosts)
        self._tls = tls_exception(self.source)
        self._quiet_hours = self.source.politeness.quiet_hours
        self._budget = self.source.politeness.daily_budget
        self.answered = dict(run.journal.recall(self.source.id))
        self.n_lost = 0
        self.n_unasked: dict[str, int] = {}
        """Host -> addresses that were left alone after a challenge."""
        self._unwritten: Awaitable[None] = DONE
        """Done when the journal has the last answer that nobody looks into: before the next address is asked for."""
        self.put_off = ""
        """Why the rest waits for a later run; empty while it does not."""

    def known_of(self, url: str) -> Known | None:
        return self.known.get(document_key(url))

    async def ask(self, url: str, kind: str, *, in_full: bool = False, is_read: bool = False) -> Answer:
        """The page at an address. `in_full`: without validators, whatever is known of it; `is_read`: nobody will look
        into the page that is held, if it is not modified.

        Raises SourceError as the client does, and Deferred without a request in the source's quiet hours."""
        known = self.known_of(url)
        before = known.snapshot if known is not None and not known.is_gone else None
        in_full |= self.in_full and kind in ("page", "attachment")
        validators = None
        if known is not None and before is not None and not in_full:
            validators = Validators(known.etag, known.last_modified)
        fetch = None
        while fetch is None:
            resumed = self._take_back(url, kind, before, known, in_full=in_full)
            if resumed is not None:
                return resumed
            with suppress(_AnsweredMeanwhile):
                fetch = await self._fetch(url, kind, validators, looks_again=True)
        if fetch.not_modified and before is not None:
            is_read |= kind == "page" and not (known is not None and known.attachments)
            kept = self._held(before, fetch, is_read=is_read)
            if kept is not None:
                seen = self._seen(url, kind, fetch, before, "not_modified", known)
                self._unwritten = self._settle(seen)
                return Answer(seen, kept)
            # Its raw page is lost or damaged, and the server would say `not modified` every night.
            before, fetch = None, await self._fetch(url, kind, None)
        if before is not None and before.sha256 == fetch.sha256 and self._load(before) is None:
            before = None  # the same bytes, but what is kept of them cannot be read: they are kept anew
        if before is not None and before.sha256 == fetch.sha256:
            snapshot, outcome = before, "same_bytes"
        else:
            snapshot, outcome = await self.archive.keep(fetch, source=self.source.id), "changed" if before else "new"
        seen = self._seen(url, kind, fetch, snapshot, outcome, known)
        await self._settle(seen)
        stored = StoredPage(fetch.body, fetch.content_type, fetch.final_url, fetch.fetched_at, fetch.status)
        return Answer(seen, stored)

    def count(self, answer: Answer, *, keep: bool = True) -> None:
        self.result.count(answer.seen, keep=keep)

    def reject(self, answer: Answer, error: SourceError) -> None:
        """Fetched, but not what it should be: asked for again, in full, until it can be read."""
        self.count(answer, keep=False)
        if answer.seen.kind == "page":
            self.result.unreadable.append(answer.seen)
        self.result.rejected += answer.seen.outcome not in ("not_modified", "same_bytes")
        self.miss(answer.seen.url, answer.seen.kind, error)

    def fail(self, url: str, kind: str, error: SourceError) -> None:
        """Count an address that could not be had. What is only put off, or behind a challenge, is told once."""
        if isinstance(error, Deferred):
            self.result.deferred += 1
            self.put_off = self.put_off or str(error)
        elif isinstance(error, Blocked) and error.status is None:  # not asked: the client has ended the host's lane
            self.result.blocked += 1
            host = host_of(url)
            self.n_unasked[host] = self.n_unasked.get(host, 0) + 1
        else:
            self.result.fail(url, error)
            self._note_missed(url, kind, error)

    def miss(self, url: str, kind: str, error: SourceError) -> None:
        """Note the failure of an address that is counted already."""
        self.result.failures.append(Failure(url, error.code, str(error)))
        self._note_missed(url, kind, error)

    async def finish(self) -> None:
        """Returns when all that was answered is written down."""
        unwritten, self._unwritten = self._unwritten, DONE
        await unwritten

    def tell(self) -> None:
        """Put into words what happened to many addresses alike."""
        notes = self.result.notes
        for host, count in self.n_unasked.items():
            notes.append(f"{host}: lane ended after a challenge page; {count} pages not asked for")
        if self.put_off:
            notes.append(f"{self.result.deferred} pages wait for a later run: {self.put_off}")
        if self.n_lost:
            notes.append(f"{self.n_lost} raw pages are missing or damaged in the archive and were fetched again")
        if self.result.resumed:
            told = "answers to other runs, which did not end or are under way, were taken from the archive"
            notes.append(f"{self.result.resumed} {told}")

    def _note_missed(self, url: str, kind: str, error: SourceError) -> None:
        known = self.known_of(url)
        n_failed = (known.n_failed if known is not None else 0) + 1
        now = self.run.now()
        missed = Missed(url, kind, error.code, error.status, n_failed, now, next_due(n_failed, now))
        self.result.missed.append(missed)

    async def _fetch(self, url: str, kind: str, validators: Validators | None, *, looks_again: bool = False) -> Fetch:
        """`looks_again`: raises _AnsweredMeanwhile where another run has the answer by the time that it is our turn."""
        self._check_hours(url)

        async def may_ask() -> None:
            await self.finish()
            self._check_hours(url)
            if looks_again and self._has_news_of(url):
                raise _AnsweredMeanwhile
            self.run.journal.begin(self.source.id, url, kind)

        try:
            with daily_budget(self._budget) if self._budget is not None else _NO_BUDGET:
                return await self.client.fetch(
                    url,
                    hosts=self._hosts,
                    kind=kind,
                    validators=validators,
                    delay=self.source.politeness.delay_seconds,
                    tls=self._tls,
                    may_ask=may_ask,
                )
        except Gone as error:
            now = self.run.now()
            await self.run.journal.settle(self.source.id, Answered(url, kind, "gone", error.status or 404, now))
            raise
        except SourceError as error:
            await self.run.journal.fail(self.source.id, url, kind, error.code)
            raise

    def _has_news_of(self, url: str) -> bool:
        news = self.run.journal.news(self.source.id)
        if news:
            self.answered.update(news)
        return bool(self.answered) and document_key(url) in self.answered

    def _check_hours(self, url: str) -> None:
        until = quiet_until(self._quiet_hours, self.run.now()) if self._quiet_hours else None
        if until is not None:
            raise Deferred(
                f"{self.source.id} has quiet hours until {until.astimezone(SHANGHAI):%Y-%m-%d %H:%M} (Asia/Shanghai): "
                "run again after that",
                url=url,
            )

    def _take_back(
        self, url: str, kind: str, before: SnapshotRef | None, known: Known | None, *, in_full: bool
    ) -> Answer | None:
        """What another run has of an address, which in full is more than that it was not modified.

        Raises Gone where it had that answer."""
        answered = self.answered.pop(document_key(url), None) if self.answered else None
        if answered is None or answered.kind != kind or (in_full and answered.outcome == "not_modified"):
            return None
        if answered.snapshot is None:
            self.result.resumed += 1
            raise Gone(f"{url} answers {answered.status}: there is no such page", url=url, status=answered.status)
        stored = self._load(answered.snapshot)
        if stored is None:
            return None
        if answered.outcome == "not_modified" and before is not None:
            outcome = "not_modified"
        elif before is None:
            outcome = "new"
        else:
            outcome = "same_bytes" if before.sha256 == answered.snapshot.sha256 else "changed"
        seen = Seen(
            url, kind, answered.etag, answered.last_modified, answered.snapshot, answered.status, outcome,
            answered.asked_at, is_resumed=True,
        )  # fmt: skip
        return Answer(_with_memory(seen, known), stored)

    def _load(self, ref: SnapshotRef) -> StoredPage | None:
        try:
            return self.archive.load(ref)
        except ContractBroken:
            self.n_lost += 1
            return None

    def _held(self, ref: SnapshotRef, fetch: Fetch, *, is_read: bool) -> RawPage | None:
        """What is kept of an address that is not modified; None where that is lost.

        Reading each page of a quiet night would cost more than asking for it. Of a page that nobody will look into
        only the file is looked for; what is damaged inside one, `fazhi archive verify` finds."""
        if not is_read:
            return self._load(ref)
        if self.archive.has(ref):
            return _Kept(self.archive, ref, fetch.final_url)
        self.n_lost += 1
        return None

    def _settle(self, seen: Seen) -> Awaitable[None]:
        answered = Answered(
            url=seen.url,
            kind=seen.kind,
            outcome="not_modified" if seen.outcome == "not_modified" else "ok",
            status=seen.status,
            asked_at=seen.seen_at,
            etag=seen.etag,
            last_modified=seen.last_modified,
            snapshot=seen.snapshot,
        )
        return self.run.journal.settle(self.source.id, answered)

    @staticmethod
    def _seen(url: str, kind: str, fetch: Fetch, snapshot: SnapshotRef, outcome: str, known: Known | None) -> Seen:
        if known is None:
            return Seen(url, kind, fetch.etag, fetch.last_modified, snapshot, fetch.status, outcome, fetch.fetched_at)
        # A 304 may leave its validators out: the stored ones stay good (RFC 9111, 4.3.4).
        etag = fetch.etag or (known.etag if fetch.not_modified else None)
        modified = fetch.last_modified or (known.last_modified if fetch.not_modified else None)
        return Seen(
            url, kind, etag, modified, snapshot, fetch.status, outcome, fetch.fetched_at, False, known.text_hash,
            known.title, known.listed_date, known.found_on, known.walked_at,
        )  # fmt: skip


def _with_memory(seen: Seen, known: Known | None) -> Seen:
    if known is None:
        return seen
    return seen._replace(
        text_hash=known.text_hash,
        title=known.title,
        listed_date=known.listed_date,
        found_on=known.found_on,
        walked_at=known.walked_at,
    )
