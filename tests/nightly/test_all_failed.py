"""A night on which no source could be had: the command tells it, and the server's run has failed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml

from tests.connectors.portal import source
from tests.nightly.commands import Commands
from tests.nightly.prefect_api import ask
from tests.servers import Site

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ID = "990901_wuyou"


@pytest.mark.parametrize("command", [("nightly",), ("backfill", "--apply")])
def test_a_run_in_which_every_source_failed_has_failed(
    commands: Commands, tmp_path: Path, command: tuple[str, ...]
) -> None:
    (tmp_path / "sources").mkdir()
    described = source().model_dump(mode="json", exclude_defaults=True)
    (tmp_path / "sources" / f"{ID}.yaml").write_text(yaml.safe_dump(described, allow_unicode=True), encoding="utf-8")
    env = {name: value for name, value in os.environ.items() if not name.startswith(("FAZHI_", "PREFECT_"))}
    with Site() as site:  # nothing is put on it: the list is not there
        env |= {
            "FAZHI_HOME": str(tmp_path / "data"), "FAZHI_SOURCES": str(tmp_path / "sources"),
            "FAZHI_REPLAY": site.url, "FAZHI_BACKOFF": "0.05",
        }  # fmt: skip
        done = commands.run([*command, "--source", ID], env, tmp_path, 400)
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    assert f"1 of 1 sources failed: {ID}" in done.stderr and "1 of 1" not in done.stdout
    (record,) = (tmp_path / "data" / "runs").glob("*.json")
    run_id = json.loads(record.read_text(encoding="utf-8"))["flow_run_id"]
    (run,) = ask(commands.api, "flow_runs/filter", {"flow_runs": {"id": {"any_": [run_id]}}})
    assert run["state"]["type"] == "FAILED"
    assert "1 of 1 sources failed" in run["state"]["message"]
    shown = {one["key"] for one in ask(commands.api, "artifacts/filter", {}) if one["flow_run_id"] == run_id}
    assert {"run-report", "run-report-sources"} <= shown, "the report is shown all the same"
