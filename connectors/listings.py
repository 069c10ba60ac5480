"""What was read of list pages, kept for the nights on which they are the same bytes.

To read a list page costs as much as to ask for several pages, and on most nights most lists are not modified. What is
kept holds for one archived answer, one state of the code that reads lists and one state of the source's file: where
any of them differs, the page is read anew.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

from connectors.base import Listing, PageRef
from connectors.crawled import UNCHANGED, Answer, Known
from connectors.frontier import Journal
from connectors.registry import Source
from connectors.urls import document_key

_ROOT = Path(__file__).resolve().parent
_READERS = (_ROOT, _ROOT / "engines", _ROOT.parent / "extraction")
"""Folders of the code that turns bytes into rows."""


@dataclass(frozen=True, slots=True)
class Held:
    """What an archived list page says, as an earlier run read it."""

    content_type: str | None
    listing: Listing

    def holds_for(self, answer: Answer) -> bool:
        """Whether the answer is the page that was read. The same bytes may be sent under another charset."""
        outcome = answer.seen.outcome
        return outcome in UNCHANGED and (outcome == "not_modified" or answer.stored.content_type == self.content_type)


class Listings:
    """The kept listings of one source."""

    def __init__(self, source: Source, journal: Journal) -> None:
        self._source_id = source.id
        self._journal = journal
        self._reader = hashlib.sha256(f"{_code()} {source.model_dump_json()}".encode()).hexdigest()[:32]
        self._texts = journal.listings(source.id)

    def recall(self, known: Known | None) -> Held | None:
        """What is kept of the page that is held of an address."""
        if known is None or known.snapshot is None or known.kind != "list" or known.is_gone:
            return None
        key, _, text = self._texts.get(document_key(known.url), "").partition(" ")
        if key != self._key(known.snapshot.sha256):
            return None
        content_type, rows, more, total, foreign = json.loads(text)
        return Held(content_type, Listing(tuple(PageRef(*row) for row in rows), tuple(more), total, tuple(foreign)))

    def keep(self, answer: Answer, listing: Listing) -> None:
        """Kept soon; not where a row carries a whole body, as a feed's do: that is read from the page itself."""
        seen = answer.seen
        if seen.kind != "list" or any(ref.inline_html is not None for ref in listing.refs):
            return
        rows = [(ref.url, ref.title, ref.listed_date) for ref in listing.refs]
        said = [answer.stored.content_type, rows, listing.more, listing.stated_total, listing.foreign]
        text = f"{self._key(seen.snapshot.sha256)} {json.dumps(said, separators=(',', ':'))}"
        self._journal.keep_listing(self._source_id, seen.url, text)

    def _key(self, sha256: str) -> str:
        return f"{self._reader}-{sha256}"


@cache
def _code() -> str:
    """Identity of the code that reads lists."""
    digest = hashlib.sha256(version("lxml").encode())
    for path in sorted(path for folder in _READERS for path in folder.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
