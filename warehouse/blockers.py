"""Who keeps a PostgreSQL writer waiting: what the server knows of its other sessions when a lock was not to be had.

"Another program holds it" is no help at three in the morning; a process id, how long, and with what is.
Source: PostgreSQL's `pg_stat_activity` and `pg_locks` (manual, "The Cumulative Statistics System", "pg_locks").
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

MOST = 3
"""Sessions that are told of."""
_SESSIONS = text(
    """
    SELECT a.pid, a.application_name, a.state, extract(epoch FROM clock_timestamp() - a.xact_start) AS seconds,
           cardinality(pg_blocking_pids(a.pid)) > 0 AS waits, left(a.query, 60) AS query
      FROM pg_stat_activity a
     WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.xact_start IS NOT NULL
       AND EXISTS (SELECT 1 FROM pg_locks l WHERE l.pid = a.pid AND l.granted
                      AND (l.locktype IN ('advisory', 'transactionid') OR l.mode LIKE '%Exclusive%'))
     ORDER BY waits, a.xact_start
     LIMIT :most
    """
)


def application_name() -> str:
    """What a session calls itself: this program's command and its process id, without values of options."""
    words = [Path(sys.argv[0]).stem or "python", *(word for word in sys.argv[1:2] if word.isalpha())]
    return f"{' '.join(words)[:40]} {os.getpid()}"


def tell_blockers(engine: Engine) -> str:
    """Sessions of a PostgreSQL that hold locks just now, the longest first, as words for a message; empty where there
    is none any more, or the server does not tell."""
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            rows = conn.execute(_SESSIONS, {"most": MOST}).all()
    except DBAPIError as error:
        return f" (who holds it the server does not say: {' '.join(str(error.orig).split())})"
    told = [
        f"{row.application_name or 'a program'}, session {row.pid}, {row.state} for {float(row.seconds):.0f} s"
        f" ({' '.join(row.query.split())})"
        for row in rows
    ]
    return f"; held by {'; '.join(told)}" if told else "; it is free by now: run again"
