"""Rebuild what is chosen and checked across documents for the authorities and years that a batch touched."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Protocol

from sqlalchemy import Connection, Select, Table, select

from extraction.model import Check
from warehouse.among import among_given, pairs_given
from warehouse.choosing import Chosen, Statement, choose_values
from warehouse.columns import Row
from warehouse.dims import Members
from warehouse.errors import WarehouseError
from warehouse.facts import Subject, check_row, link_figures
from warehouse.keys import NOT_APPLICABLE, UNKNOWN, key_within
from warehouse.raw import ask
from warehouse.schema import bridge_check_observation, fact_check, fact_metric_value, fact_observation
from warehouse.schema_dims import dim_period
from warehouse.statements import YEAR, Authority, Stated, Years, in_parts, is_among, read_statements
from warehouse.upsert import CHUNK, Changes, delete_rows, merge_rows


class CheckAcross(Protocol):
    """Rules over the statements of one authority; `Check.observations` are indexes into them.

    Each check names its period, and rests on statements about that period's year and the year before only: where
    statements of a year have changed, checks of that year and the next are made anew."""

    def __call__(self, statements: Sequence[Statement], /) -> Sequence[Check]: ...


def find_years(conn: Connection, documents: Mapping[Authority, set[int]]) -> dict[Authority, Years]:
    """The years that the figures of document versions, by key, speak of."""
    wanted = sorted({key for keys in documents.values() for key in keys})
    told: dict[int, set[str]] = defaultdict(set)
    for start in range(0, len(wanted), CHUNK):
        for document_key, year in ask(conn, _YEARS_TOLD, {"keys": wanted[start : start + CHUNK]}):
            told[document_key].add(year)
    return {one: frozenset().union(*(told[key] for key in keys)) for one, keys in documents.items()}


def join_years(*parts: Mapping[Authority, Years]) -> dict[Authority, Years]:
    """What any of them names; None, all years, takes the others in."""
    joined: dict[Authority, Years] = {}
    for part in parts:
        for authority, years in part.items():
            before = joined.get(authority, frozenset())
            joined[authority] = None if before is None or years is None else before | years
    return joined


def rebuild_values(
    conn: Connection,
    touched: Mapping[Authority, Years],
    check_across: CheckAcross,
    load_key: int,
    in_hand: Mapping[int, Stated] = MappingProxyType({}),
) -> tuple[Changes, Changes]:
    """Changes among chosen values, and among cross-document checks, of these authorities in these years; no other row
    is looked at. Where the region is not known nothing is chosen.

    `in_hand`: what was just written of documents, which is not read again."""
    known = {one: years for one, years in touched.items() if one[0] != UNKNOWN and years != frozenset()}
    if not known:
        return Changes(), Changes()
    told = _Rebuild(conn, known, load_key, in_hand)
    return told.values(), told.checks(check_across)


class _Rebuild:
    """Of authorities, each for the years in which something has changed for it."""

    def __init__(
        self, conn: Connection, touched: Mapping[Authority, Years], load_key: int, in_hand: Mapping[int, Stated]
    ) -> None:
        self.conn, self.touched, self.load_key = conn, touched, load_key
        self.checked = {one: _and_next(years) for one, years in touched.items()}
        around = {one: None if years is None else years | _shift(years, -1) for one, years in self.checked.items()}
        self.statements = read_statements(conn, around, in_hand)

    def values(self) -> Changes:
        said = [one for one in self.statements if is_among(self.touched[one.region_key, one.agency_key], one.period)]
        rows = {row["value_key"]: row for row in (value_row(one, self.load_key) for one in choose_values(said))}
        mixed = [row for row in rows.values() if row["status"] == "target" and row["chosen_by"] != "forecast"]
        if mixed:
            raise WarehouseError(f"{len(mixed)} targets were chosen as actual values; nothing was changed: report this")
        stale = _keys_of(self.conn, fact_metric_value, self.touched)
        changes = merge_rows(self.conn, fact_metric_value, rows.values(), stale)
        changes.add(delete_rows(self.conn, fact_metric_value, sorted(stale - set(rows))))
        return changes

    def checks(self, check_across: CheckAcross) -> Changes:
        by_authority: dict[Authority, list[Statement]] = defaultdict(list)
        for one in self.statements:
            by_authority[one.region_key, one.agency_key].append(one)
        members = Members()
        checks: dict[int, Row] = {}
        bridges: dict[int, Row] = {}
        for (region_key, agency_key), group in sorted(by_authority.items()):
            for check in check_across(group):
                if check.period is None:
                    raise WarehouseError(f"rule {check.rule}: a check across documents names no period; report this")
                if not is_among(self.checked[region_key, agency_key], check.period):
                    continue
                figures = [group[i].observation_key for i in check.observations]
                subject_id = f"{region_key}/{agency_key}/{check.period}"
                subject = Subject("region_period", subject_id, NOT_APPLICABLE, region_key, agency_key)
                row = check_row(subject, check, figures, members, self.load_key)
                checks[row["check_key"]] = row
                for link in link_figures(row["check_key"], figures):
                    bridges[link[0]] = dict(zip(bridge_check_observation.columns.keys(), link, strict=True))
        members.write(self.conn)
        return self._replace_checks(checks, bridges)

    def _replace_checks(self, checks: dict[int, Row], bridges: dict[int, Row]) -> Changes:
        stored = _keys_of(self.conn, fact_check, self.checked)
        before = sorted(stored)
        old_links: set[int] = set()
        for start in range(0, len(before), CHUNK):
            old_links.update(key for (key,) in ask(self.conn, _LINKS, {"keys": before[start : start + CHUNK]}))
        changes = delete_rows(self.conn, bridge_check_observation, sorted(old_links - set(bridges)))
        changes.add(delete_rows(self.conn, fact_check, sorted(stored - set(checks))))
        changes.add(merge_rows(self.conn, fact_check, checks.values(), stored))
        changes.add(merge_rows(self.conn, bridge_check_observation, bridges.values(), old_links))
        return changes


def _shift(years: frozenset[str], by: int) -> frozenset[str]:
    return frozenset(f"{int(year) + by:04}" for year in years if year.isdigit())


def _and_next(years: Years) -> Years:
    return None if years is None else years | _shift(years, 1)


_YEARS_TOLD = (
    select(fact_observation.c.document_key, YEAR)
    .distinct()
    .join(dim_period, dim_period.c.period_key == fact_observation.c.period_key)
    .where(among_given(fact_observation.c.document_key))
)
_LINKS = select(bridge_check_observation.c.bridge_key).where(among_given(bridge_check_observation.c.check_key))


def value_name(region: int, agency: int, metric: int, period: int, basis: str, scope: str, dimension: str) -> str:
    return f"{region},{agency},{metric},{period},{basis},{len(scope)},{scope},{dimension}"


def value_row(chosen: Chosen, load_key: int) -> Row:
    best = chosen.best
    region_key, agency_key, metric_key, period_key, basis, scope, dimension = chosen.group
    return {
        "value_key": key_within(region_key, "value", value_name(*chosen.group)),
        "region_key": region_key,
        "agency_key": agency_key,
        "metric_key": metric_key,
        "period_key": period_key,
        "basis": basis,
        "scope": scope,
        "dimension": dimension,
        "observation_key": best.observation_key,
        "document_key": best.document_key,
        "unit_key": best.unit_key,
        "as_of_date_key": best.as_of_date_key,
        "published_date_key": best.published_date_key,
        "value_num": best.value,
        "value_low": best.stated.value_low,
        "value_high": best.stated.value_high,
        "qualifier": best.stated.qualifier,
        "status": best.stated.status,
        "chosen_by": chosen.chosen_by,
        "n_statements": chosen.n_statements,
        "n_documents": chosen.n_documents,
        "n_values": chosen.n_values,
        "is_disputed": chosen.is_disputed,
        "load_key": load_key,
    }


def _keys_of(conn: Connection, table: Table, wanted: Mapping[Authority, Years]) -> set[int]:
    """Stored rows of authorities whose period begins in one of their years; of checks, those across documents."""
    found: set[int] = set()
    for some in in_parts(sorted(wanted)):
        given = {"pairs": some, "keys": sorted({region_key for region_key, _ in some})}
        for key, region_key, agency_key, year in ask(conn, _stored_of(table), given):
            if is_among(wanted.get((region_key, agency_key), frozenset()), year):
                found.add(key)
    return found


@lru_cache(maxsize=10)
def _stored_of(table: Table) -> Select[Any]:
    (key,) = table.primary_key.columns
    chosen = select(key, table.c.region_key, table.c.agency_key, YEAR).join(
        dim_period, dim_period.c.period_key == table.c.period_key
    )
    if table is not fact_check:
        return chosen.where(pairs_given(table.c.region_key, table.c.agency_key))
    # By the region alone, and with the kind as a text made of it: for the kind, which all regions have, SQLite would
    # look in an index, and for a pair of which one has no index it would read the table.
    return chosen.where(among_given(table.c.region_key), table.c.subject_kind.concat("") == "region_period")
