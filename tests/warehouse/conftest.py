"""A fresh warehouse per test: creating one takes a few milliseconds of copying a made one."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Engine

from extraction.model import Check
from tests.postgres import Server, running_server
from warehouse.batch import LoadBatch, LoadResult
from warehouse.choosing import Statement
from warehouse.engine import open_warehouse
from warehouse.load import publish


def check_nothing(_statements: Sequence[Statement]) -> Sequence[Check]:
    return ()


def load(engine: Engine, one: LoadBatch) -> LoadResult:
    return publish(engine, one, check_nothing)


@pytest.fixture(scope="session")
def server(testrun_uid: str) -> Iterator[Server]:
    with running_server(testrun_uid) as running:
        yield running


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("warehouse") / "template.sqlite"
    open_warehouse(f"sqlite:///{path}").dispose()
    return path


@pytest.fixture(scope="session")
def server_template(server: Server) -> Iterator[str]:
    name = server.create()
    open_warehouse(server.url(name)).dispose()
    yield name
    server.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    """The engine that the test's warehouses are kept in: every test that asks for one runs on both."""
    return str(request.param)


@pytest.fixture
def make(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], Engine]]:
    engines: list[Engine] = []
    databases: list[str] = []

    def new(name: str = "w") -> Engine:
        if backend == "postgresql":
            running: Server = request.getfixturevalue("server")
            databases.append(running.create(request.getfixturevalue("server_template")))
            url = running.url(databases[-1])
        else:
            path = tmp_path / str(len(engines)) / f"{name}.sqlite"
            path.parent.mkdir()
            shutil.copy(request.getfixturevalue("template"), path)
            url = f"sqlite:///{path}"
        engines.append(open_warehouse(url))
        return engines[-1]

    yield new
    for engine in engines:
        engine.dispose()
    for database in databases:
        request.getfixturevalue("server").drop(database)


@pytest.fixture
def engine(make: Callable[[str], Engine]) -> Engine:
    return make("w")
