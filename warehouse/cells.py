"""Cells of a CSV file: what a value looks like, and a text that a spreadsheet cannot take for a formula."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "'")
"""Beginnings of a text that a spreadsheet may take for a formula, and the mark itself, so that it can be undone."""


def harmless(text: str) -> str:
    """A text that begins like a formula gets an apostrophe before it; `harmful` takes it away again."""
    return "'" + text if text.startswith(RISKY) else text


def harmful(cell: str) -> str:
    """The text that `harmless` was given: without the apostrophe that the cell begins with."""
    return cell.removeprefix("'")


def plain_cell(value: object) -> str | int:
    """Numbers bare, dates as YYYY-MM-DD, texts harmless."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, int):
        return value
    return value.isoformat() if isinstance(value, date) else harmless(str(value))
