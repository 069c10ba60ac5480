"""A look at one live page: it tells a portal that holds from one that has changed, and asks for three addresses."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest

from connectors.canary import Sighting, choose_canaries, look
from connectors.drift import Shape
from connectors.http.client import Client
from tests.connectors.client_runs import settings
from tests.connectors.portal import FOLDER, HOST, item, put, put_lists, source
from tests.servers import Site

ITEMS = [item(number) for number in range(1, 7)]
SHAPE = Shape(body_in_container=True, dated_by_page=True, has_source=False, has_index=False, dated_in_list=True)


def sight(site: Site, shape: Shape | None = SHAPE) -> Sighting:
    async def go() -> Sighting:
        async with Client(settings(site)) as client:
            return await look(source(), shape, client)

    return asyncio.run(asyncio.wait_for(go(), 20))


def asked(site: Site) -> list[str]:
    return [seen.target for seen in site.seen]


def test_portal_that_holds_costs_three_requests(site: Site) -> None:
    put(site, [ITEMS])
    seen = sight(site)
    assert (seen.outcome, seen.rows, seen.is_fine) == ("ok", 6, True)
    assert "2001年法治政府建设情况报告" in seen.told
    assert asked(site) == ["/robots.txt", FOLDER, ITEMS[0].target]


def test_report_on_a_later_list_page_is_found(site: Site) -> None:
    others = [item(number, f"乌有县第{number}次通告") for number in range(10, 14)]
    put(site, [others, ITEMS])
    assert sight(site).outcome == "ok"


@pytest.mark.parametrize(
    "what", ["class renamed and dates gone", "no report listed", "page gone", "robots", "challenge"]
)
def test_what_does_not_hold_is_named(site: Site, what: str) -> None:
    put(site, [ITEMS])
    target = ITEMS[0].target
    wanted = {
        "class renamed and dates gone": "layout_changed",
        "no report listed": "source_changed",
        "page gone": "gone",
        "robots": "robots_denied",
        "challenge": "blocked",
    }[what]
    if what == "class renamed and dates gone":
        site.forget(target)
        page = ITEMS[0].page.replace("TRS_Editor", "nova").replace("PubDate", "x").replace("一", "一" * 40)
        site.on(target, page.replace("</div>", "</div><p>页脚</p>"))
    elif what == "no report listed":
        put_lists(site, [[item(number, f"乌有县第{number}次通告") for number in range(10, 14)]])
    elif what == "page gone":
        site.forget(target)
        site.on(target, "gone", status=404)
    elif what == "robots":
        site.forget("/robots.txt")
        site.on("/robots.txt", "User-agent: *\nDisallow: /\n")
    else:
        site.forget(target)
        site.on(target, "<html><script>$_ts=window['$_ts'];</script></html>", status=412)
    seen = sight(site)
    assert seen.outcome == wanted, seen
    assert not seen.is_fine and (HOST in seen.told or seen.source_id in seen.told)


def test_sources_of_one_engine_take_turns() -> None:
    found = {name: source(id=name) for name in ("990901_jia", "990901_yi", "990901_bing")}
    found["990901_ding"] = source(id="990901_ding", engine="ucap")
    day = date(2026, 3, 1)
    nights = [choose_canaries(found, day + timedelta(days=n)) for n in range(3)]
    assert all([one.engine for one in night] == ["trs", "ucap"] for night in nights)
    assert {night[0].id for night in nights} == {"990901_jia", "990901_yi", "990901_bing"}
