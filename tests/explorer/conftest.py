"""One release per run, one server per worker; one browser per module where there is one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from explorer.app import Options
from tests.conftest import do_without
from tests.explorer.releases import make_two
from tests.explorer.serving import Served, serving
from tests.shared import made_once


@pytest.fixture(scope="session")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two releases, the later one current."""
    return made_once(tmp_path_factory, "explorer", make_two) / "releases"


@pytest.fixture(scope="session")
def acknowledged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("acknowledged") / "acknowledged.yml"


@pytest.fixture(scope="session")
def options(releases: Path, acknowledged: Path, tmp_path_factory: pytest.TempPathFactory) -> Options:
    def read_page(file: str, offset: int, length: int, sha256: str) -> bytes:
        return f"<html><script>alert('{file}')</script>\x00</html>".encode()

    return Options(
        releases, tmp_path_factory.mktemp("cache"), acknowledged=acknowledged, prefect_ui="http://127.0.0.1:4200",
        read_page=read_page, per_second=1000, burst=10_000, every=0.1,
    )  # fmt: skip


@pytest.fixture(scope="session")
def served(options: Options) -> Iterator[Served]:
    with serving(options) as running:
        running.wait()
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The machine's Chromium (`do_without` it where it is absent). A module's, not the session's: while it
    is open, playwright's event loop counts as running in this thread, and `asyncio.run` of other tests would fail."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        do_without("no Chromium on this machine: on Debian and Ubuntu, apt-get install chromium fonts-noto-cjk")
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as play:
        running = play.chromium.launch(executable_path=path, args=arguments)
        yield running
        running.close()
