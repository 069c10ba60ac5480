"""Reading again from the archive: which documents were, and which figures that changed.

Nothing is known of before: the first reparse reads every document that an older extraction read.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from warehouse.columns import BigKey, Quantity, UtcDateTime

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    _make_readings()
    _make_changes()


def _make_readings() -> None:
    told = (
        ("document_id", sa.String(), "Document."),
        ("extractor_version", sa.String(), "Extraction that read all its versions from the archive."),
        ("catalogue_version", sa.String(), "Catalogue with which it read them."),
        ("run_id", sa.String(), "Run that last changed this mark."),
        ("read_at", UtcDateTime(), "When."),
    )
    op.create_table(
        "document_reading",
        sa.Column("reading_key", BigKey, autoincrement=False, nullable=False, comment="Hash of document_id."),
        *(sa.Column(name, kind, nullable=False, comment=comment) for name, kind, comment in told),
        sa.PrimaryKeyConstraint("reading_key", name=op.f("pk_document_reading")),
        sa.UniqueConstraint("document_id", name=op.f("uq_document_reading_document_id")),
        comment="One row per document that was read again from the archive: the next reparse by the same extraction "
        "and catalogue passes it over.",
    )


def _make_changes() -> None:
    told = (
        ("run_id", sa.String(), "Run."),
        ("document_id", sa.String(), "Document."),
        ("position", sa.Integer(), "Number of the change within its document and run."),
        ("kind", sa.String(), "`added`, `removed` or `changed`."),
        ("metric_code", sa.String(), "Code of the metric."),
        ("period", sa.String(), "Period of the figure: `YYYY`, or months."),
        ("status", sa.String(), "As in fact_observation."),
        ("scope", sa.String(), "Who, as stated; empty for the whole."),
        ("dimension", sa.String(), "Which kind, as stated; empty for all."),
        ("unit_code", sa.String(), "Unit of both values."),
        ("old_value", Quantity(), "Value before; NULL where the figure was added."),
        ("new_value", Quantity(), "Value now; NULL where the figure was removed."),
        ("quote", sa.Text(), "The sentence: as read now, or as it was where the figure was removed."),
        ("accepted", sa.Text(), "Reason given for going beyond the thresholds; empty where they held."),
        ("changed_at", UtcDateTime(), "When."),
    )
    empty = ("old_value", "new_value")
    op.create_table(
        "fact_reparse_change",
        sa.Column(
            "change_key", BigKey, autoincrement=False, nullable=False, comment="Hash of run, document and position."
        ),
        sa.Column("source_key", BigKey, nullable=False, comment="Source."),
        *(sa.Column(name, kind, nullable=name in empty, comment=comment) for name, kind, comment in told),
        sa.ForeignKeyConstraint(
            ["source_key"], ["dim_source.source_key"], name=op.f("fk_fact_reparse_change_source_key")
        ),
        sa.PrimaryKeyConstraint("change_key", name=op.f("pk_fact_reparse_change")),
        sa.UniqueConstraint("run_id", "document_id", "position", name=op.f("uq_fact_reparse_change_run_id")),
        comment="One row per figure that reading a document again from the archive has added, removed or changed.",
    )
    op.create_index(op.f("ix_fact_reparse_change_run_id"), "fact_reparse_change", ["run_id"])
