"""A warehouse that is lost is built anew from the archive alone, with no portal there any more."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.nightly.commands import Commands
from tests.nightly.conftest import FAZHI, House

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SANDBOX = ROOT / "sandbox" / "sources"


def articles(house: House) -> list[dict[str, Any]]:
    done = house.run("articles", "--out", "articles.jsonl")
    assert done.returncode == 0, done.stderr
    lines = (house.folder / "articles.jsonl").read_text(encoding="utf-8").splitlines()
    return sorted(map(json.loads, lines), key=lambda one: str(one["url"]))


def test_replay_rebuilds_a_lost_warehouse(tmp_path: Path, commands: Commands, demo: Path) -> None:
    lost, rebuilt = House(tmp_path / "lost", commands), House(tmp_path / "rebuilt", commands)
    rebuilt.folder.mkdir()
    shutil.copytree(demo, lost.folder)
    held = articles(lost)
    lost.warehouse.unlink()
    env = {name: value for name, value in os.environ.items() if not name.startswith(("FAZHI_", "PREFECT_"))}
    process = subprocess.Popen(
        [str(FAZHI), "archive", "replay", "--port", "0"],
        env=env | {"FAZHI_HOME": str(lost.folder / "data")}, cwd=tmp_path, text=True, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        told = process.stdout.readline()
        assert told.startswith("ready http://127.0.0.1:") and "addresses of 5 hosts" in told
        chosen = [word for path in sorted(SANDBOX.glob("*.yaml")) for word in ("--source", path.stem)]
        run = rebuilt.run("nightly", *chosen, replay=told.split()[1].rstrip(":"), sources=str(SANDBOX))
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    assert len(held) > 5 and articles(rebuilt) == held, run.stdout + run.stderr
