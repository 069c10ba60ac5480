"""Which runs are under way: what one that lives is about is not taken over by another.

Each process of a run holds a row of `crawl_run` and renews it. A process of this machine that is no more counts as
gone at once, one of another machine when its lease has lapsed.
"""

from __future__ import annotations

import threading

from sqlalchemy import Connection, Engine, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from warehouse.claims import LEASE_SECONDS
from warehouse.crawl_state import Prepared, changing, clock
from warehouse.engine import is_sqlite
from warehouse.holders import is_alive, name_of_this_process
from warehouse.patience import retried
from warehouse.schema_crawl import crawl_run

_RUNS = select(crawl_run.c.run_id).distinct()


class LivingRuns:
    """The runs under way, as one process of one of them sees and joins them."""

    def __init__(self, state: Engine, run_id: str, *, lease_seconds: float = LEASE_SECONDS) -> None:
        self._engine = state
        self._run_id = run_id
        self._lease_seconds = lease_seconds
        self._me = name_of_this_process()
        insert = sqlite.insert if is_sqlite(state.url) else postgresql.insert
        mine = insert(crawl_run)
        mine = mine.on_conflict_do_update(
            index_elements=["run_id", "worker"], set_={"lease_until": mine.excluded["lease_until"]}
        )
        self._renew = Prepared(state, mine, [column.name for column in crawl_run.columns])
        self._mutex = threading.Lock()
        self._has_left = False

    @retried
    def beat(self) -> frozenset[str]:
        """This process lives; the other runs that do. What dead processes left here is deleted."""
        with self._mutex, changing(self._engine) as conn:
            if self._has_left:  # while this waited
                return frozenset()
            self._renew.run(conn, [(self._run_id, self._me, clock(conn) + self._lease_seconds)])
            others = {one for (one,) in conn.execute(_RUNS)} - {self._run_id}
            if not others:
                return frozenset()
            living = find_living(conn)
            if dead := sorted(others - living):
                conn.execute(delete(crawl_run).where(crawl_run.c.run_id.in_(dead)))
        return living - {self._run_id}

    @retried
    def leave(self) -> None:
        """This process does nothing more for its run, now or later."""
        of_mine = (crawl_run.c.run_id == self._run_id) & (crawl_run.c.worker == self._me)
        with self._mutex:
            self._has_left = True
            with changing(self._engine) as conn:
                conn.execute(delete(crawl_run).where(of_mine))


def find_living(conn: Connection) -> frozenset[str]:
    """Runs of which a process lives."""
    now = clock(conn)
    rows = conn.execute(select(crawl_run)).all()
    return frozenset(row.run_id for row in rows if row.lease_until > now and is_alive(row.worker))
