"""`python -m tests.connectors.sharing WAREHOUSE GATEWAY NAME PAGES DELAY`: a process that asks one host politely.

It says `ready` and begins when it is told to."""

from __future__ import annotations

import asyncio
import sys

from connectors.http.client import Client, HttpSettings
from connectors.http.lanes import share_lanes
from tasks.lanes import WarehouseBook
from warehouse.crawl_state import open_crawl_state
from warehouse.engine import open_warehouse

HOST = "www.gongyong.example"


async def ask(gateway: str, name: str, pages: int, delay: float) -> None:
    settings = HttpSettings(
        "fazhi-test/1 (+https://fazhi.example)", replay=gateway, pace_real=True, delay=delay, retries=2, backoff=0.01
    )
    async with Client(settings) as client:
        for number in range(pages):
            await client.fetch(f"http://{HOST}/{name}/{number}", hosts=frozenset({HOST}), kind="page")


def main(warehouse: str, gateway: str, name: str, pages: str, delay: str) -> None:
    state = open_crawl_state(open_warehouse(warehouse))
    print("ready", flush=True)
    sys.stdin.readline()
    with share_lanes(WarehouseBook(state)):
        asyncio.run(ask(gateway, name, int(pages), float(delay)))


if __name__ == "__main__":
    main(*sys.argv[1:])
