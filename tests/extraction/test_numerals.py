"""Numerals: what is one well-formed number, and what is a name or an identifier."""

from __future__ import annotations

from decimal import Decimal

import cn2an
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extraction.numerals import read_arabic, read_han, read_han_percent


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("零", 0), ("两", 2), ("十", 10), ("十二", 12), ("二十", 20), ("一百零五", 105), ("三百五十六", 356),
        ("一千零五十", 1050), ("两万", 20000), ("三十万", 300000), ("一亿零三百", 100000300), ("两亿三千万", 230000000),
        ("一万亿", 10**12),
        ("一亿零一万", 100010000), ("一亿零三十万零五", 100300005),
    ],
)  # fmt: skip
def test_reads_han_numbers(text: str, value: int) -> None:
    assert read_han(text) == value


@pytest.mark.parametrize(
    "text",
    ["", "百", "万", "七五", "十三五", "二〇一五", "一百五", "零五", "五零", "十十", "万万", "三万零", "一" * 50],
)
def test_refuses_what_is_no_single_han_number(text: str) -> None:
    assert read_han(text) is None


@given(st.integers(min_value=0, max_value=10**12 - 1))
@settings(deadline=None)
def test_reads_back_every_written_number(number: int) -> None:
    written = cn2an.an2cn(str(number))
    if len(written) <= 14:
        assert read_han(written) == number


@pytest.mark.parametrize(
    ("text", "value"), [("1,320", "1320"), ("15.21", "15.21"), ("0", "0"), ("0.8", "0.8"), ("86.0", "86.0")]
)
def test_reads_arabic_numbers_with_their_decimals(text: str, value: str) -> None:
    read = read_arabic(text)
    assert read == Decimal(value)
    assert str(read) == value


@pytest.mark.parametrize("text", ["00006", "007", "1" * 16])
def test_refuses_identifiers(text: str) -> None:
    assert read_arabic(text) is None


@pytest.mark.parametrize(
    ("text", "value"), [("九", "9"), ("九十五点三", "95.3"), ("百", "100"), ("85.5", "85.5"), ("零点八", "0.8")]
)
def test_reads_han_percentages(text: str, value: str) -> None:
    assert read_han_percent(text) == Decimal(value)


@pytest.mark.parametrize("text", ["点五", "五点", "五点十", "五点三点二"])
def test_refuses_broken_percentages(text: str) -> None:
    assert read_han_percent(text) is None
