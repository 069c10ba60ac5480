"""Every fault of the table against the real crawl: classified, bounded, and never more costly than itself.

The table states what is right (sandbox/chaos_table.py); docs/faults.md is written from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from sandbox.chaos import ChaosServer
from sandbox.chaos_model import Behaviour
from sandbox.chaos_portal import STRUCK_PAGE, YEARS, host_of, notice_path, report_lines, report_path
from sandbox.chaos_table import BEHAVIOURS, SERVED
from tests.chaos.harness import Document, House, Night

MOST_REQUESTS = 100
"""The portal has 15 addresses; no fault may bring a crawler to ask for many more."""
OF_STRUCK_LIST = frozenset({report_path(YEARS[2]), report_path(YEARS[3]), notice_path(2)})


@pytest.fixture(params=SERVED, ids=lambda one: one.name)
def behaviour(request: pytest.FixtureRequest) -> Behaviour:
    chosen: Behaviour = request.param
    return chosen


@pytest.fixture
def house(behaviour: Behaviour, server: ChaosServer, engine: Engine, tmp_path: Path) -> House:
    server.calm(behaviour.name, behaviour.night == 2)
    return House(tmp_path, engine, server.url, behaviour.name, with_feed=behaviour.at == "feed")


def test_fault(behaviour: Behaviour, house: House, server: ChaosServer, good: Mapping[str, Document]) -> None:
    expected = whole(behaviour, good)
    if behaviour.night == 2:
        house.night("night-0")
        assert house.documents() == expected
        server.calm(behaviour.name, False)
    asked = len(server.seen.get(house.host, []))
    night = house.night("night-1")
    assert len(server.seen[house.host]) - asked <= MOST_REQUESTS
    check_outcome(behaviour, night)
    held = house.documents()
    check_nothing_false(behaviour, held, expected)
    if behaviour.night == 2:
        assert held == expected, "what was held is still held"
    else:
        check_others(behaviour, night, held, expected)
    server.calm(behaviour.name)
    healed = house.night("night-2")
    assert healed.failed is None and healed.codes == {}
    assert house.documents() == expected, "nothing is lost for good"


def whole(behaviour: Behaviour, good: Mapping[str, Document]) -> dict[str, Document]:
    """What the warehouse should hold of this portal without its fault."""
    expected = dict(good)
    if behaviour.at == "file":
        text = "\n".join(report_lines(YEARS[1]))
        expected[STRUCK_PAGE] = replace(good[STRUCK_PAGE], text="", attachment_text=text)
    return expected


def struck(behaviour: Behaviour) -> frozenset[str]:
    """Documents that the fault itself may cost in the run that meets it."""
    if behaviour.outcome == "read":
        return frozenset()
    by_place = {
        "page": frozenset({STRUCK_PAGE}),
        "list": OF_STRUCK_LIST,
        "lists": OF_STRUCK_LIST,
        "file": frozenset({STRUCK_PAGE}),
    }
    return by_place.get(behaviour.at, frozenset({STRUCK_PAGE}) if behaviour.name == "robots_disallow" else frozenset())


def check_outcome(behaviour: Behaviour, night: Night) -> None:
    codes = set().union(*night.codes.values()) if night.codes else set()
    if behaviour.outcome == "read":
        assert codes == set() and night.failed is None
    elif behaviour.outcome != "finding":
        assert behaviour.outcome in codes, f"classified as {codes or 'nothing'}"
    said = "\n".join(night.result.notes)
    assert behaviour.note in said, f"no word of {behaviour.note} in {said!r}"


def check_nothing_false(behaviour: Behaviour, held: Mapping[str, Document], expected: Mapping[str, Document]) -> None:
    """Whatever is held is one of the portal's documents, whole; or a report whose file could not be had, empty."""
    bare = replace(expected[STRUCK_PAGE], text="", attachment_text="", figures=())
    may_be_bare = behaviour.at == "file" or behaviour.name == "files_without_end"
    for path, document in held.items():
        assert path in expected, "a document that the portal does not have"
        assert document in ((expected[path], bare) if may_be_bare and path == STRUCK_PAGE else (expected[path],))


def check_others(
    behaviour: Behaviour, night: Night, held: Mapping[str, Document], expected: Mapping[str, Document]
) -> None:
    others = expected.keys() - struck(behaviour)
    if behaviour.others == "read":
        assert others - held.keys() == set(), "other pages are lost tonight"
    elif behaviour.others == "none":
        assert held == {}
        assert night.failed is not None
    else:
        assert held.keys() < expected.keys()
        left = night.result.blocked + night.result.failed + night.result.deferred
        assert left > 0, "pages that were not asked for are counted"


def test_one_portal_per_behaviour() -> None:
    assert len({host_of(one.name) for one in BEHAVIOURS}) == len(BEHAVIOURS) >= 40
