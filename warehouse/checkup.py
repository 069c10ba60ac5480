"""Data tests on the state of a warehouse: `fazhi check` runs all of them, each load those on what it has touched.

What one row must be in itself (its span, unit, words, range) is tested on every row before it is written, and a row
that fails is set aside (`warehouse.data_tests`). What shows only in the state (versions, what counts, what is chosen,
floors) is tested on the touched documents and regions inside the load's transaction: a failure stops the publication
of that batch. `fazhi check` runs both kinds again over everything, from the database alone, as an auditor would.

Each test tells how many rows it looked at. None is a failure, unless the test says that none is normal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from sqlalchemy import Column, ColumnElement, Connection, Engine, FromClause, Select, case, func, select, true

from warehouse.among import among_given, pairs_given
from warehouse.columns import Row
from warehouse.engine import reading
from warehouse.errors import WarehouseError
from warehouse.raw import ask
from warehouse.upsert import CHUNK

EXAMPLES = 3


class DataTestFailed(WarehouseError):
    """The state that a batch leads to fails a data test; nothing of the batch is published."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a load has touched."""

    documents: tuple[tuple[int, str, str], ...]
    """document_key, document_id, text_hash."""
    authorities: tuple[tuple[int, int], ...]
    """Region (current key) and body."""

    @classmethod
    def of(cls, rows: Mapping[int, Row], authorities: set[tuple[int, int]]) -> Scope:
        """`rows`: the touched versions by key."""
        documents = tuple((key, row["document_id"], row["text_hash"]) for key, row in rows.items())
        return cls(documents, tuple(authorities))

    def parts(self) -> Iterator[Part]:
        """Parts that fit into one question each."""
        size = max(len(self.documents), len(self.authorities))
        for start in range(0, size, CHUNK):
            yield Part(self.documents[start : start + CHUNK], self.authorities[start : start + CHUNK])


@dataclass(frozen=True, slots=True)
class Part:
    """A part of what was touched."""

    documents: Sequence[tuple[int, str, str]]
    authorities: Sequence[tuple[int, int]]

    def given(self) -> dict[str, Any]:
        """What `Touched` asks for."""
        return {
            "keys": [key for key, _, _ in self.documents],
            "ids": sorted({document_id for _, document_id, _ in self.documents}),
            "texts": sorted({text_hash for _, _, text_hash in self.documents}),
            "bodies": list(self.authorities),
        }


class Within(Protocol):
    """Which rows are looked at, by the column that says so."""

    def keys(self, column: Column[Any], /) -> ColumnElement[bool]: ...
    def ids(self, column: Column[Any], /) -> ColumnElement[bool]: ...
    def texts(self, column: Column[Any], /) -> ColumnElement[bool]: ...
    def bodies(self, region: Column[Any], agency: Column[Any], /) -> ColumnElement[bool]: ...


class Everything:
    """All rows but the reserved members."""

    def keys(self, column: Column[Any], /) -> ColumnElement[bool]:
        return column >= 0

    def ids(self, _column: Column[Any], /) -> ColumnElement[bool]:
        return true()

    def bodies(self, _region: Column[Any], _agency: Column[Any], /) -> ColumnElement[bool]:
        return true()

    texts = ids


class Touched:
    """Rows of a part, which is told on execution: a question is made once for all loads."""

    def keys(self, column: Column[Any], /) -> ColumnElement[bool]:
        return among_given(column, "keys")

    def ids(self, column: Column[Any], /) -> ColumnElement[bool]:
        return among_given(column, "ids")

    def texts(self, column: Column[Any], /) -> ColumnElement[bool]:
        return among_given(column, "texts")

    def bodies(self, region: Column[Any], agency: Column[Any], /) -> ColumnElement[bool]:
        return pairs_given(region, agency, "bodies")


@dataclass(slots=True)
class Outcome:
    """What a test found; adds up over parts."""

    n_checked: int = 0
    n_failed: int = 0
    examples: tuple[str, ...] = ()

    def add(self, other: Outcome) -> None:
        self.n_checked += other.n_checked
        self.n_failed += other.n_failed
        self.examples = (*self.examples, *other.examples)[:EXAMPLES]


@dataclass(frozen=True, slots=True)
class DataTest:
    """A test on the state."""

    name: str
    zh: str
    en: str
    """What must hold."""
    run: Callable[[Connection], Outcome] | OfBatch
    may_be_empty: bool = False
    """None to look at is normal."""


@dataclass(frozen=True, slots=True)
class Result:
    """A test and what it found."""

    test: DataTest
    outcome: Outcome

    @property
    def holds(self) -> bool:
        looked = self.outcome.n_checked > 0 or self.test.may_be_empty
        return looked and self.outcome.n_failed == 0

    @property
    def told(self) -> str:
        """What is wrong, in a line."""
        if not self.outcome.n_checked:
            return "looked at nothing"
        first = f" (first: {self.outcome.examples[0]})" if self.outcome.examples else ""
        return f"{self.outcome.n_failed:,} of {self.outcome.n_checked:,} rows fail{first}"


def check_warehouse(engine: Engine) -> list[Result]:
    """Every test on everything, in one consistent view."""
    from warehouse.state_tests import TESTS

    with reading(engine) as conn:
        return [Result(test, test.run(conn)) for test in TESTS]


def test_batch(conn: Connection, source_id: str, scope: Scope) -> None:
    """Test what a load has touched, before others see it. Raises DataTestFailed, which names the source."""
    from warehouse.state_tests import TESTS

    parts = [part.given() for part in scope.parts()]
    for test in TESTS:
        if not isinstance(test.run, OfBatch):
            continue
        outcome = Outcome()
        for part in parts:
            outcome.add(test.run.of_touched.ask(conn, part))
        if outcome.n_failed:
            raise DataTestFailed(
                f"{source_id}: data test {test.name} ({test.en}): {Result(test, outcome).told}; nothing of this "
                "batch was published: mend the extraction or the source, then crawl it again"
            )


@dataclass(frozen=True, slots=True)
class Question:
    """Which rows there are, and which of them are not good."""

    counted: Select[Any]
    bad: Select[Any]

    def ask(self, conn: Connection, given: Mapping[str, Any]) -> Outcome:
        counts = ask(conn, self.counted, given) if given else conn.execute(self.counted).all()
        ((n_checked, n_failed),) = counts
        outcome = Outcome(int(n_checked), int(n_failed))
        if outcome.n_failed:
            outcome.examples = tuple(tell(row) for row in conn.execute(self.bad, given))
        return outcome


class OfBatch:
    """A test that is run also on what a load has touched, before it is published; called, on everything."""

    def __init__(self, make: Callable[[Within], Question]) -> None:
        self._make = make

    def __call__(self, conn: Connection) -> Outcome:
        return self._make(Everything()).ask(conn, {})

    @cached_property
    def of_touched(self) -> Question:
        return self._make(Touched())


def question(rows: FromClause, good: ColumnElement[bool], where: ColumnElement[bool], *shown: Any) -> Question:
    """Of the rows of a table or join; NULL is not good. `shown` names an example."""
    fails = case((good, 0), else_=1)
    counted = select(func.count(), func.coalesce(func.sum(fails), 0)).select_from(rows).where(where)
    return Question(counted, select(*shown).select_from(rows).where(where, fails == 1).order_by(*shown).limit(EXAMPLES))


def look(
    conn: Connection, rows: FromClause, good: ColumnElement[bool], where: ColumnElement[bool], *shown: Any
) -> Outcome:
    """The answer to a question that is asked once."""
    return question(rows, good, where, *shown).ask(conn, {})


def tell(row: Sequence[Any]) -> str:
    """A row of an example, in a line."""
    return " ".join("NULL" if value is None else " ".join(str(value).split())[:80] for value in row)


test_batch.__test__ = False  # type: ignore[attr-defined]  # no test of pytest's, whatever its name
