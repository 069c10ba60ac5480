"""The flow on a real Prefect server: artifacts, parameters, and the command."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from tests.nightly.commands import Commands
from tests.nightly.prefect_api import ask
from tests.reparse.house import OLD, House, fill, items, make_house, older, source

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def run(house: House, commands: Commands, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("FAZHI_", "PREFECT_"))}
    env |= {"FAZHI_HOME": str(house.home), "FAZHI_SOURCES": str(house.home / "sources")}
    return commands.run(["reparse", *arguments], env, house.home, 200)


def test_the_command_tells_and_stops(commands: Commands, tmp_path: Path) -> None:
    house = make_house(tmp_path, f"sqlite:///{tmp_path / 'warehouse.sqlite'}", source())
    fill(house, items(25), older, by=OLD)
    done = run(house, commands, "--processes", "1")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "not published, too much would change: 990901_wuyou" in done.stderr
    artifacts = {one["key"]: one for one in ask(commands.api, "artifacts/latest/filter", {}) if one["key"]}
    assert "24 changed 改变" in artifacts["reparse"]["data"]
    rows = json.loads(artifacts["reparse-changes"]["data"])
    assert sum(row["changed"] for row in rows) == 24 and {row["source"] for row in rows} == {"990901_wuyou"}
    told = {"filter": {"event": {"name": ["fazhi.facts.mass-change"]}}}
    why, deadline = list[str](), time.monotonic() + 120
    while not why and time.monotonic() < deadline:  # the server keeps events a second after it got them
        payloads = [one["payload"] for one in ask(commands.api, "events/filter", told)["events"]]
        why = [one["told"] for one in payloads if one["source"] == "990901_wuyou" and one["in_run"] == 1]
        time.sleep(0.2)
    assert len(why) == 1 and "24 of " in why[0], "the line that the automation sends on"
    done = run(house, commands, "--processes", "1", "--accept-mass-change", "ten too many by a defect")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "24 published" in done.stdout and "ten too many by a defect" in done.stdout
    names = [one["name"] for one in ask(commands.api, "flow_runs/filter", {"sort": "START_TIME_DESC"})]
    assert sum(name.startswith("Reparse of 20") and name.endswith("all sources") for name in names) >= 2


def test_without_a_warehouse_it_says_so(commands: Commands, tmp_path: Path) -> None:
    house = make_house(tmp_path, "", source())
    done = run(house, commands)
    assert done.returncode == 2 and "no warehouse at" in done.stderr


@pytest.mark.parametrize(
    "given, told",
    [
        (("--year", "1800"), "--year"),
        (("--published-from", "2024-02-01", "--published-to", "2024-01-01"), "published_from: 2024-02-01 is after"),
        (("--source", "990909_nobody"), "sources: no source has the id '990909_nobody'"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    commands: Commands, tmp_path: Path, given: tuple[str, ...], told: str
) -> None:
    house = make_house(tmp_path, f"sqlite:///{tmp_path / 'warehouse.sqlite'}", source())
    fill(house, items(1), by=OLD)
    done = run(house, commands, *given)
    assert done.returncode == 2, done.stdout + done.stderr
    assert told in done.stderr and "Traceback" not in done.stderr
