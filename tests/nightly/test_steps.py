"""The joints of the nightly that no whole run shows: what a run remembers, and whose request was whose."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prefect.states import Failed

from connectors.archive import Archive
from connectors.archive import SnapshotRef as ArchiveRef
from connectors.base import Page, PageRef
from connectors.crawled import CrawlResult, Part, ReadPage, Seen
from connectors.engines import get_engine
from connectors.errors import RobotsDenied, SourceChanged, Transient
from connectors.http.client import Attempt, Client, GatewayUnreachable, HttpSettings
from connectors.wish import DUE
from extraction.decode import decode
from fazhi.house import load_catalog, only_nightly
from fazhi.settings import Settings
from flows import crawling, nightly
from tasks.assemble import document_in, known_pages
from tasks.fetches import asking, sort_attempts
from tasks.frontier import WarehouseJournal
from tasks.transient import is_transient
from tasks.watch import Watch
from tests.connectors.portal import source
from warehouse.batch import LoadBatch, LoadResult, PageState, SnapshotRef
from warehouse.catalogue import catalogue_rows
from warehouse.checkup import DataTestFailed
from warehouse.crawl_state import open_crawl_state
from warehouse.engine import open_warehouse, writing
from warehouse.errors import WarehouseBusy, WarehouseError
from warehouse.frontier import Frontier
from warehouse.health import source_health
from warehouse.load import publish

URL = "https://www.wuyou.example/zwgk/t1.html"


def load_by(load: Callable[..., Awaitable[LoadResult]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches with content and those without alike."""

    async def load_unrecorded(source_id: str, engine: Any, batch: Any) -> LoadResult:
        return await load(source_id, crawling.as_is(engine), crawling.as_is(batch))

    monkeypatch.setattr(crawling, "load", load)
    monkeypatch.setattr(crawling, "load_unrecorded", load_unrecorded)


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
    first, second = source(), source(id="990901_zaiyou")
    attempts: dict[str, list[Attempt]] = {first.id: [], second.id: []}
    keep = sort_attempts(attempts, Watch("run").note_attempt)

    async def ask(source_id: str, n: int) -> None:
        asking.set(source_id)
        for _ in range(n):
            await asyncio.sleep(0)
            keep(Attempt(URL, "www.wuyou.example", datetime.now(UTC), 1, 200, 1, "ok", "allowed", 0.0, 0.0))

    async def both() -> None:
        await asyncio.gather(ask(first.id, 2), ask(second.id, 3))

    asyncio.run(both())
    assert {name: len(kept) for name, kept in attempts.items()} == {first.id: 2, second.id: 3}


def test_injected_links_are_counted_hidden_or_in_plain_sight() -> None:
    body = (
        '<div class="TRS_Editor"><p>办结<a href="http://bc.example.net/" style="display:none">某某论坛</a>36件，'
        '<a href="http://bc.example.net/">彩票平台</a>受理40件。</p><p>附件：<a href="./a.docx">附件.docx</a></p></div>'
    )
    page = Page(URL, decode(f"<html><body>{body}</body></html>".encode()))
    ref = PageRef(URL, "乌有县2024年法治政府建设情况报告", "2025-02-11")
    seen = Seen(URL, "page", None, None, ArchiveRef("a", 0, 1, "0"), 200, "new", datetime.now(UTC))
    document = document_in(ReadPage(seen, ref, get_engine("trs").read(page, source(), ref), True, 2024), None, None)
    assert document.body.startswith("办结36件，受理40件。")
    assert document.removed_links == 2
    assert document.removed == (
        (2, "hidden", "某某论坛", "http://bc.example.net/"),
        (6, "spam_link", "彩票平台", "http://bc.example.net/"),
    )
    assert document.text[:2] + "|" + document.text[2:6] + "|" == "办结|36件，|"


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (SourceChanged("990901_wuyou: the lists hold 0 rows"), "990901_wuyou: the lists hold 0 rows"),
        (ZeroDivisionError("division by zero"), "990901_wuyou: a defect of fazhi.*ZeroDivisionError.*test_steps.py"),
    ],
)
def test_failure_of_one_source_is_its_own(
    raised: Exception, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also a defect of ours, which some portal's pages bring out: the others go on."""

    async def crawl(*given: object) -> None:
        raise raised

    monkeypatch.setattr(crawling, "crawl", crawl)
    documents, failure = asyncio.run(crawling._crawl_and_parse(loads_of(tmp_path)))
    assert documents == ()
    assert failure is not None and re.search(told, failure)


@pytest.mark.parametrize("raised", [None, TimeoutError("a socket's")])
def test_night_or_backfill_that_never_ends_is_ended(
    raised: Exception | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What both have in common, so that the next one is not cancelled beside it."""

    async def last(*given: object) -> None:
        if raised is not None:
            raise raised
        await asyncio.sleep(60)

    monkeypatch.setattr(nightly, "_run_night", last)
    monkeypatch.setattr(nightly, "LONGEST", 0.036)
    with pytest.raises(TimeoutError, match="a socket's" if raised else "not done in 1e-05 hours: the next run"):
        asyncio.run(nightly.run_night(Settings(home=tmp_path), [source()], DUE, Watch("run")))


def test_source_that_never_ends_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def crawl(*given: object) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(crawling, "crawl", crawl)
    monkeypatch.setenv("FAZHI_SOURCE_HOURS", "0.00001")
    documents, failure = asyncio.run(crawling._crawl_and_parse(loads_of(tmp_path)))
    assert documents == () and failure is not None
    assert "990901_wuyou: not done in 1e-05 hours (FAZHI_SOURCE_HOURS)" in failure


def test_cancelled_run_is_no_late_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def crawl(*given: object) -> None:
        await asyncio.sleep(60)

    async def go() -> None:
        task = asyncio.create_task(crawling._crawl_and_parse(loads_of(tmp_path)))
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    monkeypatch.setattr(crawling, "crawl", crawl)
    asyncio.run(go())


def test_what_stops_every_source_stops_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def crawl(*given: object) -> None:
        raise GatewayUnreachable("FAZHI_REPLAY does not answer")

    monkeypatch.setattr(crawling, "crawl", crawl)
    with pytest.raises(GatewayUnreachable):
        asyncio.run(crawling._crawl_and_parse(loads_of(tmp_path)))


def loads_of(folder: Path) -> crawling._Loads:
    return crawling._Loads(house_of(folder), source(), CrawlResult(source()))


def house_of(folder: Path) -> crawling.House:
    engine = open_warehouse(f"sqlite:///{folder / 'warehouse.sqlite'}")
    client = Client(HttpSettings("fazhi-test/1 (+https://fazhi.example)"))
    state = open_crawl_state(engine)
    return crawling.House(
        "run",
        engine,
        state,
        client,
        Archive(folder / "raw"),
        Settings(),
        load_catalog(),
        catalogue_rows(*load_catalog()),
        DUE,
        {},
        Watch("run"),
        WarehouseJournal(Frontier(state, "run", timedelta(hours=1))),
    )


def test_a_batch_that_a_data_test_refuses_fails_its_source_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the batch is published but the log, which says why."""
    asked: list[LoadBatch] = []

    async def crawl(*given: object) -> None:
        """Finds nothing: the batch is refused all the same."""

    async def load(_source_id: str, engine: Any, batch: Any) -> LoadResult:
        asked.append(batch.unquote())
        if len(asked) == 1:
            raise DataTestFailed("990901_wuyou: data test floors: 1 of 1 rows fail")
        return publish(engine.unquote(), asked[-1])

    monkeypatch.setattr(crawling, "crawl", crawl)
    load_by(load, monkeypatch)
    house = house_of(tmp_path)
    house.attempts[source().id] = []
    line = asyncio.run(crawling._run_source(house, source()))
    assert (line.status, line.failures) == ("failed", ("990901_wuyou: data test floors: 1 of 1 rows fail",))
    assert [one.status for one in asked] == ["ok", "failed"]
    assert source_health(house.engine)[0]["health"] == "failing"


def test_a_part_that_a_data_test_refuses_ends_its_source_and_says_what_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[LoadBatch] = []

    async def crawl(*given: Any) -> None:
        for _ in range(3):
            await given[-1].unquote()(Part((), (), ()))

    async def parse(*given: object) -> tuple[()]:
        return ()

    async def load(_source_id: str, engine: Any, batch: Any) -> LoadResult:
        asked.append(batch.unquote())
        if len(asked) == 2:
            raise DataTestFailed("990901_wuyou: data test floors: 1 of 1 rows fail")
        return replace(publish(engine.unquote(), asked[-1]), documents_new=7 if asked[-1].is_part else 0)

    monkeypatch.setattr(crawling, "crawl", crawl)
    monkeypatch.setattr(crawling, "parse", parse)
    load_by(load, monkeypatch)
    house = house_of(tmp_path)
    house.attempts[source().id] = []
    line = asyncio.run(crawling._run_source(house, source()))
    assert (line.status, line.counts["new"]) == ("failed", 7)
    assert line.failures[0].endswith("1 of 1 rows fail")
    assert line.failures[1] == "990901_wuyou: 7 documents had been loaded before that, and stay"
    assert [(one.is_part, one.status) for one in asked] == [(True, "ok"), (True, "ok"), (False, "failed")]


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (Transient("timed out"), True),
        (RobotsDenied("no"), False),
        (SourceChanged("0 rows"), False),
        (OSError(), False),
        (WarehouseBusy("another program holds it"), True),
        (WarehouseError("the disk is full"), False),
    ],
)
def test_only_what_may_pass_is_tried_again(error: Exception, again: bool) -> None:
    """As Prefect asks it: with the failed state that holds the error."""
    state = Failed(data=error, message="as the task engine makes it")
    assert asyncio.run(is_transient(None, None, state)) is again  # type: ignore[arg-type]


def test_a_database_that_somebody_holds_is_busy(tmp_path: Path) -> None:
    """What SQLite says of it, as the warehouse tells it."""
    engine = open_warehouse(f"sqlite:///{tmp_path / 'warehouse.sqlite'}", busy_seconds=0.05)
    with closing(sqlite3.connect(tmp_path / "warehouse.sqlite")) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(WarehouseBusy, match=r"warehouse\.sqlite"), writing(engine):
            pass
    engine.dispose()
