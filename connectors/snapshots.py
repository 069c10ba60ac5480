"""Raw pages, kept for good before anything interprets them, in WARC 1.1 files (ISO 28500).

A file is written under its name plus `.open` and gets its name when it is full or closed. A `SnapshotRef` always
holds the final name; `load` finds the file under either. The writer holds a lock on its open file: whoever starts
later seals the open files that nobody holds any more, so a crash costs at most the record being written.

Stored is the payload after decompression, with the headers that still describe it.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import threading
import uuid
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Self

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from connectors.errors import ContractBroken

if TYPE_CHECKING:
    from connectors.http.model import Fetch

_OPEN = ".open"
_ROTATE_AT = 256 << 20
_OF_THE_WIRE = frozenset({"content-encoding", "content-length", "transfer-encoding", "connection", "set-cookie"})


@dataclass(frozen=True, slots=True)
class SnapshotRef:
    """Where a raw page lies."""

    file: str
    """Final name of the WARC file inside the archive folder."""
    offset: int
    length: int
    """Bytes of the compressed record."""
    sha256: str
    """Of the payload, hex."""


@dataclass(frozen=True, slots=True)
class StoredPage:
    """A raw page read back."""

    body: bytes
    content_type: str | None
    url: str
    """After redirects."""
    fetched_at: datetime
    status: int


class Archive:
    """The raw pages under one folder: any number of readers, one file per writer. Safe between threads."""

    def __init__(self, folder: Path, *, rotate_at: int = _ROTATE_AT) -> None:
        self.folder = folder
        self._rotate_at = rotate_at
        self._lock = threading.Lock()
        self._file: IO[bytes] | None = None
        self._name = ""
        _seal_orphans(folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def store(self, fetch: Fetch) -> SnapshotRef:
        """Append one answer. It is readable, also after a crash of this process, when this returns.

        Raises OSError when the disk does not take it."""
        if fetch.not_modified:
            raise ValueError(f"{fetch.url}: an answer of 304 has no page to keep")
        digest = hashlib.sha256(fetch.body).hexdigest()
        with self._lock:
            file = self._file or self._open_file()
            offset = file.tell()
            try:
                _write_response(file, fetch, digest)
                file.flush()
            except BaseException:
                file.seek(offset)
                file.truncate()
                raise
            end = file.tell()
            ref = SnapshotRef(self._name, offset, end - offset, digest)
            if end >= self._rotate_at:
                self._seal()
        return ref

    def load(self, ref: SnapshotRef) -> StoredPage:
        """Read a page back. Raises ContractBroken when the file is missing, damaged or holds another page."""
        try:
            return _parse_record(self._read(ref), ref.sha256)
        except (OSError, ArchiveLoadFailed, ValueError, zlib.error) as error:
            raise ContractBroken(
                f"raw page at {self.folder / ref.file}, offset {ref.offset}, cannot be read ({error}): "
                "restore the file from a backup, or crawl the page again"
            ) from error

    def close(self) -> None:
        """Seal the file being written. The archive may be written to again: that begins a new file."""
        with self._lock:
            self._seal()

    def _read(self, ref: SnapshotRef) -> bytes:
        if Path(ref.file).name != ref.file:
            raise ValueError("the reference leads out of the archive")
        path = self.folder / ref.file
        # The writer may seal the file between two looks, so the final name is tried last once more.
        for candidate in (path, path.with_name(path.name + _OPEN), path):
            try:
                with candidate.open("rb") as file:
                    file.seek(ref.offset)
                    return file.read(ref.length)
            except FileNotFoundError:
                continue
        raise FileNotFoundError("no such file")

    def _open_file(self) -> IO[bytes]:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._name = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}.warc.gz"
        file = (self.folder / (self._name + _OPEN)).open("xb")
        fcntl.flock(file, fcntl.LOCK_EX)
        self._file = file
        writer = WARCWriter(file, gzip=True, warc_version="WARC/1.1")
        info = {"software": "fazhi", "format": "WARC File Format 1.1"}
        writer.write_record(writer.create_warcinfo_record(self._name, info))
        return file

    def _seal(self) -> None:
        if self._file is None:
            return
        file, self._file = self._file, None
        file.flush()
        os.fsync(file.fileno())
        _rename_open(self.folder / (self._name + _OPEN))
        file.close()


def _write_response(file: IO[bytes], fetch: Fetch, digest: str) -> None:
    writer = WARCWriter(file, gzip=True, warc_version="WARC/1.1")
    headers = [(name, value) for name, value in fetch.headers.items() if name.lower() not in _OF_THE_WIRE]
    headers.append(("content-length", str(len(fetch.body))))
    phrase = HTTPStatus(fetch.status).phrase if fetch.status in HTTPStatus._value2member_map_ else "Unknown"
    record = writer.create_warc_record(
        fetch.final_url,
        "response",
        payload=io.BytesIO(fetch.body),
        length=len(fetch.body),
        http_headers=StatusAndHeaders(f"{fetch.status} {phrase}", headers, protocol="HTTP/1.1"),
        warc_headers_dict={
            "WARC-Date": fetch.fetched_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "WARC-Payload-Digest": f"sha256:{digest}",
        },
    )
    writer.write_record(record)


def _parse_record(raw: bytes, sha256: str) -> StoredPage:
    """The page of one compressed record. Raises ValueError, zlib.error or ArchiveLoadFailed on any damage."""
    unzip = zlib.decompressobj(16 + zlib.MAX_WBITS)
    plain = unzip.decompress(raw)  # our own writing: no larger than the page was
    if not unzip.eof or unzip.unused_data:
        raise ValueError("no whole record lies there")
    record = next(iter(ArchiveIterator(io.BytesIO(plain))), None)
    if record is None or record.rec_type != "response" or record.http_headers is None:
        raise ValueError("no record of an answer begins there")
    body = b"".join(iter(partial(record.raw_stream.read, 65_536), b""))
    if hashlib.sha256(body).hexdigest() != sha256:
        raise ValueError("its content does not match the stored digest")
    return StoredPage(
        body=body,
        content_type=record.http_headers.get_header("content-type"),
        url=record.rec_headers.get_header("WARC-Target-URI"),
        fetched_at=datetime.fromisoformat(record.rec_headers.get_header("WARC-Date")),
        status=int(record.http_headers.get_statuscode()),
    )


def _seal_orphans(folder: Path) -> None:
    """Give the files of dead writers their names. A torn last record stays in: no reference leads to it."""
    for path in sorted(folder.glob(f"*.warc.gz{_OPEN}")):
        try:
            with path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _rename_open(path)
        except BlockingIOError:
            continue  # its writer lives
        except FileNotFoundError:
            continue  # another process was faster


def _rename_open(path: Path) -> None:
    """Rename `X.open` to `X`. Somebody who took a new file for an orphan may have done it already."""
    final = path.with_name(path.name.removesuffix(_OPEN))
    try:
        path.rename(final)
    except FileNotFoundError:
        if not final.exists():
            raise
