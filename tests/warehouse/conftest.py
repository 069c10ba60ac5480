"""A fresh warehouse per test: creating one takes a few milliseconds of copying a made one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

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


class Templates:
    """Warehouses that tests get copies of: an empty one, and those with batches that several tests begin with."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[tuple[bool, int], tuple[str, Sequence[LoadBatch]]] = {}
        """By engine and identity of the batches, which are kept here so that it stays theirs."""

    def of(self, server: Server | None, batches: Sequence[LoadBatch]) -> str:
        """The template's database on this server; without one its file."""
        key = server is None, id(batches)
        if key not in self._made:
            if server is None:
                name = str(self._folder / f"{len(self._made)}.sqlite")
                url = f"sqlite:///{name}"
            else:
                name = server.create(self.of(server, ()) if batches else None)
                url = server.url(name)
            engine = open_warehouse(url)
            for one in batches:
                load(engine, one)
            engine.dispose()
            self._made[key] = name, batches
        return self._made[key][0]


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    return Templates(tmp_path_factory.mktemp("warehouse"))


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    """The engine that the test's warehouses are kept in: every test that asks for one runs on both."""
    return str(request.param)


class Make(Protocol):
    def __call__(self, name: str = "w", batches: Sequence[LoadBatch] = ()) -> Engine:
        """A new warehouse in which `batches` have been loaded; a constant, since they are loaded once for all."""


@pytest.fixture
def make(backend: str, templates: Templates, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    server: Server | None = request.getfixturevalue("server") if backend == "postgresql" else None
    engines: list[Engine] = []
    databases: list[str] = []

    def new(name: str = "w", batches: Sequence[LoadBatch] = ()) -> Engine:
        template = templates.of(server, batches)
        if server is not None:
            databases.append(server.create(template))
            url = server.url(databases[-1])
        else:
            path = tmp_path / str(len(engines)) / f"{name}.sqlite"
            path.parent.mkdir()
            shutil.copy(template, path)
            url = f"sqlite:///{path}"
        engines.append(open_warehouse(url))
        return engines[-1]

    yield new
    for engine in engines:
        engine.dispose()
    if server is not None:
        for database in databases:
            server.drop(database)


@pytest.fixture
def engine(make: Make) -> Engine:
    return make("w")
