"""How a process that reads many pages keeps its memory: it asks seldom for cycles, and frees trees without a detour."""

from __future__ import annotations

import ctypes
import gc
import sys

_M_MXFAST = 1
"""Of glibc's mallopt(3): the largest block that is kept aside when it is freed."""


def settle_memory() -> None:
    """Call it once, before the work begins.

    Imports and pages leave few cycles: to look for them all the time took a tenth of a run and of its start. And a
    page's tree is thousands of small blocks: kept aside one by one, as glibc does, they are merged again before each
    next page is read, which took 4 % of the reading."""
    gc.set_threshold(50_000, 20, 50)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:  # musl has none
        mallopt(_M_MXFAST, 0)
