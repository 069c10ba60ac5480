"""What processes have used: processor time, and memory at its peak.

Not `ru_maxrss`, where the system tells better: Linux hands it down from a process to the program that it starts
(`setmax_mm_hiwater_rss` in exec), so a small program started by a large one is told with the large one's peak.
"""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path


def cpu_of(pid: int) -> float | None:
    """Processor seconds of a running process so far; None where the system does not tell."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return None
    user, system = stat.read_text(encoding="utf-8").rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def peak_of(pid: int) -> float | None:
    """MiB of a running process at most so far; None where the system does not tell, or the process has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return None
    told = status.partition("VmHWM:")[2].split()
    return int(told[0]) / 1024 if told else None


def own_peak() -> float:
    """MiB of this process at most so far; where only `ru_maxrss` is told, with what it may have been handed down."""
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return peak_of(os.getpid()) or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
