"""What SQLite holds, as Arrow has it: as `pyarrow.array` would make it, without what that brings in."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from tests.conftest import ROOT
from warehouse.arrow_columns import read_column

CASES: tuple[tuple[pa.DataType, list[Any], list[Any]], ...] = (
    (pa.string(), ["收到".encode(), None, b""], ["收到", None, ""]),
    (pa.binary(), [b"\x00\xff", None], [b"\x00\xff", None]),
    (pa.int64(), [2**62, None, -1], [2**62, None, -1]),
    (pa.int32(), [1, 2, 3], [1, 2, 3]),
    (pa.bool_(), [1, 0, None], [True, False, None]),
    (pa.date32(), [b"2024-02-29", None], [date(2024, 2, 29), None]),
    (
        pa.timestamp("us", tz="UTC"),
        [b"2024-03-01 18:00:00.000001", None],
        [datetime(2024, 3, 1, 18, 0, 0, 1, UTC), None],
    ),
    (
        pa.decimal128(24, 6),
        [12.5, None, 1e-06, 999999999999999.0, 123456789.012345, -0.5, 12.5],
        [Decimal(one) if one else None for one in ("12.5", "", "0.000001", "999999999999999", "123456789.012345",
                                                   "-0.5", "12.5")],
    ),
)  # fmt: skip


@pytest.mark.parametrize(("kind", "held", "meant"), CASES, ids=[str(kind) for kind, _, _ in CASES])
def test_a_column_is_what_was_meant(kind: pa.DataType, held: list[Any], meant: list[Any]) -> None:
    read = read_column(tuple(held), kind)
    read.validate(full=True)
    assert read.equals(pa.array(meant, kind))
    many = read_column(tuple(held) * 10, kind)
    assert many.equals(pa.array(meant * 10, kind)) and read_column((), kind).equals(pa.array([], kind))


def test_a_number_that_is_too_large_is_told() -> None:
    with pytest.raises(OverflowError):
        read_column((2**40,), pa.int32())


def test_pandas_is_not_brought_in() -> None:
    script = (
        "import sys, pyarrow as pa; from warehouse.arrow_columns import read_column; "
        "read_column((1.5, None), pa.decimal128(24, 6)), read_column((b'a', None), pa.string()); "
        "sys.exit('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0
