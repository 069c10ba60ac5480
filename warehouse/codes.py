"""Codes of bodies and their check digits: 统一社会信用代码 (GB 32100-2015), 组织机构代码 (GB 11714), 索引号.

An index number of government information names the body that made it in front: by its credit code (18 characters,
the region in places 3 to 8, the organisation code in places 9 to 17), by its organisation code (9), or by a region
code and a number of the body (6 + 3). Local forms without any of these say nothing and are no fault.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
CREDIT_WEIGHTS = tuple(pow(3, i, 31) for i in range(17))
ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)

CREDIT = re.compile(r"(?<![0-9A-Z])[1-9A-Y][1-9A-Z][0-9]{6}[0-9A-Z]{10}(?![0-9A-Z])")
HYPHENATED = re.compile(r"(?<![0-9A-Z])[0-9A-Z]{8}-[0-9X](?![0-9A-Z])")
NINE = re.compile(r"[0-9A-Z]{8}[0-9X](?![0-9A-Z])")
REGION_FIRST = re.compile(r"([1-9][0-9]{5})(?=[0-9]{3}(?![0-9])|[-/_.—][0-9A-Z])")
YEAR_FIRST = re.compile(r"(?:19|20)[0-9]{2}")
LONGEST = 120

Kind = Literal["credit_code", "organisation_code", "region", "other"]


@dataclass(frozen=True, slots=True)
class BodyCode:
    """What an index number says of its body. `region` is what the code holds, be there such a region or not."""

    kind: Kind
    code: str = ""
    region: str | None = None
    is_valid: bool = True
    """The check digits are right; a code without any is valid."""


OTHER = BodyCode("other")


def check_credit_code(code: str) -> bool:
    """GB 32100-2015: the last character is 31 less the weighted sum of the 17 before it, modulo 31."""
    if len(code) != 18 or any(char not in CREDIT_ALPHABET for char in code):
        return False
    total = sum(CREDIT_ALPHABET.index(char) * weight for char, weight in zip(code, CREDIT_WEIGHTS, strict=False))
    return CREDIT_ALPHABET[-total % 31] == code[17]


def check_organisation_code(code: str) -> bool:
    """GB 11714: 8 characters and a check of modulo 11 (10 is X, 11 is 0); with or without the hyphen before it."""
    code = code.replace("-", "")
    if not re.fullmatch(r"[0-9A-Z]{8}[0-9X]", code, re.ASCII):
        return False
    total = sum(int(char, 36) * weight for char, weight in zip(code, ORGANISATION_WEIGHTS, strict=False))
    return "0123456789X0"[11 - total % 11] == code[8]


def read_body_code(index_no: str | None, regions: frozenset[str]) -> BodyCode:
    """The body's code at the head of an index number. `regions`: the codes that there are or were.

    Nine characters whose check digit is right are an organisation code; if it is not, and they begin with the code of
    a region, they are region and number.
    """
    text = unicodedata.normalize("NFKC", index_no or "")[:LONGEST].upper()
    text = re.sub(r"\s+", "", text)
    if found := CREDIT.search(text):
        code = found[0]
        return _told(
            BodyCode("credit_code", code, code[2:8], check_credit_code(code) and check_organisation_code(code[8:17]))
        )
    if found := HYPHENATED.search(text):
        code = found[0].replace("-", "")
        return _told(BodyCode("organisation_code", code, None, check_organisation_code(code)))
    nine = NINE.match(text)
    if nine and check_organisation_code(nine[0]):
        return BodyCode("organisation_code", nine[0])
    if (found := REGION_FIRST.match(text)) and found[1] in regions:
        return BodyCode("region", found[1], found[1])
    return _told(BodyCode("organisation_code", nine[0], None, False)) if nine else OTHER


def _told(code: BodyCode) -> BodyCode:
    """A date or a year with a number after it is no code that went wrong."""
    return OTHER if not code.is_valid and YEAR_FIRST.match(code.code) else code
