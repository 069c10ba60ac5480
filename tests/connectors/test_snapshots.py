"""Raw pages: what was stored comes back, through rotation, sealing, crashes and damage."""

from __future__ import annotations

import asyncio
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.archive import Archive, SnapshotRef
from connectors.errors import ContractBroken
from tests.connectors.archive_pages import fetch


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
    archive.close()
    assert len(list(tmp_path.iterdir())) == 2


def test_rotation(tmp_path: Path) -> None:
    with Archive(tmp_path, rotate_at=3000) as archive:
        refs = [archive.store(fetch(os.urandom(1000), n)) for n in range(6)]
        assert [archive.load(ref).url for ref in refs] == [fetch(number=n).url for n in range(6)]
    assert len({ref.file for ref in refs}) > 1
    assert not list(tmp_path.glob("*.open"))


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


def test_whether_a_page_is_there_is_told_without_reading_it(tmp_path: Path) -> None:
    with Archive(tmp_path) as archive:
        first = archive.store(fetch(b"first" * 99))
        assert archive.has(first), "in the file that is being written"
        second = archive.store(fetch(b"second" * 99, 1))
        assert archive.has(second), "also where the file has grown since it was looked at"
    archive = Archive(tmp_path)
    assert archive.has(first) and archive.has(second)
    for wrong in (
        replace(first, offset=10**9),
        replace(second, length=second.length * 9),
        replace(first, file="gone.warc.gz"),
        replace(first, file="../" + first.file),
    ):
        assert not archive.has(wrong)
    damage(tmp_path / first.file, first.offset + first.length // 2, b"\x00\x00\x00\x00")
    assert archive.has(first), "what is in it only reading tells"


def test_not_modified_has_nothing_to_keep(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="304"):
        Archive(tmp_path).store(fetch()._replace(not_modified=True))
    assert list(tmp_path.iterdir()) == []


def test_keep_lets_other_pages_go_on(tmp_path: Path) -> None:
    async def go(archive: Archive) -> list[SnapshotRef]:
        return await asyncio.gather(*(archive.keep(fetch(b"%d" % n, n)) for n in range(10)))

    with Archive(tmp_path) as archive:
        refs = asyncio.run(go(archive))
    assert [archive.load(ref).body for ref in refs] == [b"%d" % n for n in range(10)]


def test_a_page_whose_task_was_cancelled_costs_the_others_nothing(tmp_path: Path) -> None:
    async def go(archive: Archive) -> list[SnapshotRef | BaseException]:
        tasks = [asyncio.create_task(archive.keep(fetch(b"%d" % n * 9000, n))) for n in range(20)]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    with Archive(tmp_path) as archive:
        refs = asyncio.run(go(archive))
    kept = {n: ref for n, ref in enumerate(refs) if isinstance(ref, SnapshotRef)}
    assert set(kept) >= set(range(1, 20, 2))
    assert all(archive.load(ref).body == b"%d" % n * 9000 for n, ref in kept.items())


def test_cancelled_pages_beyond_a_batch_leave_nobody_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.archive.store.BATCH_BYTES", 1)  # every page is a batch
    with Archive(tmp_path) as archive:
        futures = [archive._submit(fetch(b"%d" % n, n), "") for n in range(50)]
        cancelled = {n for n, future in enumerate(futures) if n > 5 and n % 7 and future.cancel()}
        for n, future in enumerate(futures):
            if n not in cancelled:
                assert archive.load(future.result(timeout=60)).body == b"%d" % n


def test_a_page_that_cannot_be_written_down_costs_the_others_nothing(tmp_path: Path) -> None:
    async def go(archive: Archive) -> list[SnapshotRef | BaseException]:
        broken = fetch(b"broken")._replace(fetched_at=None)  # type: ignore[arg-type]
        pages = [fetch(b"one", 1), broken, fetch(b"two", 2)]
        return await asyncio.gather(*map(archive.keep, pages), return_exceptions=True)

    with Archive(tmp_path) as archive:
        one, broken, two = asyncio.run(go(archive))
        assert isinstance(broken, AttributeError)
        assert isinstance(one, SnapshotRef) and archive.load(one).body == b"one"
        assert isinstance(two, SnapshotRef) and archive.load(two).body == b"two"
