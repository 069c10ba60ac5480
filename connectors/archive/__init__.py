"""Raw pages, kept for good before anything interprets them. docs/archive.md tells how."""

from connectors.archive.model import ArchiveUnusable, SnapshotRef, StoredPage
from connectors.archive.store import Archive

__all__ = ["Archive", "ArchiveUnusable", "SnapshotRef", "StoredPage"]
