"""`fazhi explore`: what it is started with, and what it says when it cannot start."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from pydantic import ValidationError

from fazhi.cli import main
from fazhi.exits import OUTSIDE
from fazhi.exploring import options_of
from fazhi.settings import Settings


def test_port_that_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FAZHI_HOME", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["explore", "--port", str(port)]) == OUTSIDE
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and f"127.0.0.1:{port}" in said and "--port" in said


def test_settings_become_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAZHI_EXPLORE_TOKEN", "geheim")
    settings = Settings(home=tmp_path, explore_hosts="a.example, b.example,", explore_prefect="http://127.0.0.1:4200")
    options = options_of(settings)
    assert options.hosts == ("a.example", "b.example") and options.token == "geheim"
    assert options.releases == tmp_path / "releases" and options.read_page is None
    assert options.acknowledged is not None and options.acknowledged.name == "acknowledged.yml"
    assert "geheim" not in repr(settings) and "geheim" not in str(settings.shown("explore_token"))
    (tmp_path / "raw").mkdir()
    read = options_of(settings).read_page
    assert read is not None
    with pytest.raises(OSError, match="cannot be read"):
        read("none.warc.gz", 0, 10, "0" * 64)
    assert list((tmp_path / "raw").iterdir()) == []


def test_prefect_address_is_one(tmp_path: Path) -> None:
    with pytest.raises(ValidationError):
        Settings(home=tmp_path, explore_prefect="javascript:alert(1)")
