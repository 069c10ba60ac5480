"""Dimension rows that a batch needs: collected while facts are built, written before them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from sqlalchemy import Connection, Table, delete, select, update

from warehouse.batch import CatalogueRows, SourceRow
from warehouse.columns import Row
from warehouse.dim_rows import (
    catalogue_content,
    metric_key,
    period_key,
    region_key,
    region_states,
    source_key,
    source_row,
    to_json,
    write_years,
)
from warehouse.history import (
    BEGINNING,
    Validity,
    cut_versions,
    observe,
    read_states,
    read_versions,
    unpack,
    validity_of,
    version_at,
)
from warehouse.keys import NOT_APPLICABLE, UNKNOWN, key_of
from warehouse.periods import Period, date_key_of, parse_day, parse_period
from warehouse.regions import load_gazetteer
from warehouse.schema import fact_observation
from warehouse.schema_dims import (
    WITH_HISTORY,
    dim_agency,
    dim_load,
    dim_metric,
    dim_period,
    dim_region,
    dim_rule,
    dim_source,
    dim_unit,
)
from warehouse.upsert import Changes, insert_rows, key_name, merge_rows, read_rows

ORDER = (dim_region, dim_period, dim_agency, dim_source, dim_unit, dim_metric, dim_rule)
"""Referred-to tables first."""


AS_OF = {"region_key": dim_region, "source_key": dim_source}
"""References of a document that mean the version of its own day."""


class Members:
    """Collects members; each method gives the key a fact refers to, which is the current version's if not said else."""

    def __init__(self) -> None:
        self._rows: dict[Table, dict[int, Row]] = {table: {} for table in ORDER}
        self._years: set[int] = set()
        self._current: dict[int, int] = {}
        self._versions: dict[int, list[Validity]] = {}
        self._changed: dict[Table, dict[int, set[int]]] = {}
        self._regrouped: set[int] = set()
        self._loaded_at = BEGINNING
        self._metrics: dict[str, tuple[int, int]] = {}
        self._periods: dict[str, int] = {}
        self._days: dict[str, int] = {}

    def date(self, day: date | None, missing: int = UNKNOWN) -> int:
        if day is None:
            return missing
        self._years.add(day.year)
        return date_key_of(day)

    def day_of(self, text: str) -> int:
        """Of a cut-off as read: `YYYY-MM-DD`, or `YYYY-MM` for the last day of the month."""
        known = self._days.get(text)
        if known is None:
            known = self._days[text] = self.date(parse_day(text), missing=NOT_APPLICABLE)
        return known

    def period_of(self, text: str) -> int:
        """Of a period as read: `YYYY` or `YYYY-MM/YYYY-MM`."""
        known = self._periods.get(text)
        if known is None:
            known = self._periods[text] = self._period(parse_period(text))
        return known

    def _period(self, period: Period | None) -> int:
        if period is None:
            return NOT_APPLICABLE
        key = period_key(period.period_id)
        self._rows[dim_period][key] = {
            "period_key": key,
            "period_id": period.period_id,
            "kind": period.kind,
            "year": period.end.year,
            "n_months": period.n_months,
            "start_date_key": self.date(period.start),
            "end_date_key": self.date(period.end),
        }
        return key

    def region(self, code: str | None) -> int:
        """Of a code that a place has or had: the place; None is the unknown one. A code that no list knows is an
        inferred member."""
        if code is None:
            return UNKNOWN
        place = load_gazetteer().identity(code)
        key = region_key(place)
        if key not in self._rows[dim_region]:
            self._keep(dim_region, cut_versions(dim_region, "region", place, region_states(place)))
        return key

    def agency(self, region_code: str | None, name: str | None, missing: int) -> int:
        if not name:
            return missing
        key = key_of("agency", region_code, name)
        self._rows[dim_agency][key] = {
            "agency_key": key,
            "region_key": self.region(region_code),
            "name_zh": name,
        }
        return key

    def source(self, conn: Connection, source: SourceRow, seen_at: datetime) -> int:
        row = source_row(source)
        row["region_key"] = self.region(source.region_code)
        runs, _ = observe(conn, "source", source.source_id, to_json(row), seen_at)
        self._keep(dim_source, cut_versions(dim_source, "source", source.source_id, read_states(conn, runs)))
        return source_key(source.source_id)

    def catalogue(self, conn: Connection, catalogue: CatalogueRows, seen_at: datetime) -> None:
        """The image of the catalogue: units, metrics, rules."""
        runs, is_news = observe(conn, "catalogue", "catalogue", catalogue_content(catalogue), seen_at)
        self._loaded_at = seen_at
        if not is_news and seen_at >= runs[-1][0]:
            return  # all that it says is there already, and is current
        states = read_states(conn, runs)
        for table, keep in ((dim_unit, self._overwrite), (dim_rule, self._overwrite), (dim_metric, self._cut)):
            told: dict[str, list[tuple[datetime, Row]]] = {}
            for moment, state in states:
                for row in state[table.name]:
                    told.setdefault(row[NATURAL[table]], []).append((moment, unpack(table, row)))
            for natural_key, history in told.items():
                keep(table, natural_key, history)

    def _overwrite(self, table: Table, natural_key: str, history: list[tuple[datetime, Row]]) -> None:
        key = key_of(table.name.removeprefix("dim_"), natural_key)
        self._rows[table][key] = {key_name(table): key, **history[-1][1]}

    def _cut(self, table: Table, natural_key: str, history: list[tuple[datetime, Row]]) -> None:
        self._keep(table, cut_versions(table, "metric", natural_key, history))

    def _keep(self, table: Table, versions: Sequence[Row]) -> None:
        """All versions of one member as they are to be, whatever was stored or recalled."""
        self._versions[versions[0]["current_key"]] = []
        for row in versions:
            self._rows[table][row[key_name(table)]] = row
            self._learn(table, row)

    def _learn(self, table: Table, row: Row) -> None:
        version = validity_of(table, row)
        self._current[version.key] = row["current_key"]
        self._versions.setdefault(row["current_key"], []).append(version)

    def recall(self, conn: Connection, rows: Iterable[Row]) -> None:
        """Learn the versions of the regions and sources that stored documents refer to."""
        rows = list(rows)
        for name, table in AS_OF.items():
            unknown = sorted({row[name] for row in rows} - set(self._current))
            currents = {row["current_key"] for row in read_versions(conn, table, unknown, by=key_name(table))}
            self._current.update((key, key) for key in (UNKNOWN, NOT_APPLICABLE))
            for row in read_versions(conn, table, sorted(currents - set(self._versions))):
                self._learn(table, row)
            for row in read_versions(conn, table, unknown, by=key_name(table)):
                self._current[row[key_name(table)]] = row["current_key"]  # a version that is no more

    def current(self, row: Row) -> Row:
        """The region and the source of a document over all their versions."""
        return {name: self._current[row[name]] for name in AS_OF}

    def as_of(self, row: Row, moment: datetime) -> Row:
        """The versions of a document's region and source that hold at a moment."""
        return {name: self._at(key, moment) for name, key in self.current(row).items()}

    def current_of(self, key: int) -> int:
        """The current version of a region or source that the batch met."""
        return self._current[key]

    def metric(self, code: str) -> tuple[int, int]:
        """The key of a metric, and of its version by the catalogue that this load came with."""
        known = self._metrics.get(code)
        if known is None:
            key = metric_key(code)
            known = self._metrics[code] = key, self.metric_version(key)
        return known

    def metric_version(self, key: int) -> int:
        return self._at(key, self._loaded_at)

    def _at(self, current: int, moment: datetime) -> int:
        versions = self._versions.get(current)
        return version_at(versions, moment) if versions else current

    def find_changed(self, conn: Connection) -> dict[str, set[int]]:
        """Column -> stored keys of the members whose versions are about to change: their documents look up anew."""
        for table in WITH_HISTORY:
            wanted = {row["current_key"] for row in self._rows[table].values()}
            stored: dict[int, set[Validity]] = {}
            for row in read_versions(conn, table, sorted(wanted)):
                stored.setdefault(row["current_key"], set()).add(validity_of(table, row))
                self._current[row[key_name(table)]] = row["current_key"]
                wanted_row = self._rows[table].get(row[key_name(table)], row)
                if row["is_current"] and row.get("measure") != wanted_row.get("measure"):
                    self._regrouped.add(row["current_key"])
            self._changed[table] = {
                current: {version.key for version in versions}
                for current, versions in stored.items()
                if versions != set(self._versions[current])
            }
        return {name: set().union(*self._changed[table].values()) for name, table in AS_OF.items()}

    def write(self, conn: Connection) -> Changes:
        changes = write_years(conn, self._years)
        for table, changed in self._changed.items():
            for keys in changed.values():  # out of the way of their successors' numbers
                chosen = update(table).where(table.c[key_name(table)].in_(keys))
                conn.execute(chosen.values(version_no=-table.c.version_no))
        for table in ORDER:
            changes.add(merge_rows(conn, table, self._rows[table].values()))
        return changes

    def find_regrouped(self, conn: Connection) -> set[tuple[int, int]]:
        """Region (current key) and body with figures of a metric whose measure has changed: it decides how statements
        are grouped and chosen."""
        if not self._regrouped:
            return set()
        version = dim_metric.alias("version")
        chosen = (
            select(dim_region.c.current_key, fact_observation.c.agency_key)
            .distinct()
            .join(fact_observation, fact_observation.c.region_key == dim_region.c.region_key)
            .join(version, version.c.metric_key == fact_observation.c.metric_key)
            .where(version.c.current_key.in_(self._regrouped))
        )
        return {(row.current_key, row.agency_key) for row in conn.execute(chosen)}

    def settle(self, conn: Connection) -> Changes:
        """After the documents have moved: observations follow their metric, versions that are no more are deleted."""
        changes = Changes()
        for current, keys in self._changed.get(dim_metric, {}).items():
            changes.updated += sum(_move_metric(conn, keys, version) for version in self._versions[current])
        for table, changed in self._changed.items():
            for keys in changed.values():
                gone = sorted(keys - set(self._rows[table]))
                if gone:
                    changes.deleted += conn.execute(delete(table).where(table.c[key_name(table)].in_(gone))).rowcount
        return changes


def _move_metric(conn: Connection, keys: set[int], version: Validity) -> int:
    seen, load = fact_observation.c, dim_load.c
    loads = select(load.load_key).where(load.started_at >= version.valid_from)
    if version.valid_to is not None:
        loads = loads.where(load.started_at < version.valid_to)
    wrong = sorted(keys - {version.key})
    moved = update(fact_observation).where(seen.metric_key.in_(wrong), seen.load_key.in_(loads))
    return conn.execute(moved.values(metric_key=version.key)).rowcount if wrong else 0


NATURAL = {dim_unit: "unit_code", dim_metric: "metric_code", dim_rule: "rule_id"}


def infer_source(conn: Connection, source: SourceRow) -> int:
    """A failed source still needs a member for its log; one that is known already is left as it is."""
    key = source_key(source.source_id)
    if key not in read_rows(conn, dim_source, [key]):
        state = {**source_row(source), "is_inferred": True}
        insert_rows(conn, dim_source, cut_versions(dim_source, "source", source.source_id, [(BEGINNING, state)]))
    return key
