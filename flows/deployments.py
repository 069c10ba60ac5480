"""All deployments, defined once: `fazhi serve` serves them, deployments/prefect.yaml deploys them to a work pool.

`python -m flows.deployments` writes that file anew."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import yaml
from prefect import Flow, serve
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.schedules import Cron
from prefect.types.entrypoint import EntrypointType

from fazhi.house import HEARTBEAT, HEARTBEAT_SECONDS
from fazhi.settings import ROOT
from flows.automations import keep_watch
from flows.backfill import backfill
from flows.canary import canary
from flows.keeping import maintain, release
from flows.nightly import nightly
from flows.reparse import reparse
from flows.shard import shard
from tasks.assemble import code_version

if TYPE_CHECKING:
    from prefect.deployments.runner import RunnerDeployment

ZONE = "Asia/Shanghai"
POOL = "fazhi"
FILE = ROOT / "deployments" / "prefect.yaml"

_HEAD = """\
# Deployments of fazhi, written by `python -m flows.deployments` from flows/deployments.py: change them there.
# From the checkout, with a Prefect server and a process work pool named `fazhi`:
#   .venv/bin/prefect deploy --all --prefect-file deployments/prefect.yaml
# Settings (FAZHI_HOME, FAZHI_DATABASE_URL, FAZHI_CONTACT, ...) come from the worker's environment or its .env file.
name: fazhi
prefect-version: ">=3.8.8,<4"

# The flow runs from the worker's own checkout: the catalogue and the sources are read from there.
pull:
  - prefect.deployments.steps.set_working_directory:
      directory: "{{ $FAZHI_CHECKOUT }}"

"""


@dataclass(frozen=True, slots=True)
class Deployment:
    """One flow as it is offered in the UI. A run that would be a second one beside a running one is cancelled: a night
    still running is not joined by the next, and what it did not reach is due again then."""

    flow: Flow[..., Any]
    description: str
    cron: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    limit: int | None = 1
    """Runs at once; None: as many as are started."""

    @property
    def name(self) -> str:
        return self.flow.name

    @property
    def entrypoint(self) -> str:
        """Path of the flow within the checkout."""
        return f"{self.flow.fn.__module__.replace('.', '/')}.py:{self.flow.fn.__name__}"


DEPLOYMENTS = (
    Deployment(
        nightly, "Crawl all sources, load what is new or changed, check it, release it.", "30 1 * * *",
        {"source": None, "all_pages": False, "shards": None},
    ),
    Deployment(
        shard, "Crawl sources of a nightly that is shared out (FAZHI_SHARDS); nightlies start it.", limit=None,
    ),
    Deployment(
        backfill, "Fetch or read anew a cut of the sources' pages; at first a plan, without any side effect.",
    ),
    Deployment(
        canary, "One live page of each engine against the shape of its source's contract; nothing is loaded.",
        "0 19 * * *", {"source": None},
    ),
    Deployment(
        reparse, "Read documents again from the archive with today's extraction, and publish what differs.", None,
        {"dry_run": True},
    ),
    Deployment(release, "Write the published state as a release in Parquet and make it the current one."),
    Deployment(
        maintain, "Archive retention and database upkeep.", "30 12 * * 0", {"keep_days": None, "keep_versions": None}
    ),
)  # fmt: skip


_DAYS = ("sundays", "mondays", "tuesdays", "wednesdays", "thursdays", "fridays", "saturdays")


def serve_all() -> None:
    """Register all deployments with the server of PREFECT_API_URL and run what is scheduled or asked for, until
    interrupted. Schedules stay active: a night missed while nothing was served begins when it is served again.
    Runs that were lost with an earlier `serve` are shown as crashed."""
    asyncio.run(keep_watch())
    serve(*(_to_serve(one) for one in DEPLOYMENTS), pause_on_shutdown=False, print_starting_message=False)


def _slug(cron: str) -> str:
    """A schedule's name, which Prefect's UI shows in place of its hours: those are what it tells."""
    minute, hour, _, _, day = cron.split()
    return f"{'daily' if day == '*' else _DAYS[int(day)]}-at-{hour:0>2}-{minute:0>2}"


def _to_serve(one: Deployment) -> RunnerDeployment:
    made = one.flow.to_deployment(
        one.name,
        schedule=Cron(one.cron, timezone=ZONE, slug=_slug(one.cron)) if one.cron else None,
        concurrency_limit=_limit(one),
        parameters=dict(one.parameters),
        description=one.description,
        tags=[one.name],
        version=code_version(),
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    return cast("RunnerDeployment", made)  # a coroutine only inside an event loop


def _limit(one: Deployment) -> ConcurrencyLimitConfig | None:
    if one.limit is None:
        return None
    return ConcurrencyLimitConfig(limit=one.limit, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)


def to_yaml() -> str:
    """deployments/prefect.yaml."""
    told = {"deployments": [_to_yaml(one) for one in DEPLOYMENTS]}
    return _HEAD + yaml.safe_dump(told, sort_keys=False, allow_unicode=True, width=120)


def _to_yaml(one: Deployment) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": one.name,
        "description": one.description,
        "entrypoint": one.entrypoint,
        "version": code_version(),
        "tags": [one.name],
        "parameters": dict(one.parameters),
        "work_pool": {"name": POOL, "job_variables": {"env": {HEARTBEAT: str(HEARTBEAT_SECONDS)}}},
    }
    limit = _limit(one)
    if limit is not None:
        told["concurrency_limit"] = limit.model_dump(mode="json", include={"limit", "collision_strategy"})
    if one.cron:
        told["schedules"] = [{"cron": one.cron, "timezone": ZONE, "slug": _slug(one.cron), "active": True}]
    return told


if __name__ == "__main__":
    FILE.write_text(to_yaml(), encoding="utf-8")
