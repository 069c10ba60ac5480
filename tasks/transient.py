"""Which failures of a task are worth another try: one question for all of them."""

from __future__ import annotations

from typing import Any

from prefect.client.schemas.objects import State, TaskRun

from connectors.errors import SourceError
from warehouse.errors import WarehouseBusy


async def is_transient(task: Any, task_run: TaskRun, state: State[Any]) -> bool:
    """Only what may succeed later is tried again: a robots denial or a changed page is final for tonight, a database
    that somebody holds is not. One that has gone away is waited for where it is asked (`warehouse.patience`)."""
    error = await state.aresult(raise_on_failure=False)
    return isinstance(error, WarehouseBusy) or (isinstance(error, SourceError) and error.may_retry)
