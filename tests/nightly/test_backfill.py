"""The backfill from its form: a served deployment, a slow portal, the UI in a real browser, a run that is stopped."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import time
import urllib.error
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import Browser, Locator, Page, expect

from tests.connectors.portal import item, put, source
from tests.explorer.conftest import browser  # noqa: F401 - a fixture
from tests.nightly.conftest import FAZHI
from tests.nightly.prefect_api import ask
from tests.nightly.prefect_server import UNSCHEDULED
from tests.nightly.test_serving import free_port, wait_for, wait_until_done
from tests.servers import Site

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

expect.set_options(timeout=60_000)  # a machine that is busy with other tests

ITEMS = [item(number) for number in range(1, 25)]
"""Reports of 2001 to 2024."""
ID = "990901_wuyou"


@dataclass
class Served:
    """A server with all deployments, and a portal that is asked once a second."""

    api: str
    home: Path
    site: Site
    env: dict[str, str]

    def start(self, **parameters: Any) -> str:
        """Id of a new run of the backfill."""
        made = ask(self.api, f"deployments/{self.deployment}/create_flow_run", {"parameters": parameters})
        return str(made["id"])

    @property
    def deployment(self) -> str:
        return str(ask(self.api, "deployments/name/backfill/backfill")["id"])

    def run(self, *words: str, home: Path | None = None) -> subprocess.CompletedProcess[str]:
        env = self.env | ({"FAZHI_HOME": str(home)} if home else {})
        return subprocess.run([str(FAZHI), *words], env=env, capture_output=True, text=True, timeout=280)

    def asked(self) -> list[str]:
        return [seen.target for seen in self.site.seen if "/t" in seen.target and seen.target.endswith(".html")]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, give_prefect: Callable[[Path], None]) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("backfill")
    give_prefect(folder / "data")
    (folder / "sources").mkdir()
    described = source(politeness={"delay_seconds": 1}).model_dump(mode="json", exclude_defaults=True)
    (folder / "sources" / f"{ID}.yaml").write_text(yaml.safe_dump(described, allow_unicode=True), encoding="utf-8")
    port = free_port()
    with Site() as site:
        put(site, [ITEMS])
        env = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "FAZHI_"))}
        env |= UNSCHEDULED | {
            "FAZHI_HOME": str(folder / "data"), "FAZHI_SOURCES": str(folder / "sources"), "FAZHI_REPLAY": site.url,
            "FAZHI_PACE": "real", "FAZHI_DELAY": "0.5",
        }  # fmt: skip
        process = subprocess.Popen(
            [str(FAZHI), "serve", "--port", str(port)],
            env=env, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=(folder / "err").open("w"),
        )  # fmt: skip
        try:
            wait_for("Deployments:", process)
            api = f"http://127.0.0.1:{port}/api"
            deadline = time.monotonic() + 200
            while not ask(api, "deployments/filter", {"deployments": {"name": {"any_": ["backfill"]}}}):
                assert time.monotonic() < deadline
                time.sleep(0.3)
            yield Served(api, folder / "data", site, env)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(240)


def tree(folder: Path) -> dict[str, str]:
    """Digest of each file of the warehouse and the archive."""
    files = [*folder.glob("warehouse.sqlite"), *(folder / "raw").rglob("*"), *(folder / "releases").rglob("*")]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files if path.is_file()}


def test_form_refuses_what_cannot_be(served: Served) -> None:
    for wrong, field in (
        ({"sources": ["990901_nobody"]}, b"nobody"),
        ({"mode": "burn"}, b"mode"),
        ({"limit": 0}, b"limit"),
        ({"report_year_from": "soon"}, b"report_year_from"),
        ({"published_from": 3}, b"published_from"),
    ):
        with pytest.raises(urllib.error.HTTPError) as refused:
            served.start(**wrong)
        assert refused.value.code in (409, 422) and field in refused.value.read(), field
    held, before = tree(served.home), len(served.site.seen)
    run = wait_until_done(served.api, served.start(sources=[ID], report_year_from=2020, report_year_to=2019))
    assert run["state"]["type"] == "FAILED"
    assert "report_year_from: 2020 is after report_year_to (2019)" in run["state"]["message"]
    assert len(served.site.seen) == before and tree(served.home) == held


def field(page: Page, name: str) -> Locator:
    """What is filled in of one parameter of the form."""
    of_field = page.locator(".schema-form-property", has=page.get_by_text(f"{name} (Optional)", exact=True))
    return of_field.locator(".schema-form-property__fields").last


def choose(page: Page, name: str, *values: str) -> None:
    """From a list of the form: it opens by the arrow key, or by a click on its arrow."""
    field(page, name).locator(".p-select-button__control").press("ArrowDown")
    for value in values:
        page.locator(".p-select-option", has_text=value).click()
    page.get_by_role("heading", name="Parameters").click()
    for value in values:
        expect(field(page, name).get_by_text(value.strip())).to_be_visible()


def test_plan_then_run_from_the_form_of_the_ui(served: Served, browser: Browser, shots: Path) -> None:  # noqa: F811
    held, n_seen = tree(served.home), len(served.site.seen)
    page = browser.new_page(viewport={"width": 1280, "height": 1700})
    page.set_default_timeout(60_000)
    base = served.api.removesuffix("/api")
    page.goto(f"{base}/deployments/deployment/{served.deployment}/run")
    for name in ("sources", "regions", "report_year_from", "published_from", "mode", "dry_run", "limit"):
        expect(page.get_by_text(name).first).to_be_visible()
    for words in ("First year that reports are about", "Only plan: pages, requests, hours", "pages that are not held"):
        expect(page.get_by_text(words).first).to_be_visible()
    expect(field(page, "report_year_from").locator("input")).to_have_value("1990")
    expect(page.get_by_role("switch")).to_be_checked()
    field(page, "report_year_from").locator("input").fill("2005")
    field(page, "report_year_to").locator("input").fill("2008")
    choose(page, "sources", ID, "640324_tongxin")
    choose(page, "regions", "990901 ")
    choose(page, "mode", "refetch")
    field(page, "published_from").locator(".p-date-button__control").click()
    page.locator("input[type=date]").fill("2005-02-03")
    page.get_by_role("button", name="Apply").click()
    field(page, "limit").locator("input").fill("0")
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Validation failed for field 'limit'").first).to_be_visible()
    page.screenshot(path=shots / "backfill-form.png", full_page=True)
    assert "/run" in page.url, "and no run was made"
    field(page, "limit").locator("input").fill("9")
    page.get_by_role("button", name="Submit").click()
    run = wait_for_newest(served)
    assert run["state"]["type"] == "COMPLETED" and run["name"].startswith("Plan of a backfill of 20")
    told = {name: run["parameters"][name] for name in ("sources", "mode", "published_from", "limit", "dry_run")}
    assert told == {
        "sources": [ID, "640324_tongxin"], "mode": "refetch", "published_from": "2005-02-03", "limit": 9,
        "dry_run": True,
    }  # fmt: skip
    assert [name.partition(" ")[0] for name in run["parameters"]["regions"]] == ["990901"]
    page.goto(f"{base}/runs/flow-run/{run['id']}")
    page.get_by_text("Artifacts", exact=True).first.click()
    expect(page.get_by_text("backfill-plan", exact=False).first).to_be_visible()
    page.screenshot(path=shots / "backfill-plan.png", full_page=True)
    page.close()
    plans = artifacts(served, run["id"])
    assert "never crawled: its lists are not known yet" in plans["backfill-plan"]["data"]
    assert len(served.site.seen) == n_seen and tree(served.home) == held, "a plan asks and writes nothing"


def test_run_in_the_ui_reads_like_a_sentence_and_shows_what_it_did(
    served: Served,
    browser: Browser,  # noqa: F811
    shots: Path,
) -> None:
    run = wait_until_done(served.api, served.start(dry_run=False, sources=[ID], report_year_from=2023))
    assert run["state"]["type"] == "COMPLETED"
    page = browser.new_page(viewport={"width": 1280, "height": 1100})
    page.set_default_timeout(60_000)
    base = served.api.removesuffix("/api")
    page.goto(f"{base}/runs")
    name = f"Backfill of {run['name'].removeprefix('Backfill of ')}"
    expect(page.get_by_text(name).first).to_be_visible()
    page.screenshot(path=shots / "runs.png", full_page=True)
    page.goto(f"{base}/runs/flow-run/{run['id']}")
    expect(page.get_by_text(f"Crawl {ID}").first).to_be_attached()
    expect(page.get_by_text(f"{ID} ok", exact=False).first).to_be_visible()
    page.get_by_text("Artifacts", exact=True).first.click()
    for key in ("run-report", "run-report-sources", "backfill-progress"):
        expect(page.get_by_text(key, exact=True).first).to_be_visible()
    page.screenshot(path=shots / "run-artifacts.png", full_page=True)
    page.get_by_text("run-report", exact=True).first.click()
    expect(page.get_by_text("Wuyou County").or_(page.get_by_text(ID)).first).to_be_visible()
    page.screenshot(path=shots / "run-report.png", full_page=True)
    page.goto(f"{base}/deployments/deployment/{ask(served.api, 'deployments/name/nightly/nightly')['id']}")
    expect(page.get_by_text("daily-at-01-30", exact=True).first).to_be_visible()
    page.close()
    read_again(served)


def read_again(served: Served) -> None:
    """What an older extraction has read wrongly is read from the archive, and no portal is asked."""
    with closing(sqlite3.connect(served.home / "warehouse.sqlite")) as old:
        held = old.execute("select sum(value_num) from fact_observation").fetchone()
        n = old.execute(
            "update fact_observation set value_num = value_num + 10 where observation_key = "
            "(select min(observation_key) from fact_observation)"
        ).rowcount
        old.execute("update dim_load set extractor_version = 'older'")
        old.commit()
    n_seen = len(served.site.seen)
    run = wait_until_done(served.api, served.start(dry_run=False, sources=[ID], mode="reparse", report_year_from=2023))
    assert run["state"]["type"] == "COMPLETED" and ": reparse, " in run["name"]
    shown = artifacts(served, run["id"])
    assert f"{n} changed" in shown["backfill-reparse"]["data"]
    assert [row["changed"] for row in json.loads(shown["backfill-reparse-changes"]["data"])] == [n]
    assert len(served.site.seen) == n_seen
    with closing(sqlite3.connect(served.home / "warehouse.sqlite")) as now:
        assert now.execute("select sum(value_num) from fact_observation").fetchone() == held


def wait_for_newest(served: Served) -> dict[str, Any]:
    deadline = time.monotonic() + 200
    wanted = {"deployments": {"name": {"any_": ["backfill"]}}, "sort": "START_TIME_DESC", "limit": 1}
    while time.monotonic() < deadline:
        found = ask(served.api, "flow_runs/filter", wanted)
        if found and found[0]["parameters"].get("report_year_to") == 2008:
            return wait_until_done(served.api, found[0]["id"])
        time.sleep(0.5)
    raise AssertionError("no run was made")


def artifacts(served: Served, run_id: str) -> dict[str, Any]:
    found = ask(served.api, "artifacts/filter", {"flow_runs": {"id": {"any_": [run_id]}}})
    return {one["key"]: one for one in found}


def test_run_that_is_stopped_in_the_ui_stops_and_is_continued(served: Served, tmp_path: Path) -> None:
    served.site.seen.clear()
    run_id = served.start(sources=[ID], dry_run=False, report_year_from=2005)
    deadline = time.monotonic() + 200
    while len(served.asked()) < 4 and time.monotonic() < deadline:
        time.sleep(0.1)
    began = time.monotonic()
    ask(served.api, f"flow_runs/{run_id}/set_state", {"state": {"type": "CANCELLING"}, "force": False})
    assert wait_until_done(served.api, run_id)["state"]["type"] == "CANCELLED"
    assert time.monotonic() - began < 15
    logs = ask(served.api, "logs/filter", {"logs": {"flow_run_id": {"any_": [run_id]}}})
    assert any(one["message"].startswith(f"{ID} begins") for one in logs), "told while it runs, not at its end"
    n_asked = len(served.asked())
    time.sleep(2)
    assert len(served.asked()) == n_asked < len(ITEMS), "nobody asks any more"

    again = wait_until_done(served.api, served.start(sources=[ID], dry_run=False, report_year_from=2005))
    assert again["state"]["type"] == "COMPLETED", again["state"]
    twice = [target for target in served.asked() if served.asked().count(target) > 1]
    assert len(set(twice)) <= 1, "what had come is not asked for again, but for the page that was under way"
    assert served.run("check").returncode == 0
    undisturbed = served.run("backfill", "--source", ID, "--year-from", "2005", "--apply", home=tmp_path / "data")
    assert undisturbed.returncode == 0, undisturbed.stderr
    assert articles(served, served.home) == articles(served, tmp_path / "data")
    runs = [json.loads(path.read_text(encoding="utf-8")) for path in (served.home / "runs").glob("*.json")]
    assert {one["kind"] for one in runs} - {"reparse"} == {"backfill"}, "of this form; tests run in any order"

    held = tree(served.home)
    n_seen = len(served.site.seen)
    plan = wait_until_done(served.api, served.start(sources=[ID], mode="refetch", report_year_from=2020))
    told = artifacts(served, plan["id"])["backfill-plan"]["data"]
    assert "refetch: 5 pages" in told and "at most 7 requests" in told
    assert tree(served.home) == held and len(served.site.seen) == n_seen, "a plan asks and writes nothing"


def test_of_missed_nights_one_is_made_up_for_and_none_joins_a_running_one(served: Served) -> None:
    """What was due while nothing served is late; the first is taken up, the others would be a second one beside it."""
    deployment = ask(served.api, "deployments/name/nightly/nightly")["id"]
    long_ago = [(datetime.now(UTC) - timedelta(days=days)).isoformat() for days in (3, 2, 1)]
    late = [
        {"parameters": {"source": [ID]}, "state": {"type": "SCHEDULED", "state_details": {"scheduled_time": moment}}}
        for moment in long_ago
    ]
    ids = [ask(served.api, f"deployments/{deployment}/create_flow_run", one)["id"] for one in late]
    deadline = time.monotonic() + 200
    while time.monotonic() < deadline:
        states = sorted(ask(served.api, f"flow_runs/{run_id}")["state"]["type"] for run_id in ids)
        if states == ["CANCELLED", "CANCELLED", "RUNNING"]:
            break
        time.sleep(0.3)
    assert states == ["CANCELLED", "CANCELLED", "RUNNING"]
    (running,) = [run_id for run_id in ids if ask(served.api, f"flow_runs/{run_id}")["state"]["type"] == "RUNNING"]
    ask(served.api, f"flow_runs/{running}/set_state", {"state": {"type": "CANCELLING"}, "force": False})
    assert wait_until_done(served.api, running)["state"]["type"] == "CANCELLED"


def articles(served: Served, home: Path) -> list[tuple[Any, ...]]:
    engine = sqlite3.connect(home / "warehouse.sqlite")
    try:
        chosen = "select document_id, text_hash, title, published_at, report_year from dim_document where is_current"
        return sorted(engine.execute(chosen).fetchall(), key=repr)
    finally:
        engine.close()


def test_backfill_beside_a_nightly_asks_no_faster(served: Served, tmp_path: Path) -> None:
    """Both at once on one data folder, each a process: the pace of the host is kept, and all is there."""
    commands = (
        ["nightly", "--source", ID],
        ["backfill", "--source", ID, "--year-from", "2001", "--year-to", "2010", "--apply"],
    )
    with Site() as site:  # its own, which no run of another test asks
        put(site, [ITEMS])
        env = served.env | {"FAZHI_HOME": str(tmp_path / "data"), "FAZHI_REPLAY": site.url}
        env["PREFECT_API_URL"] = served.api
        both = [
            subprocess.Popen([str(FAZHI), *words], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            for words in commands
        ]
        for process in both:
            _, told = process.communicate(timeout=280)
            assert process.returncode == 0, told.decode()
    starts = sorted(seen.at for seen in site.seen)
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    assert len(starts) > len(ITEMS) and starts[-1] - starts[0] > 0.95 * len(gaps), "a second between two requests"
    assert min(gaps) > 0.4, "and the noise of a busy machine"
    assert len(articles(served, tmp_path / "data")) == len(ITEMS)
