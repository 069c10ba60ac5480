"""How hosts were really asked, by the log of fetches."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from itertools import pairwise
from urllib.parse import urlsplit

from sqlalchemy import Engine, select

from warehouse.engine import reading
from warehouse.schema import fact_fetch, fact_source_run
from warehouse.schema_dims import dim_source

LEAST = 5
"""Requests of a run to a host, from which a pace can be told."""


def kept_gaps(engine: Engine, source_id: str) -> dict[str, float]:
    """Host -> the least seconds between two requests of the source's last run: what a Crawl-delay in robots.txt, which
    is recorded nowhere else, has made of the pace. Nothing of a run that kept no pace, as in replay."""
    run, seen = fact_source_run.c, fact_fetch.c
    keys = select(dim_source.c.source_key).where(dim_source.c.source_id == source_id)
    last = select(run.run_id).where(run.source_key.in_(keys)).order_by(run.started_at.desc()).limit(1)
    chosen = select(seen.url, seen.started_at).where(
        seen.run_id.in_(last.scalar_subquery()), seen.source_key.in_(keys), seen.kind != "robots"
    )
    starts: dict[str, list[datetime]] = defaultdict(list)
    with reading(engine) as conn:
        for url, started_at in conn.execute(chosen.order_by(seen.started_at)):
            starts[urlsplit(url).netloc].append(started_at)
    return {
        host: min((later - earlier).total_seconds() for earlier, later in pairwise(times))
        for host, times in starts.items()
        if len(times) >= LEAST
    }
