"""One nightly over two portals that misbehave, watched by all means at once: metrics, log, report, fetch log.

One portal shows a firewall's page; the other is asked under an exception from TLS and lets two requests hang, so the
crawl is under way for some seconds, whatever else is fast.
"""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from sandbox.chaos import serve_chaos
from sandbox.chaos_portal import host_of, source_id, source_yaml
from tests.nightly.conftest import FAZHI
from tests.nightly.prefect_api import ask
from warehouse.run_records import read_run, run_files

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

BLOCKED, HANGING = "waf_412", "hang_before_headers"
TIMEOUT = 2
REASON = "the portal speaks no https"

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@dataclass(frozen=True)
class Watched:
    report: str
    errors: list[str]
    """Lines on standard error."""
    scrapes: list[Samples]
    warehouse: Path
    api: str

    def log(self, event: str) -> list[dict[str, Any]]:
        records = [json.loads(line) for line in self.errors if line.startswith("{")]
        return [record for record in records if record["event"] == event]

    def rows(self, query: str) -> list[Any]:
        with sqlite3.connect(self.warehouse) as connection:
            return connection.execute(query).fetchall()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def scrape(port: int) -> Samples | None:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            text = answer.read().decode()
    except (urllib.error.URLError, OSError):
        return None
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory, prefect_api: str) -> Watched:
    folder, port = tmp_path_factory.mktemp("watched"), free_port()
    for name in (BLOCKED, HANGING):
        stated = f"tls: http-only\ntls_reason: {REASON}\n" if name == HANGING else ""
        (folder / f"{source_id(name)}.yaml").write_text(source_yaml(name, with_feed=False) + stated, encoding="utf-8")
    env = {name: value for name, value in os.environ.items() if not name.startswith(("FAZHI_", "PREFECT_"))}
    env |= {"FAZHI_HOME": str(folder / "data"), "FAZHI_SOURCES": str(folder), "FAZHI_LOG": "json", "NO_COLOR": "1"}
    env |= {"FAZHI_METRICS_PORT": str(port), "FAZHI_TIMEOUT": str(TIMEOUT), "FAZHI_RETRIES": "1"}
    env |= {"PREFECT_API_URL": prefect_api, "PREFECT_LOGGING_LEVEL": "INFO"}
    chosen = [word for name in (BLOCKED, HANGING) for word in ("--source", source_id(name))]
    scrapes: list[Samples] = []
    out, err = folder / "out.txt", folder / "err.txt"
    with serve_chaos() as server, out.open("w") as told, err.open("w") as logged:
        process = subprocess.Popen(
            [str(FAZHI), "nightly", *chosen], env=env | {"FAZHI_REPLAY": server.url}, cwd=folder,
            stdout=told, stderr=logged,
        )  # fmt: skip
        while process.poll() is None:
            if (found := scrape(port)) is not None:
                scrapes.append(found)
            time.sleep(0.1)
    assert process.returncode == 0, err.read_text(encoding="utf-8")
    lines = err.read_text(encoding="utf-8").splitlines()
    return Watched(out.read_text(encoding="utf-8"), lines, scrapes, folder / "data" / "warehouse.sqlite", prefect_api)


def test_a_running_crawl_tells_its_metrics(watched: Watched) -> None:
    during = [one for one in watched.scrapes if one["fazhi_lanes", (("state", "asking"),)]]
    assert during, "two requests hang for seconds: somebody asks meanwhile"
    asked = [sum(n for (name, _), n in one.items() if name == "fazhi_requests_total") for one in watched.scrapes]
    assert asked == sorted(asked) and 0 < asked[watched.scrapes.index(during[-1])] < asked[-1]
    assert during[-1]["fazhi_run_pages_planned", ()] > 5


def test_the_last_scrape_agrees_with_the_warehouse(watched: Watched) -> None:
    last = watched.scrapes[-1]
    requests = {labels: n for (name, labels), n in last.items() if name == "fazhi_requests_total"}
    ((n_fetches, n_bytes, n_answers),) = watched.rows("select count(*), sum(n_bytes), count(status) from fact_fetch")
    assert sum(requests.values()) == n_fetches
    assert {dict(labels)["host"] for labels in requests} == {host_of(BLOCKED), host_of(HANGING)}
    assert sum(n for (name, _), n in last.items() if name == "fazhi_response_bytes_total") == n_bytes
    assert sum(n for (name, _), n in last.items() if name == "fazhi_response_seconds_count") == n_answers
    pages = {dict(labels)["outcome"]: n for (name, labels), n in last.items() if name == "fazhi_run_pages"}
    assert sum(pages.values()) == last["fazhi_run_pages_planned", ()]
    assert pages["failed"] == 1 and pages["blocked"] >= 1 and pages["new_or_changed"] > 5
    loaded = last["fazhi_documents_loaded_total", (("change", "new"),)]
    assert watched.rows("select count(*) from dim_document where document_key > 0") == [(loaded,)]
    assert last["fazhi_rows_quarantined_total", ()] == 0
    assert not [text for key in last for text in str(key).split("'") if "://" in text], "no address is a label"


def test_each_request_is_a_line_of_json(watched: Watched) -> None:
    fetches = watched.log("fetch")
    assert watched.rows("select count(*) from fact_fetch") == [(len(fetches),)]
    ((run_id,),) = watched.rows("select distinct run_id from fact_source_run")
    assert {record["run_id"] for record in fetches} == {run_id}
    assert {record["source_id"] for record in fetches} == {source_id(BLOCKED), source_id(HANGING)}
    slow = [record for record in fetches if record["outcome"] == "transient"]
    assert [record["elapsed_ms"] >= TIMEOUT * 1000 for record in slow] == [True, True]
    assert all(record["url"].startswith("http") and record["at"].endswith("+00:00") for record in fetches)
    (refused,) = [record for record in fetches if record["level"] == "warning"]
    assert refused["outcome"] == "blocked" and "status 412" in refused["evidence"]
    assert {(one["source_id"], one["outcome"]) for one in watched.log("source")} == {
        (source_id(BLOCKED), "ok"), (source_id(HANGING), "ok"),
    }  # fmt: skip
    assert [record["outcome"] for record in watched.log("run")] == ["done"]


def test_the_run_logger_of_prefect_goes_on(watched: Watched) -> None:
    ((run_id,),) = watched.rows("select distinct run_id from fact_source_run")
    query = {"logs": {"flow_run_id": {"any_": [run_id]}}}
    deadline, messages = time.monotonic() + 120, list[str]()
    while time.monotonic() < deadline and not any("Completed" in message for message in messages):
        messages = [record["message"] for record in ask(watched.api, "logs/filter", query)]
        time.sleep(0.2)
    assert any("Completed" in message for message in messages), messages
    assert [line for line in watched.errors if "Completed" in line and not line.startswith("{")], "and on the console"


def test_the_fetch_log_keeps_evidence_and_exception(watched: Watched) -> None:
    told = "select distinct source_id, tls from fact_fetch join dim_source using (source_key)"
    assert dict(watched.rows(told)) == {source_id(BLOCKED): "", source_id(HANGING): f"http-only ({REASON})"}
    evidence = dict(watched.rows("select outcome, group_concat(distinct evidence) from fact_fetch group by 1"))
    assert evidence.pop("blocked").startswith("status 412, mark ")
    assert set(evidence.values()) == {""}


def test_the_report_shows_exception_evidence_and_hosts(watched: Watched) -> None:
    report = " ".join(watched.report.split())
    assert f"{source_id(HANGING)}: TLS exception in force 使用 TLS 例外: http-only ({REASON})" in report
    assert f"{source_id(BLOCKED)}: blocked by {host_of(BLOCKED)} 受阻: " in report and "status 412, mark " in report
    (line,) = [line for line in watched.report.splitlines() if line.startswith(f"{host_of(HANGING)} ")]
    ((n_requests,),) = watched.rows(f"select count(*) from fact_fetch where url like '%{host_of(HANGING)}%'")
    assert line.split()[1] == str(n_requests) and line.endswith("transient 2")


def test_the_run_leaves_a_record_under_the_id_of_the_flow_run(watched: Watched) -> None:
    (path,) = run_files(watched.warehouse.parent / "runs")
    record = read_run(path)
    assert ask(watched.api, f"flow_runs/{record.flow_run_id}")["name"].startswith("Nightly of 20")
    assert watched.rows("select distinct run_id from fact_source_run") == [(record.run_id,)]
    outcomes = {one.source_id: one.outcome for one in record.sources}
    assert outcomes == {source_id(BLOCKED): "blocked", source_id(HANGING): "new"}
    assert record.status == "done" and record.not_reached == () and record.release_before is None
    assert record.release == (watched.warehouse.parent / "releases" / "CURRENT").read_text(encoding="utf-8").strip()
    loaded = sum(one.counts["new"] for one in record.sources)
    assert watched.rows("select count(*) from dim_document where document_key > 0") == [(loaded,)]
    assert any("status 412" in note for one in record.sources for note in one.notes)


def test_the_server_shows_progress_report_and_events(watched: Watched) -> None:
    (path,) = run_files(watched.warehouse.parent / "runs")
    run_id = read_run(path).flow_run_id
    mine = {"flow_runs": {"id": {"any_": [run_id]}}}
    shown = {one["key"]: one for one in ask(watched.api, "artifacts/filter", mine)}
    assert shown["nightly-progress"]["data"] == 100.0
    assert {"run-report", "run-report-sources"} <= set(shown)
    tasks = ask(watched.api, "task_runs/filter", mine)
    assert "Crawl 991228_waf412" in {one["name"] for one in tasks}
    wanted = {
        "filter": {"event": {"name": ["fazhi.source.blocked"]}, "related": {"id": [f"prefect.flow-run.{run_id}"]}}
    }
    deadline = time.monotonic() + 120
    while not (found := ask(watched.api, "events/filter", wanted)["events"]) and time.monotonic() < deadline:
        time.sleep(0.5)
    (blocked,) = found
    assert blocked["resource"]["prefect.resource.id"] == "fazhi.source.991228_waf412"
    assert "412" in blocked["payload"]["told"] and blocked["payload"]["in_run"] == 1
