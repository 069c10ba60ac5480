"""Documents say by which evidence their region and body were found.

The programs before took the region that was given or else the source's, and the body that the title named, and kept no
words: that is what their documents say until they are read again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from warehouse.columns import BigKey

revision = "0004"
down_revision = "0003"

NOT_APPLICABLE = -2
RESERVED = {-1: "(unknown)", -2: "(not applicable)"}
REQUIRED = ("region_rule", "region_confidence", "agency_rule", "agency_confidence")


def upgrade() -> None:
    for name in REQUIRED:
        op.add_column("dim_document", sa.Column(name, sa.String()))
    for name in ("region_words", "agency_words"):
        op.add_column("dim_document", sa.Column(name, sa.Text()))
    keys = ("document_key", "source_key", "region_key", "agency_key")
    doc = sa.table("dim_document", *(sa.column(key, BigKey) for key in keys), sa.column("is_report", sa.Boolean()),
                   *(sa.column(name, sa.String()) for name in REQUIRED))  # fmt: skip
    source = sa.table("dim_source", sa.column("source_key", BigKey), sa.column("region_key", BigKey))
    own = sa.select(source.c.region_key).where(source.c.source_key == doc.c.source_key).scalar_subquery()
    op.execute(
        doc.update().values(
            region_rule=sa.case((doc.c.region_key == own, "source"), else_="given"),
            region_confidence="low",
            agency_rule=sa.case(
                (sa.not_(doc.c.is_report), "not_a_report"), (doc.c.agency_key == NOT_APPLICABLE, "none"), else_="title"
            ),
            agency_confidence="low",
        )
    )
    for key, word in RESERVED.items():
        op.execute(doc.update().where(doc.c.document_key == key).values(dict.fromkeys(REQUIRED, word)))
    with op.batch_alter_table("dim_document") as batch:
        for name in REQUIRED:
            batch.alter_column(name, existing_type=sa.String(), nullable=False)
