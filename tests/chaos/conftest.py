"""One server that misbehaves for all tests of a worker; each behaviour has a portal of its own there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from sandbox.chaos import ChaosServer, serve_chaos
from tests.chaos.harness import Document, House
from warehouse.engine import open_warehouse


@pytest.fixture(scope="session")
def server() -> Iterator[ChaosServer]:
    with serve_chaos() as running:
        yield running


class Warehouses:
    """One after another, for `PORTALS` portals each."""

    PORTALS = 25

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: list[Engine] = []
        self._n_asked = 0

    def give(self) -> Engine:
        if self._n_asked % self.PORTALS == 0:
            self.close()
            self._made.append(open_warehouse(f"sqlite:///{self._folder / f'{len(self._made)}.sqlite'}"))
        self._n_asked += 1
        return self._made[-1]

    def close(self) -> None:
        for engine in self._made[-1:]:
            engine.dispose()


@pytest.fixture(scope="session")
def warehouses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouses]:
    made = Warehouses(tmp_path_factory.mktemp("warehouses"))
    yield made
    made.close()


@pytest.fixture
def engine(warehouses: Warehouses) -> Engine:
    """A warehouse that other portals use too, as in real life: what one brings may not touch another's.

    Not one for all: what they load is the same text over and over, and each finds all its twins."""
    return warehouses.give()


@pytest.fixture(scope="session")
def good(server: ChaosServer, warehouses: Warehouses, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Document]:
    """What the warehouse holds of a portal without a fault."""
    house = House(tmp_path_factory.mktemp("quiet"), warehouses.give(), server.url, "quiet")
    night = house.night("night-1")
    assert night.failed is None and night.codes == {} and night.result.notes == []
    documents = house.documents()
    assert len(documents) == 9
    reports = [document for document in documents.values() if document.report_year]
    assert len({report.figures for report in reports}) == 6 and all(report.figures for report in reports)
    return documents
