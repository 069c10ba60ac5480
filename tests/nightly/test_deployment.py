"""deployments/prefect.yaml, deployed to a real Prefect server: the schedule and the parameters that the UI shows."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.nightly.conftest import FAZHI

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]


def prefect(api: str, home: Path, *arguments: str) -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    env |= {"PREFECT_API_URL": api, "PREFECT_HOME": str(home), "FAZHI_CHECKOUT": str(ROOT)}
    done = subprocess.run(
        [str(FAZHI.parent / "prefect"), "--no-prompt", *arguments], env=env, cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def read(api: str, path: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{api}/{path}", timeout=20) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def test_nightly_is_deployed_with_its_schedule(prefect_api: str, tmp_path: Path) -> None:
    prefect(prefect_api, tmp_path, "work-pool", "create", "fazhi", "--type", "process", "--overwrite")
    prefect(prefect_api, tmp_path, "deploy", "--all", "--prefect-file", "deployments/prefect.yaml")
    found = read(prefect_api, "deployments/name/nightly/nightly")
    schedule = found["schedules"][0]
    assert (schedule["schedule"]["cron"], schedule["schedule"]["timezone"]) == ("30 1 * * *", "Asia/Shanghai")
    assert schedule["active"]
    assert found["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"
    assert found["pull_steps"][0]["prefect.deployments.steps.set_working_directory"]["directory"] == str(ROOT)
    parameters = found["parameter_openapi_schema"]["properties"]
    assert parameters["all_pages"]["type"] == "boolean"
    assert "ids of the sources" in parameters["source"]["description"]
