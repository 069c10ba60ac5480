"""Fixtures of the network room's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers import Site


@pytest.fixture
def site() -> Iterator[Site]:
    """A real server on loopback that answers as told."""
    with Site() as running:
        yield running
