"""Shared fixtures. Tests run offline, in parallel and in any order."""

from __future__ import annotations

import os
from itertools import groupby
from pathlib import Path
from typing import NoReturn

import pytest

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
def corpus() -> Path:
    return corpus_folder()
