"""What is huge, packed or without end costs the crawler no more memory than its limits say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.chaos import ChaosServer
from tests.chaos.harness import MAX_FILE, MAX_PAGE
from tests.conftest import ROOT

BOMBS = (
    "gzip_bomb", "gzip_bomb_endless", "deflate_bomb", "brotli_bomb", "zstd_bomb", "gzip_in_gzip", "page_200_mib",
    "page_endless", "list_200_mib", "file_200_mib", "file_endless", "file_zip_bomb", "file_entity_bomb",
    "feed_entity_bomb", "headers_endless", "header_huge", "interim_flood", "robots_endless", "chunk_size_huge",
)  # fmt: skip
MOST = 40.0
"""MiB: some copies of the largest page that is allowed (a few MiB here) and of its tree. The least bomb has 64."""


@pytest.mark.slow
def test_bombs_stay_small_in_memory(server: ChaosServer, tmp_path: Path) -> None:
    assert 10 * max(MAX_PAGE, MAX_FILE) <= MOST * (1 << 20)
    command = [sys.executable, "-m", "tests.chaos.measured", server.url, str(tmp_path), *BOMBS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr[-2000:]
    grown = json.loads(done.stdout.splitlines()[-1])
    assert grown.keys() == set(BOMBS)
    assert {name: mib for name, mib in grown.items() if mib > MOST} == {}
