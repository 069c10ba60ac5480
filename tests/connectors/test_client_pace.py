"""How often a host is asked: Retry-After, backoff, one lane per host."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from typing import Any

import pytest

from connectors.errors import Deferred
from connectors.http.answers import read_retry_after
from connectors.http.client import Attempt, Client, Fetch
from tests import servers
from tests.connectors.client_runs import HOST, HOSTS, HTML, PAGE, Run, settings
from tests.servers import Site


def test_retry_after() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert read_retry_after("120", now) == 120
    assert read_retry_after(format_datetime(now + timedelta(seconds=90), usegmt=True), now) == 90
    assert read_retry_after(format_datetime(now - timedelta(seconds=90), usegmt=True), now) == 0
    assert [read_retry_after(value, now) for value in (None, "", "soon", "-1", "٣")] == [None] * 5
    nowhere = ("Mon, 01 Jan 2024 00:00:00 +99999999999999999999", "Fri, 31 Dec 99999 23:59:59 GMT")
    assert [read_retry_after(value, now) for value in nowhere] == [None] * 2


def test_retry_after_is_kept_and_a_long_one_is_not_waited_for(site: Site) -> None:
    site.on("/page.html", status=429, headers={"Retry-After": "1"}).on("/page.html", HTML)
    started = time.monotonic()
    assert Run(site, pace_real=True).fetch().status == 200
    assert time.monotonic() - started >= 1


@pytest.mark.parametrize("value", ["3600", "Fri, 31 Dec 2100 23:59:59 GMT", "9" * 300])
@pytest.mark.parametrize("status", [429, 503])
def test_a_pause_longer_than_a_run_is_left_to_a_later_one(site: Site, status: int, value: str) -> None:
    site.on("/page.html", status=status, headers={"Retry-After": value}).on("/other", HTML)
    run = Run(site)
    first, second = run.fetch_all(PAGE, f"http://{HOST}/other")
    assert isinstance(first, Deferred) and first.status == status
    assert isinstance(second, Deferred)
    assert run.outcomes() == [("transient", status)]
    assert site.asked("/other") == []


def test_backoff_doubles_at_the_real_pace(site: Site) -> None:
    site.on("/page.html", status=503).on("/page.html", status=503).on("/page.html", HTML)
    attempts = Run(site, pace_real=True, backoff=0.2).fetch().attempts
    first, second = ((b.started_at - a.started_at).total_seconds() for a, b in pairwise(attempts))
    assert first >= 0.149  # a quarter of jitter
    assert second >= 0.299


def fetch_many(client: Client, urls: list[str]) -> Coroutine[Any, Any, list[Fetch]]:
    async def go() -> list[Fetch]:
        async with client:
            return await asyncio.gather(
                *(client.fetch(u, kind="page", hosts=frozenset({u.split("/")[2]})) for u in urls)
            )

    return go()


def test_one_lane_per_host_across_clients_and_tasks(site: Site) -> None:
    urls = [f"http://lane.example/{n}" for n in range(3)]
    for n in range(3):
        site.on(f"/{n}", HTML)

    log: list[Attempt] = []

    async def go() -> None:
        first, second = (Client(settings(site, delay=0.2, pace_real=True), log.append) for _ in range(2))
        await asyncio.gather(fetch_many(first, urls[:2]), fetch_many(second, urls[2:]))

    asyncio.run(go())
    times = sorted(attempt.started_at for attempt in log)
    assert len(times) == len(site.seen) == 5
    assert min(after - before for before, after in pairwise(times)) >= timedelta(seconds=0.195)


def test_two_hosts_do_not_wait_for_each_other(site: Site) -> None:
    site.on("/0", HTML)
    urls = ["http://one.example/0", "http://two.example/0"]
    started = time.monotonic()
    asyncio.run(fetch_many(Client(settings(site, delay=1.5, pace_real=True)), urls))
    assert time.monotonic() - started < 2.9


def test_in_replay_the_pace_is_recorded_not_slept(site: Site) -> None:
    site.on("/robots.txt", "User-agent: *\nCrawl-delay: 9").on("/page.html", HTML)
    started = time.monotonic()
    got = Run(site, delay=5).fetch()
    assert time.monotonic() - started < 8
    assert got.attempts[-1].delay_s == 9
    assert got.attempts[-1].waited_s < 0.01


def test_a_cancelled_task_leaves_the_lane_to_the_next(site: Site) -> None:
    site.on("/slow", raw=servers.hang).on("/page.html", HTML)

    async def go() -> Fetch:
        async with Client(settings(site, timeout=5)) as client:
            slow = asyncio.create_task(client.fetch(f"http://{HOST}/slow", kind="page", hosts=HOSTS))
            await asyncio.sleep(0.2)
            queued = asyncio.create_task(client.fetch(f"http://{HOST}/q", kind="page", hosts=HOSTS))
            await asyncio.sleep(0.1)
            queued.cancel()
            slow.cancel()
            await asyncio.gather(slow, queued, return_exceptions=True)
            return await asyncio.wait_for(client.fetch(PAGE, kind="page", hosts=HOSTS), 3)

    assert asyncio.run(go()).status == 200
