"""Shared fixtures. Tests run offline, in parallel and in any order."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import NoReturn

import pytest

from tests.nightly.commands import SOCKET, Commands
from tests.shared import made_once, shared

ROOT = Path(__file__).resolve().parent.parent


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Each worker begins with its share of the slow tests, so that none of them runs on alone at the end.

    The shares are those that `--dist worksteal` cuts. A module's slow tests stay together: they share what is slow."""
    n_workers = getattr(config, "workerinput", {}).get("workercount", 1)
    shares: list[list[pytest.Item]] = [[] for _ in range(n_workers)]
    slow = [item for item in items if item.get_closest_marker("slow")]
    for number, (_, of_module) in enumerate(groupby(slow, key=lambda item: item.path)):
        shares[number % n_workers] += of_module
    others = [item for item in items if not item.get_closest_marker("slow")]
    items.clear()
    for n_left, share in zip(range(n_workers, 0, -1), shares, strict=True):
        n_others = max((len(others) + sum(map(len, shares[-n_left:]))) // n_left - len(share), 0)
        items += share + others[:n_others]
        del others[:n_others]


def pytest_configure() -> None:
    """Imports leave few cycles, and what is imported stays: no need to look through all of it again and again."""
    gc.set_threshold(20_000, 20, 50)


def pytest_collection_finish() -> None:
    gc.freeze()


def do_without(message: str) -> NoReturn:
    """What a test needs is not on this machine: it fails under CI=true, and is skipped elsewhere."""
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


def corpus_folder() -> Path:
    """The shared corpus beside the checkout (`do_without` it where it is absent)."""
    folder = ROOT.parent / "shared" / "corpus"
    if not folder.is_dir():
        do_without(f"the shared corpus is not at {folder}: the corpus acceptance cannot run")
    return folder


@pytest.fixture(scope="session")
def prefect_server(testrun_uid: str) -> Iterator[tuple[str, str]]:
    """A real Prefect server: starting one costs more than most runs, so the tests of a run share it. The address of its
    API, and a database as a new server makes it."""
    with shared(f"prefect-{testrun_uid}", "tests.nightly.prefect_server") as told:
        api, _, database = told.partition(" ")
        yield api, database


@pytest.fixture(scope="session")
def prefect_api(prefect_server: tuple[str, str]) -> str:
    return prefect_server[0]


@pytest.fixture(scope="session")
def commands(prefect_server: tuple[str, str]) -> Commands:
    """Runs `fazhi` against that server, forked: for tests of what a command does, not of how it starts."""
    return Commands(Path(prefect_server[1]).with_name(SOCKET), prefect_server[0])


@pytest.fixture(scope="session")
def give_prefect(prefect_server: tuple[str, str]) -> Callable[[Path], None]:
    """Puts that database into a data folder, for a server of the test's own: to make one takes four seconds of CPU."""

    def give(home: Path) -> None:
        (home / "prefect").mkdir(parents=True)
        shutil.copy(prefect_server[1], home / "prefect" / "prefect.db")

    return give


@pytest.fixture(scope="session")
def demo(commands: Commands, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`data`, as `fazhi demo` leaves it, and what it `told`: for tests to copy."""

    def make(folder: Path) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("FAZHI_", "PREFECT_"))}
        done = commands.run(["demo"], clean | {"FAZHI_HOME": str(folder / "data"), "NO_COLOR": "1"}, folder, 280)
        assert done.returncode == 0, done.stderr
        (folder / "told").write_text(done.stdout, encoding="utf-8")

    return made_once(tmp_path_factory, "demo", make)


@pytest.fixture(scope="session")
def corpus() -> Path:
    return corpus_folder()
