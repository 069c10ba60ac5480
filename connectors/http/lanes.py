"""One lane per host: one request at a time, and a least time between two starts.

Lanes belong to the process, not to a client: two sources on one host, in two tasks or two threads with an event
loop each, still share its lane. Waiting is first come, first served.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncIterator
from concurrent.futures import Future
from contextlib import asynccontextmanager


class Lane:
    """The right to ask one host. Take it with `async with lane.slot(delay) as waited`."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._taken = False
        self._queue: deque[Future[None]] = deque()
        self._last_start = float("-inf")
        self._not_before = float("-inf")

    @asynccontextmanager
    async def slot(self, delay: float) -> AsyncIterator[float]:
        """Hold the lane; yields the seconds slept so that `delay` seconds lie between two starts."""
        await self._take()
        try:
            pause = max(0.0, max(self._last_start + delay, self._not_before) - time.monotonic())
            if pause:
                await asyncio.sleep(pause)
            self._last_start = time.monotonic()
            yield pause
        finally:
            self._pass_on()

    def hold_off(self, seconds: float) -> None:
        """Nobody asks this host for so long: it is in trouble, or said so by Retry-After."""
        self._not_before = max(self._not_before, time.monotonic() + seconds)

    async def _take(self) -> None:
        with self._mutex:
            if not self._taken:
                self._taken = True
                return
            turn: Future[None] = Future()
            self._queue.append(turn)
        try:
            await asyncio.wrap_future(turn)
        except asyncio.CancelledError:
            # The turn may have come at the very moment of the cancellation: then it must go to the next.
            if turn.done() and not turn.cancelled():
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        with self._mutex:
            while self._queue:
                turn = self._queue.popleft()
                if turn.set_running_or_notify_cancel():
                    turn.set_result(None)
                    return
            self._taken = False


_lanes: dict[str, Lane] = {}
_lanes_mutex = threading.Lock()


def lane_of(host: str) -> Lane:
    """The one lane of `host` in this process."""
    with _lanes_mutex:
        return _lanes.setdefault(host, Lane())
