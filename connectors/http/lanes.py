"""One lane per host: one request at a time, and a least time between two starts.

Lanes belong to the process, not to a client: two sources on one host, in two tasks or two threads with an event
loop each, still share its lane. Waiting is first come, first served.

Processes share a lane by a book (`share_lanes`): whoever asks a host holds its lease, which is renewed while the
lane is in use and lapses some seconds after its holder has died. Within a lease no book is asked, and one transaction
renews all leases of a process, so sharing costs a transaction in some seconds, and two for some thirty requests to a
host. When somebody else waits, the lease changes hands. With the lease go the last start, what a Retry-After asked
for, the host's pace and the requests of the day.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

from connectors.errors import Deferred, Transient
from connectors.http.pace import Pace

MAX_PATIENCE = 120.0
"""Seconds. A host that asks for a longer pause is asked again by a later run."""
REFUSALS = frozenset({429, 503})
_TOLD = 5.0
"""Seconds of a pause from which the book is told at once. A shorter one is over before another process, which keeps to
the delay after whoever held the lane before it, could ask."""
_MANY_MOMENTS = 4096
_LEAST_REST, _SOON_DUE = 0.5, 0.8
"""Shares of a lease: what must be left of it for a request, and which leases are renewed with one that is due."""
SPACING = 0.002
"""Seconds between two starts of one process, whatever the hosts. Lanes that began together would go on asking together,
once a second, and each answer would wait behind all the others: the pace would take our queue for slow hosts."""


@dataclass(frozen=True, slots=True)
class LaneState:
    """What is known of a host's lane. All times are seconds from now, so no two clocks need agree."""

    since_start: float = float("inf")
    """Since the last request began."""
    hold: float = 0.0
    """Until it may be asked again at all."""
    response: float = 0.0
    slowdown: float = 1.0


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to ask a host, up to a time and a number of requests."""

    seconds: float
    requests: int
    """Counted already; what is not used is given back."""
    asked_today: int
    """Requests of the day (Asia/Shanghai) before this lease, of all processes."""
    state: LaneState


@dataclass(frozen=True, slots=True)
class Busy:
    """Another process holds the lane, or waits for it."""

    seconds: float
    """To wait before asking for it again."""


class LaneBook(Protocol):
    """Where processes share lanes. Calls are short and may come from any thread."""

    def acquire(self, host: str, limit: int | None, learned: LaneState | None, unused: int) -> Lease | Busy:
        """`limit`: requests a day that the asker keeps to; a small one is handed out in small portions. `learned`
        and `unused` settle the lease before this one; it is given back then, whatever comes out."""
        ...

    def renew(self, learned: Mapping[str, LaneState]) -> Collection[str]:
        """Write down what was learned, and go on holding for as long again as a new lease. Hosts whose lanes are held
        still, and that nobody else waits for."""
        ...

    def settle(self, host: str, learned: LaneState, *, unused: int) -> None:
        """Write down what was learned, and let go."""
        ...


@dataclass(frozen=True, slots=True)
class _Sharing:
    book: LaneBook
    daily_budget: int | None


_sharing: ContextVar[_Sharing | None] = ContextVar("sharing", default=None)
_own_budget: ContextVar[int | None] = ContextVar("own_budget", default=None)


@contextmanager
def share_lanes(book: LaneBook, daily_budget: int | None = None) -> Iterator[None]:
    """Whoever is asked in here is asked by the book; `daily_budget` holds for every paced host."""
    token = _sharing.set(_Sharing(book, daily_budget))
    try:
        yield
    finally:
        _sharing.reset(token)
        with _lanes_mutex:
            lanes = list(_lanes.values())
        for lane in lanes:
            lane.let_go(book)


@contextmanager
def daily_budget(requests: int | None) -> Iterator[None]:
    """A source's own budget of requests a day to each of its hosts, beside the one of the house."""
    token = _own_budget.set(requests)
    try:
        yield
    finally:
        _own_budget.reset(token)


@dataclass(slots=True)
class _Held:
    """A lease of this process."""

    book: LaneBook
    until: float
    seconds: float
    left: int
    asked: int
    """Requests of the day, this process's last one included."""
    is_called: bool = False
    """Somebody else waits for it, or has it: the book is asked before the next request."""

    def rest(self) -> float:
        """What is left of it, as a share of a new one."""
        return (self.until - time.monotonic()) / self.seconds


class Lane:
    """The right to ask one host. Take it with `async with lane.slot(delay) as waited`."""

    def __init__(self, host: str) -> None:
        self.host = host
        self._mutex = threading.RLock()
        self._taken = False
        self._is_asking = False
        self._queue: deque[Future[None]] = deque()
        self._last_start = float("-inf")
        self._not_before = float("-inf")
        self._pace = Pace()
        self.lag = 0.0
        """Of the time of the last answer, what it lay unread here, seconds: no fault of the host."""
        self._held: _Held | None = None

    @asynccontextmanager
    async def slot(self, delay: float) -> AsyncIterator[float]:
        """Hold the lane; yields the seconds waited so that `delay` seconds, or more by `Pace`, lie between two starts.

        Raises Deferred when the host is not to be asked any more today, or not for longer than a run waits."""
        await self._take()
        beat: _Heartbeat | None = None
        try:
            began = time.monotonic()
            held = await self._hold(delay)
            beat = _Heartbeat(self, held) if held is not None else None
            await self._wait(delay)
            if held is not None:
                held.left -= 1
                held.asked += 1
            self._last_start, self.lag = time.monotonic(), 0.0
            self._is_asking = True
            try:
                yield self._last_start - began
            except Transient as error:
                self._learn(error, delay)
                raise
            self._pace.note_answer(self._lasted())
        finally:
            self._is_asking = False
            if beat is not None:
                beat.cancel()
            self._pass_on()

    async def _wait(self, delay: float) -> None:
        """Until the host may be asked, and no other is asked in the same moment."""
        now = time.monotonic()
        hold = self._not_before - now
        if delay and hold > MAX_PATIENCE:
            raise Deferred(f"{self.host} asked for a pause of {hold:.0f} s, longer than a run waits: a later run")
        ready = max(self._last_start + self._pace.gap(delay), self._not_before, now)
        pause = (_moment_after(ready) if delay else ready) - now
        if pause > 0:
            await asyncio.sleep(pause)

    def hold_off(self, seconds: float) -> None:
        """Nobody asks this host for so long: it is in trouble, or said so by Retry-After."""
        with self._mutex:
            self._not_before = max(self._not_before, time.monotonic() + seconds)
        if seconds >= _TOLD:
            _renew([self])

    def let_go(self, book: LaneBook) -> None:
        """Give the lease back, where this process holds one of this book."""
        with self._mutex:
            if self._held is not None and self._held.book is book:
                self._give_back(self._held)

    def _learn(self, error: Transient, delay: float) -> None:
        """What a refusal teaches is shared at once: this process may not live to tell later."""
        is_refusal = error.status in REFUSALS
        is_meant = error.status == 429 or error.retry_after is not None
        self._pace.note_failure(self._lasted(), is_refusal=is_refusal, is_meant=is_meant)
        if is_refusal and delay:
            with self._mutex:
                self._not_before = max(self._not_before, time.monotonic() + (error.retry_after or 0.0))
            _renew([self])

    def _lasted(self) -> float:
        return time.monotonic() - self._last_start - self.lag

    async def _hold(self, delay: float) -> _Held | None:
        """A lease that is good for one request more; None where nobody shares, or there is nothing to share."""
        sharing, own = _sharing.get(), _own_budget.get()
        if sharing is None or not (delay > 0 or own):
            return None
        limits = [limit for limit in (own, sharing.daily_budget if delay > 0 else None) if limit]
        limit = min(limits, default=None)
        while True:
            if self._held is not None and not self._held.is_called:
                _renew_due(sharing.book, self)
            held = self._try_hold(sharing.book, limit)
            if isinstance(held, _Held):
                break
            await asyncio.sleep(held.seconds)
        if limit is not None and held.asked >= limit:
            raise Deferred(f"{self.host}: the {limit} requests of today are spent; the rest waits for another day")
        return held

    def _try_hold(self, book: LaneBook, limit: int | None) -> _Held | Busy:
        with self._mutex:
            held = self._held
            is_good = held is not None and held.left > 0 and not held.is_called and held.rest() > _LEAST_REST
            if held is not None and held.book is book and is_good:
                return held
            learned = None
            if held is not None and held.book is book:
                self._held, learned = None, self._learned()
            elif held is not None:
                self._give_back(held)
            got = book.acquire(self.host, limit, learned, held.left if held is not None and learned else 0)
            if isinstance(got, Busy):
                return got
            now, state = time.monotonic(), got.state
            self._held = _Held(book, now + got.seconds, got.seconds, got.requests, got.asked_today)
            self._last_start = max(self._last_start, now - state.since_start)
            self._not_before = max(self._not_before, now + state.hold)
            if state.response:
                self._pace = Pace(state.response, state.slowdown, self._pace.calm)
            return self._held

    def _give_back(self, held: _Held) -> None:
        self._held = None
        held.book.settle(self.host, self._learned(), unused=held.left)

    def tell(self) -> tuple[_Held | None, LaneState]:
        """The lease, and what goes into the book with it."""
        with self._mutex:
            return self._held, self._learned()

    def is_soon_due(self, book: LaneBook) -> bool:
        held = self._held
        return held is not None and held.book is book and held.rest() < _SOON_DUE

    def note_renewed(self, held: _Held, *, is_kept: bool) -> None:
        with self._mutex:
            held.is_called |= not is_kept
            held.until = time.monotonic() + held.seconds if is_kept else held.until

    def _learned(self) -> LaneState:
        now = time.monotonic()
        hold = max(0.0, self._not_before - now)
        return LaneState(now - self._last_start, hold, self._pace.response, self._pace.slowdown)

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


class _Heartbeat:
    """Renews leases while a pause or an answer takes its time. A timer costs less than a task for each request."""

    def __init__(self, lane: Lane, held: _Held) -> None:
        self._lane, self._held = lane, held
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(held.seconds / 3, self._beat)

    def _beat(self) -> None:
        _renew_due(self._held.book, self._lane)
        self._timer = self._loop.call_later(self._held.seconds / 3, self._beat)

    def cancel(self) -> None:
        self._timer.cancel()


_lanes: dict[str, Lane] = {}
_lanes_mutex = threading.Lock()
_taken_moments: set[int] = set()
"""When this process begins paced requests, in SPACINGs of the monotonic clock. Guarded by the mutex."""


def _moment_after(ready: float) -> float:
    """This process's next free moment to begin a request, from `ready` on; it is taken then."""
    global _taken_moments
    with _lanes_mutex:
        if len(_taken_moments) > _MANY_MOMENTS:
            now = int(time.monotonic() / SPACING)
            _taken_moments = {moment for moment in _taken_moments if moment >= now}
        moment = math.ceil(ready / SPACING)
        while moment in _taken_moments:
            moment += 1
        _taken_moments.add(moment)
    return moment * SPACING


def lane_of(host: str) -> Lane:
    """The one lane of `host` in this process."""
    with _lanes_mutex:
        if host not in _lanes:
            _lanes[host] = Lane(host)
        return _lanes[host]


def count_lanes() -> dict[str, int]:
    """This process's lanes that are `asking`, those `waiting` (pace, a pause, another process), and the requests
    `queued` behind either."""
    with _lanes_mutex:
        lanes = [lane for lane in _lanes.values() if lane._taken]
    n_asking = sum(lane._is_asking for lane in lanes)
    return {"asking": n_asking, "waiting": len(lanes) - n_asking, "queued": sum(len(lane._queue) for lane in lanes)}


def _renew_due(book: LaneBook, lane: Lane) -> None:
    """Where the lane's lease is half over: renew it, and with it those of all lanes in use that will be so soon."""
    held, _ = lane.tell()
    if held is None or held.book is not book or held.rest() > _LEAST_REST:
        return
    with _lanes_mutex:
        others = [other for other in _lanes.values() if other._taken and other is not lane]
    _renew([lane, *(other for other in others if other.is_soon_due(book))])


def _renew(lanes: Iterable[Lane]) -> None:
    """Write what was learned of lanes of one book, and go on holding them. No lane is locked meanwhile."""
    told = {lane: found for lane in lanes if (found := lane.tell())[0] is not None}
    book = next((held.book for held, _ in told.values() if held is not None), None)
    if book is None:
        return
    kept = book.renew({lane.host: learned for lane, (_, learned) in told.items()})
    for lane, (held, _) in told.items():
        if held is not None:
            lane.note_renewed(held, is_kept=lane.host in kept)
