"""The one error the warehouse raises for a person: names the database and the way out, never a password."""

from __future__ import annotations


class WarehouseError(Exception):
    """The database cannot be used, or a load or release broke its contract. Nothing was changed."""
