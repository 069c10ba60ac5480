"""A house on each engine: the same tests on SQLite and on PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connectors.registry import Source
from tests.postgres import Server, running_server
from tests.reparse.house import House, make_house, source
from tests.warehouse.conftest import Templates

Build = Callable[..., House]


@pytest.fixture(scope="session")
def server(testrun_uid: str) -> Iterator[Server]:
    with running_server(testrun_uid) as running:
        yield running


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    return Templates(tmp_path_factory.mktemp("reparse"))


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def build(backend: str, templates: Templates, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Build]:
    """Makes empty houses of one or more sources, each with a folder and a database of its own."""
    server: Server | None = request.getfixturevalue("server") if backend == "postgresql" else None
    databases: list[str] = []

    def new(name: str, *sources: Source) -> House:
        (tmp_path / name).mkdir()
        if server is None:
            url = f"sqlite:///{shutil.copy(templates.of(None, ()), tmp_path / name / 'warehouse.sqlite')}"
        else:
            databases.append(server.create(templates.of(server, ())))
            url = server.url(databases[-1])
        return make_house(tmp_path / name, url, *(sources or (source(),)))

    yield new
    if server is not None:
        for database in databases:
            server.drop(database)
