"""Crawls some faults in a process of its own and prints by how much each raised its peak of memory, in MiB.

Usage: python -m tests.chaos.measured GATEWAY FOLDER NAME...
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

from tests.chaos.harness import House
from warehouse.engine import open_warehouse


def peak() -> float:
    """MiB; Linux counts in KiB, macOS in bytes."""
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def main(gateway: str, folder: str, *names: str) -> None:
    engine = open_warehouse(f"sqlite:///{folder}/warehouse.sqlite")
    grown: dict[str, float] = {}
    for name in ("warm_up", *names):
        before = peak()
        home = Path(folder) / name
        home.mkdir()
        house = House(home, engine, gateway, name, with_feed=name.startswith("feed"))
        house.night("night-1")
        grown[name] = round(peak() - before, 1)
    engine.dispose()
    del grown["warm_up"]  # imports, catalogue, database: what every process needs
    print(json.dumps(grown))


if __name__ == "__main__":
    main(*sys.argv[1:])
