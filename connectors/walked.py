"""One list while it is walked: how far that has come, and whether it is the end.

Where a list ends is told by what its pages hold, whatever the pager promises:

- A page whose rows are all those of an earlier page ends it: servers answer so beyond the last page. Rows are the
  same where they have the same address, or the same path, title and day under another query: a session mark or a
  counter makes new addresses of old rows.
- Two pages in a row that bring no new address end it: a calendar, a circle, links that lead round. One alone does not,
  for lists move on while they are read. A page of which every row has the title and the day of a row of one earlier
  page, and the other way round, brings none, whatever its addresses: servers make up paths as well as queries.
- A page without any row in mid-list is asked for once more, in full. Two in a row that stay empty end the list, but
  for a service that leads on to smaller ranges (TrueCMS answers empty where a range fails): that may go on for as
  many pages as it takes to halve a range of a thousand.
- A page that cannot be had says nothing about the end: the walk goes on with the pages that others lead to. Three in
  a row end it, for the host is in trouble. The list's own first page must be had.
- While a list lacks rows that it says it has, it is read on for one page more.

On a list that was walked to its end some days ago the walk stops where `overlap_pages` pages in a row hold nothing
new, so entries put in late, with an older day, are found behind the newest; and only if the rows known make up the
total that the list states. What lies behind is walked again every `whole_days` days. Rows that a walk did not come to,
for this reason or another, are taken from memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from connectors.crawled import Known
from connectors.urls import document_key

MAX_BARREN = 2
MAX_UNREAD = 3
ECHO_ROWS = 3
"""Different titles or days, from which a page can be told by them alone."""
MAX_HALVINGS = 10
MAX_PAGES = 5000
"""Pages of one list. No evidence but the end of our patience: it is told as a finding."""


@dataclass(frozen=True, slots=True)
class Gain:
    """What a page of a list brought."""

    is_fresh: bool
    """An address that the walk had not met."""
    is_news: bool
    """An address, or a title, that memory lacks."""
    is_repeat: bool
    """The rows of an earlier page."""
    leads_on: bool
    """No row, but list pages that nobody had promised: a service names smaller ranges."""


@dataclass(slots=True)
class Walk:
    """One list while it is read."""

    start: str
    remembered: dict[str, Known]
    is_recent: bool
    """It was walked to its end lately."""
    max_pages: int = MAX_PAGES
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
    unread: int = 0
    """Pages in a row that could not be had."""
    has_gap: bool = False
    """A page stayed empty: the end of the list, or a hole in it if another page has rows."""
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

    def has_ended(self, gain: Gain) -> bool:
        if self.n_asked >= self.max_pages:
            return True
        if gain.is_fresh or self.n_asked == 1:
            self.barren = 0
            self.is_whole &= not self.has_gap
            return False
        self.barren += 1
        if gain.leads_on:
            return self.barren > MAX_HALVINGS
        patience = MAX_BARREN + 1 if self.lacks_rows() else 1 if gain.is_repeat else MAX_BARREN
        return self.barren >= patience

    def may_stop(self, gain: Gain, overlap_pages: int) -> bool:
        """Whether the rest of the list may be taken from memory."""
        self.familiar = 0 if gain.is_news else self.familiar + 1
        if not self.is_recent or not self.queue or self.familiar < overlap_pages:
            return False
        if self.stated is not None and len(self.found | self.remembered.keys()) < self.stated:
            return False
        self.is_whole = False
        return True
