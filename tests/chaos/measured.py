"""Crawls some faults in a process of its own and prints by how much each raised its peak of memory, in MiB.

Usage: python -m tests.chaos.measured GATEWAY FOLDER NAME...
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmarks.usage import own_peak
from tests.chaos.harness import House
from warehouse.engine import open_warehouse


def main(gateway: str, folder: str, *names: str) -> None:
    engine = open_warehouse(f"sqlite:///{folder}/warehouse.sqlite")
    grown: dict[str, float] = {}
    for name in ("warm_up", *names):
        before = own_peak()
        home = Path(folder) / name
        home.mkdir()
        house = House(home, engine, gateway, name, with_feed=name.startswith("feed"))
        house.night("night-1")
        grown[name] = round(own_peak() - before, 1)
    engine.dispose()
    del grown["warm_up"]  # imports, catalogue, database: what every process needs
    print(json.dumps(grown))


if __name__ == "__main__":
    main(*sys.argv[1:])
