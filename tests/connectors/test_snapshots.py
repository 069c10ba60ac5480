"""Raw pages: what was stored comes back, through rotation, sealing, crashes and damage."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from warcio.archiveiterator import ArchiveIterator

from connectors.errors import ContractBroken
from connectors.http.model import Fetch
from connectors.snapshots import Archive, SnapshotRef

ROOT = Path(__file__).resolve().parent.parent.parent


def fetch(body: bytes = b"<p>page</p>", number: int = 0) -> Fetch:
    url = f"http://www.yunxi.example/{number}.html?x=1"
    headers = {
        "content-type": "text/html; charset=gbk",
        "content-encoding": "gzip",
        "content-length": "3",
        "transfer-encoding": "chunked",
        "etag": '"a1"',
        "x-name": "云溪",
    }
    return Fetch(
        url=url, final_url=url, status=200, headers=headers, body=body, not_modified=False, etag='"a1"',
        last_modified=None, content_type=headers["content-type"],
        fetched_at=datetime(2026, 1, 2, 3, 4, 5, 678901, UTC), elapsed_ms=5, attempts=(),
    )  # fmt: skip


@pytest.mark.parametrize(
    "body", [b"", b"x", b"\r\n\r\n", b"WARC/1.1\r\n\r\n", bytes(range(256)) * 4000, "全年".encode("gbk")]
)
def test_what_goes_in_comes_out(tmp_path: Path, body: bytes) -> None:
    with Archive(tmp_path) as archive:
        ref = archive.store(fetch(body))
        open_page = archive.load(ref)
    sealed_page = Archive(tmp_path).load(ref)
    assert open_page == sealed_page
    assert sealed_page.body == body
    assert sealed_page.content_type == "text/html; charset=gbk"
    assert sealed_page.url == fetch().final_url
    assert (sealed_page.fetched_at, sealed_page.status) == (fetch().fetched_at, 200)


def test_a_reference_holds_the_final_name(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    ref = archive.store(fetch())
    assert [path.name for path in tmp_path.iterdir()] == [ref.file + ".open"]
    archive.close()
    assert [path.name for path in tmp_path.iterdir()] == [ref.file]
    assert archive.load(archive.store(fetch(b"next"))).body == b"next"
    archive.close()
    assert len(list(tmp_path.iterdir())) == 2


def test_rotation(tmp_path: Path) -> None:
    with Archive(tmp_path, rotate_at=3000) as archive:
        refs = [archive.store(fetch(os.urandom(1000), n)) for n in range(6)]
        assert [archive.load(ref).url for ref in refs] == [fetch(number=n).url for n in range(6)]
    assert len({ref.file for ref in refs}) > 1
    assert not list(tmp_path.glob("*.open"))


def test_another_reader_of_warc_understands_the_file(tmp_path: Path) -> None:
    with Archive(tmp_path) as archive:
        ref = archive.store(fetch())
        archive.store(fetch(b"second", 1))
    with (tmp_path / ref.file).open("rb") as file:
        records = [(r.rec_type, r.content_stream().read()) for r in ArchiveIterator(file, check_digests="raise")]
    assert [kind for kind, _ in records] == ["warcinfo", "response", "response"]
    assert [body for _, body in records[1:]] == [b"<p>page</p>", b"second"]


def test_many_threads(tmp_path: Path) -> None:
    refs: dict[int, SnapshotRef] = {}
    with Archive(tmp_path, rotate_at=20_000) as archive:

        def work(start: int) -> None:
            for n in range(start, start + 20):
                refs[n] = archive.store(fetch(b"%d" % n * 100, n))
                assert archive.load(refs[n]).body == b"%d" % n * 100

        threads = [threading.Thread(target=work, args=(start,)) for start in range(0, 100, 20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(refs) == 100
    assert all(archive.load(ref).body == b"%d" % n * 100 for n, ref in refs.items())


CRASH = """
import sys, time
sys.path.insert(0, {root!r})
from pathlib import Path
from connectors.snapshots import Archive
from tests.connectors.test_snapshots import fetch
archive = Archive(Path(sys.argv[1]))
ref = archive.store(fetch(b"before the crash"))
print(ref.file, ref.offset, ref.length, ref.sha256, flush=True)
time.sleep(60)
"""


def test_a_killed_writer_loses_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CRASH.format(root=str(ROOT)), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as writer:
        try:
            assert writer.stdout is not None
            file, offset, length, sha256 = writer.stdout.readline().split()
            ref = SnapshotRef(file, int(offset), int(length), sha256)
            living = Archive(tmp_path)
            assert (tmp_path / (file + ".open")).exists()
            assert living.load(ref).body == b"before the crash"
        finally:
            writer.send_signal(signal.SIGKILL)
    with (tmp_path / (file + ".open")).open("ab") as torn:
        torn.write(b"\x1f\x8b\x08\x00half a record")
    assert living.load(ref).body == b"before the crash"
    after = Archive(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [file]
    assert living.load(ref) == after.load(ref)


def test_a_writer_whose_file_was_renamed_early_goes_on(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    ref = archive.store(fetch())
    (tmp_path / (ref.file + ".open")).rename(tmp_path / ref.file)
    second = archive.store(fetch(b"second", 1))
    archive.close()
    assert archive.load(second).body == b"second"


def damage(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def test_damage_is_found_and_named(tmp_path: Path) -> None:
    with Archive(tmp_path) as archive:
        first, second = archive.store(fetch(b"first" * 99)), archive.store(fetch(b"second" * 99, 1))
    wrong = [
        replace(first, offset=second.offset, length=second.length),
        replace(first, offset=first.offset + 3),
        replace(first, length=first.length // 2),
        replace(first, offset=10**9),
        replace(first, file="gone.warc.gz"),
        replace(first, file="../" + first.file),
    ]
    for ref in wrong:
        with pytest.raises(ContractBroken, match=r"warc\.gz"):
            archive.load(ref)
    damage(tmp_path / first.file, first.offset + first.length // 2, b"\x00\x00\x00\x00")
    with pytest.raises(ContractBroken, match=first.file):
        archive.load(first)
    assert archive.load(second).body == b"second" * 99


def test_not_modified_has_nothing_to_keep(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="304"):
        Archive(tmp_path).store(replace(fetch(), not_modified=True))
    assert list(tmp_path.iterdir()) == []


def test_store_from_tasks(tmp_path: Path) -> None:
    async def go(archive: Archive) -> list[SnapshotRef]:
        return await asyncio.gather(*(asyncio.to_thread(archive.store, fetch(b"%d" % n, n)) for n in range(10)))

    with Archive(tmp_path) as archive:
        refs = asyncio.run(go(archive))
    assert [archive.load(ref).body for ref in refs] == [b"%d" % n for n in range(10)]
