"""A fresh warehouse per test: creating one takes a few milliseconds of copying a made one."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Engine

from extraction.model import Check
from warehouse.batch import LoadBatch, LoadResult
from warehouse.choosing import Statement
from warehouse.engine import open_warehouse
from warehouse.load import publish


def check_nothing(_statements: Sequence[Statement]) -> Sequence[Check]:
    return ()


def load(engine: Engine, one: LoadBatch) -> LoadResult:
    return publish(engine, one, check_nothing)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("warehouse") / "template.sqlite"
    open_warehouse(f"sqlite:///{path}").dispose()
    return path


@pytest.fixture
def make(tmp_path: Path, template: Path) -> Iterator[Callable[[str], Engine]]:
    engines: list[Engine] = []

    def new(name: str = "w") -> Engine:
        path = tmp_path / str(len(engines)) / f"{name}.sqlite"
        path.parent.mkdir()
        shutil.copy(template, path)
        engines.append(open_warehouse(f"sqlite:///{path}"))
        return engines[-1]

    yield new
    for engine in engines:
        engine.dispose()


@pytest.fixture
def engine(make: Callable[[str], Engine]) -> Engine:
    return make("w")
