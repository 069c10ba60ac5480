"""When requests begin: in small groups, and never too early."""

from __future__ import annotations

import asyncio
import time
import uuid
from itertools import pairwise

from connectors.http.lanes import lane_of
from connectors.http.starts import APART, DETOUR, GROUP, LEAD, Starts


def moments_of(*wishes: tuple[int, bool]) -> list[tuple[int, int]]:
    """When groups begin and how many lanes are in them, of lanes that are ready so many milliseconds from now; True: in
    rhythm."""

    async def go() -> list[tuple[int, int]]:
        loop, starts = asyncio.get_running_loop(), Starts()
        now = loop.time() + 60.0
        for ready, has_rhythm in wishes:
            starts._group_from(loop, now + ready / 1000, has_rhythm).append(loop.create_future())
        groups = zip(starts._moments, starts._groups, strict=True)
        return [(round(1000 * (at - now)), len(group)) for at, group in groups]

    return asyncio.run(go())


def test_hosts_that_begin_together_are_asked_in_small_groups() -> None:
    """All at once, each answer would wait behind all others, and pass for a slow host's."""
    lead, apart = round(1000 * LEAD), round(1000 * APART)
    begun = moments_of(*[(0, False)] * (2 * GROUP + 1))
    assert begun == [(lead, GROUP), (lead + apart, GROUP), (lead + 2 * apart, 1)]
    assert moments_of(*[(0, True)] * (GROUP + 1)) == [(lead, GROUP), (lead + apart, 1)]


def test_a_lane_waits_for_a_group_longer_while_it_has_no_rhythm() -> None:
    lead, detour = round(1000 * LEAD), round(1000 * DETOUR)
    assert moments_of((20, True), (0, True)) == [(lead, 1), (20 + lead, 1)]
    assert moments_of((20, True), (0, False)) == [(20 + lead, 2)]
    assert moments_of((2, True), (4, True), (6, True)) == [(2 + lead, 2), (6 + lead, 1)]
    assert moments_of((detour, False), (0, False)) == [(lead, 1), (detour + lead, 1)]


def test_nobody_in_a_group_is_asked_too_early() -> None:
    async def ask(host: str) -> list[float]:
        starts = []
        for _ in range(5):
            async with lane_of(host).slot(0.05):
                starts.append(time.monotonic())
        return starts

    async def go() -> list[list[float]]:
        return await asyncio.gather(*(ask(f"{uuid.uuid4().hex}.example") for _ in range(GROUP + 2)))

    for starts in asyncio.run(go()):
        assert all(later - earlier >= 0.05 for earlier, later in pairwise(starts))
