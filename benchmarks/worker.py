"""One engine in a process of its own, speaking JSON lines: `python -m benchmarks.worker ENGINE`.

First line in: `{"units": REGEX, "core": N or null, "compiled": bool}`; first line out:
`{"ready": true, "pinned": bool}` or `{"missing": MODULE}` where the engine is not installed. Then, for each
`{"text": TEXT}`, one line `{"cpu": seconds, "rss_kb": KiB or null, "spans": [...]}`. Only the reading is timed, on the
processor's clock, so another process on the machine costs little.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from importlib.machinery import SOURCE_SUFFIXES, FileFinder, SourceFileLoader
from pathlib import Path

from benchmarks.engines import BUILDERS, ROOT

_STATUS = Path("/proc/self/status")


def resident_kib() -> int | None:
    """Memory that the process holds now; None where the system does not tell."""
    if not _STATUS.exists():
        return None
    found = re.search(r"^VmRSS:\s+(\d+) kB", _STATUS.read_text(encoding="ascii", errors="replace"), re.M)
    return int(found[1]) if found else None


def pin_to(core: int | None) -> bool:
    """Keep the process on one core where the system can."""
    if core is None or not hasattr(os, "sched_setaffinity"):
        return False
    os.sched_setaffinity(0, {core})
    return True


def read_sources_only() -> None:
    """Import `extraction` from its sources, though `make fast` may have put a compiled build beside them."""

    def find_sources(folder: str) -> FileFinder:
        if Path(folder) != ROOT / "extraction":
            raise ImportError(folder)  # the way to say: another hook's folder
        return FileFinder(folder, (SourceFileLoader, SOURCE_SUFFIXES))

    sys.path_hooks.insert(0, find_sources)


def main(name: str) -> None:
    first = json.loads(sys.stdin.readline())
    pinned = pin_to(first["core"])
    if not first["compiled"]:
        read_sources_only()
    try:
        read = BUILDERS[name](first["units"])
    except ModuleNotFoundError as error:
        print(json.dumps({"missing": error.name}), flush=True)
        return
    print(json.dumps({"ready": True, "pinned": pinned}), flush=True)
    for line in sys.stdin:
        text = json.loads(line)["text"]
        begun = time.process_time()
        spans = read(text)
        spent = time.process_time() - begun
        print(json.dumps({"cpu": spent, "rss_kb": resident_kib(), "spans": spans}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
