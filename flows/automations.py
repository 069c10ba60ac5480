"""Automations: files in deployments/automations, put into force on a Prefect server, once or again and again alike."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import yaml
from prefect.blocks.notifications import SlackWebhook
from prefect.blocks.webhook import Webhook
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ActionTypes, CallWebhook, ChangeFlowRunState, SendNotification
from prefect.events.schemas.automations import AutomationCore
from prefect.exceptions import ObjectNotFound
from pydantic import BaseModel, ConfigDict, SecretStr, model_validator

from connectors.errors import ContractBroken
from fazhi.settings import ROOT

FOLDER = ROOT / "deployments" / "automations"
TAG = "fazhi"
"""Of all automations that come from here: those without a file are taken away."""
KEPT = "fazhi-automations"
"""Name of the block that keeps the address of who is told; the server stores it encrypted, no file holds it."""
MAIL = ("mailto://", "mailtos://")
"""What e-mail addresses of Apprise begin with, which sends what Prefect's notification blocks tell."""
MISSING = "nightly-missing"
LOST = "run-lost"


class Plan(BaseModel):
    """One file: Prefect's own trigger, and a template of the line that is told, or the message of the state that a
    lost run gets."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    description: str
    trigger: dict[str, Any]
    told: str = ""
    crashed: str = ""

    @model_validator(mode="after")
    def _has_one_action(self) -> Self:
        if bool(self.told) == bool(self.crashed):
            raise ValueError("either `told` or `crashed`")
        return self


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of one automation: `made`, `changed`, `as it was` or `removed`."""

    name: str
    outcome: str


def read_plans(folder: Path = FOLDER) -> dict[str, Plan]:
    """All files by their stem. Raises ContractBroken with the file's name."""
    plans = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            plans[path.stem] = Plan.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, yaml.YAMLError) as cause:
            raise ContractBroken(f"{path}: no automation: {' '.join(str(cause).split())}") from None
    if not plans:
        raise ContractBroken(f"{folder}: no automation in it")
    return plans


async def apply(address: str | None, block: str | None, missing_hours: float) -> list[Applied]:
    """Put all files into force. Told is an address (http, https: a webhook; mailto, mailtos: by e-mail), or a
    notification block (`type-slug/name`) that is there already.

    The same again changes nothing. An automation of ours that has no file any more goes; others are left alone.
    Raises ContractBroken where the block is not there or a file is wrong."""
    plans = read_plans()
    async with get_client() as client:
        kept = await _keep(address) if address else await _find_block(client, str(block))
        is_webhook = bool(address) and not str(address).startswith(MAIL)
        wanted = [_build(stem, plan, kept, missing_hours, is_webhook=is_webhook) for stem, plan in plans.items()]
        done = [await _put(client, one) for one in wanted]
        return done + await _remove(client, {one.name for one in wanted})


async def keep_watch() -> Applied:
    """Put into force what needs nobody to be told: runs whose process is lost are shown as crashed."""
    async with get_client() as client:
        return await _put(client, _crashing(read_plans()[LOST]))


async def remove_all() -> list[Applied]:
    """Take away all automations that came from here."""
    async with get_client() as client:
        return await _remove(client, set())


async def _keep(address: str) -> str:
    """Id of the block that holds the address. Prefect has no block of its own for e-mail without further packages; its
    block for Slack hands every address that is none of Slack's to Apprise."""
    block = SlackWebhook if address.startswith(MAIL) else Webhook
    return str(await block(url=SecretStr(address)).save(KEPT, overwrite=True))


async def _find_block(client: PrefectClient, block: str) -> str:
    slug, _, name = block.partition("/")
    try:
        found = await client.read_block_document_by_name(name, slug, include_secrets=False)
    except ObjectNotFound:
        words = f"--block {block}: the server has no such block; make one in its UI (Blocks), named as `type-slug/name`"
        raise ContractBroken(words) from None
    return str(found.id)


def _build(stem: str, plan: Plan, block_id: str, missing_hours: float, *, is_webhook: bool) -> AutomationCore:
    if plan.crashed:
        return _crashing(plan)
    trigger = dict(plan.trigger)
    if stem == MISSING:
        trigger["within"] = missing_hours * 3600
    action: ActionTypes
    if is_webhook:
        action = CallWebhook(block_document_id=block_id, payload=_payload(plan))
    else:
        action = SendNotification(block_document_id=block_id, subject=plan.name, body=plan.told)
    return _automation(plan, trigger, action)


def _crashing(plan: Plan) -> AutomationCore:
    return _automation(plan, plan.trigger, ChangeFlowRunState(state=StateType.CRASHED, message=plan.crashed))


def _automation(plan: Plan, trigger: dict[str, Any], action: ActionTypes) -> AutomationCore:
    return AutomationCore(
        name=plan.name, description=plan.description, tags=[TAG], trigger=trigger, actions=[action], enabled=True
    )


def _payload(plan: Plan) -> str:
    """JSON of what is told; `text` is what most chat services show."""
    name = json.dumps(plan.name, ensure_ascii=False)
    return (
        f"{{% set told %}}{plan.told}{{% endset %}}"
        f'{{"automation": {name}, "text": {{{{ (automation.name ~ ": " ~ told) | tojson }}}}, '
        f'"event": {{{{ (event.event if event else "") | tojson }}}}, '
        f'"resource": {{{{ (event.resource.id if event else "") | tojson }}}}}}'
    )


async def _put(client: PrefectClient, wanted: AutomationCore) -> Applied:
    there = await client.read_automations_by_name(wanted.name)
    if not there:
        await client.create_automation(wanted)
        return Applied(wanted.name, "made")
    if _told(there[0]) == _told(wanted):
        return Applied(wanted.name, "as it was")
    await client.update_automation(there[0].id, wanted)
    return Applied(wanted.name, "changed")


def _told(one: AutomationCore) -> str:
    """What makes an automation the same as another."""
    told = one.model_dump(mode="json", include={"name", "description", "enabled", "tags", "trigger", "actions"})
    told["trigger"].pop("id", None)
    for name, value in told["trigger"].items():
        if isinstance(value, list):
            told["trigger"][name] = sorted(value)
    return json.dumps(told, sort_keys=True)


async def _remove(client: PrefectClient, kept: set[str]) -> list[Applied]:
    gone: list[Applied] = []
    ours: Sequence[Any] = [one for one in await client.read_automations() if TAG in one.tags and one.name not in kept]
    for one in ours:
        await client.delete_automation(one.id)
        gone.append(Applied(one.name, "removed"))
    return gone
