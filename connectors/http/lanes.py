"""One lane per host: one request at a time, and a least time between two starts.

Lanes belong to the process, not to a client: two sources on one host, in two tasks or two threads with an event
loop each, still share its lane. Waiting is first come, first served.

Processes share a lane by a book (`share_lanes`): whoever asks a host holds its lease, which is renewed while the
lane is in use and lapses some seconds after its holder has died. Within a lease no book is asked, and one transaction
renews all leases of a process, so sharing costs a transaction in some seconds, and two for some hundred requests to a
host. When somebody else waits, the lease changes hands. With the lease go the last start, what a Retry-After asked
for, the host's pace and the requests of the day.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import TracebackType
from weakref import WeakKeyDictionary

from connectors.errors import Deferred, Transient
from connectors.http.book import Busy, LaneBook, LaneState
from connectors.http.pace import Pace
from connectors.http.starts import starts_here

MAX_PATIENCE = 120.0
"""Seconds. A host that asks for a longer pause is asked again by a later run."""
REFUSALS = frozenset({429, 503})
_TOLD = 5.0
"""Seconds of a pause from which the book is told at once. A shorter one is over before another process, which keeps to
the delay after whoever held the lane before it, could ask."""
_LEAST_REST, _SOON_DUE = 0.5, 0.8
"""Shares of a lease: what must be left of it for a request, and which leases are renewed with one that is due."""


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
    since: float = field(default_factory=time.monotonic)

    def is_old(self) -> bool:
        """Whether it has been renewed: what was asked on the day is known from its beginning."""
        return time.monotonic() - self.since > self.seconds

    def rest(self) -> float:
        """What is left of it, as a share of a new one."""
        return (self.until - time.monotonic()) / self.seconds

    def is_good_for(self, book: LaneBook) -> bool:
        """Whether one request more may be made under it, and no book be asked."""
        return self.book is book and self.left > 0 and not self.is_called and self.rest() > _LEAST_REST


class Lane:
    """The right to ask one host. Take it with `async with lane.slot(delay) as waited`."""

    def __init__(self, host: str) -> None:
        self.host = host
        self._mutex = threading.RLock()
        self._taken = False
        self._is_asking = False
        self._queue: deque[Future[None]] = deque()
        self.last_start = float("-inf")
        """Of the last request, by the monotonic clock."""
        self._not_before = float("-inf")
        self._pace = Pace()
        self.lag = 0.0
        """Of the time of the last answer, what it lay unread here, seconds: no fault of the host."""
        self._held: _Held | None = None

    def slot(self, delay: float) -> Slot:
        """Hold the lane; `async with` gives the seconds waited so that `delay` seconds, or more by `Pace`, lie between
        two starts.

        Raises Deferred when the host is not to be asked any more today, or not for longer than a run waits."""
        return Slot(self, delay)

    async def enter(self, delay: float) -> _Heartbeat | None:
        """Take the lane, and wait until its host may be asked; what renews its lease meanwhile."""
        if not self._try_take():
            await self._queue_up()
        heartbeat = None
        try:
            held = await self._hold(delay)
            if held is not None:
                heartbeat = _heartbeat_of(held)
                heartbeat.lanes[self] = None
            await self._wait(delay)
        except BaseException:
            self.leave(heartbeat)
            raise
        if held is not None:
            held.left -= 1
            held.asked += 1
        self.last_start, self.lag = time.monotonic(), 0.0
        self._is_asking = True
        return heartbeat

    def leave(self, heartbeat: _Heartbeat | None) -> None:
        """Make way for the next."""
        self._is_asking = False
        if heartbeat is not None:
            heartbeat.lanes.pop(self, None)
        self._pass_on()

    async def _wait(self, delay: float) -> None:
        """Until the host may be asked, and no other is asked in the same moment."""
        now = time.monotonic()
        hold = self._not_before - now
        if delay and hold > MAX_PATIENCE:
            raise Deferred(f"{self.host} asked for a pause of {hold:.0f} s, longer than a run waits: a later run")
        paced = self.last_start + self._pace.gap(delay)
        pause = max(paced, self._not_before, now) - now
        if delay:
            await starts_here().wait(pause, has_rhythm=0.0 < pause == paced - now)
        elif pause > 0:
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

    def learn(self, error: BaseException | None, delay: float) -> None:
        """What came of a request. What a refusal teaches is shared at once: this process may not live to tell later."""
        if error is None:
            self._pace.note_answer(self._lasted())
        if not isinstance(error, Transient):
            return
        is_refusal = error.status in REFUSALS
        is_meant = error.status == 429 or error.retry_after is not None
        self._pace.note_failure(self._lasted(), is_refusal=is_refusal, is_meant=is_meant)
        if is_refusal and delay:
            with self._mutex:
                self._not_before = max(self._not_before, time.monotonic() + (error.retry_after or 0.0))
            _renew([self])

    def _lasted(self) -> float:
        return time.monotonic() - self.last_start - self.lag

    async def _hold(self, delay: float) -> _Held | None:
        """A lease that is good for one request more; None where nobody shares, or there is nothing to share."""
        sharing, own = _sharing.get(), _own_budget.get()
        if sharing is None or not (delay > 0 or own):
            return None
        limits = [limit for limit in (own, sharing.daily_budget if delay > 0 else None) if limit]
        limit = min(limits, default=None)
        mine = self._held
        if mine is not None and limit is not None and mine.asked >= limit and mine.is_old():
            mine.is_called = True  # the day may be another one by now: the book knows
        held: _Held | Busy | None = mine
        while held is None or isinstance(held, Busy) or not held.is_good_for(sharing.book):
            if self._held is not None and not self._held.is_called:
                _renew_due(sharing.book, self)
            held = self._try_hold(sharing.book, limit)
            if isinstance(held, Busy):
                await asyncio.sleep(held.seconds)
        if limit is not None and held.asked >= limit:
            raise Deferred(f"{self.host}: the {limit} requests of today are spent; the rest waits for another day")
        return held

    def _try_hold(self, book: LaneBook, limit: int | None) -> _Held | Busy:
        with self._mutex:
            held = self._held
            if held is not None and held.is_good_for(book):
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
            self.last_start = max(self.last_start, now - state.since_start)
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
        return LaneState(now - self.last_start, hold, self._pace.response, self._pace.slowdown)

    def _try_take(self) -> bool:
        with self._mutex:
            was_free, self._taken = not self._taken, True
            return was_free

    async def _queue_up(self) -> None:
        turn: Future[None] = Future()
        with self._mutex:
            if not self._taken:  # left in this moment
                self._taken = True
                return
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


class Slot:
    """A lane, held for one request."""

    def __init__(self, lane: Lane, delay: float) -> None:
        self._lane = lane
        self._delay = delay
        self._heartbeat: _Heartbeat | None = None

    async def __aenter__(self) -> float:
        began = time.monotonic()
        self._heartbeat = await self._lane.enter(self._delay)
        return self._lane.last_start - began

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._lane.learn(error, self._delay)
        finally:
            self._lane.leave(self._heartbeat)


class _Heartbeat:
    """Renews leases while a pause or an answer takes its time: those of one event loop's lanes, with one timer."""

    def __init__(self, book: LaneBook, seconds: float) -> None:
        self.lanes: dict[Lane, None] = {}
        """Lanes that somebody holds."""
        self._book, self._seconds = book, seconds
        asyncio.get_running_loop().call_later(seconds, self._beat)

    def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        if not self.lanes:
            _heartbeats[loop].pop(self._book, None)
            return
        loop.call_later(self._seconds, self._beat)
        for lane in list(self.lanes):
            _renew_due(self._book, lane)


_heartbeats: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[LaneBook, _Heartbeat]] = WeakKeyDictionary()


def _heartbeat_of(held: _Held) -> _Heartbeat:
    """The running loop's for the book of a lease."""
    of_loop = _heartbeats.setdefault(asyncio.get_running_loop(), {})
    found = of_loop.get(held.book)
    if found is None:
        found = of_loop[held.book] = _Heartbeat(held.book, held.seconds / 3)
    return found


_lanes: dict[str, Lane] = {}
_lanes_mutex = threading.Lock()


def lane_name(host: str) -> str:
    """`www.` before a portal's name leads to the same machine: the two names are one lane."""
    return host.removeprefix("www.")


def lane_of(host: str) -> Lane:
    """The one lane of `host` in this process."""
    name = lane_name(host)
    with _lanes_mutex:
        if name not in _lanes:
            _lanes[name] = Lane(name)
        return _lanes[name]


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
