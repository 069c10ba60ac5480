"""The input contract of the warehouse: what one source of one run hands over to be published.

Plain frozen data and `extraction.model.Parsed`; no SQL, no network types. Times are aware datetimes (any
zone, stored as UTC), texts are as cleaning left them, spans inside `parsed` point into `DocumentIn.text`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from extraction.model import Parsed

TextOrigin = Literal["page", "attachment"]
PageKind = Literal["list", "page", "feed", "attachment"]
RunStatus = Literal["ok", "failed"]


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A source as its YAML states it."""

    source_id: str
    """`<region code>_<pinyin>`, e.g. `640324_tongxin`."""
    name_zh: str
    name_en: str
    region_code: str
    """GB/T 2260 code, six digits; sandbox places are under 99."""
    engine: str
    hosts: tuple[str, ...] = ()
    is_sandbox: bool = False
    rhythm: str = "year"
    """How often a new report is expected, as the YAML says."""
    expected_month: int = 4
    """By the start of this month last year's report is public."""


@dataclass(frozen=True, slots=True)
class UnitRow:
    code: str
    zh: tuple[str, ...] = ()
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One metric of the catalogue."""

    code: str
    name_zh: str
    name_en: str
    section: str
    unit: str
    kind: str
    """`count`, `rate`, `amount`, …"""
    measure: str
    """`stock`, `flow` or `rate`."""
    tier: str = "core"
    definition: str = ""
    additive_over: tuple[str, ...] = ()
    """Over what values may be added: `place`, `period`. Empty for rates."""
    part_of: str | None = None
    plausible_low: Decimal | None = None
    plausible_high: Decimal | None = None


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One validation rule of the catalogue."""

    rule_id: str
    kind: str
    """`sum_equal`, `ratio`, `subset_le`, …"""
    formula: str
    name_zh: str = ""
    name_en: str = ""
    notes: str = ""


@dataclass(frozen=True, slots=True)
class CatalogueRows:
    """The catalogue as the warehouse keeps it. The same object may serve all batches of a run."""

    version: str
    units: tuple[UnitRow, ...]
    metrics: tuple[MetricRow, ...]
    rules: tuple[RuleRow, ...]

    def __hash__(self) -> int:
        """Of the version: all that is in it would take as long as to load a page."""
        return hash(self.version)


@dataclass(frozen=True, slots=True)
class SnapshotRef:
    """Where the raw answer lies in the archive."""

    file: str
    """Path relative to the archive folder."""
    offset: int
    length: int
    sha256: str


@dataclass(frozen=True, slots=True)
class DocumentIn:
    """One detail page as fetched and read. Missing is None, never an empty string."""

    document_id: str
    """The canonical URL without its scheme: http and https are one document."""
    url: str
    title: str | None
    published_at: str | None
    """ISO 8601 in +08:00, or a bare date."""
    fetched_at: datetime
    text: str
    """What was parsed: the body, or the attachment's text when the body is empty."""
    body: str = ""
    attachment_text: str = ""
    text_origin: TextOrigin = "page"
    published_from: str | None = None
    content_source: str | None = None
    publisher: str | None = None
    index_no: str | None = None
    document_no: str | None = None
    site_id_code: str | None = None
    is_report: bool = False
    report_year: int | None = None
    region_code: str | None = None
    """None: the source's region."""
    authority: str | None = None
    """The body the report speaks for, where that is not the government of the region itself."""
    text_map: tuple[object, ...] = ()
    """JSON-able map from the text back to the page."""
    attachments: tuple[tuple[str, str], ...] = ()
    """(URL, name)."""
    notes: tuple[str, ...] = ()
    removed_links: int = 0
    removed: tuple[tuple[int, str, str, str], ...] = ()
    """Injected and hidden passages: (position in the text or -1, `hidden` or `spam_link`, words, address)."""
    bytes_hash: str = ""
    snapshot: SnapshotRef | None = None
    discovered_at: datetime | None = None
    parsed_at: datetime | None = None
    parsed: Parsed | None = None
    """None for notices that are not annual reports."""


@dataclass(frozen=True, slots=True)
class PageState:
    """What the crawl remembers of one address; given back by `read.load_pages`."""

    url: str
    kind: PageKind
    source_id: str
    document_id: str | None = None
    """For detail pages: the document; None for lists and feeds."""
    etag: str | None = None
    last_modified: str | None = None
    snapshot: SnapshotRef | None = None
    bytes_hash: str | None = None
    last_status: int | None = None
    last_outcome: str = "ok"
    """`ok`, `not_modified`, `same_bytes`, `same_text`, an issue code of the error family, or `listed`: never asked."""
    state: Literal["known", "active", "failed", "gone", "rejected"] = "active"
    """Of a failed or merely listed page the warehouse keeps what it had: validators, snapshot, hashes."""
    first_seen_at: datetime | None = None
    """Kept from the first time by the warehouse, whatever a later batch says."""
    last_seen_at: datetime | None = None
    title: str | None = None
    """From the list row that led here; needed when the page itself answers 304."""
    listed_date: str | None = None
    found_on: str | None = None
    """Start page of the list that names it."""
    text_hash: str | None = None
    """Of what was read of it."""
    n_failed: int = 0
    """Failures in a row."""
    due_at: datetime | None = None
    """When it may be asked again; None: in the next run."""
    walked_at: datetime | None = None
    """Start pages: when the list was last read to its end."""


@dataclass(frozen=True, slots=True)
class FetchRow:
    """One HTTP attempt."""

    url: str
    attempt: int
    """1, 2, … for one URL in one run."""
    started_at: datetime
    outcome: str
    """`ok`, `not_modified`, `same_bytes`, `same_text`, or an issue code of the error family."""
    status: int | None = None
    n_bytes: int = 0
    elapsed_ms: int = 0
    robots: Literal["allowed", "denied", "unknown", "not_asked"] = "allowed"
    kind: PageKind = "page"
    is_conditional: bool = False
    """A validator (ETag, Last-Modified) was sent; `status` 304 says that it was honoured."""
    snapshot: SnapshotRef | None = None
    message: str = ""
    evidence: str = ""
    """What a block was recognised by, in one line."""
    tls: str = ""
    """The source's exception from TLS and its reason; empty: certificates are verified as usual."""
    answered_to: tuple[str, ...] = ()
    """Runs that did not end and have had it, where this one took it over: logged once, by whichever comes to it."""


@dataclass(frozen=True, slots=True)
class SourceCounts:
    """What the crawl counted. New and changed documents are counted by `publish`."""

    planned: int = 0
    fetched: int = 0
    unchanged: int = 0
    not_modified: int = 0
    same_bytes: int = 0
    same_text: int = 0
    blocked: int = 0
    failed: int = 0
    deferred: int = 0
    resumed: int = 0
    rejected: int = 0
    """Pages that were fetched and could not be read."""


@dataclass(frozen=True, slots=True)
class LoadBatch:
    """One source of one run. A failed source publishes its log (fetches, run row) and changes no content."""

    run_id: str
    source: SourceRow
    started_at: datetime
    finished_at: datetime
    catalogue: CatalogueRows
    extractor_version: str
    code_version: str
    documents: tuple[DocumentIn, ...] = ()
    pages: tuple[PageState, ...] = ()
    fetches: tuple[FetchRow, ...] = ()
    gone: tuple[str, ...] = ()
    """Documents whose address answered 404 or 410."""
    counts: SourceCounts = field(default_factory=SourceCounts)
    failures: tuple[str, ...] = ()
    """One line per failure, as shown to a person."""
    findings: tuple[str, ...] = ()
    """What else a person should know of the crawl: lists that lack rows, pages left for a later run."""
    status: RunStatus = "ok"
    is_crawl: bool = True
    """False: read again from the archive. There was no run of the source then, so none is noted."""
    is_part: bool = False
    """The source is still being crawled: its run is noted with the last batch."""
    before: LoadResult | None = None
    """What the parts of this run have brought, for its last batch."""

    @property
    def catalogue_version(self) -> str:
        return self.catalogue.version


@dataclass(frozen=True, slots=True)
class Reading:
    """The figures of a stored text, read again."""

    document_id: str
    text_hash: str
    parsed: Parsed


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What one publish changed. `inserted`, `updated`, `deleted` count content rows, never the crawl log."""

    source_id: str
    inserted: int
    updated: int
    deleted: int
    documents_new: int
    documents_changed: int
    documents_updated: int
    """Same text, other title, date or the like: updated in place."""
    documents_gone: int
    observations: int
    mentions: int
    checks: int
    quarantined: int
    checked: dict[str, int]
    """Data test -> how many rows it looked at."""
    load_key: int | None
    """None when nothing changed: then there is no `dim_load` row either."""
    values_changed: int = 0
    """Chosen values inserted, updated or deleted."""
    resolved: int = 0
    """Rows of the quarantine that passed now."""
    still_failing: int = 0
    """Rows of the quarantine that failed again."""

    @property
    def is_unchanged(self) -> bool:
        return self.inserted == self.updated == self.deleted == 0

    def after(self, before: LoadResult | None) -> LoadResult:
        """This batch and the parts before it, as one. Checks count what each of them looked at."""
        if before is None:
            return self
        sums = {
            one.name: getattr(before, one.name) + getattr(self, one.name)
            for one in fields(self)
            if one.name not in ("source_id", "checked", "load_key")
        }
        load_key = self.load_key if self.load_key is not None else before.load_key
        return replace(self, **sums, checked=add_counts(before.checked, self.checked), load_key=load_key)


def add_counts(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    """In the order of their names."""
    return {name: one.get(name, 0) + other.get(name, 0) for name in sorted({*one, *other})}
