"""Pages that come together are read in rounds of the loop of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from connectors.turns import turns_here


def count_rounds(loop: asyncio.AbstractEventLoop) -> Callable[[], int]:
    rounds = 0

    def tick() -> None:
        nonlocal rounds
        rounds += 1
        loop.call_soon(tick)

    loop.call_soon(tick)
    return lambda: rounds


async def read_all(n_pages: int, cancelled: frozenset[int] = frozenset()) -> list[tuple[int, int]]:
    """The round in which each page was read, and its number."""
    now, read = count_rounds(asyncio.get_running_loop()), list[tuple[int, int]]()

    async def page(number: int) -> None:
        await turns_here().wait()
        read.append((now(), number))

    tasks = [asyncio.create_task(page(number)) for number in range(n_pages)]
    await asyncio.sleep(0)
    for number in cancelled:
        tasks[number].cancel()
    await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)
    return read


def test_one_page_is_read_in_a_round_first_come_first_served() -> None:
    read = asyncio.run(read_all(10))
    assert [number for _, number in read] == list(range(10))
    assert len({at for at, _ in read}) == 10


def test_a_page_that_is_given_up_keeps_no_other_from_its_turn() -> None:
    read = asyncio.run(read_all(10, frozenset({1, 2, 5, 9})))
    assert [number for _, number in read] == [0, 3, 4, 6, 7, 8]


def test_a_page_alone_does_not_wait_and_each_loop_has_its_own_turns() -> None:
    async def alone() -> None:
        for _ in range(3):
            await turns_here().wait()
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    for _ in range(2):
        asyncio.run(asyncio.wait_for(alone(), 10))
