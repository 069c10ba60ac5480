"""Reading all of the archive, counting it, cutting a piece out of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from warcio.archiveiterator import ArchiveIterator

from connectors.archive import Archive, SnapshotRef
from connectors.archive.upkeep import Cut, count, export, verify
from tests.connectors.archive_pages import AT, fetch


def filled(folder: Path) -> tuple[Archive, list[SnapshotRef]]:
    """Six pages of two sources over two files; the last file is still being written."""
    archive = Archive(folder)
    refs = []
    for number in range(6):
        answer = fetch(b"page %d " % number * 500, number, days=number)
        refs.append(archive.store(answer, source=f"99000{number % 2}_x"))
        if number == 2:
            archive.close()
    return archive, refs


def test_all_is_read_also_what_is_being_written(tmp_path: Path) -> None:
    archive, refs = filled(tmp_path)
    verdict = verify(archive, refs)
    assert (verdict.files, verdict.pages, verdict.n_bytes, verdict.references) == (2, 6, 6 * 3500, 6)
    assert verdict.is_good
    archive.close()
    assert verify(Archive(tmp_path), refs) == verdict


def test_an_empty_archive_is_not_good(tmp_path: Path) -> None:
    assert not verify(Archive(tmp_path)).is_good


def in_the_middle(path: Path, ref: SnapshotRef) -> None:
    with path.open("r+b") as file:
        file.seek(ref.offset + ref.length // 2)
        file.write(b"\0\0\0\0")


def cut_short(path: Path, ref: SnapshotRef) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: ref.offset + 20] + content[ref.offset + ref.length :])


def missing(path: Path, ref: SnapshotRef) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: ref.offset] + b"\0" * ref.length + content[ref.offset + ref.length :])


@pytest.mark.parametrize("damage", [in_the_middle, cut_short, missing])
def test_damage_is_named_and_the_rest_is_read(tmp_path: Path, damage: Callable[[Path, SnapshotRef], None]) -> None:
    archive, refs = filled(tmp_path)
    archive.close()
    damage(tmp_path / refs[1].file, refs[1])
    verdict = verify(archive, refs[:2])
    assert verdict.pages == 5
    assert [(one.file, one.offset) for one in verdict.damaged] == [(refs[1].file, refs[1].offset)]
    assert f"offset {refs[1].offset}" in str(verdict.damaged[0])
    assert verdict.lost == [refs[1]]
    assert not verdict.is_good


def test_a_torn_tail_in_a_sealed_file_is_damage(tmp_path: Path) -> None:
    archive, refs = filled(tmp_path)
    archive.close()
    path = tmp_path / refs[5].file
    path.write_bytes(path.read_bytes()[:-5])
    verdict = verify(archive, refs)
    assert len(verdict.damaged) == 1 and verdict.pages == 6, "the metadata of the last page is torn, not the page"


def test_a_sealed_file_without_a_byte_is_damage(tmp_path: Path) -> None:
    archive, refs = filled(tmp_path)
    archive.close()
    (tmp_path / "x.warc.gz").touch()
    verdict = verify(archive, refs)
    assert [str(one) for one in verdict.damaged] == ["x.warc.gz, offset 0, 0 bytes: the file is empty"]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    archive, refs = filled(tmp_path)
    (tmp_path / "folder.warc.gz").mkdir()
    verdict = verify(archive, refs)
    assert verdict.pages == 6
    assert [str(one) for one in verdict.damaged] == ["folder.warc.gz, offset 0, 0 bytes: Is a directory"]


def test_a_reference_to_another_page_leads_nowhere(tmp_path: Path) -> None:
    archive, refs = filled(tmp_path)
    wrong = [
        replace(refs[0], sha256=refs[1].sha256),
        replace(refs[0], offset=refs[0].offset + 1),
        replace(refs[0], file="gone.warc.gz"),
    ]
    assert verify(archive, [*refs, *wrong]).lost == wrong


def test_counts_by_source(tmp_path: Path) -> None:
    archive, _ = filled(tmp_path)
    archive.store(fetch(b"of nobody"))
    archive.close()
    counts = count(archive)
    assert [(name, len(one.files), one.pages, one.n_bytes) for name, one in counts.items()] == [
        ("", 1, 1, 9),
        ("990000_x", 2, 3, 10_500),
        ("990001_x", 2, 3, 10_500),
    ]
    assert counts["990000_x"].ratio > 3
    lying = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert 0 < lying - sum(one.stored for one in counts.values()) < 1000, "all but the two warcinfo records"


@pytest.mark.parametrize(
    ("cut", "chosen"),
    [
        (Cut(), [0, 1, 2, 3, 4, 5]),
        (Cut(sources=("990001_x",)), [1, 3, 5]),
        (Cut(urls=("/4.html", "/0.html")), [0, 4]),
        (Cut(since=AT + timedelta(days=2)), [2, 3, 4, 5]),
        (Cut(since=AT + timedelta(days=1), until=AT + timedelta(days=3)), [1, 2]),
        (Cut(sources=("990000_x",), until=AT + timedelta(days=3)), [0, 2]),
    ],
)
def test_export(tmp_path: Path, cut: Cut, chosen: list[int]) -> None:
    archive, _ = filled(tmp_path / "raw")
    to = tmp_path / "out.warc.gz"
    assert export(archive, cut, to) == (len(chosen), [])
    with to.open("rb") as file:
        read = list(ArchiveIterator(file, check_digests="raise"))
        assert [one.rec_type for one in read] == ["warcinfo"] + ["response", "metadata"] * len(chosen)
    urls = [one.rec_headers.get_header("WARC-Target-URI") for one in read if one.rec_type == "response"]
    assert urls == [fetch(number=number).url for number in chosen]
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["out.warc.gz"]
    checked = subprocess.run([Path(sys.executable).parent / "warcio", "check", to], capture_output=True, timeout=60)
    assert checked.returncode == 0


def test_an_export_is_an_archive_of_its_own(tmp_path: Path) -> None:
    archive, refs = filled(tmp_path / "raw")
    (tmp_path / "copy").mkdir()
    export(archive, Cut(urls=("/3.html",)), tmp_path / "copy" / "one.warc.gz")
    copied = Archive(tmp_path / "copy")
    assert verify(copied).pages == 1
    assert list(count(copied)) == ["990001_x"]
    assert refs[3].length > 0


def test_an_export_of_nothing_leaves_no_file_and_the_old_one_as_it_was(tmp_path: Path) -> None:
    archive, _ = filled(tmp_path / "raw")
    to = tmp_path / "out.warc.gz"
    to.write_bytes(b"earlier")
    assert export(archive, Cut(urls=("nowhere",)), to) == (0, [])
    assert to.read_bytes() == b"earlier"


def test_an_export_leaves_damaged_records_out_and_names_them(tmp_path: Path) -> None:
    archive, refs = filled(tmp_path / "raw")
    archive.close()
    in_the_middle(tmp_path / "raw" / refs[1].file, refs[1])
    pages, damaged = export(archive, Cut(), tmp_path / "out.warc.gz")
    assert pages == 5
    assert [one.offset for one in damaged] == [refs[1].offset]
