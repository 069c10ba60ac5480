"""The sums of the checks: rounding told apart from truncation, and figures written for a person."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal

from extraction.model import Verdict

_DIGIT = re.compile(r"\d")
_FRACTION = re.compile(r"\d\.(\d+)")


_HALF_UNITS = tuple(Decimal(5).scaleb(-(decimals + 1)) for decimals in range(8))


def format_number(value: Decimal) -> str:
    """`918`, `82.5`, `35189200`; never an exponent."""
    text = str(value)
    if text.isdigit():
        return text
    return format(value.quantize(Decimal(1)) if value == value.to_integral_value() else value.normalize(), "f")


def format_percent(value: Decimal, decimals: int) -> str:
    """One digit more than stated, so that the reader sees which way it rounds: `82.56%` for 82.5."""
    return f"{value.quantize(Decimal(1).scaleb(-(decimals + 1)))}%"


def format_sum(values: Iterable[Decimal]) -> str:
    return " + ".join([format_number(value) for value in values])


def count_decimals(text: str | None, value: Decimal) -> int:
    """Digits after the point as printed: `86.0%` → 1. Falls back on the value's own exponent."""
    if text and _DIGIT.search(text):
        match = _FRACTION.search(text)
        return len(match[1]) if match else 0
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def half_unit(decimals: int) -> Decimal:
    """Half a unit of the last printed digit: 0.05 for one decimal."""
    return _HALF_UNITS[decimals] if decimals < len(_HALF_UNITS) else Decimal(5).scaleb(-(decimals + 1))


def judge_rate(exact: Decimal, stated: Decimal, decimals: int, tolerance: Decimal | None = None) -> Verdict:
    """`holds` when rounding (or the tolerance) gives the stated figure, `truncated` when cutting off does."""
    if abs(exact - stated) <= (half_unit(decimals) if tolerance is None else tolerance):
        return "holds"
    cut = exact.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_DOWN)
    return "truncated" if cut == stated else "fails"


def find_integer_part(rate: Decimal, whole: Decimal, decimals: int) -> tuple[Verdict, list[Decimal]]:
    """Is there an integer k with k / whole = rate %? The verdict and the nearest k tried."""
    near = rate * whole / 100
    tried = sorted({near.to_integral_value(ROUND_FLOOR), near.to_integral_value(ROUND_CEILING)})
    return _first_verdict([(k, k * 100 / whole) for k in tried if 0 <= k <= whole], rate, decimals)


def find_integer_whole(rate: Decimal, part: Decimal, decimals: int) -> tuple[Verdict, list[Decimal]]:
    """Is there an integer n with part / n = rate %? The verdict and the nearest n tried."""
    near = part * 100 / rate
    tried = sorted({near.to_integral_value(ROUND_FLOOR), near.to_integral_value(ROUND_CEILING)})
    return _first_verdict([(n, part * 100 / n) for n in tried if n >= part], rate, decimals)


def is_telling(rate: Decimal, base: Decimal, decimals: int, *, base_is_part: bool) -> bool:
    """Whether some rates have no whole-number solution: the next integer changes the rate by more than a digit."""
    step = rate * rate / (100 * base) if base_is_part else 100 / base
    return step > Decimal(1).scaleb(-decimals)


def _first_verdict(tries: list[tuple[Decimal, Decimal]], rate: Decimal, decimals: int) -> tuple[Verdict, list[Decimal]]:
    verdicts = [(judge_rate(exact, rate, decimals), number) for number, exact in tries]
    for wanted in ("holds", "truncated"):
        for verdict, number in verdicts:
            if verdict == wanted:
                return verdict, [number]
    return "fails", [number for number, _ in tries]
