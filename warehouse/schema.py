"""Facts, the bridge, the crawl's memory and the quarantine. Table comments state the grain."""

from __future__ import annotations

from sqlalchemy import Boolean, Date, Index, Integer, String, Table, Text, UniqueConstraint

from warehouse.columns import BigKey, Quantity, UtcDateTime, field, key_column, reference
from warehouse.schema_dims import DIMENSIONS, dim_document, document_text, metadata
from warehouse.schema_reparse import document_reading, fact_reparse_change

fact_observation = Table(
    "fact_observation",
    metadata,
    key_column("observation_key", "Hash of the natural key."),
    reference("document_key", "dim_document.document_key", "Document version that states it."),
    reference("metric_key", "dim_metric.metric_key", "What is counted, by the catalogue of its load."),
    reference("unit_key", "dim_unit.unit_key", "Canonical unit of the value."),
    reference("period_key", "dim_period.period_key", "Period that the figure covers."),
    reference("as_of_date_key", "dim_date.date_key", "Cut-off of a part-year figure; -2 for a whole period."),
    reference("region_key", "dim_region.region_key", "Region on the document's day."),
    reference("agency_key", "dim_agency.agency_key", "Body that reports; -2: the region's government."),
    reference("source_key", "dim_source.source_key", "Source on the document's day."),
    reference("published_date_key", "dim_date.date_key", "Day on which it was stated."),
    field("value_num", Quantity, "Canonical value: percent 0-100, yuan, counts.", null=True),
    field("value_low", Quantity, "Bound that the words state.", null=True),
    field("value_high", Quantity, "Bound that the words state.", null=True),
    field("qualifier", String, "`exact`, `approx`, `approx_more`, `at_least`, `at_most`."),
    field("status", String, "`actual`, `prior_period`, `cumulative`, `target`."),
    field("value_text", Text, "The figure as written."),
    field("unit_zh", String, "Classifier as written; empty where there is none."),
    field("as_of", String, "`YYYY-MM-DD` or `YYYY-MM` as read.", null=True),
    field("scope", String, "Who, as stated; empty for the whole."),
    field("whole_scope", String, "Scope, empty where the words mean the whole area: what groups statements."),
    field("dimension", String, "Which kind, as stated; empty for all."),
    field("span_start", Integer, "First code point of `value_text` in the text."),
    field("span_end", Integer, "One past the last."),
    field("quote", Text, "The sentence around it, verbatim."),
    field("quote_start", Integer, "First code point of `quote`."),
    field("breakdown_of_key", BigKey, "Observation of the total that this is a part of; -2 for none."),
    field("share_percent", Quantity, "Share of a parent, as stated.", null=True),
    field("share_of", String, "That parent.", null=True),
    field("yoy_percent", Quantity, "Change on the year before in percent, signed, as stated.", null=True),
    field("yoy_text", Text, "That change as written.", null=True),
    field("yoy_change", Quantity, "Change on the year before in units, as stated.", null=True),
    field("is_derived", Boolean, "Implied by the text, not stated."),
    field("is_damaged", Boolean, "Characters around it are lost."),
    field("position", Integer, "Order in the document."),
    field("evidence", Text, "Words and rule that led to the metric."),
    field("extractor_version", String, "Extraction that read it.", audit=True),
    reference("load_key", "dim_load.load_key", "Load that brought it.", audit=True),
    UniqueConstraint(
        "document_key", "span_start", "span_end", "metric_key", "period_key", "status", "scope", "dimension",
        "is_derived",
    ),
    comment="One row per number as stated: document version × span × metric (and, where one numeral is said of "
    "several, scope, dimension, period and status).",
)  # fmt: skip

fact_mention = Table(
    "fact_mention",
    metadata,
    key_column("mention_key", "Hash of the natural key."),
    reference("document_key", "dim_document.document_key", "Document version."),
    field("span_start", Integer, "First code point in the text."),
    field("span_end", Integer, "One past the last."),
    field("value_text", Text, "As written, from the first digit to the end of the unit."),
    field("value_num", Quantity, "Value with 万 and 亿 multiplied out.", null=True),
    field("value_low", Quantity, "Bound that the words state.", null=True),
    field("value_high", Quantity, "Bound that the words state.", null=True),
    field("unit_zh", String, "Bare classifier as written; empty where there is none."),
    field("numeral", String, "`arabic` or `han`."),
    field("qualifier", String, "As in fact_observation."),
    field("is_damaged", Boolean, "Characters around it are lost."),
    field("n_observations", Integer, "Observations that claim it; 0: a number without a metric."),
    reference("load_key", "dim_load.load_key", "Load that brought it.", audit=True),
    UniqueConstraint("document_key", "span_start", "span_end"),
    comment="One row per numeric quantity in a document version, whether or not a metric claims it.",
)

fact_metric_value = Table(
    "fact_metric_value",
    metadata,
    key_column("value_key", "Hash of the natural key."),
    reference("region_key", "dim_region.region_key", "Region, its current version."),
    reference("agency_key", "dim_agency.agency_key", "Body that reports; -2: the region's government."),
    reference("metric_key", "dim_metric.metric_key", "Metric, its current version."),
    reference("period_key", "dim_period.period_key", "Period."),
    field("basis", String, "`period`, or `cumulative` (since a start before the period)."),
    field("scope", String, "Part of the authority, as stated; empty for the whole."),
    field("dimension", String, "Kind, as stated; empty for all."),
    reference("observation_key", "fact_observation.observation_key", "The chosen statement.", index=True),
    reference("document_key", "dim_document.document_key", "Where it stands."),
    reference("unit_key", "dim_unit.unit_key", "Unit."),
    reference("as_of_date_key", "dim_date.date_key", "Cut-off where only a part-year figure is known."),
    reference("published_date_key", "dim_date.date_key", "Day on which it was stated."),
    field("value_num", Quantity, "The chosen value."),
    field("value_low", Quantity, "Bound that the words state.", null=True),
    field("value_high", Quantity, "Bound that the words state.", null=True),
    field("qualifier", String, "As in fact_observation."),
    field("status", String, "Status of the chosen statement; `target` only where nothing else is known."),
    field("chosen_by", String, "Class that won: `final`, `later_report`, `part_year` or `forecast`."),
    field("n_statements", Integer, "Statements considered."),
    field("n_documents", Integer, "Documents that state it."),
    field("n_values", Integer, "Different exact whole-period values among them."),
    field("is_disputed", Boolean, "Two different final values."),
    reference("load_key", "dim_load.load_key", "Load that last changed it.", audit=True),
    UniqueConstraint("region_key", "agency_key", "metric_key", "period_key", "basis", "scope", "dimension"),
    comment="One row per region × agency × metric × period × breakdown: the chosen value. Rebuilt, never edited.",
)

fact_check = Table(
    "fact_check",
    metadata,
    key_column("check_key", "Hash of the natural key."),
    field("subject_kind", String, "`document`, or `region_period` (across documents)."),
    field("subject_id", String, "document_key, or region/agency/period."),
    field("evidence_id", String, "Hash of the figures that the rule used and its formula."),
    reference("rule_key", "dim_rule.rule_key", "Rule."),
    reference("document_key", "dim_document.document_key", "Document version; -2 across documents.", index=True),
    reference("region_key", "dim_region.region_key", "Region.", index=True),
    reference("agency_key", "dim_agency.agency_key", "Body that reports."),
    reference("period_key", "dim_period.period_key", "Period checked; -2 where it has none."),
    field("verdict", String, "`holds`, `truncated`, `fails`, `differs`, `not_applicable`."),
    field("is_explained", Boolean, "Differs, because one of the figures covers only part of its year: no error."),
    field("expected", Quantity, "What the rule asks for.", null=True),
    field("actual", Quantity, "What is stated.", null=True),
    field("tolerance", Quantity, "Allowed difference.", null=True),
    field("n_checked", Integer, "Figures that the rule looked at."),
    field("formula", Text, "The rule with its figures filled in."),
    field("message_zh", Text, "Finding."),
    field("message_en", Text, "Finding in English."),
    reference("load_key", "dim_load.load_key", "Load that last changed it.", audit=True),
    UniqueConstraint("subject_kind", "subject_id", "rule_key", "evidence_id"),
    comment="One row per validation rule × subject × figures used; a subject is a document version, or a region "
    "and period across documents.",
)

bridge_check_observation = Table(
    "bridge_check_observation",
    metadata,
    key_column("bridge_key", "Hash of check and observation."),
    reference("check_key", "fact_check.check_key", "The check."),
    reference("observation_key", "fact_observation.observation_key", "A figure it used.", index=True),
    field("position", Integer, "Order in the formula."),
    UniqueConstraint("check_key", "observation_key"),
    comment="One row per check × observation: a sum has many parts.",
)

fact_fetch = Table(
    "fact_fetch",
    metadata,
    key_column("fetch_key", "Hash of the natural key."),
    reference("source_key", "dim_source.source_key", "Source."),
    field("run_id", String, "Run.", index=True),
    field("url", Text, "Address asked."),
    field("attempt", Integer, "1, 2, … for one address in one run."),
    field("kind", String, "`list`, `page`, `feed`, `attachment`."),
    field("started_at", UtcDateTime, "When."),
    field("status", Integer, "HTTP status; NULL where no answer came.", null=True),
    field("outcome", String, "`ok`, `not_modified`, `same_bytes`, `same_text` or an issue code."),
    field("is_conditional", Boolean, "A validator was sent."),
    field("robots", String, "`allowed`, `denied`, `unknown`, `not_asked`."),
    field("n_bytes", Integer, "Bytes read."),
    field("elapsed_ms", Integer, "Milliseconds."),
    field("message", Text, "One line where it failed."),
    field("evidence", Text, "Of a block: status, mark, size and server; else empty."),
    field("tls", Text, "Exception from TLS that its source states, with the reason; empty where there is none."),
    field("snapshot_file", String, "Archive file.", null=True),
    field("snapshot_offset", Integer, "Where in the file.", null=True),
    field("snapshot_length", Integer, "How long.", null=True),
    UniqueConstraint("run_id", "source_key", "url", "started_at", "attempt"),
    comment="One row per HTTP attempt.",
)

fact_source_run = Table(
    "fact_source_run",
    metadata,
    key_column("source_run_key", "Hash of run and source."),
    reference("source_key", "dim_source.source_key", "Source.", index=True),
    field("run_id", String, "Run."),
    field("status", String, "`ok` or `failed`."),
    field("started_at", UtcDateTime, "Start."),
    field("finished_at", UtcDateTime, "End."),
    field("n_planned", Integer, "Pages to ask for."),
    field("n_fetched", Integer, "Pages that came."),
    field("n_unchanged", Integer, "Pages that had not changed: not modified, same bytes, or still gone."),
    field("n_not_modified", Integer, "Of these, those of which the server said so (304)."),
    field("n_same_bytes", Integer, "Of these, those that came in full with the same bytes."),
    field("n_same_text", Integer, "Of the pages that came, those with other bytes and the same text."),
    field("n_new", Integer, "Documents never seen before."),
    field("n_changed", Integer, "Documents with a new text."),
    field("n_updated", Integer, "Documents with the same text and other particulars."),
    field("n_gone", Integer, "Documents whose address answers no more."),
    field("n_blocked", Integer, "Pages withheld by a challenge or robots.txt."),
    field("n_failed", Integer, "Pages that could not be had."),
    field("n_deferred", Integer, "Pages left for a later run: quiet hours, a day's budget."),
    field("n_resumed", Integer, "Answers taken from the archive, which an interrupted run had got."),
    field("n_rejected", Integer, "Pages that came and could not be read."),
    field("n_observations", Integer, "Observations inserted."),
    field("n_mentions", Integer, "Mentions inserted."),
    field("n_quarantined", Integer, "Rows set aside."),
    field("failures", Text, "JSON list of lines for a person."),
    field("findings", Text, "JSON list: shortfalls of lists, empty list pages, what was left."),
    reference("load_key", "dim_load.load_key", "Load; -2 where nothing changed."),
    UniqueConstraint("run_id", "source_key"),
    comment="One row per source × run.",
)

fact_document_progress = Table(
    "fact_document_progress",
    metadata,
    key_column("document_key", "The document version.", "dim_document.document_key"),
    reference("source_key", "dim_source.source_key", "Source."),
    field("discovered_at", UtcDateTime, "First seen in a list.", null=True),
    field("fetched_at", UtcDateTime, "Fetched."),
    field("parsed_at", UtcDateTime, "Cleaned and parsed.", null=True),
    field("loaded_at", UtcDateTime, "Published here."),
    field("published_lag_days", Integer, "Days from publication to fetch; NULL without a date.", null=True),
    field("load_lag_seconds", Integer, "Seconds from fetch to publish."),
    reference("load_key", "dim_load.load_key", "Load."),
    comment="One row per document version (accumulating snapshot): its way through the house.",
)

document_sighting = Table(
    "document_sighting",
    metadata,
    key_column("sighting_key", "Hash of document_id, seen_at and text_hash."),
    field("document_id", String, "Document."),
    field("seen_at", UtcDateTime, "When the page was fetched and read."),
    field("text_hash", String, "Text it had; empty where its address answered 404 or 410."),
    UniqueConstraint("document_id", "seen_at", "text_hash"),
    comment="One row per time that a document was read or found gone. Versions are folded from these rows, so "
    "they do not depend on the order of loading.",
)

member_state = Table(
    "member_state",
    metadata,
    key_column("state_key", "Hash of kind, natural key and content."),
    field("kind", String, "`source`, or `catalogue` (units, metrics and rules together)."),
    field("natural_key", String, "source_id; `catalogue`.", index=True),
    field("content", Text, "JSON: the columns of its dimension rows."),
    comment="One row per state in which a source or the catalogue was ever seen.",
)

member_sighting = Table(
    "member_sighting",
    metadata,
    key_column("member_sighting_key", "Hash of state and day."),
    reference("state_key", "member_state.state_key", "How it was."),
    field("day", Date, "Day (UTC)."),
    field("first_seen_at", UtcDateTime, "First load of that day that saw it so."),
    field("last_seen_at", UtcDateTime, "Last load of that day."),
    UniqueConstraint("state_key", "day"),
    comment="One row per state × day on which it was seen. Versions of sources and metrics are folded from these "
    "rows, so they do not depend on the order of loading.",
)

page = Table(
    "page",
    metadata,
    key_column("page_key", "Hash of source_id and URL."),
    field("source_id", String, "Source.", index=True),
    field("url", Text, "Address."),
    field("kind", String, "`list`, `page`, `feed`, `attachment`."),
    field("document_id", String, "Document, for detail pages.", null=True),
    field("title", Text, "Title in the list row.", null=True),
    field("listed_date", String, "Date in the list row.", null=True),
    field("found_on", Text, "Start page of the list that names it.", null=True),
    field("etag", Text, "Validator.", null=True),
    field("last_modified", Text, "Validator.", null=True),
    field("bytes_hash", String, "Hash of the last answer with a body.", null=True),
    field("snapshot_file", String, "Archive file.", null=True),
    field("snapshot_offset", Integer, "Where in the file.", null=True),
    field("snapshot_length", Integer, "How long.", null=True),
    field("snapshot_sha256", String, "Hash of the archived bytes.", null=True),
    field("text_hash", String, "Hash of what was read of it: text, or rows of a list.", null=True),
    field("last_status", Integer, "HTTP status of the last attempt.", null=True),
    field("last_outcome", String, "Outcome of the last attempt; `listed` before the first."),
    field("state", String, "`known` (listed, never asked), `active`, `failed`, `gone`, `rejected`."),
    field("n_failed", Integer, "Failures in a row."),
    field("due_at", UtcDateTime, "When it may be asked again; NULL: in the next run.", null=True),
    field("walked_at", UtcDateTime, "Start pages: when the list was last read to its end.", null=True),
    field("first_seen_at", UtcDateTime, "First time."),
    field("last_seen_at", UtcDateTime, "Last time."),
    UniqueConstraint("source_id", "url"),
    comment="One row per source × address: the frontier between runs. Written with the batch, so it never promises "
    "what was not loaded; what a killed run had got is in the archive and in the crawl's own state.",
)

quarantine = Table(
    "quarantine",
    metadata,
    key_column("quarantine_key", "Hash of document version, table, reason and payload."),
    reference("source_key", "dim_source.source_key", "Source."),
    field("document_id", String, "Document.", index=True),
    field("text_hash", String, "Version."),
    field("target", String, "Table that the row was meant for."),
    field("test", String, "Data test that it failed."),
    field("reason", Text, "What is wrong, one line."),
    field("way_back", Text, "What to mend so that the row can be loaded."),
    field("payload", Text, "The row, JSON."),
    field("run_id", String, "Run that first met it."),
    field("quarantined_at", UtcDateTime, "When."),
    field("tried_at", UtcDateTime, "When its document was last read again.", null=True),
    field("resolved_at", UtcDateTime, "When its document passed; NULL while it waits.", null=True),
    reference("resolved_load_key", "dim_load.load_key", "Load that brought what passed; -2 while it waits."),
    comment="One row per row that failed a data test: counted, kept, never dropped.",
)

Index("ix_fact_check_verdict", fact_check.c.verdict)
Index("ix_dim_document_authority", dim_document.c.region_key, dim_document.c.agency_key)

BULK = (fact_observation, fact_mention, fact_check, bridge_check_observation, fact_metric_value)
"""The large tables. An engine would check a dozen references of each row one by one (PostgreSQL at five times the cost
of the row itself) and look through these tables for each member that goes. So their references are no constraints of
the database: each load checks them set by set before it publishes (`warehouse.bulk`), and `fazhi check` all of them."""

for _table in BULK:
    _table.info["bulk"] = True
    for _link in _table.foreign_key_constraints:
        _link.ddl_if(callable_=lambda *_about, **_more: False)


CONTENT = (
    document_text,
    dim_document,
    fact_observation,
    fact_mention,
    fact_check,
    bridge_check_observation,
    fact_metric_value,
)
"""What sources say and what follows from it: the tables behind `fingerprint`."""

STAR = (*DIMENSIONS, *(t for t in CONTENT if t not in DIMENSIONS), fact_document_progress)
"""What a release carries."""

LOG = (
    fact_fetch,
    fact_source_run,
    page,
    document_sighting,
    member_state,
    member_sighting,
    quarantine,
    document_reading,
    fact_reparse_change,
)
"""The crawl log and the quarantine: operators' tables, not in a release."""

__all__ = [
    "BULK",
    "CONTENT",
    "DIMENSIONS",
    "LOG",
    "STAR",
    "bridge_check_observation",
    "dim_document",
    "document_reading",
    "document_sighting",
    "document_text",
    "fact_check",
    "fact_document_progress",
    "fact_fetch",
    "fact_mention",
    "fact_metric_value",
    "fact_observation",
    "fact_reparse_change",
    "fact_source_run",
    "member_sighting",
    "member_state",
    "metadata",
    "page",
    "quarantine",
]
