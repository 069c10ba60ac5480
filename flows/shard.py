"""One shard of a night: a process that crawls sources which the night has shared out."""

from __future__ import annotations

from typing import Annotated

from prefect import flow
from prefect.runtime import flow_run
from pydantic import Field

from connectors.wish import Wish
from fazhi.house import load_all_sources
from fazhi.logs import write_log
from fazhi.settings import Settings
from flows.crawling import open_house
from flows.sharing import crawl_claimed
from tasks.shards import NightOver
from tasks.watch import Watch
from warehouse.claims import Claims


def _run_name() -> str:
    given = flow_run.parameters
    return f"Shard {given.get('number', 1)} of nightly {str(given.get('night'))[:8]}"


@flow(name="shard", flow_run_name=_run_name, validate_parameters=True)
async def shard(
    night: str, number: Annotated[int, Field(ge=1)] = 1, all_pages: bool = False, accept_mass_change: str = ""
) -> str:
    """Crawl sources of a night that is shared out, until none is left. A nightly starts these runs; to start one by
    hand adds a hand to a night that is under way.

    Args:
        night: Id of the nightly run that has shared out its sources.
        number: Which shard of the night this is; for its name only.
        all_pages: As in the nightly: not only the annual reports.
        accept_mass_change: As in the nightly: the reason why figures may go or change in numbers.
    """
    settings = Settings()
    sources = load_all_sources(settings)
    with write_log(settings.log):
        async with open_house(
            settings, list(sources.values()), Wish(all_pages=all_pages), Watch(night), shard_of=night,
            accept_mass_change=accept_mass_change,
        ) as house:  # fmt: skip
            try:
                n_done = await crawl_claimed(house, Claims(house.state, night), sources, settings.concurrency)
            except NightOver:
                return "the night is over"
    return f"{n_done} sources crawled"
