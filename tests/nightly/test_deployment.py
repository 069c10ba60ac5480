"""deployments/prefect.yaml, deployed to a real Prefect server: the schedule and the parameters that the UI shows."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from flows.deployments import DEPLOYMENTS
from tests.conftest import ROOT
from tests.nightly.conftest import FAZHI
from tests.nightly.prefect_api import ask

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def prefect(api: str, home: Path, *arguments: str) -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    env |= {"PREFECT_API_URL": api, "PREFECT_HOME": str(home), "FAZHI_CHECKOUT": str(ROOT)}
    done = subprocess.run(
        [str(FAZHI.parent / "prefect"), "--no-prompt", *arguments], env=env, cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


BOUNDS = {
    ("nightly", "shards"): (1, 64),
    ("shard", "number"): (1, None),
    ("backfill", "report_year_from"): (1990, 2100),
    ("backfill", "report_year_to"): (1990, 2100),
    ("backfill", "limit"): (1, 100_000),
    ("reparse", "years"): (1990, 2100),
    ("reparse", "limit"): (1, None),
    ("reparse", "processes"): (1, 256),
    ("reparse", "floor"): (0, None),
    **{("reparse", f"max_{name}"): (0, 1) for name in ("removed", "changed", "removed_of_all", "changed_of_all")},
    ("maintain", "keep_days"): (1, None),
    ("maintain", "keep_versions"): (1, None),
}
ENUMS = {("backfill", "sources"), ("backfill", "regions"), ("backfill", "mode")}
DATES = {("backfill", "published_from"), ("backfill", "published_to")} | {
    ("reparse", "published_from"),
    ("reparse", "published_to"),
}


def parts(schema: Any, definitions: dict[str, Any]) -> list[dict[str, Any]]:
    """A parameter's schema, with those within it: alternatives, items, and what they refer to."""
    inner = [*schema.get("anyOf", ()), *schema.get("allOf", ()), *([schema["items"]] if "items" in schema else ())]
    if "$ref" in schema:
        inner.append(definitions[schema["$ref"].rpartition("/")[2]])
    return [schema, *(one for part in inner for one in parts(part, definitions))]


def first(found: list[dict[str, Any]], key: str) -> Any:
    return next((part[key] for part in found if key in part), None)


def test_all_are_deployed_with_the_whole_of_their_forms(prefect_api: str, tmp_path: Path) -> None:
    """Prefect takes descriptions from docstrings alone, and drops the bounds of `= Field(...)` beside a None."""
    prefect(prefect_api, tmp_path, "work-pool", "create", "fazhi", "--type", "process", "--overwrite")
    prefect(prefect_api, tmp_path, "deploy", "--all", "--prefect-file", "deployments/prefect.yaml")
    bounds, enums, dates = {}, set(), set()
    for one in DEPLOYMENTS:
        found = ask(prefect_api, f"deployments/name/{one.name}/{one.name}")
        assert found["work_pool_name"] == "fazhi" and found["tags"] == [one.name] and found["version"]
        assert found["description"] == one.description
        schema = found["parameter_openapi_schema"]
        assert set(one.parameters) <= set(schema["properties"]), "deployed with values of parameters that exist"
        assert found["parameters"] == one.parameters
        for name, told in schema["properties"].items():
            of = (one.name, name)
            assert told.get("description"), f"{of} says nothing of itself"
            assert ("default" in told) != (name in schema.get("required", [])), of
            assert "default" in told or of == ("shard", "night")
            within = parts(told, schema.get("definitions", {}))
            if {"minimum", "maximum"} & {key for part in within for key in part}:
                bounds[of] = (first(within, "minimum"), first(within, "maximum"))
            enums |= {of for part in within if part.get("enum")}
            dates |= {of for part in within if part.get("format") == "date"}
    assert (bounds, enums, dates) == (BOUNDS, ENUMS, DATES)

    found = ask(prefect_api, "deployments/name/nightly/nightly")
    schedule = found["schedules"][0]
    assert (schedule["schedule"]["cron"], schedule["schedule"]["timezone"]) == ("30 1 * * *", "Asia/Shanghai")
    assert schedule["active"]
    assert found["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"
    assert found["pull_steps"][0]["prefect.deployments.steps.set_working_directory"]["directory"] == str(ROOT)
