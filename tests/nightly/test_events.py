"""Which events a run sends: pure, from its lines, drifts, health and what its loads brought."""

from __future__ import annotations

from typing import Any

from fazhi.report import SourceLine
from tasks.events import Event, events_of
from tasks.mass_change import HELD_BACK


def line(source_id: str = "990101_lanhe", **counts: int) -> SourceLine:
    notes = (
        ("blocked by www.lanhe.example 受阻: https://www.lanhe.example/x: status=412",) if counts.get("blocked") else ()
    )
    return SourceLine(source_id, "岚禾县", "Lanhe County", "ok", counts, notes=notes)


def health(source_id: str = "990101_lanhe", **changes: Any) -> dict[str, Any]:
    return {"source_id": source_id, "health": "ok", "documents": 100, "last_report_year": 2025} | changes


def brought(kind: str, rule: str = "R1", source_id: str = "990101_lanhe") -> dict[str, Any]:
    return {
        "source_id": source_id, "rule": rule, "kind": kind, "name_zh": "和", "name_en": "sum", "n": 3,
        "message_zh": "不等", "message_en": "differs",
    }  # fmt: skip


def names(*given: Any) -> list[Event]:
    return [one.event for one in events_of(*given)]


def test_a_quiet_night_tells_nothing() -> None:
    assert names([line(planned=20, unchanged=20, changed=3)], {}, [health()], []) == []


def test_blocked_carries_its_evidence() -> None:
    (told,) = events_of([line(blocked=2)], {}, [health()], [])
    assert told.event is Event.BLOCKED and "status=412" in told.told and "岚禾县" in told.told


def test_what_is_overdue_or_has_drifted_is_told() -> None:
    assert names([line()], {}, [health(health="overdue")], []) == [Event.SILENT]
    assert names([line()], {"990101_lanhe": "no container"}, [], []) == [Event.LAYOUT_CHANGED]


def test_mass_change_needs_share_and_number() -> None:
    assert names([line(changed=40, gone=20)], {}, [health()], []) == [Event.MASS_CHANGE]
    assert names([line(changed=40)], {}, [health()], []) == [], "under half of what is held"
    assert names([line(changed=4)], {}, [health(documents=5)], []) == [], "too few to say anything"
    assert names([line(changed=9, new=4)], {}, [health(documents=20)], []) == [Event.MASS_CHANGE], "of those before"


def test_a_source_that_was_held_back_is_told() -> None:
    told = SourceLine(
        "990101_lanhe", "岚禾县", "Lanhe County", "failed", {}, failures=(f"990101_lanhe: {HELD_BACK}: 9",)
    )
    (found,) = events_of([told], {}, [health()], [])
    assert found.event is Event.MASS_CHANGE and HELD_BACK in found.told


def test_restatements_are_told_apart_from_other_checks() -> None:
    assert names([], {}, [], [brought("prior_restatement"), brought("sum_equal")]) == [
        Event.RESTATEMENT,
        Event.CHECKS_FAILED,
    ]


def test_the_failed_checks_of_a_source_are_one_event() -> None:
    rows = [brought("sum_equal", "R1"), brought("ratio", "R2"), brought("sum_equal", "R1", "990102_jichuan")]
    first, second = events_of([], {}, [], rows)
    assert first.payload == {"rules": {"R1": 3, "R2": 3}, "n": 6, "first": "differs"}
    assert (first.source_id, second.source_id) == ("990101_lanhe", "990102_jichuan")
    assert first.told == "990101_lanhe: 3 和 sum; 3 和 sum: 不等 differs"
