"""One file at a time, written by one process: batches appended, sealed when full, recovered after a kill.

The file being written is `<name>.open` in the spool, under an exclusive lock for as long as its writer lives. Whoever
gets the lock finds a dead writer's file: he cuts off the torn tail and seals it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from connectors.archive.places import OPEN, SUFFIX, Place, sync_folder
from connectors.archive.record import read_members, squeeze, warcinfo

BATCH_BYTES = 8 << 20
"""Written at once, at most (and one record more)."""


class Writer:
    """Appends to the spool. Not safe between threads: the archive's own thread is its only user."""

    def __init__(self, spool: Path, place: Place, limit: int | None = None) -> None:
        """`limit`: bytes that all files of the spool may reach together, those of other writers included."""
        self._spool = spool
        self._limit = limit
        self._place = place
        self._file: IO[bytes] | None = None
        self._name = ""
        self._begins = 0
        """Where the first record after `warcinfo` lies: a file that ends here holds nothing."""
        self.size = 0
        """Bytes of the file being written."""

    def append(self, members: Sequence[bytes]) -> tuple[str, int]:
        """Write gzip members in one go: all of them are on the disk when this returns, or none is in the file.

        Gives the file's final name and the offset of the first. Raises OSError."""
        content = b"".join(members)
        self._keep_to_limit(len(content))
        file = self._file or self._begin()
        offset = self.size
        try:
            self.size += _write_whole(file, content)
            os.fsync(file.fileno())
        except BaseException:
            self.size = offset
            file.truncate(offset)
            file.seek(offset)
            raise
        return self._name, offset

    def seal(self) -> None:
        """Give the file its name. Raises OSError or ArchiveUnusable; the file then waits for the next start."""
        if self._file is None:
            return
        path = self._spool / (self._name + OPEN)
        with self._file:
            self._file = None
            if self.size > self._begins:
                self._place.take(path, self._name)
            else:
                path.unlink()

    def discard(self) -> None:
        """Leave nothing of the file being written."""
        if self._file is not None:
            (self._spool / (self._name + OPEN)).unlink(missing_ok=True)
            self._file.close()
            self._file = None

    def _keep_to_limit(self, more: int) -> None:
        """Raises OSError where so many bytes more are too many, while there is room yet for all else on the disk."""
        if self._limit is not None and self._spool.is_dir():
            held = sum(entry.stat().st_size for entry in os.scandir(self._spool) if entry.is_file())
            if held + more > self._limit:
                raise OSError(errno.EDQUOT, f"FAZHI_ARCHIVE_LIMIT_MB is reached with {held:,} bytes")

    def _begin(self) -> IO[bytes]:
        self._spool.mkdir(parents=True, exist_ok=True)
        while True:
            name = new_name()
            path = self._spool / (name + OPEN)
            file = path.open("xb", buffering=0)
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
                if not _is_at(file, path):  # taken for a dead writer's empty file in the moment before the lock
                    file.close()
                    continue
                self.size = self._begins = _write_whole(file, squeeze(warcinfo(name)))
                sync_folder(self._spool)
            except BaseException:
                file.close()
                path.unlink(missing_ok=True)
                raise
            self._file, self._name = file, name
            return file


def new_name() -> str:
    """No two writers choose one name, on whatever machine; names sort by time."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}-{uuid.uuid4().hex[:8]}{SUFFIX}"


def recover(spool: Path, place: Place) -> list[str]:
    """Seal the files of dead writers: complete records stay, a torn tail goes. Gives their names.

    A spool that may only be read is left as it is: its records can be read all the same."""
    sealed = []
    for path in sorted(spool.glob(f"*{SUFFIX}{OPEN}")):
        try:
            with path.open("r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if not _is_at(file, path):
                    continue
                name = path.name.removesuffix(OPEN)
                if _cut_tail(file):
                    place.take(path, name)
                    sealed.append(name)
                else:
                    path.unlink()
        except (BlockingIOError, FileNotFoundError):
            continue  # its writer lives; another process was faster
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
                raise
    return sealed


def write_file(spool: Path, place: Place, members: Iterable[bytes]) -> tuple[str, list[int]]:
    """A sealed file of these members, in order, with their offsets. Raises OSError; then nothing is left of it."""
    writer, offsets, name, batch, size = Writer(spool, place), list[int](), "", list[bytes](), 0
    try:
        for member in members:
            batch.append(member)
            size += len(member)
            if size >= BATCH_BYTES:
                name = _append_all(writer, batch, offsets)
                batch, size = [], 0
        if batch:
            name = _append_all(writer, batch, offsets)
    except BaseException:
        writer.discard()
        raise
    writer.seal()
    return name, offsets


def _append_all(writer: Writer, batch: list[bytes], offsets: list[int]) -> str:
    name, offset = writer.append(batch)
    for member in batch:
        offsets.append(offset)
        offset += len(member)
    return name


def _cut_tail(file: IO[bytes]) -> bool:
    """End the file after its last whole record. Says whether any record of a page is left."""
    end, records = 0, 0
    for member in read_members(file):
        if not member.why:
            end, records = member.offset + member.length, records + 1
    file.truncate(end)
    os.fsync(file.fileno())
    return records > 1


def _is_at(file: IO[bytes], path: Path) -> bool:
    """Whether the open file is still the one at this path."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _write_whole(file: IO[bytes], content: bytes) -> int:
    """An unbuffered file may take a part only."""
    view = memoryview(content)
    while view:
        view = view[file.write(view) :]
    return len(content)
