"""All deployments, defined once: `fazhi serve` serves them, deployments/prefect.yaml deploys them to a work pool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from prefect import Flow, serve
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.schedules import Cron
from prefect.types.entrypoint import EntrypointType

from flows.keeping import maintain, release
from flows.nightly import nightly
from flows.shard import shard
from tasks.assemble import code_version

if TYPE_CHECKING:
    from prefect.deployments.runner import RunnerDeployment

ZONE = "Asia/Shanghai"
POOL = "fazhi"


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
    Deployment(release, "Write the published state as a release in Parquet and make it the current one."),
    Deployment(
        maintain, "Archive retention and database upkeep.", "30 12 * * 0", {"keep_days": None, "keep_versions": None}
    ),
)  # fmt: skip


def serve_all() -> None:
    """Register all deployments with the server of PREFECT_API_URL and run what is scheduled or asked for, until
    interrupted. Schedules stay active: a night missed while nothing was served begins when it is served again."""
    serve(*(_to_serve(one) for one in DEPLOYMENTS), pause_on_shutdown=False, print_starting_message=False)


def _to_serve(one: Deployment) -> RunnerDeployment:
    made = one.flow.to_deployment(
        one.name,
        schedule=Cron(one.cron, timezone=ZONE) if one.cron else None,
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


def to_yaml() -> dict[str, Any]:
    """The `deployments` of deployments/prefect.yaml."""
    return {"deployments": [_to_yaml(one) for one in DEPLOYMENTS]}


def _to_yaml(one: Deployment) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": one.name,
        "description": one.description,
        "entrypoint": one.entrypoint,
        "version": code_version(),
        "tags": [one.name],
        "parameters": dict(one.parameters),
        "work_pool": {"name": POOL},
    }
    limit = _limit(one)
    if limit is not None:
        told["concurrency_limit"] = limit.model_dump(mode="json", include={"limit", "collision_strategy"})
    if one.cron:
        told["schedules"] = [{"cron": one.cron, "timezone": ZONE, "slug": one.name, "active": True}]
    return told
