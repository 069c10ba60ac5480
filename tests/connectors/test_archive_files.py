"""The files of the raw archive: killed writers, several writers, full and read-only disks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from connectors.archive import Archive, ArchiveUnusable, SnapshotRef
from tests.conftest import ROOT
from tests.connectors.archive_pages import fetch

BEGIN = """
import os, sys, time
from pathlib import Path
from connectors.archive import Archive, ArchiveUnusable, SnapshotRef
from tests.connectors.archive_pages import fetch
folder = Path(sys.argv[1])

def tell(ref):
    print(ref.file, ref.offset, ref.length, ref.sha256, flush=True)
"""


@contextmanager
def running(code: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", BEGIN + code, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            yield process
        finally:
            process.kill()


def told(line: str) -> SnapshotRef:
    file, offset, length, sha256 = line.split()
    return SnapshotRef(file, int(offset), int(length), sha256)


def kill(writer: subprocess.Popen[str]) -> None:
    writer.send_signal(signal.SIGKILL)
    writer.wait()


KEPT_OPEN = """
archive = Archive(folder)
tell(archive.store(fetch(b"before the crash")))
time.sleep(60)
"""


def test_a_reader_reads_what_is_being_written_and_a_killed_writer_loses_nothing(tmp_path: Path) -> None:
    with running(KEPT_OPEN, tmp_path) as writer:
        assert writer.stdout is not None
        ref = told(writer.stdout.readline())
        reader = Archive(tmp_path)
        path = tmp_path / (ref.file + ".open")
        assert path.exists(), "its writer lives: nobody may seal it"
        assert reader.load(ref).body == b"before the crash"
        kill(writer)
    whole = path.stat().st_size
    with path.open("ab") as torn:
        torn.write(b"\x1f\x8b\x08\x00half a record")
    assert reader.load(ref).body == b"before the crash"
    after = Archive(tmp_path)
    assert [(file.name, file.stat().st_size) for file in tmp_path.iterdir()] == [(ref.file, whole)]
    assert reader.load(ref) == after.load(ref)


@pytest.mark.parametrize("left", [0, 1, 10, 150, 400])
def test_wherever_a_file_was_cut_its_whole_records_stay(tmp_path: Path, left: int) -> None:
    archive = Archive(tmp_path)
    refs = [archive.store(fetch(os.urandom(500), n)) for n in range(3)]
    archive.close()
    path = tmp_path / refs[0].file
    content = path.read_bytes()
    path.unlink()
    cut = refs[1].offset + refs[1].length + left
    path.with_name(path.name + ".open").write_bytes(content[:cut])
    again = Archive(tmp_path)
    assert [again.load(ref).url for ref in refs[:2]] == [fetch(number=n).url for n in range(2)]
    assert path.stat().st_size <= cut


def test_a_file_that_holds_no_page_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "20260102T030405Z-00000000.warc.gz.open").write_bytes(b"")
    Archive(tmp_path).check_writable()
    assert list(tmp_path.iterdir()) == []


KILLED_LATER = """
archive = Archive(folder, rotate_at=60_000)
for number in range(100_000):
    tell(archive.store(fetch(os.urandom(3000), number)))
"""


def test_killed_in_the_midst_of_writing(tmp_path: Path) -> None:
    """Every page whose reference was given out can be read, at whatever instant the writer was killed."""
    with running(KILLED_LATER, tmp_path) as writer:
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(60)]
        kill(writer)
        lines += [line for line in writer.stdout.readlines() if line.endswith("\n")]
    after = Archive(tmp_path)
    assert [after.load(told(line)).url for line in lines] == [fetch(number=n).url for n in range(len(lines))]
    assert not list(tmp_path.glob("*.open"))


SEVERAL = """
with Archive(folder, rotate_at=20_000) as archive:
    for number in range(40):
        body = b"%s-%d " % (sys.argv[2].encode(), number) * 99
        ref = archive.store(fetch(body + os.urandom(400), number))
        assert archive.load(ref).body.startswith(body)
        tell(ref)
        Archive(folder)  # another start: it seals what the dead left, and nothing of the living
"""


def test_several_processes_in_one_folder(tmp_path: Path) -> None:
    with (
        running(SEVERAL, tmp_path, "a") as a,
        running(SEVERAL, tmp_path, "b") as b,
        running(SEVERAL, tmp_path, "c") as c,
    ):
        outputs = [process.communicate(timeout=60)[0] for process in (a, b, c)]
        assert [process.returncode for process in (a, b, c)] == [0, 0, 0]
    reader = Archive(tmp_path)
    files: list[set[str]] = []
    for who, output in zip("abc", outputs, strict=True):
        refs = [told(line) for line in output.splitlines()]
        assert len(refs) == 40
        files.append({ref.file for ref in refs})
        for number, ref in enumerate(refs):
            assert reader.load(ref).body.startswith(b"%s-%d " % (who.encode(), number))
    assert not files[0] & files[1] | files[1] & files[2] | files[0] & files[2]
    assert not list(tmp_path.glob("*.open"))


FULL_DISK = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with Archive(folder) as archive:
    first = archive.store(fetch(os.urandom(3000)))
    tell(first)
    resource.setrlimit(resource.RLIMIT_FSIZE, (6000, resource.RLIM_INFINITY))
    try:
        archive.store(fetch(os.urandom(9000), 1))
    except ArchiveUnusable as error:
        print(error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    tell(archive.store(fetch(b"there is room again", 2)))
"""


def test_a_full_disk_is_one_clear_line_and_nothing_half_done(tmp_path: Path) -> None:
    with running(FULL_DISK, tmp_path) as process:
        first, line, later = process.communicate(timeout=60)[0].splitlines()
    assert "File too large" in line and str(tmp_path) in line and "make room" in line
    archive = Archive(tmp_path)
    assert len(archive.load(told(first)).body) == 3000
    assert archive.load(told(later)).body == b"there is room again"
    second, third = told(first), told(later)
    assert third.offset - (second.offset + second.length) < 400, "only the first page's metadata lies between"


READ_ONLY = """
folder.mkdir()
with Archive(folder) as archive:
    ref = archive.store(fetch(b"kept"))
(folder / "20260102T030405Z-00000000.warc.gz.open").write_bytes(b"half")
folder.chmod(0o555)
(folder / "20260102T030405Z-00000000.warc.gz.open").chmod(0o444)
if os.geteuid() == 0:
    os.chmod(folder.parent, 0o755)
    os.chdir(folder.parent)  # the folders above may be closed to others
    folder = Path(folder.name)
    os.seteuid(65534)
archive = Archive(folder)
print(archive.load(ref).body)
for attempt in (archive.check_writable, lambda: archive.store(fetch(b"new"))):
    try:
        attempt()
    except ArchiveUnusable as error:
        print(error)
"""


def test_a_read_only_folder_can_be_read_and_says_so_when_written(tmp_path: Path) -> None:
    folder = tmp_path / "raw"
    with running(READ_ONLY, folder) as process:
        body, *lines = process.communicate(timeout=60)[0].splitlines()
    folder.chmod(0o755)
    assert body == "b'kept'"
    assert len(lines) == 2
    assert all("Permission denied" in line and "FAZHI_ARCHIVE" in line for line in lines)


def test_an_archive_where_a_file_is(tmp_path: Path) -> None:
    place = tmp_path / "raw"
    place.write_bytes(b"")
    with pytest.raises(ArchiveUnusable, match="File exists"):
        Archive(place).store(fetch())
