"""Chinese and Arabic numerals as exact decimals.

Strict on purpose: a string that is not one well-formed number gives None, because 十三五, 七五 or
二〇一五 are names and years, never quantities. Cost is linear in the length, which is bounded.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

MAX_DIGITS = 15
"""More digits than this are an identifier, not a count."""
MAX_HAN = 14

_DIGITS = {
    "零": 0,
    "〇": 0,
    "○": 0,
    "一": 1,
    "二": 2,
    "两": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "七": 7,
    "八": 8,
    "九": 9,
}
_ZEROS = ("零", "〇", "○")
_PLACES = {"千": 1000, "百": 100, "十": 10}
_MYRIADS = {"亿": 10**8, "万": 10**4}
HAN_DIGITS = "".join((*_DIGITS, *_PLACES, *_MYRIADS))
SCALES = {"万亿": 10**12, "千万": 10**7, "百万": 10**6, "亿": 10**8, "万": 10**4, "千": 1000, "百": 100}


def read_arabic(text: str) -> Decimal | None:
    """`1,320` → 1320, `15.21` → 15.21; None for an identifier (leading zero, too many digits)."""
    plain = text.replace(",", "")
    whole = plain.partition(".")[0]
    if len(plain) > MAX_DIGITS or (len(whole) > 1 and whole[0] == "0"):
        return None
    return Decimal(plain)


def _read_section(text: str) -> int | None:
    """A number below 10000, 千百十 strictly falling: `三百零五` → 305, `十二` → 12; `三五` → None."""
    total, last_place, digit, after_zero = 0, 10**4, None, False
    for index, char in enumerate(text):
        if char in _PLACES:
            place = _PLACES[char]
            if place >= last_place or digit == 0 or (digit is None and not (place == 10 and index == 0)):
                return None
            total += (1 if digit is None else digit) * place
            last_place, digit, after_zero = place, None, False
        elif digit is not None:
            return None
        elif _DIGITS[char] == 0 and len(text) > 1:
            if after_zero or index == 0:
                return None
            after_zero = True
        else:
            digit = _DIGITS[char]
    if after_zero and digit is None:
        return None
    if digit is not None and last_place in (100, 1000) and not after_zero:
        return None  # 一百五 is 150 in speech and 105 to a careless reader
    return total + (digit or 0)


@lru_cache(maxsize=512)
def read_han(text: str) -> Decimal | None:
    """`两万` → 20000, `一千零五十` → 1050, `一万亿` → 10¹², `零` → 0; None when it is no single well-formed number."""
    if not text or len(text) > MAX_HAN:
        return None
    total, rest = 0, text
    for sign, factor in _MYRIADS.items():
        head, found, tail = rest.partition(sign)
        if not found:
            continue
        if total and head[:1] in _ZEROS:
            head = head[1:]
        section = int(read_han(head) or 0) if sign == "亿" else _read_section(head) if head else None
        if not section:
            return None
        total += section * factor
        rest = tail
    if any(sign in rest for sign in _MYRIADS):
        return None
    if not rest:
        return Decimal(total)
    if total and rest[0] in _ZEROS:
        rest = rest[1:]
    section = _read_section(rest) if rest else None
    return None if section is None or (total and not section) else Decimal(total + section)


def read_han_percent(text: str) -> Decimal | None:
    """What follows 百分之: `九` → 9, `九十五点三` → 95.3, `百` → 100, `85.5` → 85.5."""
    if text == "百":
        return Decimal(100)
    if text[:1].isdigit():
        return read_arabic(text)
    whole, point, fraction = text.partition("点")
    value = read_han(whole)
    if value is None or not point:
        return value
    if not fraction or len(fraction) > 6 or any(char not in _DIGITS for char in fraction):
        return None
    return value + Decimal("0." + "".join(str(_DIGITS[char]) for char in fraction))
