"""Attached files to text: what a file is decides its magic number, never its name.

`read_attachment` reads each file in a process of its own with little memory, little time and no environment; the
readers beside it (`docx`, `pdf`, …) are imported there only, so that importing this package costs nothing.
"""

from __future__ import annotations

from connectors.attachments.compose import Composed, compose, wants_attachments
from connectors.attachments.isolation import read_attachment
from connectors.attachments.result import AttachmentText, Kind

__all__ = ["AttachmentText", "Composed", "Kind", "compose", "read_attachment", "wants_attachments"]
