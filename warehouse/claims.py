"""The sources of a night that several processes crawl: each claims one after another, and none is lost with its worker.

Each call is one short transaction under the night's row. A worker renews one lease for all that it holds; where that
lapses (or the worker is a process of this machine that is no more) its sources go to the others. A source that was
there when a worker was lost is from then on crawled by a worker that crawls nothing else meanwhile, so that the second
loss tells who is to blame: then it is set aside, and takes no third worker with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import Connection, Engine, Table, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from warehouse.crawl_state import changing, clock
from warehouse.engine import is_sqlite
from warehouse.holders import is_alive, name_of_this_process
from warehouse.patience import retried
from warehouse.schema_crawl import night, night_source, night_worker

LEASE_SECONDS = 120.0
"""Of a worker. A database that is restarted, or a machine that is very busy, must not look like a lost worker."""
MAX_LOST = 2
"""Workers that a source may take with it."""
FORGET_AFTER = 7 * 86400.0
"""Seconds after which what a killed night left behind is deleted."""


class Rest(Enum):
    """Why there is no source to crawl."""

    WAIT = "others crawl what is left, which may come back"
    OVER = "nothing is left, or the night has ended"


@dataclass(frozen=True, slots=True)
class Look:
    """Where a night stands."""

    waiting: int
    working: int
    done: int
    aside: int
    alive: frozenset[str]
    """Flow runs of the workers that live."""
    seen: frozenset[str]
    """Flow runs of all workers that have come."""
    lost: frozenset[str]
    """Flow runs of the workers that were lost."""
    n_lost: int
    """Workers lost so far: a flow run that is begun anew may lose more than one."""

    @property
    def left(self) -> int:
        return self.waiting + self.working


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of a source."""

    state: str
    """`done`; `aside`; `waiting` or `working` where the night ended before."""
    n_lost: int
    outcome: str | None


class Claims:
    """The sources of one night, as one process uses them. `state`: see `warehouse.crawl_state`."""

    def __init__(self, state: Engine, run_id: str, *, lease_seconds: float = LEASE_SECONDS) -> None:
        self._engine = state
        self._run_id = run_id
        self.lease_seconds = lease_seconds
        self.me = name_of_this_process()
        self._insert = sqlite.insert if is_sqlite(state.url) else postgresql.insert

    @retried
    def begin(self, source_ids: Sequence[str]) -> None:
        """Share out these, in this order. What nights left that were killed long ago is deleted."""
        with changing(self._engine) as conn:
            now = clock(conn)
            old = select(night.c.run_id).where(night.c.begun_at < now - FORGET_AFTER)
            for table in (night_source, night_worker, night):
                conn.execute(delete(table).where(table.c.run_id.in_(old)))
            self._add(conn, night, [{"begun_at": now}])
            rows = [{"source_id": name, "position": n, "state": "waiting"} for n, name in enumerate(source_ids)]
            self._add(conn, night_source, [row | {"n_lost": 0} for row in rows])

    @retried
    def end(self) -> None:
        """The night is over: whoever still works for it learns so at his next beat."""
        with changing(self._engine) as conn:
            self._lock(conn)  # first, as all do: else a shard that leaves just now and this one wait for each other
            for table in (night_source, night_worker, night):
                conn.execute(delete(table).where(table.c.run_id == self._run_id))

    @retried
    def look(self) -> Look:
        """Where the night stands, after the sources of lost workers were taken from them."""
        with changing(self._engine) as conn:
            self._lock(conn)
            self._give_up_lost(conn, clock(conn))
            of_state = select(night_source.c.state, func.count()).where(night_source.c.run_id == self._run_id)
            n = {state: int(count) for state, count in conn.execute(of_state.group_by(night_source.c.state))}
            workers = [(row["flow_run_id"], row["state"]) for row in self._workers(conn)]
        return Look(
            n.get("waiting", 0), n.get("working", 0), n.get("done", 0), n.get("aside", 0),
            frozenset(flow_run for flow_run, state in workers if state == "working"),
            frozenset(flow_run for flow_run, _ in workers),
            frozenset(flow_run for flow_run, state in workers if state == "lost"),
            sum(state == "lost" for _, state in workers),
        )  # fmt: skip

    @retried
    def set_rest_aside(self) -> None:
        """Nobody is left to crawl what still waits."""
        self._change(night_source.c.state == "waiting", state="aside")

    @retried
    def settled(self) -> dict[str, Settled]:
        """What came of each source."""
        chosen = select(night_source).where(night_source.c.run_id == self._run_id).order_by(night_source.c.position)
        with changing(self._engine) as conn:
            rows = conn.execute(chosen).mappings().all()
        return {row["source_id"]: Settled(row["state"], row["n_lost"], row["outcome"]) for row in rows}

    @retried
    def beat(self, flow_run_id: str) -> bool:
        """This worker lives, and crawls for the night from its first beat on. False: the night is over."""
        with changing(self._engine) as conn:
            if not self._lock(conn):
                return False
            living = {"state": "working", "lease_until": clock(conn) + self.lease_seconds}
            row = {"run_id": self._run_id, "worker": self.me, "flow_run_id": flow_run_id, **living}
            keys = ["run_id", "worker"]
            added = self._insert(night_worker).values(row).on_conflict_do_update(index_elements=keys, set_=living)
            conn.execute(added)
        return True

    @retried
    def leave(self) -> None:
        """This worker goes; what it has not done is there for the others at once."""
        with changing(self._engine) as conn:
            if not self._lock(conn):
                return
            self._set_worker(conn, self.me, "left", 0.0)
            self._set(conn, self._held_by(self.me), state="waiting", worker=None, token=None)

    @retried
    def claim(self, token: str, *, takes_suspects: bool = True) -> str | Rest:
        """A source to crawl, held until it is done or this worker has gone; it has beaten before. The same token gets
        the same source.

        Sources that were there when a worker was lost come last, and to who holds nothing else."""
        with changing(self._engine) as conn:
            if not self._lock(conn):
                return Rest.OVER
            now = clock(conn)
            self._set_worker(conn, self.me, "working", now + self.lease_seconds)  # it may have been taken for lost
            self._give_up_lost(conn, now)
            mine = self._sources(conn, self._held_by(self.me))
            for row in mine:
                if row["token"] == token:
                    return str(row["source_id"])
            if any(row["n_lost"] for row in mine):
                return Rest.WAIT
            waiting = self._sources(conn, night_source.c.state == "waiting", 1)
            if not waiting or (waiting[0]["n_lost"] and not takes_suspects):
                return Rest.WAIT if self._sources(conn, night_source.c.state == "working", 1) else Rest.OVER
            if waiting[0]["n_lost"] and mine:
                return Rest.WAIT
            source_id = waiting[0]["source_id"]
            is_chosen = night_source.c.source_id == source_id
            self._set(conn, is_chosen, state="working", worker=self.me, token=token)
            return str(source_id)

    @retried
    def complete(self, source_id: str, outcome: str) -> None:
        """What is done is done, whoever holds the source by now; the first word counts."""
        is_open = (night_source.c.source_id == source_id) & (night_source.c.state != "done")
        self._change(is_open, state="done", outcome=outcome, worker=None, token=None)

    def _lock(self, conn: Connection) -> bool:
        """Whether the night lasts; to the end of the transaction nobody else changes it."""
        chosen = select(night.c.run_id).where(night.c.run_id == self._run_id)
        if not is_sqlite(self._engine.url):
            chosen = chosen.with_for_update()
        return conn.execute(chosen).one_or_none() is not None

    def _give_up_lost(self, conn: Connection, now: float) -> None:
        """Take from lost workers what they held."""
        for row in self._workers(conn):
            worker = row["worker"]
            is_living = worker == self.me or (row["lease_until"] > now and is_alive(worker))
            if row["state"] != "working" or is_living:
                continue
            self._set_worker(conn, worker, "lost", 0.0)
            for source in self._sources(conn, self._held_by(worker)):
                n_lost = source["n_lost"] + 1
                is_source = night_source.c.source_id == source["source_id"]
                state = "aside" if n_lost >= MAX_LOST else "waiting"
                self._set(conn, is_source, state=state, n_lost=n_lost, worker=None, token=None)

    def _set_worker(self, conn: Connection, worker: str, state: str, lease_until: float) -> None:
        which = (night_worker.c.run_id == self._run_id) & (night_worker.c.worker == worker)
        conn.execute(update(night_worker).where(which).values(state=state, lease_until=lease_until))

    def _workers(self, conn: Connection) -> Sequence[Any]:
        return conn.execute(select(night_worker).where(night_worker.c.run_id == self._run_id)).mappings().all()

    def _sources(self, conn: Connection, which: Any, limit: int | None = None) -> Sequence[Any]:
        """In order of their turns."""
        of_night = select(night_source).where(night_source.c.run_id == self._run_id, which)
        in_turn = of_night.order_by(night_source.c.n_lost, night_source.c.position).limit(limit)
        return conn.execute(in_turn).mappings().all()

    @staticmethod
    def _held_by(worker: str) -> Any:
        return (night_source.c.state == "working") & (night_source.c.worker == worker)

    def _change(self, which: Any, **values: Any) -> None:
        with changing(self._engine) as conn:
            self._lock(conn)
            self._set(conn, which, **values)

    def _set(self, conn: Connection, which: Any, **values: Any) -> None:
        conn.execute(update(night_source).where(night_source.c.run_id == self._run_id, which).values(values))

    def _add(self, conn: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
        conn.execute(self._insert(table).on_conflict_do_nothing(), [{"run_id": self._run_id, **row} for row in rows])
