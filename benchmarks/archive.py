"""Raw pages written and read, pages per CPU-second: `python -m benchmarks.archive [pages]`.

`warcio` writes as the archive did before it had its own records: one call a page, gzip level 9, by the caller.
CPU seconds are those of the whole process, threads included.
"""

from __future__ import annotations

import asyncio
import io
import random
import sys
import time
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from isal import isal_zlib
from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from benchmarks.made_pages import make_detail
from connectors.archive import Archive, SnapshotRef
from connectors.archive.upkeep import verify
from connectors.http.model import Fetch

HOST = "www.shiqian.example"
AT_ONCE = 32
"""Pages under way at once, as in a crawl."""
HEADERS = {"content-type": "text/html; charset=utf-8", "server": "nginx", "etag": '"65a0f3-c350"'}


def pages(count: int) -> list[Fetch]:
    made = (make_detail(number, HOST) for number in range(count))
    return [
        Fetch(
            f"http://{HOST}{page.path}", f"http://{HOST}{page.path}", 200, HEADERS, page.body, False, None, None,
            HEADERS["content-type"], datetime.now(UTC), 20, (),
        )
        for page in made
    ]  # fmt: skip


def by_warcio(fetches: list[Fetch], folder: Path) -> list[tuple[int, int]]:
    places = []
    with (folder / "warcio.warc.gz").open("wb") as file:
        writer = WARCWriter(file, gzip=True, warc_version="WARC/1.1")
        for fetch in fetches:
            begin = file.tell()
            writer.write_record(
                writer.create_warc_record(
                    fetch.final_url, "response", payload=io.BytesIO(fetch.body), length=len(fetch.body),
                    http_headers=StatusAndHeaders("200 OK", list(fetch.headers.items()), protocol="HTTP/1.1"),
                )
            )  # fmt: skip
            places.append((begin, file.tell() - begin))
    return places


def read_by_warcio(folder: Path, places: list[tuple[int, int]]) -> None:
    for begin, length in places:
        with (folder / "warcio.warc.gz").open("rb") as file:
            file.seek(begin)
            (record,) = ArchiveIterator(io.BytesIO(file.read(length)))
            record.raw_stream.read()


def by_archive(fetches: list[Fetch], folder: Path) -> list[SnapshotRef]:
    async def crawl(archive: Archive) -> list[SnapshotRef]:
        places = asyncio.Semaphore(AT_ONCE)

        async def one(fetch: Fetch) -> SnapshotRef:
            async with places:
                return await archive.keep(fetch, source="990001_shiqian")

        return await asyncio.gather(*(one(fetch) for fetch in fetches))

    with Archive(folder) as archive:
        return asyncio.run(crawl(archive))


def one_by_one(fetches: list[Fetch], folder: Path) -> None:
    with Archive(folder) as archive:
        for fetch in fetches:
            archive.store(fetch)


def read_by_archive(folder: Path, refs: list[SnapshotRef]) -> None:
    archive = Archive(folder)
    for ref in refs:
        archive.load(ref)


def measured(name: str, count: int, work: Callable[[], object], size: int = 0) -> None:
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    stored = f"{size / count / 1000:.1f} KB a page" if size else ""
    print(f"{name:<30}{count / cpu:>9,.0f} pages/CPU-s {1000 * cpu / count:>7.3f} ms {count / wall:>8,.0f}/s  {stored}")


def folder_size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def compare(count: int) -> None:
    fetches = pages(count)
    random.Random(1).shuffle(fetches)
    print(f"{count} pages of {sum(len(one.body) for one in fetches) / count / 1000:.1f} KB on average")
    squeezers: dict[str, Callable[[bytes], bytes]] = {
        "zlib 9": lambda body: zlib.compress(body, 9, 31),
        "zlib 6": lambda body: zlib.compress(body, 6, 31),
        "zlib 1": lambda body: zlib.compress(body, 1, 31),
        **{f"isal {n}": lambda body, level=n: isal_zlib.compress(body, level, 31) for n in range(4)},  # type: ignore[misc]
    }
    for name, squeeze in squeezers.items():
        size = sum(len(squeeze(one.body)) for one in fetches)
        measured(f"compress, {name}", count, lambda squeeze=squeeze: [squeeze(one.body) for one in fetches], size)  # type: ignore[misc]
    with TemporaryDirectory() as one, TemporaryDirectory() as two, TemporaryDirectory() as three:
        old, new, single = Path(one), Path(two), Path(three)
        places: list[tuple[int, int]] = []
        refs: list[SnapshotRef] = []
        measured("write, warcio", count, lambda: places.extend(by_warcio(fetches, old)))
        print(f"{folder_size(old) / count / 1000:>61.1f} KB a page")
        measured("write, archive", count, lambda: refs.extend(by_archive(fetches, new)))
        print(f"{folder_size(new) / count / 1000:>61.1f} KB a page")
        measured("write, archive, one at a time", count, lambda: one_by_one(fetches, single))
        random.Random(2).shuffle(places)
        random.Random(2).shuffle(refs)
        measured("read at random, warcio", count, lambda: read_by_warcio(old, places))
        measured("read at random, archive", count, lambda: read_by_archive(new, refs))
        measured("verify", count, lambda: verify(Archive(new), refs))


if __name__ == "__main__":
    compare(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
