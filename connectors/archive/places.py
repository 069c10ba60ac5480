"""Where sealed files lie: a local folder, or any file system that fsspec speaks (S3 and the like).

Files are written in a local folder in either case, the spool. For a local archive that is the archive itself and
sealing is a rename; for a remote one sealing is an upload, since an object store can neither append nor rename.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import NamedTemporaryFile
from typing import IO, Any, Protocol, cast

from connectors.archive.model import ArchiveUnusable
from connectors.errors import ContractBroken

SUFFIX = ".warc.gz"
OPEN = ".open"
MOVED = ".moved"
"""Beside a file that `prune` replaced: JSON, where each record that was kept is now."""

Map = dict[str, Any]


class Place(Protocol):
    shown: str
    """As a person reads it: without passwords."""

    def names(self) -> list[str]:
        """Sealed files, in order."""

    def read(self, name: str, offset: int, length: int) -> bytes:
        """Raises FileNotFoundError."""

    def size(self, name: str) -> int:
        """Bytes of a sealed file. Raises FileNotFoundError."""

    def open(self, name: str) -> IO[bytes]:
        """For reading from the start. Raises FileNotFoundError."""

    def take(self, path: Path, name: str) -> None:
        """Make a finished local file a sealed one; `path` is gone afterwards."""

    def put(self, name: str, content: bytes) -> None:
        """A small file, whole or not at all."""

    def remove(self, name: str) -> None: ...


def place_of(where: Path | str) -> Place:
    """A path or `file://` URL is a local folder; anything else with a scheme is fsspec's. Raises ContractBroken."""
    text = str(where)
    if text.startswith("file://"):
        return LocalPlace(Path(text.removeprefix("file://")))
    return RemotePlace(text) if "://" in text else LocalPlace(Path(text))


@contextmanager
def telling(shown: str, doing: str) -> Iterator[None]:
    """Turn what the operating system says into the one line for the operator."""
    try:
        yield
    except OSError as error:
        raise ArchiveUnusable(
            f"the raw archive at {shown} cannot be {doing} ({error.strerror or error}): make room or mend its "
            "rights, or set FAZHI_ARCHIVE to another place; then run the same command again"
        ) from error


class LocalPlace:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shown = str(folder)

    def names(self) -> list[str]:
        with telling(self.shown, "read"):
            return sorted(entry.name for entry in os.scandir(self.folder) if entry.name.endswith(SUFFIX))

    def read(self, name: str, offset: int, length: int) -> bytes:
        return read_local(self.folder / name, offset, length)

    def size(self, name: str) -> int:
        return (self.folder / name).stat().st_size

    def open(self, name: str) -> IO[bytes]:
        return (self.folder / name).open("rb")

    def take(self, path: Path, name: str) -> None:
        path.rename(self.folder / name)
        sync_folder(self.folder)

    def put(self, name: str, content: bytes) -> None:
        part = self.folder / f".{name}.part"
        try:
            with part.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self.folder / name)
        finally:
            part.unlink(missing_ok=True)
        sync_folder(self.folder)

    def remove(self, name: str) -> None:
        (self.folder / name).unlink(missing_ok=True)


class RemotePlace:
    """A folder of an fsspec file system. Whatever its library raises becomes ArchiveUnusable, in one line."""

    def __init__(self, url: str) -> None:
        from fsspec.core import url_to_fs

        scheme, _, rest = url.partition("://")
        self.shown = f"{scheme}://{rest.rpartition('@')[2]}"
        try:
            self._fs, root = url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise ContractBroken(
                f"FAZHI_ARCHIVE={self.shown} cannot be used ({error}): for s3:// install the package s3fs "
                "(pip install -e '.[s3]' in the checkout), or give a folder"
            ) from error
        self._root = PurePosixPath(root)

    def names(self) -> list[str]:
        with self._telling("listed"):
            self._fs.invalidate_cache()
            try:
                found = self._fs.ls(str(self._root), detail=False)
            except FileNotFoundError:
                found = []  # an object store has no empty folders
        return sorted(name for path in found if (name := PurePosixPath(path).name).endswith(SUFFIX))

    def read(self, name: str, offset: int, length: int) -> bytes:
        with self._telling("read"):
            return cast(bytes, self._fs.cat_file(self._at(name), start=offset, end=offset + length))

    def size(self, name: str) -> int:
        with self._telling("read"):
            self._fs.invalidate_cache()  # what another process took away is not there
            return int(self._fs.info(self._at(name))["size"])

    def open(self, name: str) -> IO[bytes]:
        """Whole, by way of a temporary file: so that no error comes up in the midst of reading."""
        copy = NamedTemporaryFile()  # noqa: SIM115 - the caller closes it
        try:
            with self._telling("read"):
                self._fs.get_file(self._at(name), copy.name)
        except BaseException:
            copy.close()
            raise
        return cast(IO[bytes], copy)

    def take(self, path: Path, name: str) -> None:
        with self._telling("written"):
            self._fs.put_file(str(path), self._at(name))
            self._fs.invalidate_cache()
            size = self._fs.info(self._at(name))["size"]
        if size != path.stat().st_size:
            raise ArchiveUnusable(f"{self.shown}/{name} has {size} bytes after its upload, {path} has others")
        path.unlink()

    def put(self, name: str, content: bytes) -> None:
        with self._telling("written"):
            self._fs.pipe_file(self._at(name), content)

    def remove(self, name: str) -> None:
        with self._telling("written"):
            self._fs.rm_file(self._at(name))

    def _at(self, name: str) -> str:
        return str(self._root / name)

    @contextmanager
    def _telling(self, doing: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            if isinstance(error, FileNotFoundError) and doing == "read":
                raise  # what it means is for the caller to say
            raise ArchiveUnusable(
                f"the raw archive at {self.shown} cannot be {doing} ({' '.join(str(error).split())}): see to its "
                "address, credentials and connection, then run the same command again"
            ) from error


def read_local(path: Path, offset: int, length: int) -> bytes:
    with path.open("rb", buffering=0) as file:
        return os.pread(file.fileno(), length, offset)


def read_map(place: Place, name: str) -> Map:
    """What `prune` left in a file's stead. Raises FileNotFoundError, or ContractBroken where it is damaged."""
    with place.open(name + MOVED) as file:
        content = file.read()
    try:
        found = json.loads(content)
        if not (
            isinstance(found, dict) and isinstance(found.get("to"), str) and isinstance(found.get("records"), dict)
        ):
            raise ValueError("no map of records")
    except ValueError as error:
        raise ContractBroken(f"{place.shown}/{name}{MOVED} is damaged ({error}): restore it from a backup") from error
    return found


def sync_folder(folder: Path) -> None:
    """A new name is on the disk when its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
