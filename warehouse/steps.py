"""The numbered steps of a load, a nightly and a reparse, and the one place where a test may kill the process between.

A step does nothing but say that the work has got there. With `FAZHI_KILL_AT=<step>` (or `<step>:3` for the third time
that it is reached) in its environment the process ends itself there by SIGKILL, as a power cut would: no handler runs,
nothing is tidied up. Tests do so at every step, run again, and compare with a run that was never killed.
"""

from __future__ import annotations

import os
import signal
from collections import Counter

KILL_AT = "FAZHI_KILL_AT"

LOAD = (
    "load-1-begun",
    "load-2-staged",
    "load-3-dimensions",
    "load-4-documents",
    "load-5-facts",
    "load-6-values",
    "load-7-quarantine",
    "load-8-log",
    "load-9-tested",
    "load-10-published",
)
"""In order; all but the last are inside the transaction."""

NIGHTLY = (
    "nightly-1-begun",
    "nightly-2-crawled",
    "nightly-3-parsed",
    "nightly-4-loaded",
    "nightly-5-released",
    "nightly-6-reported",
)
"""In order; 2 to 4 are reached once for each source. All steps of its last load lie between 3 and 4, those of its parts
before 2."""

REPARSE = (
    "reparse-1-begun",
    "reparse-2-forgotten",
    "reparse-3-loaded",
    "reparse-4-noted",
    "reparse-5-published",
)
"""In order, for each batch that differs; all but the last are inside its transaction, and most steps of its load lie
between 2 and 3."""

_ALL = frozenset((*LOAD, *NIGHTLY, *REPARSE))
_reached: Counter[str] = Counter()


def reach(step: str) -> None:
    """The work has got here. Raises ValueError for a step that is not listed above."""
    if step not in _ALL:
        raise ValueError(f"no step is called {step!r}")
    wanted = os.environ.get(KILL_AT)
    if not wanted:
        return
    name, _, number = wanted.partition(":")
    _reached[step] += 1
    if step == name and _reached[step] == int(number or 1):
        os.kill(os.getpid(), signal.SIGKILL)
