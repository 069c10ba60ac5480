"""`fazhi archive verify|stats|export|prune`, as an operator uses them: a data folder, a warehouse, raw pages."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.archive import Archive, SnapshotRef
from fazhi.cli import main
from fazhi.house import open_archive, read_settings
from fazhi.settings import Settings
from tests.connectors.archive_pages import fetch
from tests.servers import Site
from tests.warehouse.builders import batch, page_of, report
from tests.warehouse.conftest import load
from tests.warehouse.tables import A
from warehouse.batch import SnapshotRef as StoredRef
from warehouse.engine import open_warehouse


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"FAZHI_{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FAZHI_HOME", str(tmp_path / "data"))
    return tmp_path / "data"


def fill(home: Path) -> list[SnapshotRef]:
    """Four versions of a page and one of another; the warehouse refers to the second and the last of the first."""
    with open_archive(read_settings()) as archive:
        refs = [archive.store(fetch(b"version %d " % n * 99, days=n), source="990101_yunshui") for n in range(4)]
        refs.append(archive.store(fetch(b"other", 1), source="990102_x"))
    engine = open_warehouse(f"sqlite:///{home / 'warehouse.sqlite'}")
    held = [StoredRef(ref.file, ref.offset, ref.length, ref.sha256) for ref in refs]
    one = report(2020, A, snapshot=held[1], bytes_hash=held[1].sha256)
    load(engine, batch(one, pages=(replace(page_of(one, 0), snapshot=held[3]),)))
    engine.dispose()
    return refs


def told(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert main(["archive", *arguments]) == code
    read = capsys.readouterr()
    return read.out + read.err


def test_verify(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refs = fill(home)
    assert told(capsys, "verify") == "1 files, 5 pages, 3,965 bytes; 2 references of the warehouse followed\n"
    path = home / "raw" / refs[1].file
    content = bytearray(path.read_bytes())
    content[refs[1].offset + refs[1].length // 2] ^= 0xFF
    path.write_bytes(content)
    lines = told(capsys, "verify", code=1).splitlines()
    assert f"{path.name}, offset {refs[1].offset}" in lines[0]
    assert "the warehouse refers to it" in lines[1]
    assert lines[-1].startswith(f"fazhi: the raw archive at {home / 'raw'} has 1 damaged records and 1 references")
    as_json = told(capsys, "verify", "--json", code=1)
    found = json.loads(as_json.splitlines()[0])
    assert (found["files"], found["pages"], len(found["damaged"]), len(found["lost"])) == (1, 4, 1, 1)


def test_stats(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(home)
    found = json.loads(told(capsys, "stats", "--json"))
    assert [(row["source"], row["pages"], row["bytes"]) for row in (*found["sources"], found["total"])] == [
        ("990101_yunshui", 4, 4 * 990), ("990102_x", 1, 5), ("total", 5, 4 * 990 + 5),
    ]  # fmt: skip
    assert found["sources"][0]["ratio"] > 1
    table = told(capsys, "stats")
    assert "990101_yunshui" in table and "total" in table


def test_export(home: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    fill(home)
    to = tmp_path / "out.warc.gz"
    assert told(capsys, "export", "--to", str(to), "--source", "990102_x") == f"1 pages written to {to}\n"
    chosen = ("--url", "0.html", "--from", "2026-01-03", "--until", "2026-01-05")
    assert told(capsys, "export", "--to", str(to), *chosen) == f"2 pages written to {to}\n"
    before = to.read_bytes()
    assert "no page at" in told(capsys, "export", "--to", str(to), "--url", "nowhere", code=1)
    assert to.read_bytes() == before
    assert "ends in .warc.gz" in told(capsys, "export", "--to", "out.txt", code=2)
    assert "cannot write" in told(capsys, "export", "--to", str(tmp_path / "no" / "out.warc.gz"), code=2)


def test_prune(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refs = fill(home)
    assert "say what to keep" in told(capsys, "prune", code=2)
    files = {path: path.read_bytes() for path in (home / "raw").iterdir()}
    dry = told(capsys, "prune", "--versions", "1")
    assert "5 versions of 2 pages; 2 in 1 files would go" in dry and "--apply" in dry
    assert {path: path.read_bytes() for path in (home / "raw").iterdir()} == files
    found = json.loads(told(capsys, "prune", "--versions", "1", "--apply", "--json"))
    assert (found["old"], found["files"], found["applied"]) == (2, 1, True)
    archive = Archive(home / "raw")
    assert [archive.load(refs[n]).body[:9] for n in (1, 3, 4)] == [b"version 1", b"version 3", b"other"]
    assert "3 pages" in told(capsys, "verify")
    assert "0 in 0 files" in told(capsys, "prune", "--versions", "1")


def test_prune_without_a_warehouse_takes_nothing_out(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(home)
    (home / "warehouse.sqlite").unlink()
    assert "no warehouse at" in told(capsys, "prune", "--versions", "1", "--apply", code=2)
    assert "5 pages" in told(capsys, "verify")


@pytest.mark.parametrize("command", [["verify"], ["stats"], ["export", "--to", "x.warc.gz"]])
def test_no_archive_yet(home: Path, capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    assert "run `fazhi nightly` first" in told(capsys, *command, code=2)
    assert not home.exists()


def test_another_place_by_setting(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FAZHI_ARCHIVE", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("FAZHI_ARCHIVE_FILE_MB", "0.0001")
    refs = fill(home)
    assert {path.name for path in (tmp_path / "elsewhere").iterdir()} == {ref.file for ref in refs}
    assert len({ref.file for ref in refs}) == 5
    assert not (home / "raw").exists()
    assert "5 files, 5 pages" in told(capsys, "verify")
    monkeypatch.setenv("FAZHI_ARCHIVE", "nosuch://user:secret@place")
    line = told(capsys, "verify", code=2)
    assert "FAZHI_ARCHIVE=nosuch://place cannot be used" in line
    assert "secret" not in line
    monkeypatch.setenv("FAZHI_ARCHIVE", "s3://key:se/cr@et@bucket/raw")
    assert read_settings().shown("archive") == "s3://bucket/raw"


def test_a_nightly_that_could_keep_nothing_asks_for_nothing(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("FAZHI_ARCHIVE", str(tmp_path / "file"))
    with Site() as site:
        monkeypatch.setenv("FAZHI_REPLAY", site.url)
        assert main(["nightly"]) == 3
        assert {seen.target for seen in site.seen} <= {"/"}, "the gateway was looked for, no more"
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert f"fazhi: the raw archive at {tmp_path / 'file'} cannot be written (File exists)" in line
