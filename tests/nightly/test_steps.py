"""The joints of the nightly that no whole run shows: what a run remembers, and whose request was whose."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from connectors.http.client import Attempt
from fazhi.house import only_nightly
from fazhi.settings import Settings
from flows import nightly as flow
from tasks.assemble import known_pages
from tests.connectors.test_crawl import source
from warehouse.batch import PageState, SnapshotRef

URL = "https://www.wuyou.example/zwgk/t1.html"


def test_page_that_the_data_tests_set_aside_is_forgotten() -> None:
    """With its snapshot the crawl would call the same bytes unchanged, and never read them again."""
    held = SnapshotRef("a.warc.gz", 0, 10, "0" * 64)
    kinds = {
        state: PageState(URL, "page", "990901_wuyou", snapshot=held, state=state) for state in ("active", "rejected")
    }
    assert known_pages({URL: kinds["active"]}, {})[URL].snapshot is not None
    assert known_pages({URL: kinds["rejected"]}, {})[URL].snapshot is None


def test_second_nightly_in_a_data_folder_waits_for_the_first(tmp_path: Path) -> None:
    settings, said, order = Settings(home=tmp_path / "data"), list[str](), list[str]()

    def second() -> None:
        with only_nightly(settings, said.append):
            order.append("second")

    with only_nightly(settings, said.append):
        assert said == [], "nobody to wait for"
        thread = threading.Thread(target=second)
        thread.start()
        while not said:
            time.sleep(0.01)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]
    assert said == ["Waiting for another nightly in this data folder"]


def test_requests_of_two_sources_on_one_host_go_to_the_source_that_asked() -> None:
    attempts: dict[str, list[Attempt]] = {}
    first, second = source(), source(id="990901_zaiyou")
    keep = flow._sorter([first, second], attempts)

    async def ask(source_id: str, n: int) -> None:
        flow._asking.set(source_id)
        for _ in range(n):
            await asyncio.sleep(0)
            keep(Attempt(URL, "www.wuyou.example", datetime.now(UTC), 1, 200, 1, "ok", "allowed", 0.0, 0.0))

    async def both() -> None:
        await asyncio.gather(ask(first.id, 2), ask(second.id, 3))

    asyncio.run(both())
    assert {name: len(kept) for name, kept in attempts.items()} == {first.id: 2, second.id: 3}
