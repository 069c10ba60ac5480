"""The errors the warehouse raises for a person: they name the database and the way out, never a password."""

from __future__ import annotations


class WarehouseError(Exception):
    """The database cannot be used, or a load or release broke its contract. Nothing was changed."""


class WarehouseAway(WarehouseError):
    """The server went away, or takes no connections just now: the same work may succeed once it is back."""


class WarehouseUndone(WarehouseError):
    """The server undid this transaction so that another one could go on (a deadlock): the same work may succeed now."""


class WarehouseBusy(WarehouseError):
    """Another program has held the database for longer than a writer waits: the same work may succeed later."""
