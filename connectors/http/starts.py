"""When paced requests begin: lanes that are ready at about the same time begin together, in small groups.

To wake up costs a process more than the request: what it needs has gone from the processor's caches by then. A group
is woken once, and its answers often come together as well. It stays together, since its lanes are ready again at about
the same time; whoever left it after a failure joins another one. Groups are small and lie apart: lanes that all began
together would go on asking together, and each answer would wait behind all the others.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from weakref import WeakKeyDictionary

LEAD = 0.003
"""Seconds for which the first lane of a group waits for others: a group needs that long to be on its way."""
DETOUR = 0.15
"""Seconds that a lane without a rhythm, at its first request or after a failure, may wait to join a group."""
GROUP = 8
APART = 0.016
"""Seconds between a full group and the next one."""


class Starts:
    """The starts to come of one event loop."""

    def __init__(self) -> None:
        self._moments: list[float] = []
        """Of the groups, by the loop's clock, in order."""
        self._groups: list[list[asyncio.Future[None]]] = []

    async def wait(self, pause: float, *, has_rhythm: bool) -> None:
        """Returns after `pause` seconds or a little more."""
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        self._group_from(loop, loop.time() + pause, has_rhythm).append(turn)
        await turn

    def _group_from(
        self, loop: asyncio.AbstractEventLoop, ready: float, has_rhythm: bool
    ) -> list[asyncio.Future[None]]:
        """The group to begin with."""
        moments, groups = self._moments, self._groups
        at = bisect_left(moments, ready)
        limit = ready + (LEAD if has_rhythm else DETOUR)
        while at < len(moments) and moments[at] <= limit:
            if len(groups[at]) < GROUP:
                return groups[at]
            at += 1
        moment = ready + LEAD
        for number in range(bisect_left(moments, moment - APART), len(moments)):
            if moments[number] >= moment + APART:
                break
            if len(groups[number]) >= GROUP:
                moment = moments[number] + APART
        at = bisect_left(moments, moment)
        moments.insert(at, moment)
        groups.insert(at, [])
        loop.call_at(moment, self._begin)
        return groups[at]

    def _begin(self) -> None:
        """The first group's turn has come."""
        del self._moments[0]
        for turn in self._groups.pop(0):
            if not turn.done():  # its task was cancelled
                turn.set_result(None)


_starts: WeakKeyDictionary[asyncio.AbstractEventLoop, Starts] = WeakKeyDictionary()


def starts_here() -> Starts:
    """Those of the running loop."""
    loop = asyncio.get_running_loop()
    found = _starts.get(loop)
    if found is None:
        found = _starts[loop] = Starts()
    return found
