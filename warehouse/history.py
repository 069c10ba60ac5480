"""History of regions, sources and metrics (type 2): which versions there are, and which of them a fact refers to.

A region's versions are declared in the catalog. A source and the catalogue of metrics only say how they are now, so
theirs are folded from sightings, as a document's are: every load sees a state at a time. The versions are a function
of the set of sightings and of nothing else, so they do not depend on the order of loading. A run of states that agree
in the columns marked `versioned` is one version; the other columns are overwritten by the latest state.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Table, bindparam, select

from warehouse.columns import Quantity, Row
from warehouse.keys import hash_text, key_of
from warehouse.raw import ask
from warehouse.schema import member_sighting, member_state
from warehouse.upsert import fetch_by, key_name, merge_rows, read_rows

BEGINNING = datetime(1900, 1, 1, tzinfo=UTC)
"""Start of the first version of everything: nothing earlier is known."""

Run = tuple[datetime, int]
"""From when, and the key of the state that then held."""


@dataclass(frozen=True, slots=True)
class Validity:
    """When a version of a member holds: half-open."""

    key: int
    valid_from: datetime
    valid_to: datetime | None

    def holds(self, moment: datetime) -> bool:
        return self.valid_from <= moment and (self.valid_to is None or moment < self.valid_to)


def validity_of(table: Table, row: Row) -> Validity:
    return Validity(row[key_name(table)], row["valid_from"], row["valid_to"])


def version_at(versions: Iterable[Validity], moment: datetime) -> int:
    """Key of the version that holds at a moment; the first one for anything before the beginning."""
    moment = max(moment, BEGINNING)
    for version in versions:
        if version.holds(moment):
            return version.key
    raise ValueError(f"no version holds at {moment}")


def observe(conn: Connection, kind: str, natural_key: str, content: str, seen_at: datetime) -> tuple[list[Run], bool]:
    """Note that a member was seen in a state. Gives all its states in time, and whether that is news."""
    state = key_of("state", kind, natural_key, hash_text(content))
    sightings = _read_sightings(conn, kind, natural_key)
    before = fold_states(sightings.values())
    day = seen_at.astimezone(UTC).date()
    key = key_of("member_sighting", state, day.isoformat())
    _, first, last = sightings.get(key, (state, seen_at, seen_at))
    sightings[key] = (state, min(first, seen_at), max(last, seen_at))
    row = dict(zip(("state_key", "first_seen_at", "last_seen_at"), sightings[key], strict=True))
    wanted = {"state_key": state, "kind": kind, "natural_key": natural_key, "content": content}
    if all(state != known for _, known in before):
        merge_rows(conn, member_state, [wanted])
    merge_rows(conn, member_sighting, [{"member_sighting_key": key, "day": day, **row}])
    after = fold_states(sightings.values())
    return after, after != before


def fold_states(sightings: Iterable[tuple[int, datetime, datetime]]) -> list[Run]:
    """State, first and last sighting of a day -> runs of one state. Of two states at one instant one alone counts."""
    points: dict[datetime, int] = {}
    for state, first, last in sightings:
        for moment in (first, last):
            points[moment] = max(state, points.get(moment, state))
    runs: list[Run] = []
    for moment, state in sorted(points.items()):
        if not runs or runs[-1][1] != state:
            runs.append((moment, state))
    return runs


def read_states(conn: Connection, runs: Sequence[Run]) -> list[tuple[datetime, Any]]:
    """The contents of the states, in the order of the runs."""
    wanted = sorted({state for _, state in runs})
    contents = {row["state_key"]: json.loads(row["content"]) for row in read_rows(conn, member_state, wanted).values()}
    return [(moment, contents[state]) for moment, state in runs]


def cut_versions(table: Table, kind: str, natural_key: str, states: Sequence[tuple[datetime, Row]]) -> list[Row]:
    """Rows of one member from its states in time, the current one first: the others refer to it."""
    names = [column.name for column in table.columns if column.info.get("versioned")]
    cuts: list[tuple[datetime, Row]] = []
    for moment, state in states:
        if not cuts or any(cuts[-1][1][name] != state[name] for name in names):
            cuts.append((moment, state))
    starts = [BEGINNING, *(moment for moment, _ in cuts[1:]), None]
    overwritten = {name: value for name, value in states[-1][1].items() if name not in names}
    current = key_of(kind, natural_key)
    last = len(cuts)
    rows = [
        {
            **state,
            **overwritten,
            key_name(table): current if number == last else key_of(kind, natural_key, number),
            "version_no": number,
            "current_key": current,
            "valid_from": starts[number - 1],
            "valid_to": starts[number],
            "is_current": number == last,
        }
        for number, (_, state) in enumerate(cuts, 1)
    ]
    return rows[::-1]


def read_versions(conn: Connection, table: Table, keys: Sequence[int], by: str = "current_key") -> list[Row]:
    """Stored versions of members."""
    return sorted(fetch_by(conn, table.c[by], keys), key=itemgetter("version_no"))


def pack(row: Row) -> Row:
    """A row as JSON can hold it."""
    return {name: str(value) if isinstance(value, Decimal) else value for name, value in row.items()}


def unpack(table: Table, row: Row) -> Row:
    """The row that `pack` was given."""
    return {
        name: Decimal(value) if value is not None and isinstance(table.c[name].type, Quantity) else value
        for name, value in row.items()
    }


def _read_sightings(conn: Connection, kind: str, natural_key: str) -> dict[int, tuple[int, datetime, datetime]]:
    found = ask(conn, _SIGHTINGS, {"of_kind": kind, "of_key": natural_key})
    return {key: (state, first, last) for key, state, first, last in found}


_SIGHTINGS = (
    select(
        member_sighting.c.member_sighting_key,
        member_sighting.c.state_key,
        member_sighting.c.first_seen_at,
        member_sighting.c.last_seen_at,
    )
    .join(member_state, member_state.c.state_key == member_sighting.c.state_key)
    .where(member_state.c.kind == bindparam("of_kind"), member_state.c.natural_key == bindparam("of_key"))
)
