"""The canary's run: it tells of every source, loads nothing, and fails where a portal has changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandbox.server import serve
from tests.conftest import ROOT
from tests.nightly.commands import Commands
from tests.nightly.prefect_api import ask
from warehouse.engine import open_warehouse
from warehouse.health import totals

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

RUNS = """
import asyncio, sys
from flows.canary import canary
for source in sys.argv[1:]:
    try:
        print("done", asyncio.run(canary(source=source.split(","))))
    except Exception as error:
        print(type(error).__name__, str(error))
"""


def run(commands: Commands, home: Path, replay: str, *sources: str) -> list[str]:
    """What each of the runs ended with, one after another in a process of their own."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("FAZHI_", "PREFECT_"))}
    env |= {"FAZHI_HOME": str(home), "FAZHI_SOURCES": str(ROOT / "sandbox" / "sources"), "FAZHI_REPLAY": replay}
    done = commands.run(["-c", RUNS, *sources], env, ROOT, 400)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_canary_looks_and_loads_nothing(tmp_path: Path, commands: Commands) -> None:
    with serve() as gateway:
        sources = ("990101_lanhe,990102_jichuan", "990101_nobody", "640324_tongxin,990101_lanhe")
        fine, unknown, elsewhere = run(commands, tmp_path, gateway.url, *sources)
    assert fine.startswith("done ") and fine.count("outcome='ok'") == 2, fine
    assert unknown.startswith("ContractBroken source: no source has the id '990101_nobody'"), unknown
    assert elsewhere.startswith("CanaryDown 1 of 2 sources: "), elsewhere
    engine = open_warehouse(f"sqlite:///{tmp_path / 'warehouse.sqlite'}")
    try:
        assert not totals(engine)["documents"]
    finally:
        engine.dispose()
    assert not list(tmp_path.glob("archive/*")), "nothing is kept of it"
    keys = {one["key"]: one["data"] for one in ask(commands.api, "artifacts/filter", {"sort": "CREATED_DESC"})}
    assert "canary" in keys and "canary-sources" in keys
