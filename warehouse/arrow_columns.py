"""Columns of a SQLite warehouse as Arrow arrays, built from buffers.

`pyarrow.array` first looks whether it was given something of pandas, and imports it for that: a second half of
processor time and some 50 MB, in each release. What SQLite gives needs no such look: numbers, or UTF-8 in bytes.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import pyarrow as pa

from warehouse.columns import read_quantity


def read_column(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """A column as SQLite holds it (`warehouse.raw`), texts as bytes, in its type; of a quantity each value that occurs
    is read once."""
    if pa.types.is_decimal(kind):
        found = numbers(values, pa.float64()).dictionary_encode()
        spelled = [format(read_quantity(one) or 0, "f").encode() for one in found.dictionary.to_pylist()]
        return _texts(spelled, pa.string()).cast(kind).take(found.indices)
    if pa.types.is_timestamp(kind):
        return _texts(values, pa.string()).cast(pa.timestamp(kind.unit)).cast(kind)
    if pa.types.is_date(kind):
        return _texts(values, pa.string()).cast(kind)
    if pa.types.is_boolean(kind):
        return numbers(values, pa.int8()).cast(kind)
    if pa.types.is_string(kind) or pa.types.is_binary(kind):
        return _texts(values, kind)
    return numbers(values, kind)


def numbers(values: Sequence[float | None], kind: pa.DataType) -> pa.Array:
    """Of a type of `_CODES`. Raises OverflowError for a number that is too large for it."""
    known, present = _present(values, 0)
    return pa.Array.from_buffers(kind, len(values), [known, pa.py_buffer(array(_CODES[kind], present))])


def _texts(values: Sequence[bytes | None], kind: pa.DataType) -> pa.Array:
    known, present = _present(values, b"")
    ends = array("i", accumulate(map(len, present), initial=0))
    return pa.Array.from_buffers(kind, len(values), [known, pa.py_buffer(ends), pa.py_buffer(b"".join(present))])


def _present(values: Sequence[Any], instead: Any) -> tuple[pa.Buffer | None, Sequence[Any]]:
    """Which values are there, a bit each from the lowest on, and the values with `instead` for those that are not."""
    if None not in values:
        return None, values
    bits = "".join(["0" if value is None else "1" for value in reversed(values)])
    known = int(bits, 2).to_bytes((len(values) + 7) // 8, "little")
    return pa.py_buffer(known), [instead if value is None else value for value in values]


_CODES = {pa.int8(): "b", pa.int32(): "i", pa.int64(): "q", pa.float64(): "d"}
