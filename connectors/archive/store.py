"""The raw archive: pages go in, pages come out.

Hashing, building and compressing cost about as much as parsing, so they are done by a thread of the archive's own
(they release the interpreter), for all pages that wait at once: one write and one fsync for the whole batch.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
import uuid
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from connectors.archive import record
from connectors.archive.model import ArchiveUnusable, SnapshotRef, StoredPage
from connectors.archive.places import OPEN, LocalPlace, Map, Place, place_of, read_local, read_map, telling
from connectors.archive.writer import BATCH_BYTES, Writer, recover
from connectors.errors import ContractBroken

if TYPE_CHECKING:
    from connectors.http.model import Fetch

_ROTATE_AT = 256 << 20


@dataclass(slots=True)
class _Waiting:
    fetch: Fetch
    source: str
    future: Future[SnapshotRef]


class Archive:
    """The raw pages at one place: any number of readers, one file per writer. Safe between threads and processes.

    `where` is a folder or an fsspec URL; `spool`, the local folder of the file being written, is needed for a URL only.
    `limit`: bytes that the files of the local folder may reach together; what would lead beyond is not written.
    Opening seals the files of dead writers, unless it `only_reads`. Raises ContractBroken for a URL that nothing here
    can read, ArchiveUnusable where a dead writer's file cannot be sealed."""

    def __init__(
        self,
        where: Path | str,
        *,
        spool: Path | None = None,
        rotate_at: int = _ROTATE_AT,
        limit: int | None = None,
        only_reads: bool = False,
    ) -> None:
        self.place: Place = place_of(where)
        if isinstance(self.place, LocalPlace):
            spool = self.place.folder
        elif spool is None:
            raise ContractBroken(f"{self.place.shown}: an archive that is no folder needs a local folder to write in")
        self.spool = spool
        self._rotate_at = rotate_at
        self._lock = threading.Lock()
        self._waiting: deque[_Waiting] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="archive")
        self._limit = limit
        self._writer = Writer(spool, self.place, limit)
        self._unsealed: ArchiveUnusable | None = None
        self._maps: dict[str, Map] = {}
        self._sizes: dict[str, int] = {}
        """Of files, as far as `has` has seen them reach."""
        if not only_reads:
            with telling(self.place.shown, "opened"):
                recover(spool, self.place)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def store(self, fetch: Fetch, *, source: str = "") -> SnapshotRef:
        """Append one answer. It is on the disk, whatever happens to this process, when this returns.

        Raises ArchiveUnusable when the disk does not take it; nothing of it is left then."""
        return self._submit(fetch, source).result()

    async def keep(self, fetch: Fetch, *, source: str = "") -> SnapshotRef:
        """`store` for a running event loop: other pages go on meanwhile."""
        return await asyncio.wrap_future(self._submit(fetch, source))

    def load(self, ref: SnapshotRef) -> StoredPage:
        """Read a page back, its payload digest checked.

        Raises ContractBroken when the file is missing, damaged or holds another page, ArchiveUnusable when the
        archive cannot be asked at all."""
        try:
            return record.read_page(record.parse(record.unsqueeze(self.read(ref))), ref.sha256)
        except (OSError, ValueError) as error:
            raise ContractBroken(
                f"raw page at {self.place.shown}/{ref.file}, offset {ref.offset}, cannot be read "
                f"({getattr(error, 'strerror', None) or error}): restore the file from a backup, or crawl it again"
            ) from error

    def read(self, ref: SnapshotRef) -> bytes:
        """The bytes that a reference leads to. Raises FileNotFoundError, ValueError, ArchiveUnusable."""
        if Path(ref.file).name != ref.file:
            raise ValueError("the reference leads out of the archive")
        while True:
            if ref.file in self._maps:
                ref = self.moved(ref)
                continue
            try:
                return read_local(self.spool / (ref.file + OPEN), ref.offset, ref.length)
            except FileNotFoundError:
                pass  # sealed before, or just now
            try:
                return self.place.read(ref.file, ref.offset, ref.length)
            except FileNotFoundError:
                ref = self.moved(ref)

    def has(self, ref: SnapshotRef) -> bool:
        """Whether a page's file is there and reaches as far as the page: what is in it, only `load` can tell. A file
        is looked at once.

        Raises ArchiveUnusable when the archive cannot be asked at all."""
        try:
            while ref.file in self._maps:
                ref = self.moved(ref)
            if ref.offset + ref.length > self._sizes.get(ref.file, -1):
                self._sizes[ref.file] = self._size(ref.file)
        except FileNotFoundError:
            try:
                return self.has(self.moved(ref))
            except (OSError, ValueError, ContractBroken):
                return False
        except ValueError:
            return False
        return ref.offset + ref.length <= self._sizes[ref.file]

    def _size(self, name: str) -> int:
        """Raises FileNotFoundError; ValueError for a name that leads out of the archive."""
        if Path(name).name != name:
            raise ValueError("the reference leads out of the archive")
        try:
            return (self.spool / (name + OPEN)).stat().st_size
        except FileNotFoundError:
            return self.place.size(name)

    def moved(self, ref: SnapshotRef) -> SnapshotRef:
        """Where a page lies whose file is gone. Raises FileNotFoundError; ValueError where `prune` removed the page."""
        if ref.file not in self._maps:
            self._maps[ref.file] = read_map(self.place, ref.file)
        there = self._maps[ref.file]["records"].get(str(ref.offset))
        if there is None:
            raise ValueError("`fazhi archive prune` removed it")
        return replace(ref, file=self._maps[ref.file]["to"], offset=there)

    def check_writable(self) -> None:
        """Write a small file and take it away again. Raises ArchiveUnusable."""
        probe, name = Writer(self.spool, self.place, self._limit), f"{uuid.uuid4().hex}.probe"
        with telling(self.place.shown, "written"):
            try:
                probe.append([])
            finally:
                probe.discard()
            self.place.put(name, b"")
            self.place.remove(name)

    def close(self) -> None:
        """Write what waits and seal the file. The archive may be written to again: that begins a new file.

        Raises ArchiveUnusable where a full file could not be sealed: it stays in the spool, readable, and is sealed
        at the next start."""
        self._thread.submit(self._seal).result()
        if self._unsealed is not None:
            error, self._unsealed = self._unsealed, None
            raise error

    def _submit(self, fetch: Fetch, source: str) -> Future[SnapshotRef]:
        if fetch.not_modified:
            raise ValueError(f"{fetch.url}: an answer of 304 has no page to keep")
        waiting = _Waiting(fetch, source, Future())
        with self._lock:
            self._waiting.append(waiting)
            if len(self._waiting) == 1:
                self._thread.submit(self._drain)
        return waiting.future

    def _drain(self) -> None:
        while batch := self._take_batch():
            self._write([waiting for waiting in batch if waiting.future.set_running_or_notify_cancel()])
            if self._writer.size >= self._rotate_at:
                self._seal()

    def _take_batch(self) -> list[_Waiting]:
        """What waits, up to a size; empty when nothing does."""
        batch, size = list[_Waiting](), 0
        with self._lock:
            while self._waiting and size < BATCH_BYTES:
                batch.append(self._waiting.popleft())
                size += len(batch[-1].fetch.body)
        return batch

    def _write(self, batch: list[_Waiting]) -> None:
        """Every future of the batch gets its reference, or the error: nothing is raised here."""
        built: list[tuple[_Waiting, str, list[bytes]]] = []
        for waiting in batch:
            try:
                built.append((waiting, *_build(waiting)))
            except Exception as error:  # noqa: BLE001 - raised by whoever waits for this page; the others go on
                waiting.future.set_exception(error)
        if not built:
            return
        try:
            with telling(self.place.shown, "written"):
                name, offset = self._writer.append([member for _, _, members in built for member in members])
        except BaseException as error:  # noqa: BLE001 - raised by all who wait
            for waiting, _, _ in built:
                waiting.future.set_exception(error)
            return
        for waiting, digest, members in built:
            waiting.future.set_result(SnapshotRef(name, offset, len(members[0]), digest))
            offset += sum(map(len, members))

    def _seal(self) -> None:
        try:
            with telling(self.place.shown, "written"):
                self._writer.seal()
        except ArchiveUnusable as error:
            self._unsealed = error


def _build(waiting: _Waiting) -> tuple[str, list[bytes]]:
    """Digest of the payload, and the records of a page, compressed; the answer first, those that led to it last."""
    fetch = waiting.fetch
    digest, name = hashlib.sha256(fetch.body).hexdigest(), record.new_id()
    records = [record.response(fetch, digest, name)]
    if fetch.request:
        records.append(record.request(fetch, name))
    records.append(record.metadata(fetch, waiting.source, name))
    for hop in fetch.hops:
        hop_name = record.new_id()
        records += [record.response(hop, hop.sha256, hop_name, name), record.request(hop, hop_name)]
    return digest, [record.squeeze(plain) for plain in records]
