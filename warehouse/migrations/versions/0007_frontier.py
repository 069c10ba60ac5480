"""The frontier: what is known of an address between runs, and unchanged pages told apart; why a fetch was blocked.

Runs of before counted unchanged pages in one sum: how they divide is not known, so the parts are 0. Pages of before
have no list title, no hash of what was read and no failures; the next run learns them. Fetches of before kept no
evidence of a block, and knew no exception from TLS.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from warehouse.columns import UtcDateTime

revision = "0007"
down_revision = "0006"

COUNTS = ("n_not_modified", "n_same_bytes", "n_same_text", "n_deferred", "n_resumed")


def upgrade() -> None:
    _add_required("fact_source_run", {name: (sa.Integer(), 0) for name in COUNTS} | {"findings": (sa.Text(), "[]")})
    _add_required("fact_fetch", {"evidence": (sa.Text(), ""), "tls": (sa.Text(), "")})
    for name, kind in (("found_on", sa.Text()), ("text_hash", sa.String())):
        op.add_column("page", sa.Column(name, kind))
    for name in ("due_at", "walked_at"):
        op.add_column("page", sa.Column(name, UtcDateTime()))
    _add_required("page", {"n_failed": (sa.Integer(), 0)})
    page = sa.table("page", sa.column("state", sa.String()))
    op.execute(page.update().where(page.c.state == "blocked").values(state="failed"))


def _add_required(
    table: str, columns: dict[str, tuple[sa.types.TypeEngine[int] | sa.types.TypeEngine[str], object]]
) -> None:
    for name, (kind, _) in columns.items():
        op.add_column(table, sa.Column(name, kind))
    filled = sa.table(table, *(sa.column(name, kind) for name, (kind, _) in columns.items()))
    op.execute(filled.update().values({name: value for name, (_, value) in columns.items()}))
    with op.batch_alter_table(table) as batch:
        for name, (kind, _) in columns.items():
            batch.alter_column(name, existing_type=kind, nullable=False)
