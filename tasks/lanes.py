"""The warehouse's book of lanes, as the network room takes it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from connectors.http.book import Busy, LaneState, Lease
from warehouse.engine import Engine
from warehouse.lanes import HostLanes, Learned


class WarehouseBook:
    """Lanes shared by every process that uses the same warehouse. `state`: see `warehouse.crawl_state`."""

    def __init__(self, state: Engine) -> None:
        self._lanes = HostLanes(state)

    def acquire(self, host: str, limit: int | None, learned: LaneState | None, unused: int) -> Lease | Busy:
        got = self._lanes.acquire(host, limit, None if learned is None else _learned(learned), unused)
        if isinstance(got, float):
            return Busy(got)
        known = LaneState(got.known.since_start, got.known.hold, got.known.response, got.known.slowdown)
        return Lease(self._lanes.lease_seconds, got.requests, got.asked_today, known)

    def renew(self, learned: Mapping[str, LaneState]) -> Collection[str]:
        return self._lanes.renew({host: _learned(state) for host, state in learned.items()})

    def settle(self, host: str, learned: LaneState, *, unused: int) -> None:
        self._lanes.settle(host, _learned(learned), unused=unused)


def _learned(state: LaneState) -> Learned:
    return Learned(state.since_start, state.hold, state.response, state.slowdown)
