"""The book of lanes: which process may ask which host, and what is known of the host, for all runs of a warehouse.

Each call is one short transaction; all leases of a process are renewed in one. Times in the table are epoch seconds of
the database's clock (on SQLite this machine's); what goes in and out is seconds from now. A lease lapses by itself, and
at once where its holder is a process of this machine that is no more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, Update, bindparam, create_engine, inspect, select, update
from sqlalchemy.dialects import postgresql, sqlite

from warehouse.crawl_state import Prepared, changing, clock, crawl_state_url
from warehouse.engine import explained, is_sqlite
from warehouse.holders import is_alive, name_of_this_process
from warehouse.patience import retried
from warehouse.periods import CHINA
from warehouse.schema_crawl import host_lane

LEASE_SECONDS = 10.0
POLL_SECONDS = 0.2
"""Between two looks of who waits for a lane."""
MAX_REQUESTS = 128
"""Requests of one lease."""

_NEW = {
    "holder": None, "lease_until": 0.0, "last_holder": None, "waiter": None, "waiter_until": 0.0, "last_start": 0.0,
    "not_before": 0.0, "response_s": 0.0, "slowdown": 1.0, "day": "", "n_day": 0,
}  # fmt: skip

_ALL = tuple(_NEW)
_RENEWED = ("lease_until", "last_start", "not_before", "response_s", "slowdown")
"""What a renewal changes of a lane."""
_ITS_HOST = "its_host"

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Learned:
    """What is known of a host. Times are seconds from now."""

    since_start: float
    hold: float
    response: float
    slowdown: float


@dataclass(frozen=True, slots=True)
class LeaseRow:
    """A lease that was granted."""

    requests: int
    asked_today: int
    known: Learned


class HostLanes:
    """The book as one process uses it."""

    def __init__(self, engine: Engine, *, lease_seconds: float = LEASE_SECONDS) -> None:
        self.engine = engine
        self.lease_seconds = lease_seconds
        insert = sqlite.insert if is_sqlite(engine.url) else postgresql.insert
        self._add = insert(host_lane).on_conflict_do_nothing()
        # In order of their keys, so that two processes cannot wait for each other.
        of_hosts = select(host_lane).where(host_lane.c.host.in_(bindparam("hosts", expanding=True)))
        of_hosts = of_hosts.order_by(host_lane.c.host)
        self._of_hosts = of_hosts if is_sqlite(engine.url) else of_hosts.with_for_update()
        self._change = Prepared(engine, _update(_ALL), (*_ALL, _ITS_HOST))
        self._renew = Prepared(engine, _update(_RENEWED), (*_RENEWED, _ITS_HOST))
        self.me = name_of_this_process()

    @retried
    def acquire(
        self, host: str, limit: int | None, learned: Learned | None = None, unused: int = 0
    ) -> LeaseRow | float:
        """A lease, or the seconds after which to ask again; `learned` and `unused` settle the lease before it.

        Its requests count as made until it is settled, so a killed process can only have asked less than is counted;
        with a small `limit` for the day they are few, so that little is lost by that."""
        with changing(self.engine) as conn:
            row, now = self._lock(conn, host)
            if learned is not None:
                row |= self._settled(row, now, learned, unused)
            wait = self._why_wait(row, now)
            if wait is None:
                row |= self._granted(row, now, limit)
            elif row["holder"] != self.me and (row["waiter"] in (None, self.me) or row["waiter_until"] <= now):
                row |= {"waiter": self.me, "waiter_until": now + wait + 4 * POLL_SECONDS}
            self._write(conn, row)
        if wait is not None:
            return wait
        requests = _portion(limit)
        known = Learned(
            max(0.0, now - row["last_start"]), max(0.0, row["not_before"] - now), row["response_s"], row["slowdown"]
        )
        return LeaseRow(requests, row["n_day"] - requests, known)

    @retried
    def renew(self, learned: Mapping[str, Learned]) -> set[str]:
        """Go on holding these hosts' lanes, with what was learned. Those that are held and nobody waits for."""
        kept, rows = set[str](), list[tuple[float | str, ...]]()
        with changing(self.engine) as conn:
            found = conn.execute(self._of_hosts, {"hosts": sorted(learned)}).all()
            now = clock(conn)
            for row in found:
                new, lease_until = learned[row.host], row.lease_until
                if row.holder == self.me:
                    lease_until = now + self.lease_seconds
                    if row.waiter in (None, self.me) or row.waiter_until <= now:
                        kept.add(row.host)
                last_start, not_before = _times(row.last_start, row.not_before, new, now)
                rows.append((lease_until, last_start, not_before, new.response, new.slowdown, row.host))
            self._renew.run(conn, rows)
        return kept

    @retried
    def settle(self, host: str, learned: Learned, *, unused: int) -> None:
        """What the holder learned; he holds the lane no more."""
        with changing(self.engine) as conn:
            row, now = self._lock(conn, host)
            self._write(conn, row | self._settled(row, now, learned, unused))

    def _settled(self, row: Row, now: float, learned: Learned, unused: int) -> Row:
        """The lease given back. Who has lost it meanwhile tells the times all the same: they are true."""
        last_start, not_before = _times(row["last_start"], row["not_before"], learned, now)
        changes: Row = {
            "last_start": last_start,
            "not_before": not_before,
            "response_s": learned.response,
            "slowdown": learned.slowdown,
        }
        if row["holder"] == self.me:
            changes |= {"holder": None, "lease_until": now}
        if row["day"] == _day_at(now):
            changes["n_day"] = max(0, row["n_day"] - unused)
        return changes

    def _granted(self, row: Row, now: float, limit: int | None) -> Row:
        day, last_start = _day_at(now), row["last_start"]
        if row["holder"] not in (None, self.me):  # it died or fell silent: it may have asked up to its last moment
            last_start = min(now, row["lease_until"])
        asked = row["n_day"] if row["day"] == day else 0
        return {
            "holder": self.me,
            "last_holder": self.me,
            "lease_until": now + self.lease_seconds,
            "waiter": None if row["waiter"] == self.me else row["waiter"],
            "last_start": last_start,
            "day": day,
            "n_day": asked + _portion(limit),
        }

    def _why_wait(self, row: Row, now: float) -> float | None:
        """Seconds, where another process holds the lane or has waited for it while this one held it."""
        left = float(row["lease_until"]) - now
        # A lease of longer than any was given by a clock that was ahead: it would not lapse in any run's time.
        held = row["holder"] not in (None, self.me) and 0 < left <= 2 * max(self.lease_seconds, LEASE_SECONDS)
        if held and is_alive(row["holder"]):
            return min(POLL_SECONDS, left)
        waits = row["waiter"] not in (None, self.me) and row["waiter_until"] > now
        if waits and row["last_holder"] == self.me and is_alive(row["waiter"]):
            return POLL_SECONDS
        return None

    def _lock(self, conn: Connection, host: str) -> tuple[Row, float]:
        """The host's row, locked to the end of the transaction, and what time it is."""
        chosen = {"hosts": [host]}
        row = conn.execute(self._of_hosts, chosen).mappings().one_or_none()
        if row is None:
            conn.execute(self._add, {"host": host, **_NEW})
            row = conn.execute(self._of_hosts, chosen).mappings().one()
        return dict(row), clock(conn)

    def _write(self, conn: Connection, row: Row) -> None:
        self._change.run(conn, [(*(row[name] for name in _ALL), row["host"])])


def _update(names: Sequence[str]) -> Update:
    lane = update(host_lane).where(host_lane.c.host == bindparam(_ITS_HOST))
    return lane.values({name: bindparam(name) for name in names})


def _times(last_start: float, not_before: float, learned: Learned, now: float) -> tuple[float, float]:
    """Of a host's last start, and until when it is to be left alone: as the book has them, or later."""
    return max(last_start, now - learned.since_start), max(not_before, now + learned.hold if learned.hold > 0 else 0.0)


def learned_paces(warehouse: Engine) -> dict[str, tuple[float, float]]:
    """Host -> (smoothed seconds of an answer, slowdown), as earlier runs left them. Writes and creates nothing.

    Raises WarehouseError."""
    url = crawl_state_url(warehouse.url)
    if is_sqlite(url):
        path = Path(url.database or "")
        if not path.is_file():
            return {}
        url = url.set(database=f"file:{quote(str(path))}", query={"mode": "ro", "uri": "true"})
    engine = create_engine(url)
    try:
        with explained(engine), engine.connect() as conn:
            if not inspect(conn).has_table(host_lane.name):
                return {}
            rows = conn.execute(select(host_lane.c.host, host_lane.c.response_s, host_lane.c.slowdown))
            return {host: (response, slowdown) for host, response, slowdown in rows}
    finally:
        engine.dispose()


def _portion(limit: int | None) -> int:
    """Requests of one lease."""
    return MAX_REQUESTS if limit is None else max(1, min(MAX_REQUESTS, limit // 20))


def _day_at(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).astimezone(CHINA).date().isoformat()
