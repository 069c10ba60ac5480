"""One server that misbehaves for all tests of a worker; each behaviour has a portal of its own there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from sqlalchemy import Engine

from sandbox.chaos import ChaosServer, serve_chaos
from tests.chaos.harness import Document, House
from warehouse.engine import open_warehouse


@pytest.fixture(scope="session")
def server() -> Iterator[ChaosServer]:
    with serve_chaos() as running:
        yield running


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One warehouse for all portals of a worker, as in real life: what one brings may not touch another's."""
    made = open_warehouse(f"sqlite:///{tmp_path_factory.mktemp('warehouse') / 'warehouse.sqlite'}")
    yield made
    made.dispose()


@pytest.fixture(scope="session")
def good(server: ChaosServer, engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Document]:
    """What the warehouse holds of a portal without a fault."""
    house = House(tmp_path_factory.mktemp("quiet"), engine, server.url, "quiet")
    night = house.night("night-1")
    assert night.failed is None and night.codes == {} and night.result.notes == []
    documents = house.documents()
    assert len(documents) == 9
    reports = [document for document in documents.values() if document.report_year]
    assert len({report.figures for report in reports}) == 6 and all(report.figures for report in reports)
    return documents
