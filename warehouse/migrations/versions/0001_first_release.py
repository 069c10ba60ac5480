"""The first release.

It made its tables itself and marked them by a table of its own, `schema_version`, so there is nothing to do here: a
database with that table is taken to be at this revision.
"""

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Nothing: see above."""
