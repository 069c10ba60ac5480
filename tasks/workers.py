"""Orders for worker processes, answered in whatever order they are done; a worker that dies costs one document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from itertools import islice
from multiprocessing import get_context

from fazhi.settings import Settings
from tasks.rereading import BatchRead, Order, read_batch, start_worker

AHEAD = 2
"""Orders waiting for each worker: it never idles, and what is under way stays small."""

Work = Callable[[Order], BatchRead]


def read_in_workers(
    orders: Iterator[Order], settings: Settings, processes: int, work: Work = read_batch
) -> Iterator[BatchRead]:
    """Raises what a worker raised. Stopped early, it lets each worker finish its document at most."""
    lost: list[Order] = []
    yield from _read_all(orders, settings, processes, work, lost)
    while lost:  # a worker died, and nobody knows of which order: each is tried alone
        order = lost.pop()
        again: list[Order] = []
        yield from _read_all(iter([order]), settings, 1, work, again)
        if again and len(order.ids) == 1:
            what = f"{order.ids[0]}: reading it ends the process that reads (memory?): it stays as it is"
            yield BatchRead(order.source.id, 1, findings=[what])
        elif again:
            lost += _halves(order)


def _halves(order: Order) -> list[Order]:
    half = len(order.ids) // 2
    return [
        replace(order, ids=ids, spool=order.spool and order.spool.with_name(f"{order.spool.name}{mark}"))
        for ids, mark in ((order.ids[:half], "a"), (order.ids[half:], "b"))
    ]


def _read_all(
    orders: Iterator[Order], settings: Settings, processes: int, work: Work, lost: list[Order]
) -> Iterator[BatchRead]:
    """What could not be read since a worker died is added to `lost`, the rest of the orders included."""
    context = get_context("forkserver")  # it imports once, and has neither our threads nor our connections
    context.set_forkserver_preload([start_worker.__module__])
    stop = context.Event()
    under_way: dict[Future[BatchRead], Order] = {}
    pool = ProcessPoolExecutor(processes, context, start_worker, (settings, stop))
    try:
        while True:
            for order in islice(orders, processes * (1 + AHEAD) - len(under_way)):
                under_way[pool.submit(work, order)] = order
            if not under_way:
                return
            done, _ = wait(under_way, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
                del under_way[future]
    except BrokenProcessPool:
        lost += under_way.values()
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)
