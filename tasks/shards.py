"""What shards tell the night that they belong to, through its claims. No Prefect here."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from pydantic import TypeAdapter

from connectors.drift import Drift
from fazhi.report import SourceLine
from tasks.network import HostTally
from warehouse.claims import Claims, Rest

POLL_SECONDS = 1.0
"""Between two looks for a source, where others crawl all that is left."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One source, crawled by a shard."""

    line: SourceLine
    is_changed: bool
    """Whether its loads changed content."""
    hosts: Mapping[str, HostTally]
    drift: Drift | None


_OUTCOME = TypeAdapter(Outcome)


def write_outcome(outcome: Outcome) -> str:
    return _OUTCOME.dump_json(outcome).decode()


def read_outcome(text: str) -> Outcome:
    return _OUTCOME.validate_json(text)


class NightOver(Exception):
    """The run that shared out its sources has ended, or was stopped: nobody waits for more."""


async def claimed(claims: Claims, places: asyncio.Semaphore, takes_suspects: bool) -> AsyncIterator[str]:
    """Sources to crawl, one whenever there is a place for it, until none is left. Whoever takes one gives the place
    back."""
    while True:
        await places.acquire()
        token = uuid.uuid4().hex
        got = await asyncio.to_thread(claims.claim, token, takes_suspects=takes_suspects)
        if isinstance(got, str):
            yield got
            continue
        places.release()
        if got is Rest.OVER:
            return
        await asyncio.sleep(POLL_SECONDS)


async def keep_alive(claims: Claims, flow_run_id: str) -> None:
    """Beat until cancelled. Raises NightOver, WarehouseError."""
    while await asyncio.to_thread(claims.beat, flow_run_id):
        await asyncio.sleep(claims.lease_seconds / 12)
    raise NightOver
