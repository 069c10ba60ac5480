"""What reading documents again from the archive leaves behind: the mark that it was done, and what it changed."""

from __future__ import annotations

from sqlalchemy import Integer, String, Table, Text, UniqueConstraint

from warehouse.columns import Quantity, UtcDateTime, field, key_column, reference
from warehouse.schema_dims import metadata

document_reading = Table(
    "document_reading",
    metadata,
    key_column("reading_key", "Hash of document_id."),
    field("document_id", String, "Document."),
    field("extractor_version", String, "Extraction that read all its versions from the archive."),
    field("catalogue_version", String, "Catalogue with which it read them."),
    field("run_id", String, "Run that last changed this mark.", audit=True),
    field("read_at", UtcDateTime, "When.", audit=True),
    UniqueConstraint("document_id"),
    comment="One row per document that was read again from the archive: the next reparse by the same extraction and "
    "catalogue passes it over.",
)

fact_reparse_change = Table(
    "fact_reparse_change",
    metadata,
    key_column("change_key", "Hash of run, document and position."),
    reference("source_key", "dim_source.source_key", "Source."),
    field("run_id", String, "Run.", index=True),
    field("document_id", String, "Document."),
    field("position", Integer, "Number of the change within its document and run."),
    field("kind", String, "`added`, `removed` or `changed`."),
    field("metric_code", String, "Code of the metric."),
    field("period", String, "Period of the figure: `YYYY`, or months."),
    field("status", String, "As in fact_observation."),
    field("scope", String, "Who, as stated; empty for the whole."),
    field("dimension", String, "Which kind, as stated; empty for all."),
    field("unit_code", String, "Unit of both values."),
    field("old_value", Quantity, "Value before; NULL where the figure was added.", null=True),
    field("new_value", Quantity, "Value now; NULL where the figure was removed.", null=True),
    field("quote", Text, "The sentence: as read now, or as it was where the figure was removed."),
    field("accepted", Text, "Reason given for going beyond the thresholds; empty where they held."),
    field("changed_at", UtcDateTime, "When."),
    UniqueConstraint("run_id", "document_id", "position"),
    comment="One row per figure that reading a document again from the archive has added, removed or changed.",
)
