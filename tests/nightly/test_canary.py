"""The canary's run: it tells of every source, loads nothing, and fails where a portal has changed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.server import serve
from tests.conftest import ROOT
from tests.nightly.test_serving import post
from warehouse.engine import open_warehouse
from warehouse.health import totals

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]

RUN = "import asyncio; from flows.canary import canary; print(asyncio.run(canary(source={!r})))"


def run(api: str, home: Path, source: list[str], replay: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("FAZHI_", "PREFECT_"))}
    env |= {"FAZHI_HOME": str(home), "FAZHI_SOURCES": str(ROOT / "sandbox" / "sources"), "FAZHI_REPLAY": replay}
    env |= {"PREFECT_API_URL": api, "PREFECT_HOME": str(home / "prefect")}
    return subprocess.run(
        [sys.executable, "-c", RUN.format(source)], env=env, cwd=ROOT, capture_output=True, text=True, timeout=150
    )


def test_canary_looks_and_loads_nothing(tmp_path: Path, prefect_api: str) -> None:
    with serve() as gateway:
        fine = run(prefect_api, tmp_path, ["990101_lanhe", "990102_jichuan"], gateway.url)
        unknown = run(prefect_api, tmp_path, ["990101_nobody"], gateway.url)
        elsewhere = run(prefect_api, tmp_path, ["640324_tongxin", "990101_lanhe"], gateway.url)
    assert fine.returncode == 0, fine.stderr
    assert fine.stdout.count("outcome='ok'") == 2
    assert unknown.returncode and "source: no source has the id '990101_nobody'" in unknown.stderr
    assert elsewhere.returncode and "CanaryDown: 1 of 2 sources: " in elsewhere.stderr
    engine = open_warehouse(f"sqlite:///{tmp_path / 'warehouse.sqlite'}")
    try:
        assert not totals(engine)["documents"]
    finally:
        engine.dispose()
    assert not list(tmp_path.glob("archive/*")), "nothing is kept of it"
    keys = {one["key"]: one["data"] for one in post(prefect_api, "artifacts/filter", {"sort": "CREATED_DESC"})}
    assert "canary" in keys and "canary-sources" in keys
