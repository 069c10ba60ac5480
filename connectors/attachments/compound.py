"""The compound file ([MS-CFB]) that Office wrote before 2007: a small file system of streams. Read with every chain
bounded by the number of sectors, so that one that bites its tail ends.
"""

from __future__ import annotations

import struct
from array import array
from dataclasses import dataclass

from connectors.attachments.result import Unreadable

_HEADER = 512
_LAST = 0xFFFFFFFA
"""Sector numbers from here up are marks: end of chain, free, of the table itself."""
_MAX_ENTRIES = 4_000
_STREAM, _ROOT = 2, 5


@dataclass(frozen=True, slots=True)
class _Entry:
    start: int
    size: int


class Compound:
    """Streams by name."""

    def __init__(self, body: bytes) -> None:
        """Raises Unreadable for what is damaged."""
        self._body = body
        try:
            self._open()
        except (struct.error, IndexError) as error:
            raise Unreadable("damaged", f"damaged compound file: {error}") from error

    def _open(self) -> None:
        shift, mini_shift = struct.unpack_from("<HH", self._body, 30)
        if shift not in (9, 12) or mini_shift != 6:
            raise Unreadable("damaged", "damaged compound file: no size of sectors that there is")
        self._shift = shift
        n_fat, directory, _, self._cutoff, mini_fat, _, more, _ = struct.unpack_from("<8I", self._body, 44)
        self._fat = self._read_fat(n_fat, more)
        self._mini_fat = _to_array(self._chain(mini_fat)) if mini_fat < _LAST else array("I")
        self.entries: dict[str, _Entry] = {}
        root = _Entry(0, 0)
        data = self._chain(directory)
        for at in range(0, min(len(data), _MAX_ENTRIES * 128) - 127, 128):
            length, kind = struct.unpack_from("<HB", data, at + 64)
            start, size = struct.unpack_from("<II", data, at + 116)
            if kind == _ROOT:
                root = _Entry(start, size)
            elif kind == _STREAM:
                name = data[at : at + max(0, min(length, 64) - 2)].decode("utf-16-le", "replace")
                self.entries.setdefault(name, _Entry(start, size))
        self._mini = self._chain(root.start)[: root.size] if root.start < _LAST else b""

    def _sector(self, number: int) -> bytes:
        start = (number + 1) << self._shift
        data = self._body[start : start + (1 << self._shift)]
        if not data:
            raise IndexError(f"sector {number} is not in the file")
        return data

    def _read_fat(self, count: int, more: int) -> array[int]:
        """The allocation table, whose own sectors are listed in the header and in a chain of further lists."""
        numbers = list(struct.unpack_from("<109I", self._body, 76))
        limit = len(self._body) >> self._shift
        while more < _LAST and len(numbers) <= limit + 109:
            listed = _to_array(self._sector(more))
            numbers += listed[:-1]
            more = listed[-1]
        used = [number for number in numbers if number < _LAST][: min(count, limit)]
        return _to_array(b"".join(self._sector(number) for number in used))

    def _chain(self, start: int) -> bytes:
        parts, number = list[bytes](), start
        while number < _LAST and len(parts) <= len(self._fat):
            parts.append(self._sector(number))
            number = self._fat[number]
        return b"".join(parts)

    def read(self, name: str) -> bytes:
        """A stream, empty where there is none. Raises Unreadable."""
        entry = self.entries.get(name)
        if entry is None:
            return b""
        try:
            if entry.size >= self._cutoff:
                return self._chain(entry.start)[: entry.size]
            parts, number = list[bytes](), entry.start
            while number < _LAST and len(parts) <= len(self._mini_fat):
                parts.append(self._mini[number << 6 : (number + 1) << 6])
                number = self._mini_fat[number]
        except IndexError as error:
            raise Unreadable("damaged", f"damaged compound file: {error}") from error
        return b"".join(parts)[: entry.size]


def _to_array(data: bytes) -> array[int]:
    """32-bit little-endian numbers; what is left over at the end is none."""
    count = len(data) // 4
    return array("I", struct.unpack_from(f"<{count}I", data))
