"""Run by Alembic: the revisions go through the connection and the transaction that `warehouse.upgrade` holds."""

from __future__ import annotations

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    on_version_apply=context.config.attributes["on_version_apply"],
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
