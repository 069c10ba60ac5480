"""Who watches a run, piece by piece: hosts summed up, lines of the log, a port that is taken."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import re
import socket
import weakref
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast
from uuid import UUID, uuid4

import pytest
from prometheus_client import generate_latest

from connectors.archive import SnapshotRef
from connectors.crawled import CrawlResult, ReadPage, Seen
from connectors.http.client import Attempt
from connectors.http.lanes import Lane, count_lanes, lane_of
from fazhi.logs import LOGGER, JsonLines, TextLines, write_log
from fazhi.report import HostLine, RunReport
from fazhi.settings import Settings
from flows import telling
from tasks.fetches import attempt_word, fetch_rows
from tasks.network import network_notes, summarize_hosts
from tasks.progress import reporter
from tasks.telemetry import RunMetrics
from tasks.watch import Watch, watch_run
from tests.connectors.portal import source
from warehouse.batch import LoadResult
from warehouse.batch import SnapshotRef as StoredRef
from warehouse.frontier import FrontierRow

HOST = "www.wuyou.example"
OK = Attempt(
    f"https://{HOST}/a.html", HOST, datetime(2026, 1, 2, tzinfo=UTC), 100, 200, 1000, "ok", "allowed", 1.0, 0.5
)
REFUSED = OK._replace(status=412, outcome="blocked", evidence="status 412, mark $_ts, 400 bytes, server x", n_bytes=0)


def test_hosts_are_summed_up() -> None:
    quick = [OK._replace(elapsed_ms=number) for number in range(1, 101)]
    others = [
        OK._replace(host="www.zaiyou.example:8080", outcome="not_modified", status=304, n_bytes=0, elapsed_ms=7),
        OK._replace(host="www.zaiyou.example:8080", outcome="transient", status=None, n_bytes=0, elapsed_ms=30_000),
        OK._replace(host="a.wuyou.example", outcome="robots_denied", status=None, n_bytes=0, elapsed_ms=0, waited_s=0),
    ]
    assert summarize_hosts([*quick, *others]) == (
        HostLine("a.wuyou.example", 0, 0, 0, {"robots_denied": 1}, None, None, 0.0),
        HostLine(HOST, 100, 100_000, 0, {}, 50, 95, 50.0),
        HostLine("www.zaiyou.example:8080", 2, 0, 1, {"transient": 1}, 7, 7, 1.0),
    ), "no answer has no response time, and what robots.txt forbids is no request"


def test_blocks_are_told_once_with_their_evidence() -> None:
    pinned = source(tls="sha256:" + "0" * 64, tls_reason="expired 2025")
    told = network_notes(pinned, [OK, REFUSED, REFUSED._replace(url=f"https://{HOST}/b.html")])
    assert told == (
        "TLS exception in force 使用 TLS 例外: sha256:0000000000000000 (expired 2025)",
        f"blocked by {HOST} 受阻 (2 times 次, first 首次): https://{HOST}/a.html: {REFUSED.evidence}",
    )
    assert network_notes(source(), [OK]) == ()


def test_the_fetch_log_takes_evidence_and_exception_over() -> None:
    rows = fetch_rows([OK._replace(tls="http-only (no https)"), REFUSED], ())
    assert [(row.evidence, row.tls) for row in rows] == [("", "http-only (no https)"), (REFUSED.evidence, "")]


def test_what_redirects_lead_to_carries_the_page_and_what_became_of_it() -> None:
    asked, ref = OK.url, SnapshotRef("a.warc.gz", 1, 2, "0" * 64)
    hop = OK._replace(status=302, outcome="redirect", asked=asked)
    there = OK._replace(url=f"https://{HOST}/b.html", asked=asked)
    seen = Seen(asked, "page", None, None, ref, 200, "same_bytes", OK.started_at)
    rows = fetch_rows([hop, there], [seen])
    assert [(row.url, row.outcome, row.snapshot is not None) for row in rows] == [
        (asked, "redirect", False), (there.url, "same_bytes", True),
    ]  # fmt: skip


def test_what_a_process_has_asked_itself_is_logged_as_that_when_it_begins_a_source_anew() -> None:
    """Another run's word on the way to a page goes before what it holds of the page; both tell of one request."""
    ref, at = StoredRef("a.warc.gz", 1, 2, "0" * 64), OK.started_at + timedelta(seconds=1)
    mine = FrontierRow("b", OK.url, "page", "done", OK.started_at, "ok", 200, snapshot=ref, said_to=("r",))
    asked, there = f"https://{HOST}/c.html", f"https://{HOST}/d.html"
    page = FrontierRow("c", asked, "page", "done", at, "ok", 200, snapshot=ref, said_to=("dead", "r"))
    led = attempt_word(OK._replace(url=there, asked=asked, started_at=at))._replace(said_to=("dead", "r"))
    rows = fetch_rows([OK], (), [mine, page, led])
    assert [(row.url, row.answered_to, row.n_bytes, row.snapshot) for row in rows] == [
        (there, ("dead", "r"), OK.n_bytes, ref), (OK.url, (), OK.n_bytes, None),
    ]  # fmt: skip


def test_the_markdown_report_has_a_table_of_hosts_and_notes() -> None:
    report = RunReport(
        "r", "2026-01-02T00:00:00+00:00", 1.0, (), {}, {}, (), "a", "b", "warehouse.sqlite", None,
        hosts=summarize_hosts([OK, OK._replace(outcome="transient", status=503, n_bytes=0, elapsed_ms=1900)]),
        notes=("<b>port</b>",),
    )  # fmt: skip
    lines = report.markdown().splitlines()
    assert f"| {HOST} | 2 | 1,000 | 0 | 1,000 | 1,900 | 1.0 | transient 1 |" in lines
    assert "- \\<b\\>port\\</b\\>" in lines


def record_of(message: str, **fields: object) -> logging.LogRecord:
    return logging.makeLogRecord(
        {"name": f"{LOGGER}.fetch", "levelname": "INFO", "msg": message, "created": 0.0} | fields
    )


HOSTILE = 'https://wuyou.example/\n{"level": "error"}\x1b[31m\u2028x'


def test_lines_cannot_be_forged_by_what_they_tell() -> None:
    record = record_of("ok", url=HOSTILE, status=200, evidence="", failures=["a b"], source_id=None)
    told = JsonLines().format(record)
    assert told.isprintable()
    assert json.loads(told) == {
        "at": "1970-01-01T00:00:00.000+00:00", "level": "info", "event": "fetch", "message": "ok", "url": HOSTILE,
        "status": 200, "evidence": "", "failures": ["a b"], "source_id": None,
    }  # fmt: skip
    text = TextLines().format(record)
    assert text.isprintable() and text.startswith("1970-01-01T00:00:00.000+00:00 info fetch ok url=")
    assert text.endswith(r' status=200 failures="[\"a b\"]"'), "empty values are left out"
    assert len(JsonLines().format(record_of("ok", url="x" * 10_000))) < 2200


def test_the_log_is_written_only_while_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger(LOGGER)
    before = logger.level, logger.propagate, list(logger.handlers)
    watch = Watch("run-1")
    for style in (None, "text", "json"):
        with write_log(style):  # type: ignore[arg-type]  # a literal, one after the other
            watch.note_attempt(source().id, OK)
    assert (logger.level, logger.propagate, list(logger.handlers)) == before
    text, line = capsys.readouterr().err.splitlines()
    assert f" info fetch ok run_id=run-1 source_id={source().id} url={OK.url} " in text
    assert (json.loads(line)["run_id"], json.loads(line)["elapsed_ms"]) == ("run-1", 100)


def test_a_port_that_is_taken_costs_the_metrics_and_not_the_night(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with watch_run(Settings(home=tmp_path, metrics_port=port), "run-1", [source()]) as watch:
            watch.note_attempt(source().id, OK)
    assert watch.metrics is None
    assert len(watch.notes) == 1 and f"FAZHI_METRICS_PORT {port} on 127.0.0.1 cannot be used" in watch.notes[0]


def test_a_run_that_stops_says_so(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, log="json")
    with pytest.raises(ZeroDivisionError), watch_run(settings, "run-1", [source()]):
        raise ZeroDivisionError("division by zero")
    told = json.loads(capsys.readouterr().err)
    assert (told["level"], told["outcome"]) == ("error", "stopped")
    assert told["message"] == "stopped by ZeroDivisionError: division by zero"


def test_only_hosts_of_the_sources_become_labels() -> None:
    metrics = RunMetrics([source()])
    for number in range(50):
        metrics.note_attempt(OK._replace(host=f"w{number}.example"))
    metrics.note_attempt(OK._replace(host=next(iter(source().hosts))))
    lines = generate_latest(metrics.registry).decode().splitlines()
    asked = [line for line in lines if line.startswith("fazhi_requests_total{")]
    assert asked == [
        'fazhi_requests_total{host="other",outcome="ok"} 50.0',
        f'fazhi_requests_total{{host="{next(iter(source().hosts))}",outcome="ok"}} 1.0',
    ]


class Anything:
    """Can be watched as it goes, which pages cannot."""


def test_pages_of_a_source_that_is_done_are_counted_and_let_go() -> None:
    metrics, first = RunMetrics([source()]), CrawlResult(source(), planned=3, fetched=2, same_text=1, failed=1)
    first.pages.append(page := cast(ReadPage, Anything()))
    kept = weakref.ref(page)
    metrics.begin_source(first)
    second = CrawlResult(source(id="990901_zaiyou"), planned=2, not_modified=1)
    metrics.begin_source(second)
    metrics.end_source(first.source.id, "ok", LoadResult("990901_wuyou", *[0] * 11, {}, None))
    del first, page
    gc.collect()
    assert kept() is None
    second.not_modified += 1
    text = generate_latest(metrics.registry).decode()
    shown = dict(re.findall(r'fazhi_run_pages\{outcome="(\w+)"\} ([1-9]\S*)', text))
    assert shown == {"new_or_changed": "1.0", "same_text": "1.0", "not_modified": "2.0", "failed": "1.0"}
    assert "fazhi_run_pages_planned 5.0" in text


def test_lanes_are_told_by_what_they_do() -> None:
    async def look() -> dict[str, int]:
        busy, slow = lane_of("busy.wuyou.example"), lane_of("slow.wuyou.example")

        async def ask(lane: Lane, delay: float) -> None:
            async with lane.slot(delay):
                pass

        await ask(slow, 0)
        async with busy.slot(0):
            others = [asyncio.create_task(ask(lane, 0.2)) for lane in (busy, busy, slow)]
            await asyncio.sleep(0.02)
            seen = count_lanes()
        await asyncio.gather(*others)
        return seen

    assert asyncio.run(look()) == {"asking": 1, "waiting": 1, "queued": 2}
    assert count_lanes() == {"asking": 0, "waiting": 0, "queued": 0}


def test_progress_that_rises_while_the_server_is_told_is_told_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[float] = []

    async def night() -> None:
        async def create(percent: float, **_described: str) -> UUID:
            told.append(percent)
            watcher.finish("990901_wuyou", "ok")
            return uuid4()

        async def update(_artifact: UUID, progress: float) -> None:
            told.append(progress)

        monkeypatch.setattr(telling, "acreate_progress_artifact", create)
        monkeypatch.setattr(telling, "aupdate_progress_artifact", update)
        async with telling.shown_progress(1, "nightly-progress"):
            watcher = reporter()
            await asyncio.sleep(0)

    asyncio.run(night())
    assert told == [0.0, 100.0]
