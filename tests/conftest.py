"""Shared fixtures. Tests run offline, in parallel and in any order."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def corpus_folder() -> Path:
    """The shared corpus beside the checkout; absent means fail under CI=true, skip elsewhere."""
    folder = ROOT.parent / "shared" / "corpus"
    if not folder.is_dir():
        message = f"the shared corpus is not at {folder}: the corpus acceptance cannot run"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return folder


@pytest.fixture(scope="session")
def corpus() -> Path:
    return corpus_folder()
