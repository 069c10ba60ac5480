"""A night's sources shared out over flow runs of the deployment `shard`, in a work pool of one or more machines.

The parent writes the sources into the warehouse's table of claims and starts the shards; they claim one source after
another and crawl it as the nightly does. All that counts goes through the database: the shards need not know where the
parent is, and a server that is restarted meanwhile is not missed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.deployments import arun_deployment
from prefect.exceptions import ObjectNotFound
from prefect.runtime import flow_run
from prefect.states import Crashed

from connectors.registry import Source
from fazhi.report import SourceLine
from flows.crawling import House, run_sources, set_aside
from flows.telling import log_source
from tasks.network import tally_hosts
from tasks.progress import reporter
from tasks.shards import NightOver, Outcome, claimed, keep_alive, read_outcome, write_outcome
from warehouse.claims import Claims, Look, Settled

SHARD = "shard/shard"
START_SECONDS = 300.0
"""Within which a shard that was started is expected to claim: a worker's machine may be busy. Then it is not waited for
any more."""
LOOK_SECONDS = 2.0
ASK_SECONDS = 15.0
"""Between two questions to the server, about shards that have not come or could not be started."""
LOST = "Its process was lost: others crawl its sources. 进程已丢失，其来源由其他分片接手"


async def share_sources(house: House, sources: Sequence[Source], concurrency: int, n_shards: int) -> list[SourceLine]:
    """All sources, crawled by `n_shards` flow runs; by this one where no shard is to be had. In order of `sources`.

    Raises what stops every source alike, as `run_sources` does."""
    claims = Claims(house.state, house.run_id)
    by_id = {source.id: source for source in sources}
    await asyncio.to_thread(claims.begin, list(by_id))
    reporter().say(f"Sharing out {len(sources)} sources to {n_shards} shards")
    crew = _Crew(house, n_shards)
    try:
        while (look := await asyncio.to_thread(claims.look)).left:
            await crew.tell_lost(look)
            await crew.fill_up(look)
            if crew.is_hopeless(look):
                await crawl_claimed(house, claims, by_id, concurrency, takes_suspects=False)
                if not (await asyncio.to_thread(claims.look)).working:
                    await asyncio.to_thread(claims.set_rest_aside)
            await asyncio.sleep(LOOK_SECONDS)
        settled = await asyncio.to_thread(claims.settled)
        told = {one.source_id for one in house.watch.done}
        return [await _take(house, source, settled[source.id], source.id in told) for source in sources]
    finally:
        await asyncio.to_thread(claims.end)


async def crawl_claimed(
    house: House, claims: Claims, sources: Mapping[str, Source], concurrency: int, *, takes_suspects: bool = True
) -> int:
    """Claim and crawl until nothing is left, at most `concurrency` sources at once; how many were crawled.

    Raises NightOver, and what `run_sources` does: what was not done is then there for others."""
    places = asyncio.Semaphore(concurrency)
    n_done = 0

    async def crawl(source_id: str) -> None:
        nonlocal n_done
        try:
            (line,) = await run_sources(house, (sources[source_id],), 1)
            await asyncio.to_thread(claims.complete, source_id, write_outcome(_outcome(house, source_id, line)))
            n_done += 1
        finally:
            places.release()

    me = str(flow_run.id)
    if not await asyncio.to_thread(claims.beat, me):
        raise NightOver
    try:
        async with asyncio.TaskGroup() as group:
            beating = group.create_task(keep_alive(claims, me))
            async with asyncio.TaskGroup() as crawling:
                async for source_id in claimed(claims, places, takes_suspects):
                    crawling.create_task(crawl(source_id))
            beating.cancel()
    except BaseExceptionGroup as errors:
        raise _first(errors) from None
    finally:
        await asyncio.to_thread(claims.leave)
    return n_done


async def mark_crashed(flow_runs: Iterable[str]) -> None:
    """Say of flow runs that their process is gone. One that has ended stays as it is, and one that was only believed
    lost is set right by its own end."""
    async with get_client() as client:
        for run in sorted(flow_runs):
            with suppress(ObjectNotFound):  # somebody deleted it
                await client.set_flow_run_state(UUID(run), Crashed(message=LOST))


def _first(errors: BaseException) -> BaseException:
    """Of what was raised in task groups: the rest came of it, or of the same cause."""
    while isinstance(errors, BaseExceptionGroup):
        errors = errors.exceptions[0]
    return errors


def _outcome(house: House, source_id: str, line: SourceLine) -> Outcome:
    """What the night has to know; nothing of it is kept here."""
    asked, house.attempts[source_id] = house.attempts[source_id], []
    is_changed = source_id in house.changed
    return Outcome(line, is_changed, tally_hosts(asked), house.drifts.pop(source_id, None))


async def _take(house: House, source: Source, settled: Settled, is_told: bool) -> SourceLine:
    """What a shard said of a source, as if it had been crawled here. `is_told`: it was, and the watch knows of it."""
    if settled.outcome is None:
        lost = f"{settled.n_lost} worker{'s' if settled.n_lost > 1 else ''} lost while it was crawled"
        alone = f"see what it does alone: fazhi nightly --source {source.id}"
        why = f"{source.id}: set aside for this night 本夜搁置: {lost}; {alone}"
        line = await set_aside(house, source, why)
        log_source(line)
        return line
    outcome = read_outcome(settled.outcome)
    house.tallies.append(outcome.hosts)
    if outcome.is_changed:
        house.changed.add(source.id)
    if outcome.drift is not None:
        house.drifts[source.id] = outcome.drift
    if not is_told:
        house.watch.take_line(source, outcome.line)
        log_source(outcome.line)
    return outcome.line


class _Crew:
    """The shards of one night: as many as are wanted, and one more for each that was lost."""

    def __init__(self, house: House, n_wanted: int) -> None:
        self._house = house
        self._n_wanted = n_wanted
        self._started: dict[str, float] = {}
        """Flow runs, and when they were started; of those that ended before they came, minus infinity."""
        self._trouble: tuple[float, str] | None = None
        """Since when no shard can be started, and why."""
        self._is_given_up = False
        self._asked_at = self._told_at = float("-inf")
        self._told: set[str] = set()
        """Of the lost ones, those that the server knows to be lost."""

    async def tell_lost(self, look: Look) -> None:
        """A process that was killed cannot say so itself: its flow run would be shown as running for ever."""
        untold = look.lost - self._told - {self._house.run_id}
        if not untold or time.monotonic() < self._told_at + ASK_SECONDS:
            return
        self._told_at = time.monotonic()
        try:
            await mark_crashed(untold)
        except Exception as error:  # noqa: BLE001 - the server is away: told again
            reporter().say(f"The server did not answer ({type(error).__name__}: {error}): told again")
        else:
            self._told |= untold

    async def fill_up(self, look: Look) -> None:
        """Start what is missing."""
        if time.monotonic() < self._asked_at + ASK_SECONDS:
            return
        if self._coming(look):
            self._asked_at = time.monotonic()
            await self._ask_for_those_that_ended(look)
        missing = self._n_wanted - len(look.alive & self._started.keys()) - len(self._coming(look))
        may_start = self._n_wanted + look.n_lost - len(self._started)
        for _ in range(min(missing, may_start)):
            await self._start()

    def is_hopeless(self, look: Look) -> bool:
        """Whether nobody else will crawl what is left."""
        is_starting = self._trouble is not None and not self._is_given_up
        return not (look.alive or self._coming(look) or is_starting)

    def _coming(self, look: Look) -> list[str]:
        now = time.monotonic()
        return [run for run, at in self._started.items() if run not in look.seen and now - at < START_SECONDS]

    async def _start(self) -> None:
        if self._is_given_up:
            return
        number = len(self._started) + 1
        house = self._house
        parameters = {"night": house.run_id, "number": number, "all_pages": house.wish.all_pages}
        parameters["accept_mass_change"] = house.accept_mass_change
        try:
            made = await arun_deployment(SHARD, parameters=parameters, timeout=0)
        except ObjectNotFound:
            self._give_up(f"the server knows no deployment {SHARD}: `fazhi serve` or `prefect deploy --all` make it")
        except Exception as error:  # noqa: BLE001 - a server that is away must not cost the night: it is asked again
            since = self._trouble[0] if self._trouble else time.monotonic()
            self._trouble, self._asked_at = (since, f"{type(error).__name__}: {error}"), time.monotonic()
            if time.monotonic() - since > START_SECONDS:
                self._give_up(f"the server does not start it ({self._trouble[1]})")
        else:
            self._started[str(made.id)], self._trouble = time.monotonic(), None

    def _give_up(self, why: str) -> None:
        self._is_given_up = True
        self._house.watch.note(f"no further shard: {why}")

    async def _ask_for_those_that_ended(self, look: Look) -> None:
        """Shards that failed before they could claim anything are not waited for."""
        try:
            async with get_client() as client:
                for run in self._coming(look):
                    found = await client.read_flow_run(UUID(run))
                    if found.state is not None and found.state.is_final():
                        self._started[run] = float("-inf")
                        self._house.watch.note(f"shard {found.name} ended before it began: {found.state.message}")
        except Exception as error:  # noqa: BLE001 - the server is away: asked again
            self._house.watch.note(f"the server did not answer ({type(error).__name__}: {error}): asked again")
